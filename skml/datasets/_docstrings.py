"""The docstrings of installed packages: a corpus that needs no download."""

import ast
import gc
import re
import tokenize
import warnings
from collections.abc import Sequence
from contextlib import contextmanager
from importlib.machinery import PathFinder
from importlib.util import find_spec
from inspect import cleandoc
from numbers import Integral
from pathlib import Path
from sysconfig import get_path

import numpy as np
from sklearn.utils import Bunch

from skml._compat.sklearn import Interval, validate_params
from skml._random import make_random_state
from skml._typing import RandomState

_REMOVABLE = ("names", "imports")
_TEST_FOLDERS = {"test", "tests"}
_DEFINITIONS = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_BLOCKS = (ast.If, ast.Try, ast.With, ast.For, ast.While, ast.ExceptHandler)
# How a package is written besides its import name, as regular expressions.
_SPELLINGS = {
    "PIL": ["pillow"],
    "skimage": [r"scikits?[-_.\s]?image"],
    "sklearn": [r"scikits?[-_.\s]?learn"],
    "torch": ["pytorch"],
}

_IMPORTED = r"(?:\*|\w+(?:\.\w+)*(?:[ \t]+as[ \t]+\w+)?)"
_NEXT_LINE = r"(?:\\\n[ \t.]*)?"
# Nothing but an import may stand on the line: prose, too, may begin with "import".
_IMPORT = re.compile(
    rf"""
    ^[ \t]*(?:(?:>>>|\.\.\.|In[ ]\[\d+\]:)[ \t]*)?
    (?:from[ \t]+[\w.]+[ \t]+)?import\b[ \t]*
    (?:\([^)]*\)
      |{_NEXT_LINE}{_IMPORTED}(?:[ \t]*,[ \t]*{_NEXT_LINE}{_IMPORTED})*)
    [ \t]*(?:[;\#].*)?(?:\n|\Z)
    """,
    re.MULTILINE | re.VERBOSE,
)

_DESCR = """\
Docstrings of installed packages
--------------------------------

**Data Set Characteristics:**

{table}

Each document is the docstring of a module, a class, a function or a method, and its
target is the package it comes from. Documents are read from the source files of the
packages as installed, so other versions of a package give other documents. No
package is imported.

Counted are the docstrings in ``.py`` files, and the texts handed to functions called
``add_newdoc...``, by which packages document their compiled parts. Not counted are
functions inside functions, folders called ``test`` or ``tests``, Cython and compiled
sources, and files that are not valid Python.

Removed from the documents: {removed}.
Left out after that: documents of fewer than {min_words} words, all but the first of
equal documents in a package, and documents that several of the packages have in
common, which have no single target.
"""


def _check_packages(packages):
    if len(packages) == 0:
        raise ValueError(
            "load_docstrings: packages is empty. Name at least one installed package."
        )
    for position, package in enumerate(packages):
        if not isinstance(package, str) or not package.isidentifier():
            raise ValueError(
                f"load_docstrings: packages[{position}] is {package!r}; expected the "
                "name of a top-level package, as in `import name`."
            )
        if package in packages[:position]:
            raise ValueError(
                f"load_docstrings: packages[{position}], {package!r}, is there "
                "already. A package is one class: name it once."
            )


def _check_remove(remove):
    for item in remove:
        if item not in _REMOVABLE:
            raise ValueError(
                f"load_docstrings: remove holds {item!r}; it may hold any of "
                f"{_REMOVABLE}."
            )


def _source_files(package):
    """List the module name and the path of each source file, in a fixed order."""
    spec = find_spec(package)
    if spec is not None and spec.origin == "frozen":
        # Compiled into the interpreter; the source is in the standard library.
        spec = PathFinder.find_spec(package, [get_path("stdlib")]) or spec
    if spec is None:
        raise ImportError(
            f"load_docstrings: package {package!r} is not installed. Install it, for "
            f"example with `pip install {package}`, or leave it out of packages."
        )
    if spec.submodule_search_locations is None:
        files = [(package, Path(spec.origin or ""))]
    else:
        files = _files_below(map(Path, spec.submodule_search_locations), package)
    files = [(name, path) for name, path in files if path.suffix == ".py"]
    if not any(path.is_file() for _, path in files):
        raise ValueError(
            f"load_docstrings: package {package!r} has no Python source file on disk "
            f"(found as {spec.origin or 'a namespace'!r}). Built-in and compiled "
            "modules and zip archives cannot be read; leave it out of packages."
        )
    return files


def _files_below(folders, package):
    paths = [
        (path.relative_to(folder), path)
        for folder in folders
        if folder.is_dir()
        for path in folder.rglob("*.py")
    ]
    paths.sort(key=lambda pair: pair[0].as_posix())
    for relative, path in paths:
        if _TEST_FOLDERS.isdisjoint(relative.parts[:-1]):
            parts = [package, *relative.with_suffix("").parts]
            yield ".".join(parts).removesuffix(".__init__"), path


def _parse(path):
    """Parse a source file; None if it is not valid Python."""
    try:
        with tokenize.open(path) as file, warnings.catch_warnings():
            # What a compiler would warn of is no concern of who reads the text.
            warnings.simplefilter("ignore")
            return ast.parse(file.read())
    # ValueError: it cannot be decoded; the last two: expressions nested too deep.
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _docstrings(node, name):
    """Yield names and texts: of a node, of what it defines, in the order of lines."""
    if not isinstance(node, _BLOCKS):
        yield name, ast.get_docstring(node) or ""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, _DEFINITIONS):
            yield from _docstrings(child, f"{name}.{child.name}")
        elif isinstance(child, _BLOCKS):
            yield from _docstrings(child, name)
        elif isinstance(child, ast.Expr) and isinstance(child.value, ast.Call):
            yield from _added_docstring(child.value, name)


def _added_docstring(call, name):
    """Yield the name and the text that a call attaches to a compiled object.

    Either ``add_newdoc(..., name, text)`` or ``add_newdoc(..., name, (part, text))``.
    """
    function = getattr(call.func, "attr", getattr(call.func, "id", ""))
    if not function.startswith("add_newdoc") or not call.args:
        return
    *names, last = call.args
    if isinstance(last, ast.Tuple) and last.elts:
        names, last = [*names, *last.elts[:-1]], last.elts[-1]
    if isinstance(last, ast.Constant) and isinstance(last.value, str):
        parts = [str(arg.value) for arg in names if isinstance(arg, ast.Constant)]
        # The place is dotted, and a signature has parentheses: neither is a name.
        yield ".".join([name, *filter(str.isidentifier, parts)]), cleandoc(last.value)


@contextmanager
def _paused_collector():
    """Pause the garbage collector, which would search each syntax tree for cycles.

    There are none, and the search makes parsing take half as long again.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _read_package(package):
    for module, path in _source_files(package):
        tree = _parse(path)
        if tree is not None:
            yield from _docstrings(tree, module)


def _remover(packages, remove):
    """Return the function that takes import lines and names out of a text."""
    names = {s for package in packages for s in (package, *_SPELLINGS.get(package, ()))}
    # A letter on either side makes another word: "io" is no part of "union", while
    # `is_numpy_array` holds a name. The dot of a dotted path goes with the name.
    letter = r"[^\W\d_]"
    any_name = "|".join(sorted(names, key=lambda name: (-len(name), name)))
    pattern = rf"(?<!{letter})(?:{any_name})(?!{letter})(?:\.(?=\w))?"
    name = re.compile(pattern, re.IGNORECASE)

    def clean(text):
        if "imports" in remove and "import" in text:
            text = _IMPORT.sub("", text)
        if "names" in remove:
            text = name.sub("", text)
        return text.strip()

    return clean


def _collect(packages, min_words, remove):
    """Return the texts, their targets and their names, each text once."""
    clean = _remover(packages, remove)
    places_of_text = {}
    for target, package in enumerate(packages):
        for name, text in _read_package(package):
            text = clean(text)
            if text and len(text.split()) >= min_words:
                places_of_text.setdefault(text, {}).setdefault(target, name)
    # Copies inside one package are one document; copies across packages are none.
    single = [
        (text, *place)
        for text, places in places_of_text.items()
        if len(places) == 1
        for place in places.items()
    ]
    counts = np.bincount([target for _, target, _ in single], minlength=len(packages))
    for package, count in zip(packages, counts, strict=True):
        if count == 0:
            raise ValueError(
                f"load_docstrings: package {package!r} has no docstring of its own of "
                f"{min_words} words or more. Lower min_words, or leave it out."
            )
    return zip(*single, strict=True)


def _describe(data, target, packages, min_words, remove):
    rows = [("package", "documents", "words")]
    for label, package in enumerate(packages):
        words = [len(data[i].split()) for i in np.flatnonzero(target == label)]
        rows.append((package, len(words), sum(words)))
    width = max(len(package) for package, _, _ in rows)
    rule = f"{'':=<{width}}  {'':=<9}  {'':=<9}"
    lines = [f"{name:<{width}}  {count:>9}  {size:>9}" for name, count, size in rows]
    table = "\n".join([rule, lines[0], rule, *lines[1:], rule])
    what = {"names": "the names of the packages", "imports": "lines that import"}
    removed = " and ".join(what[item] for item in _REMOVABLE if item in remove)
    removed = removed or "nothing"
    return _DESCR.format(table=table, removed=removed, min_words=min_words)


@validate_params(
    {
        "packages": [tuple, list],
        "min_words": [Interval(Integral, 0, None, closed="left")],
        "remove": [tuple, list],
        "shuffle": ["boolean"],
        "random_state": ["random_state"],
        "return_X_y": ["boolean"],
    },
    prefer_skip_nested_validation=True,
)
def load_docstrings(
    packages: Sequence[str] = ("numpy", "scipy", "sklearn"),
    *,
    min_words: int = 30,
    remove: Sequence[str] = ("names", "imports"),
    shuffle: bool = False,
    random_state: RandomState = None,
    return_X_y: bool = False,
):
    """Load the docstrings of installed packages (classification).

    The task is to predict which package a docstring comes from. The texts are read from
    the source files of the packages, none of which is imported, and nothing is
    downloaded. With the defaults there are about six thousand documents of some 1.4
    million words in all; the exact figures depend on the versions installed.

    =================   ==================
    Classes             one a package
    Samples total       about 6000
    Features            text
    =================   ==================

    Read more in the :ref:`User Guide <docstrings_dataset>`.

    Parameters
    ----------
    packages : tuple or list of str, default=("numpy", "scipy", "sklearn")
        The import names of installed packages, or of single modules. Each is a class,
        in this order.

    min_words : int, default=30
        Documents with fewer words are left out. Words are what white space
        separates, counted after the removal.

    remove : tuple or list, default=("names", "imports")
        May contain any subset of ("names", "imports"): what would give the package
        away.

        "names" removes the names of all `packages`, with other usual spellings, such
        as scikit-learn for sklearn, where it stands as a word or as a part of an
        identifier. "imports" removes lines that import something, from examples too.

    shuffle : bool, default=False
        Whether to shuffle the documents. Otherwise they come package by package, in
        the order of the source files and of their lines.

    random_state : int, RandomState instance or None, default=None
        Determines the order when `shuffle` is true. Pass an int for reproducible
        output across multiple function calls.

    return_X_y : bool, default=False
        If True, returns `(data.data, data.target)` instead of a Bunch object.

    Returns
    -------
    data : :class:`~sklearn.utils.Bunch`
        Dictionary-like object, with the following attributes.

        data : list of str
            The documents.
        target : ndarray of shape (n_samples,)
            The package of each document, as a position in `target_names`.
        target_names : list of str
            The names of the packages.
        names : list of str
            What each document is the docstring of, e.g. "scipy.stats._kde".
        DESCR : str
            The full description of the dataset.

    (data, target) : tuple if `return_X_y` is True
        The documents and their targets.

    Raises
    ------
    ImportError
        If a package is not installed.
    ValueError
        If a package has no Python source on disk, or no docstring that is left.

    See Also
    --------
    sklearn.datasets.fetch_20newsgroups : Newsgroup posts, by download.

    Examples
    --------
    >>> from skml.datasets import load_docstrings
    >>> docstrings = load_docstrings(("json", "email"))
    >>> docstrings.target_names
    ['json', 'email']
    >>> docstrings.names[0]
    'json'
    >>> print(docstrings.data[0])
    (JavaScript Object Notation) <https://org> is a subset of JavaScript syntax...
    """
    _check_packages(packages)
    _check_remove(remove)
    with _paused_collector():
        data, target, names = _collect(packages, min_words, remove)
    data, names, target = list(data), list(names), np.array(target, dtype=np.int64)
    if shuffle:
        order = make_random_state(random_state).permutation(len(data))
        data, names = [data[i] for i in order], [names[i] for i in order]
        target = target[order]
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        target=target,
        target_names=list(packages),
        names=names,
        DESCR=_describe(data, target, packages, min_words, remove),
    )
