"""What front matter says is text, wherever the theme prints it."""

import json
import os
import subprocess
import sys

from bs4 import BeautifulSoup

from tests.epub import faults
from tools.guards.fences import ROOT
from tools.guards.html import page_faults, with_policy

PLANT = 'A & B "c" </title></span><script>alert(1)</script><b onclick=x>'
PLANTED = "".join(f"{key}: '{PLANT}'\n" for key in ("title", "section", "description", "minutes"))
SETTINGS = """site_name: A & B
site_url: https://a.example/
site_description: C & D
copyright: E & F
theme: {{name: material, font: false, custom_dir: {root}/theme, features: [navigation.footer]}}
hooks: [{root}/tools/builders/hooks.py]
nav: [index.md, plant.md, last.md]
"""


def test_front_matter_is_text_on_its_page_and_on_those_beside_it(tmp_path):
    (tmp_path / "docs").mkdir()
    for name, matter in [("index", "title: A"), ("plant", PLANTED), ("last", "title: B")]:
        text = f"---\n{matter}\n---\n\n# A heading\n\n## Modeling *45 min* {{ #modeling }}\n\nText.\n"
        (tmp_path / f"docs/{name}.md").write_text(text)
    (tmp_path / "mkdocs.yml").write_text(SETTINGS.format(root=ROOT))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q"], cwd=tmp_path, check=True, env=environment)
    pages = {}
    for name in ("", "plant/", "last/"):
        html = (tmp_path / "site" / name / "index.html").read_text(encoding="utf-8")
        assert page_faults(with_policy(html), "../" * name.count("/")) == []
        pages[name] = BeautifulSoup(html, "html.parser")
    page = pages["plant/"]
    assert page.title.text == f"{PLANT} - A & B"
    assert page.select_one("[name=description]")["content"] == PLANT
    assert page.select_one("[property='og:title']")["content"] == PLANT
    assert page.select_one("[property='og:description']")["content"] == PLANT
    assert json.loads(page.select_one("[type='application/ld+json']").text)["@graph"][0]["name"] == PLANT
    assert faults((tmp_path / "site/ml-design.epub").read_bytes()) == []
    assert f"[{PLANT}](" in (tmp_path / "site/llms.txt").read_text(encoding="utf-8")
    assert page.select_one(".facts li").text == f"Interview: {PLANT} min"
    assert page.select_one(".md-header__topic + .md-header__topic").text.strip() == PLANT
    for beside, link in [("", "next"), ("last/", "prev")]:
        footer = pages[beside].select_one(f".md-footer__link--{link}")
        assert footer["aria-label"].endswith(f": {PLANT}")
        assert footer.select_one("div.md-ellipsis").text.strip() == PLANT
        assert any(item.text.strip() == PLANT for item in pages[beside].select(".md-nav__link"))


NAV = """nav:
  - index.md
  - Learn: [{Modeling: [a.md, b.md]}]
  - Practice: [practice/index.md, practice/x.md]
  - Labs: [lab.md]
"""


def test_a_crumb_leads_to_what_it_names(tmp_path):
    for name in ("index", "a", "b", "practice/index", "practice/x", "lab"):
        page = tmp_path / f"docs/{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        section = "Modeling" if name in "ab" else "Labs"
        outline = "## Modeling *45 min* { #modeling }\n"
        page.write_text(f"---\ntitle: T\ndescription: D\nsection: {section}\n---\n\n# A\n\n{outline}")
    settings = SETTINGS.format(root=ROOT).replace("nav: [index.md, plant.md, last.md]\n", NAV)
    settings = settings.replace("[navigation.footer]", "[navigation.indexes]")
    (tmp_path / "mkdocs.yml").write_text(settings + "markdown_extensions: [attr_list]\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_MKDOCS_2_WARNING": "1"}
    subprocess.run([sys.executable, "-m", "mkdocs", "build", "-q"], cwd=tmp_path, check=True, env=environment)

    def crumbs(url):
        page = BeautifulSoup((tmp_path / "site" / url / "index.html").read_text(encoding="utf-8"), "html.parser")
        return [(item.text, item.a and item.a["href"]) for item in page.select(".crumbs li")]

    assert crumbs("a") == [("Home", ".."), ("Learn", None), ("Modeling", "../#modeling")]
    assert crumbs("practice/x") == crumbs("practice") == crumbs("lab") == []  # the open tab says as much
