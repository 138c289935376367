"""Cross-validated scores on real tables: this package, and its peers prepared by hand.

Run it with ::

    python benchmarks/table_scores.py DATA_FOLDER [--data adult ames ...]
        [--only skml|peers] [--max-rows N] [--max-rows-svm N] [--save]

where DATA_FOLDER holds a folder a data set (see _tables.py for the files). The
estimators of this package have their defaults and get the DataFrame as it was read.
The peers have their defaults too, one thread, and the preparation that each needs:

- one-hot: median or most frequent value for what is missing, standard scores, one-hot
  codes (SVC, SVR, LogisticRegression, GradientBoosting; SVR's target is scaled too);
- ordinal: numbers for categories, named to the learner as such (HistGradientBoosting);
- category: text and codes become pandas categories, all known before the folds are
  made, and labels become numbers (XGBoost, LightGBM).

All are scored on the same five folds, shuffled with random_state=0. An exact SVM needs
minutes for a fold of 26 000 rows: --max-rows-svm says from how many rows of a fold SVMs
learn at most, and --max-rows from how many all others do; everyone is scored on the
whole of the rest. Prints a table in reStructuredText for each data set: means over
folds, their standard deviation behind "±", and the median seconds of a fit by the
clock, preparation included; only "category" is prepared before and outside of that.
"""

import argparse
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from typing import NamedTuple

import lightgbm
import numpy as np
from _arguments import existing_folder, positive
from _machine import describe, limit_blas
from _results import add_save, describe_file, save
from _tables import FILES, LOADERS
from lightgbm import LGBMClassifier, LGBMRegressor
from sklearn.base import BaseEstimator
from sklearn.compose import (
    TransformedTargetRegressor,
    make_column_selector,
    make_column_transformer,
)
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    LabelEncoder,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
)
from sklearn.svm import SVC, SVR
from xgboost import XGBClassifier, XGBRegressor

_DEFAULT_DATA = ["adult", "ames", "horse_colic", "mammographic_masses"]
_METRICS = {
    "binary": {"ROC AUC": "roc_auc", "accuracy": "accuracy"},
    "multiclass": {"accuracy": "accuracy"},
    "regression": {"R2": "r2", "RMSE": "neg_root_mean_squared_error"},
}
_NUMBERS = make_column_selector(dtype_include="number")
_CATEGORIES = make_column_selector(dtype_exclude="number")


class Entry(NamedTuple):
    """A row of the table."""

    name: str
    preparation: str
    estimator: BaseEstimator

    @property
    def is_svm(self):
        return self.name.startswith("SV")


def one_hot(estimator, X):
    """Impute, scale and encode, as linear models and SVMs need it."""
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    categories = make_pipeline(
        SimpleImputer(strategy="most_frequent"), OneHotEncoder(handle_unknown="ignore")
    )
    prepare = make_column_transformer(
        (numbers, _NUMBERS), (categories, _CATEGORIES), sparse_threshold=0
    )
    return make_pipeline(prepare, estimator)


def ordinal(estimator, X):
    """Number the categories, which come first then, and name them to the estimator."""
    encoder = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    prepare = make_column_transformer((encoder, _CATEGORIES), remainder="passthrough")
    named = estimator.set_params(categorical_features=range(len(_CATEGORIES(X))))
    return make_pipeline(prepare, named)


def category(estimator, X):
    """Leave the estimator: `as_categories` prepares the whole table beforehand."""
    return estimator


def as_categories(X, y, task):
    """Categories of text, as XGBoost wants them, and numbered labels."""
    X = X.astype(dict.fromkeys(_CATEGORIES(X), "category"))
    for name in _CATEGORIES(X):
        X[name] = X[name].cat.rename_categories(str)
    return X, LabelEncoder().fit_transform(y) if task == "classification" else y


def peers(task, X):
    is_regression = task == "regression"
    xgb = XGBRegressor if is_regression else XGBClassifier
    lgbm = LGBMRegressor if is_regression else LGBMClassifier
    histogram = (
        HistGradientBoostingRegressor
        if is_regression
        else HistGradientBoostingClassifier
    )
    exact = GradientBoostingRegressor if is_regression else GradientBoostingClassifier
    scaled_svr = TransformedTargetRegressor(SVR(), transformer=StandardScaler())
    svm = ("SVR", scaled_svr) if is_regression else ("SVC", SVC())
    chosen = [
        (category, xgb.__name__, xgb(n_jobs=1, enable_categorical=True)),
        (category, lgbm.__name__, lgbm(n_jobs=1, verbose=-1)),
        (ordinal, histogram.__name__, histogram(random_state=0)),
        (one_hot, exact.__name__, exact(random_state=0)),
        (one_hot, *svm),
    ]
    if not is_regression:
        chosen.append((one_hot, "LogisticRegression", LogisticRegression()))
    return [
        Entry(name, prepare.__name__.replace("_", "-"), prepare(estimator, X))
        for prepare, name, estimator in chosen
    ]


def ours(task):
    """The estimators of this package, which need no preparation."""
    tabular = import_module("skml.tabular")
    kind = "Regressor" if task == "regression" else "Classifier"
    names = [name + kind for name in ("XGBoost", "LightGBM", "GBDT", "SVM")]
    if task == "classification":
        names.append("LRClassifier")
    return [Entry(name, "none", getattr(tabular, name)()) for name in names]


def folds(X, y, task, max_rows):
    """Five times the rows to learn from, at most so many, and those to score."""
    splitter = KFold if task == "regression" else StratifiedKFold
    generator = np.random.default_rng(0)
    return [
        (generator.permutation(learn)[:max_rows], score)
        for learn, score in splitter(5, shuffle=True, random_state=0).split(X, y)
    ]


def metrics(task, y):
    if task == "classification":
        return _METRICS["binary" if y.nunique() == 2 else "multiclass"]
    return _METRICS[task]


def row(entry, X, y, task, max_rows):
    """A line of the table: the scores and the seconds of an estimator."""
    chosen = metrics(task, y)
    splits = folds(X, y, task, max_rows)
    if entry.preparation == "category":
        X, y = as_categories(X, y, task)
    result = cross_validate(entry.estimator, X, y, cv=splits, scoring=chosen)
    scores = [show(abs(result[f"test_{name}"])) for name in chosen]
    n_rows = len(splits[0][0])
    return [
        entry.name,
        entry.preparation,
        f"{n_rows:,}",
        *scores,
        f"{median(result['fit_time']):.2f}",
    ]


def show(scores):
    digits = 4 if scores.max() < 10 else 1 if scores.max() < 1000 else 0
    return f"{scores.mean():,.{digits}f} ± {scores.std():,.{digits}f}"


def rst(header, rows):
    """Format a simple table in reStructuredText; numbers are aligned to the right."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    rule = "  ".join("=" * width for width in widths)
    lines = [
        "  ".join(
            cell.ljust(width) if i < 2 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in (header, *rows)
    ]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def compare(name, arguments):
    """The title of a data set's table, its header and its rows."""
    X, y, task = LOADERS[name](arguments.data_folder)
    entries = [] if arguments.only == "peers" else ours(task)
    entries += [] if arguments.only == "skml" else peers(task, X)
    rows = []
    for entry in entries:
        max_rows = arguments.max_rows_svm if entry.is_svm else arguments.max_rows
        rows.append(row(entry, X, y, task, max_rows))
        print(" ".join(rows[-1]), file=sys.stderr, flush=True)
    missing = X.isna().to_numpy().mean()
    title = f"{name}: {len(X):,} x {X.shape[1]}, {missing:.1%} of the cells missing"
    header = ["estimator", "preparation", "learns from", *metrics(task, y), "fit, s"]
    print(f"\n{title}\n\n{rst(header, rows)}", flush=True)
    return title, (header, rows)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data_folder", type=existing_folder)
    parser.add_argument("--data", nargs="+", choices=LOADERS, default=_DEFAULT_DATA)
    parser.add_argument("--only", choices=["skml", "peers"])
    parser.add_argument("--max-rows", type=positive)
    parser.add_argument("--max-rows-svm", type=positive)
    add_save(parser)
    arguments = parser.parse_args()
    limit_blas()
    machine = {**describe("xgboost"), "lightgbm": lightgbm.__version__}
    print("Machine: " + ", ".join(f"{k} {v}" for k, v in machine.items()))
    tables = dict(compare(name, arguments) for name in arguments.data)
    if arguments.save:
        folder = arguments.data_folder
        paths = [Path(folder, file) for name in arguments.data for file in FILES[name]]
        data = [describe_file(path, folder) for path in paths]
        save("table_scores", machine, data, tables)


if __name__ == "__main__":
    main()
