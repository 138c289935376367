"""What an estimator that pools by attention learned, as one value."""

import numpy as np

from skml._codec import stored
from skml._table._containers import as_dense
from skml._table._learned_table import learn_table
from skml._table._learner import FittedOnTable
from skml._table._rows import group_equal_rows
from skml._table._targets import TargetScaling
from skml.attention._arrays import check_stored
from skml.attention._ensemble import PoolingEnsemble
from skml.attention._losses import LogLoss

INDICATED = "zero after scaling + indicator"


@stored
class FittedAttention(FittedOnTable):
    """The ensemble that was chosen, and what leads from a table to it."""

    ensemble: PoolingEnsemble
    sample_rows: np.ndarray  # (n_samples,), the distinct row that each sample of fit is
    sample_fractions: np.ndarray  # (n_samples,), its fraction of that row's weight
    scaling: TargetScaling | None  # of a regressor; mean is a float for 1-d targets
    embedding_: str
    n_estimators_: int
    n_iter_: int
    loss_curve_: np.ndarray
    validation_score_: np.ndarray | None

    def check(self):
        """Check that the parts belong together."""
        super().check()
        ensemble, n_outputs = self.ensemble, self.ensemble.targets.shape[1]
        ensemble.encoder.check_table(self.table.reader)
        n_samples = self.sample_rows.size
        check_stored("sample_rows", self.sample_rows, (n_samples,), np.intp)
        check_stored("sample_fractions", self.sample_fractions, (n_samples,))
        is_row = (self.sample_rows >= 0) & (self.sample_rows < len(ensemble.weights))
        if not is_row.all():
            raise ValueError("sample_rows are not rows of the ensemble")
        is_classifier = isinstance(ensemble.objective, LogLoss)
        if (self.classes_ is not None) != is_classifier or (
            (self.scaling is None) != is_classifier
        ):
            raise ValueError("classes_ or scaling do not belong to the objective")
        if is_classifier and len(self.classes_) != n_outputs:
            raise ValueError(f"{len(self.classes_)} classes, and {n_outputs} outputs")
        if not is_classifier and np.size(self.scaling.mean) != n_outputs:
            raise ValueError(f"scaling is not of {n_outputs} targets")
        for name in ("loss_curve_", "validation_score_"):
            if getattr(self, name) is not None:
                check_stored(name, getattr(self, name), (self.n_iter_,))

    def missing_treatments(self):
        """What becomes of the missing values of each feature, in words."""
        return self.table.treatments([INDICATED] * self.table.n_features_in_)


def read_distinct_rows(X, y, sample_weight, estimator):
    """Read a table, and merge rows that are equal and have equal targets.

    Returns the distinct rows, their targets, the sums of their weights, and a dict of
    what is known of a `FittedAttention` now.
    """
    table, sample = learn_table(X, y, sample_weight, estimator)
    X = as_dense(sample.X)
    weights = np.ones(len(X)) if sample.sample_weight is None else sample.sample_weight
    first, group = group_equal_rows(X, sample.y)
    total = np.bincount(group, weights=weights)
    n_samples = len(np.asarray(y))
    rows = np.zeros(n_samples, dtype=np.intp)
    rows[sample.positions] = group
    fractions = np.zeros(n_samples)
    fractions[sample.positions] = weights / total[group]
    known = {
        "table": table,
        "classes_": sample.classes,
        "sample_rows": rows,
        "sample_fractions": fractions,
    }
    return X[first], sample.y[first], total, known
