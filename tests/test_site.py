"""The documentation's parts that no build checks."""

import re
import runpy
from inspect import isclass
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

from sklearn.base import BaseEstimator

import skml

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


def test_pages_of_estimators_show_their_parameters():
    handlers = {}
    setup = runpy.run_path(str(DOCS / "conf.py"))["setup"]
    setup(SimpleNamespace(connect=handlers.__setitem__))
    show = handlers["autodoc-process-signature"]
    classes = [cls for cls in (getattr(skml, n) for n in skml.__all__) if isclass(cls)]
    estimators = [cls for cls in classes if issubclass(cls, BaseEstimator)]
    assert skml.GBDTClassifier in estimators  # of which Sphinx passes (*args, **kwargs)
    for cls in estimators:
        shown, _ = show(None, "class", "", cls, None, "(*args, **kwargs)", None)
        names = set(re.findall(r"[(, ](\w+)(?==|,|\))", shown))
        assert set(cls._get_param_names()) <= names, shown
        assert "**" not in shown
