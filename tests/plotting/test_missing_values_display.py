"""Bars of missing values: fractions, treatments, directions."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skml.plotting import MissingValuesDisplay
from skml.tabular import LightGBMRegressor, LRClassifier, missing_value_report

RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(RNG.normal(size=(80, 4)), columns=["a", "b", "c", "whole"])
Y = TABLE.sum(axis=1)
TABLE = TABLE.mask(RNG.random(TABLE.shape) < [0.1, 0.6, 0.3, 0.0])
BOOSTER = LightGBMRegressor(n_estimators=5, min_samples_leaf=5).fit(TABLE, Y)
LOGISTIC = LRClassifier().fit(TABLE, Y > 0)


def names(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_treatments():
    display = MissingValuesDisplay.from_estimator(LOGISTIC)
    report = missing_value_report(LOGISTIC)
    assert display.features_ == names(display.ax_.yaxis) == ["b", "c", "a"]
    (bars,) = display.bars_
    expected = report["missing_fraction"][[1, 2, 0]]
    assert_allclose([bar.get_width() for bar in bars], expected)
    shown = [text.get_text() for text in display.text_]
    assert shown == report["treatment"][[1, 2, 0]].tolist()
    assert display.ax_.get_ylim() == (2.5, -0.5)  # from top to bottom


def test_directions():
    report = missing_value_report(BOOSTER)
    display = MissingValuesDisplay.from_estimator(BOOSTER)
    rows = np.argsort(-report["importance"][:3])
    assert display.features_ == [["a", "b", "c"][row] for row in rows]
    left, right = display.bars_
    for bars, sign, column in [(left, -1, "left"), (right, 1, "right")]:
        widths = report["importance"] * report[f"gain_missing_{column}"]
        assert_allclose([bar.get_width() for bar in bars], sign * widths[rows])
    assert left[0].get_hatch() != right[0].get_hatch()
    fraction = report["missing_fraction"][rows[0]]
    assert names(display.ax_.yaxis)[0].endswith(f" ({fraction:.0%} missing)")
    assert display.text_ == []
    display = MissingValuesDisplay.from_estimator(BOOSTER, kind="treatment")
    assert len(display.text_) == 3


def test_the_longest_bars_are_shown():
    display = MissingValuesDisplay.from_estimator(LOGISTIC, max_features=1)
    assert display.features_ == ["b"]
    report = missing_value_report(LOGISTIC)
    ax = display.ax_
    display = MissingValuesDisplay(report[[0]]).plot(ax, bar_kw={"lw": 3})
    assert display.features_ == ["a"]
    assert display.ax_ is ax
    assert display.bars_[0][0].get_linewidth() == 3


def test_what_cannot_be_drawn():
    with pytest.raises(NotFittedError, match="LRClassifier"):
        MissingValuesDisplay.from_estimator(LRClassifier())
    with pytest.raises(TypeError, match="got LinearRegression"):
        MissingValuesDisplay.from_estimator(LinearRegression())
    with pytest.raises(ValueError, match=r"no directions.*fit an estimator such as L"):
        MissingValuesDisplay.from_estimator(LOGISTIC, kind="direction")
    with pytest.raises(ValueError, match="No feature had missing values in fit"):
        MissingValuesDisplay(missing_value_report(LOGISTIC)[[3]]).plot()
    with pytest.raises(ValueError, match="kind='side'; expected one of auto"):
        MissingValuesDisplay.from_estimator(BOOSTER, kind="side")
    for n in (0, -1):
        with pytest.raises(ValueError, match=f"max_features={n}; expected an integer"):
            MissingValuesDisplay.from_estimator(BOOSTER, max_features=n)


@pytest.mark.parametrize(
    ("n", "note"),
    [(1, "1 feature without a"), (2, "2 features without a")],
)
def test_features_without_a_direction_are_counted(n, note):
    report = missing_value_report(BOOSTER)
    report["gain_missing_left"][:n] = np.nan
    display = MissingValuesDisplay(report).plot()
    assert len(display.features_) == 3 - n
    assert note in display.ax_.get_xlabel()
