"""What a fitted estimator does with missing values, feature by feature."""

from typing import Any, Literal

import numpy as np
from sklearn.base import BaseEstimator

from skml.plotting._drawing import (
    check_count,
    make_axes,
    name_ticks,
    require_matplotlib,
    show_legend,
    style,
)
from skml.tabular import MissingValueReport, missing_value_report

KINDS = ("auto", "direction", "treatment")


class MissingValuesDisplay:
    """Missing values of a table, and what a fitted estimator does with them.

    A bar per feature that has missing values. ``kind="direction"``, for gradient
    boosting, shows how much of the gain of all splits comes from those that send its
    missing values to the left, towards small values, and to the right. Features that
    have none, such as categories and those of no split, are not shown; the label of the
    axis says how many.
    ``kind="treatment"`` shows the fraction of rows where it is missing, and the
    treatment in words.

    It is recommended to use :meth:`from_estimator` to create a `MissingValuesDisplay`.
    All parameters are stored as attributes.

    Read more in the :ref:`User Guide <visualizations>`.

    Parameters
    ----------
    report : MissingValueReport
        What :func:`~skml.tabular.missing_value_report` returns, or some rows of it.

    Attributes
    ----------
    bars_ : list of matplotlib BarContainer
        One container, or with ``kind="direction"`` two: left and right.
    text_ : list of matplotlib Text
        The treatments; empty with ``kind="direction"``.
    features_ : list of str
        The features, from top to bottom.
    ax_ : matplotlib Axes
        Axes with the bars.
    figure_ : matplotlib Figure
        Figure that contains the bars.

    See Also
    --------
    skml.tabular.missing_value_report : The table that is plotted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skml import LightGBMClassifier
    >>> from skml.plotting import MissingValuesDisplay
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> X.iloc[::3, 2] = np.nan
    >>> model = LightGBMClassifier(n_estimators=5).fit(X, y)
    >>> display = MissingValuesDisplay.from_estimator(model, kind="treatment")
    >>> display.features_
    ['petal length (cm)']
    >>> display.text_[0].get_text()
    'direction learned at each split'
    """

    def __init__(self, report: MissingValueReport):
        self.report = report

    def plot(
        self,
        ax: Any = None,
        *,
        kind: Literal["auto", "direction", "treatment"] = "auto",
        max_features: int | None = 20,
        bar_kw: dict | None = None,
    ):
        """Plot visualization.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        kind : {"auto", "direction", "treatment"}, default="auto"
            What the bars show. "auto" is "direction" if there are directions, and
            "treatment" otherwise.
        max_features : int or None, default=20
            The largest number of features. Those with the longest bars are shown; None
            shows all.
        bar_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : :class:`~skml.plotting.MissingValuesDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        ValueError
            If no feature has missing values, `kind` is unknown, `max_features` is less
            than 1, or the report has no directions.
        ImportError
            If matplotlib is not installed.
        """
        if kind not in KINDS:
            raise ValueError(f"kind={kind!r}; expected one of {', '.join(KINDS)}.")
        check_count("max_features", max_features)
        has_direction = np.isfinite(self.report["gain_missing_left"])
        if kind == "auto":
            kind = "direction" if has_direction.any() else "treatment"
        rows = rows_to_show(self.report, kind, has_direction)[:max_features]
        ax = make_axes(self, ax)
        draw = self._plot_treatments if kind == "treatment" else self._plot_directions
        labels = draw(ax, rows, bar_kw)
        self.features_ = [str(name) for name in rows["feature"]]
        name_ticks(ax.yaxis, labels)
        ax.set_ylim(len(self.features_) - 0.5, -0.5)
        return self

    def _plot_treatments(self, ax, shown, bar_kw):
        fractions = shown["missing_fraction"]
        rows = range(len(fractions))
        # Words stand on the bars, and beside them.
        bars = ax.barh(rows, fractions, **bar_style({"alpha": 0.35}, bar_kw))
        self.bars_ = [bars]
        self.text_ = [
            ax.annotate(
                treatment,
                (0, row),
                xytext=(4, 0),
                textcoords="offset points",
                verticalalignment="center",
                fontsize="small",
            )
            for row, treatment in enumerate(shown["treatment"])
        ]
        ax.set(xlabel="Fraction of missing values", xlim=(0, 1))
        return shown["feature"]

    def _plot_directions(self, ax, shown, bar_kw):
        rows = range(len(shown["feature"]))
        left = shown["importance"] * shown["gain_missing_left"]
        right = shown["importance"] * shown["gain_missing_right"]
        sides = {"left": (-left, ""), "right": (right, "//")}
        self.text_, self.bars_ = [], []
        for values, hatch in sides.values():
            defaults = {"hatch": hatch, "edgecolor": ax.get_facecolor()}
            self.bars_.append(ax.barh(rows, values, **bar_style(defaults, bar_kw)))
        ax.axvline(0, color=ax.xaxis.label.get_color(), linewidth=0.8)
        ax.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
        label = "Fraction of the gain of all splits"
        ax.set_xlabel(label + say_what_is_hidden(self.report))
        show_legend(ax, self.bars_, list(sides), title="missing values go")
        fractions = zip(shown["feature"], shown["missing_fraction"], strict=True)
        return [f"{name} ({fraction:.0%} missing)" for name, fraction in fractions]

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        *,
        kind: Literal["auto", "direction", "treatment"] = "auto",
        max_features: int | None = 20,
        ax: Any = None,
        bar_kw: dict | None = None,
    ):
        """Plot what a fitted estimator does with missing values.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator of tables, such as
            :class:`~skml.tabular.LightGBMClassifier`, a pipeline that ends in one, or a
            search that has fitted one.
        kind : {"auto", "direction", "treatment"}, default="auto"
            What the bars show. "auto" is "direction" if there are directions, and
            "treatment" otherwise.
        max_features : int or None, default=20
            The largest number of features. Those with the longest bars are shown; None
            shows all.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        bar_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.barh`.

        Returns
        -------
        display : :class:`~skml.plotting.MissingValuesDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no estimator of tables.
        ValueError
            If no feature has missing values, `kind` is unknown, `max_features` is less
            than 1, or `kind` is "direction" and the estimator has no directions.
        ImportError
            If matplotlib is not installed.
        """
        require_matplotlib(cls, "from_estimator")
        display = cls(missing_value_report(estimator))
        return display.plot(ax, kind=kind, max_features=max_features, bar_kw=bar_kw)


def rows_to_show(report, kind, has_direction):
    """The rows of features with missing values, the longest bars first."""
    has_missing = report["missing_fraction"] > 0
    if not has_missing.any():
        raise ValueError("No feature had missing values in fit; nothing to plot.")
    if kind == "treatment":
        return report[has_missing].sort_by("missing_fraction")
    if not has_direction.any():
        raise ValueError(
            "The report has no directions of missing values (`gain_missing_left`). "
            "Gradient boosting has them, for numeric features: fit an estimator such "
            "as LightGBMClassifier, or pass kind='treatment'."
        )
    return report[has_direction].sort_by("importance")


def say_what_is_hidden(report):
    """How many features with missing values have no direction, on a line."""
    has_direction = np.isfinite(report["gain_missing_left"])
    n = int(np.sum((report["missing_fraction"] > 0) & ~has_direction))
    if n == 0:
        return ""
    features, are = ("feature", "is") if n == 1 else ("features", "are")
    return f"\n{n} {features} without a direction {are} not shown"


def bar_style(defaults, given):
    from matplotlib.patches import Rectangle

    return style(defaults, given, Rectangle)
