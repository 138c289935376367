"""The face that all boosters share: one fit, early stopping, stages, importances."""

import copy
from numbers import Integral, Real
from typing import Self

from joblib import effective_n_jobs
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml._progress import Progress
from skml._table._learner import BaseTableLearner
from skml._typing import ArrayLike, MatrixLike
from skml.tabular._fitted_boosting import FittedBoosting
from skml.tabular._learning import check_parameters, learn, starting_point
from skml.tabular._other_names import explain_other_names, refuse_other_parameters


class BaseBoosting(CallbackSupportMixin, BaseTableLearner):
    """Template of the boosters.

    A subclass names the subclasses of `Trees` that it may learn as `_backends`.
    """

    _fitted_class = FittedBoosting
    _parameter_constraints = {
        **BaseTableLearner._parameter_constraints,
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
        "max_leaf_nodes": [Interval(Integral, 2, None, closed="left"), None],
        "max_depth": [Interval(Integral, 1, None, closed="left"), None],
        "min_samples_leaf": [Interval(Integral, 1, None, closed="left")],
        "min_impurity_decrease": [Interval(Real, 0, None, closed="left")],
        "l2_regularization": [Interval(Real, 0, None, closed="left")],
        "max_features": [Interval(Real, 0, 1, closed="right")],
        "subsample": [Interval(Real, 0, 1, closed="right")],
        "monotonic_cst": ["array-like", dict, None],
        "interaction_cst": [
            list,
            tuple,
            StrOptions({"pairwise", "no_interactions"}),
            None,
        ],
        "early_stopping": ["boolean", StrOptions({"auto"})],
        "scoring": [str, callable, None],
        "validation_fraction": [
            Interval(Real, 0, 1, closed="neither"),
            Interval(Integral, 1, None, closed="left"),
            None,
        ],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="left")],
        "warm_start": ["boolean"],
        "library_params": [dict, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __new__(cls, *args, **kwargs):
        refuse_other_parameters(cls, kwargs.keys())
        return super().__new__(cls)

    @property
    def _backend(self):
        """That of the subclasses of `Trees` which `fit` learns."""
        return self._backends[0]

    @classmethod
    def _names_of_library(cls):
        """Our names of parameters by those of the library."""
        return {}

    @explain_other_names
    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X: MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
        *,
        groups: ArrayLike | None = None,
        X_val: MatrixLike | None = None,
        y_val: ArrayLike | None = None,
        sample_weight_val: ArrayLike | None = None,
    ) -> Self:
        """Fit the trees.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows. A row of weight 0 is left out.
        groups : array-like of shape (n_samples,), default=None
            Groups of rows; the validation set of early stopping has whole groups.
        X_val : table of shape (n_val, n_features), default=None
            Validation set: it is scored after each iteration, and early stopping uses
            it in place of a part of X.
        y_val : array-like of shape (n_val,), default=None
            Targets of the validation set.
        sample_weight_val : array-like of shape (n_val,), default=None
            Weights of the validation set.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative, a parameter
            cannot be honoured, or a class is lost by holding out rows.
        TypeError
            If a column of X mixes strings and numbers, or holds something else.
        """
        validation = (X_val, y_val, sample_weight_val)
        check_parameters(self, validation)
        previous = starting_point(self)
        n_before = previous.n_iter_ if previous else 0
        n_tasks = self.n_estimators - n_before if self._backend.reports else 0
        context = self._init_callback_context(max_subtasks=n_tasks)
        progress = Progress(self, context, {"X": X, "y": y})
        fitted = learn(
            self, (X, y, sample_weight), groups, validation, previous, progress
        )
        self._publish(fitted)
        progress.end()
        return self

    def _check_fitted(self, fitted):
        """Refuse the trees of another library, too; a model of one class has none."""
        super()._check_fitted(fitted)
        if fitted.trees is None or isinstance(fitted.trees, self._backends):
            return
        expected = " or ".join(backend.__name__ for backend in self._backends)
        raise ValueError(
            f"trees are {type(fitted.trees).__name__}; {type(self).__name__} has "
            f"{expected}"
        )

    def _at_stage(self, n_estimators):
        """The estimator as it would be, had it been fitted with fewer trees."""
        stage = copy.copy(self)
        stage.n_estimators = n_estimators
        stage._publish(self._fitted.stage(n_estimators))
        return stage

    @property
    def feature_importances_(self):
        """Importances of the features: normalised total gain of their splits.

        Returns
        -------
        importances : ndarray of shape (n_features,)
            They sum to one, or are all zero where no tree has a split.
        """
        check_is_fitted(self)
        return self._fitted.importances()


class BaseNativeBoosting(BaseBoosting):
    """Template of XGBoost and LightGBM, which have a booster of their own."""

    _parameter_constraints = {
        **BaseBoosting._parameter_constraints,
        "l1_regularization": BaseBoosting._parameter_constraints["l2_regularization"],
        "max_bins": [Interval(Integral, 2, None, closed="left")],
    }

    @property
    def booster_(self):
        """The library's own model; a model of one single class has none."""
        trees = self._fitted.trees
        if trees is None:
            raise AttributeError("A model of one single class has no booster_.")
        return trees.booster

    def shap_values(self, X: MatrixLike):
        """Compute what each feature adds to each raw prediction: exact SHAP values.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, in columns as in `fit`.

        Returns
        -------
        values : ndarray of shape (n_samples, n_features[, n_classes])
            Contributions to the raw scores (log-odds, of a regressor with a log link
            the logarithm); the last axis for three classes and more.
        base_value : ndarray of shape () or (n_classes,)
            The prediction before any feature is known. With the values of a row, it
            sums to the raw prediction.

        References
        ----------
        S. Lundberg et al., "From local explanations to global understanding with
        explainable AI for trees", Nature Machine Intelligence 2, 2020.
        """
        X = self._read(X)
        return self._fitted.contributions(X, effective_n_jobs(self.n_jobs))
