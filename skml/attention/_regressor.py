"""Regression by attention: predictions are weighted means of the training targets."""

import numpy as np
from sklearn.base import RegressorMixin

from skml._compat.sklearn import _fit_context, with_callbacks
from skml._table._frame import as_dense
from skml.attention._base import BaseAttentionPooling
from skml.attention._features import mean_and_deviation
from skml.attention._losses import SquaredError


class AttentionPoolingRegressor(RegressorMixin, BaseAttentionPooling):
    r"""Predict numbers as means of training targets, weighted by attention.

    A query looks at all training rows, the keys, and averages their targets, softly:

    .. math:: f(x) = u(x) + \sum_j p_j(x) (y_j - u(x_j)), \quad
        p_j(x) = \frac{s_j e^{a(z(x), z(x_j))}}{\sum_i s_i e^{a(z(x), z(x_i))}},

    with weights :math:`s_j` of rows, a score a, an embedding z and a mean u under the
    pooling. With z the scaled features, divided by one width, and without u, this is
    the kernel regression of Nadaraya [1]_ and Watson [2]_. The other embeddings are
    rungs of a ladder: a width for each feature, a linear map (metric learning for
    kernel regression [3]_), a small network. They are learned so that training rows
    predict each other: each leaves itself out.

    Parameters
    ----------
    attention : str, default="gaussian"
        How alike a query and a key are: "gaussian", minus half their squared distance;
        "laplace", minus their distance; "scaled-dot-product", their inner product over
        the root of the number of components; "additive", a small network of both
        [5]_, which takes ten times as long; "auto" lets members take turns with the
        first two.
    embedding : {"identity", "scale", "linear", "mlp", "auto"}, default="auto"
        Where distances are measured: among scaled features; among features that are
        divided by widths of their own; after a linear map; after a linear map and a
        network beside it. "auto" learns "scale" and "mlp", and keeps what predicts
        rows that were left out better.
    width : float or "auto", default="auto"
        The width of the embedding "identity", in standard deviations; "auto" chooses
        it by leave-one-out.
    numeric_encoding : {"none", "piecewise-linear", "auto"}, default="auto"
        Whether a number is encoded also by how far it has come through each of
        `n_bins` bins [4]_, so that what is linear in the encoding bends at quantiles.
        "auto" does for the embeddings "linear" and "mlp".
    n_bins : int, default=32
        The largest number of bins of a feature.
    residual : {"none", "linear", "mlp", "auto"}, default="auto"
        The mean u: zero, linear in the encoded features, or also in the hidden values
        of the embedding "mlp". "auto" is the last for "mlp", "linear" for "linear",
        and "none" for the others.
    n_components : int, default=16
        The number of components of z, for the embeddings "linear" and "mlp".
    hidden_layer_sizes : array-like of int, default=(64,)
        The sizes of the layers of the embedding "mlp".
    n_heads : int, default=1
        In so many parts z is compared; each pools for itself, and the mean counts.
    n_estimators : int or "auto", default="auto"
        How many networks are learned, each from another part of the rows; the mean of
        their predictions counts. "auto" is 40 000 over the number of distinct rows, but
        at least 1 and at most 8: the fewer rows, the more they gain.
    context_size : int, default=2048
        How many keys a step of training looks at; predictions look at all.
    batch_size : int, default=512
        How many queries a step has, which are the first of the keys: at most half of
        them, and an eighth of the rows or 32, whichever is more.
    learning_rate_init : float, default=0.01
        The highest learning rate of AdamW; it falls along a cosine. Two rounds of 25
        steps that bring no gain are undone, and the rate is halved.
    max_iter : int, default=400
        The number of steps of a network, or of iterations for widths.
    early_stopping : bool, default=True
        Whether each network holds rows out, and keeps the step that predicts them
        best. They are keys all the same when it predicts.
    validation_fraction : float, default=0.1
        The share of rows that a network holds out.
    n_iter_no_change : int, default=6
        A network stops when held-out rows have not gained for so many times 25 steps.
    tol : float, default=0.0
        What counts as a gain.
    weight_decay : float, default=0.03
        How fast weights shrink.
    dropout : float, default=0.1
        The share of hidden units that a step does without, the same for all rows.
    input_noise : float, default=0.0
        The standard deviation of noise that training adds to scaled numbers.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of strings and of a category type; none; or,
        as well, those given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, beside NaN, None, NA and NaT.
    n_jobs : int, default=None
        The number of threads that pool. None means 1 unless in a
        :obj:`joblib.parallel_backend` context; -1 means all processors.
    random_state : int, RandomState instance or None, default=None
        Draws networks, batches and contexts.
    verbose : int, default=0
        Whether the loss of each round is printed.

    Attributes
    ----------
    embedding_ : str
        The rung that was taken.
    n_estimators_ : int
        The number of networks, 1 without.
    loss_curve_ : ndarray of shape (n_rounds,)
        The mean squared errors of scaled targets over time, of rows that were left
        out, averaged over members.
    validation_score_ : float
        Minus the least of them, averaged over members.
    n_iter_ : int
        The number of steps of the longest training of a network, or of iterations for
        bandwidths; at most `max_iter`.
    missing_fraction_ : ndarray of shape (n_features,)
        The fraction of rows where a feature was missing in `fit`.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if X had names that are all strings.

    See Also
    --------
    AttentionPoolingClassifier : The same for classes.
    attention_pooling : The pooling alone.

    References
    ----------
    .. [1] E. A. Nadaraya, "On Estimating Regression", Theory of Probability and its
       Applications 9, 1964.
    .. [2] G. S. Watson, "Smooth Regression Analysis", Sankhya A 26, 1964.
    .. [3] K. Q. Weinberger, G. Tesauro, "Metric Learning for Kernel Regression",
       AISTATS 2007.
    .. [4] Y. Gorishniy, I. Rubachev, A. Babenko, "On Embeddings for Numerical Features
       in Tabular Deep Learning", NeurIPS 2022.
    .. [5] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR 2015.

    Examples
    --------
    A noisy curve, by kernel regression with a width of half a standard deviation:

    >>> import numpy as np
    >>> from skml import AttentionPoolingRegressor
    >>> X = np.linspace(0, 5, 50)[:, np.newaxis]
    >>> y = 2 * np.sin(X[:, 0]) + X[:, 0] ** 0.8
    >>> model = AttentionPoolingRegressor(embedding="identity", width=0.5).fit(X, y)
    >>> model.predict([[2.5]]).round(2)
    array([2.98])

    There is no noise here, so that leave-one-out chooses a smaller width:

    >>> model = AttentionPoolingRegressor(embedding="identity").fit(X, y)
    >>> model.predict([[2.5]]).round(2)
    array([3.28])

    The training rows with the largest weights:

    >>> weights, rows = model.attention_weights([[2.5]], top_k=2)
    >>> X[rows, 0].round(2)
    array([[2.45, 2.55]])
    """

    _parameter_constraints = {**BaseAttentionPooling._parameter_constraints}

    def __init__(
        self,
        attention="gaussian",
        *,
        embedding="auto",
        width="auto",
        numeric_encoding="auto",
        n_bins=32,
        residual="auto",
        n_components=16,
        hidden_layer_sizes=(64,),
        n_heads=1,
        n_estimators="auto",
        context_size=2048,
        batch_size=512,
        learning_rate_init=0.01,
        max_iter=400,
        early_stopping=True,
        validation_fraction=0.1,
        n_iter_no_change=6,
        tol=0.0,
        weight_decay=0.03,
        dropout=0.1,
        input_noise=0.0,
        categorical_features="from_dtype",
        missing_values=np.nan,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.attention = attention
        self.embedding = embedding
        self.width = width
        self.numeric_encoding = numeric_encoding
        self.n_bins = n_bins
        self.residual = residual
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_heads = n_heads
        self.n_estimators = n_estimators
        self.context_size = context_size
        self.batch_size = batch_size
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.weight_decay = weight_decay
        self.dropout = dropout
        self.input_noise = input_noise
        self.categorical_features = categorical_features
        self.missing_values = missing_values
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Learn the embedding, and remember the rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Array, sparse matrix, list of lists, or data frame of pandas, polars or
            pyarrow. Values may be missing; strings and categories are categories.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; k is k equal rows. A row of weight 0 is left out.

        Returns
        -------
        self : AttentionPoolingRegressor
            The fitted estimator.

        Raises
        ------
        ValueError
            If X holds infinity, y a missing value, a weight is negative or all are
            zero, a parameter cannot be honoured, or training diverges.
        TypeError
            If a column of X mixes strings and numbers, or holds something else.
        """
        return self._fit(X, y, sample_weight)

    def _read_targets(self, y, weights):
        """Targets with mean 0 and standard deviation 1, as columns."""
        self._is_1d = y.ndim == 1
        Y = y.reshape(len(y), -1)
        self._target_mean, deviation = mean_and_deviation(Y, weights)
        is_constant = deviation <= 1e-12 * np.abs(self._target_mean)
        self._target_scale = np.where(is_constant, 1.0, deviation)
        Y = (Y - self._target_mean) / self._target_scale
        self._objective = SquaredError()
        return Y

    def predict(self, X, return_std=False):
        """Predict the targets of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.
        return_std : bool, default=False
            Whether the spread is returned as well.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions.
        std : ndarray of the same shape
            The standard deviation of what was pooled, around the mean of the
            members: of the targets that a query looks at, less their means u. Only if
            `return_std`.
        """
        found = self._outputs(X, spread=return_std)
        outputs = np.stack([member.output for member in found])
        y = self._unscale(outputs.mean(axis=0), self._target_mean)
        if not return_std:
            return y
        within = np.mean([member.variance for member in found], axis=0)
        return y, self._unscale(np.sqrt(within + outputs.var(axis=0)), 0.0)

    def predict_offset(self, X):
        """Predict the part of the predictions that is no weighted training target.

        Predictions are weighted targets plus this offset, to rounding:
        ``predict(X) == attention_weights(X) @ y + predict_offset(X)``. It comes from
        the mean u, and is zero with ``residual="none"``.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        offset : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The mean over the ensemble members of u(x) - sum_j p_j(x) u(x_j).
        """
        predicted = self.predict(X)
        targets = self._rung.pool_targets(as_dense(self._read_predict(X, warn=False)))
        return predicted - self._unscale(targets, self._target_mean)

    def _unscale(self, values, shift):
        values = values * self._target_scale + shift
        return values.ravel() if self._is_1d else values

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
