"""The docstring corpus: against the running interpreter, and on awkward packages."""

import gc
import inspect
import re
import subprocess
import sys
import zipfile
from pkgutil import resolve_name

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.datasets import load_docstrings

LONG = "Words enough to be a document of its own, here for once and never again"


@pytest.fixture(scope="module")
def corpus():
    return load_docstrings()


@pytest.fixture
def write_package(tmp_path, monkeypatch):
    """Write files below a folder on the path; each is told by its relative path."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(files):
        for relative, source in files.items():
            path = tmp_path / relative
            path.parent.mkdir(parents=True, exist_ok=True)
            content = source if isinstance(source, bytes) else source.encode()
            path.write_bytes(content)

    return write


def load_all(*packages, **params):
    """Load every docstring as it is."""
    return load_docstrings(packages, **{"min_words": 0, "remove": ()} | params)


def load_text(write_package, text, package="skml_one", **params):
    """The docstring of a module, as loaded."""
    write_package({f"{package}.py": f"r'''{text}'''\n"})
    return load_docstrings((package,), **{"min_words": 0} | params).data[0]


# The corpus of the defaults


def test_default_corpus_has_the_promised_size(corpus):
    assert 5_000 < len(corpus.data) < 8_000
    assert 1.1e6 < sum(len(text.split()) for text in corpus.data) < 1.8e6
    assert min(len(text.split()) for text in corpus.data) >= 30


def test_default_corpus_is_a_bunch_like_scikit_learns(corpus):
    assert set(corpus) == {"data", "target", "target_names", "names", "DESCR"}
    assert corpus.target_names == ["numpy", "scipy", "sklearn"]
    assert corpus.target.dtype == np.int64
    assert len(corpus.data) == len(corpus.target) == len(corpus.names)
    assert {type(text) for text in corpus.data} == {str}


def test_names_say_where_a_document_comes_from(corpus):
    packages = [corpus.target_names[target] for target in corpus.target]
    assert [name.partition(".")[0] for name in corpus.names] == packages
    position = corpus.names.index("sklearn.decomposition._truncated_svd.TruncatedSVD")
    start = "Dimensionality reduction using truncated SVD"
    assert corpus.data[position].startswith(start)


def test_default_corpus_names_no_package(corpus):
    name = re.compile(r"(?<![a-z])(numpy|scipy|sklearn|scikit.learn)(?![a-z])", re.I)
    assert [text for text in corpus.data if name.search(text)] == []


def test_default_corpus_has_no_import_lines(corpus):
    line = re.compile(r"^\s*(>>>|\.\.\.) (import \w|from \S+ import)", re.M)
    assert [text for text in corpus.data if line.search(text)] == []


def test_default_corpus_has_no_document_twice(corpus):
    assert len(set(corpus.data)) == len(corpus.data)


def test_description_counts_what_was_loaded(corpus):
    table = re.findall(r"^(\w+) +(\d+) +(\d+)$", corpus.DESCR, re.M)
    assert [package for package, _, _ in table] == corpus.target_names
    assert [int(count) for _, count, _ in table] == list(np.bincount(corpus.target))
    words = sum(len(text.split()) for text in corpus.data)
    assert sum(int(size) for _, _, size in table) == words
    assert "fewer than 30 words" in corpus.DESCR


# What is read


def test_documents_are_the_docstrings_of_the_running_package():
    bunch = load_all("json")
    expected = [inspect.cleandoc(resolve_name(name).__doc__) for name in bunch.names]
    assert bunch.data == [text.strip() for text in expected]
    assert {"json", "json.load", "json.decoder.JSONDecoder.decode"} <= set(bunch.names)


def test_documents_of_compiled_parts_are_read_from_add_newdoc():
    bunch = load_all("numpy")
    # Reversed, so that the first text counts: NumPy 2.0 attaches a second one.
    pairs = reversed(list(zip(bunch.names, bunch.data, strict=True)))
    texts = dict(pairs)
    prefix = "numpy._core._add_newdocs"
    assert texts[f"{prefix}.ndarray"].endswith(inspect.getdoc(np.ndarray)[-400:])
    assert texts[f"{prefix}.ndarray.flat"] == inspect.getdoc(np.ndarray.flat)
    scalar = texts[f"{prefix}_scalars.half"]
    assert scalar == "Half-precision floating-point number type."


def test_order_is_that_of_paths_and_lines(write_package):
    write_package(
        {
            "skml_order/b.py": "class B:\n '''5'''\n def m(self): '''6'''\n"
            "async def a(): '''7'''\n",
            "skml_order/a/z.py": "'''4'''",
            "skml_order/__init__.py": "'''1'''\n"
            "try:\n from x import f\n"
            "except ImportError:\n def f(): '''2'''\n"
            "if True:\n def g():\n  '''3'''\n  def inner(): '''not counted'''\n",
        }
    )
    bunch = load_all("skml_order")
    assert bunch.data == list("1234567")
    tails = ["", ".f", ".g", ".a.z", ".b.B", ".b.B.m", ".b.a"]
    assert bunch.names == ["skml_order" + tail for tail in tails]


def test_test_folders_are_skipped(write_package):
    write_package(
        {
            "skml_with_tests/__init__.py": "'''code'''",
            "skml_with_tests/tests/test_code.py": "'''test'''",
            "skml_with_tests/sub/test/code.py": "'''test'''",
            "skml_with_tests/testing.py": "'''tools'''",
        }
    )
    assert load_all("skml_with_tests").data == ["code", "tools"]


def test_package_inside_a_folder_called_tests_is_read(tmp_path, monkeypatch):
    folder = tmp_path / "tests" / "skml_inside"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("'''inside'''")
    monkeypatch.syspath_prepend(tmp_path / "tests")
    assert load_all("skml_inside").data == ["inside"]


def test_namespace_package_and_single_module_are_read(write_package):
    write_package(
        {"skml_space/part/one.py": "'''namespace'''", "skml_single.py": "'''single'''"}
    )
    bunch = load_all("skml_single", "skml_space")
    assert bunch.data == ["single", "namespace"]
    assert bunch.names == ["skml_single", "skml_space.part.one"]


def test_source_files_say_their_encoding(write_package):
    latin = "# -*- coding: latin-1 -*-\n'''\u00e9t\u00e9'''".encode("latin-1")
    write_package({"skml_latin.py": latin})
    assert load_all("skml_latin").data == ["\u00e9t\u00e9"]


@pytest.mark.parametrize("module", ["os", "abc", "codecs", "zipimport"])
def test_modules_frozen_into_the_interpreter_are_read(module):
    data = load_docstrings((module,), min_words=1, remove=())
    assert data.names[0] == module
    assert data.data[0] == inspect.cleandoc(resolve_name(module).__doc__)


@pytest.mark.parametrize(
    "source",
    [
        "'''text'''\nprint 'Python 2'",
        b"'''\xe9t\xe9'''",
        b"# -*- coding: no-such-thing -*-\n'''text'''",
        "'''text'''\n\0",
        "'''text'''\nx = " + "-" * 200_000 + "1",
        "'''text'''\nx = " + "a." * 200_000 + "a",
    ],
    ids=["syntax", "not utf-8", "unknown codec", "null byte", "deep", "deep path"],
)
def test_file_that_is_not_valid_python_is_left_out(write_package, source):
    write_package(
        {"skml_bad/__init__.py": "'''good'''", "skml_bad/bad.py": source},
    )
    assert load_all("skml_bad").data == ["good"]


def test_source_that_a_compiler_would_warn_of_is_read_silently(write_package):
    write_package({"skml_escape.py": "'''a \\d'''\nx = 1 is 1"})
    assert load_all("skml_escape").data == ["a \\d"]


def test_nothing_is_imported(tmp_path):
    package = tmp_path / "skml_explosive"
    package.mkdir()
    (package / "__init__.py").write_text(f"'''{LONG}'''\nraise RuntimeError('run')")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from skml.datasets import load_docstrings\n"
        "before = set(sys.modules)\n"
        "bunch = load_docstrings(('json', 'skml_explosive', 'sqlite3'), min_words=5)\n"
        "assert 'json' in before and 'json.tool' in bunch.names\n"
        "assert bunch.target_names[bunch.target.max()] == 'sqlite3'\n"
        "print(*sorted(set(sys.modules) - before))\n"
        "assert 'json.tool' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert loaded.isdisjoint({"json", "skml_explosive", "sqlite3"})


# Copies


def test_equal_documents_of_a_package_are_kept_once(write_package):
    write_package({"skml_twice.py": "def f(): '''same'''\ndef g(): '''same'''"})
    bunch = load_all("skml_twice")
    assert (bunch.data, bunch.names) == (["same"], ["skml_twice.f"])


@pytest.mark.parametrize("packages", [("skml_p", "skml_q"), ("skml_q", "skml_p")])
def test_documents_that_packages_share_are_left_out(write_package, packages):
    write_package(
        {
            "skml_p.py": "'''only p'''\ndef f(): '''Part of skml_p.'''",
            "skml_q.py": "'''only q'''\ndef f(): '''Part of skml_q.'''",
        }
    )
    bunch = load_docstrings(packages, min_words=0)
    assert bunch.data == [f"only {package[-1]}" for package in packages]


# What is removed


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("An array of skml_one here.", "An array of  here."),
        ("Use `SKML_ONE.linalg.norm` twice.", "Use `linalg.norm` twice."),
        ("It ends with skml_one.", "It ends with ."),
        ("is_skml_one_array, skml_one2", "is__array, 2"),
        ("skml_ones and bskml_one stay", "skml_ones and bskml_one stay"),
    ],
)
def test_names_are_removed_as_words(write_package, text, expected):
    assert load_text(write_package, text) == expected


def test_usual_spellings_of_a_name_are_removed(write_package):
    text = "a scikit-image b scikits.image c Scikit_Image d skimage.io e scikit f"
    found = load_text(write_package, text, "skimage", remove=("names",))
    assert found.split() == ["a", "b", "c", "d", "io", "e", "scikit", "f"]
    assert load_text(write_package, text, "skimage", remove=()) == text


@pytest.mark.parametrize(
    "lines",
    [
        ">>> import numpy as np",
        ">>> import os, os.path as p  # doctest: +SKIP",
        ">>> import os; x = 1",
        "    >>> from a.b import c as d, e",
        ">>> from a import (\n...     b,\n...     c,\n... )",
        ">>> from a import (b,\n                   c)  # why",
        ">>> from a import b, \\\n...     c",
        ">>> from . import *",
        "...     from ..a import b",
        "In [12]: import a",
        "import a.b",
        "  from a import b",
    ],
)
def test_import_lines_are_removed(write_package, lines):
    text = f"Before.\n\n{lines}\n>>> after()"
    assert load_text(write_package, text) == "Before.\n\n>>> after()"
    assert load_text(write_package, text, remove=("names",)) == text


@pytest.mark.parametrize(
    "line",
    [
        "import libraries are built",
        "from the start, import nothing",
        "important",
        "from a file, or else",
        ">>> import_module('a')",
        ">>> x = 'import os'",
    ],
)
def test_lines_that_only_look_like_imports_stay(write_package, line):
    text = f"Before.\n{line}\nAfter."
    assert load_text(write_package, text) == text


def test_long_lines_that_are_no_imports_stay(write_package):
    text = f"a\n{' ' * 50_000}import {'a.' * 50_000}!\nimport {'b, ' * 50_000}!"
    assert load_text(write_package, text) == text


def test_an_import_at_the_end_is_removed(write_package):
    assert load_text(write_package, "Text.\n\n    import a") == "Text."


def test_words_are_counted_after_the_removal(write_package):
    text = "one skml_one two\nimport a\nthree"
    loaded = load_text(write_package, text, min_words=3)
    assert loaded.split() == ["one", "two", "three"]
    with pytest.raises(ValueError, match="4 words or more"):
        load_text(write_package, text, min_words=4)


# The result


def test_list_of_packages_equals_tuple():
    from_tuple = load_docstrings(("json", "email"))
    from_list = load_docstrings(["json", "email"], remove=["imports", "names"])
    assert from_tuple.names == from_list.names
    assert from_tuple.data == from_list.data
    assert from_list.target_names == ["json", "email"]


def test_target_follows_the_order_of_packages():
    one, other = load_docstrings(("json", "email")), load_docstrings(("email", "json"))
    assert other.target_names == ["email", "json"]
    assert_array_equal(np.sort(other.target), other.target)
    n_email = np.count_nonzero(other.target == 0)
    assert one.data == other.data[n_email:] + other.data[:n_email]


def test_return_X_y_gives_data_and_target():
    bunch = load_docstrings(("json", "email"))
    X, y = load_docstrings(("json", "email"), return_X_y=True)
    assert bunch.data == X
    assert_array_equal(y, bunch.target)


def test_shuffle_keeps_documents_targets_and_names_together():
    ordered = load_all("json", "email")
    shuffled = load_all("json", "email", shuffle=True, random_state=0)
    again = load_all("json", "email", shuffle=True, random_state=0)

    def rows(bunch):
        return list(zip(bunch.data, bunch.target, bunch.names, strict=True))

    assert rows(shuffled) == rows(again)
    assert rows(shuffled) != rows(ordered)
    assert sorted(rows(shuffled)) == sorted(rows(ordered))


@pytest.mark.parametrize("enabled", [True, False])
def test_the_garbage_collector_is_left_as_it_was(enabled):
    was_enabled = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        load_docstrings(("json",))
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_enabled else gc.disable)()


# Errors


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"packages": "numpy"}, "'packages' parameter .* must be an instance of"),
        ({"packages": None}, "'packages' parameter"),
        ({"packages": ()}, "packages is empty"),
        ({"packages": ("json", "numpy", "json")}, r"packages\[2\], 'json', is there"),
        ({"packages": ("json", 3)}, r"packages\[1\] is 3; expected the name"),
        (
            {"packages": ("scipy.stats",)},
            r"packages\[0\] is 'scipy.stats'; exp",
        ),
        ({"packages": ("",)}, r"packages\[0\] is ''"),
        ({"min_words": -1}, "'min_words' parameter"),
        ({"min_words": 2.5}, "'min_words' parameter"),
        ({"remove": "names"}, "'remove' parameter"),
        ({"remove": ("headers",)}, "remove holds 'headers'; it may hold any of"),
        ({"remove": (["names"],)}, "remove holds"),
        ({"shuffle": "yes"}, "'shuffle' parameter"),
        ({"random_state": "seed"}, "'random_state' parameter"),
        ({"return_X_y": 2}, "'return_X_y' parameter"),
    ],
)
def test_wrong_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        load_docstrings(**params)


def test_missing_package_is_named_with_the_way_to_install_it():
    message = "package 'skml_missing' is not installed.*pip install skml_missing"
    with pytest.raises(ImportError, match=message):
        load_docstrings(("json", "skml_missing"))


@pytest.mark.parametrize("module", ["sys", "_json"])
def test_module_without_python_source_is_refused(module):
    with pytest.raises(ValueError, match=f"'{module}' has no Python source file"):
        load_docstrings((module,))


@pytest.mark.parametrize("member", ["skml_zipped.py", "skml_zipped/__init__.py"])
def test_zip_archive_is_refused(tmp_path, monkeypatch, member):
    archive = tmp_path / "packages.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(member, f"'''{LONG}'''")
    monkeypatch.syspath_prepend(archive)
    with pytest.raises(ValueError, match=r"packages\.zip.*zip archives cannot be read"):
        load_docstrings(("skml_zipped",))


def test_package_without_a_docstring_is_refused(write_package):
    write_package({"skml_mute.py": "x = 1"})
    with pytest.raises(ValueError, match="package 'skml_mute' has no docstring"):
        load_docstrings(("json", "skml_mute"))
