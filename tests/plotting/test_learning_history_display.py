"""Each estimator's curves, on the right axes, with the right best iteration."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_iris
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
)
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skml.attention import AttentionPoolingRegressor
from skml.plotting import LearningHistoryDisplay
from skml.tabular import GBDTClassifier, LightGBMClassifier
from skml.text import FastTextClassifier, Word2VecTransformer

X, Y = load_iris(return_X_y=True)
TEXTS, LABELS = (
    ["red green blue", "one two three", "green red", "two one"] * 5,
    [0, 1] * 10,
)


def fit_booster(**parameters):
    model = LightGBMClassifier(n_estimators=6, min_samples_leaf=5, random_state=0)
    return model.set_params(**parameters).fit(X, Y)


def labels(display):
    return [line.get_label() for line in display.lines_]


def test_boosters_losses_and_the_best_iteration():
    model = fit_booster(early_stopping=True, learning_rate=1.0, n_estimators=40)
    display = LearningHistoryDisplay.from_estimator(model)
    training, validation = display.lines_
    n = len(model.train_score_)
    assert n > model.n_iter_
    assert_array_equal(training.get_xdata(), np.arange(1, n + 1))
    assert_allclose(training.get_ydata(), -model.train_score_)
    assert_allclose(validation.get_ydata(), -model.validation_score_)
    assert display.best_iteration_ == model.n_iter_
    assert_allclose(
        display.best_.get_xydata(),
        [[model.n_iter_, -model.validation_score_[model.n_iter_ - 1]]],
    )
    assert labels(display) == [
        "training loss",
        f"validation loss (best: iteration {model.n_iter_})",
    ]
    assert display.ax_.get_xlabel() == "Iteration"
    assert display.ax_.get_ylabel() == "Loss"
    assert display.score_ax_ is None


def test_a_scorer_is_no_loss():
    model = fit_booster(early_stopping=True, scoring="balanced_accuracy")
    display = LearningHistoryDisplay.from_estimator(model)
    assert_allclose(display.lines_[1].get_ydata(), model.validation_score_)
    assert display.best_iteration_ == np.argmax(model.validation_score_) + 1
    assert display.ax_.get_ylabel() == "Balanced accuracy"


def test_lines_differ_without_color():
    display = LearningHistoryDisplay.from_estimator(fit_booster(early_stopping=True))
    assert len({line.get_linestyle() for line in display.lines_}) == 2
    assert len({line.get_marker() for line in display.lines_}) == 2


def test_loss_and_accuracy_have_an_axis_each():
    model = FastTextClassifier(
        vector_size=4, min_count=1, max_iter=3, early_stopping=True, random_state=0
    ).fit(TEXTS, LABELS)
    display = LearningHistoryDisplay.from_estimator(model)
    loss, score = display.lines_
    assert_allclose(loss.get_ydata(), model.loss_curve_)
    assert_allclose(score.get_ydata(), model.validation_score_)
    assert (loss.axes, score.axes) == (display.ax_, display.score_ax_)
    assert loss.get_color() != score.get_color()
    assert display.ax_.get_xlabel() == "Epoch"
    assert display.score_ax_.get_ylabel() == "Score"
    assert len(display.score_ax_.get_legend().get_texts()) == 2


def test_word_vectors_have_a_training_loss_alone():
    model = Word2VecTransformer(vector_size=4, min_count=1, subsample=0, max_iter=2)
    display = LearningHistoryDisplay.from_estimator(model.fit(TEXTS))
    assert_allclose(display.lines_[0].get_ydata(), model.loss_curve_)
    assert display.best_ is display.best_iteration_ is None


def test_validation_score_of_attention_is_a_loss():
    model = AttentionPoolingRegressor(
        embedding="linear", n_estimators=1, max_iter=60, random_state=0
    ).fit(X, Y)
    display = LearningHistoryDisplay.from_estimator(model)
    assert_allclose(display.lines_[1].get_ydata(), -model.validation_score_)
    # It is evaluated every 25 iterations, which all have the value of the last.
    assert display.best_iteration_ in {25, 50, 60}
    best = model.validation_score_[display.best_iteration_ - 1]
    assert best == model.validation_score_.max()
    assert display.ax_.get_xlabel() == "Iteration"


def test_networks_have_two_losses():
    """As a translator has them, and without a validation set an empty curve."""
    model = LinearRegression().fit(X, Y)
    model.loss_curve_ = np.array([3.0, 2.0])
    model.validation_loss_curve_ = np.ones(2)
    display = LearningHistoryDisplay.from_estimator(model)
    assert labels(display) == ["training loss", "validation loss (best: epoch 1)"]
    model.validation_loss_curve_ = np.empty(0)
    assert labels(LearningHistoryDisplay.from_estimator(model)) == ["training loss"]


def test_histories_of_scikit_learn():
    boosting = HistGradientBoostingClassifier(max_iter=3, early_stopping=True).fit(X, Y)
    display = LearningHistoryDisplay.from_estimator(boosting)
    assert_array_equal(display.lines_[0].get_xdata(), [0, 1, 2, 3])
    assert_allclose(display.lines_[1].get_ydata(), -boosting.validation_score_)

    boosting = GradientBoostingClassifier(n_estimators=2).fit(X, Y)
    display = LearningHistoryDisplay.from_estimator(boosting)
    assert labels(display) == ["training loss"]
    assert_allclose(display.lines_[0].get_ydata(), boosting.train_score_)

    network = MLPClassifier((2,), early_stopping=True, max_iter=50, tol=1.0).fit(X, Y)
    display = LearningHistoryDisplay.from_estimator(network)
    assert_allclose(display.lines_[0].get_ydata(), network.loss_curve_)
    assert_allclose(display.lines_[1].get_ydata(), network.validation_scores_)


def test_inside_of_searches_and_pipelines():
    pipeline = make_pipeline(StandardScaler(), GBDTClassifier(n_estimators=3))
    grid = {"gbdtclassifier__early_stopping": [True]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, Y)
    display = LearningHistoryDisplay.from_estimator(search)
    scores = search.best_estimator_[-1].train_score_
    assert_allclose(display.lines_[0].get_ydata(), -scores)


@pytest.mark.parametrize("n_epochs", [1, 2, 7, 100])
def test_ticks_are_integers(n_epochs):
    display = LearningHistoryDisplay(train_loss=np.arange(n_epochs)).plot()
    low, high = display.ax_.get_xlim()
    ticks = [tick for tick in display.ax_.get_xticks() if low <= tick <= high]
    assert len(ticks) >= 1
    assert all(float(tick).is_integer() for tick in ticks)


def test_two_histories_share_axes():
    first = LearningHistoryDisplay(train_loss=[3, 2], validation_loss=[3, 3])
    ax = first.plot(name="A").ax_
    second = LearningHistoryDisplay(train_loss=[4, 1]).plot(
        ax, name="B", line_kw={"lw": 3}
    )
    assert second.ax_ is ax
    assert second.figure_ is ax.figure
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [
        *["A: training loss", "A: validation loss (best: epoch 1)"],
        "B: training loss",
    ]
    assert second.lines_[0].get_linewidth() == 3
    colors = {line.get_color() for line in [*first.lines_, *second.lines_]}
    assert len(colors) == 3


def test_without_a_history():
    booster = fit_booster()
    message = (
        "LightGBMClassifier has none of `loss_curve_`.*`train_score_`.*fit it with "
        "early_stopping=True, or pass X_val and y_val to fit"
    )
    with pytest.raises(AttributeError, match=message):
        LearningHistoryDisplay.from_estimator(booster)
    with pytest.raises(AttributeError, match="expected an iterative estimator"):
        LearningHistoryDisplay.from_estimator(LinearRegression().fit(X, Y))
    with pytest.raises(NotFittedError, match="LightGBMClassifier"):
        LearningHistoryDisplay.from_estimator(LightGBMClassifier())
    with pytest.raises(ValueError, match="has no curve"):
        LearningHistoryDisplay().plot()


def test_two_histories_share_a_twin_and_a_legend():
    curves = {"train_loss": [3, 2], "validation_score": [0.5, 0.6]}
    first = LearningHistoryDisplay(**curves).plot(name="A")
    second = LearningHistoryDisplay(**curves).plot(first.ax_, name="B")
    third = LearningHistoryDisplay(train_score=[0.1, 0.2]).plot(first.ax_, name="C")
    assert first.score_ax_ is second.score_ax_ is third.score_ax_
    assert third.lines_[0].axes is first.score_ax_
    assert first.figure_.axes == [first.ax_, first.score_ax_]
    lines = [*first.lines_, *second.lines_, *third.lines_]
    assert len({line.get_color() for line in lines}) == 5
    assert first.ax_.get_legend() is None
    shown = {text.get_text() for text in first.score_ax_.get_legend().get_texts()}
    assert shown == {line.get_label() for line in lines}


def test_losses_join_scores_by_a_twin():
    first = LearningHistoryDisplay(train_score=[0.1, 0.2]).plot()
    second = LearningHistoryDisplay(train_loss=[2, 1]).plot(first.ax_)
    assert second.lines_[0].axes is not first.ax_
    assert second.lines_[0].axes.get_ylabel() == "Loss"
    assert first.ax_.get_ylabel() == "Score"


@pytest.mark.parametrize(
    "model",
    [
        SGDClassifier(early_stopping=True),
        MLPClassifier((2,), solver="lbfgs", max_iter=1000),
        BaggingClassifier(n_estimators=2),
        AdaBoostClassifier(n_estimators=2),
    ],
)
def test_no_remedy_for_those_that_keep_no_curve(model):
    model.fit(X, Y)
    with pytest.raises(AttributeError, match="has none of") as caught:
        LearningHistoryDisplay.from_estimator(model)
    assert "early_stopping=True" not in str(caught.value)


def test_curves_that_do_not_fit():
    with pytest.raises(ValueError, match="train_score has 2 dimensions; expected 1"):
        LearningHistoryDisplay(train_score=np.ones((2, 2))).plot()
    for best in (0, 3, 1.5):
        display = LearningHistoryDisplay(validation_loss=[2, 1], best_iteration=best)
        with pytest.raises(ValueError, match=f"best_iteration={best}; expected one of"):
            display.plot()


def test_inset_axes():
    ax = LearningHistoryDisplay(train_loss=[2, 1]).plot().ax_
    inset = ax.inset_axes([0.5, 0.5, 0.4, 0.4])
    LearningHistoryDisplay(train_loss=[2, 1]).plot(inset)
    assert len(inset.get_legend().get_texts()) == 1
