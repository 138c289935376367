"""What an estimator did with missing values."""

from html import escape
from typing import Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._estimator import unwrap
from skml._optional import import_optional
from skml._table._learner import BaseTableLearner

WORDS = {"feature", "treatment"}  # columns of text


class MissingValueReport(dict):
    """A table with one row per feature, as a dict of columns.

    Made by :func:`missing_value_report`.

    Parameters
    ----------
    columns : dict of str to ndarray
        The columns by name.

    Attributes
    ----------
    columns : list of str
        The names of the columns.
    shape : tuple of int
        The number of rows and of columns.

    Examples
    --------
    >>> import numpy as np
    >>> from skml import MissingValueReport
    >>> report = MissingValueReport({"missing_fraction": np.array([0.0, 0.25])})
    >>> report.shape
    (2, 1)
    >>> report["missing_fraction"].tolist()
    [0.0, 0.25]
    >>> report[report["missing_fraction"] > 0]["missing_fraction"].tolist()
    [0.25]
    """

    def __init__(self, columns: dict[str, np.ndarray]):
        super().__init__(columns)

    def __getitem__(self, key):
        """A column by name, a report of columns, or one of rows: a mask, positions."""
        if isinstance(key, str):
            return super().__getitem__(key)
        if isinstance(key, list) and any(isinstance(name, str) for name in key):
            return MissingValueReport({name: self[name] for name in key})
        rows = key if isinstance(key, slice) else np.atleast_1d(key)
        return MissingValueReport({name: v[rows] for name, v in self.items()})

    @property
    def columns(self):
        return list(self)

    @property
    def shape(self):
        return len(next(iter(self.values()))), len(self)

    def sort_by(self, name: str) -> Self:
        """Sort the rows by a column, the largest first.

        Parameters
        ----------
        name : str
            The column; rows without a value come last.

        Returns
        -------
        report : MissingValueReport
            A sorted copy.

        Raises
        ------
        TypeError
            If the column holds words.
        """
        values = self[name]
        if name in WORDS:
            raise TypeError(f"The column {name!r} holds words; sort by one of numbers.")
        return self[np.argsort(-values, kind="stable")]  # NaN comes last

    def to_frame(self):
        """Turn the report into a data frame of pandas.

        Returns
        -------
        frame : pandas.DataFrame
            The columns of the report, one row per feature.
        """
        caller = "MissingValueReport.to_frame"
        pandas = import_optional("pandas", extra="plot", caller=caller)
        return pandas.DataFrame(dict(self))

    def _repr_html_(self):
        rows = zip(*self.values(), strict=True)
        return html_table(self, [map(format_cell, row) for row in rows])

    def __repr__(self):
        cells = [
            [name, *(format_cell(value) for value in values)]
            for name, values in self.items()
        ]
        widths = [max(map(len, column)) for column in cells]
        lines = []
        for row in zip(*cells, strict=True):
            padded = (
                cell.ljust(width) if name in WORDS else cell.rjust(width)
                for cell, width, name in zip(row, widths, self, strict=True)
            )
            lines.append("  ".join(padded).rstrip())
        return "\n".join(lines)


def format_cell(value):
    """Write a value of a report: fractions with three digits, nothing for NaN."""
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else f"{value:.3f}"
    return str(value)


def html_table(header, rows):
    """Write a table for notebooks."""
    lines = [html_row("th", header), *(html_row("td", row) for row in rows)]
    return "<table>\n" + "\n".join(lines) + "\n</table>"


def html_row(tag, cells):
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"


def missing_value_report(estimator: BaseEstimator):
    """Report what an estimator of tables does with missing values.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of `skml.tabular`, or a pipeline that ends in one, or a
        search or another meta-estimator that has fitted a single one
        (`best_estimator_`, `estimator_`, `regressor_`).

    Returns
    -------
    report : MissingValueReport
        One row per feature, with the columns

        - ``feature``: its name, or its position;
        - ``missing_fraction``: the fraction of the training rows where it was missing;
        - ``treatment``: what is done about it;
        - ``importance``: `feature_importances_`, where the estimator has them;
        - ``gain_missing_left``, ``gain_missing_right``: the fraction of the gain of the
          splits that send missing values to the left, towards small values, and to the
          right; where trees have sides for missing values, and the feature has some
          and an order.

        What does not apply is NaN.

    Raises
    ------
    TypeError
        If it is no estimator of tables.
    NotFittedError
        If it is not fitted.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_iris
    >>> from skml import LightGBMClassifier, missing_value_report
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> X.iloc[::3, 2] = np.nan
    >>> report = missing_value_report(LightGBMClassifier(n_estimators=5).fit(X, y))
    >>> report["missing_fraction"].round(2)
    array([0.  , 0.  , 0.33, 0.  ])
    >>> report["treatment"][2]
    'direction learned at each split'
    """
    estimator = unwrap(estimator, lambda inner: isinstance(inner, BaseTableLearner))
    if not isinstance(estimator, BaseTableLearner):
        raise TypeError(
            "missing_value_report expects a fitted estimator of skml.tabular, or a "
            f"pipeline that ends in one; got {type(estimator).__name__}."
        )
    check_is_fitted(estimator)
    fitted = estimator._fitted
    reader, fraction = fitted.table.reader, fitted.table.missing_fraction_
    splits, n_features = fitted.missing_directions(), reader.n_features
    left, right, importance = np.full((3, n_features), np.nan)
    if splits is not None:
        total = np.bincount(splits.feature, splits.gain, n_features)
        to_left = np.bincount(
            splits.feature, splits.gain * splits.missing_left, n_features
        )
        chose = (total > 0) & (fraction > 0) & ~reader.is_categorical
        np.divide(to_left, total, out=left, where=chose)
        np.subtract(1, left, out=right, where=chose)
    if hasattr(estimator, "feature_importances_"):
        importance = estimator.feature_importances_
    return MissingValueReport(
        {
            "feature": np.array(reader.names or range(n_features), dtype=object),
            "missing_fraction": fraction.copy(),
            "treatment": np.array(fitted.missing_treatments(), dtype=object),
            "importance": importance,
            "gain_missing_left": left,
            "gain_missing_right": right,
        }
    )
