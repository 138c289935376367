"""Training and validation loss or score by epoch or iteration."""

from inspect import signature
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.ensemble import (
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
)
from sklearn.utils.validation import check_is_fitted

from skml._estimator import unwrap
from skml._typing import ArrayLike
from skml.attention import AttentionPoolingClassifier, AttentionPoolingRegressor
from skml.plotting._drawing import (
    count_on_axis,
    line_style,
    make_axes,
    name_of_score,
    require_matplotlib,
    show_legend,
    style,
)

# The attribute of each curve, and what it holds.
ATTRIBUTES = {
    "loss_curve_": "train_loss",
    "validation_loss_curve_": "validation_loss",
    "train_score_": "train_score",
    "validation_score_": "validation_score",
    "validation_scores_": "validation_score",  # of scikit-learn's neural networks
}
# Those whose curves have another meaning, sign or first iteration than elsewhere.
ATTENTION = (AttentionPoolingClassifier, AttentionPoolingRegressor)
GRADIENT_BOOSTING = (GradientBoostingClassifier, GradientBoostingRegressor)
HIST_BOOSTING = (HistGradientBoostingClassifier, HistGradientBoostingRegressor)


class LearningHistoryDisplay:
    """Training history of an iterative estimator.

    The training and validation losses or scores of each epoch or iteration. A star
    marks the best value on the validation set. Losses and scores that are no losses
    have an axis each.

    It is recommended to use :meth:`from_estimator` to create a
    `LearningHistoryDisplay`. All parameters are stored as attributes.

    Read more in the :ref:`User Guide <visualizations>`.

    Parameters
    ----------
    train_loss : array-like of shape (n_iterations,), default=None
        Losses of the training set, the lower the better.
    validation_loss : array-like of shape (n_iterations,), default=None
        Losses of the validation set.
    train_score : array-like of shape (n_iterations,), default=None
        Scores of the training set, the higher the better.
    validation_score : array-like of shape (n_iterations,), default=None
        Scores of the validation set.
    score_name : str, default="Score"
        Name of the axis of scores.
    iteration_name : str, default="Epoch"
        Name of the horizontal axis.
    first_iteration : int, default=1
        The number of the first iteration.
    best_iteration : int, default=None
        The iteration to mark. None is the first with the best value on the validation
        set.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The curves.
    best_ : matplotlib Line2D or None
        The star at the best value on the validation set, if there is one.
    best_iteration_ : int or None
        The iteration of the best value on the validation set.
    score_ax_ : matplotlib Axes or None
        The axes of scores, if there are losses as well.
    ax_ : matplotlib Axes
        Axes with the curves.
    figure_ : matplotlib Figure
        Figure that contains the curves.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Score by number of training samples.
    StagedSearchDisplay : Cross-validated score by number of iterations.

    Examples
    --------
    >>> from sklearn.datasets import load_breast_cancer
    >>> from skml import LightGBMClassifier
    >>> from skml.plotting import LearningHistoryDisplay
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = LightGBMClassifier(early_stopping=True, random_state=0).fit(X, y)
    >>> display = LearningHistoryDisplay.from_estimator(model)
    >>> [line.get_label() for line in display.lines_]
    ['training loss', 'validation loss (best: iteration ...)']
    >>> display.best_iteration_ == model.n_iter_
    True
    """

    def __init__(
        self,
        *,
        train_loss: ArrayLike | None = None,
        validation_loss: ArrayLike | None = None,
        train_score: ArrayLike | None = None,
        validation_score: ArrayLike | None = None,
        score_name: str = "Score",
        iteration_name: str = "Epoch",
        first_iteration: int = 1,
        best_iteration: int | None = None,
    ):
        self.train_loss = train_loss
        self.validation_loss = validation_loss
        self.train_score = train_score
        self.validation_score = validation_score
        self.score_name = score_name
        self.iteration_name = iteration_name
        self.first_iteration = first_iteration
        self.best_iteration = best_iteration

    def plot(
        self, ax: Any = None, *, name: str | None = None, line_kw: dict | None = None
    ):
        """Plot visualization.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        name : str, default=None
            Name of the estimator in the legend, where several share the axes.
        line_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        display : :class:`~skml.plotting.LearningHistoryDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        ValueError
            If there is no curve, a curve is not one-dimensional, or `best_iteration`
            is not on the curve of the validation set.
        ImportError
            If matplotlib is not installed.
        """
        curves = self._curves()
        if not curves:
            raise ValueError("LearningHistoryDisplay has no curve; expected a loss.")
        ax = make_axes(self, ax)
        axes_of_kind = self._axes_of_kinds(ax, {kind for _, kind in curves})
        twins = twins_of(ax)
        self.score_ax_ = axes_of_kind.get("score") if len(twins) > 1 else None
        self.lines_, self.best_, self.best_iteration_ = [], None, None
        before = [
            line for twin in twins for line in twin.get_legend_handles_labels()[0]
        ]
        for (subset, kind), values in curves.items():
            axes = axes_of_kind[kind]
            position = len(before) + len(self.lines_)
            line = self._plot_curve(axes, values, position, line_kw)
            self.lines_.append(line)
            label = f"{name}: {subset} {kind}" if name else f"{subset} {kind}"
            if subset == "validation" and np.isfinite(values).any():
                label += f" ({self._mark_best(line, values, kind)})"
            line.set_label(label)
            axes.set_ylabel("Loss" if kind == "loss" else self.score_name)
        ax.set_xlabel(self.iteration_name)
        count_on_axis(ax.xaxis)
        replace_legend(twins, before + self.lines_)
        return self

    def _curves(self):
        """The curves by subset and kind."""
        keys = {
            "train_loss": ("training", "loss"),
            "validation_loss": ("validation", "loss"),
            "train_score": ("training", "score"),
            "validation_score": ("validation", "score"),
        }
        curves = {}
        for name, key in keys.items():
            if getattr(self, name) is None:
                continue
            curves[key] = values = np.asarray(getattr(self, name), dtype=float)
            if values.ndim != 1:
                raise ValueError(f"{name} has {values.ndim} dimensions; expected 1.")
            if key[0] == "validation":
                self._check_best(name, len(values))
        return curves

    def _check_best(self, name, n_iterations):
        """Refuse a best iteration that is not on a curve."""
        first, best = self.first_iteration, self.best_iteration
        if best is not None and best not in range(first, first + n_iterations):
            raise ValueError(
                f"best_iteration={best!r}; expected one of the {n_iterations} "
                f"iterations of {name}, the first of which is {first}."
            )

    def _axes_of_kinds(self, ax, kinds):
        """The axes of losses and of scores: those given, and their twin, if needed."""
        shown = ax.get_ylabel() if ax.lines else ""
        own = {"Loss": "loss", self.score_name: "score"}.get(shown)
        if own is None:
            own = "loss" if "loss" in kinds else "score"
        axes = {own: ax}
        for kind in kinds - {own}:
            others = [twin for twin in twins_of(ax) if twin is not ax]
            axes[kind] = others[0] if others else ax.twinx()
        return axes

    def _plot_curve(self, axes, values, position, line_kw):
        from matplotlib.lines import Line2D

        defaults = {"color": f"C{position}", **line_style(position, len(values))}
        iterations = self.first_iteration + np.arange(len(values))
        options = style(defaults, line_kw, Line2D)
        return axes.plot(iterations, values, **options)[0]

    def _mark_best(self, line, values, kind):
        """Put a star on the best value, and return which it is."""
        find = np.nanargmin if kind == "loss" else np.nanargmax
        best = self.best_iteration
        if best is None:
            best = self.first_iteration + find(values)
        self.best_iteration_ = best = int(best)
        (self.best_,) = line.axes.plot(
            self.best_iteration_,
            values[best - self.first_iteration],
            marker="*",
            markersize=14,
            color=line.get_color(),
            label="_best",
            zorder=line.get_zorder() + 1,
        )
        return f"best: {self.iteration_name.lower()} {self.best_iteration_}"

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        ax: Any = None,
        name: str | None = None,
        line_kw: dict | None = None,
    ):
        """Plot the training history of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted iterative estimator, which has some of `loss_curve_`,
            `validation_loss_curve_`, `train_score_` and `validation_score_`: boosters,
            networks and embeddings of skml, and those of scikit-learn, such as
            :class:`~sklearn.neural_network.MLPClassifier` and
            :class:`~sklearn.ensemble.HistGradientBoostingClassifier`. Or a pipeline
            that ends in one, or a search that has fitted one.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        name : str, default=None
            Name of the estimator in the legend, where several share the axes.
        line_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot` for all curves.

        Returns
        -------
        display : :class:`~skml.plotting.LearningHistoryDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        AttributeError
            If it has none of these attributes, such as a booster that was fitted
            without a validation set.
        ImportError
            If matplotlib is not installed.
        """
        require_matplotlib(cls, "from_estimator")
        inner = unwrap(estimator, read_curves)
        check_is_fitted(inner)
        curves = read_curves(inner)
        if not curves:
            raise AttributeError(describe_missing(estimator, inner))
        has_epochs = "train_loss" in curves and hasattr(inner, "loss_curve_")
        display = cls(
            **curves,
            score_name=name_of_score(getattr(inner, "scoring", None)),
            iteration_name="Epoch"
            if has_epochs and not isinstance(inner, ATTENTION)
            else "Iteration",
            first_iteration=0 if isinstance(inner, HIST_BOOSTING) else 1,
            best_iteration=best_evaluation(inner, curves.get("validation_loss")),
        )
        return display.plot(ax, name=name, line_kw=line_kw)


def twins_of(ax):
    """These axes and those that share their place and horizontal axis."""
    shared, place = ax.get_shared_x_axes(), place_of(ax)
    found = [
        other
        for other in ax.figure.axes
        if other is ax or (shared.joined(ax, other) and place_of(other) == place)
    ]
    return found or [ax]  # inset axes are not among those of the figure


def place_of(ax):
    return ax.get_position(original=True).bounds


def replace_legend(twins, handles):
    """One legend of all curves, in the place of those that twins have."""
    for ax in twins:
        if ax.get_legend() is not None:
            ax.get_legend().remove()
    # On top of both, where falling losses and rising scores are not.
    options = {"loc": "center right"} if len(twins) > 1 else {}
    labels = [handle.get_label() for handle in handles]
    show_legend(twins[-1], handles, labels, **options)


def read_curves(estimator):
    """The curves that an estimator has, by what they hold."""
    found = {}
    for attribute, curve in ATTRIBUTES.items():
        values = getattr(estimator, attribute, None)
        if np.ndim(values) == 1 and len(values) > 0:
            found[curve] = np.asarray(values, dtype=float)
    if found and isinstance(estimator, GRADIENT_BOOSTING):
        return {"train_loss": found["train_score"]}
    scores_are_losses = getattr(estimator, "scoring", None) == "loss"
    if scores_are_losses or isinstance(estimator, ATTENTION):
        # "Higher is better" is said by their sign.
        return {
            curve.replace("score", "loss"): -values if "score" in curve else values
            for curve, values in found.items()
        }
    return found


def best_evaluation(estimator, losses):
    """The iteration after which attention pooling was evaluated with the best result.

    The iterations before it have the same loss.
    """
    if losses is None or not isinstance(estimator, ATTENTION):
        return None
    first = int(np.nanargmin(losses))
    others = np.flatnonzero(losses[first:] != losses[first])
    return first + int(others[0]) if len(others) else len(losses)


def describe_missing(estimator, inner):
    """Which attributes an estimator lacks, and what makes them."""
    parameters = inner.get_params(deep=False)
    # Others of scikit-learn have the parameter, but keep no curve with it either.
    is_other = type(inner).__module__.startswith("sklearn.")
    is_other = is_other and not isinstance(inner, HIST_BOOSTING)
    if "early_stopping" not in parameters:
        remedy = "expected an iterative estimator, such as LightGBMClassifier"
    elif parameters["early_stopping"] is True or is_other:
        remedy = "with its parameters, it keeps no curve"
    else:
        remedy = "fit it with early_stopping=True"
        if "X_val" in signature(inner.fit).parameters:
            remedy += ", or pass X_val and y_val to fit"
    names = ", ".join(f"`{name}`" for name in list(ATTRIBUTES)[:-1])
    return f"{type(estimator).__name__} has none of {names}; {remedy}."
