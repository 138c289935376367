"""Cross-validated score by number of trees."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._typing import ArrayLike
from skml.plotting._drawing import (
    check_count,
    count_on_axis,
    line_style,
    make_axes,
    name_of_score,
    require_matplotlib,
    show_legend,
    style,
)

PARAMETER = "n_estimators"


class StagedSearchDisplay:
    """Cross-validated score of a search by `n_estimators`.

    A line for each combination of the other parameters: the mean score of the folds,
    in a band of one standard deviation to both sides. A star marks the best mean.

    It is recommended to use :meth:`from_estimator` to create a `StagedSearchDisplay`.
    All parameters are stored as attributes.

    Read more in the :ref:`User Guide <visualizations>`.

    Parameters
    ----------
    n_estimators : list of array-like of shape (n_stages,)
        The numbers of trees of each line, in ascending order.
    scores : list of array-like of shape (n_stages, n_folds)
        The scores of each line.
    labels : list of str
        The name of each line.
    score_name : str, default="Score"
        Name of the vertical axis.

    Attributes
    ----------
    lines_ : list of matplotlib Line2D
        The lines of the mean scores.
    fill_between_ : list of matplotlib PolyCollection
        The bands; empty with a single fold.
    best_ : matplotlib Line2D
        The star at the best mean score.
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Figure that contains the lines.

    See Also
    --------
    skml.model_selection.StagedGridSearchCV : Searches `n_estimators` without refitting.
    sklearn.model_selection.ValidationCurveDisplay : Score by any one parameter.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skml import LightGBMRegressor, StagedGridSearchCV
    >>> from skml.plotting import StagedSearchDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = StagedGridSearchCV(
    ...     LightGBMRegressor(random_state=0),
    ...     {"learning_rate": [0.1, 0.3], "n_estimators": range(5, 30, 5)},
    ...     cv=3,
    ... ).fit(X, y)
    >>> display = StagedSearchDisplay.from_estimator(search)
    >>> sorted(display.labels)
    ['learning_rate=0.1', 'learning_rate=0.3']
    >>> display.lines_[0].get_xdata().tolist()
    [5, 10, 15, 20, 25]
    """

    def __init__(
        self,
        *,
        n_estimators: Sequence[ArrayLike],
        scores: Sequence[ArrayLike],
        labels: Sequence[str],
        score_name: str = "Score",
    ):
        self.n_estimators = n_estimators
        self.scores = scores
        self.labels = labels
        self.score_name = score_name

    def plot(
        self,
        ax: Any = None,
        *,
        max_lines: int | None = 5,
        line_kw: dict | None = None,
        fill_between_kw: dict | None = None,
    ):
        """Plot visualization.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        max_lines : int or None, default=5
            The largest number of lines, the first ones; None draws all.
        line_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot` for all lines.
        fill_between_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.fill_between` for all bands.

        Returns
        -------
        display : :class:`~skml.plotting.StagedSearchDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        ValueError
            If there is no line, `max_lines` is less than 1, the numbers of lines or of
            stages differ, or a score is missing.
        ImportError
            If matplotlib is not installed.
        """
        check_count("max_lines", max_lines)
        lines = self._check()[:max_lines]
        ax = make_axes(self, ax)
        self.lines_, self.fill_between_ = [], []
        labels = self.labels[:max_lines]
        for x, scores in lines:
            self._plot_line(ax, x, scores, line_kw, fill_between_kw)
        self._mark_best(ax)
        ax.set(xlabel="Number of trees (n_estimators)", ylabel=self.score_name)
        count_on_axis(ax.xaxis)
        if any(labels):
            show_legend(ax, self.lines_, labels)
        return self

    def _check(self):
        """The stages and the scores of each line, as arrays."""
        n_lines = len(self.scores)
        if n_lines == 0:
            raise ValueError("scores is empty; expected the scores of a line or more.")
        if isinstance(self.labels, str):
            raise ValueError(f"labels is the str {self.labels!r}; expected a list.")
        for name in ("n_estimators", "labels"):
            n_found = len(getattr(self, name))
            if n_found != n_lines:
                raise ValueError(
                    f"{name} has {n_found} entries; expected {n_lines}, one per line "
                    "of scores."
                )
        pairs = zip(self.n_estimators, self.scores, strict=True)
        return [check_line(i, *pair) for i, pair in enumerate(pairs)]

    def _plot_line(self, ax, x, scores, line_kw, fill_between_kw):
        from matplotlib.collections import PolyCollection
        from matplotlib.lines import Line2D

        mean, std = scores.mean(axis=1), scores.std(axis=1)
        options = style(line_style(len(self.lines_), len(x)), line_kw, Line2D)
        (line,) = ax.plot(x, mean, **options)
        self.lines_.append(line)
        if scores.shape[1] > 1:
            defaults = {"alpha": 0.2, "color": line.get_color(), "linewidth": 0}
            options = style(defaults, fill_between_kw, PolyCollection)
            band = ax.fill_between(x, mean - std, mean + std, **options)
            self.fill_between_.append(band)

    def _mark_best(self, ax):
        """Put a star on the best mean of the first line that has it."""
        best = [np.nanmax(line.get_ydata()) for line in self.lines_]
        line = self.lines_[int(np.nanargmax(best))]
        stage = int(np.nanargmax(line.get_ydata()))
        (self.best_,) = ax.plot(
            line.get_xdata()[stage],
            line.get_ydata()[stage],
            marker="*",
            markersize=14,
            color=line.get_color(),
            label="_best",
            zorder=line.get_zorder() + 1,
        )

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        metric: str | None = None,
        max_lines: int | None = 5,
        ax: Any = None,
        line_kw: dict | None = None,
        fill_between_kw: dict | None = None,
    ):
        """Plot the scores of a fitted search.

        Parameters
        ----------
        estimator : StagedGridSearchCV or StagedRandomizedSearchCV
            A fitted search whose candidates set `n_estimators`. Other searches that
            have `cv_results_` will do, too; of one that halves the candidates, the
            last iteration is shown, as the scores before are of fewer samples.
        metric : str, default=None
            The name of the metric, if the search has several. None is that of `refit`.
        max_lines : int or None, default=5
            The largest number of lines, those with the best scores; None draws all.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        line_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.plot` for all lines.
        fill_between_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.fill_between` for all bands.

        Returns
        -------
        display : :class:`~skml.plotting.StagedSearchDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        NotFittedError
            If the search is not fitted.
        AttributeError
            If it has no `cv_results_`.
        ValueError
            If no candidate sets `n_estimators`, the metric is not among those of the
            search or is needed, as `refit` names none, `max_lines` is less than 1, or
            no candidate has a score.
        ImportError
            If matplotlib is not installed.
        """
        require_matplotlib(cls, "from_estimator")
        check_is_fitted(estimator)
        name = type(estimator).__name__
        if not hasattr(estimator, "cv_results_"):
            raise AttributeError(
                f"{name} has no `cv_results_`; expected a fitted search, such as "
                "StagedGridSearchCV."
            )
        metric = choose_metric(estimator, metric)
        scoring = estimator.scoring if metric == "score" else metric
        display = cls(
            **read_lines(estimator, metric), score_name=name_of_score(scoring)
        )
        return display.plot(
            ax, max_lines=max_lines, line_kw=line_kw, fill_between_kw=fill_between_kw
        )


def choose_metric(search, metric):
    """The name of the metric in `cv_results_`."""
    if not getattr(search, "multimetric_", False):
        if metric is None:
            return "score"
        raise ValueError(f"metric={metric!r}, but the search has a single metric.")
    names = [key[10:] for key in search.cv_results_ if key.startswith("mean_test_")]
    if metric is None and not isinstance(search.refit, str):
        raise ValueError(
            f"The search has several metrics, and refit={search.refit!r} names none; "
            f"pass metric=, one of {', '.join(names)}."
        )
    metric = search.refit if metric is None else metric
    if metric not in names:
        raise ValueError(f"metric={metric!r}; expected one of {', '.join(names)}.")
    return metric


def check_line(i, n_estimators, scores):
    """The numbers of trees and the scores of a line, as arrays that fit."""
    x, scores = np.asarray(n_estimators), np.asarray(scores, dtype=float)
    if scores.ndim != 2:
        raise ValueError(
            f"scores[{i}] has {scores.ndim} dimensions; expected 2, of the shape "
            "(n_stages, n_folds)."
        )
    if scores.size == 0:
        raise ValueError(f"scores[{i}] is empty; expected a stage and a fold or more.")
    if x.shape != scores.shape[:1]:
        raise ValueError(
            f"n_estimators[{i}] has the shape {x.shape}; expected ({len(scores)},), "
            f"as scores[{i}] has {len(scores)} stages."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            f"scores[{i}] has NaN or infinite values; leave out the stages without a "
            "score of every fold."
        )
    return x, scores


def read_lines(search, metric):
    """The lines of a search, the one with the best mean first."""
    results = search.cv_results_
    parameter = stage_parameter(results["params"])
    folds = [results[f"split{i}_test_{metric}"] for i in range(search.n_splits_)]
    scores = np.column_stack(folds)
    is_shown = np.isfinite(scores).all(axis=1) & comparable(search, parameter)
    lines, params_of = defaultdict(dict), {}
    for params, score, shown in zip(results["params"], scores, is_shown, strict=True):
        others = {name: value for name, value in params.items() if name != parameter}
        if parameter in params and shown:
            key = identify(others)
            lines[key][params[parameter]] = score
            params_of[key] = others
    if not lines:
        raise ValueError("No candidate has a score of every fold; nothing to plot.")
    short = short_names({parameter}.union(*params_of.values()))
    ranked = sorted(lines, key=lambda key: -np.max(_means(lines[key])))
    return {
        "labels": [describe(params_of[key], short) for key in ranked],
        "n_estimators": [np.array(sorted(lines[key])) for key in ranked],
        "scores": [
            np.array([lines[key][n] for n in sorted(lines[key])]) for key in ranked
        ],
    }


def comparable(search, parameter):
    """Which candidates were scored with as many samples as the last ones.

    A search that halves the candidates scores them with more samples, or other
    resources, in each iteration.
    """
    results = search.cv_results_
    iterations = np.asarray(results.get("iter", np.zeros(len(results["params"]))))
    if getattr(search, "resource", None) == parameter:
        return np.ones(len(iterations), dtype=bool)
    return iterations == iterations.max()


def identify(params):
    """A key of parameters, which other values do not share."""
    return tuple(
        (name, type(params[name]), _hashable(params[name])) for name in sorted(params)
    )


def _hashable(value):
    try:
        hash(value)
    except TypeError:
        return id(value)
    return value


def _means(line):
    return np.mean(list(line.values()), axis=1)


def stage_parameter(candidates):
    """The name of the parameter that counts trees, of the outermost estimator."""
    names = {name for params in candidates for name in params}
    found = [name for name in names if name.rpartition("__")[2] == PARAMETER]
    if not found:
        raise ValueError(
            f"No candidate of the search sets `{PARAMETER}`; add it to the grid, such "
            f"as {{'{PARAMETER}': range(10, 200, 10)}}."
        )
    return min(found, key=lambda name: (name.count("__"), name))


def short_names(names):
    """Each name without those of steps, unless several would be the same."""
    short = {name: name.rpartition("__")[2] for name in names}
    counts = Counter(short.values())
    return {name: end if counts[end] == 1 else name for name, end in short.items()}


def describe(params, short):
    """Parameters and their values, by their short names."""
    return ", ".join(f"{short[name]}={value}" for name, value in params.items())
