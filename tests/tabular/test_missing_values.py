"""One policy for missing values and bad input, of all estimators of tables.

Each row of the table in the user guide is a section here, each cell a test.
"""

import inspect
import warnings
from functools import cache, partial

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, is_classifier
from sklearn.model_selection import KFold, cross_val_predict, cross_val_score

from skml import tabular

NAN = float("nan")
SMALL = {"n_estimators": 5, "min_samples_leaf": 2, "random_state": 0}


def make(cls, **changes):
    """An estimator that is quick to fit."""
    known = inspect.signature(cls).parameters
    small = {name: value for name, value in SMALL.items() if name in known}
    return cls(**small | changes)


CLASSES = {
    name: cls
    for name, cls in vars(tabular).items()
    if name in tabular.__all__
    and inspect.isclass(cls)
    and issubclass(cls, BaseEstimator)
}
LEARNERS = {name: partial(make, cls) for name, cls in CLASSES.items()} | {
    f"{name}-exact": partial(make, CLASSES[name], method="exact")
    for name in ("GBDTClassifier", "GBDTRegressor")
}
FLOAT32 = [name for name in LEARNERS if "XGBoost" in name or "exact" in name]
CLASSIFIERS = [name for name in LEARNERS if "Classifier" in name]
REGRESSORS = [name for name in LEARNERS if "Regressor" in name]

learners = pytest.mark.parametrize("name", LEARNERS)
classifiers = pytest.mark.parametrize("name", CLASSIFIERS)
float32_learners = pytest.mark.parametrize("name", FLOAT32)
DOOR = "LRClassifier"  # through which all goes that the estimators read in one way


def once_each(argument, values, names=LEARNERS, n_values=1):
    """All values with one estimator, and the first of them with each of the others."""
    if not isinstance(values, dict):  # no id holds an address in memory
        values = {f"{getattr(v, '__name__', v)}{i}": v for i, v in enumerate(values)}
    return pytest.mark.parametrize(
        ("name", argument),
        [
            pytest.param(name, value, id=f"{name}-{key}")
            for name in names
            for i, (key, value) in enumerate(values.items())
            if i < n_values or name == DOOR
        ],
    )


# Sixty rows: a column with missing values and one without, of numbers and of words.
N_ROWS = 60
RNG = np.random.default_rng(0)
INCOMPLETE = np.where(RNG.random(N_ROWS) < 0.3, NAN, RNG.normal(size=N_ROWS).round(2))
FULL = RNG.integers(0, 20, N_ROWS).astype(float)
WORDS = [None if i % 7 == 0 else "abc"[i % 3] for i in range(N_ROWS)]
FULL_WORDS = [*"xxy"] * (N_ROWS // 3)
TARGET = np.nan_to_num(INCOMPLETE, nan=2.0) + FULL / 10 + (np.array(WORDS) == "b")
TABLE = pd.DataFrame(
    {"incomplete": INCOMPLETE, "full": FULL, "words": WORDS, "full_words": FULL_WORDS}
)
MATRIX = np.column_stack([INCOMPLETE, FULL])
WEIGHTS = RNG.integers(1, 5, N_ROWS).astype(float)
SOME = RNG.random((N_ROWS, 2)) < 0.5


def targets(model):
    return (np.median(TARGET) < TARGET).astype(int) if is_classifier(model) else TARGET


def fit(name, X, sample_weight=None, **changes):
    model = LEARNERS[name](**changes)
    weight = {} if sample_weight is None else {"sample_weight": sample_weight}
    return model.fit(X, targets(model), **weight)


@cache
def model_of_table(name):
    """That of `TABLE`, which nothing but a fit changes."""
    return fit(name, TABLE)


def outputs(model, X):
    """What a model predicts, as precisely as it can."""
    score = getattr(model, "decision_function", model.predict)
    return np.asarray(score(X))


def methods(model):
    names = ("predict", "predict_proba", "decision_function", "staged_predict")
    return [name for name in names if hasattr(model, name)]


def call(model, method, X):
    result = getattr(model, method)(X)
    return list(result) if method.startswith("staged") else result


def test_all_nine_are_here():
    assert len(CLASSES) == 9
    assert len(CLASSIFIERS) + len(REGRESSORS) == len(LEARNERS) == 11


# All kinds of null are NaN.

NULLS = {
    "NaN": lambda: TABLE,
    "None": lambda: TABLE.astype(object).where(TABLE.notna(), None),
    "NA": lambda: TABLE.astype(object).where(TABLE.notna(), pd.NA),
    "NaT": lambda: TABLE.astype(object).where(TABLE.notna(), pd.NaT),
    "nullable": lambda: TABLE.astype(
        {"incomplete": "Float64", "words": "string[python]"}
    ),
    "category": lambda: TABLE.astype({"words": "category", "full_words": "category"}),
    "arrow-backed": lambda: pa.Table.from_pandas(TABLE).to_pandas(
        types_mapper=pd.ArrowDtype
    ),
    "polars": lambda: pl.from_pandas(TABLE),
    "polars-category": lambda: pl.from_pandas(TABLE).cast({"words": pl.Categorical}),
    "pyarrow": lambda: pa.Table.from_pandas(TABLE),
}


@once_each("container", dict(reversed(NULLS.items())), n_values=2)
def test_all_nulls_are_missing(name, container):
    expected = outputs(model_of_table(name), TABLE)
    assert np.isfinite(expected).all()
    X = container()
    model = fit(name, X)
    assert_array_equal(outputs(model, X), expected)
    assert_array_equal(model.feature_names_in_, list(TABLE.columns))
    fraction = TABLE.isna().mean()
    assert_allclose(model.missing_fraction_, fraction, rtol=1e-15)


@once_each("missing", [None, NAN, pd.NA])
def test_nulls_in_lists_and_object_arrays_are_missing(name, missing):
    expected = outputs(model_of_table(name), TABLE)
    array = TABLE.astype(object).where(TABLE.notna(), missing).to_numpy()
    for X in (array, array.tolist()):
        assert_array_equal(outputs(fit(name, X), X), expected)


# A sentinel becomes NaN, in fit and in predict.


@once_each("case", [([-99.5, "?"], -99.5, "?"), (-999, -999, None), ("?", NAN, "?")])
@pytest.mark.parametrize("container", [pd.DataFrame, pl.from_pandas])
def test_sentinels(name, case, container):
    missing_values, number, word = case
    X = container(TABLE.fillna({"incomplete": number, "words": word or NAN}))
    model = fit(name, X, missing_values=missing_values)
    reference = model_of_table(name)
    assert_array_equal(outputs(model, X), outputs(reference, TABLE))
    assert_array_equal(outputs(model, TABLE), outputs(reference, TABLE))
    assert_array_equal(model.missing_fraction_, reference.missing_fraction_)


@learners
@pytest.mark.parametrize("container", [np.array, sparse.csr_array])
def test_sentinels_in_matrices(name, container):
    X = container(np.nan_to_num(MATRIX, nan=-999))
    model = fit(name, X, missing_values=[-999])
    reference = fit(name, container(MATRIX))
    assert_array_equal(outputs(model, X), outputs(reference, container(MATRIX)))


@learners
def test_other_sentinels_are_refused(name):
    with pytest.raises(TypeError, match="missing_values"):
        fit(name, MATRIX, missing_values=pd.Timestamp(0))


# NaN at predict in a column that had none in fit.


def assert_warns_once(call, names):
    """Call; there must be a single warning, of this file, with the columns' names."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    messages = [str(warning.message) for warning in caught]
    assert len(messages) == 1, messages
    assert caught[0].category is UserWarning
    assert caught[0].filename == __file__
    assert "no missing values in fit" in messages[0]
    for name in names:
        assert repr(name) in messages[0]
    return result


@learners
def test_newly_missing_values_are_imputed_and_warned_of_once(name):
    repeated = np.repeat(FULL, WEIGHTS.astype(int))
    weight_of_word = pd.Series(WEIGHTS).groupby(FULL_WORDS).sum()
    for sample_weight, median, mode in (
        (None, np.median(FULL), "x"),
        (WEIGHTS, np.median(repeated), weight_of_word.idxmax()),
    ):
        model = fit(name, TABLE, sample_weight)
        missing = TABLE.assign(full=NAN, full_words=None)
        filled = TABLE.assign(full=median, full_words=mode)
        for method in methods(model):
            predicted = assert_warns_once(
                partial(call, model, method, missing), ["full", "full_words"]
            )
            assert_array_equal(predicted, call(model, method, filled))


@learners
def test_newly_missing_values_are_imputed_by_weight(name):
    rare = TABLE["full_words"] == "y"
    model = fit(name, TABLE, np.where(rare, 50.0, 1.0))
    missing = TABLE.assign(full_words=None)
    predicted = assert_warns_once(partial(outputs, model, missing), ["full_words"])
    assert_array_equal(predicted, outputs(model, TABLE.assign(full_words="y")))


@learners
@pytest.mark.parametrize("container", [np.array, sparse.csr_array, sparse.csc_array])
def test_newly_missing_values_in_matrices(name, container):
    X = np.where(np.arange(N_ROWS)[:, None] % 2, MATRIX, 0.0)
    X[:, 1] = np.where(np.arange(N_ROWS) < 40, FULL + 1, 0.0)
    model = fit(name, container(X))
    missing, filled = X.copy(), X.copy()
    missing[::3, 1] = NAN
    filled[::3, 1] = np.median(X[:, 1])
    predicted = assert_warns_once(partial(outputs, model, container(missing)), [])
    assert_array_equal(predicted, outputs(model, container(filled)))


@learners
def test_values_missing_as_in_fit_are_not_warned_of(name):
    model = model_of_table(name)
    assert np.isfinite(outputs(model, TABLE.assign(incomplete=NAN, words=None))).all()


# A column all NaN in fit carries no information.


@once_each("nothing", [NAN, None, pd.NA, pd.NaT])
def test_all_missing_columns_carry_no_information(name, nothing):
    empty = pd.Series([nothing] * N_ROWS, dtype=object)
    X = TABLE.assign(empty=empty)
    model = fit(name, X)
    assert model.missing_fraction_[-1] == 1
    expected = outputs(model, X)
    without = outputs(model_of_table(name), TABLE)
    assert_allclose(expected, without, rtol=1e-6, atol=1e-6)
    for values in (1.0, -5, "word", pd.Timestamp("2020-01-01"), True):
        assert_array_equal(outputs(model, X.assign(empty=values)), expected)
    categories = pd.Categorical([*"pq"] * (N_ROWS // 2))
    assert_array_equal(outputs(model, X.assign(empty=categories)), expected)


@once_each("dtype", ["category", "string", "Int64", "datetime64[ns]"])
def test_all_missing_columns_of_all_types(name, dtype):
    X = TABLE.assign(empty=pd.Series([None] * N_ROWS).astype(dtype))
    model = fit(name, X)
    assert_array_equal(outputs(model, X.assign(empty="new")), outputs(model, X))
    assert_array_equal(outputs(model, X.assign(empty=3.0)), outputs(model, X))


@learners
@pytest.mark.parametrize("container", [np.array, sparse.csr_array])
def test_all_missing_columns_in_matrices(name, container):
    X = np.column_stack([MATRIX, np.full(N_ROWS, NAN)])
    model = fit(name, container(X))
    other = X.copy()
    other[:, 2] = np.arange(N_ROWS)
    assert_array_equal(outputs(model, container(other)), outputs(model, container(X)))


@learners
@pytest.mark.filterwarnings("ignore:.* learned nothing")
def test_all_missing_tables_work(name):
    X = np.full((N_ROWS, 2), NAN)
    predicted = outputs(fit(name, X), X)
    assert_array_equal(predicted, np.full_like(predicted, predicted[0]))


# Infinity is refused in fit and in predict.


INFINITE = {
    "array": (lambda X: X, "column 1"),
    "csr": (sparse.csr_array, "column 1"),
    "pandas": (lambda X: pd.DataFrame(X, columns=["a", "b"]), "column 'b'"),
    "list": (lambda X: X.tolist(), "column 1"),
    "csc": (sparse.csc_array, "column 1"),
    "nullable": (
        lambda X: pd.DataFrame(X, columns=["a", "b"]).astype("Float64"),
        "column 'b'",
    ),
    "polars": (lambda X: pl.DataFrame(X, schema=["a", "b"]), "column 'b'"),
    "pyarrow": (lambda X: pa.table({"a": X[:, 0], "b": X[:, 1]}), "column 'b'"),
}


@once_each("case", INFINITE, n_values=3)
def test_infinity_is_refused_and_named(name, case):
    container, column = case
    X = np.where(np.isnan(MATRIX), 0.0, MATRIX)
    for bad in (np.inf, -np.inf):
        infinite = X.copy()
        infinite[7, 1] = bad
        message = f"infinity.* row 7, {column}"
        with pytest.raises(ValueError, match=message):
            fit(name, container(infinite))
    model = fit(name, container(X))
    for method in methods(model):
        with pytest.raises(ValueError, match=message):
            call(model, method, container(infinite))


@float32_learners
@pytest.mark.parametrize("container", [np.array, sparse.csr_array, pd.DataFrame])
def test_what_float32_cannot_hold_is_larger_than_all(name, container):
    X = np.nan_to_num(MATRIX, nan=0.5)
    model = fit(name, container(X))
    large, larger = X.copy(), X.copy()
    large[5, 0], larger[5, 0] = 1e30, 1e200
    for method in methods(model):
        assert_array_equal(
            call(model, method, container(larger)),
            call(model, method, container(large)),
        )


# Sparse zeros are zeros, stored or not.


@learners
@pytest.mark.parametrize("container", [sparse.csr_array, sparse.csc_matrix])
def test_sparse_zeros_are_zeros(name, container):
    X = np.where(SOME, 0.0, MATRIX)
    stored = sparse.csr_array(np.where(X == 0, 1.0, X))
    stored.data[np.where(X.ravel() == 0)] = 0.0
    assert stored.nnz > sparse.csr_array(X).nnz
    is_iterative = name.startswith(("SVM", "LR"))
    changes, tolerance = ({"tol": 1e-9}, 1e-4) if is_iterative else ({}, 1e-12)
    expected = outputs(fit(name, X, **changes), X)
    for fitted in (container(X), container(stored)):
        model = fit(name, fitted, **changes)
        for predicted in (container(X), container(stored)):
            assert_allclose(
                outputs(model, predicted), expected, rtol=tolerance, atol=tolerance
            )


# An unseen category is missing.


@learners
def test_unseen_categories_are_missing(name):
    model = model_of_table(name)
    unseen = TABLE.assign(words="new")
    assert_array_equal(
        outputs(model, unseen), outputs(model, unseen.assign(words=None))
    )
    unseen = TABLE.assign(full_words="new")
    # As a missing value, but without a warning: new categories come every day.
    assert_array_equal(
        outputs(model, unseen), outputs(model, TABLE.assign(full_words="x"))
    )


# Columns of another table are refused.


@once_each("container", [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas])
def test_other_columns_are_refused(name, container):
    model = fit(name, container(TABLE))
    reordered = TABLE[["full", "incomplete", "words", "full_words"]]
    for X, message in (
        (
            reordered,
            r"must be in the same order as they were in fit.\n"
            "Column 0 is 'full'; in fit it was 'incomplete'.",
        ),
        (TABLE.rename(columns={"full": "other"}), r"unseen at fit time:\n- other"),
        (TABLE.drop(columns="words"), r"now missing:\n- words"),
        (TABLE.assign(more=1.0), r"unseen at fit time:\n- more"),
        (TABLE.assign(full=FULL_WORDS), "column 'full' held numbers in fit"),
        (TABLE.assign(words=1.0), "column 'words' held strings or categories in fit"),
        (TABLE.assign(full=pd.Timestamp(0)), "column 'full' .* now holds dates"),
    ):
        for method in methods(model):
            with pytest.raises(ValueError, match=message):
                call(model, method, container(X))


@learners
def test_other_numbers_of_columns_are_refused(name):
    model = fit(name, MATRIX)
    with pytest.raises(ValueError, match=r"X has 3 features, but .* expecting 2"):
        model.predict(np.zeros((1, 3)))
    with pytest.raises(ValueError, match=r"0 sample\(s\) \(shape=\(0, 0\)\)"):
        model.predict(pd.DataFrame())


@learners
def test_columns_that_mix_numbers_and_strings_are_refused(name):
    X = TABLE.astype({"full": object})
    X.loc[4, "full"] = "four"
    with pytest.raises(TypeError, match=r"Row 4 of column 'full' of X .* is 'four'"):
        fit(name, X)
    with pytest.raises(TypeError, match=r"Row 4 of column 'full' of X .* is 'four'"):
        model_of_table(name).predict(X)


# Labels.

LABELS = {
    "strings": ["no", "yes"],
    "integers": [1, 2],
    "negative": [-1, 1],
    "floats": [0.0, 1.0],
    "bools": [False, True],
    "three": ["a", "b", "c"],
}


@once_each("labels", dict(reversed(LABELS.items())), CLASSIFIERS, n_values=2)
def test_labels_of_all_kinds(name, labels):
    codes = np.searchsorted(np.quantile(TARGET, [0.4, 0.7][: len(labels) - 1]), TARGET)
    y = np.array(labels)[codes]
    model = LEARNERS[name]()
    for container in (np.array, list, pd.Series):
        model.fit(TABLE, container(y))
        assert_array_equal(model.classes_, labels)
        predicted = model.predict(TABLE)
        assert predicted.dtype == model.classes_.dtype
        assert (predicted == y).mean() > 0.6
    for series in (
        pd.Series(y).astype("category"),
        pl.Series(y),
        pa.chunked_array([y]),
    ):
        assert_array_equal(model.fit(TABLE, series).predict(TABLE), predicted)


@classifiers
def test_a_fold_may_lack_a_class(name):
    y = np.sort(np.arange(N_ROWS) % 3)  # three folds: each trains on two of the classes
    folds = KFold(3)
    scores = cross_val_score(LEARNERS[name](), TABLE, y, cv=folds, error_score="raise")
    assert_array_equal(scores, 0)
    predicted = cross_val_predict(LEARNERS[name](), TABLE, y, cv=folds)
    assert set(predicted) <= {0, 1, 2}
    model = LEARNERS[name]().fit(TABLE, np.where(y == 1, 2, y))
    assert_array_equal(model.classes_, [0, 2])


@classifiers
def test_a_single_class(name):
    model = LEARNERS[name]().fit(TABLE, ["only"] * N_ROWS)
    assert_array_equal(model.predict(TABLE), ["only"] * N_ROWS)


# Missing targets.


@once_each("missing", [NAN, None, pd.NA, np.inf])
@pytest.mark.parametrize("container", ["array", "list", "pandas", "polars"])
def test_missing_targets_are_refused(name, missing, container):
    model = LEARNERS[name]()
    y = targets(model).astype(object)
    y[3] = missing
    y = {
        "array": lambda: y if missing is not NAN else y.astype(float),
        "list": y.tolist,
        "pandas": lambda: pd.Series(y),
        "polars": lambda: pl.Series(
            [None if value is pd.NA else value for value in y.tolist()], strict=False
        ),
    }[container]()
    kind = "infinity" if missing is np.inf else "NaN"
    with pytest.raises(ValueError, match=rf"Input y contains {kind}"):
        model.fit(TABLE, y)


@classifiers
@pytest.mark.parametrize("missing", [NAN, None], ids=["NaN", "None"])
@pytest.mark.parametrize(
    "container", [list, tuple, pd.Series, partial(np.array, dtype="O")]
)
def test_missing_labels_among_strings_are_refused(name, missing, container):
    y = ["no", "yes"] * (N_ROWS // 2)
    y[3] = missing
    with pytest.raises(ValueError, match=r"Input y contains NaN: row 3"):
        LEARNERS[name]().fit(TABLE, container(y))


# Weights.


def with_one(value):
    weights = np.ones(N_ROWS)
    weights[3] = value
    return weights


@learners
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (with_one(-1.0), r"sample_weight of row 3 is -1\.0; .* not negative"),
        (with_one(NAN), "sample_weight of row 3 is nan; .* finite"),
        (with_one(np.inf), "sample_weight of row 3 is inf; .* finite"),
        (
            pd.Series([1] * 3 + [None] + [1] * (N_ROWS - 4), dtype="Int64"),
            "row 3 is nan",
        ),
        (np.zeros(N_ROWS), "all values of sample_weight are zero"),
        (0.0, "all values of sample_weight are zero"),
        (np.ones(3), r"sample_weight.shape == \(3,\), expected \(60,\)"),
        (np.ones((N_ROWS, 2)), "Sample weights must be 1D"),
        (np.ones((N_ROWS, 1)), "Sample weights must be 1D"),
        (["a"] * N_ROWS, "could not convert string"),
    ],
    ids=[
        "negative",
        "NaN",
        "inf",
        "NA",
        "zeros",
        "zero",
        "short",
        "2d",
        "column",
        "strings",
    ],
)
def test_bad_weights_are_refused(name, weights, message):
    with pytest.raises(ValueError, match=message):
        fit(name, TABLE, weights)


@once_each("container", [np.float32, list, pd.Series, pl.Series, pa.array])
def test_weights_in_all_containers(name, container):
    expected = outputs(fit(name, TABLE, WEIGHTS), TABLE)
    assert_array_equal(outputs(fit(name, TABLE, container(WEIGHTS)), TABLE), expected)


@learners
def test_one_weight_is_that_of_all_rows(name):
    expected = outputs(fit(name, TABLE, np.full(N_ROWS, 2.0)), TABLE)
    assert_array_equal(outputs(fit(name, TABLE, 2.0), TABLE), expected)


# A weight of zero is a row left out.


@once_each("container", [pd.DataFrame, pl.from_pandas])
@pytest.mark.parametrize("other_weights", ["ones", "several"])
def test_weight_zero_is_a_row_left_out(name, container, other_weights):
    used = np.arange(N_ROWS) % 4 != 1
    X = TABLE.copy()
    X.loc[1, "full_words"] = "only here"
    X.loc[5, "words"] = "nowhere else"
    X.loc[9, "full"] = NAN
    X.loc[13, "full"] = 1000.0
    X["empty"] = np.where(used, NAN, 1.0)
    X["no_words"] = np.where(used, None, "word")
    model, reference = LEARNERS[name](), LEARNERS[name]()
    y = targets(model)
    if is_classifier(model):
        y = np.where(np.arange(N_ROWS) == 17, 7, y)  # a class of its own
    weights = used * (1.0 if other_weights == "ones" else WEIGHTS)
    model.fit(container(X), y, sample_weight=weights)
    rows = X[used].reset_index(drop=True)
    reference.fit(container(rows), y[used], sample_weight=weights[used])
    X = X.assign(full=FULL, full_words=FULL_WORDS)
    assert_array_equal(outputs(model, container(X)), outputs(reference, container(X)))
    assert_array_equal(model.missing_fraction_, reference.missing_fraction_)
    if is_classifier(model):
        assert_array_equal(model.classes_, reference.classes_)
    missing = container(X.assign(full=NAN))
    filled = [
        assert_warns_once(partial(outputs, m, missing), ["full"])
        for m in (model, reference)
    ]
    assert_array_equal(*filled)


@learners
@pytest.mark.parametrize("container", [np.array, sparse.csr_array])
def test_weight_zero_in_matrices(name, container):
    weights = np.tile([0.0, 1.0, 2.0], N_ROWS // 3)
    used = weights > 0
    model = fit(name, container(MATRIX), weights)
    y = targets(model)
    reference = LEARNERS[name]().fit(
        container(MATRIX[used]),
        y[used],
        sample_weight=weights[used],
    )
    X = container(MATRIX)
    assert_array_equal(outputs(model, X), outputs(reference, X))


# Dense and sparse.


@learners
@pytest.mark.parametrize("fitted", [np.array, sparse.csr_array])
def test_fitted_to_dense_or_sparse_predicts_of_the_other(name, fitted):
    """Columns far from zero, mostly zero, and with missing values."""
    X = np.column_stack([MATRIX, FULL + 2000, np.where(FULL > 14, FULL, 0.0)])
    model = fit(name, fitted(X))
    for method in methods(model):
        expected = call(model, method, X[::-2])
        assert_array_equal(call(model, method, sparse.csc_array(X[::-2])), expected)


# Arguments stay as they were.

TABLES = {
    "float64": lambda: MATRIX.copy(),
    "float32": lambda: MATRIX.astype(np.float32),
    "csr": lambda: sparse.csr_array(MATRIX),
    "Fortran": lambda: np.asfortranarray(MATRIX),
    "csc": lambda: sparse.csc_array(MATRIX),
    "pandas-matrix": lambda: pd.DataFrame(MATRIX),
    "pandas": lambda: TABLE.copy(),
    "polars": lambda: pl.from_pandas(TABLE),
}


def freeze(X):
    """Let no one write to an array."""
    for array in (
        X,
        *(getattr(X, part, None) for part in ("data", "indices", "indptr")),
    ):
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    return X


def content(X):
    X = X.toarray() if sparse.issparse(X) else X
    return pl.from_pandas(X.rename(columns=str)) if isinstance(X, pd.DataFrame) else X


def assert_same(X, before):
    if isinstance(X, pl.DataFrame):
        assert X.equals(before, null_equal=True)
    else:
        assert_array_equal(X, before)


@once_each("container", TABLES, n_values=3)
@pytest.mark.parametrize("frozen", [False, True])
def test_arguments_are_not_changed(name, container, frozen):
    X, model = container(), LEARNERS[name](missing_values=[-1, 3])
    y = targets(model).copy()
    weights = np.tile([1.0, 0.0, 2.0], N_ROWS // 3)
    before = content(container()), y.copy(), weights.copy()
    if frozen:
        X, y, weights = freeze(X), freeze(y), freeze(weights)
    model.fit(X, y, sample_weight=weights)
    for method in methods(model):
        call(model, method, X)
    for now, then in zip((content(X), y, weights), before, strict=True):
        assert_same(now, then)
