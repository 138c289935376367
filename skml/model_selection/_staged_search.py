"""Searches that score candidates which differ only in `n_estimators` after one fit."""

from typing import Self

from sklearn.model_selection import GridSearchCV, RandomizedSearchCV

from skml._compat.sklearn_search import PlannedSearchMixin
from skml._typing import ArrayLike
from skml.model_selection._stages import StagedScorer, shared_fits, spread_results


class _StagedSearchMixin(PlannedSearchMixin):
    """Puts fewer fits in the place of a search's candidates, and undoes it afterwards.

    All else is the search's: what candidates there are, splits, routing, ranks, refit.
    """

    def fit(self, X: ArrayLike, y: ArrayLike | None = None, **params) -> Self:
        """Fit and score the candidates, and fit the best one to all of `X`.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features)
            The data, whatever the estimator takes.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs), default=None
            The target.
        **params : dict of str -> object
            Parameters of the fit of the estimator, of the scorer and of the splitter,
            such as `sample_weight` and `groups`. Those with a value for each sample are
            split as `X` is.

        Returns
        -------
        self : object
            The fitted search.

        Raises
        ------
        TypeError
            If candidates set `n_estimators` of an estimator that cannot be scored at
            several stages.
        """
        self._scores_stages = True
        try:
            super().fit(X, y, **params)
        finally:
            vars(self).pop("_scores_stages", None)
        # A scorer of a single metric has the name None in `StagedScorer`.
        self.scorer_ = self.scorer_.get(None, self.scorer_)
        return self

    def _replace_scorers(self, scorers):
        """Score at several stages.

        `fit` asks first, for what it scores with; after it, and at all other times, it
        is metadata routing that asks.
        """
        if vars(self).pop("_scores_stages", False):
            return StagedScorer(scorers, raise_exc=self.error_score == "raise")
        return scorers

    def _plan(self, candidates):
        """The fits that the candidates need, and their parameters."""
        fits = shared_fits(self.estimator, candidates)
        return fits, [fit.params for fit in fits]

    def _carry_out(self, fits, results):
        """The parameters and the results of the candidates that were asked for."""
        return spread_results(fits, results, self.error_score)


class StagedGridSearchCV(_StagedSearchMixin, GridSearchCV):
    """A grid search that fits once what differs only in the number of trees.

    The first 50 trees of a boosted model of 200 are the model of 50 trees. Candidates
    that have all parameters but `n_estimators` in common are therefore fitted once for
    each split, with the largest number, and scored at each. Otherwise this is
    scikit-learn's :class:`~sklearn.model_selection.GridSearchCV`, and so are its
    results: only the times in them differ.

    Parameters
    ----------
    estimator : estimator
        A gradient booster of skml.tabular, or a Pipeline that ends in one.
    param_grid : dict of str to sequence, or list of such dicts
        The values of each parameter. That which may be shared is ``"n_estimators"``, or
        in a Pipeline ``"<name of the last step>__n_estimators"``. A grid without it,
        and with any parameters besides, is searched as usual.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to score with: one metric or several. None is the estimator's own score.
    n_jobs : int or None, default=None
        How many fits run at the same time. None means one, unless a joblib context says
        otherwise; -1 means all cores.
    refit : bool, str or callable, default=True
        Whether the best candidate is fitted to all data. With several metrics, the name
        of the one that counts. A callable gets `cv_results_` and returns the position
        of the best.
    cv : int, splitter, iterable or None, default=None
        How to split. None is five folds, a number that many; stratified if the
        estimator is a classifier.
    verbose : int, default=0
        How much is printed, about fits rather than candidates.
    pre_dispatch : int or str, default="2*n_jobs"
        How many fits are handed to the workers ahead.
    error_score : "raise" or float, default=np.nan
        The score where a fit or a scorer fails; "raise" raises the error.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores of the training data, too.

    Attributes
    ----------
    cv_results_ : dict of str to array
        A column for each parameter, score and time, with an entry for each candidate.
        ``mean_fit_time`` is the time of the fit that the candidate shares,
        ``mean_score_time`` an equal part of the time in which all that share it were
        scored.
    best_estimator_ : estimator
        The best candidate, fitted to all data. Only if `refit` is set.
    best_score_ : float
        The mean cross-validated score of the best candidate. Not if `refit` is a
        callable.
    best_params_ : dict
        The parameters of the best candidate.
    best_index_ : int
        The position of the best candidate in `cv_results_`.
    scorer_ : callable or dict
        The scorer, or the scorers by name if there are several metrics.
    n_splits_ : int
        The number of splits.
    refit_time_ : float
        The seconds that the fit to all data took. Only if `refit` is set.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        The labels. Only if `refit` is set and the estimator is a classifier.
    n_features_in_ : int
        The number of features. Only if `refit` is set.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in `fit`. Only if `refit` is set, and `X` has names.

    See Also
    --------
    StagedRandomizedSearchCV : The same for candidates drawn at random.
    sklearn.model_selection.GridSearchCV : What fits every candidate.

    Notes
    -----
    The results are bit-identical to those of the plain search if a fit gives the same
    model each time: set `random_state` of the estimator. The values of other parameters
    are the same if they are equal numbers or strings, or the same object.

    If a shared fit fails, it fails for all candidates that it serves. `n_estimators`
    of what is neither the estimator nor the last step of a Pipeline, such as the
    estimator in a meta-estimator, is searched without sharing.

    Examples
    --------
    Six candidates, but two fits for each of the splits:

    >>> from sklearn.datasets import load_breast_cancer
    >>> from skml import LightGBMClassifier, StagedGridSearchCV
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> search = StagedGridSearchCV(
    ...     LightGBMClassifier(random_state=0),
    ...     {"learning_rate": [0.05, 0.2], "n_estimators": [5, 10, 20]},
    ...     cv=3,
    ... ).fit(X, y)
    >>> search.cv_results_["mean_test_score"].shape
    (6,)
    >>> bool(search.best_score_ > 0.9)
    True
    """


class StagedRandomizedSearchCV(_StagedSearchMixin, RandomizedSearchCV):
    """A randomized search that fits once what differs only in the number of trees.

    Candidates that have all parameters but `n_estimators` in common are fitted once for
    each split, with the largest number, and scored at each. Otherwise this is
    scikit-learn's :class:`~sklearn.model_selection.RandomizedSearchCV`, and so are its
    results: only the times in them differ. It pays where the other parameters are
    lists of few values; those drawn from a continuous distribution are never the same.

    Parameters
    ----------
    estimator : estimator
        A gradient booster of skml.tabular, or a Pipeline that ends in one.
    param_distributions : dict of str to sequence or distribution, or list of such dicts
        The values of each parameter, or what has a method `rvs` to draw them. That
        which may be shared is ``"n_estimators"``, or in a Pipeline
        ``"<name of the last step>__n_estimators"``.
    n_iter : int, default=10
        The number of candidates.
    scoring : str, callable, list, tuple, dict or None, default=None
        What to score with: one metric or several. None is the estimator's own score.
    n_jobs : int or None, default=None
        How many fits run at the same time. None means one, unless a joblib context says
        otherwise; -1 means all cores.
    refit : bool, str or callable, default=True
        Whether the best candidate is fitted to all data. With several metrics, the name
        of the one that counts. A callable gets `cv_results_` and returns the position
        of the best.
    cv : int, splitter, iterable or None, default=None
        How to split. None is five folds, a number that many; stratified if the
        estimator is a classifier.
    verbose : int, default=0
        How much is printed, about fits rather than candidates.
    pre_dispatch : int or str, default="2*n_jobs"
        How many fits are handed to the workers ahead.
    random_state : int, RandomState or None, default=None
        What draws the candidates.
    error_score : "raise" or float, default=np.nan
        The score where a fit or a scorer fails; "raise" raises the error.
    return_train_score : bool, default=False
        Whether `cv_results_` has the scores of the training data, too.

    Attributes
    ----------
    cv_results_ : dict of str to array
        A column for each parameter, score and time, with an entry for each candidate.
        ``mean_fit_time`` is the time of the fit that the candidate shares,
        ``mean_score_time`` an equal part of the time in which all that share it were
        scored.
    best_estimator_ : estimator
        The best candidate, fitted to all data. Only if `refit` is set.
    best_score_ : float
        The mean cross-validated score of the best candidate. Not if `refit` is a
        callable.
    best_params_ : dict
        The parameters of the best candidate.
    best_index_ : int
        The position of the best candidate in `cv_results_`.
    scorer_ : callable or dict
        The scorer, or the scorers by name if there are several metrics.
    n_splits_ : int
        The number of splits.
    refit_time_ : float
        The seconds that the fit to all data took. Only if `refit` is set.
    multimetric_ : bool
        Whether there are several metrics.
    classes_ : ndarray of shape (n_classes,)
        The labels. Only if `refit` is set and the estimator is a classifier.
    n_features_in_ : int
        The number of features. Only if `refit` is set.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in `fit`. Only if `refit` is set, and `X` has names.

    See Also
    --------
    StagedGridSearchCV : The same for all candidates of a grid, with notes on both.
    sklearn.model_selection.RandomizedSearchCV : What fits every candidate.

    Notes
    -----
    As in :class:`StagedGridSearchCV`.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skml import LightGBMRegressor, StagedRandomizedSearchCV
    >>> X, y = load_diabetes(return_X_y=True)
    >>> search = StagedRandomizedSearchCV(
    ...     LightGBMRegressor(random_state=0),
    ...     {"max_leaf_nodes": [4, 8], "n_estimators": range(10, 60)},
    ...     n_iter=8,
    ...     random_state=0,
    ... ).fit(X, y)
    >>> search.cv_results_["mean_test_score"].shape
    (8,)
    >>> bool(search.best_score_ > 0.3)
    True
    """
