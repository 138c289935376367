"""All estimators of tables predict the same, whatever container holds the table.

Each is fitted on a table in each container, and asked for the same table in it and in
two others; all estimators together cover all pairs. What a container cannot hold is
refused, and names the reason.
"""

import inspect
import warnings
from contextlib import nullcontext
from datetime import date

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import is_classifier
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import cross_val_score

import skml

NAN = float("nan")
QUICK = {"n_estimators": 3, "min_samples_leaf": 2, "n_components": 10}
NETWORK = {"embedding": "mlp", "n_estimators": 1, "hidden_layer_sizes": (4,)}


def make(name, **changes):
    """An estimator that is quick to fit."""
    cls = getattr(skml, name)
    quick = {} if name.startswith("Attention") else QUICK
    settings = {**quick, "random_state": 0, **changes}
    known = inspect.signature(cls).parameters
    return cls(**{key: value for key, value in settings.items() if key in known})


LEARNERS = {
    **{
        f"{name}-{key or 'default'}": make(name, **changes)
        for family, variants in {
            "GBDT": {"": {}, "exact": {"method": "exact"}},
            "XGBoost": {"": {}},
            "LightGBM": {"": {}},
            "SVM": {
                "": {},
                "linear": {"kernel": "linear"},
                "nystroem": {"approximation": "nystroem"},
                "rff": {"approximation": "rff"},
            },
            "AttentionPooling": {"": {}, "network": {**NETWORK, "max_iter": 1}},
        }.items()
        for key, changes in variants.items()
        for name in (f"{family}Classifier", f"{family}Regressor")
    },
    "LRClassifier-default": make("LRClassifier"),
}
# Sparse tables make other models: SVM and LR take no mean off their columns, and sums
# of scikit-learn 1.7, whose rounding decides between equal splits, have another order.
DIFFER_BY_SPARSITY = ("SVM", "LR", "GBDTClassifier-exact", "GBDTRegressor-exact")
learners = pytest.mark.parametrize("name", LEARNERS)

NAMES = ["a", "b", "c"]


def as_lists(rows):
    return [[None if value != value else value for value in row] for row in rows]


def as_columns(rows):
    columns = zip(*as_lists(rows), strict=True)
    return dict(zip(NAMES, map(list, columns), strict=True))


UNNAMED = {
    "array": np.array,
    "Fortran": lambda rows: np.asfortranarray(np.array(rows)),
    "list": as_lists,
}
SPARSE = {
    "CSR": lambda rows: sparse.csr_array(np.array(rows)),
    "CSC": lambda rows: sparse.csc_array(np.array(rows)),
}
NAMED = {
    "pandas": lambda rows: pd.DataFrame(rows, columns=NAMES),
    "polars": lambda rows: pl.DataFrame(as_columns(rows)),
    "pyarrow": lambda rows: pa.table(as_columns(rows)),
    "batch": lambda rows: pa.record_batch(as_columns(rows)),
}
NUMBERS = {**UNNAMED, **SPARSE, **NAMED}
OBJECTS = {
    "array": lambda rows: np.array(rows, dtype=object),
    "list": as_lists,
    "pandas-category": lambda rows: pd.DataFrame(rows, columns=NAMES).astype(
        {"b": "category"}
    ),
    **NAMED,
}

RNG = np.random.default_rng(0)
X = np.where(RNG.random((36, 3)) < 0.4, 0.0, RNG.normal(size=(36, 3)).round(3))
TARGET = X[:, 0] + (X[:, 1] > 0)
ROWS = X.tolist()
WITH_MISSING = np.where(RNG.random(X.shape) < 0.2, NAN, X).tolist()
WITH_STRINGS = [
    [a, "uvw"[i % 3] if i % 5 else None, c] for i, (a, _, c) in enumerate(X)
]
TABLES = {"complete": ROWS, "missing": WITH_MISSING}


def fit(name, table):
    model = LEARNERS[name]
    return model.fit(table, TARGET > 0.5 if is_classifier(model) else TARGET)


def output(model, table):
    for method in ("predict_proba", "decision_function", "predict"):
        if hasattr(model, method):
            return getattr(model, method)(table)
    raise AssertionError(f"{model} predicts nothing")


def ask(model, make_table, rows, is_named):
    """What a model predicts; scikit-learn warns where only one table has names."""
    is_odd = is_named != hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match="feature names") if is_odd else nullcontext():
        return output(model, make_table(rows))


def assert_equal_answers(name, rows, containers, shift=0):
    """Fit on each container, and ask with the same and two others.

    Which ones depends on the estimator: all of them together see all pairs.
    """
    expected, ways = {}, list(containers)
    shift += list(LEARNERS).index(name)
    for i, (before, make_before) in enumerate(containers.items()):
        model = fit(name, make_before(rows))
        is_sparse = name.startswith(DIFFER_BY_SPARSITY) and before in SPARSE
        others = [ways[(i + shift + k) % len(ways)] for k in (0, len(ways) // 2)]
        for now in dict.fromkeys([before, *others]):
            make_now = containers[now]
            is_named = now.partition("-")[0] in NAMED
            found = ask(model, make_now, rows, is_named)
            message = f"fitted on {before}, asked with {now}"
            wanted = expected.setdefault(is_sparse, found)
            assert_array_equal(found, wanted, err_msg=message)
    assert len(np.unique(found)) > 2


@pytest.mark.parametrize(
    ("name", "table"),
    # The two of a family, and LRClassifier alone, see both tables.
    [
        *((name, list(TABLES)[i % 2]) for i, name in enumerate(LEARNERS)),
        ("LRClassifier-default", "missing"),
    ],
)
def test_numbers(name, table):
    assert_equal_answers(name, TABLES[table], NUMBERS, shift=4 * (table == "missing"))


@learners
def test_strings(name):
    assert_equal_answers(name, WITH_STRINGS, OBJECTS)
    model = fit(name, NAMED["pandas"](WITH_STRINGS))
    for make_table in (np.array, sparse.csr_array):
        with pytest.raises(ValueError, match=r"'b' held strings .* now holds numbers"):
            ask(model, make_table, X, is_named=False)


@learners
@pytest.mark.parametrize("before", NAMED)
def test_names_in_another_order_are_refused(name, before):
    model = fit(name, NAMED[before](ROWS))
    order = NAMES[::-1]
    columns = {column: as_columns(ROWS)[column] for column in order}
    for make_table in (pd.DataFrame, pl.DataFrame, pa.table, pa.record_batch):
        with pytest.raises(ValueError, match="Column 0 is 'c'; in fit it was 'a'"):
            output(model, make_table(columns))


# As users ask again for rows of a data frame.

WHEN = pd.Series(np.datetime64("2020-02-28") + np.arange(36) * np.timedelta64(9, "D"))
FRAME = pd.DataFrame(
    {
        "a": X[:, 0],
        "when": WHEN,
        "zoned": WHEN.dt.tz_localize("Asia/Shanghai"),
        "span": WHEN - WHEN[0],
        "bin": pd.cut(X[:, 2], [-9, 0, 1]),
        "code": pd.Categorical(np.arange(36) % 4),
        "word": [row[1] for row in WITH_STRINGS],
    }
)
AGAIN = {
    "a row": lambda frame: frame.iloc[3].to_frame().T,
    "a row, types inferred": lambda frame: frame.iloc[3].to_frame().T.infer_objects(),
    "a list": lambda frame: [frame.iloc[3].tolist()],
    "objects": lambda frame: frame.to_numpy()[3:4],
    "datetime.date": lambda frame: frame.assign(when=frame["when"].dt.date)[3:4],
    "datetime": lambda frame: frame.assign(
        when=pd.Series([t.to_pydatetime() for t in frame["when"]], dtype=object),
        span=pd.Series([t.to_pytimedelta() for t in frame["span"]], dtype=object),
    )[3:4],
}


@learners
def test_rows_of_a_frame_of_mixed_columns(name):
    model = fit(name, FRAME)
    expected = output(model, FRAME[3:4])
    for way, make_table in AGAIN.items():
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            found = output(model, make_table(FRAME))
        assert_array_equal(found, expected, err_msg=way)
    again = fit(name, FRAME.astype(object).astype({"code": "category"}))
    assert_array_equal(output(again, FRAME[3:4]), expected)


@pytest.mark.parametrize("container", ["pandas", "polars", "pyarrow", "batch"])
def test_splits_of_all_containers(container):
    scores = [
        cross_val_score(make("LightGBMRegressor"), make_table(ROWS), TARGET, cv=3)
        for make_table in (NUMBERS["array"], NUMBERS[container])
    ]
    assert_array_equal(*scores)


def test_bagging_makes_objects_of_a_frame():
    model = BaggingClassifier(make("LightGBMClassifier"), n_estimators=2)
    model.fit(FRAME, TARGET > 0.5)
    assert model.predict(FRAME).shape == (36,)
    assert model.predict(FRAME[:1].assign(when=[date(2020, 3, 1)])).shape == (1,)
