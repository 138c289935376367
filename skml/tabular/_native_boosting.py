"""What XGBoost and LightGBM have beside the other boosters: a booster of their own."""

from numbers import Integral

from joblib import effective_n_jobs

from skml._compat.sklearn import Interval
from skml.tabular._boosting import BaseBoosting


class BaseNativeBoosting(BaseBoosting):
    """Template of the boosters of other libraries."""

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

    def shap_values(self, X):
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
