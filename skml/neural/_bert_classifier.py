"""Classes of texts, by a fine-tuned model of the BERT family."""

import numpy as np
from scipy import sparse
from scipy.special import expit, softmax, xlogy
from scipy.stats import entropy
from sklearn.base import ClassifierMixin
from sklearn.utils import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import check_is_fitted, column_or_1d

from skml._compat.sklearn import StrOptions, _fit_context, with_callbacks
from skml._validation import is_missing
from skml.neural._bert_text import mean_of_windows
from skml.neural._bert_tuner import BaseBertTuner, check_samples, logits_of
from skml.neural._network_estimator import CURVES


def log(proba):
    """The logarithms of probabilities, none of which is infinite."""
    return np.log(np.maximum(proba, np.finfo(proba.dtype).tiny))


def check_labels(y, caller):
    """No label of a column is missing."""
    is_table = sparse.issparse(y) or hasattr(y, "columns")
    for position, label in enumerate(() if is_table else y):
        if is_missing(label):
            raise ValueError(
                f"{caller}: target {position} of y is missing ({label!r}); drop the "
                "document, or name a class of its own."
            )


def softmax_of_rows(logits):
    return softmax(logits, axis=1)


def expit_of_both(logits):
    """The probabilities of each label, and of its absence, which is no difference."""
    return np.stack([expit(logits), expit(-logits)])


class BertClassifier(ClassifierMixin, BaseBertTuner):
    r"""Classify texts, or pairs of texts, by fine-tuning a model of the BERT family.

    The vector of the first piece, [CLS], goes through one linear layer, whose outputs
    are the logits of the classes; all weights are trained together [1]_.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        The model to begin with: a folder as transformers writes it, the name of a
        model on a hub, which is downloaded, or a fitted :class:`BertPretrainer`, within
        a search in a :class:`~sklearn.frozen.FrozenEstimator`. None is refused by
        `fit`.
    max_length : int, default=None
        The largest number of pieces, special ones included. None takes as many as the
        model can.
    long_text : {"truncate", "window"}, default="truncate"
        What becomes of a longer text: it is cut off, with a warning; or it is read in
        overlapping windows, whose logits are averaged. Pairs are always cut off, the
        longer text first.
    window_overlap : int, default=None
        How many pieces two windows share; half of them at most. None is a quarter.
    class_weight : dict or "balanced", default=None
        Weights of the classes. "balanced" weighs them against their frequencies:
        ``n_samples / (n_classes * bincount(y))``.
    freeze : {"none", "embeddings", "all"} or int, default="none"
        What keeps its weights: nothing; the embeddings; all but the head; or the
        embeddings and so many of the lowest layers.
    dropout : float, default=None
        The share of numbers that is dropped in training. None keeps the model's own.
    batch_size : int, default=32
        The number of texts, or windows, of a step.
    learning_rate : float, default=5e-5
        The highest learning rate of AdamW.
    head_learning_rate : float, default=None
        That of the head. None takes `learning_rate`.
    layer_decay : float, default=1.0
        By what factor the rate falls from each layer to that below it.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="linear"
        How the rate falls after the warm-up.
    warmup_steps : int or float, default=0.1
        The number of steps in which the rate rises from zero, or, as a float, their
        share of all.
    weight_decay : float, default=0.01
        The weight decay of AdamW; not of biases and norms.
    max_grad_norm : float, default=1.0
        Longer gradients are shortened to this norm.
    max_iter : int, default=3
        The number of passes over the texts.
    max_train_time : float, default=None
        The seconds after which training stops. None is no limit.
    early_stopping : bool or "auto", default=False
        Whether a share of the texts is held out, training stops when it gets no better,
        and the best weights are kept.
        If "auto", early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The share that is held out.
    n_iter_no_change : int, default=1
        The number of passes without a gain of more than `tol` after which it stops.
    tol : float, default=0.0
        The smallest gain.
    n_averaged_checkpoints : int, default=1
        Of how many last passes the weights are averaged.
    checkpoint : str or path-like, default=None
        A file that is written after each pass, and from which an interrupted fit goes
        on.
    n_estimators : int, default=1
        How many networks are trained, with other seeds; their probabilities are
        averaged.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        The type of products in training. "auto" is bfloat16 where that is faster.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.
    random_state : int, RandomState instance or None, default=None
        Draws the weights of the head, the order of texts, and dropout.
    verbose : int, default=0
        Whether each pass is reported.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes, sorted; the columns of probabilities have the same order.
    networks_ : list of PreTrainedModel
        The networks of transformers, one for each member.
    newly_initialized_ : list of str
        The names of the weights that the model did not have: those of the head.
    n_iter_ : int
        The number of passes of the first member.
    loss_curve_, validation_loss_curve_ : ndarray of shape (n_iter_,)
        Of the first member, the mean loss of each pass, and on the texts held out.

    See Also
    --------
    BertRegressor : Numbers instead of classes.
    BertTransformer : Vectors of texts, for any other estimator.
    BertTokenClassifier : A class for each token.

    Notes
    -----
    A target of shape (n_samples, n_labels) with zeros and ones is several labels at
    once: each column gets a logistic loss, and `predict` returns such a table.

    References
    ----------
    .. [1] J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, "BERT: Pre-training of Deep
       Bidirectional Transformers for Language Understanding", NAACL 2019.

    Examples
    --------
    A small model, pre-trained on the spot; mostly you will name the folder of one:

    >>> from skml import BertClassifier, BertPretrainer
    >>> texts = ["a fine day", "a dull day", "what a fine film", "a dull, dull film"]
    >>> small = BertPretrainer(
    ...     vocabulary_size=80, hidden_size=16, n_layers=1, n_heads=2, max_iter=1,
    ...     random_state=0,
    ... ).fit(texts)
    >>> model = BertClassifier(
    ...     small, learning_rate=0.01, max_iter=20, random_state=0
    ... )
    >>> model.fit(texts, ["good", "bad", "good", "bad"]).predict(["a fine film"])
    array(['good'], dtype='<U4')
    """

    _head = "sequence-classification"
    _fitted_as_data = ("newly_initialized_", "n_iter_", "_is_multilabel")
    _fitted_as_arrays = ("classes_", *CURVES)
    _parameter_constraints = {
        **BaseBertTuner._parameter_constraints,
        "long_text": [StrOptions({"truncate", "window"})],
        "class_weight": [dict, StrOptions({"balanced"}), None],
    }

    def __init__(
        self,
        model=None,
        *,
        max_length=None,
        long_text="truncate",
        window_overlap=None,
        class_weight=None,
        freeze="none",
        dropout=None,
        batch_size=32,
        learning_rate=5e-5,
        head_learning_rate=None,
        layer_decay=1.0,
        lr_schedule="linear",
        warmup_steps=0.1,
        weight_decay=0.01,
        max_grad_norm=1.0,
        max_iter=3,
        max_train_time=None,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=1,
        tol=0.0,
        n_averaged_checkpoints=1,
        checkpoint=None,
        n_estimators=1,
        precision="auto",
        device="auto",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.model = model
        self.max_length = max_length
        self.long_text = long_text
        self.window_overlap = window_overlap
        self.class_weight = class_weight
        self.freeze = freeze
        self.dropout = dropout
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.head_learning_rate = head_learning_rate
        self.layer_decay = layer_decay
        self.lr_schedule = lr_schedule
        self.warmup_steps = warmup_steps
        self.weight_decay = weight_decay
        self.max_grad_norm = max_grad_norm
        self.max_iter = max_iter
        self.max_train_time = max_train_time
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.n_averaged_checkpoints = n_averaged_checkpoints
        self.checkpoint = checkpoint
        self.n_estimators = n_estimators
        self.precision = precision
        self.device = device
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Fine-tune the model.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, lists of words, or pairs of texts: tuples, or the rows of an
            array or data frame with two columns.
        y : array-like of shape (n_samples,) or (n_samples, n_labels)
            The classes; or zeros and ones, for several labels at once.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each text counts. One of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y differ in length, a document is missing, or the model cannot be
            read or takes fewer pieces than `max_length`.
        TypeError
            If X is no collection of documents.
        ImportError
            If PyTorch or transformers is not installed.
        """
        return self._fit(X, y, sample_weight)

    def _read_targets(self, y, documents, weights):
        check_labels(y, type(self).__name__)
        with np.errstate(invalid="ignore"):  # NaN, which it refuses
            kind = type_of_target(y, input_name="y")
        self._is_multilabel = kind == "multilabel-indicator"
        if self._is_multilabel:
            y = y.toarray() if sparse.issparse(y) else np.asarray(y)
            if not np.isin(y, (0, 1)).all():
                raise ValueError(
                    f"{type(self).__name__}: y has {np.unique(y).tolist()}; of several "
                    "labels at once, each must be 0 or 1."
                )
            self.classes_ = np.arange(y.shape[1])
            self._class_weights = self._weigh_labels(y, weights)
            return y.astype(np.float32)
        y = column_or_1d(y, warn=True)
        check_classification_targets(y)
        self.classes_, codes = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__}: y has one class, "
                f"{self.classes_.tolist()[0]!r:.60}; at least two are needed."
            )
        if self.class_weight == "balanced":
            of_classes = (
                weights.sum() / np.bincount(codes, weights) / len(self.classes_)
            )
        else:
            of_classes = compute_class_weight(
                self.class_weight, classes=self.classes_, y=y
            )
        self._class_weights = np.asarray(of_classes, dtype=np.float32)
        if not ((self._class_weights >= 0) & np.isfinite(self._class_weights)).all():
            raise ValueError(
                f"{type(self).__name__}: class_weight={self.class_weight!r:.60}; "
                "expected finite weights of at least 0."
            )
        return codes.astype(np.int64)

    def _weigh_labels(self, y, weights):
        """The weight of each label where it is one, relative to where it is zero."""
        if self.class_weight is None:
            return np.ones(y.shape[1], dtype=np.float32)
        if self.class_weight == "balanced":
            ones = weights @ (y != 0)
            # A label that all have, or none, is not weighed.
            ones[(y == y[:1]).all(axis=0)] = weights.sum() / 2
            return np.asarray((weights.sum() - ones) / ones, dtype=np.float32)
        raise ValueError(
            f"{type(self).__name__}: class_weight={self.class_weight!r:.60} with "
            "several labels at once; expected None or 'balanced'."
        )

    def _config_changes(self):
        names = [str(c) for c in self.classes_]
        return {
            "num_labels": len(names),
            "id2label": dict(enumerate(names)),
            "label2id": {name: i for i, name in enumerate(names)},
            "problem_type": (
                "multi_label_classification"
                if self._is_multilabel
                else "single_label_classification"
            ),
        }

    def _labels_of(self, targets):
        if self._is_multilabel:
            return np.nonzero(targets)
        return np.arange(len(targets)), targets

    def _chance_loss(self, targets, weights):
        if self._is_multilabel:
            ones = self._class_weights * (weights @ targets)
            counts = np.stack([ones, weights @ (1 - targets)])
            losses = -xlogy(counts, counts / counts.sum(axis=0)).sum(axis=0)
            return losses.mean() / weights.sum()
        return entropy(np.bincount(targets, weights))

    def _weights_of_windows(self, windows, targets, weights):
        weights = super()._weights_of_windows(windows, targets, weights)
        if self._is_multilabel:  # which weighs ones
            return weights
        return weights * self._class_weights[targets]

    def _objective(self, outputs, targets, weights):
        import torch
        from torch.nn import functional

        logits = outputs.logits.float()
        if self._is_multilabel:
            of_labels = torch.as_tensor(self._class_weights, device=logits.device)
            losses = functional.binary_cross_entropy_with_logits(
                logits, targets, reduction="none", pos_weight=of_labels
            ).mean(dim=1)
        else:
            losses = functional.cross_entropy(logits, targets, reduction="none")
        return (losses * weights).sum(), float(weights.sum())

    def _squashed(self, X, squash, n_samples=None):
        """The mean over networks of what `squash` makes of the logits of documents."""
        documents, windows = self._windows(X)
        if not documents:
            return squash(np.empty((0, len(self.classes_)), dtype=np.float32))

        def combine(logits):
            return squash(mean_of_windows(logits, windows, len(documents)))

        return self._mean_over_networks(windows, logits_of, combine, n_samples)

    def _proba(self, X, n_samples=None):
        squash = expit if self._is_multilabel else softmax_of_rows
        return self._squashed(X, squash, n_samples)

    def predict_proba(self, X, *, mc_samples=None):
        """Tell the probabilities of the classes.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`.
        mc_samples : int, default=None
            With how many random drawings of dropout each network answers; the
            probabilities are averaged, which makes them more careful [1]_. None
            answers once, without dropout.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes), float32
            The probabilities, in the order of `classes_`; each row sums to one, but
            with several labels at once, where each number stands for itself.

        References
        ----------
        .. [1] Y. Gal, Z. Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016.
        """
        check_is_fitted(self)
        return self._proba(X, check_samples(mc_samples))

    def predict_log_proba(self, X):
        """Tell the logarithms of the probabilities.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes), float32
            The natural logarithms.
        """
        return log(self.predict_proba(X))

    def decision_function(self, X):
        """Tell logits; of several networks, those of the mean probabilities.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes), float32
            Of two classes, the logit of the second; of several labels, that of each;
            else the logarithms of probabilities.
        """
        check_is_fitted(self)
        if self._is_multilabel:
            ones, zeros = self._squashed(X, expit_of_both)
            return log(ones) - log(zeros)
        found = log(self._proba(X))
        return found[:, 1] - found[:, 0] if len(self.classes_) == 2 else found

    def predict(self, X):
        """Tell the classes of texts.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_labels)
            The most probable classes; or of each label, whether it is more probable
            than not.
        """
        check_is_fitted(self)
        proba = self._proba(X)
        if self._is_multilabel:
            return (proba > 0.5).astype(int)
        return self.classes_[proba.argmax(axis=1)]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
