"""What the learners share that know no missing values: they prepare their tables."""

from functools import partial
from numbers import Real
from operator import methodcaller

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, is_classifier
from sklearn.utils.metaestimators import available_if

from skml._codec import stored
from skml._compat.sklearn import Interval
from skml._fitting import warn_user
from skml._table._imputation import IMPUTATION_CONSTRAINT, check_fill_value
from skml._table._learner import BaseTableLearner, FittedOnTable
from skml._table._preparation import TablePreparation, predict_by_batches
from skml._typing import MatrixLike
from skml.tabular._sklearn_models import SklearnModel, store_model

SOME_ROWS = 100  # whose scores are compared before those of all rows
LEAST_SPREAD = 1e-6  # of scores relative to their size, if something was learned


@stored
class PreparedModel:
    """The preparation of tables, and an estimator of scikit-learn, as one."""

    preparation: TablePreparation
    estimator: BaseEstimator  # of a single class a DummyClassifier
    # Nystroem or RBFSampler, before a linear estimator
    feature_map: BaseEstimator | None = None

    def to_data(self):
        feature_map = self.feature_map
        return {
            "preparation": self.preparation,
            "estimator": store_model(self.estimator),
            "feature_map": None if feature_map is None else store_model(feature_map),
        }

    @classmethod
    def from_data(cls, data):
        preparation, model, feature_map = (
            data[name] for name in ("preparation", "estimator", "feature_map")
        )
        if not isinstance(preparation, TablePreparation) or len(data) > 3:
            raise ValueError(f"it has {sorted(data)}")
        width, parts = len(preparation.feature_names_out), [model]
        if feature_map is not None:
            parts = [feature_map, model]
        for part in parts:
            if not isinstance(part, SklearnModel):
                raise ValueError(f"an estimator is a {type(part).__name__}")
            if part.learned.get("n_features_in_", width) != width:
                raise ValueError(f"{part.name} takes other features than {width}")
            width = part.n_features_out
        restored = [part.restore() for part in parts]
        feature_map = None if len(parts) == 1 else restored[0]
        return cls(
            preparation=preparation, estimator=restored[-1], feature_map=feature_map
        )

    @property
    def is_constant(self):
        """Whether there is a single class."""
        return not hasattr(self.estimator, "n_iter_")

    @property
    def n_iter(self):
        """The number of iterations, the largest of all pairs of classes."""
        return int(np.max(getattr(self.estimator, "n_iter_", 1)))

    def support(self, rows):
        """Which of the rows are support vectors; None if there are none."""
        has_support = hasattr(self.estimator, "support_")
        return rows[self.estimator.support_] if has_support else None

    def decision_function(self, X):
        """Scores of rows that were read; of a single class zeros."""
        if self.is_constant:
            return np.zeros(X.shape[0])
        return self.call("decision_function", X)

    def predict(self, X):
        """Predictions for rows that were read."""
        return self.call("predict", X)

    def call(self, method, X):
        """Call a method of the estimator for rows that were read."""
        return predict_by_batches(partial(self._call, method), X)

    def _call(self, method, X):
        features = self.preparation.transform(X)
        if self.feature_map is not None:
            features = self.feature_map.transform(features)
        return getattr(self.estimator, method)(features)


@stored
class FittedOnPrepared(FittedOnTable):
    """What an estimator learned that prepares its tables."""

    model: PreparedModel

    def attributes(self):
        model = self.model
        return super().attributes() | {
            "estimator_": model.estimator,
            "preparation_": model.preparation,
            "prepared_feature_names_": model.preparation.feature_names_out,
            "n_iter_": model.n_iter,
        }

    def check(self):
        super().check()
        self.model.preparation.check_table(self.table.reader)
        estimator, n_classes = self.model.estimator, np.size(self.classes_)
        if is_classifier(estimator) == (self.classes_ is None) or (
            np.size(getattr(estimator, "classes_", 0)) != n_classes
        ):
            raise ValueError(f"{type(estimator).__name__} knows other classes")

    def missing_treatments(self):
        return self.table.treatments(self.model.preparation.treatments)


class BasePreparedLearner(BaseTableLearner):
    """Common ground of the estimators that prepare their tables."""

    _fitted_class = FittedOnPrepared
    _parameter_constraints = {
        **BaseTableLearner._parameter_constraints,
        "imputation": IMPUTATION_CONSTRAINT,
        "fill_value": [Interval(Real, None, None, closed="neither")],
        "add_indicator": ["boolean"],
        "scale": ["boolean"],
        "library_params": [dict, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def _preparation_options(self):
        check_fill_value(self.imputation, self.fill_value)
        names = ("imputation", "fill_value", "add_indicator", "scale")
        return {name: getattr(self, name) for name in names}


class PreparedClassifierMixin(ClassifierMixin):
    """Predictions of classes; a subclass adds `predict_proba`."""

    def _has_probabilities(self):
        """Whether there are probabilities; a subclass may raise why there are none."""
        return True

    def decision_function(self, X: MatrixLike) -> np.ndarray:
        """Compute scores of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            The score of each class; of two classes, that of the second. Logistic
            regression returns log-odds, an SVM the scores before any calibration. For a
            single class, zeros.
        """
        X = self._read(X)
        return self._fitted.model.decision_function(X)

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Predict the class of rows: the most probable one, if there are probabilities.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        X = self._read(X)
        return self.classes_[self._fitted.predict_codes(X)]

    @available_if(methodcaller("_has_probabilities"))
    def predict_log_proba(self, X: MatrixLike) -> np.ndarray:
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            The logarithms, in the order of `classes_`; minus infinity for a
            probability of zero.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))


def warn_if_constant(caller, score, sample, preparation, advice):
    """Warn if all rows get the same scores, though their targets differ.

    `score` computes those of rows that were read; `advice` says which parameters to
    change, should it not be the columns that are constant.
    """
    X, y = sample.X, sample.y
    few = X[:: 1 + len(y) // SOME_ROWS]
    if np.ptp(y) == 0 or any(_are_spread(score(rows), sample) for rows in (few, X)):
        return
    prepared = preparation.transform(X)
    if (prepared.max(axis=0) - prepared.min(axis=0)).sum() == 0:
        advice = "No column of X differs between rows."
    warn_user(f"{caller} learned nothing, and predicts the same for all rows. {advice}")


def _are_spread(scores, sample):
    is_classifier = sample.classes is not None
    size = np.abs(scores).max() if is_classifier else np.ptp(sample.y)
    return (np.ptp(scores, axis=0) > LEAST_SPREAD * size).any()
