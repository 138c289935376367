"""The documentation's parts that no build checks."""

import re
from pathlib import Path
from xml.etree import ElementTree

DOCS = Path(__file__).parent.parent / "docs"
UNLISTED = {"user_guide/index"}  # which lists others


def test_the_plain_list_of_pages_has_every_page():
    listed = re.findall(
        r"\]\((\S+)\.html\): \S", (DOCS / "llms.txt").read_text("utf-8")
    )
    paths = [*DOCS.glob("*.rst"), *DOCS.glob("user_guide/*.rst")]
    pages = {path.relative_to(DOCS).with_suffix("").as_posix() for path in paths}
    assert len(listed) == len(set(listed))
    assert set(listed) == pages - UNLISTED


def test_pictures_are_well_formed():
    pictures = list(DOCS.glob("_static/*.svg"))
    assert pictures
    for path in pictures:
        assert ElementTree.parse(path).getroot().tag.endswith("svg")
