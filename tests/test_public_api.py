"""The public surface: every name is there, is documented, and documented truly."""

import ast
import pkgutil
import re
from importlib import import_module
from importlib.metadata import version
from inspect import isclass, isfunction, ismethod, signature, unwrap
from pathlib import Path
from pkgutil import resolve_name
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from numpydoc.docscrape import NumpyDocString
from numpydoc.validate import validate
from sklearn.base import BaseEstimator

import skml

ROOT = Path(__file__).parents[1]
ROOMS = [
    room.name
    for room in pkgutil.iter_modules(skml.__path__)
    if room.ispkg and not room.name.startswith("_")
]
# Where public names live: the rooms, and the modules in `utils` and `neural`.
PUBLIC_MODULES = [
    *(f"skml.{room}" for room in ROOMS if room != "utils"),
    "skml.neural.modules",
    "skml.utils.estimator_checks",
]
PUBLIC_NAMES = [
    f"{module}.{name}"
    for module in PUBLIC_MODULES
    for name in import_module(module).__all__
]
# Findings of numpydoc that do not count here; the letters are its own.
NOT_ASKED_FOR = {
    "GL01",  # a summary on the line of the opening quotes, as in scikit-learn
    "GL02",  # closing quotes on the line of a one-line docstring
    "ES01",  # an extended summary
    "RT02",  # a name before the type of what is returned, as in scikit-learn
    "SA01",  # a section See Also
    "SS06",  # a summary of more than one line
}
NOT_ASKED_OF_METHODS = {"EX01"}  # the example of the class shows them


def load(path):
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def public_methods(path):
    """The methods that a class has from this package, its bases included."""
    return [
        f"{path}.{name}"
        for name in dir(load(path))
        if not name.startswith("_")
        and (isfunction(member := getattr(load(path), name)) or ismethod(member))
        and member.__module__.startswith("skml.")
    ]


def callable_by_name(path):
    return isclass(load(path)) or isfunction(load(path))


CLASSES = [path for path in PUBLIC_NAMES if isclass(load(path))]
ESTIMATORS = [path for path in CLASSES if issubclass(load(path), BaseEstimator)]
METHODS = [method for path in CLASSES for method in public_methods(path)]
# An object, such as a scorer, has the docstring of its class.
DOCUMENTED = [path for path in PUBLIC_NAMES if callable_by_name(path)] + METHODS


def resolve(path):
    """The object at a dotted path, which may be a method."""
    return load(path) if path in PUBLIC_NAMES else getattr(*_class_and_name(path))


def _class_and_name(path):
    owner, _, name = path.rpartition(".")
    return load(owner), name


def parameters_of(path):
    """The parameters of a function, of a method or of a class, without self."""
    parameters = dict(signature(resolve(path)).parameters)
    parameters.pop("self", None)
    return parameters


def documented(path):
    """The entries of the section Parameters, by name."""
    docstring = NumpyDocString(resolve(path).__doc__)
    return {entry.name.lstrip("*"): entry for entry in docstring["Parameters"]}


def test_version_is_that_of_the_installed_package():
    assert skml.__version__ == version("skml")


@pytest.mark.parametrize(
    ("file", "line"),
    [("CITATION.cff", "version: {}\n"), ("recipe/meta.yaml", 'set version = "{}"')],
)
def test_version_is_that_of_files_that_cannot_read_it(file, line):
    assert line.format(skml.__version__) in (ROOT / file).read_text()


def test_all_names_can_be_imported():
    namespace = {}
    exec("from skml import *", namespace)
    assert set(skml.__all__) <= set(namespace)
    assert len(set(skml.__all__)) == len(skml.__all__)
    assert dir(skml) == sorted(skml.__all__)


def test_top_level_names_are_those_of_the_rooms():
    of_rooms = {path.rpartition(".")[2]: load(path) for path in PUBLIC_NAMES}
    top = set(skml.__all__) - {"__version__", *ROOMS}
    assert top
    assert all(getattr(skml, name) is of_rooms[name] for name in top)


def test_every_room_is_listed():
    assert set(ROOMS) <= set(skml.__all__)


def test_every_public_class_is_at_the_top():
    of_rooms = [path for path in CLASSES if not path.startswith("skml.neural.modules")]
    assert {path.rpartition(".")[2] for path in of_rooms} <= set(skml.__all__)


def test_every_estimator_is_public():
    """An estimator with a public name, wherever it is defined, is in __all__."""
    estimators = {
        value.__name__
        for module in pkgutil.walk_packages(skml.__path__, "skml.")
        for value in vars(import_module(module.name)).values()
        if isclass(value)
        and issubclass(value, BaseEstimator)
        and value.__module__ == module.name
        and not value.__name__.startswith(("_", "Base"))
    }
    assert {"TfidfWeighter", "Word2VecTransformer"} <= estimators
    assert estimators <= set(skml.__all__)


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'skml' has no attribute 'Word3Vec'"):
        skml.Word3Vec  # noqa: B018


@pytest.mark.parametrize("path", DOCUMENTED)
def test_docstring_is_valid(path):
    ignored = NOT_ASKED_FOR | (NOT_ASKED_OF_METHODS if path in METHODS else set())
    findings = [e for e in validate(path)["errors"] if e[0] not in ignored]
    assert findings == []


@pytest.mark.parametrize("path", DOCUMENTED)
def test_docstring_names_the_parameters(path):
    assert list(documented(path)) == list(parameters_of(path))


# A tooltip shows the description of one entry, without those above it.
REFERS_TO_ANOTHER = r"(That|Those|This|The same) (of|figures|vectors|columns)|Their|Its"


@pytest.mark.parametrize("path", DOCUMENTED)
def test_each_description_stands_alone(path):
    docstring = NumpyDocString(resolve(path).__doc__)
    for section in ("Parameters", "Attributes", "Returns"):
        for entry in docstring[section]:
            text = " ".join(entry.desc)
            assert not re.match(REFERS_TO_ANOTHER, text), f"{entry.name}: {text}"


@pytest.mark.parametrize("path", DOCUMENTED)
def test_docstring_defaults_are_those_of_the_code(path):
    entries = documented(path)
    for name, parameter in parameters_of(path).items():
        kind, _, default = entries[name].type.partition("default=")
        if kind == "None":  # y, which is there for the convention alone
            assert parameter.default is None
        elif parameter.default is parameter.empty:
            assert not default, f"{name} has no default"
        else:
            assert default, f"the default of {name} is {parameter.default!r}"
            # A docstring is reStructuredText, where a backslash is written twice.
            default = default.replace(r"\\", "\\")
            documented_default = eval(default, {"np": np})
            same = documented_default is parameter.default  # as NaN is
            assert same or documented_default == parameter.default, name


def constructor_of(cls):
    """The syntax tree of __init__."""
    source = Path(import_module(cls.__module__).__file__).read_text(encoding="utf-8")
    body = next(
        node.body
        for node in ast.parse(source).body
        if isinstance(node, ast.ClassDef) and node.name == cls.__name__
    )
    return next(node for node in body if getattr(node, "name", None) == "__init__")


# They inherit those of scikit-learn's searches.
WITHOUT_CONSTRUCTOR = {"StagedGridSearchCV", "StagedRandomizedSearchCV"}


@pytest.mark.parametrize(
    "path",
    [p for p in ESTIMATORS if p.rpartition(".")[2] not in WITHOUT_CONSTRUCTOR],
)
def test_constructor_does_nothing_but_store(path):
    init = constructor_of(load(path))
    stored = [ast.unparse(statement) for statement in init.body]
    assert stored == [f"self.{name} = {name}" for name in parameters_of(path)]


def fits(value, hint):
    """Whether a default is of the type that its parameter is declared to have."""
    if get_origin(hint) is Literal:
        return value in get_args(hint)
    if get_origin(hint) in (Union, UnionType):
        return any(fits(value, each) for each in get_args(hint))
    if hint is float:
        return isinstance(value, (int, float))
    return hint is Any or isinstance(value, get_origin(hint) or hint)


def function_at(path):
    """The function at a path without its decorators; the constructor of a class."""
    found = resolve(path)
    return unwrap(found.__init__ if isclass(found) else found)


@pytest.mark.parametrize(
    "path", [p for p in DOCUMENTED if function_at(p).__module__.startswith("skml.")]
)
def test_parameters_have_types_that_the_defaults_fit(path):
    parameters = parameters_of(path)
    hints = get_type_hints(function_at(path))
    named = {n for n, p in parameters.items() if p.kind is not p.VAR_KEYWORD}
    assert named <= set(hints)
    defaults = {n: p.default for n, p in parameters.items() if p.default is not p.empty}
    assert [n for n, value in defaults.items() if not fits(value, hints[n])] == []


def test_type_checkers_see_the_public_names():
    # Of the installed package: a wheel has to hold it.
    source = Path(skml.__path__[0], "__init__.pyi").read_text(encoding="utf-8")
    (*imports, version_) = ast.parse(source).body[1:]
    names = [
        (f"{node.module}.{a.name}", a.asname) for node in imports for a in node.names
    ]
    assert sorted(name for _, name in names) == sorted(
        set(skml.__all__) - {"__version__"}
    )
    assert all(resolve_name(path) is getattr(skml, name) for path, name in names)
    assert version_.target.id == "__version__"


def test_every_name_is_in_the_list_of_names():
    text = (ROOT / "docs" / "api.rst").read_text(encoding="utf-8")
    listed, module = [], None
    for line in text.splitlines():
        if match := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = match[1]
        elif match := re.match(r"   (\w+)$", line):
            listed.append(f"{module}.{match[1]}")
    assert sorted(listed) == sorted(PUBLIC_NAMES)


def test_every_name_is_in_the_user_guide_or_the_gallery():
    pages = [
        *ROOT.glob("docs/user_guide/**/*.rst"),
        *ROOT.glob("examples/**/plot_*.py"),
    ]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    words = set(re.findall(r"\w+", text))
    assert [path for path in PUBLIC_NAMES if path.rpartition(".")[2] not in words] == []


def test_the_readme_example_runs(capsys, monkeypatch):
    """With two packages that are smaller than those of the example."""

    def load_docstrings(*, packages):
        assert len(packages) == 2
        return skml.datasets.load_docstrings(packages=("email", "asyncio"))

    monkeypatch.setattr(skml, "load_docstrings", load_docstrings)
    (code,) = re.findall(
        r"^```python\n(.*?)^```",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.M | re.S,
    )
    exec(code, {})
    accuracy = re.fullmatch(r"accuracy (0\.\d+)\n", capsys.readouterr().out)
    assert accuracy
    assert float(accuracy[1]) > 0.7
