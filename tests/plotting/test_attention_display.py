"""Attention weights as an image: of samples, and of tokens."""

import numpy as np
import pytest
from matplotlib.colors import Normalize
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression

from skml.attention import AttentionPoolingRegressor
from skml.plotting import AttentionDisplay

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2))
POOLING = AttentionPoolingRegressor(embedding="identity").fit(X, X[:, 0])


class Translator(BaseEstimator):
    """The weights and tokens of a translator, without a network."""

    def fit(self, X, y):
        return self

    def __sklearn_is_fitted__(self):
        return True

    def attention_weights(self, X, y=None, *, return_tokens=False):
        target = "le chat ." if y is None else y[0]
        tokens = X[0].split(), target.split()
        weights = np.eye(len(tokens[1]), len(tokens[0]))
        return [weights], [tokens]


class Bert(Translator):
    """Two layers of three heads; the weight is 10 times the layer, plus the head."""

    def attention_weights(self, X, *, return_tokens=False):
        tokens = X[0].split()
        n = len(tokens)
        weights = np.add.outer(10 * np.arange(2), np.arange(3))
        return [weights[:, :, None, None] * np.ones((1, 1, n, n))], [tokens]


def names(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_samples_against_training_samples():
    display = AttentionDisplay.from_estimator(POOLING, X[:3])
    assert_allclose(display.im_.get_array(), POOLING.attention_weights(X[:3]))
    assert display.ax_.get_ylabel() == "Sample"
    assert display.ax_.get_xlabel() == "Training sample"
    assert len(display.figure_.axes) == 2  # with the colorbar


def test_the_training_samples_with_the_largest_weights():
    display = AttentionDisplay.from_estimator(POOLING, X[:2], top_k=3)
    weights = POOLING.attention_weights(X[:2])
    largest = {j for row in weights for j in np.argsort(-row)[:3].tolist()}
    columns = sorted(largest, key=lambda j: -weights[:, j].sum())
    assert_array_equal(display.key_labels, columns)
    assert_allclose(display.weights, weights[:, columns])
    assert names(display.ax_.xaxis) == [str(j) for j in columns]


def test_tokens_of_a_translation():
    display = AttentionDisplay.from_estimator(Translator(), ["the big cat ."])
    assert names(display.ax_.xaxis) == ["the", "big", "cat", "."]
    assert names(display.ax_.yaxis) == ["le", "chat", "."]
    assert_array_equal(display.im_.get_array(), np.eye(3, 4))
    assert display.ax_.get_xlabel() == "Source token"
    display = AttentionDisplay.from_estimator(Translator(), ["a"], ["un"])
    assert display.query_labels == ["un"]


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [({}, 11), ({"layer": 0}, 1), ({"head": 2}, 12), ({"layer": 0, "head": 0}, 0)],
)
def test_layers_and_heads(parameters, expected):
    display = AttentionDisplay.from_estimator(Bert(), ["a b"], **parameters)
    assert_array_equal(display.weights, np.full((2, 2), expected))
    assert display.key_labels == display.query_labels == ["a", "b"]


def test_of_many_tokens_some_are_named():
    n = 100
    display = AttentionDisplay(np.eye(n), key_labels=[f"w{i}" for i in range(n)])
    shown = names(display.plot(colorbar=False).ax_.xaxis)
    assert shown == [f"w{i}" for i in range(0, n, 3)]
    assert len(display.figure_.axes) == 1


@pytest.mark.parametrize(("label", "rotation"), [("long", 45), ("ab", 0)])
def test_long_names_are_turned_and_short_ones_are_not(label, rotation):
    display = AttentionDisplay([[1.0]], key_labels=[label]).plot()
    assert display.ax_.get_xticklabels()[0].get_rotation() == rotation


def test_image_options():
    display = AttentionDisplay([[1.0]]).plot(cmap="cividis", im_kw={"vmax": 2})
    assert display.im_.get_cmap().name == "cividis"
    assert display.im_.get_clim() == (0, 2)


def test_what_cannot_be_drawn():
    with pytest.raises(AttributeError, match="LinearRegression has no `attention_w"):
        AttentionDisplay.from_estimator(LinearRegression().fit(X, X), X)
    with pytest.raises(NotFittedError, match="AttentionPoolingRegressor"):
        AttentionDisplay.from_estimator(AttentionPoolingRegressor(), X)
    for texts in ["a text", ["one", "two"], []]:
        with pytest.raises(ValueError, match="shows a single text; pass it as a list"):
            AttentionDisplay.from_estimator(Translator(), texts)
    for model, name in [(POOLING, "head"), (Translator(), "layer"), (Bert(), "top_k")]:
        with pytest.raises(ValueError, match=f"has no use for '{name}'"):
            AttentionDisplay.from_estimator(model, ["a"], **{name: 1})
    with pytest.raises(ValueError, match="Bert has no use for 'y'"):
        AttentionDisplay.from_estimator(Bert(), ["a"], ["b"])
    with pytest.raises(ValueError, match="weights has 1 dimensions; expected 2"):
        AttentionDisplay(np.ones(3)).plot()
    with pytest.raises(ValueError, match="key_labels has 1 entries; expected 2"):
        AttentionDisplay(np.ones((1, 2)), key_labels=["a"]).plot()
    with pytest.raises(ValueError, match=r"weights has the shape \(0, 2\)"):
        AttentionDisplay(np.ones((0, 2)), query_labels=[]).plot()


def test_any_iterable_of_one_text():
    display = AttentionDisplay.from_estimator(Translator(), iter(["a"]), iter(["un"]))
    assert (display.key_labels, display.query_labels) == (["a"], ["un"])
    with pytest.raises(ValueError, match=r"single text.*such as y\[:1\]"):
        AttentionDisplay.from_estimator(Translator(), ["a"], "un")


@pytest.mark.parametrize(("name", "n"), [("layer", 2), ("head", 3)])
@pytest.mark.parametrize("value", [7, -4, 1.0, "0"])
def test_unknown_layers_and_heads(name, n, value):
    with pytest.raises(ValueError, match=f"{name}={value!r}; the model has {n} {name}"):
        AttentionDisplay.from_estimator(Bert(), ["a b"], **{name: value})


def test_a_norm_has_its_own_limits():
    norm = Normalize(0.5, 3)
    display = AttentionDisplay([[1.0]]).plot(im_kw={"norm": norm})
    assert display.im_.norm is norm
    assert display.im_.get_clim() == (0.5, 3)
