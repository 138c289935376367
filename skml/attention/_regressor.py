"""Regression by attention: predictions are weighted means of the training targets."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import RegressorMixin

from skml._compat.sklearn import _fit_context, with_callbacks
from skml._table._containers import as_dense
from skml._table._targets import TargetScaling, learn_target_scaling
from skml._typing import ArrayLike, MatrixLike, RandomState
from skml.attention._base import BaseAttentionPooling
from skml.attention._losses import SquaredError


class AttentionPoolingRegressor(RegressorMixin, BaseAttentionPooling):
    r"""Predict targets as means of training targets, weighted by attention.

    A query attends to all training rows, the keys, and averages their targets, softly:

    .. math:: f(x) = u(x) + \sum_j p_j(x) (y_j - u(x_j)), \quad
        p_j(x) = \frac{s_j e^{a(z(x), z(x_j))}}{\sum_i s_i e^{a(z(x), z(x_i))}},

    with weights :math:`s_j` of rows, a score a, an embedding z and a mean u under the
    pooling. With z the scaled features, divided by one bandwidth, and without u, this
    is the kernel regression of Nadaraya [1]_ and Watson [2]_. The other embeddings are,
    from the simplest to the most flexible: a bandwidth for each feature, a linear map
    (metric learning for kernel regression [3]_), a small network. They are learned so
    that training rows predict each other: each leaves itself out.

    Parameters
    ----------
    attention : str, default="gaussian"
        How alike a query and a key are: "gaussian", minus half their squared distance;
        "laplace", minus their distance; "scaled-dot-product", their inner product over
        the root of the number of components; "additive", a small network of both
        [5]_, which takes ten times as long. With "auto" the estimators of the ensemble
        take turns with the first two.
    embedding : {"identity", "scale", "linear", "mlp", "auto"}, default="auto"
        Where distances are measured: among scaled features; among features that are
        divided by bandwidths of their own; after a linear map; after a linear map and a
        network beside it. "auto" learns "scale" and "mlp", and keeps what predicts
        rows that were left out better.
    bandwidth : float or "auto", default="auto"
        The bandwidth of the embedding "identity", in standard deviations; "auto"
        chooses it by leave-one-out.
    numeric_encoding : {"none", "piecewise-linear", "auto"}, default="auto"
        Whether numeric features are also encoded by how far a value has come through
        each of `n_bins` bins [4]_, so that what is linear in the encoding bends at
        quantiles. "auto" does for the embeddings "linear" and "mlp".
    n_bins : int, default=32
        The largest number of bins of a feature.
    residual : {"none", "linear", "mlp", "auto"}, default="auto"
        The mean u: zero, linear in the encoded features, or also in the hidden values
        of the embedding "mlp". "auto" is the last for "mlp", "linear" for "linear",
        and "none" for "identity" and "scale".
    n_components : int, default=16
        The number of components of z, for the embeddings "linear" and "mlp".
    hidden_layer_sizes : array-like of int, default=(64,)
        The sizes of the layers of the embedding "mlp".
    n_heads : int, default=1
        The number of parts in which z is compared. Each pools for itself, and the
        results are averaged.
    n_estimators : int or "auto", default="auto"
        The number of networks in the ensemble, each with its own validation set; their
        predictions are averaged. "auto" is 40 000 over the number of distinct rows, but
        at least 1 and at most 8.
    context_size : int, default=2048
        The number of keys of a training step; predictions attend to all keys.
    batch_size : int, default=512
        The number of queries of a training step, which are the first of the keys: at
        most half of `context_size`, and an eighth of the rows or 32, whichever is more.
    learning_rate : float, default=0.01
        The highest learning rate of AdamW; it falls along a cosine. After 50 steps
        without improvement of the validation score, training goes back to the best
        step, and the rate is halved.
    max_iter : int, default=400
        The largest number of training steps of each network, each with one minibatch;
        for bandwidths, of iterations of L-BFGS.
    early_stopping : bool or "auto", default=True
        Whether each network has a validation set, is trained until its validation score
        no longer improves, and keeps the best step. Rows of the validation set are keys
        all the same when it predicts.
        If "auto", early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The fraction of the distinct rows in a validation set.
    n_iter_no_change : int, default=6
        The number of evaluations, one every 25 steps, without improvement after which
        the training of a network stops.
    tol : float, default=0.0
        The least decrease of the validation loss that is an improvement.
    weight_decay : float, default=0.03
        The weight decay of AdamW, on all weights but the biases.
    dropout : float, default=0.1
        Dropout probability of hidden units; all rows of a step have the same units.
    input_noise : float, default=0.0
        The standard deviation of noise that training adds to scaled numeric features.
    categorical_features : "from_dtype", None or array-like, default="from_dtype"
        Which columns are categories: those of strings and of a category type; none; or,
        as well, those given by name, position or mask.
    missing_values : scalar or list of scalars, default=np.nan
        Values that mean missing, beside NaN, None, NA and NaT.
    n_jobs : int, default=None
        The number of threads. None means 1 unless in a
        :obj:`joblib.parallel_backend` context; -1 means all processors.
    random_state : int, RandomState instance or None, default=None
        Controls validation sets, initialisation, minibatches and dropout.
    verbose : int, default=0
        Print a line after each `verbose`-th evaluation, every 25 steps: losses, rows
        per second, and the time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    embedding_ : str
        The embedding that was chosen.
    n_estimators_ : int
        The number of networks in the ensemble, 1 without.
    n_iter_ : int
        The number of training steps of a network, the largest in the ensemble; for
        bandwidths, of iterations of L-BFGS, where a given bandwidth counts as one.
    loss_curve_ : ndarray of shape (n_iterations,)
        The mean squared error of scaled targets, with one value an iteration: of the
        queries of the minibatch of a step, or of all rows after an iteration for
        bandwidths; each row is left out for itself. It is the mean over the ensemble; a
        network that has stopped keeps its last value.
    validation_score_ : ndarray of shape (n_iterations,)
        Minus the loss of the validation set, averaged in the same way, with one value
        an iteration. It is computed every 25 steps, and after the last one; the steps
        before have the value of the evaluation that follows. Only of networks with
        early stopping.
    missing_fraction_ : ndarray of shape (n_features,)
        The fraction of rows where a feature was missing in `fit`.
    n_features_in_ : int
        The number of features.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the features seen in `fit`. Only if all names of X are strings.

    See Also
    --------
    AttentionPoolingClassifier : The same for classification.
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
    A curve, by kernel regression with a bandwidth of half a standard deviation:

    >>> import numpy as np
    >>> from skml import AttentionPoolingRegressor
    >>> X = np.linspace(0, 5, 50)[:, np.newaxis]
    >>> y = 2 * np.sin(X[:, 0]) + X[:, 0] ** 0.8
    >>> model = AttentionPoolingRegressor(embedding="identity", bandwidth=0.5)
    >>> model = model.fit(X, y)
    >>> model.predict([[2.5]]).round(2)
    array([2.98])

    There is no noise here, so that leave-one-out chooses a smaller bandwidth:

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
        attention: str = "gaussian",
        *,
        embedding: Literal["identity", "scale", "linear", "mlp", "auto"] = "auto",
        bandwidth: float | Literal["auto"] = "auto",
        numeric_encoding: Literal["none", "piecewise-linear", "auto"] = "auto",
        n_bins: int = 32,
        residual: Literal["none", "linear", "mlp", "auto"] = "auto",
        n_components: int = 16,
        hidden_layer_sizes: Sequence[int] | ArrayLike = (64,),
        n_heads: int = 1,
        n_estimators: int | Literal["auto"] = "auto",
        context_size: int = 2048,
        batch_size: int = 512,
        learning_rate: float = 0.01,
        max_iter: int = 400,
        early_stopping: bool | Literal["auto"] = True,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 6,
        tol: float = 0.0,
        weight_decay: float = 0.03,
        dropout: float = 0.1,
        input_noise: float = 0.0,
        categorical_features: Literal["from_dtype"] | ArrayLike | None = "from_dtype",
        missing_values: Any = np.nan,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
    ):
        self.attention = attention
        self.embedding = embedding
        self.bandwidth = bandwidth
        self.numeric_encoding = numeric_encoding
        self.n_bins = n_bins
        self.residual = residual
        self.n_components = n_components
        self.hidden_layer_sizes = hidden_layer_sizes
        self.n_heads = n_heads
        self.n_estimators = n_estimators
        self.context_size = context_size
        self.batch_size = batch_size
        self.learning_rate = learning_rate
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
    def fit(
        self, X: MatrixLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the embedding, and keep the rows as keys.

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

    def _read_targets(self, y, weights, classes):
        """Targets with mean 0 and standard deviation 1, as columns."""
        Y = y.reshape(len(y), -1)
        scaling = learn_target_scaling(Y, weights)
        Y = scaling.apply(Y)
        if y.ndim == 1:
            mean, scale = float(scaling.mean[0]), float(scaling.scale[0])
            scaling = TargetScaling(mean=mean, scale=scale)
        return Y, SquaredError(), scaling

    def predict(self, X: MatrixLike, return_std: bool = False):
        """Predict the targets of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.
        return_std : bool, default=False
            Whether the standard deviation is returned as well.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs)
            The predictions.
        std : ndarray of the same shape
            The standard deviation of the targets that a query attends to, less their
            means u, and of the predictions of the estimators of the ensemble. Only if
            `return_std`.
        """
        X, fitted = as_dense(self._read(X)), self._fitted
        means, variances = [], []
        for pooled in fitted.ensemble.pool(X, self.n_jobs, spread=return_std):
            outputs = np.stack([p.output for p in pooled])
            means.append(outputs.mean(axis=0))
            if return_std:
                within = np.mean([p.variance for p in pooled], axis=0)
                variances.append(within + outputs.var(axis=0))
        y = self._in_units(np.concatenate(means))
        if not return_std:
            return y
        std = np.sqrt(np.concatenate(variances))
        std = std * fitted.scaling.scale
        return y, std if np.ndim(fitted.scaling.scale) else std.ravel()

    def predict_offset(self, X: MatrixLike) -> np.ndarray:
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
            The mean over the ensemble of u(x) - sum_j p_j(x) u(x_j).
        """
        predicted, fitted = self.predict(X), self._fitted
        X = as_dense(self._read(X, warn=False))
        targets = fitted.ensemble.pool_targets(X, self.n_jobs)
        return predicted - self._in_units(targets)

    def _in_units(self, Y):
        """Columns of scaled targets in the units and the shape that `fit` got."""
        y = self._fitted.scaling.invert(Y)
        return y if np.ndim(self._fitted.scaling.mean) else y.ravel()

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
