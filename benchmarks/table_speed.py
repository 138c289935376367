"""What the boosters of this package cost beside the libraries they call.

Run it with ::

    python benchmarks/table_speed.py [--rows 100000] [--columns 50] [--rounds 7]
        [--trees 100] [--only xgboost lightgbm gbdt] [--control] [--save]

Both learn the same made table, a tenth of it missing, in one thread, with equal
parameters and in turn, the order changing from round to round, after a round that is
not counted. "Native" is `xgboost.train` on a QuantileDMatrix and `inplace_predict`,
`lightgbm.train` on a Dataset and `predict`, and scikit-learn's
HistGradientBoostingClassifier. The ratio is our CPU seconds over theirs, round by
round: the median, the least and the greatest; "of the least" is the ratio of the
quickest rounds, which other processes disturb less. "by share" is what one of our runs
took over what of it was spent in the library's own methods: it sees what is added
around the library, exactly, but not if the library itself is made to work more or less.
A prediction is the mean of five.
The probabilities of the warm-up are compared bit by bit. With --control the library
runs against itself instead, which says how far from 1 noise alone gets.

The second table times `predict` and `predict_proba` of a single row, an array and a
DataFrame, beside the library's own scikit-learn wrapper: the median of calls by the
clock, in microseconds, in blocks that take turns. These models learn from the first
10 000 rows.
"""

import argparse
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter_ns
from typing import NamedTuple

import lightgbm
import numpy as np
import pandas as pd
import xgboost
from _arguments import positive
from _inside import Inside
from _machine import describe, limit_blas, now, since
from _made_table import make_table
from _results import add_save, save
from _word2vec_report import markdown
from sklearn.ensemble import HistGradientBoostingClassifier

_PREDICTIONS = 5
_LEARNING_RATE, _LEAVES, _LEAF_ROWS, _L2, _BINS = 0.1, 31, 20, 1.0, 255


class XGBoost:
    """xgboost's own functions, and its wrapper."""

    methods = (
        (xgboost.DMatrix, "__init__"),
        (xgboost.QuantileDMatrix, "__init__"),
        *((xgboost.Booster, name) for name in ("__init__", "update")),
        *((xgboost.Booster, name) for name in ("predict", "inplace_predict")),
    )

    def __init__(self, n_trees):
        self.n_trees = n_trees
        self.params = {
            "objective": "binary:logistic",
            "tree_method": "hist",
            "grow_policy": "lossguide",
            "eta": _LEARNING_RATE,
            "max_leaves": _LEAVES,
            "max_depth": 0,
            "reg_lambda": _L2,
            "max_bin": _BINS,
        }

    def fit(self, X, y):
        data = xgboost.QuantileDMatrix(X, y, max_bin=_BINS, nthread=1)
        # In second derivatives, of which a row has p (1 - p) before the first tree.
        leaf = _LEAF_ROWS * np.mean(y) * (1 - np.mean(y))
        params = {**self.params, "min_child_weight": leaf, "nthread": 1, "seed": 0}
        return xgboost.train(params, data, num_boost_round=self.n_trees)

    def predict(self, model, X):
        return model.inplace_predict(X)

    def wrapper(self):
        return xgboost.XGBClassifier(
            n_estimators=self.n_trees, n_jobs=1, random_state=0, **self.params
        )


class LightGBM:
    """LightGBM's own functions, and its wrapper."""

    methods = (
        (lightgbm.Dataset, "construct"),
        *((lightgbm.Booster, name) for name in ("__init__", "update", "predict")),
    )

    def __init__(self, n_trees):
        self.n_trees = n_trees
        self.params = {
            "objective": "binary",
            "learning_rate": _LEARNING_RATE,
            "num_leaves": _LEAVES,
            "max_depth": -1,
            "min_data_in_leaf": _LEAF_ROWS,
            "lambda_l2": _L2,
            "max_bin": _BINS,
            # Else it times two ways of counting, and takes either.
            "deterministic": True,
            "force_col_wise": True,
            "verbose": -1,
        }

    def fit(self, X, y):
        params = {**self.params, "num_threads": 1, "seed": 0}
        return lightgbm.train(params, lightgbm.Dataset(X, y), self.n_trees)

    def predict(self, model, X):
        return model.predict(X, num_threads=1)

    def wrapper(self):
        return lightgbm.LGBMClassifier(
            n_estimators=self.n_trees, n_jobs=1, random_state=0, **self.params
        )


class GBDT:
    """scikit-learn's histogram boosting, which is its own wrapper."""

    methods = tuple(
        (HistGradientBoostingClassifier, name)
        for name in ("fit", "predict_proba", "_raw_predict", "_predict_iterations")
    )

    def __init__(self, n_trees):
        self.n_trees = n_trees

    def fit(self, X, y):
        return self.wrapper().fit(X, y)

    def predict(self, model, X):
        return model.predict_proba(X)[:, 1]

    def wrapper(self):
        return HistGradientBoostingClassifier(
            learning_rate=_LEARNING_RATE,
            max_iter=self.n_trees,
            max_leaf_nodes=_LEAVES,
            min_samples_leaf=_LEAF_ROWS,
            l2_regularization=_L2,
            max_bins=_BINS,
            early_stopping=False,
            random_state=0,
        )


class Ours:
    """The estimator of this package with the same parameters."""

    def __init__(self, native):
        self.name = type(native).__name__
        self.methods = native.methods
        self.n_trees = native.n_trees

    def estimator(self):
        return getattr(import_module("skml.tabular"), f"{self.name}Classifier")(
            n_estimators=self.n_trees,
            learning_rate=_LEARNING_RATE,
            max_leaf_nodes=_LEAVES,
            max_depth=None,
            min_samples_leaf=_LEAF_ROWS,
            l2_regularization=_L2,
            max_bins=_BINS,
            early_stopping=False,
            random_state=0,
        )

    def fit(self, X, y):
        return self.estimator().fit(X, y)

    def predict(self, model, X):
        return model.predict_proba(X)[:, 1]


class Step(NamedTuple):
    """What a fit or a prediction took."""

    cpu: float
    by_share: float  # all of it over what was spent in the library
    others: float


class Round(NamedTuple):
    """What one fit and one prediction took, and what came of it."""

    fit: Step
    predict: Step
    probabilities: np.ndarray


NATIVE = {"xgboost": XGBoost, "lightgbm": LightGBM, "gbdt": GBDT}


def timed(call, methods, n_calls=1):
    """Call, and say what one call took."""
    with Inside(methods) as inside:
        moment = now()
        for _ in range(n_calls):
            result = call()
        spent = since(moment)
    share = spent.cpu / inside.seconds if inside.seconds else float("nan")
    return result, Step(spent.cpu / n_calls, share, spent.others_per_second)


def measure(side, X, y):
    model, fit = timed(lambda: side.fit(X, y), side.methods)
    probabilities, predict = timed(
        lambda: side.predict(model, X), side.methods, _PREDICTIONS
    )
    return Round(fit, predict, probabilities)


def in_turn(sides, X, y, n_rounds):
    """Rounds of both sides, the order changing each time; the first is a warm-up."""
    rounds = []
    for index in range(n_rounds + 1):
        order = sides if index % 2 else sides[::-1]
        done = {id(side): measure(side, X, y) for side in order}
        rounds.append([done[id(side)] for side in sides])
    return rounds


def difference(first, second):
    """Say whether two predictions are equal, bit by bit, as float64."""
    first, second = (np.asarray(values, dtype=np.float64) for values in (first, second))
    if np.array_equal(first, second):
        return "none"
    return f"{abs(first - second).max():.1e}"


def speed_row(name, rounds):
    counted = rounds[1:]
    cells = [name]
    for step in ("fit", "predict"):
        ours, native = (
            [getattr(pair[side], step) for pair in counted] for side in (0, 1)
        )
        cells += ratio_cells(ours, native)
    cells.append(difference(*(side.probabilities for side in rounds[0])))
    others = max(max(a.fit.others, a.predict.others) for pair in counted for a in pair)
    return [*cells, f"{others:.2f}"]


def ratio_cells(ours, native):
    """Seconds of both, and three views of their ratio."""
    ratios = [a.cpu / b.cpu for a, b in zip(ours, native, strict=True)]
    of_least = min(step.cpu for step in ours) / min(step.cpu for step in native)
    return [
        *(f"{median(step.cpu for step in steps):.3f}" for steps in (ours, native)),
        f"**{median(ratios):.3f}** ({min(ratios):.3f} to {max(ratios):.3f})",
        f"{of_least:.3f}",
        f"{median(step.by_share for step in ours):.3f}",
    ]


def call_times(calls, n_blocks=50, block=20):
    """Microseconds of each call: the medians over blocks that take turns."""
    times = [[] for _ in calls]
    for index in range(n_blocks + 1):
        order = list(zip(calls, times, strict=True))
        for call, found in order if index % 2 else order[::-1]:
            for _ in range(block):
                start = perf_counter_ns()
                call()
                found.append((perf_counter_ns() - start) / 1000)
            if index == 0:
                found.clear()  # a warm-up
    return [median(found) for found in times]


def one_row_rows(name, native, ours, X, y):
    """Yield a line for each kind of input and each method."""
    wrapper = native.wrapper()
    frame = pd.DataFrame(X, columns=[f"column_{i}" for i in range(X.shape[1])])
    for kind, table in {"array": X, "DataFrame": frame}.items():
        models = [ours.fit(table, y), wrapper.fit(table, y)]
        row = table[:1]
        for method in ("predict", "predict_proba"):
            calls = [partial(getattr(model, method), row) for model in models]
            mine, theirs = call_times(calls)
            cells = [f"{mine:.0f}", f"{theirs:.0f}", f"**{mine / theirs:.2f}**"]
            yield [name, f"{method}, {kind}", *cells]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=positive, default=100_000)
    parser.add_argument("--columns", type=positive, default=50)
    parser.add_argument("--rounds", type=positive, default=7)
    parser.add_argument("--trees", type=positive, default=100)
    parser.add_argument("--only", nargs="+", choices=NATIVE, default=list(NATIVE))
    parser.add_argument("--control", action="store_true")
    add_save(parser)
    arguments = parser.parse_args()
    limit_blas()
    machine = {**describe("xgboost"), "lightgbm": lightgbm.__version__}
    for title, entries in {"Machine": machine, "Arguments": vars(arguments)}.items():
        print(f"{title}: " + ", ".join(f"{k} {v}" for k, v in entries.items()))
    X, y = make_table(arguments.rows, max(arguments.columns, 5))
    speed, one_row = [], []
    for name in arguments.only:
        native = NATIVE[name](arguments.trees)
        if arguments.control:
            ours = NATIVE[name](arguments.trees)
        else:
            ours = Ours(native)
            few = X[:10_000], y[:10_000]
            one_row += one_row_rows(name, native, ours.estimator(), *few)
        speed.append(speed_row(name, in_turn([ours, native], X, y, arguments.rounds)))
    columns = ["skml, s", "native, s", "x CPU", "of the least", "by share"]
    header = [f"{step}: {columns[0]}" for step in ("fit", "predict")]
    header = ["library", header[0], *columns[1:], header[1], *columns[1:]]
    size = f"{arguments.rows} rows, {arguments.columns} columns"
    tables = {
        f"{size}, {arguments.trees} trees, one thread": (
            [*header, "difference", "others"],
            speed,
        )
    }
    if one_row:
        header = ["library", "one row", "skml, µs", "wrapper, µs", "x"]
        tables["a single row"] = header, one_row
    for title, table in tables.items():
        print(f"\n{title}\n\n{markdown(*table)}")
    if arguments.save:
        save("table_speed", machine, [], tables)


if __name__ == "__main__":
    main()
