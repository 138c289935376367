"""Derivatives of the losses with respect to all parameters; steps; schedules."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention._embedding import NetworkEmbedding, WidthEmbedding
from skml.attention._losses import LogLoss, SquaredError, softmax
from skml.attention._training import (
    AdamW,
    Rows,
    draw_context,
    fit_widths,
    learning_rate,
    loss_and_gradient,
)
from tests.attention.test_piecewise import make_rows
from tests.oracles.attention import slope, weigh

N_ROWS = 30


def make_problem(n_outputs, *, classes):
    rng = np.random.default_rng(0)
    X, _ = make_rows(N_ROWS)
    Y = rng.normal(size=(N_ROWS, n_outputs))
    weights = rng.random(N_ROWS) + 0.5
    if classes:
        Y = np.eye(n_outputs)[rng.integers(n_outputs, size=N_ROWS)]
        return LogLoss(Y, weights), Rows(X, Y, weights)
    return SquaredError(), Rows(X, Y, weights)


def make_embedding(kind, n_features, n_outputs):
    if kind in {"identity", "scale"}:
        n_widths = 1 if kind == "identity" else n_features
        return WidthEmbedding(n_widths, n_features, n_outputs)
    embedding = NetworkEmbedding(
        n_features,
        4,
        n_outputs,
        hidden_layer_sizes={"linear": (), "mlp": (5,), "deep": (6, 5)}[kind],
        has_mean=kind != "linear",
        mean_sees_hidden=kind == "deep",
        dropout=0.0,
        random_state=np.random.RandomState(0),
    )
    rng = np.random.default_rng(1)
    for name, value in embedding.parameters.items():
        embedding.parameters[name] = value + 0.3 * rng.normal(size=value.shape)
    return embedding


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("score", ["gaussian", "laplace", "scaled-dot-product"])
@pytest.mark.parametrize("kind", ["identity", "scale", "linear", "mlp", "deep"])
@pytest.mark.parametrize("n_heads", [1, 2])
def test_gradients_are_finite_differences(kind, score, classes, n_heads):
    objective, rows = make_problem(3, classes=classes)
    embedding = make_embedding(kind, rows.X.shape[1], 3)
    n_heads = n_heads if kind not in {"identity", "scale"} else 1
    # Some queries are among the keys, and some are not.
    queries, keys = rows.at(np.arange(8)), rows.at(np.arange(4, N_ROWS))
    exclude = np.array([-1] * 4 + [0, 1, 2, 3])

    def evaluate():
        return loss_and_gradient(
            embedding, objective, queries, keys, exclude, score=score, n_heads=n_heads
        )

    _, gradient = evaluate()
    assert gradient.keys() == embedding.parameters.keys()
    for name, parameter in embedding.parameters.items():
        expected = slope(lambda: evaluate()[0], parameter, step=1e-5)
        assert_allclose(gradient[name], expected, atol=1e-7)


@pytest.mark.parametrize("classes", [False, True])
def test_leaving_oneself_out_among_all_rows(classes):
    objective, rows = make_problem(3, classes=classes)
    embedding = make_embedding("scale", rows.X.shape[1], 3)
    arguments = {"score": "gaussian", "n_heads": 1}
    everyone = np.arange(N_ROWS)
    loss, gradient = loss_and_gradient(
        embedding, objective, None, rows, everyone, **arguments
    )
    twin = (
        weigh(
            embedding.forward(rows.X)[0],
            embedding.forward(rows.X)[0],
            "gaussian",
            rows.weights,
            everyone,
        )
        @ rows.Y
    )
    if classes:
        floor = 0.01 * np.average(rows.Y, axis=0, weights=rows.weights)
        share = (twin + floor) / (twin + floor).sum(axis=1, keepdims=True)
        of_row = -np.log((share * rows.Y).sum(axis=1))
    else:
        of_row = np.square(twin - rows.Y).mean(axis=1)
    assert_allclose(loss, np.average(of_row, weights=rows.weights))
    again = loss_and_gradient(embedding, objective, rows, rows, everyone, **arguments)
    assert_allclose(again[0], loss)
    assert_allclose(again[1]["log_widths"], gradient["log_widths"])


def test_softmax_sums_to_one():
    scores = np.array([[1e3, 0.0], [-1e3, -1e3]])
    assert_allclose(softmax(scores), [[1, 0], [0.5, 0.5]])


def test_widths_that_were_learned_cannot_be_improved():
    objective, rows = make_problem(1, classes=False)
    rows = rows._replace(Y=np.sin(rows.X.dense[:, :1]))
    embedding = make_embedding("scale", rows.X.shape[1], 1)
    start = loss_and_gradient(
        embedding, objective, None, rows, np.arange(N_ROWS), score="gaussian", n_heads=1
    )[0]
    losses = fit_widths(embedding, objective, rows, score="gaussian", max_iter=200)
    loss, gradient = loss_and_gradient(
        embedding, objective, None, rows, np.arange(N_ROWS), score="gaussian", n_heads=1
    )
    assert_allclose(losses[0], start)
    assert_allclose(min(losses), loss, rtol=1e-6)
    assert loss < start / 2
    assert np.abs(gradient["log_widths"]).max() < 1e-3


def test_adamw_is_that_of_torch():
    import torch

    rng = np.random.default_rng(0)
    start = rng.normal(size=(4, 3))
    slopes = rng.normal(size=(10, 4, 3))
    ours = {"of_x": start.copy()}
    optimizer = AdamW(ours, weight_decay=0.1)
    theirs = torch.tensor(start, requires_grad=True)
    other = torch.optim.AdamW([theirs], lr=0.01, betas=(0.9, 0.95), weight_decay=0.1)
    for gradient in slopes:
        optimizer.step({"of_x": gradient}, 0.01)
        theirs.grad = torch.tensor(gradient)
        other.step()
    assert_allclose(ours["of_x"], theirs.detach().numpy(), rtol=1e-6)


def test_the_rate_rises_and_falls():
    rates = [learning_rate(step, 200, 0.5) for step in range(200)]
    assert rates[0] == 0.5 / 20
    assert max(rates) < 0.5
    assert np.argmax(rates) == 19
    assert rates[-1] < 1e-3
    assert (np.diff(rates[20:]) < 0).all()


def test_contexts_are_drawn_anew_and_know_their_queries():
    rng = np.random.default_rng(0)
    batch = np.array([3, 17, 40])
    context, exclude = draw_context(50, 100, batch, rng)
    assert_array_equal(context, np.arange(50))
    assert_array_equal(exclude, batch)
    context, exclude = draw_context(50, 20, batch, rng)
    assert len(set(context)) == 20
    for row, place in zip(batch, exclude, strict=True):
        assert (context == row).any() == (place >= 0)
        assert place < 0 or context[place] == row
