"""Early stopping: the rule, the validation set, the scores, the best trees."""

import numpy as np
import pandas as pd
import polars
import pyarrow
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.metrics import (
    accuracy_score,
    f1_score,
    log_loss,
    make_scorer,
    mean_absolute_error,
    mean_gamma_deviance,
    mean_poisson_deviance,
    roc_auc_score,
)
from sklearn.utils.validation import check_is_fitted

from skml.tabular import (
    GBDTClassifier,
    GBDTRegressor,
    LightGBMClassifier,
    LightGBMRegressor,
    XGBoostClassifier,
    XGBoostRegressor,
)
from skml.tabular._early_stopping import (
    best_stage,
    should_stop,
    split_groups,
    split_rows,
)

BOOSTERS = {
    "xgboost": (XGBoostClassifier, XGBoostRegressor, {}),
    "lightgbm": (LightGBMClassifier, LightGBMRegressor, {}),
    "hist": (GBDTClassifier, GBDTRegressor, {}),
    "exact": (GBDTClassifier, GBDTRegressor, {"method": "exact"}),
}
booster = pytest.mark.parametrize("name", BOOSTERS)

RNG = np.random.default_rng(0)
N = 300
X = RNG.normal(size=(N, 4))
NOISY = X[:, 0] - X[:, 1] * X[:, 2] + RNG.normal(size=N)
X[RNG.random(X.shape) < 0.1] = np.nan
BINARY = np.where(NOISY > 0, "yes", "no")
THREE = np.array(["low", "middle", "high"])[np.digitize(NOISY, [-0.7, 0.7])]
WEIGHT = RNG.uniform(0.2, 3, size=N)
X_VAL, BINARY_VAL, THREE_VAL, NOISY_VAL, WEIGHT_VAL = (
    values[200:] for values in (X, BINARY, THREE, NOISY, WEIGHT)
)


def make(name, kind="classifier", **parameters):
    """A small booster that stops early."""
    cls = BOOSTERS[name][kind == "regressor"]
    few = {"n_estimators": 12, "random_state": 0, "early_stopping": True}
    return cls(**few | {"learning_rate": 0.5} | BOOSTERS[name][2] | parameters)


# The rule


@pytest.mark.parametrize("n_iter_no_change", [1, 2, 5])
@pytest.mark.parametrize("tol", [0.0, 1e-7, 0.1])
def test_the_rule_is_that_of_scikit_learn(n_iter_no_change, tol):
    theirs = HistGradientBoostingRegressor(n_iter_no_change=n_iter_no_change, tol=tol)
    rng = np.random.default_rng(0)
    sequences = [rng.normal(size=20).round(1).tolist() for _ in range(30)]
    sequences += [[1.0] * 8, list(range(8)), list(range(8, 0, -1)), [0.0, 0.05] * 5]
    stopped = 0
    for scores in sequences:
        for n_scores in range(1, len(scores) + 1):
            expected = theirs._should_stop(scores[:n_scores])
            stopped += expected
            assert should_stop(scores[:n_scores], n_iter_no_change, tol) == expected
    assert stopped > 20


def test_the_best_stage_is_the_first_of_the_best():
    assert best_stage([0.1, 0.5, 0.5, 0.2]) == 2
    assert best_stage([np.nan, np.nan, -3.0, np.nan, -2.0]) == 5
    with pytest.raises(ValueError, match="NaN after each iteration"):
        best_stage([np.nan, np.nan])


SCORES = [0.1, 0.3, 0.2, 0.6, 0.6, 0.5, 0.6, 0.4, 0.9]


@booster
def test_the_trees_of_the_best_iteration_remain(name):
    rest = iter([*([0.0, 0.0] if name == "hist" else []), *np.repeat(SCORES, 2)])
    model = make(name, n_iter_no_change=3, scoring=lambda model, X, y: next(rest))
    model.fit(X, BINARY)
    assert_array_equal(model.validation_score_, SCORES[:7])
    assert_array_equal(model.train_score_, SCORES[:7])
    assert model.n_iter_ == 4
    assert len(list(model.staged_predict(X))) == 4
    fit_rows, _ = held_out(model, BINARY)
    again = make(name, n_estimators=4, early_stopping=False)
    again.fit(X[fit_rows], BINARY[fit_rows])
    assert_allclose(
        model.decision_function(X), again.decision_function(X), rtol=1e-6, atol=1e-6
    )


@booster
def test_without_an_end_all_trees_are_scored(name):
    model = make(name, n_iter_no_change=100).fit(X, BINARY)
    assert len(model.train_score_) == len(model.validation_score_) == 12
    assert model.n_iter_ == np.argmax(model.validation_score_) + 1
    plain = make(name, early_stopping=False).fit(X, BINARY)
    assert plain.n_iter_ == 12
    assert not hasattr(plain, "validation_score_")


# The rows held out


def held_out(model, y):
    """The rows to learn from, sorted, and those held out, as `fit` draws them."""
    train, validation = split_rows(
        np.unique(y, return_inverse=True)[1] if y.dtype.kind == "U" else y,
        model.validation_fraction,
        stratify=y.dtype.kind == "U",
        random_state=np.random.RandomState(model.random_state),
    )
    assert set(train) | set(validation) == set(range(len(y)))
    return np.sort(train), np.sort(validation)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 30, 150])
def test_a_split_is_stratified_by_class(fraction):
    y = np.repeat([0, 1, 2], [180, 90, 30])
    train, validation = split_rows(y, fraction, True, np.random.RandomState(0))
    n_validation = fraction if fraction > 1 else fraction * 300
    assert len(validation) == n_validation
    assert not set(train) & set(validation)
    fractions = np.bincount(y[validation]) / n_validation
    assert_allclose(fractions, [0.6, 0.3, 0.1], atol=0.02)
    _, other_validation = split_rows(y, fraction, True, np.random.RandomState(1))
    assert set(other_validation) != set(validation)


@pytest.mark.parametrize("stratify", [True, False])
@pytest.mark.parametrize("fraction", [0.2, 60])
def test_a_split_by_groups_leaves_groups_whole(stratify, fraction):
    groups = np.array([f"g{i}" for i in RNG.permutation(np.arange(300) % 30)])
    y = np.arange(300) % 3
    for seed in range(5):
        random_state = np.random.RandomState(seed)
        train, validation = split_groups(y, groups, fraction, stratify, random_state)
        assert not set(groups[train]) & set(groups[validation])
        assert len(train) + len(validation) == 300
        assert 40 <= len(validation) <= 80
        if stratify:
            assert set(y[validation]) == {0, 1, 2}


@booster
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_groups_are_on_one_side_only(name, kind):
    """A feature that is a group's own number is of no use for other groups."""
    groups = np.arange(N) // 10
    seen = []

    def note(model, X, y):
        seen.append(set(X[:, 0].round(6)))
        return 0.0

    numbers = np.column_stack([groups.astype(float), np.nan_to_num(X[:, 1])])
    y = BINARY if kind == "classifier" else NOISY
    weight = np.where(np.arange(N) % 10 == 3, 0.0, WEIGHT)
    if name == "hist":  # where scorers see bins: that many, and no other way to look
        model = make(name, kind).fit(numbers, y, weight, groups=groups)
        other = make(name, kind).fit(numbers, y, weight)
        assert model.validation_score_[0] != other.validation_score_[0]
        return
    make(name, kind, scoring=note, n_estimators=1).fit(numbers, y, groups=groups)
    train, validation = seen
    assert not train & validation
    assert len(train | validation) == 30
    make(name, kind).fit(numbers, y, weight, groups=pd.Series(groups))


@booster
def test_groups_that_cannot_be(name):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make(name).fit(X, BINARY, groups=np.arange(N + 1))
    with pytest.raises(ValueError, match="groups has a single one"):
        make(name).fit(X, BINARY, groups=np.zeros(N))
    by_class = (BINARY == "yes").astype(int)
    with pytest.raises(
        ValueError, match=r"part of the rows has none of class '(yes|no)'"
    ):
        make(name).fit(X, BINARY, groups=by_class)
    with pytest.raises(ValueError, match="leaves none of 300 rows"):
        make(name, validation_fraction=300).fit(X, BINARY, groups=np.arange(N))


@booster
def test_a_class_of_one_row_cannot_be_split(name):
    y = np.where(np.arange(N) == 7, "alone", BINARY)
    with pytest.raises(ValueError, match="class 'alone' has a single row"):
        make(name).fit(X, y)
    numbers = np.where(np.arange(N) == 7, 5, np.arange(N) % 2)
    with pytest.raises(ValueError, match="class 5 has a single row"):
        make(name).fit(X, numbers)
    make(name).fit(X, y, X_val=X_VAL, y_val=BINARY_VAL)


@booster
def test_the_seed_chooses_the_rows(name):
    scores = [
        make(name, random_state=seed).fit(X, BINARY).train_score_ for seed in (0, 0, 1)
    ]
    assert_array_equal(scores[0], scores[1])
    assert scores[0][0] != scores[2][0]


# Rows that are given


@booster
def test_validation_rows_that_are_given(name):
    model = make(name).fit(X[:200], THREE[:200], X_val=X_VAL, y_val=THREE_VAL)
    plain = make(name, early_stopping=False, n_estimators=model.n_iter_)
    plain.fit(X[:200], THREE[:200])
    assert_array_equal(model.decision_function(X), plain.decision_function(X))
    for proba, score in zip(
        model.staged_predict_proba(X_VAL), model.validation_score_, strict=False
    ):
        assert_allclose(-log_loss(THREE_VAL, proba), score, rtol=1e-5)


@booster
def test_rows_that_are_given_are_scored_without_early_stopping(name):
    rows = {"X_val": X_VAL, "y_val": THREE_VAL}
    model = make(name, early_stopping=False, n_iter_no_change=1)
    model.fit(X[:200], THREE[:200], **rows)
    plain = make(name, early_stopping=False).fit(X[:200], THREE[:200])
    assert_array_equal(model.decision_function(X), plain.decision_function(X))
    expected = [-log_loss(THREE_VAL, p) for p in model.staged_predict_proba(X_VAL)]
    assert_allclose(model.validation_score_, expected, rtol=1e-5)
    assert model.n_iter_ == len(model.train_score_) == 12
    stage = model._at_stage(11)
    assert stage.n_iter_ == len(stage.validation_score_) == 11
    stopping = make(name).fit(X[:200], THREE[:200], **rows)
    assert_array_equal(
        stopping.validation_score_,
        model.validation_score_[: len(stopping.validation_score_)],
    )


@booster
@pytest.mark.parametrize("scoring", ["loss", "accuracy"])
def test_without_a_validation_set_the_training_score_decides(name, scoring):
    model = make(name, validation_fraction=None, tol=0.02, n_iter_no_change=2)
    model.set_params(scoring=scoring, n_estimators=40).fit(X, BINARY)
    assert not hasattr(model, "validation_score_")
    assert len(model.train_score_) < 40
    assert model.n_iter_ == np.argmax(model.train_score_) + 1
    if scoring == "loss":
        expected = [-log_loss(BINARY, p) for p in model.staged_predict_proba(X)]
    else:
        expected = [accuracy_score(BINARY, p) for p in model.staged_predict(X)]
    assert_allclose(model.train_score_[: model.n_iter_], expected, rtol=1e-5)
    plain = make(name, early_stopping=False, n_estimators=model.n_iter_)
    assert_array_equal(
        model.decision_function(X), plain.fit(X, BINARY).decision_function(X)
    )


@booster
def test_validation_rows_that_cannot_be(name):
    fit = make(name).fit
    with pytest.raises(ValueError, match="X_val and y_val go together; y_val was not"):
        fit(X, BINARY, X_val=X_VAL)
    with pytest.raises(ValueError, match="X_val and y_val go together; X_val was not"):
        fit(X, BINARY, y_val=BINARY_VAL)
    with pytest.raises(ValueError, match="go together; X_val was not passed"):
        fit(X, BINARY, sample_weight_val=WEIGHT_VAL)
    with pytest.raises(
        ValueError, match=r"y_val has the label 'high'.*\['no', 'yes'\]"
    ):
        fit(X, BINARY, X_val=X_VAL, y_val=THREE_VAL)
    with pytest.raises(ValueError, match=r"3 features, but .* expecting 4"):
        fit(X, BINARY, X_val=X_VAL[:, :3], y_val=BINARY_VAL)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        fit(X, BINARY, X_val=X_VAL, y_val=BINARY_VAL[:-1])
    with pytest.raises(ValueError, match="row 2 is -1"):
        fit(
            X,
            BINARY,
            X_val=X_VAL,
            y_val=BINARY_VAL,
            sample_weight_val=np.where(np.arange(100) == 2, -1, 1),
        )
    with pytest.raises(ValueError, match="infinity"):
        fit(X, BINARY, X_val=np.where(X_VAL > 1, np.inf, X_VAL), y_val=BINARY_VAL)


# Scores


@booster
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(
    "y", [BINARY, THREE, NOISY], ids=["binary", "three", "numbers"]
)
def test_scores_are_losses_of_the_validation_set(name, weighted, y):
    kind = "regressor" if y is NOISY else "classifier"
    weight = WEIGHT if weighted else None
    model = make(name, kind, n_iter_no_change=12).fit(X, y, weight)
    for rows, scores in zip(
        held_out(model, y), (model.train_score_, model.validation_score_), strict=True
    ):
        of_rows = None if weight is None else weight[rows]
        if kind == "classifier":
            stages = model.staged_predict_proba(X[rows])
            expected = [-log_loss(y[rows], p, sample_weight=of_rows) for p in stages]
        else:
            stages = model.staged_predict(X[rows])
            expected = [
                -np.average((p - y[rows]) ** 2, weights=of_rows) / 2 for p in stages
            ]
        assert_allclose(expected, scores[: model.n_iter_], rtol=1e-5)
    assert model.n_iter_ == np.argmax(model.validation_score_) + 1


LOSSES = {
    "absolute_error": mean_absolute_error,
    "quantile": lambda y, p: np.mean(np.where(y > p, 0.8 * (y - p), 0.2 * (p - y))),
    "poisson": lambda y, p: np.mean(p - y * np.log(p)),
    "gamma": lambda y, p: np.mean(np.log(p) + y / p),
}


@booster
@pytest.mark.parametrize("loss", LOSSES)
def test_scores_of_other_losses(name, loss):
    if name == "exact" and loss in {"poisson", "gamma"}:
        with pytest.raises(ValueError, match="cannot honour loss"):
            make(name, "regressor", loss=loss).fit(X, np.exp(NOISY))
        return
    y = np.exp(NOISY / 2)
    quantile = 0.8 if loss == "quantile" else None
    model = make(name, "regressor", loss=loss, quantile=quantile).fit(X, y)
    _, rows = held_out(model, y)
    expected = [-LOSSES[loss](y[rows], p) for p in model.staged_predict(X[rows])]
    differences = np.diff(expected), np.diff(model.validation_score_[: model.n_iter_])
    assert_allclose(*differences, rtol=1e-3, atol=1e-5)  # up to what is constant


def yes_score(estimator, X, y, sample_weight=None):
    column = estimator.classes_.tolist().index("yes")
    p = estimator.predict_proba(X)[:, column]
    return -np.average((p - (y == "yes")) ** 2, weights=sample_weight)


SCORERS = {
    "accuracy": ("accuracy", accuracy_score, "predict"),
    "neg_log_loss": ("neg_log_loss", lambda y, p: -log_loss(y, p), "predict_proba"),
    "roc_auc": ("roc_auc", roc_auc_score, "decision_function"),
    "f1 of a label": (
        make_scorer(f1_score, pos_label="no"),
        lambda y, p: f1_score(y, p, pos_label="no"),
        "predict",
    ),
    "callable": (
        yes_score,
        lambda y, p: -np.mean((p[:, 1] - (y == "yes")) ** 2),
        "predict_proba",
    ),
    "the method score": (None, accuracy_score, "predict"),
}


@booster
def test_one_row_of_each_class_may_be_held_out(name):
    rows = np.r_[
        np.flatnonzero(BINARY == "yes")[:6], np.flatnonzero(BINARY == "no")[:6]
    ]
    model = make(name, validation_fraction=2, min_samples_leaf=1)
    model.fit(X[rows], BINARY[rows])
    assert len(model.validation_score_) > 0
    with pytest.raises(ValueError, match="validation_fraction=1 holds out 1 of 12"):
        make(name, validation_fraction=1).fit(X[rows], BINARY[rows])


@booster
@pytest.mark.parametrize("scorer", SCORERS)
def test_scores_are_those_of_a_scorer(name, scorer):
    scoring, score, method = SCORERS[scorer]
    model = make(name, scoring=scoring, n_iter_no_change=12).fit(X, BINARY)
    for rows, scores in zip(
        held_out(model, BINARY),
        (model.train_score_, model.validation_score_),
        strict=True,
    ):
        stages = getattr(model, f"staged_{method}")(X[rows])
        expected = [score(BINARY[rows], stage) for stage in stages]
        assert_allclose(expected, scores[: model.n_iter_], rtol=1e-5)


@booster
@pytest.mark.parametrize(
    ("scoring", "score"),
    [
        ("neg_mean_absolute_error", lambda y, p: -mean_absolute_error(y, p)),
        ("neg_mean_poisson_deviance", lambda y, p: -mean_poisson_deviance(y, p)),
        ("neg_mean_gamma_deviance", lambda y, p: -mean_gamma_deviance(y, p)),
    ],
)
def test_scores_of_regressors(name, scoring, score):
    y = np.exp(NOISY / 4) + 3
    model = make(name, "regressor", scoring=scoring, n_estimators=5).fit(X, y)
    _, rows = held_out(model, y)
    expected = [score(y[rows], p) for p in model.staged_predict(X[rows])]
    assert_allclose(expected, model.validation_score_[: model.n_iter_], rtol=1e-4)


@booster
def test_three_classes_have_their_scorer(name):
    model = make(name, scoring="roc_auc_ovr").fit(X, THREE)
    _, rows = held_out(model, THREE)
    expected = [
        roc_auc_score(THREE[rows], p, multi_class="ovr")
        for p in model.staged_predict_proba(X[rows])
    ]
    assert_allclose(expected, model.validation_score_[: model.n_iter_])


@booster
def test_scorers_get_the_weights(name):
    heavy = WEIGHT.copy()
    model = make(name, scoring=yes_score, n_iter_no_change=12).fit(X, BINARY, heavy)
    _, rows = held_out(model, BINARY)
    expected = [
        -np.average((p[:, 1] - (BINARY[rows] == "yes")) ** 2, weights=heavy[rows])
        for p in model.staged_predict_proba(X[rows])
    ]
    assert_allclose(expected, model.validation_score_[: model.n_iter_], rtol=1e-5)
    given = {"X_val": X_VAL, "y_val": BINARY_VAL}
    plain = make(name, scoring=yes_score).fit(X, BINARY, **given)
    weighed = make(name, scoring=yes_score).fit(
        X, BINARY, **given, sample_weight_val=WEIGHT_VAL
    )
    assert plain.validation_score_[0] != weighed.validation_score_[0]
    assert plain.train_score_[0] == weighed.train_score_[0]


@booster
@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
@pytest.mark.parametrize("given", [False, True])
def test_scorers_get_rows_as_they_were_passed(name, given, library):
    """A scorer of costs reads them in a column, and may look at strings."""
    table = pd.DataFrame(X, columns=list("abcd"), index=np.arange(N)[::-1])
    table = table.assign(cost=WEIGHT, kind=BINARY)
    weight = np.where(np.arange(N) % 7 == 0, 0.0, 1.0)
    seen = []

    def cost(model, X, y, sample_weight=None):
        check_is_fitted(model)
        assert type(X) is type(rows)
        column = np.asarray(X["cost"])
        assert_array_equal(np.asarray(X["kind"]).astype(str), y)
        seen.append(column)
        return -column[model.predict(X) != y].sum()

    rows = {
        "pandas": lambda: table,
        "polars": lambda: polars.from_pandas(table),
        "pyarrow": lambda: pyarrow.Table.from_pandas(table, preserve_index=False),
    }[library]()
    validation = {"X_val": rows, "y_val": BINARY} if given else {}
    model = make(name, scoring=cost, max_leaf_nodes=2, learning_rate=0.01)
    model.fit(rows, BINARY, weight, **validation)
    train, held_out = seen[-2:]
    if given:
        assert_array_equal(train, WEIGHT[weight > 0])
        assert_array_equal(held_out, WEIGHT)
        stages = [
            -WEIGHT[predicted != BINARY].sum()
            for predicted in model.staged_predict(rows)
        ]
        assert_allclose(stages, model.validation_score_[: model.n_iter_])
    else:
        assert sorted([*train, *held_out]) == sorted(WEIGHT[weight > 0])


@booster
def test_scores_that_are_all_nan_are_refused(name):
    with pytest.raises(ValueError, match="NaN after each iteration"):
        make(name, scoring=lambda model, X, y: np.nan).fit(X, BINARY)
    with pytest.raises(ValueError, match="'sharpness'"):
        make(name, scoring="sharpness").fit(X, BINARY)


@booster
def test_balanced_classes_are_weighed_in_the_score(name):
    y = np.where(NOISY > 1.2, "yes", "no")
    model = make(name, class_weight="balanced").fit(X, y)
    fraction = np.mean(y == "yes")
    weight = np.where(y == "yes", 1 / fraction, 1 / (1 - fraction))
    _, rows = held_out(model, y)
    expected = [
        -log_loss(y[rows], p, sample_weight=weight[rows])
        for p in model.staged_predict_proba(X[rows])
    ]
    assert_allclose(expected, model.validation_score_[: model.n_iter_], rtol=1e-5)
