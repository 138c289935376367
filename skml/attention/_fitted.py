"""What an estimator that pools by attention learned, as one value."""

import numpy as np
from scipy import sparse

from skml._codec import stored
from skml._table._containers import as_dense
from skml._table._learned_table import learn_table
from skml._table._learner import FittedOnTable
from skml._table._rows import group_equal_rows
from skml._table._targets import TargetScaling
from skml.attention._arrays import check_stored
from skml.attention._ensemble import PoolingEnsemble
from skml.attention._losses import LogLoss

INDICATED = "zero of the scaled column + indicator"


@stored
class FittedAttention(FittedOnTable):
    """The ensemble that was chosen, and what leads from a table to it.

    Attributes
    ----------
    ensemble : PoolingEnsemble
        The candidate that was chosen.
    shares : csr_array of shape (n_rows, n_samples)
        How the weight of a distinct row divides among the rows of `fit`.
    scaling : TargetScaling or None
        The units of targets, of a regressor; its mean has no dimension for 1-d targets.
    embedding_, n_estimators_, n_iter_, loss_curve_, validation_score_
        What the estimator shows.
    """

    ensemble: PoolingEnsemble
    shares: sparse.csr_array
    scaling: TargetScaling | None
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
        if self.shares.shape[0] != len(ensemble.weights):
            raise ValueError("shares are not of the rows of the ensemble")
        if not np.isfinite(self.shares.data).all():
            raise ValueError("shares are not finite")
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

    Returns
    -------
    X, y, weights : ndarray
        The distinct rows, their targets, and the sums of their weights.
    known : dict
        What of a `FittedAttention` is known now: `table`, `classes_` and `shares`.
    """
    table, sample = learn_table(X, y, sample_weight, estimator)
    X, weights, n_samples = as_dense(sample.X), sample.sample_weight, len(np.asarray(y))
    weights = np.ones(len(X)) if weights is None else weights
    first, group = group_equal_rows(X, sample.y)
    total = np.bincount(group, weights=weights)
    shares = sparse.csr_array(
        (weights / total[group], (group, sample.positions)),
        shape=(len(first), n_samples),
    )
    known = {"table": table, "classes_": sample.classes, "shares": shares}
    return X[first], sample.y[first], total, known
