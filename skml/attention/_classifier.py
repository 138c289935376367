"""Classification by attention: class proportions among weighted training labels."""

from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import ClassifierMixin

from skml._compat.sklearn import StrOptions, _fit_context, with_callbacks
from skml._table._containers import as_dense
from skml._typing import ArrayLike, MatrixLike, RandomState
from skml.attention._base import BaseAttentionPooling
from skml.attention._candidates import WITHOUT_NETWORK
from skml.attention._losses import learn_log_loss, softmax


class AttentionPoolingClassifier(ClassifierMixin, BaseAttentionPooling):
    r"""Predict classes as proportions among training labels, weighted by attention.

    A query attends to all training rows, the keys, and averages the indicators of their
    classes, softly:

    .. math:: P(y = c | x) \propto e^{u_c(x)} \sum_j p_j(x) [y_j = c], \quad
        p_j(x) = \frac{s_j e^{a(z(x), z(x_j))}}{\sum_i s_i e^{a(z(x), z(x_i))}},

    with weights :math:`s_j` of rows, a score a, an embedding z and shifts u of the
    log-odds. To the pooled proportions a hundredth of those of all rows is added, so
    that no class is impossible. With z the scaled features, divided by one bandwidth,
    and without u, this is the classifier of Nadaraya [1]_ and Watson [2]_. The other
    embeddings are, from the simplest to the most flexible: a bandwidth for each
    feature, a linear map (neighbourhood components analysis [3]_), a small network.
    They are learned so that training rows predict each other: each leaves itself out.

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
        The shifts u: zero, linear in the encoded features, or also in the hidden values
        of the embedding "mlp". "auto" is the last for "mlp", "linear" for "linear",
        and "none" for "identity" and "scale", which have no other.
    n_components : int, default=16
        The number of components of z, for the embeddings "linear" and "mlp".
    hidden_layer_sizes : array-like of int, default=(64,)
        The sizes of the layers of the embedding "mlp".
    n_heads : int, default=1
        The number of parts in which z is compared. Each pools for itself, and the
        results are averaged.
    n_estimators : int or "auto", default="auto"
        The number of networks in the ensemble, each with its own validation set; their
        probabilities are averaged. "auto" is 40 000 over the number of distinct rows,
        but at least 1 and at most 8.
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
    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, which multiply those of the rows; "balanced" gives all
        classes the same total weight. A class that a dict leaves out has weight 1.
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
    classes_ : ndarray of shape (n_classes,)
        The labels.
    embedding_ : str
        The embedding that was chosen.
    n_estimators_ : int
        The number of networks in the ensemble, 1 without.
    n_iter_ : int
        The number of training steps of a network, the largest in the ensemble; for
        bandwidths, of iterations of L-BFGS, where a given bandwidth counts as one.
    loss_curve_ : ndarray of shape (n_iterations,)
        The mean log loss, with one value an iteration: of the queries of the
        minibatch of a step, or of all rows after an iteration for bandwidths; each
        row is left out for itself. It is the mean over the ensemble; a network that
        has stopped keeps its last value.
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
    AttentionPoolingRegressor : The same for regression.
    attention_pooling : The pooling alone.

    References
    ----------
    .. [1] E. A. Nadaraya, "On Estimating Regression", Theory of Probability and its
       Applications 9, 1964.
    .. [2] G. S. Watson, "Smooth Regression Analysis", Sankhya A 26, 1964.
    .. [3] J. Goldberger, S. Roweis, G. Hinton, R. Salakhutdinov, "Neighbourhood
       Components Analysis", NIPS 2004.
    .. [4] Y. Gorishniy, I. Rubachev, A. Babenko, "On Embeddings for Numerical Features
       in Tabular Deep Learning", NeurIPS 2022.
    .. [5] D. Bahdanau, K. Cho, Y. Bengio, "Neural Machine Translation by Jointly
       Learning to Align and Translate", ICLR 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skml import AttentionPoolingClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> model = AttentionPoolingClassifier(embedding="scale").fit(X[::2], y[::2])
    >>> round(model.score(X[1::2], y[1::2]), 2)
    0.97

    The classes of the training rows with the largest weights for the first flower:

    >>> weights, rows = model.attention_weights(X[:1], top_k=5)
    >>> y[::2][rows]
    array([[0, 0, 0, 0, 0]])
    """

    _parameter_constraints = {
        **BaseAttentionPooling._parameter_constraints,
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

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
        class_weight: dict | Literal["balanced"] | None = None,
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
        self.class_weight = class_weight
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
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the rows; k is k equal rows. A row of weight 0 is left out.

        Returns
        -------
        self : AttentionPoolingClassifier
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

    def _wrong_choices(self):
        yield from super()._wrong_choices()
        yield (
            self.residual == "linear" and self.embedding in WITHOUT_NETWORK,
            "residual='linear' needs embedding='linear' or 'mlp', which learn it; got "
            f"{self.embedding!r}. Leave it at 'auto'.",
        )

    def _read_targets(self, y, weights, classes):
        """A column for each class, which is 1 in its rows."""
        Y = (y[:, np.newaxis] == np.arange(len(classes))).astype(np.float64)
        return Y, learn_log_loss(Y, weights), None

    def predict(self, X: MatrixLike) -> np.ndarray:
        """Predict the most probable class of rows.

        Parameters
        ----------
        X : table of shape (n_samples, n_features)
            Rows, with the columns of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Labels.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    def predict_proba(self, X: MatrixLike) -> np.ndarray:
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
        X, fitted = as_dense(self._read(X)), self._fitted
        probabilities = [
            np.mean([softmax(p.output) for p in pooled], axis=0)
            for pooled in fitted.ensemble.pool(X, self.n_jobs)
        ]
        return np.concatenate(probabilities)

    def predict_log_proba(self, X: MatrixLike) -> np.ndarray:
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
