"""What machines are told of a page: in their words, true to the page, and with no way out of their script."""

import json
from types import SimpleNamespace

import pytest

from tools.builders import share
from tools.builders.maths import typeset
from tools.guards.html import page_faults, with_policy

CONFIG = SimpleNamespace(
    site_url="https://example.org/guide/",
    site_name="ML Design",
    site_description="A guide.",
    copyright="CC BY",
    extra={},
)
ASKED = typeset(
    '<details class="question"><summary>Is 1 &lt; 2?</summary><p>Yes, see <a href="../x/">x</a>:\n'
    '<span class="arithmatex">\\(k = \\sqrt{2r/c}\\)</span>.</p></details>'
    '<details class="card"><summary>A card?</summary><p>No.</p></details>'
)


def page(url="evaluation/lift/", content=ASKED, **meta):
    return SimpleNamespace(
        url=url,
        title="Lift",
        content=content,
        canonical_url=CONFIG.site_url + url,
        is_homepage=not url,
        ancestors=[SimpleNamespace(title="Evaluation"), SimpleNamespace(title="Learn")],
        meta={"description": "About lift.", "tags": ["lift"], "reading": 7} | meta,
    )


def graph(page):
    return json.loads(share.data(page, "Lift", CONFIG))["@graph"]


def test_a_page_is_a_resource_of_the_course_and_its_follow_ups_are_questions():
    resource, faq = graph(page())
    assert resource["@type"] == "LearningResource"
    assert resource["url"] == "https://example.org/guide/evaluation/lift/"
    assert resource["timeRequired"] == "PT7M"
    assert resource["isPartOf"] == {"@id": graph(page(""))[0]["@id"]}
    assert [question["name"] for question in faq["mainEntity"]] == ["Is 1 < 2?"]
    assert faq["mainEntity"][0]["acceptedAnswer"]["text"] == r"Yes, see x: k = \sqrt{2r/c}."


def test_the_home_page_is_the_course():
    (course,) = graph(page("", content=""))
    assert (course["@type"], course["name"], course["provider"]["name"]) == ("Course", "ML Design", "ML Design")


def test_nothing_on_a_page_ends_its_script():
    text = share.data(page(description="</script><script>alert(1)</script> & more"), "Lift", CONFIG)
    assert not set(text) & set("<>&")
    assert json.loads(text)["@graph"][0]["description"] == "</script><script>alert(1)</script> & more"


DATA = '<script type="application/ld+json">{}</script>'


@pytest.mark.parametrize(
    ("script", "sound"),
    [
        (DATA.format('{"@context": "https://schema.org", "@graph": []}'), True),
        (DATA.format('{"@context": "https://schema.org", "@graph": ["<"]}'), False),
        (DATA.format('{"@context": "https://elsewhere.example"}'), False),
        (DATA.format("[]"), False),
        (DATA.format("alert(1)"), False),
        (DATA.replace("<script", '<script src="../x.js"').format('{"@context": "https://schema.org"}'), False),
        (DATA.replace("ld+json", "javascript").format('{"@context": "https://schema.org"}'), False),
    ],
)
def test_the_guard_lets_structured_data_through_and_nothing_like_it(script, sound):
    html = f'<!doctype html><html lang="en"><head>{script}</head><body><article></article></body></html>'
    assert (page_faults(with_policy(html), "../") == []) == sound


def test_what_is_written_names_what_is_there(tmp_path, monkeypatch):
    pages = {"./": page(""), "evaluation/lift/": page(section="Evaluation")}
    for each in pages.values():
        share.note(each, CONFIG)
    phases = [{"number": 1, "minutes": 45, "start": 0, "end": 45}]
    pages["evaluation/lift/"].meta["phase"] = phases[0]
    monkeypatch.setitem(CONFIG.extra, "pages", pages)
    monkeypatch.setitem(CONFIG.extra, "phases", phases)
    share.write(tmp_path, CONFIG)
    told = json.loads((tmp_path / "manifest.webmanifest").read_text())
    for icon in told["icons"]:
        assert icon["src"] == "assets/favicon.svg" or (tmp_path / icon["src"]).is_file()
    for each in pages.values():
        assert (tmp_path / each.meta["share"]["picture"]).is_file()
    assert "Sitemap: https://example.org/guide/sitemap.xml" in (tmp_path / "robots.txt").read_text()
    index = (tmp_path / "llms.txt").read_text()
    assert index.startswith("# ML Design\n\n> A guide.\n")
    assert "## Learn: Evaluation\n\n- [Lift](https://example.org/guide/index.md): About lift.\n" in index
    assert "- [Lift](https://example.org/guide/evaluation/lift/index.md): About lift.\n" in index
