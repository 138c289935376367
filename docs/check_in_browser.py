"""Check the built site in Chromium, at the widths of a screen and of a phone.

Run it after a build, with Chromium from the system::

    pip install playwright
    python docs/check_in_browser.py docs/_build/html --screenshots FOLDER

Each page must fit its window, load nothing that is missing or from elsewhere, and print
no error to the console. Each link within the site must lead to a page and an anchor,
and the search must find the words of the field.
"""

import argparse
import functools
import http.server
import shutil
import sys
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from playwright.sync_api import sync_playwright

WIDTHS = (1280, 390)
SEARCHES = (
    *("missing values", "negative sampling", "BLEU", "fastText", "imbalanced"),
    *("named entity recognition", "categorical", "beam search", "API reference"),
)
# Pages of Python source, whose long lines scroll, and a template of the theme.
UNCHECKED = ("_modules/", "_static/")


class Page(HTMLParser):
    """The links of a page, and the anchors that links may lead to."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.anchors |= {attrs.get("id"), attrs.get("name")}
        if tag == "a" and attrs.get("href"):
            self.links.append(attrs["href"])


def broken_links(site):
    """Links that lead to no file of the site, or to no anchor of its page."""
    pages = {path: Page(path.read_text("utf-8")) for path in site.rglob("*.html")}
    broken = []
    for path, page in pages.items():
        for link in page.links:
            target, anchor = urldefrag(urljoin(path.as_uri(), link))
            parts = urlsplit(target)
            if parts.scheme != "file":
                continue
            file = Path(unquote(parts.path))
            if not file.exists():
                broken.append((path, f"no page: {link}"))
            elif (
                anchor and file in pages and unquote(anchor) not in pages[file].anchors
            ):
                broken.append((path, f"no anchor: {link}"))
    return broken


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass


def serve(site):
    """Serve the site on a free port of this machine."""
    handler = functools.partial(Handler, directory=str(site))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def check_page(tab, address, found):
    """Open a page, and add to `found` what a reader would stumble over."""
    tab.goto(address, wait_until="networkidle")
    overflow = tab.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    if overflow > 0:
        widest = tab.evaluate(
            """() => [...document.querySelectorAll('main *')]
            .filter(e => e.getBoundingClientRect().right > innerWidth + 1)
            .slice(-1).map(e => `${e.tagName} ${e.className}`)"""
        )
        found.append(f"{overflow} pixels too wide: {widest}")
    cut = tab.evaluate(
        """() => [...document.querySelectorAll('h1, h2, h3')]
        .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent)"""
    )
    found += [f"heading is cut: {heading!r}" for heading in cut]
    raw = tab.evaluate("document.querySelector('main').innerText.includes('\\\\(')")
    if raw:
        found.append("a formula is not set")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--screenshots", type=Path, help="a folder for pictures")
    parser.add_argument("--pages", default="**/*.html", help="pattern of the pages")
    arguments = parser.parse_args()
    site = arguments.site.resolve()
    problems = [
        f"{path.relative_to(site)}: {what}" for path, what in broken_links(site)
    ]
    base = serve(site)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for width in WIDTHS:
            tab = browser.new_page(viewport={"width": width, "height": 900})
            found = []
            tab.on(
                "console",
                lambda message, found=found: (
                    found.append(f"console: {message.text}")
                    if message.type == "error"
                    else None
                ),
            )
            tab.on(
                "request",
                lambda request, found=found: (
                    None
                    if request.url.startswith((base, "data:"))
                    else found.append(f"loads {request.url}")
                ),
            )
            for path in sorted(site.glob(arguments.pages)):
                name = path.relative_to(site).as_posix()
                if name.startswith(UNCHECKED):
                    continue
                check_page(tab, base + name, found)
                problems += [f"{name} ({width}): {what}" for what in found]
                found.clear()
                if arguments.screenshots:
                    file = f"{name.replace('/', '.')}-{width}.png"
                    tab.screenshot(path=arguments.screenshots / file, full_page=True)
            tab.close()
        tab = browser.new_page()
        for words in SEARCHES:
            tab.goto(f"{base}search.html?q={words}")
            try:
                tab.wait_for_selector("#search-results li", timeout=20_000)
            except Exception:
                problems.append(f"search finds nothing: {words}")
        browser.close()
    print("\n".join(problems) or "no problem found")
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
