"""What the first use of each family costs, above the import of the libraries it needs.

Run it with ::

    python benchmarks/first_use.py [--only "TF-IDF" ...] [--rounds 5] [--loaded]

A fresh process for each family takes three steps: it imports the libraries that the
family needs; it imports this package, fits an estimator to a few rows or texts, and has
it predict; and it does so with another estimator, which says what the fit itself takes.
Printed are the CPU seconds of each step, the median of the rounds. A round that is not
counted comes first, so that Python has compiled all sources. One thread each.

The libraries that a family needs are the public names that it would take to do the same
without this package, such as ``from sklearn.svm import SVC`` for support vector
machines, and NumPy, SciPy's sparse matrices and ``sklearn.base`` where there is no such
estimator. Their step ends with a garbage collection: one over all objects of PyTorch
takes .13 s, and would otherwise fall on whatever runs next. Everything else that the
first use loads is part of its cost; --loaded lists it: what is new in ``sys.modules``,
without this package and the standard library.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from textwrap import indent
from typing import NamedTuple

from _arguments import positive
from _machine import describe
from _word2vec_report import markdown

STEPS = [f"{step}, CPU s" for step in ("libraries", "first use", "second")]
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {
    **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")},
    "MPLBACKEND": "agg",
    "PYTHONDONTWRITEBYTECODE": "",  # which some machines set
}


class Family(NamedTuple):
    """Code of the first two steps."""

    libraries: str
    use: str


SCRIPT = """
import gc
import sys
from time import process_time
texts = ["the cat sleeps on the mat", "a dog runs in the park", "who is it"] * 20
tokens = [text.split() for text in texts]
rows = [[float(i % 7), float(i % 5), float(i % 3)] for i in range(120)]
numbers, classes = [sum(row) for row in rows], [int(row[0] > 3) for row in rows]
moments = [process_time()]
{libraries}
gc.collect()
moments.append(process_time())
before = set(sys.modules)
for _ in range(2):
{use}
    moments.append(process_time())
print(*moments)
print(*(set(sys.modules) - before))
"""
SKLEARN = "import numpy, scipy.sparse; from sklearn.base import BaseEstimator\n"
TORCH = SKLEARN + "import torch\n"
TRANSFORMERS = TORCH + "from transformers import AutoTokenizer, {}\n"
MATPLOTLIB = SKLEARN + "import matplotlib.pyplot\n"
ATTENTION = "max_iter=2, n_estimators=1"
TRANSLATOR = (
    "max_iter=1, warmup_steps=2, vocabulary_size=300, device='cpu', batch_size=512"
)
BERT = "sys.argv[1], max_iter=1, batch_size=16, device='cpu', random_state=0"


def on_table(name, parameters=""):
    """Code that fits an estimator to a table."""
    y = "classes" if name.endswith("Classifier") else "numbers"
    return f"import skml; skml.{name}({parameters}).fit(rows, {y}).predict(rows)"


FAMILIES = {
    "import skml": Family("", "import skml"),
    "word vectors": Family(
        SKLEARN,
        "import skml; model = skml.Word2VecTransformer(min_count=1)\n"
        "model.fit(texts).transform(texts)",
    ),
    "TF-IDF": Family(
        "from sklearn.feature_extraction.text import TfidfVectorizer",
        "import skml; skml.TfidfWeighter().fit(texts).transform(texts)",
    ),
    "FastTextClassifier": Family(
        SKLEARN,
        "import skml; y = classes[:60]\n"
        "skml.FastTextClassifier().fit(texts, y).predict(texts)",
    ),
    "phrases": Family(
        SKLEARN,
        "import skml; skml.PhraseTransformer().fit(texts).transform(texts)",
    ),
    "attention pooling, regression": Family(
        SKLEARN + "import scipy.optimize; from sklearn.linear_model import RidgeCV",
        on_table("AttentionPoolingRegressor", ATTENTION),
    ),
    "attention pooling, classes": Family(
        SKLEARN + "import scipy.optimize; from sklearn.linear_model import RidgeCV",
        on_table("AttentionPoolingClassifier", ATTENTION),
    ),
    "XGBoost": Family(
        "from xgboost import XGBClassifier",
        on_table("XGBoostClassifier", "n_estimators=5"),
    ),
    "LightGBM": Family(
        "from lightgbm import LGBMClassifier",
        on_table("LightGBMClassifier", "n_estimators=5"),
    ),
    "HistGradientBoosting": Family(
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        on_table("GBDTClassifier", "n_estimators=5"),
    ),
    "GradientBoosting": Family(
        "from sklearn.ensemble import GradientBoostingClassifier",
        on_table("GBDTClassifier", "n_estimators=5, method='exact'"),
    ),
    "SVM": Family("from sklearn.svm import SVC", on_table("SVMClassifier")),
    "logistic regression": Family(
        "from sklearn.linear_model import LogisticRegression", on_table("LRClassifier")
    ),
    "staged search": Family(
        "from sklearn.model_selection import GridSearchCV\n"
        "from sklearn.ensemble import HistGradientBoostingClassifier",
        "import skml; search = skml.StagedGridSearchCV(\n"
        "    skml.GBDTClassifier(), {'n_estimators': [2, 4]}, cv=2\n"
        ")\n"
        "search.fit(rows, classes).predict(rows)",
    ),
    "BLEU": Family(SKLEARN, "import skml; skml.bleu_score(texts, texts)"),
    "entities": Family(
        SKLEARN,
        "import skml; tags = [['B-A'] * len(words) for words in tokens]\n"
        "skml.entity_f1_score(tags, tags)",
    ),
    "translation, GRU": Family(
        TORCH,
        f"import skml; model = skml.Seq2SeqTranslator({TRANSLATOR}, hidden_size=16)\n"
        "model.fit(texts, texts).predict(texts[:1])",
    ),
    "translation, Transformer": Family(
        TORCH,
        f"import skml; model = skml.TransformerTranslator({TRANSLATOR}, model_size=16,"
        "n_heads=2, n_layers=1)\n"
        "model.fit(texts, texts).predict(texts[:1])",
    ),
    "BERT, classes": Family(
        TRANSFORMERS.format("BertForSequenceClassification"),
        "import skml; y = classes[:60]\n"
        f"skml.BertClassifier({BERT}).fit(texts, y).predict(texts[:1])",
    ),
    "BERT, vectors": Family(
        TRANSFORMERS.format("BertModel"),
        "import skml\n"
        "skml.BertTransformer(sys.argv[1], device='cpu').fit(texts).transform(texts)",
    ),
    "BERT, answers": Family(
        TRANSFORMERS.format("BertForQuestionAnswering"),
        "import skml; pairs = [('who is it?', text) for text in texts]\n"
        "answers = [words[-1] for words in tokens]\n"
        f"model = skml.BertQuestionAnswerer({BERT}, max_question_length=16)\n"
        "model.fit(pairs, answers).predict(pairs[:1])",
    ),
    "plot of words": Family(
        MATPLOTLIB + "from sklearn.decomposition import PCA",
        "import skml; words = [f'word{i}' for i in range(len(rows))]\n"
        "vectors = skml.WordVectors(rows, words)\n"
        "skml.WordVectorsDisplay.from_estimator(vectors)",
    ),
    "plot of missing values": Family(
        MATPLOTLIB + "from sklearn.linear_model import LogisticRegression",
        "import skml; gaps = [[row[0], row[1] or float('nan')] for row in rows]\n"
        "model = skml.LRClassifier().fit(gaps, classes)\n"
        "skml.MissingValuesDisplay.from_estimator(model)",
    ),
}
MODEL = """
import shutil
import sys
from tests.neural.bert.models import tiny_model
shutil.copytree(tiny_model(), sys.argv[1])
"""


def run(code, folder):
    """Run code in a fresh process; what it prints, line by line."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, folder],
        env={**os.environ, **ENVIRONMENT},
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.stdout.splitlines()


def measure(family, folder):
    """CPU seconds of the three steps, and the modules that the second loads."""
    code = SCRIPT.format(libraries=family.libraries, use=indent(family.use, "    "))
    *_, moments, modules = run(code, folder)
    a, b, c, d = map(float, moments.split())
    return (b - a, c - b, d - c), modules.split()


def third_party(modules):
    """The packages that modules are of, and how many are of each.

    Of scikit-learn and SciPy the subpackages, since programs import these.
    """
    counts = {}
    for name in modules:
        package, *rest = name.split(".")
        if package in {"skml", *sys.stdlib_module_names} or package.startswith("_"):
            continue
        if package in {"scipy", "sklearn"} and rest:
            package = f"{package}.{rest[0]}"
        counts[package] = counts.get(package, 0) + 1
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items()))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=FAMILIES, default=list(FAMILIES))
    parser.add_argument("--rounds", type=positive, default=5)
    parser.add_argument("--loaded", action="store_true")
    arguments = parser.parse_args()
    machine = describe("xgboost", "lightgbm", "torch", "transformers", "matplotlib")
    print(", ".join(f"{key} {value}" for key, value in machine.items()), "\n")
    print(markdown(["family", *STEPS] + ["loaded"] * arguments.loaded, []))
    with TemporaryDirectory() as folder:
        model = f"{folder}/model"
        run(MODEL, model)
        for name in arguments.only:
            measure(FAMILIES[name], model)
            rounds = [measure(FAMILIES[name], model) for _ in range(arguments.rounds)]
            steps = zip(*(seconds for seconds, _ in rounds), strict=True)
            cells = [name, *(f"{median(step):.2f}" for step in steps)]
            cells += [third_party(rounds[0][1])] * arguments.loaded
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
