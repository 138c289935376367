"""scikit-learn's own tests of TfidfVectorizer, run with TfidfWeighter in its place."""

import importlib.util
import sys
from itertools import product
from unittest import mock

import pytest

from skml.text._tfidf import TfidfWeighter

# What a test may not ask for: private names of TfidfVectorizer.
PRIVATE = {"_tfidf", "_stop_words_id", "_check_stop_words_consistency"}


def load():
    """A copy of scikit-learn's module of tests, for which the class is ours."""
    spec = importlib.util.find_spec("sklearn.feature_extraction.tests.test_text")
    module = importlib.util.module_from_spec(spec)
    name = "sklearn.feature_extraction.text.TfidfVectorizer"
    with mock.patch(name, TfidfWeighter):
        spec.loader.exec_module(module)
    return module


MODULE = load()


def cases_of(test):
    """The arguments of each case of a test that has to do with our class."""
    tables = []
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            names, rows = mark.args[:2]
            names = names if isinstance(names, (tuple, list)) else names.split(",")
            names = [name.strip() for name in names]
            rows = [getattr(row, "values", row) for row in rows]
            rows = [row if isinstance(row, (tuple, list)) else (row,) for row in rows]
            tables.append([dict(zip(names, row, strict=True)) for row in rows])
    for rows in product(*tables):
        arguments = {name: value for row in rows for name, value in row.items()}
        is_ours = any(
            value is TfidfWeighter or isinstance(value, TfidfWeighter)
            for value in arguments.values()
        )
        if is_ours or "TfidfVectorizer" in test.__code__.co_names:
            yield arguments


CASES = [
    pytest.param(test, arguments, id=f"{name}-{i}")
    for name, test in vars(MODULE).items()
    if name.startswith("test_") and not PRIVATE & {*test.__code__.co_names}
    for i, arguments in enumerate(cases_of(test))
]


@pytest.mark.parametrize(("test", "arguments"), CASES)
@pytest.mark.filterwarnings("ignore")
def test_as_scikit_learn_tests_its_own(test, arguments, tmp_path):
    if "tmpdir" in test.__code__.co_varnames[: test.__code__.co_argcount]:
        arguments = {**arguments, "tmpdir": LocalFolder(tmp_path)}
    with mock.patch.dict(sys.modules, {MODULE.__name__: MODULE}):  # for pickle
        test(**arguments)


class LocalFolder:
    """As much of pytest's legacy `tmpdir` as those tests use."""

    def __init__(self, path):
        self.path = path

    def join(self, name):
        return LocalFolder(self.path / name)

    def write(self, text):
        self.path.write_text(text)

    def read(self):
        return self.path.read_text()


def test_most_of_them_run():
    assert len(CASES) >= 30
