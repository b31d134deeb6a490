import io

from PIL import Image

from tools.loop.readme import photograph


def test_a_picture_for_the_readme_is_taken_in_the_scheme_that_is_asked_for(browser, tmp_path):
    style = "@media (prefers-color-scheme: dark) { html { background: #000 } }"
    (tmp_path / "index.html").write_text(f"<!doctype html><title>T</title><style>{style}</style>")
    for scheme, colour in (("light", 255), ("dark", 0)):
        with Image.open(io.BytesIO(photograph(browser, tmp_path, scheme))) as picture:
            assert picture.convert("L").getpixel((9, 9)) == colour
