"""Compare AttentionPoolingRegressor with its rivals on real tables.

Run it with ::

    python benchmarks/attention_scores.py FOLDER [--tables NAME ...] [--n-folds 5]

FOLDER holds the tables that `_tables.py` reads. Of each, root mean squared errors of
the first folds of five, and seconds of `fit`, one thread each; in the end mean ranks,
and errors over those of tuned LightGBM. What is tuned chooses by a tenth of the
training rows among twelve points, and is then fitted to all: LightGBM with early
stopping, nearest neighbours (k, and whether distances count), kernel ridge (width and
penalty; of no more than 5 000 rows, since it needs a matrix of rows by rows). Where a
rival cannot read tables, numbers are imputed and scaled, and categories are columns of
their own.
"""

import argparse
import warnings
from itertools import product
from time import perf_counter

import numpy as np
from _machine import describe, limit_blas
from _tables import LOADERS
from scipy.stats import rankdata
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.compose import make_column_selector as columns_of
from sklearn.datasets import load_diabetes
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.metrics import root_mean_squared_error
from sklearn.model_selection import KFold, ParameterGrid, train_test_split
from sklearn.neighbors import KNeighborsRegressor
from sklearn.neural_network import MLPRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from skml import AttentionPoolingRegressor, LightGBMRegressor

GRID = list(product((0.03, 0.1), (15, 31, 127), (5, 20)))
MOST_ROWS_OF_KERNEL = 5000


def fit_tuned(X, y):
    """LightGBM with the best of twelve points, fitted to all rows."""
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.1, random_state=0
    )
    models = [
        LightGBMRegressor(
            n_estimators=2000,
            learning_rate=rate,
            max_leaf_nodes=n_leaves,
            min_samples_leaf=n_least,
            early_stopping=True,
            n_iter_no_change=50,
            random_state=0,
        ).fit(X_train, y_train, X_val=X_val, y_val=y_val)
        for rate, n_leaves, n_least in GRID
    ]
    best = max(models, key=lambda model: model.validation_score_.max())
    best.set_params(n_estimators=best.n_iter_, early_stopping=False)
    return best.fit(X, y)


def fit_histograms(X, y):
    return HistGradientBoostingRegressor(
        categorical_features="from_dtype", random_state=0
    ).fit(X, y)


def with_columns(model):
    """A model that cannot read tables, and scaled targets, behind what can."""
    prepare = make_column_transformer(
        (
            make_pipeline(SimpleImputer(strategy="median"), StandardScaler()),
            columns_of(dtype_include=["number", "bool"]),
        ),
        (
            OneHotEncoder(handle_unknown="ignore", sparse_output=False),
            columns_of(dtype_include="category"),
        ),
    )
    return make_pipeline(
        prepare, TransformedTargetRegressor(model, transformer=StandardScaler())
    )


def choose(models, X, y):
    """The model that predicts a tenth of the rows best, fitted to all."""
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.1, random_state=0
    )
    errors = [
        root_mean_squared_error(y_val, model.fit(X_train, y_train).predict(X_val))
        for model in models
    ]
    return models[int(np.argmin(errors))].fit(X, y)


def fit_neighbours(X, y):
    grid = ParameterGrid(
        {"n_neighbors": [2, 4, 8, 16, 32, 64], "weights": ["uniform", "distance"]}
    )
    return choose([with_columns(KNeighborsRegressor(**p)) for p in grid], X, y)


def fit_kernel_ridge(X, y):
    some = np.random.default_rng(0).permutation(len(X))[:MOST_ROWS_OF_KERNEL]
    grid = ParameterGrid({"alpha": [0.01, 0.1, 1], "gamma": [0.003, 0.01, 0.03, 0.1]})
    models = [with_columns(KernelRidge(kernel="rbf", **p)) for p in grid]
    return choose(models, X.iloc[some], y[some])


def fit_network(X, y):
    return with_columns(MLPRegressor(random_state=0)).fit(X, y)


COMPETITORS = {
    "attention": lambda X, y: AttentionPoolingRegressor(random_state=0).fit(X, y),
    "LightGBM": lambda X, y: LightGBMRegressor(random_state=0).fit(X, y),
    "LightGBM, tuned": fit_tuned,
    "HistGradientBoosting": fit_histograms,
    "nearest neighbours": fit_neighbours,
    "kernel ridge": fit_kernel_ridge,
    "MLP": fit_network,
}


def diabetes(folder):
    """Progress of diabetes, which scikit-learn brings."""
    X, y = load_diabetes(return_X_y=True, as_frame=True)
    return X, y, "regression"


TABLES = {
    name: loader
    for name, loader in {**LOADERS, "diabetes": diabetes}.items()
    if name
    in {
        *("california_housing", "bike_sharing", "diamonds"),
        *("winequality", "ames", "diabetes"),
    }
}


def as_categories(X):
    """Strings as categories, which HistGradientBoosting wants."""
    strings = X.select_dtypes(exclude=["number", "bool", "category"]).columns
    return X.astype(dict.fromkeys(strings, "category"))


def compare(X, y, n_folds):
    """Errors and seconds of each competitor, means over folds."""
    found = {name: [] for name in COMPETITORS}
    folds = list(KFold(5, shuffle=True, random_state=0).split(X))[:n_folds]
    for train, test in folds:
        for name, fit in COMPETITORS.items():
            start = perf_counter()
            model = fit(X.iloc[train], y[train])
            seconds = perf_counter() - start
            error = root_mean_squared_error(y[test], model.predict(X.iloc[test]))
            found[name].append((error, seconds))
    return {name: np.mean(values, axis=0) for name, values in found.items()}


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--n-folds", type=int, default=5)
    arguments = parser.parse_args()
    print(describe("lightgbm"))
    print("| table | rows | " + " | ".join(COMPETITORS) + " |")
    print("|---|---|" + "---|" * len(COMPETITORS))
    limit_blas()
    warnings.filterwarnings("ignore", message=".*(iterations|missing values in fit)")
    warnings.filterwarnings("ignore", message="Found unknown categories")
    ranks, ratios = [], []
    for name in arguments.tables:
        X, y, _ = TABLES[name](arguments.folder)
        X, y = as_categories(X), np.asarray(y, dtype=np.float64)
        results = compare(X, y, arguments.n_folds)
        cells = [f"{error:.4g} ({s:.1f} s)" for error, s in results.values()]
        print(f"| {name} | {len(X)} | " + " | ".join(cells) + " |", flush=True)
        errors = np.array([error for error, _ in results.values()])
        ranks.append(rankdata(errors))
        ratios.append(errors / results["LightGBM, tuned"][0])
    for label, figures in (("mean rank", ranks), ("mean ratio", ratios)):
        cells = [f"{value:.3f}" for value in np.mean(figures, axis=0)]
        print(f"| {label} | | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
