"""The built site, served on this machine, and a browser to look at it."""

import functools
import http.server
import threading

import pytest
from playwright.sync_api import sync_playwright

from tools.builders.browser import FLAGS, find
from tools.guards.fences import ROOT

SITE = ROOT / "site"


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each request."""

    def log_message(self, *arguments):
        """Say nothing."""


def urls():
    """Return the address of every page, relative to the site's root."""
    return [p.relative_to(SITE).as_posix().removesuffix("index.html") for p in sorted(SITE.rglob("*.html"))]


@pytest.fixture(scope="session")
def base():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=SITE))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=find(), args=list(FLAGS))


@pytest.fixture(params=[("light", 1280), ("dark", 390)], ids=["desktop-light", "phone-dark"])
def view(request, browser):
    scheme, width = request.param
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 844})
    yield context.new_page()
    context.close()
