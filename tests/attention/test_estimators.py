"""The regressor and the classifier: what they pool, learn, refuse and keep."""

import pickle
import re

import numpy as np
import pandas as pd
import polars
import pytest
import threadpoolctl
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris, make_friedman1
from sklearn.metrics import mean_squared_error
from sklearn.model_selection import GridSearchCV, cross_val_score, train_test_split
from sklearn.pipeline import make_pipeline

from skml import (
    AttentionPoolingClassifier,
    AttentionPoolingRegressor,
    LRClassifier,
    missing_value_report,
)
from skml.attention._candidates import average_curves, learn_best_candidate
from skml.attention._threads import limit_blas_threads
from tests.oracles.attention import weigh

BOTH = [AttentionPoolingRegressor, AttentionPoolingClassifier]
EMBEDDINGS = ["identity", "scale", "linear", "mlp"]
FAST = {"n_estimators": 2, "max_iter": 50}


def make_table(n_rows=120, seed=0):
    """Two numbers with missing values, a category, and a target of all three."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.normal(size=(n_rows, 2)), columns=["a", "b"])
    table["c"] = rng.choice(["x", "y", "z"], size=n_rows)
    y = np.sin(2 * table["a"]) + (table["c"] == "x") - table["b"] ** 2 / 3
    table.loc[::7, "a"] = np.nan
    table.loc[::11, "c"] = None
    return table, y.to_numpy()


def targets(cls, y):
    return y if cls is AttentionPoolingRegressor else np.where(y > 0, "high", "low")


# It is what it says


def test_identity_is_kernel_regression():
    rng = np.random.default_rng(0)
    X, y, queries = (
        rng.normal(size=(40, 3)),
        rng.normal(size=40),
        rng.normal(size=(9, 3)),
    )
    model = AttentionPoolingRegressor(embedding="identity", bandwidth=0.7).fit(X, y)
    scale = X.std(axis=0) * 0.7
    weights = weigh(
        (queries - X.mean(axis=0)) / scale, (X - X.mean(axis=0)) / scale, "gaussian"
    )
    assert_allclose(model.predict(queries), weights @ y, rtol=1e-9)
    assert_allclose(model.attention_weights(queries), weights, atol=1e-12)
    std = model.predict(queries, return_std=True)[1]
    assert_allclose(std**2, weights @ y**2 - (weights @ y) ** 2, rtol=1e-6)


def test_identity_is_the_classifier_of_kernels():
    X, y = load_iris(return_X_y=True)
    model = AttentionPoolingClassifier(embedding="identity", bandwidth=0.5).fit(X, y)
    scaled = (X - X.mean(axis=0)) / X.std(axis=0) / 0.5
    shares = weigh(scaled[:20], scaled, "gaussian") @ np.eye(3)[y] + 0.01 / 3
    expected = shares / shares.sum(axis=1, keepdims=True)
    assert_allclose(model.predict_proba(X[:20]), expected, rtol=1e-9)
    assert_allclose(model.predict_log_proba(X[:20]), np.log(expected), rtol=1e-9)


def test_leave_one_out_chooses_the_best_bandwidth():
    rng = np.random.default_rng(0)
    X = rng.uniform(0, 5, size=(80, 1))
    y = np.sin(2 * X[:, 0]) + 0.3 * rng.normal(size=80)
    chosen = AttentionPoolingRegressor(embedding="identity").fit(X, y)
    scaled, target = (X - X.mean()) / X.std(), (y - y.mean()) / y.std()

    def left_out(bandwidth):
        weights = weigh(
            scaled / bandwidth, scaled / bandwidth, "gaussian", exclude=np.arange(80)
        )
        return np.mean((weights @ target - target) ** 2)

    best = min(left_out(bandwidth) for bandwidth in np.geomspace(0.02, 2, 60))
    assert chosen.loss_curve_[-1] <= best * 1.0001


def test_a_feature_of_noise_gets_a_large_bandwidth():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 2))
    y = np.sin(3 * X[:, 0])
    model = AttentionPoolingRegressor(embedding="scale").fit(X, y)
    points = model.transform(X)
    assert points.shape == (200, 2)
    assert points[:, 0].std() > 20 * points[:, 1].std()


def test_linear_residual_continues_beyond_the_data():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, size=(300, 1))
    y = 3 * X[:, 0] + 1
    model = AttentionPoolingRegressor(embedding="scale", residual="linear").fit(X, y)
    plain = AttentionPoolingRegressor(embedding="scale").fit(X, y)
    assert_allclose(model.predict([[2.0]]), 7, atol=0.05)
    assert plain.predict([[2.0]]) < 4.1


@pytest.mark.parametrize("embedding", ["linear", "mlp"])
def test_networks_learn_what_bandwidths_cannot(embedding):
    """A target of one direction among eight features that are all of one size."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 8))
    y = np.sin(2 * X @ np.full(8, 8**-0.5)) + 0.05 * rng.normal(size=800)
    losses = {}
    for candidate in ("scale", embedding):
        model = AttentionPoolingRegressor(
            embedding=candidate,
            numeric_encoding="none",
            n_estimators=1,
            max_iter=150,
            random_state=0,
        ).fit(X[:600], y[:600])
        losses[candidate] = mean_squared_error(y[600:], model.predict(X[600:]))
    assert losses[embedding] < losses["scale"] / 5


def test_a_network_learns_friedman1_better_than_bandwidths():
    """The defaults, of eight networks: benchmarks/prove_attention.py."""
    X, y = make_friedman1(1000, noise=0.5, random_state=0)
    model = AttentionPoolingRegressor(n_estimators=1, max_iter=200, random_state=0)
    model.fit(X[:600], y[:600])
    assert model.embedding_ == "mlp"
    error = mean_squared_error(y[600:], model.predict(X[600:]))
    assert error < 1.5  # of which noise is .25, and the targets' variance 24
    scale = AttentionPoolingRegressor(embedding="scale", max_iter=30)
    scale.fit(X[:600], y[:600])
    assert error < mean_squared_error(y[600:], scale.predict(X[600:])) / 2


def test_little_noisy_data_is_not_overfitted():
    X, y = load_diabetes(return_X_y=True)
    model = AttentionPoolingRegressor(n_estimators=2, max_iter=200, random_state=0)
    assert cross_val_score(model, X, y, cv=3).mean() > 0.4


def test_classes_against_logistic_regression():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y = (np.hypot(*X.T) > 1.1) ^ (X[:, 0] > 0)
    X_train, X_test, y_train, y_test = train_test_split(X, y, random_state=0)
    model = AttentionPoolingClassifier(n_estimators=1, max_iter=150, random_state=0)
    assert model.fit(X_train, y_train).score(X_test, y_test) > 0.9
    assert LRClassifier().fit(X_train, y_train).score(X_test, y_test) < 0.75


# Weights, order, repetition


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("embedding", EMBEDDINGS)
def test_weights_are_repetitions_and_order_does_not_count(cls, embedding):
    X, y = make_table()
    y = targets(cls, y)
    times = np.random.default_rng(1).integers(0, 4, size=len(y))
    rows = np.random.default_rng(2).permutation(np.repeat(np.arange(len(y)), times))
    model = cls(embedding=embedding, random_state=0, **FAST)
    weighted = clone(model).fit(X, y, sample_weight=times)
    repeated = clone(model).fit(X.iloc[rows], y[rows])
    method = "predict" if cls is AttentionPoolingRegressor else "predict_proba"
    assert_allclose(
        getattr(weighted, method)(X), getattr(repeated, method)(X), rtol=1e-9
    )


def test_attention_weights_belong_to_the_rows_of_fit():
    X, y = np.array([[0.0], [1.0], [1.0], [1.0], [5.0]]), np.array([0.0, 1, 1, 2, 9])
    model = AttentionPoolingRegressor(embedding="identity", bandwidth=0.3)
    model.fit(X, y, sample_weight=[1, 1, 3, 1, 0])
    weights = model.attention_weights([[1.0]])
    assert weights.shape == (1, 5)
    assert_allclose(weights.sum(), 1)
    assert weights[0, 4] == 0
    assert_allclose(weights[0, 1:4] / weights[0, 1], [1, 3, 1])
    assert_allclose(model.predict([[1.0]]), weights @ y, rtol=1e-9)


@pytest.mark.parametrize("n_heads", [1, 2])
def test_top_k_are_the_largest_weights(n_heads, monkeypatch):
    monkeypatch.setattr("skml.attention._ensemble.TILE_BYTES", 8 * 120 * 10)
    X, y = make_table()
    model = AttentionPoolingRegressor(
        embedding="mlp", n_heads=n_heads, random_state=0, **FAST
    ).fit(X, y)
    everything = model.attention_weights(X)
    assert_allclose(everything.sum(axis=1), 1, rtol=1e-9)
    few, rows = model.attention_weights(X, top_k=5)
    assert_array_equal(few, np.sort(everything)[:, :-6:-1])
    assert_array_equal(np.take_along_axis(everything, rows, axis=1), few)
    assert model.attention_weights(X, top_k=10**6)[1].shape == everything.shape


@pytest.mark.parametrize(
    "parameters",
    [
        {"embedding": "auto"},
        {"embedding": "mlp", "n_heads": 2, "attention": "auto"},
        {"embedding": "linear", "attention": "additive", "n_components": 4},
        {"embedding": "scale", "residual": "linear"},
        {"embedding": "mlp", "residual": "none"},
    ],
)
def test_predictions_are_weighted_targets_and_an_offset(parameters):
    X, y = make_table()
    rows = [*range(120), *range(20)]  # some of which are there twice
    X, Y = X.iloc[rows], np.column_stack([y, -y, np.square(y)])[rows]
    weight = np.random.default_rng(0).integers(1, 4, size=len(X))
    model = AttentionPoolingRegressor(**parameters, random_state=0, **FAST)
    model.fit(X, Y, weight)
    offset = model.predict_offset(X)
    weighted = model.attention_weights(X) @ Y
    assert_allclose(model.predict(X), weighted + offset, rtol=1e-9, atol=1e-9)
    has_mean = parameters.get("residual") != "none"
    assert (np.abs(offset).max() > 0.01 * Y.std()) == has_mean


@pytest.mark.parametrize("cls", BOTH)
def test_features_that_do_not_vary_teach_nothing(cls):
    X, y = make_table()
    X = X.assign(a=0.1, b=np.nan, c="x")
    with pytest.warns(UserWarning, match="learned nothing: .* no feature varies"):
        model = cls(random_state=0, **FAST).fit(X, targets(cls, y))
    assert len(set(model.predict(X))) == 1


@pytest.mark.parametrize(
    ("cls", "units"),
    [
        (AttentionPoolingRegressor, (2.0**-560, 2.0**-120, 2.0**-40, 2.0**510)),
        (AttentionPoolingClassifier, (2.0**-560,)),
    ],
)
def test_the_unit_of_a_column_does_not_matter(cls, units):
    X, y = make_table()
    y = targets(cls, y)
    model = cls(random_state=0, **FAST)
    expected = model.fit(X, y).predict(X)
    assert len(np.unique(expected)) > 1
    for unit in units:
        scaled = X.assign(a=X["a"] * unit)
        assert_array_equal(model.fit(scaled, y).predict(scaled), expected)


def test_the_unit_of_the_target_does_not_matter():
    X, y = make_table()
    model = AttentionPoolingRegressor(random_state=0, **FAST)
    expected = model.fit(X, y).predict(X)
    for unit in (2.0**-560, 2.0**-50, 2.0**510):
        assert_array_equal(model.fit(X, unit * y).predict(X), unit * expected)


# Tables


@pytest.mark.parametrize("cls", BOTH)
def test_containers_are_equal(cls):
    X, y = make_table()
    y = targets(cls, y)
    model = cls(random_state=0, **FAST)
    expected = clone(model).fit(X, y).predict(X)
    assert len(np.unique(expected)) > 1
    other = clone(model).fit(polars.from_pandas(X), polars.Series(y))
    assert_array_equal(other.predict(polars.from_pandas(X)), expected)


def test_sparse_is_dense():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(60, 4)) * (rng.random((60, 4)) < 0.4)
    y = X.sum(axis=1)
    model = AttentionPoolingRegressor(random_state=0, **FAST)
    expected = clone(model).fit(X, y).predict(X)
    found = clone(model).fit(sparse.csr_array(X), y).predict(sparse.csr_array(X))
    assert_allclose(found, expected, rtol=1e-9)


def test_missing_values_are_reported():
    X, y = make_table()
    model = AttentionPoolingRegressor(random_state=0, **FAST).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    report = missing_value_report(model)
    assert report["treatment"][0] == "zero after scaling + indicator"
    assert "none missing" in report["treatment"][1]
    with pytest.warns(UserWarning, match="'b' had no missing values in fit"):
        model.predict(X.assign(b=np.nan))


def test_informative_missing_values_are_learned():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2))
    y = np.where(rng.random(400) < 0.5, 1.0, 0.0)
    X[y == 1, 0] = np.nan
    model = AttentionPoolingRegressor(random_state=0, **FAST).fit(X[:300], y[:300])
    assert model.score(X[300:], y[300:]) > 0.95


@pytest.mark.parametrize("embedding", [*EMBEDDINGS, "auto"])
def test_several_targets(embedding):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(150, 3))
    Y = np.column_stack([np.sin(2 * X[:, 0]), 100 * X[:, 1], np.full(150, 7.0)])
    model = AttentionPoolingRegressor(
        embedding=embedding, n_estimators=1, max_iter=100, random_state=0
    ).fit(X, Y)
    found, std = model.predict(X, return_std=True)
    assert found.shape == std.shape == (150, 3)
    assert_allclose(found[:, 2], 7)
    assert_allclose(std[:, 2], 0, atol=1e-6)
    assert model.score(X[:, :], Y) > 0.8
    frame = pd.DataFrame(Y, columns=["p", "q", "r"])
    again = clone(model).fit(X, frame)
    assert_array_equal(again.predict(X), found)


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("embedding", [*EMBEDDINGS, "auto"])
@pytest.mark.parametrize("n_rows", [1, 2, 3, 25])
def test_few_rows(cls, embedding, n_rows):
    X = np.arange(2.0 * n_rows).reshape(n_rows, 2)
    y = np.arange(n_rows) % 3
    model = cls(embedding=embedding, random_state=0, **FAST).fit(X, y)
    assert np.isfinite(model.predict(X)).all()
    if n_rows == 1:
        assert_array_equal(model.predict([[7.0, 7.0]]), y)


@pytest.mark.parametrize("embedding", [*EMBEDDINGS, "auto"])
def test_constants(embedding):
    X = np.ones((50, 3))
    y = np.arange(50.0)
    model = AttentionPoolingRegressor(embedding=embedding, random_state=0, **FAST)
    with pytest.warns(UserWarning, match="learned nothing"):
        model.fit(X, y)
    assert_allclose(model.predict(X[:2]), 24.5, atol=0.5)
    rng = np.random.default_rng(0)
    constant = model.fit(rng.normal(size=(50, 3)), np.full(50, 5.0))
    assert_allclose(constant.predict(X), 5)


def test_one_class():
    model = AttentionPoolingClassifier(random_state=0, **FAST)
    model.fit(np.arange(60.0).reshape(30, 2), ["only"] * 30)
    assert_array_equal(model.predict_proba([[0.0, 1.0]]), [[1.0]])
    assert model.predict([[0.0, 1.0]]) == ["only"]


def test_class_weight_moves_the_border():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 2))
    y = (X[:, 0] + rng.normal(size=300) > 1.2).astype(int)
    found = {}
    for weight in (None, "balanced"):
        model = AttentionPoolingClassifier(
            embedding="scale", class_weight=weight, random_state=0
        )
        found[weight] = model.fit(X, y).predict(X).mean()
    assert found["balanced"] > 1.3 * found[None]


# As an estimator


def test_a_subclass_may_have_fewer_parameters():
    class Short(AttentionPoolingRegressor):
        def __init__(self, bandwidth=0.7):
            super().__init__(embedding="identity", bandwidth=bandwidth)

    X, y = make_table()
    model = AttentionPoolingRegressor(embedding="identity", bandwidth=0.7).fit(X, y)
    assert_array_equal(Short().fit(X, y).predict(X), model.predict(X))


@pytest.mark.parametrize("cls", BOTH)
@pytest.mark.parametrize("attention", ["gaussian", "laplace", "auto"])
def test_same_seed_same_model_and_pickles_are_exact(cls, attention):
    X, y = make_table()
    y = targets(cls, y)
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    models = [
        cls(attention, embedding="mlp", input_noise=0.1, random_state=seed, **FAST).fit(
            X, y
        )
        for seed in (0, 0, 1)
    ]
    assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    first, same, other = (model.transform(X) for model in models)
    assert_array_equal(first, same)
    assert not np.array_equal(first, other)
    restored = pickle.loads(pickle.dumps(models[0]))
    assert_array_equal(restored.predict(X), models[0].predict(X))
    assert restored.get_feature_names_out()[0] == f"{cls.__name__.lower()}0"


def test_threads_give_the_same():
    X, y = make_friedman1(200, random_state=0)  # 64 queries are worth a thread
    few = {"n_estimators": 1, "max_iter": 3, "random_state": 0}
    one = AttentionPoolingRegressor(**few).fit(X, y)
    two = AttentionPoolingRegressor(n_jobs=2, **few).fit(X, y)
    assert_array_equal(one.predict(X), two.predict(X))


def count_threads():
    info = threadpoolctl.threadpool_info()
    return [lib["num_threads"] for lib in info if lib["user_api"] == "blas"]


def test_the_last_that_leaves_puts_the_threads_of_products_back():
    with threadpoolctl.threadpool_limits(3, user_api="blas"):
        first, second = limit_blas_threads(1), limit_blas_threads(1)
        first.__enter__()
        second.__enter__()
        first.__exit__(None, None, None)
        assert set(count_threads()) == {1}
        second.__exit__(None, None, None)
        assert set(count_threads()) == {3}


def test_fit_limits_the_threads_of_products_and_restores_them(monkeypatch):
    seen = []

    def learn(problem):
        seen.append(count_threads())
        return learn_best_candidate(problem)

    monkeypatch.setattr("skml.attention._base.learn_best_candidate", learn)
    X, y = make_friedman1(60, random_state=0)
    with threadpoolctl.threadpool_limits(2, user_api="blas"):
        AttentionPoolingRegressor(**FAST).fit(X, y)
        assert set(count_threads()) == {2}
    assert seen
    assert set(seen[0]) == {1}


def test_grid_search_and_pipeline():
    X, y = make_table()
    search = GridSearchCV(
        AttentionPoolingRegressor(n_estimators=1, max_iter=5, random_state=0),
        {"embedding": ["scale", "mlp"], "attention": ["gaussian", "laplace"]},
        cv=2,
    ).fit(X, y)
    assert set(search.best_params_) == {"embedding", "attention"}
    features = make_pipeline(
        AttentionPoolingClassifier(random_state=0, **FAST), LRClassifier()
    ).set_output(transform="pandas")
    features.fit(X, targets(AttentionPoolingClassifier, y))
    assert features.score(X, targets(AttentionPoolingClassifier, y)) > 0.8


def test_curves_have_a_value_for_each_step():
    X, y = make_friedman1(300, random_state=0)
    model = AttentionPoolingRegressor(
        embedding="mlp", n_estimators=3, max_iter=100, random_state=0
    ).fit(X, y)
    assert model.n_iter_ == 100
    for curve in (model.loss_curve_, model.validation_score_):
        assert curve.dtype == np.float64
        assert curve.shape == (100,)
    assert model.loss_curve_[-25:].mean() < 0.8 * model.loss_curve_[:25].mean()
    scores = model.validation_score_.reshape(4, 25)  # scored every 25 steps
    assert_array_equal(scores, np.repeat(scores[:, :1], 25, axis=1))
    assert scores[-1, 0] > scores[0, 0]
    assert model.transform(X).shape == (300, 3 * 16)


def test_networks_that_stop_earlier_keep_their_last_values():
    curve = average_curves([[4.0, 2.0], [2.0, 2.0, 1.0]])
    assert_array_equal(curve, [3.0, 2.0, 1.5])


def test_bandwidths_have_a_value_for_each_iteration():
    X, y = make_friedman1(60, random_state=0)
    model = AttentionPoolingRegressor(embedding="scale", max_iter=5).fit(X, y)
    assert model.n_iter_ == len(model.loss_curve_) == 5
    assert (np.diff(model.loss_curve_) < 0).all()
    assert not hasattr(model, "validation_score_")
    fixed = AttentionPoolingRegressor(embedding="identity", bandwidth=0.5).fit(X, y)
    assert fixed.n_iter_ == len(fixed.loss_curve_) == 1


def test_early_stopping_is_automatic_with_many_rows():
    """With more than 10 000 of them."""
    X, y = make_friedman1(10_001, random_state=0)
    for n_rows in (10_000, 10_001):
        model = AttentionPoolingRegressor(
            embedding="linear", early_stopping="auto", n_estimators=1, max_iter=1
        ).fit(X[:n_rows], y[:n_rows])
        assert hasattr(model, "validation_score_") == (n_rows > 10_000)


@pytest.mark.parametrize(
    ("cls", "loss"),
    [
        (AttentionPoolingRegressor, "squared_error"),
        (AttentionPoolingClassifier, "log_loss"),
    ],
)
def test_verbose_prints_evaluations(cls, loss, capsys):
    X, y = make_friedman1(100, random_state=0)
    y = y > y.mean() if cls is AttentionPoolingClassifier else y
    cls(verbose=1, random_state=0, **FAST).fit(X, y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    name = rf"\[{cls.__name__}\]"
    first = rf"{name} scale, iteration \d+/\d+: leave-one-out loss \({loss}\) 0\."
    assert re.match(first, lines[0])
    last = rf"{name} mlp, network 2/2, step 50/50: loss \({loss}\) .*, validation loss "
    assert re.match(last, lines[4])


@pytest.mark.parametrize("n_rows", [100, 6000, 45_000])
def test_small_tables_have_more_networks(n_rows):
    X, y = make_friedman1(n_rows, random_state=0)
    model = AttentionPoolingRegressor(embedding="linear", max_iter=1, random_state=0)
    assert model.fit(X, y).n_estimators_ == {100: 8, 6000: 7, 45_000: 1}[n_rows]


@pytest.mark.parametrize("attention", ["additive", "scaled-dot-product"])
@pytest.mark.parametrize("n_rows", [30, 200])
def test_scores_without_a_bandwidth_learn_a_metric(attention, n_rows):
    X, y = make_friedman1(n_rows + 100, random_state=0)
    model = AttentionPoolingRegressor(
        attention, n_estimators=1, max_iter=200, random_state=0
    ).fit(X[:n_rows], y[:n_rows])
    assert model.embedding_ == {30: "linear", 200: "mlp"}[n_rows]
    assert model.transform(X).shape == (len(X), model.n_components)
    assert len(model.get_feature_names_out()) == model.n_components
    weights = model.attention_weights(X)
    assert weights.shape == (len(X), n_rows)
    assert_allclose(weights.sum(axis=1), 1)
    assert model.score(X[n_rows:], y[n_rows:]) > {30: 0.2, 200: 0.7}[n_rows]


def test_without_early_stopping_all_steps_are_taken():
    X, y = make_friedman1(100, random_state=0)
    model = AttentionPoolingRegressor(
        embedding="mlp",
        early_stopping=False,
        n_estimators=1,
        max_iter=130,
        random_state=0,
    ).fit(X, y)
    assert model.n_iter_ == 130
    stopped = AttentionPoolingRegressor(
        embedding="mlp",
        n_iter_no_change=1,
        tol=10.0,
        n_estimators=1,
        max_iter=130,
        random_state=0,
    ).fit(X, y)
    assert stopped.n_iter_ == 50


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"bandwidth": 0}, "bandwidth"),
        ({"bandwidth": 1.0}, "belongs to embedding='identity'"),
        ({"n_heads": 3}, "does not divide"),
        ({"n_heads": 32}, "does not divide"),
        ({"n_heads": 2, "embedding": "scale"}, "n_heads=2 has no effect"),
        ({"hidden_layer_sizes": (0,)}, "positive integers"),
        ({"hidden_layer_sizes": [2.5]}, "positive integers"),
        ({"embedding": "scale", "residual": "mlp"}, "needs the network"),
        (
            {"embedding": "scale", "attention": "additive"},
            "attention='additive' has no bandwidth",
        ),
        ({"n_heads": 2, "attention": "additive"}, "n_heads=2 has no effect"),
        (
            {"embedding": "scale", "attention": "scaled-dot-product"},
            "no bandwidth to learn",
        ),
        ({"attention": "cosine"}, "'attention' parameter"),
        ({"dropout": 1.0}, "'dropout' parameter"),
    ],
)
@pytest.mark.parametrize("cls", BOTH)
def test_parameters_that_cannot_be_honoured_are_refused(cls, parameters, message):
    with pytest.raises(ValueError, match=message):
        cls(**parameters).fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1])


def test_shifts_of_a_classifier_need_a_network():
    model = AttentionPoolingClassifier(embedding="scale", residual="linear")
    with pytest.raises(ValueError, match="residual='linear' needs"):
        model.fit(np.arange(8.0).reshape(4, 2), [0, 1, 0, 1])


def test_divergence_is_an_error_and_the_old_model_stays():
    X, y = make_friedman1(200, random_state=0)
    model = AttentionPoolingRegressor(embedding="mlp", random_state=0, **FAST).fit(X, y)
    before = model.predict(X)
    model.set_params(learning_rate=1e30)
    with (
        np.errstate(all="ignore"),
        pytest.raises(ValueError, match="Lower learning_rate"),
    ):
        model.fit(X, y)
    assert_array_equal(model.predict(X), before)


@pytest.mark.parametrize("top_k", [0, -1, 2.5])
def test_top_k_must_be_a_positive_integer(top_k):
    model = AttentionPoolingRegressor(embedding="identity").fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="positive integer"):
        model.attention_weights([[0.0]], top_k=top_k)


def test_infinity_and_missing_targets_are_refused():
    X, Y = np.arange(8.0).reshape(4, 2), np.zeros((4, 2))
    model = AttentionPoolingRegressor()
    with pytest.raises(ValueError, match="infinity or a value too large"):
        model.fit([[np.inf, 1.0], [0.0, 1.0]], [0, 1])
    Y[2, 1] = np.nan
    with pytest.raises(ValueError, match="NaN: row 2, column 1"):
        model.fit(X, Y)
