"""Private names of other packages stand in `skml._compat` alone."""

import ast
import sys
from pathlib import Path

import skml

PACKAGE = Path(skml.__path__[0])


def is_private(name):
    return name.startswith("_") and not name.startswith("__")


def sources():
    return {p: ast.parse(p.read_text()) for p in sorted(PACKAGE.rglob("*.py"))}


def own_names(tree):
    """The private names that a source defines: functions, attributes, strings."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
                yield node.attr
        elif isinstance(node, ast.arg):
            yield node.arg


def foreign_names(tree, own):
    """The private names of other packages that a source uses, with their lines."""
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.ImportFrom) and not node.module.startswith("skml"):
            names = [*node.module.split("."), *(alias.name for alias in node.names)]
            if node.module.partition(".")[0] in sys.stdlib_module_names:
                names = []
        elif isinstance(node, ast.Import):
            packages = [alias.name for alias in node.names]
            names = [n for p in packages if p[:4] != "skml" for n in p.split(".")]
        elif isinstance(node, ast.Attribute) and node.attr not in own:
            names = [node.attr]
        for name in filter(is_private, names):
            yield f"{name}, line {node.lineno}"


# What scikit-learn documents for the authors of estimators.
OF_DEVELOPERS = {
    "_get_param_names",
    "_n_features_out",
    "_parameter_constraints",
    "_validate_params",
}
OF_PYTHON = {"_getframe"}  # documented, for CPython
# Named tuples have no other names of these; they are documented.
OF_TUPLES = {"_asdict", "_fields", "_replace"}


def test_private_names_of_others_stand_in_compat():
    trees = sources()
    own = {name for tree in trees.values() for name in own_names(tree)}
    own |= OF_DEVELOPERS | OF_PYTHON | OF_TUPLES
    found = {
        str(path.relative_to(PACKAGE)): names
        for path, tree in trees.items()
        if path.parent.name != "_compat" and (names := list(foreign_names(tree, own)))
    }
    assert found == {}


def test_the_check_sees_what_it_is_to_see():
    source = "from a._b import c\nimport d._e\nfrom os import _exit\nx._f = y._g\n"
    found = list(foreign_names(ast.parse(source), {"_g"}))
    assert found == ["_b, line 1", "_e, line 2", "_f, line 4"]
