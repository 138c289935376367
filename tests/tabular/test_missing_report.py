"""The missing-value report against plain walks over the libraries' own trees."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, TunedThresholdClassifierCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skml import tabular
from skml.tabular import (
    GBDTClassifier,
    LightGBMClassifier,
    LRClassifier,
    XGBoostClassifier,
)
from skml.tabular._missing_report import MissingValueReport, missing_value_report

BOOSTERS = {
    "xgboost": XGBoostClassifier,
    "lightgbm": LightGBMClassifier,
    "hist": GBDTClassifier,
}
booster = pytest.mark.parametrize("name", BOOSTERS)
NAMES = [n for n in tabular.__all__ if n.endswith(("Classifier", "Regressor"))]
COLUMNS = [
    *["feature", "missing_fraction", "treatment", "importance"],
    *["gain_missing_left", "gain_missing_right"],
]

RNG = np.random.default_rng(0)
N = 400
NUMBERS = RNG.normal(size=(N, 5))
NOISY = NUMBERS[:, 0] - NUMBERS[:, 1] + NUMBERS[:, 2] * NUMBERS[:, 3]
CODES = RNG.integers(3, size=N)
NOISY += (CODES == 1) + 0.5 * RNG.normal(size=N)
NUMBERS[RNG.random(NUMBERS.shape) < 0.2] = np.nan
NUMBERS[:, 1] = RNG.normal(size=N)  # complete
NUMBERS[:, 4] = np.nan
TABLE = pd.DataFrame(NUMBERS, columns=["a", "b", "c", "d", "empty"])
TABLE.insert(0, "kind", np.array(["x", "y", "z"], dtype=object)[CODES])
TABLE.loc[::7, "kind"] = None
Y = {"two": (NOISY > 0).astype(int), "three": np.digitize(NOISY, [-1, 1])}


def walk(name, model):
    """Total gain of each feature, and that of the splits that send missing left."""
    total, left = np.zeros((2, 6))
    if name == "xgboost":
        frame = model.booster_.trees_to_dataframe()
        for row in frame[frame["Feature"] != "Leaf"].itertuples():
            j = TABLE.columns.get_loc(row.Feature)
            total[j] += row.Gain
            # Of the two children, which are numbered together, the left comes first;
            # of categories, those that are listed go to the right.
            first, _ = sorted(
                (row.Yes, row.No), key=lambda name: int(name.split("-")[1])
            )
            left[j] += row.Gain * (row.Missing == first)
    elif name == "lightgbm":
        frame = model.booster_.trees_to_dataframe()
        for row in frame[frame["split_feature"].notna()].itertuples():
            j = TABLE.columns.get_loc(row.split_feature)
            total[j] += row.split_gain
            left[j] += row.split_gain * (row.missing_direction == "left")
    else:
        for trees in model.estimator_._predictors:
            for node in np.concatenate([tree.nodes for tree in trees]):
                if not node["is_leaf"]:  # the column of categories is the first
                    total[node["feature_idx"]] += node["gain"]
                    left[node["feature_idx"]] += (
                        node["gain"] * node["missing_go_to_left"]
                    )
    return total, left


@booster
@pytest.mark.parametrize("classes", Y)
def test_sums_are_those_of_a_walk_over_the_trees(name, classes):
    model = BOOSTERS[name](n_estimators=10, min_samples_leaf=5).fit(TABLE, Y[classes])
    report = missing_value_report(model)
    total, left = walk(name, model)
    assert report.columns == COLUMNS
    assert report.shape == (6, 6)
    assert report["feature"].tolist() == list(TABLE.columns)
    assert_allclose(report["missing_fraction"], TABLE.isna().mean())
    # XGBoost writes its trees with few digits.
    assert_allclose(report["importance"], total / total.sum(), rtol=1e-4)
    informative = [1, 3, 4]  # have missing values, and an order
    expected = left[informative] / total[informative]
    assert_allclose(report["gain_missing_left"][informative], expected, rtol=1e-4)
    assert_allclose(
        report["gain_missing_right"][informative], 1 - expected, rtol=1e-4, atol=1e-6
    )
    for side in ("left", "right"):
        assert np.isnan(report[f"gain_missing_{side}"][[0, 2, 5]]).all()
    treatments = report["treatment"].tolist()
    with_a_side = "direction learned at each split"
    own = "separate category"
    assert treatments[0] == (own if name == "lightgbm" else with_a_side)
    assert treatments[1] == with_a_side
    assert treatments[5] == "ignored: all values missing"
    assert (
        treatments[2]
        == f"none missing in fit; in predict: median {TABLE['b'].median():.4g}"
    )


@booster
@pytest.mark.parametrize("high_is_missing", [False, True])
def test_informative_missing_values_go_to_their_side(name, high_is_missing):
    """Where the target is 1 for large values and for missing ones, or for small ones.

    A single split sends missing values to the side of the rows that are like them.
    """
    x = np.linspace(-1, 1, 200)
    y = (x > 0).astype(int)
    incomplete = np.concatenate([x, np.full(50, np.nan)])[:, np.newaxis]
    target = np.append(y, np.full(50, int(high_is_missing)))
    model = BOOSTERS[name](n_estimators=1, max_leaf_nodes=2).fit(incomplete, target)
    report = missing_value_report(model)
    side, other = ("right", "left") if high_is_missing else ("left", "right")
    assert report[f"gain_missing_{side}"].tolist() == [1.0]
    assert report[f"gain_missing_{other}"].tolist() == [0.0]
    assert report["missing_fraction"].tolist() == [0.2]
    assert report["importance"].tolist() == [1.0]
    assert report["feature"].tolist() == [0]


def make(name):
    cls = getattr(tabular, name)
    few = {"n_estimators": 3} if hasattr(cls, "staged_predict") else {}
    return cls(**few)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("container", ["frame", "array", "sparse"])
def test_all_estimators_have_a_report(name, container):
    X = {
        "frame": TABLE,
        "array": NUMBERS,
        "sparse": sparse.csr_array(np.round(NUMBERS)),
    }[container]
    report = missing_value_report(make(name).fit(X, Y["two"]))
    assert report.columns == COLUMNS
    assert report.shape[0] == X.shape[1]
    fraction = np.isnan(NUMBERS).mean(axis=0)
    assert_allclose(report["missing_fraction"][-5:], fraction)
    assert report["missing_fraction"].max() == 1
    assert all(isinstance(words, str) and words for words in report["treatment"])
    if name.startswith(("SVM", "LR")):
        assert np.isnan(report["gain_missing_left"]).all()
        has_importances = name.startswith("LR")
        assert np.isfinite(report["importance"]).all() == has_importances
    else:
        assert_allclose(report["importance"].sum(), 1)
        chose = np.isfinite(report["gain_missing_left"])
        assert chose.any()
        sides = report["gain_missing_left"] + report["gain_missing_right"]
        assert_allclose(sides[chose], 1)


@pytest.mark.parametrize("name", NAMES)
def test_zero_weight_rows_do_not_count(name):
    weight = (np.arange(N) % 2).astype(float)
    report = missing_value_report(make(name).fit(NUMBERS, Y["two"], weight))
    assert_allclose(report["missing_fraction"], np.isnan(NUMBERS[1::2]).mean(axis=0))


@pytest.mark.parametrize("name", NAMES)
def test_of_pipelines_the_last_step(name):
    X = NUMBERS[:, :4]
    pipeline = make_pipeline(StandardScaler(), make(name)).fit(X, Y["two"])
    report = missing_value_report(pipeline)
    alone = missing_value_report(pipeline[-1])
    for column in COLUMNS:
        assert_array_equal(report[column], alone[column])


@pytest.mark.parametrize("name", NAMES)
def test_not_fitted_yet(name):
    with pytest.raises(NotFittedError, match=f"This {name} instance is not fitted"):
        missing_value_report(make(name))
    with pytest.raises(NotFittedError):
        missing_value_report(make_pipeline(StandardScaler(), make(name)))


@pytest.mark.parametrize("name", [n for n in NAMES if "Classifier" in n])
def test_a_single_class(name):
    report = missing_value_report(make(name).fit(TABLE, np.zeros(N, dtype=int)))
    assert_allclose(report["missing_fraction"], TABLE.isna().mean())
    assert np.isnan(report["gain_missing_left"]).all()


def test_the_exact_method_reports_what_is_imputed():
    model = GBDTClassifier(method="exact", n_estimators=3).fit(TABLE, Y["two"])
    report = missing_value_report(model)
    assert np.isnan(report["gain_missing_left"]).all()
    assert_allclose(report["importance"].sum(), 1)
    median = TABLE["a"].median()
    assert report["treatment"].tolist()[:3] == [
        "one-hot, missing encoded as zeros + indicator",
        f"median {median:.4g} + indicator",
        f"none missing in fit; in predict: median {TABLE['b'].median():.4g}",
    ]


DAYS = pd.date_range("2021-03-01", periods=9).to_series()


@pytest.mark.parametrize(
    ("times", "median"),
    [
        (DAYS, "2021-03-05"),
        (DAYS + pd.Timedelta("90min"), "2021-03-05T01:30:00"),
        (DAYS.dt.tz_localize("UTC"), "2021-03-05 UTC"),
        (DAYS - DAYS.iloc[0], "4 days"),
    ],
)
def test_the_median_of_dates_is_a_date(times, median):
    X = pd.DataFrame({"complete": times, "incomplete": times})
    X.loc["last"] = times.iloc[4], pd.NaT
    y = np.arange(10) % 2
    for imputation, value in (("median", median), ("constant", "0")):
        model = LRClassifier(imputation=imputation).fit(X, y)
        assert missing_value_report(model)["treatment"].tolist() == [
            f"none missing in fit; in predict: median {median}",
            f"{imputation} {value} + indicator",
        ]


@pytest.mark.parametrize("other", [LogisticRegression(), None, "XGBoost", []])
def test_other_things_have_no_report(other):
    with pytest.raises(
        TypeError, match=f"pipeline that ends in one; got {type(other).__name__}"
    ):
        missing_value_report(other)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda model: make_pipeline(StandardScaler(), model),
        lambda model: GridSearchCV(model, {"n_estimators": [2, 3]}, cv=2),
        lambda model: GridSearchCV(
            make_pipeline(StandardScaler(), model),
            {"lightgbmclassifier__n_estimators": [2]},
            cv=2,
        ),
        lambda model: TunedThresholdClassifierCV(model, cv=2),
        lambda model: FrozenEstimator(model.fit(NUMBERS[:, :4], Y["two"])),
    ],
)
def test_reads_what_is_inside_of_other_estimators(wrap):
    model = LightGBMClassifier(n_estimators=3)
    fitted = wrap(model).fit(NUMBERS[:, :4], Y["two"])
    report = missing_value_report(fitted)
    expected = [0.2, 0.0, 0.2, 0.2]
    assert_allclose(report["missing_fraction"], expected, atol=0.06)


def test_is_a_table_to_iterate_over_and_to_show():
    report = MissingValueReport({"feature": np.array(["a<b"], dtype=object)})
    assert list(report) == ["feature"]
    assert "feature" in report
    assert report._repr_html_() == (
        "<table>\n<tr><th>feature</th></tr>\n<tr><td>a&lt;b</td></tr>\n</table>"
    )


def test_text_form():
    report = MissingValueReport(
        {
            "feature": np.array(["age", "n"], dtype=object),
            "missing_fraction": np.array([0.25, 0.0]),
            "treatment": np.array(["to a side", "none"], dtype=object),
            "importance": np.array([0.5, np.nan]),
        }
    )
    assert repr(report).splitlines() == [
        "feature  missing_fraction  treatment  importance",
        "age                 0.250  to a side       0.500",
        "n                   0.000  none",
    ]
    assert report.shape == (2, len(report))
    assert report.shape == (2, 4)


def test_sorting_and_copying():
    columns = {
        "feature": np.array(["a", "b", "c", "d"], dtype=object),
        "missing_fraction": np.array([0.5, np.nan, 0.75, 0.5]),
        "treatment": np.array(["1", "2", "3", "4"], dtype=object),
    }
    report = MissingValueReport(columns)
    ordered = report.sort_by("missing_fraction")
    assert ordered["feature"].tolist() == ["c", "a", "d", "b"]
    assert ordered["treatment"].tolist() == ["3", "1", "4", "2"]
    assert report["feature"].tolist() == ["a", "b", "c", "d"]
    assert pd.DataFrame(report).shape == report.shape == (4, 3)
    for words in ("feature", "treatment"):
        with pytest.raises(TypeError, match=f"'{words}' holds words"):
            report.sort_by(words)
    with pytest.raises(KeyError):
        report["importance"]


def test_rows_are_filtered_as_those_of_a_frame():
    report = missing_value_report(LightGBMClassifier().fit(TABLE, Y["two"]))
    frame = report.to_frame()
    assert frame.columns.tolist() == report.columns
    mask = (report["missing_fraction"] > 0) & (report["importance"] > 0)
    for rows in (mask, mask.tolist(), np.flatnonzero(mask), slice(1, 3)):
        filtered = report[rows]
        assert isinstance(filtered, MissingValueReport)
        expected = frame.loc[np.arange(len(frame))[rows]].reset_index(drop=True)
        pd.testing.assert_frame_equal(filtered.to_frame(), expected)
    columns = ["importance", "feature"]
    pd.testing.assert_frame_equal(report[columns].to_frame(), frame[columns])
    with pytest.raises(KeyError):
        report["nothing"]
