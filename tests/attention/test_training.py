"""Derivatives of the losses with respect to all parameters; steps; schedules."""

from copy import deepcopy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.attention._losses import SquaredError, learn_log_loss, softmax
from skml.attention._row_embeddings import (
    AdditiveEmbedding,
    NetworkEmbedding,
    make_bandwidths,
)
from skml.attention._training import (
    AdamW,
    MinibatchTraining,
    Rows,
    draw_context,
    fit_bandwidths,
    hold_out,
    loss_and_gradient,
    scheduled_rate,
)
from tests.attention.test_piecewise import make_rows
from tests.oracles.attention import check_gradient, weigh

N_ROWS = 30


def make_problem(n_outputs, *, classes):
    rng = np.random.default_rng(0)
    X, _ = make_rows(N_ROWS)
    Y = rng.normal(size=(N_ROWS, n_outputs))
    weights = rng.random(N_ROWS) + 0.5
    repeats = np.where(np.arange(N_ROWS) % 3 == 0, 0.5 * weights, 0.0)
    if classes:
        Y = np.eye(n_outputs)[rng.integers(n_outputs, size=N_ROWS)]
        return learn_log_loss(Y, weights), Rows(X, Y, weights, repeats)
    return SquaredError(), Rows(X, Y, weights, repeats)


def make_embedding(kind, n_features, n_outputs, cls=NetworkEmbedding):
    if kind in {"identity", "scale"}:
        n_bandwidths = 1 if kind == "identity" else n_features
        return make_bandwidths(n_bandwidths, n_features, n_outputs)
    embedding = cls(
        parameters={},
        n_features=n_features,
        n_components=4 if cls is NetworkEmbedding else 3,
        n_outputs=n_outputs,
        hidden_layer_sizes={"linear": (), "mlp": (5,), "deep": (6, 5)}[kind],
        has_mean=kind != "linear",
        mean_sees_hidden=kind == "deep",
    ).initialize(np.random.RandomState(0))
    embedding.check()
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

    def evaluate():
        return loss_and_gradient(
            embedding, objective, rows, 8, score=score, n_heads=n_heads
        )

    check_gradient(lambda: evaluate()[0], embedding.parameters, evaluate()[1])


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("kind", ["linear", "deep"])
def test_gradients_of_the_additive_score(kind, classes):
    objective, rows = make_problem(2, classes=classes)
    embedding = make_embedding(kind, rows.X.shape[1], 2, AdditiveEmbedding)
    assert embedding.forward(rows.X)[0].shape == (N_ROWS, 9)

    def evaluate():
        return loss_and_gradient(
            embedding, objective, rows, 8, score="additive", n_heads=1
        )

    check_gradient(lambda: evaluate()[0], embedding.parameters, evaluate()[1])


@pytest.mark.parametrize("classes", [False, True])
@pytest.mark.parametrize("n_queries", [7, N_ROWS])
def test_the_first_rows_are_queries_and_leave_themselves_out(n_queries, classes):
    objective, rows = make_problem(3, classes=classes)
    rows = rows._replace(repeats=np.zeros(N_ROWS))
    embedding = make_embedding("scale", rows.X.shape[1], 3)
    loss, _ = loss_and_gradient(
        embedding, objective, rows, n_queries, score="gaussian", n_heads=1
    )
    twin = (
        weigh(
            embedding.forward(rows.X)[0],
            embedding.forward(rows.X)[0],
            "gaussian",
            rows.weights,
            np.arange(N_ROWS),
        )
        @ rows.Y
    )
    if classes:
        floor = 0.01 * np.average(rows.Y, axis=0, weights=rows.weights)
        share = (twin + floor) / (twin + floor).sum(axis=1, keepdims=True)
        of_row = -np.log((share * rows.Y).sum(axis=1))
    else:
        of_row = np.square(twin - rows.Y).mean(axis=1)
    queries = slice(n_queries)
    assert_allclose(loss, np.average(of_row[queries], weights=rows.weights[queries]))


@pytest.mark.parametrize("kind", ["scale", "mlp"])
def test_a_row_with_repeats_is_so_many_equal_rows(kind):
    objective, rows = make_problem(2, classes=False)
    counts = np.where(np.arange(N_ROWS) < 5, 3, 1)
    merged = rows._replace(weights=counts.astype(float), repeats=counts - 1.0)
    apart = rows.select(np.repeat(np.arange(N_ROWS), counts))
    apart = apart._replace(weights=np.ones(counts.sum()), repeats=0 * apart.weights)
    embedding = make_embedding(kind, rows.X.shape[1], 2)
    found = [
        loss_and_gradient(
            embedding, objective, r, len(r.X), score="gaussian", n_heads=1
        )
        for r in (merged, apart)
    ]
    assert_allclose(found[0][0], found[1][0])
    for name, gradient in found[0][1].items():
        assert_allclose(gradient, found[1][1][name], atol=1e-12)


def test_one_of_equal_rows_is_held_out():
    _, rows = make_problem(1, classes=False)
    rows = rows._replace(weights=np.full(N_ROWS, 1.0), repeats=np.zeros(N_ROWS))
    rows.weights[[3, 8]], rows.repeats[[3, 8]] = [2, 3], [1, 2]
    learned, held = hold_out(rows, np.array([3, 5]))
    learned, held = learned.select(slice(None)), held.select(slice(None))
    assert_array_equal(held.X.dense, rows.X.dense[[3, 5]])
    assert_array_equal(held.weights, [1, 1])
    assert_array_equal(learned.X.dense, np.delete(rows.X.dense, 5, axis=0))
    assert_array_equal(learned.weights[[3, 7]], [1, 3])
    assert_array_equal(learned.repeats[[3, 7]], [0, 2])
    assert learned.weights.sum() + held.weights.sum() == rows.weights.sum()


def test_softmax_sums_to_one():
    scores = np.array([[1e3, 0.0], [-1e3, -1e3]])
    assert_allclose(softmax(scores), [[1, 0], [0.5, 0.5]])


def test_bandwidths_that_were_learned_cannot_be_improved():
    objective, rows = make_problem(1, classes=False)
    rows = rows._replace(Y=np.sin(rows.X.dense[:, :1]))
    embedding = make_embedding("scale", rows.X.shape[1], 1)
    start = loss_and_gradient(
        embedding, objective, rows, N_ROWS, score="gaussian", n_heads=1
    )[0]
    losses, least = fit_bandwidths(
        embedding, objective, rows, score="gaussian", max_iter=200
    )
    loss, gradient = loss_and_gradient(
        embedding, objective, rows, N_ROWS, score="gaussian", n_heads=1
    )
    assert losses[0] < start
    assert_allclose([min(losses), least], loss, rtol=1e-6)
    assert loss < start / 2
    assert np.abs(gradient["log_bandwidths"]).max() < 1e-3


def test_adamw_is_the_published_algorithm():
    """Loshchilov and Hutter, "Decoupled Weight Decay Regularization", algorithm 2."""
    rng = np.random.default_rng(0)
    ours = {"x_weights": rng.normal(size=(4, 3)), "bias": rng.normal(size=3)}
    theirs = {name: value.copy() for name, value in ours.items()}
    optimizer = AdamW(ours, weight_decay=0.1)
    moments = {name: [0.0, 0.0] for name in ours}
    for t in range(1, 11):
        slopes = {name: rng.normal(size=value.shape) for name, value in ours.items()}
        optimizer.step(slopes, 0.01)
        for name, g in slopes.items():
            m, v = moments[name]
            m, v = 0.9 * m + 0.1 * g, 0.95 * v + 0.05 * g**2
            moments[name] = [m, v]
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.95**t)
            decay = 0.1 if name == "x_weights" else 0.0  # a bias does not decay
            theirs[name] -= 0.01 * (m_hat / np.sqrt(v_hat) + decay * theirs[name])
        for name, value in theirs.items():
            assert_allclose(ours[name], value, rtol=1e-6)


def test_the_rate_rises_and_falls():
    rates = [scheduled_rate(step, 200, 0.5) for step in range(200)]
    assert rates[0] == 0.5 / 20
    assert max(rates) < 0.5
    assert np.argmax(rates) == 19
    assert rates[-1] < 1e-3
    assert (np.diff(rates[20:]) < 0).all()


@pytest.mark.parametrize("context_size", [20, 50, 100])
def test_contexts_begin_with_their_queries(context_size):
    batch = np.array([40, 3, 17])
    rng = np.random.default_rng(0)
    contexts = [draw_context(50, context_size, batch, rng) for _ in range(2)]
    for context in contexts:
        assert_array_equal(context[:3], batch)
        assert len(context) == len(set(context)) == min(50, context_size)
    # Drawn anew, unless all rows are in.
    assert (set(contexts[0]) == set(contexts[1])) == (context_size >= 50)


def test_units_drop_out_for_all_rows_alike():
    X, _ = make_rows(N_ROWS)
    embedding = make_embedding("deep", X.shape[1], 2)
    _, _, (_, layers) = embedding.forward(X, 0.5, np.random.default_rng(0))
    for (activation, kept, below), size in zip(layers, (6, 5), strict=True):
        assert kept.shape == (size,)
        assert set(kept) == {0.0, 2.0}
        assert_allclose(below, activation * kept)


def make_training(losses, **options):
    """A training whose validation set has the given losses, one after the other."""
    objective, rows = make_problem(1, classes=False)
    embedding = make_embedding("linear", rows.X.shape[1], 1)
    for name, value in embedding.parameters.items():
        embedding.parameters[name] = value.astype(np.float32)
    options = {
        "weight_decay": 0.0,
        "batch_size": 8,
        "context_size": 100,
        "learning_rate": 0.01,
        "input_noise": 0.0,
        "attention": "gaussian",
        "n_heads": 1,
        "n_jobs": None,
        "dropout": 0.0,
        "max_iter": 25 * len(losses),
        "n_iter_no_change": 6,
        "tol": 0.0,
        **options,
    }
    others = [field.astype(np.float32) for field in rows[1:]]
    training = MinibatchTraining(
        embedding,
        objective,
        Rows(make_rows(N_ROWS, np.float32)[0], *others),
        np.arange(5),
        options,
        np.random.RandomState(0),
    )
    remaining = iter(losses)
    training._score = lambda: next(remaining)
    return training


def test_steps_without_improvement_are_undone_and_the_rate_is_halved():
    training = make_training([3.0, 2.0, 2.5, 2.5, 1.0, 4.0])
    seen = []

    def report():
        seen.append((training.highest_rate, deepcopy(training.embedding.parameters)))

    assert not training.run(report)
    rates, parameters = zip(*seen, strict=True)
    assert rates == (0.01, 0.01, 0.01, 0.005, 0.005, 0.005)
    for name, value in training.embedding.parameters.items():
        assert_array_equal(parameters[3][name], parameters[1][name])  # undone
        assert (parameters[2][name] != parameters[1][name]).any()
        assert_array_equal(value, parameters[4][name])  # the best in the end
    assert training.best_loss == 1.0


def test_training_stops_without_improvement():
    training = make_training([3.0, 2.0, 2.5, 2.1, 2.2, 1.0], n_iter_no_change=3)
    training.run(lambda: False)
    assert training.scores == [3.0, 2.0, 2.5, 2.1, 2.2]
    assert len(training.losses) == 125
    assert training.best_loss == 2.0
