"""Imports run one way, and importing the package loads nothing heavy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import skml

PACKAGE = Path(skml.__path__[0])
DOORS = {"_compat", "_fitting", "_folders", "_optional", "_random", "_typing", "_words"}
FACE = DOORS | {"_codec", "_estimator", "_progress", "_store"}
BASE = FACE | {"_validation"}
TABLES = BASE | {"_table"}
# What each part of the package may import of the others. Rooms stand side by side.
ALLOWED = {
    "__init__": set(),
    "_codec": {"_compat"},
    "_compat": set(),
    "_estimator": {"_store", "_typing"},
    "_fitting": set(),
    "_folders": set(),
    "_optional": set(),
    "_progress": {"_estimator"},
    "_random": set(),
    "_store": {"_codec", "_folders"},
    "_table": BASE,
    "_typing": set(),
    "_validation": DOORS,
    "_words": set(),
    "attention": TABLES,
    "datasets": BASE,
    "metrics": BASE,
    "model_selection": BASE,
    "tabular": TABLES,
    "text": TABLES,
    "utils": BASE,
    "neural": BASE | {"attention", "metrics", "tabular", "text"},
    "plotting": BASE | {"attention", "tabular", "text"},
}
HEAVY = {"lightgbm", "matplotlib", "pandas", "torch", "transformers", "xgboost"}


def part_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_names(source):
    """The dotted names that a Python source imports, relative ones with their dots."""
    names = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names]
    return names


def cimported_names(source):
    """The same of a Cython source, which the parser of Python cannot read."""
    found = re.findall(
        r"^\s*(?:from\s+(\S+)\s+c?import\s+(\w+)|c?import\s+(\S+))", source, re.M
    )
    return [plain or f"{module}.{name}" for module, name, plain in found]


def violations(part, names):
    """What is wrong with the imports of a part."""
    wrong = [f"{name}: write it absolutely" for name in names if name[0] == "."]
    for name in names:
        package, _, rest = name.partition(".")
        if package != "skml":
            continue
        target = rest.partition(".")[0] or "__init__"
        if target not in ALLOWED:
            # ``from skml import TfidfWeighter``: a name of the package itself.
            target = "__init__"
        if target != part and target not in ALLOWED[part]:
            wrong.append(f"{name}: {part} may not import {target}")
    return wrong


def test_imports_run_one_way():
    readers = {".py": imported_names, ".pyx": cimported_names}
    sources = [p for p in sorted(PACKAGE.rglob("*")) if p.suffix in readers]
    assert len(sources) > 10
    wrong = [
        f"{path.relative_to(PACKAGE)} imports {problem}"
        for path in sources
        for problem in violations(
            part_of(path), readers[path.suffix](path.read_text(encoding="utf-8"))
        )
    ]
    assert not wrong, "\n".join(wrong)


def test_every_part_has_its_place():
    parts = {part_of(path) for path in PACKAGE.rglob("*.py")}
    assert parts <= set(ALLOWED), "Give the new part a line in ALLOWED."


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("text", "from skml.datasets import load_docstrings"),
        ("text", "from skml import datasets"),
        ("text", "import skml"),
        ("text", "from skml import TfidfWeighter"),
        ("text", "from . import _analysis"),
        ("text", "def fit():\n    from skml.neural._text import pad"),
        ("datasets", "from skml.utils import estimator_checks"),
        ("utils", "import skml.text._tfidf"),
        ("_optional", "from skml._validation import is_missing"),
        ("_validation", "import skml.text"),
        ("_table", "from skml.tabular import GBDTRegressor"),
        ("attention", "from skml.tabular._missing_report import missing_value_report"),
        ("metrics", "from skml._table._reader import TableReader"),
    ],
)
def test_a_wrong_import_is_found(part, source):
    assert len(violations(part, imported_names(source))) == 1


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("text", "from skml.text._analysis import TextAnalysisMixin"),
        ("text", "from skml._compat.sklearn import Interval\nimport numpy.linalg"),
        ("neural", "from skml.text import TfidfWeighter"),
        ("_validation", "from skml._compat.sklearn import Interval"),
        ("_table", "from skml._validation import is_missing"),
        ("attention", "from skml._table._learner import BaseTableLearner"),
        ("tabular", "from skml._table._containers import as_dense"),
    ],
)
def test_a_right_import_passes(part, source):
    assert violations(part, imported_names(source)) == []


def test_cython_imports_are_read():
    source = "from skml.datasets cimport a\ncimport skml.tabular.b\nimport numpy as np"
    assert len(violations("text", cimported_names(source))) == 2


def loaded_by(statement):
    """The top-level modules that a fresh interpreter has loaded after a statement."""
    code = (
        f"import sys; {statement}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    )
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        check=True,
        capture_output=True,
        text=True,
    )
    return set(run.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    loaded = loaded_by("import skml")
    assert "skml" in loaded
    assert not loaded & HEAVY


def test_importing_every_public_name_needs_no_optional_package():
    loaded = loaded_by("from skml import *")
    assert "sklearn" in loaded
    assert not loaded & {"matplotlib", "torch", "transformers"}


# What takes a tenth of a second and more to load, and few uses need.
WEIGHTY = {"sklearn.cluster", "sklearn.ensemble", "sklearn.neighbors"}
OF_TEXT = ["EmbeddingTransformer", "FastTextClassifier", "PhraseTransformer"]
OF_TEXT += ["TfidfWeighter", "Word2VecTransformer"]
NETWORKS = ["Seq2SeqTranslator", "TransformerTranslator", "BertClassifier"]
NETWORKS += ["BertPretrainer", "BertQuestionAnswerer", "BertRegressor"]
NETWORKS += ["BertTransformer"]
OF_TABLES = ["LRClassifier", "LightGBMClassifier", "SVMClassifier", "SVMRegressor"]
OF_TABLES += ["XGBoostRegressor", "AttentionPoolingClassifier"]
FIRST_FITS = """
import sys
from tests.catalogue import case
for name in sys.argv[1:]:
    case(name).fit()
print(*sys.modules)
"""


@pytest.mark.parametrize(
    ("names", "unneeded"),
    [
        ([*OF_TEXT, *NETWORKS], {"sklearn.linear_model", "skml.metrics"}),
        (OF_TABLES, {"skml.text"}),
    ],
)
def test_a_first_fit_loads_nothing_that_only_others_need(names, unneeded):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FIRST_FITS, *names],
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = set(run.stdout.split())
    assert {"sklearn.base", "skml._estimator"} <= loaded
    assert not loaded & (WEIGHTY | unneeded)
