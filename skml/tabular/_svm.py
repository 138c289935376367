"""Support vector machines of tables with missing values and categories."""

from numbers import Real

import numpy as np
from sklearn import config_context
from sklearn.base import ClassifierMixin, RegressorMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC, SVR, LinearSVC, LinearSVR
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions, _fit_context
from skml._fitting import all_or_nothing
from skml._table._statistics import binary_units, weighted_moments
from skml.tabular._svm_base import BaseSVM
from skml.tabular._svm_model import _PreparedSVC, _PreparedSVM

CALIBRATION_FOLDS = 5


def _is_calibrated(estimator):
    if estimator.calibration is None:
        raise AttributeError(
            "Probabilities need calibration: pass calibration='sigmoid' or 'isotonic'."
        )
    return True


class SVMClassifier(ClassifierMixin, BaseSVM):
    r"""Support vector machine that classifies tables with missing values.

    Before the machine is fitted, missing numbers are imputed, columns of 0 and 1 say
    where, categories become columns of 0 and 1, and columns of numbers are scaled. All
    this is learned in `fit`, so that in cross-validation nothing is known of the rows
    that are held out.

    The machine is scikit-learn's :class:`~sklearn.svm.SVC` [1]_: of several classes,
    one machine for each pair. Rows that are equal and have equal labels are one row
    with all their weight, so that a weight of k is exactly k rows.

    Parameters
    ----------
    C : float, default=1.0
        The price of a row on the wrong side of its margin: the larger, the closer the
        machine follows the data.
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default="rbf"
        How alike two rows are: :math:`e^{-\gamma \|x - x'\|^2}`,
        :math:`\langle x, x' \rangle`, :math:`(\gamma \langle x, x' \rangle + r)^d` or
        :math:`\tanh(\gamma \langle x, x' \rangle + r)`, where r is `coef0` and d is
        `degree`. The last two depend on where the origin is, so that sparse X, where
        features that are mostly zero are not centred, makes another model than dense X.
    degree : int, default=3
        The degree of the kernel "poly".
    gamma : {"scale", "auto"} or float, default="scale"
        The coefficient of the kernels other than "linear": one over the
        number of prepared columns, times the variance of their values for "scale",
        weighted, as scikit-learn has it; or a number.
    coef0 : float, default=0.0
        The constant of the kernels "poly" and "sigmoid".
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply those of the rows; "balanced" gives all
        classes the same total weight. A class that a dict leaves out has weight 1.
    approximation : {"nystroem", "rff"} or None, default=None
        Replaces the kernel by the inner product of `n_components` features, and the
        machine by a linear one, whose loss is squared: by rows of the training data,
        drawn at random [2]_, or by random Fourier features [3]_, of the kernel "rbf"
        only. The time then grows with the rows, not with their square; `fit` holds
        24 bytes times rows times `n_components` in memory. None is exact.
    n_components : int, default=500
        How many features `approximation` makes; "nystroem" no more than there are
        rows, and is then exact but for the loss. Of no effect without.
    calibration : {"sigmoid", "isotonic"} or None, default=None
        How scores become probabilities: by a logistic or by a monotonic function of
        the score. It is learned from scores of rows that the machine, its preparation
        included, has not seen: in five folds, or as many as the rarest class has rows.
        With weights of rows or classes, probabilities are those of the weighted data;
        which fold a row is in does not depend on its weight. None means no
        `predict_proba`, and a fit four times as fast: scorers that need probabilities,
        such as "neg_log_loss", then fail.
    imputation : str or estimator, default="median"
        What stands in for missing numbers: "median", "mean" or "most_frequent" of the
        column; "constant", the number `fill_value`; or what a transformer makes of the
        columns of numbers, such as :class:`~sklearn.impute.KNNImputer`. It is cloned,
        and gets the weights of the rows if it takes them; it sees equal rows once. A
        missing category is no category.
    fill_value : float, default=0.0
        The number that `imputation="constant"` puts in.
    add_indicator : bool, default=True
        Whether a column of 0 and 1 is added for each feature with missing values in
        `fit`.
    scale : bool, default=True
        Whether numeric features are centred and divided by their standard deviation. If
        `fit` gets sparse X, features that are mostly zero are not centred. Either way,
        `predict` takes dense and sparse X alike.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of strings and of a category type; none; or,
        as well, those given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, beside NaN, None, NA and NaT.
    tol : float, default=1e-3
        When the solver stops.
    cache_size : float, default=200
        Megabytes for values of the kernel. Not with `approximation`.
    max_iter : int, default=-1
        The largest number of iterations of the solver; -1 means no limit.
    library_params : dict, default=None
        More parameters of :class:`~sklearn.svm.SVC`, such as `shrinking`; with
        `approximation` of :class:`~sklearn.svm.LinearSVC`, such as `loss`.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximation, the folds of `calibration`, and an estimator that
        imputes.
    verbose : int, default=0
        Whether the solver prints what it does.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    estimator_ : SVC or LinearSVC
        The fitted machine of the prepared columns, or of the features of
        `feature_map_`; its classes are positions in `classes_`. Of a single class, a
        :class:`~sklearn.dummy.DummyClassifier`.
    feature_map_ : Nystroem, RBFSampler or None
        The fitted approximation of the kernel.
    preparation_ : TablePreparation
        Makes the prepared columns.
    prepared_feature_names_ : ndarray of shape (n_prepared,)
        Their names.
    support_ : ndarray of shape (n_support,)
        The rows of X that are support vectors, of equal ones the first. Only without
        `approximation`.
    calibrated_ : CalibratedClassifierCV
        The fitted calibration, whose classes are positions in `classes_`. Only with
        `calibration`, and of more than one class.
    missing_fraction_ : ndarray of shape (n_features,)
        The fraction of rows where a feature was missing in `fit`.
    n_iter_ : int
        The number of iterations, the largest of all pairs of classes.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings.

    See Also
    --------
    SVMRegressor : The same for numbers.
    LRClassifier : Logistic regression, with the same preparation.

    References
    ----------
    .. [1] C.-C. Chang, C.-J. Lin, "LIBSVM: a library for support vector machines", ACM
       Transactions on Intelligent Systems and Technology 2, 2011.
    .. [2] C. Williams, M. Seeger, "Using the Nyström method to speed up kernel
       machines", NIPS 2000.
    .. [3] A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS
       2007.

    Examples
    --------
    >>> from skml import SVMClassifier
    >>> X = [[22.0, "S"], [38.0, "C"], [None, "S"], [35.0, None], [54.0, "C"]]
    >>> y = ["lost", "saved", "lost", "saved", "saved"]
    >>> model = SVMClassifier().fit(X, y)
    >>> model.predict([[None, "C"], [30.0, "S"]])
    array(['saved', 'lost'], dtype='<U5')

    Probabilities are learned by calibration:

    >>> model = SVMClassifier(calibration="sigmoid", random_state=0).fit(X, y)
    >>> model.predict_proba([[None, "C"], [30.0, "S"]]).shape
    (2, 2)
    """

    _exact_class, _linear_class = SVC, LinearSVC
    _linear_parameters = {"dual": False}
    _parameter_constraints = {
        **BaseSVM._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "calibration": [StrOptions({"sigmoid", "isotonic"}), None],
    }

    def __init__(
        self,
        C=1.0,
        *,
        kernel="rbf",
        degree=3,
        gamma="scale",
        coef0=0.0,
        class_weight=None,
        approximation=None,
        n_components=500,
        calibration=None,
        imputation="median",
        fill_value=0.0,
        add_indicator=True,
        scale=True,
        categorical_features="from_dtype",
        missing_values=np.nan,
        tol=1e-3,
        cache_size=200,
        max_iter=-1,
        library_params=None,
        random_state=None,
        verbose=0,
    ):
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.class_weight = class_weight
        self.approximation = approximation
        self.n_components = n_components
        self.calibration = calibration
        self.imputation = imputation
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.scale = scale
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.tol = tol
        self.cache_size = cache_size
        self.max_iter = max_iter
        self.library_params = library_params
        self.random_state = random_state
        self.verbose = verbose

    # The imputing estimator and the machine check their own parameters.
    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(self, X, y, sample_weight=None):
        """Learn how to prepare the table, and fit the machine.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, which multiply C. A row of weight 0 is left out.

        Returns
        -------
        self : SVMClassifier
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative or all are
            zero, a class has too few rows to be calibrated, or a parameter cannot be
            honoured.
        TypeError
            If a column of X mixes strings and numbers, or holds something else.

        Warns
        -----
        UserWarning
            If an exact SVM is fitted to more than 30000 rows, or if nothing was
            learned: all rows get the same prediction.
        """
        self._check_parameters()
        X, y, sample_weight, kept = self._read_fit(X, y, sample_weight)
        n_folds = self._count_folds(y)
        self._warn_of_many_rows(X.shape[0], n_folds)
        model = self._new_model(_PreparedSVC)
        if n_folds:
            self.calibrated_ = self._calibrate(model, n_folds, X, y, sample_weight)
            model = self.calibrated_.calibrated_classifiers_[0].estimator
        else:
            self.__dict__.pop("calibrated_", None)
            model.fit(X, y, sample_weight)
        self._publish(model, kept)
        self._warn_if_constant(model.decision_function, X, y, f"Raise C={self.C:g}.")
        return self

    def _check_parameters(self):
        super()._check_parameters()
        shape = (self.library_params or {}).get("decision_function_shape", "ovr")
        if self.calibration is not None and shape != "ovr":
            raise ValueError(
                f"calibration={self.calibration!r} needs one score for each class; it "
                f"cannot honour decision_function_shape={shape!r} in library_params."
            )

    def _count_folds(self, y):
        """How many folds the calibration has; 0 if there is none."""
        counts = np.bincount(y)
        if self.calibration is None or len(counts) == 1:
            return 0
        if counts.min() < 2:
            label = self.classes_.tolist()[np.argmin(counts)]
            raise ValueError(
                f"calibration={self.calibration!r} holds out rows of each class in "
                f"turn, and class {label!r} has a single row. Leave the class out, or "
                "pass calibration=None."
            )
        return min(CALIBRATION_FOLDS, int(counts.min()))

    def _calibrate(self, model, n_folds, X, y, sample_weight):
        folds = StratifiedKFold(
            n_folds, shuffle=True, random_state=model.preparation.random_state
        )
        calibrated = CalibratedClassifierCV(
            model, method=self.calibration, cv=folds, ensemble=False
        )
        with config_context(enable_metadata_routing=False):
            return calibrated.fit(X, y, sample_weight)

    def decision_function(self, X):
        """Compute scores of rows, which are no probabilities.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        scores : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Of two classes, the score of the second, before any calibration; of a single
            class zeros.
        """
        check_is_fitted(self)
        return self._model.decision_function(self._read_predict(X))

    def predict(self, X):
        """Predict the class of rows: with `calibration` the most probable one.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        check_is_fitted(self)
        model = getattr(self, "calibrated_", self._model)
        return self.classes_[model.predict(self._read_predict(X))]

    @available_if(_is_calibrated)
    def predict_proba(self, X):
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        probabilities : ndarray of shape (n_samples, n_classes)
            The probabilities, in the order of `classes_`.
        """
        check_is_fitted(self)
        X = self._read_predict(X)
        if len(self.classes_) == 1:
            return np.ones((X.shape[0], 1))
        return self.calibrated_.predict_proba(X)

    @available_if(_is_calibrated)
    def predict_log_proba(self, X):
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        log_probabilities : ndarray of shape (n_samples, n_classes)
            The logarithms, in the order of `classes_`.
        """
        with np.errstate(divide="ignore"):  # a probability may be zero
            return np.log(self.predict_proba(X))


class SVMRegressor(RegressorMixin, BaseSVM):
    r"""Support vector machine that predicts numbers from tables with missing values.

    Before the machine is fitted, missing numbers are imputed, columns of 0 and 1 say
    where, categories become columns of 0 and 1, and columns of numbers are scaled. All
    this is learned in `fit`, so that in cross-validation nothing is known of the rows
    that are held out.

    The machine is scikit-learn's :class:`~sklearn.svm.SVR` [1]_. Rows that are equal
    and have equal targets are one row with all their weight, so that a weight of k is
    exactly k rows.

    Parameters
    ----------
    C : float, default=1.0
        The price of an error, beyond `epsilon`, of one: the larger, the closer the
        machine follows the data.
    epsilon : float, default=0.1
        Errors that cost nothing.
    scale_target : bool, default=True
        Whether the machine learns targets with mean 0 and standard deviation 1, so that
        `epsilon` and `C` mean the same for prices and for lengths in metres. Without,
        they are in the units of y, as in scikit-learn.
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default="rbf"
        How alike two rows are: :math:`e^{-\gamma \|x - x'\|^2}`,
        :math:`\langle x, x' \rangle`, :math:`(\gamma \langle x, x' \rangle + r)^d` or
        :math:`\tanh(\gamma \langle x, x' \rangle + r)`, where r is `coef0` and d is
        `degree`. The last two depend on where the origin is, so that sparse X, where
        features that are mostly zero are not centred, makes another model than dense X.
    degree : int, default=3
        The degree of the kernel "poly".
    gamma : {"scale", "auto"} or float, default="scale"
        The coefficient of the kernels other than "linear": one over the
        number of prepared columns, times the variance of their values for "scale",
        weighted, as scikit-learn has it; or a number.
    coef0 : float, default=0.0
        The constant of the kernels "poly" and "sigmoid".
    approximation : {"nystroem", "rff"} or None, default=None
        Replaces the kernel by the inner product of `n_components` features, and the
        machine by a linear one, whose loss is squared: by rows of the training data,
        drawn at random [2]_, or by random Fourier features [3]_, of the kernel "rbf"
        only. The time then grows with the rows, not with their square; `fit` holds
        24 bytes times rows times `n_components` in memory. None is exact.
    n_components : int, default=500
        How many features `approximation` makes; "nystroem" no more than there are
        rows, and is then exact but for the loss. Of no effect without.
    imputation : str or estimator, default="median"
        What stands in for missing numbers: "median", "mean" or "most_frequent" of the
        column; "constant", the number `fill_value`; or what a transformer makes of the
        columns of numbers, such as :class:`~sklearn.impute.KNNImputer`. It is cloned,
        and gets the weights of the rows if it takes them; it sees equal rows once. A
        missing category is no category.
    fill_value : float, default=0.0
        The number that `imputation="constant"` puts in.
    add_indicator : bool, default=True
        Whether a column of 0 and 1 is added for each feature with missing values in
        `fit`.
    scale : bool, default=True
        Whether numeric features are centred and divided by their standard deviation. If
        `fit` gets sparse X, features that are mostly zero are not centred. Either way,
        `predict` takes dense and sparse X alike.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of strings and of a category type; none; or,
        as well, those given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, beside NaN, None, NA and NaT.
    tol : float, default=1e-3
        When the solver stops.
    cache_size : float, default=200
        Megabytes for values of the kernel. Not with `approximation`.
    max_iter : int, default=-1
        The largest number of iterations of the solver; -1 means no limit.
    library_params : dict, default=None
        More parameters of :class:`~sklearn.svm.SVR`, such as `shrinking`; with
        `approximation` of :class:`~sklearn.svm.LinearSVR`, such as `loss`.
    random_state : int, RandomState instance or None, default=None
        Seeds the approximation, and an estimator that imputes.
    verbose : int, default=0
        Whether the solver prints what it does.

    Attributes
    ----------
    estimator_ : SVR or LinearSVR
        The fitted machine of the prepared columns, or of the features of
        `feature_map_`, and of the scaled targets.
    feature_map_ : Nystroem, RBFSampler or None
        The fitted approximation of the kernel.
    preparation_ : TablePreparation
        Makes the prepared columns.
    prepared_feature_names_ : ndarray of shape (n_prepared,)
        Their names.
    support_ : ndarray of shape (n_support,)
        The rows of X that are support vectors, of equal ones the first. Only without
        `approximation`.
    target_mean_ : float
        What was subtracted from the targets; 0 without `scale_target`.
    target_scale_ : float
        What they were then divided by; 1 without `scale_target`.
    missing_fraction_ : ndarray of shape (n_features,)
        The fraction of rows where a feature was missing in `fit`.
    n_iter_ : int
        The number of iterations.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings.

    See Also
    --------
    SVMClassifier : The same for classes.

    References
    ----------
    .. [1] C.-C. Chang, C.-J. Lin, "LIBSVM: a library for support vector machines", ACM
       Transactions on Intelligent Systems and Technology 2, 2011.
    .. [2] C. Williams, M. Seeger, "Using the Nyström method to speed up kernel
       machines", NIPS 2000.
    .. [3] A. Rahimi, B. Recht, "Random features for large-scale kernel machines", NIPS
       2007.

    Examples
    --------
    The price of a flat by its size and its district:

    >>> from skml import SVMRegressor
    >>> X = [[45.0, "north"], [80.0, "south"], [None, "north"], [60.0, None]]
    >>> y = [310_000, 420_000, 350_000, 330_000]
    >>> model = SVMRegressor(C=10).fit(X, y)
    >>> model.predict([[70.0, "south"]]).round(-4)
    array([390000.])
    """

    _exact_class, _linear_class = SVR, LinearSVR
    _linear_parameters = {"dual": False, "loss": "squared_epsilon_insensitive"}
    _parameter_constraints = {
        **BaseSVM._parameter_constraints,
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "scale_target": ["boolean"],
    }

    def __init__(
        self,
        C=1.0,
        *,
        epsilon=0.1,
        scale_target=True,
        kernel="rbf",
        degree=3,
        gamma="scale",
        coef0=0.0,
        approximation=None,
        n_components=500,
        imputation="median",
        fill_value=0.0,
        add_indicator=True,
        scale=True,
        categorical_features="from_dtype",
        missing_values=np.nan,
        tol=1e-3,
        cache_size=200,
        max_iter=-1,
        library_params=None,
        random_state=None,
        verbose=0,
    ):
        self.C = C
        self.epsilon = epsilon
        self.scale_target = scale_target
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.approximation = approximation
        self.n_components = n_components
        self.imputation = imputation
        self.fill_value = fill_value
        self.add_indicator = add_indicator
        self.scale = scale
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.tol = tol
        self.cache_size = cache_size
        self.max_iter = max_iter
        self.library_params = library_params
        self.random_state = random_state
        self.verbose = verbose

    # The imputing estimator and the machine check their own parameters.
    @_fit_context(prefer_skip_nested_validation=False)
    @all_or_nothing
    def fit(self, X, y, sample_weight=None):
        """Learn how to prepare the table, and fit the machine.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows, which multiply C. A row of weight 0 is left out.

        Returns
        -------
        self : SVMRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative or all are
            zero, or a parameter cannot be honoured.
        TypeError
            If a column of X mixes strings and numbers, or holds something else.

        Warns
        -----
        UserWarning
            If an exact SVM is fitted to more than 30000 rows, or if nothing was
            learned: all rows get the same prediction.
        """
        self._check_parameters()
        X, y, sample_weight, kept = self._read_fit(X, y, sample_weight)
        self._warn_of_many_rows(X.shape[0])
        y = self._scale_target(y, sample_weight)
        model = self._new_model(_PreparedSVM, epsilon=self.epsilon)
        self._publish(model.fit(X, y, sample_weight), kept)
        advice = f"Lower epsilon={self.epsilon:g}, or raise C={self.C:g}."
        if not self.scale_target:
            advice = "Pass scale_target=True."
        self._warn_if_constant(model.predict, X, y, advice)
        return self

    def _scale_target(self, y, sample_weight):
        self.target_mean_, self.target_scale_ = 0.0, 1.0
        if not self.scale_target:
            return y
        unit = binary_units(np.abs(y).max())
        mean, variance = weighted_moments(y / unit, sample_weight)
        scale = np.sqrt(variance) or 1.0
        self.target_mean_, self.target_scale_ = float(mean * unit), float(scale * unit)
        return (y / unit - mean) / scale

    def predict(self, X):
        """Predict the targets of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predictions.
        """
        check_is_fitted(self)
        predictions = self._model.predict(self._read_predict(X))
        return predictions * self.target_scale_ + self.target_mean_
