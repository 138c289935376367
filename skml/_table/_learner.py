"""The face of the estimators of tables, and what they learn."""

import numpy as np
from sklearn.base import is_classifier
from sklearn.utils.validation import check_is_fitted

from skml._codec import show, stored
from skml._compat.sklearn import StrOptions
from skml._estimator import BaseLearner, Fitted
from skml._table._learned_table import Table

SIDES = "direction learned at each split"


@stored
class FittedOnTable(Fitted):
    """What an estimator of tables learned; a subclass adds its model."""

    roundings = (type(None),)  # what the table may be rounded by

    table: Table
    classes_: np.ndarray | None = None  # of a classifier: sorted

    def attributes(self):
        return self.table.attributes() | super().attributes()

    def check(self):
        """Check that classes are distinct and sorted; a subclass checks more."""
        if not isinstance(self.table.rounding, self.roundings):
            raise ValueError(f"rounding is {show(self.table.rounding)}")
        classes = self.classes_
        if classes is None:
            return
        if classes.ndim != 1 or len(classes) == 0 or _is_unsorted(classes):
            raise ValueError(f"classes_ are not distinct and sorted: {show(classes)}")

    def missing_treatments(self):
        """What becomes of the missing values of each feature, in words."""
        return self.table.treatments([SIDES] * self.table.n_features_in_)

    def missing_directions(self):
        """The splits, where missing values have a side; None if there are none."""
        return


def _is_unsorted(classes):
    try:
        return not np.array_equal(np.unique(classes), classes)
    except TypeError:  # labels that cannot be compared
        return True


class BaseTableLearner(BaseLearner):
    """Common ground of the estimators of tables, which publish a `FittedOnTable`."""

    _fitted_class = FittedOnTable
    _parameter_constraints = {
        "categorical_features": [StrOptions({"from_dtype"}), "array-like", None],
        "missing_values": [object],
    }

    def _read(self, X, *, warn=True):
        """Read a table that has the columns of the one in `fit`."""
        check_is_fitted(self)
        return self._fitted.table.read(X, warn=warn)

    def _check_fitted(self, fitted):
        """Refuse classes of a regressor, too, and a classifier without."""
        super()._check_fitted(fitted)
        if is_classifier(self) and fitted.classes_ is None:
            raise ValueError("fitted has no classes; expected some")
        if not is_classifier(self) and fitted.classes_ is not None:
            raise ValueError("fitted has classes; expected none")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.sparse = True
        tags.input_tags.categorical = True
        return tags
