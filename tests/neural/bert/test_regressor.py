"""Numbers for texts: what is learned, in which units, and which targets are refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.metrics import r2_score
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from skml.neural import BertRegressor
from tests.neural.bert import cases
from tests.neural.bert.cases import LONG, NUMBERS, assert_same_weights
from tests.neural.bert.models import SENTENCES, tiny_model

PAIRS = list(zip(SENTENCES, SENTENCES[::-1], strict=True))
TABLE = np.column_stack([NUMBERS, 1e4 - 100 * NUMBERS[::-1]])
BY_HEART = {
    "max_iter": 40,
    "learning_rate": 0.005,
    "dropout": 0.0,
    "batch_size": 8,
}
STILL = {"max_iter": 1, "learning_rate": 1e-30, "dropout": 0.0, "batch_size": 99}


def small(**parameters):
    return cases.small(BertRegressor, **parameters)


def fit(**parameters):
    return cases.fit(BertRegressor, **parameters)


@pytest.fixture(scope="module")
def fitted():
    """A model of text; do not change it."""
    return fit()


# What it says is what transformers says


@pytest.mark.parametrize("y", [NUMBERS, TABLE], ids=["one", "two"])
@pytest.mark.parametrize("X", [SENTENCES, PAIRS], ids=["text", "pairs"])
def test_predictions_are_those_of_transformers(X, y, tmp_path):
    model = fit(X=X, y=y, model=tiny_model(2))
    found = model.predict(X)
    assert (found.shape, found.dtype) == (y.shape, np.float32)
    model.save_pretrained(tmp_path / "model")
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    assert network.config.problem_type == "regression"
    for document, row in zip(X, found, strict=True):
        texts = [document] if isinstance(document, str) else document
        with torch.no_grad():
            logits = network.eval()(**tokenizer(*texts, return_tensors="pt")).logits
        scale = np.abs(y).max()
        assert_allclose(logits[0], np.atleast_1d(row), rtol=1e-5, atol=1e-6 * scale)


def test_other_texts_change_nothing(fitted):
    X = [*SENTENCES, "", SENTENCES[3] * 2]
    alone = np.concatenate([fitted.predict([text]) for text in X])
    assert_allclose(fitted.predict(X), alone, atol=1e-5)
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict([]).dtype == np.float32
    assert fit(y=TABLE, max_iter=1).predict([]).shape == (0, 2)


def test_predictions_of_windows_are_averaged():
    model = fit(long_text="window", max_length=20, window_overlap=6)
    windows = model._cut(model._fitted.reader, [LONG])
    assert len(windows) > 5
    with torch.no_grad():
        found = [
            model.estimators_[0](torch.from_numpy(ids)[None].long()).logits.item()
            for ids in windows.ids
        ]
    assert_allclose(model.predict(["cat", LONG])[1], np.mean(found), rtol=1e-5)


def test_windows_of_short_texts_are_texts(fitted):
    model = fit(long_text="window")
    assert_same_weights(model, fitted)
    assert_array_equal(model.predict(SENTENCES), fitted.predict(SENTENCES))


def test_cutting_warns(fitted):
    message = r"BertRegressor: 1 document\(s\) have more tokens than max_length=64"
    with pytest.warns(UserWarning, match=message) as caught:
        fitted.predict([LONG, "cat"])
    assert [w.filename for w in caught] == [__file__]


# It learns


@pytest.mark.parametrize(
    ("X", "y"),
    [(SENTENCES, NUMBERS), (PAIRS, NUMBERS), (SENTENCES, TABLE)],
    ids=["text", "pairs", "two outputs"],
)
def test_learned_by_heart(X, y):
    model = fit(X=X, y=y, **BY_HEART)
    assert model.score(X, y) > 0.98
    assert model.score(X, y) == pytest.approx(r2_score(y, model.predict(X)))
    assert model.loss_curve_[-1] < 0.05 < model.loss_curve_[0]


@pytest.mark.parametrize(("scale", "shift"), [(1e6, 1e7), (1e-9, 0.0), (-1.0, 5.0)])
def test_units_are_no_matter(scale, shift, fitted):
    # They are divided out, and put into the last layer afterwards.
    model = fit(y=scale * NUMBERS + shift)
    if scale > 0:
        assert_allclose(model.loss_curve_, fitted.loss_curve_, rtol=1e-4)
        expected = scale * fitted.predict(SENTENCES) + shift
        assert_allclose(
            model.predict(SENTENCES), expected, rtol=1e-4, atol=1e-4 * scale
        )
    assert abs(model.predict(SENTENCES).mean() - shift) < 10 * abs(scale)


def test_the_loss_is_in_units_of_the_deviation():
    weights = np.arange(1.0, 9)
    model = fit(y=TABLE, sample_weight=weights, **STILL)
    mean = np.average(TABLE, axis=0, weights=weights)
    scale = np.sqrt(np.average((TABLE - mean) ** 2, axis=0, weights=weights))
    losses = ((model.predict(SENTENCES) - TABLE) / scale) ** 2
    expected = np.average(losses.mean(axis=1), weights=weights)
    assert_allclose(model.loss_curve_, [expected], rtol=1e-4)


@pytest.mark.parametrize("value", [0.0, -1e9])
def test_a_constant_target(value):
    model = fit(y=np.full(8, value), **BY_HEART)
    assert_allclose(model.predict(SENTENCES), value, rtol=1e-4, atol=0.2)
    half = np.column_stack([NUMBERS, np.full(8, value)])
    found = fit(y=half, **BY_HEART).predict(SENTENCES)
    assert_allclose(found[:, 1], value, rtol=1e-4, atol=0.2)
    assert r2_score(NUMBERS, found[:, 0]) > 0.95


# Targets


@pytest.mark.parametrize(
    "dress",
    [
        list,
        tuple,
        iter,
        pl.Series,
        lambda y: pd.Series(y, index=range(20, 28)),
        lambda y: y.astype(np.float32),
        lambda y: pd.Series(y).astype("Float64"),
        lambda y: y.astype(object),
    ],
)
def test_containers_of_targets(dress, fitted):
    model = fit(y=dress(NUMBERS))
    assert_same_weights(model, fitted)
    assert model.predict(SENTENCES).shape == (8,)


@pytest.mark.parametrize(
    "dress",
    [
        np.ndarray.tolist,
        lambda y: pd.DataFrame(y, index=range(20, 28)),
        lambda y: pl.DataFrame(y, schema=["a", "b"]),
    ],
)
def test_containers_of_tables(dress):
    weights = [1, 1, 0, 1, 1, 1, 1, 1]
    model = fit(y=dress(TABLE), sample_weight=weights)
    assert_same_weights(model, fit(y=TABLE, sample_weight=weights))
    assert model.predict(SENTENCES).shape == (8, 2)


def test_a_table_of_one_column_stays_one(fitted):
    model = fit(y=NUMBERS[:, None])
    assert_same_weights(model, fitted)
    found = model.predict(SENTENCES)
    assert_array_equal(found, fitted.predict(SENTENCES)[:, None])


def test_whole_numbers_are_numbers():
    assert_same_weights(fit(y=np.arange(8)), fit(y=np.arange(8.0)))
    assert_same_weights(fit(y=[True, False] * 4), fit(y=[1.0, 0.0] * 4))


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (
            None,
            ValueError,
            r"BertRegressor requires y to be passed, but the target y is",
        ),
        (
            NUMBERS[:-1],
            ValueError,
            r"BertRegressor: X has 8 document\(s\), and y has 7",
        ),
        ([np.nan, *NUMBERS[1:]], ValueError, r"Input y contains NaN"),
        ([None, *NUMBERS[1:]], ValueError, r"Input y contains NaN"),
        ([np.inf, *NUMBERS[1:]], ValueError, r"Input y contains infinity"),
        (
            [1e39, *NUMBERS[1:]],
            ValueError,
            r"Input y contains infinity or a value too la",
        ),
        (["high"] * 8, ValueError, r"could not convert string to float"),
        (np.zeros((8, 1, 1)), ValueError, r"dim 3"),
        (np.empty((8, 0)), ValueError, r"0 feature"),
        (sparse.csr_array(TABLE), TypeError, r"Sparse data was passed for y"),
    ],
)
def test_bad_targets_are_refused(y, error, message):
    model = small()
    with pytest.raises(error, match=message):
        model.fit(SENTENCES, y)
    assert not hasattr(model, "estimators_")


def test_another_kind_than_in_fit_is_refused(fitted):
    with pytest.raises(ValueError, match="BertRegressor: X has pairs of texts; in fit"):
        fitted.predict(PAIRS)
    with pytest.raises(
        ValueError, match="BertRegressor: X has lists of tokens; in fit"
    ):
        fitted.predict([["a", "b"]])
    with pytest.raises(ValueError, match="document 1 is missing"):
        fitted.predict(["a", None])


def test_what_is_not_fitted_says_so():
    with pytest.raises(NotFittedError, match="BertRegressor"):
        BertRegressor().predict(SENTENCES)


def test_tags_and_searches():
    tags = get_tags(BertRegressor())
    assert tags.target_tags.multi_output
    assert tags.target_tags.required
    assert tags.input_tags.string
    scores = cross_val_score(small(max_iter=1), PAIRS, TABLE, cv=2, error_score="raise")
    assert np.isfinite(scores).all()


# To go on


@pytest.mark.parametrize("y", [NUMBERS, TABLE], ids=["one", "two"])
def test_it_goes_on_from_where_it_was(y):
    y = 1000 + 50 * y  # far from what standardised targets are
    model = fit(y=y, **BY_HEART)
    again = fit(y=y[::-1], model=model, **STILL)
    assert again.newly_initialized_ == []
    assert_allclose(again.predict(SENTENCES), model.predict(SENTENCES), rtol=1e-3)


def test_it_gets_better_from_where_it_was(tmp_path):
    y = 1000 + 50 * NUMBERS
    model = fit(y=y, **BY_HEART)
    model.save(tmp_path / "saved")
    once_more = {**BY_HEART, "max_iter": 2, "learning_rate": 1e-4}
    for source in (model, tmp_path / "saved"):
        again = fit(y=y, model=source, **once_more)
        assert again.loss_curve_[0] < 2 * model.loss_curve_[-1] + 0.01
        assert again.score(SENTENCES, y) > 0.9
