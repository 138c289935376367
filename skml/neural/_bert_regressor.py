"""Numbers for texts, by a fine-tuned model of the BERT family."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.utils.validation import assert_all_finite, check_array, check_is_fitted

from skml._compat.sklearn import StrOptions, _fit_context, with_callbacks
from skml.neural._bert_text import mean_of_windows
from skml.neural._bert_tuner import BaseBertTuner, check_samples, logits_of
from skml.neural._network_estimator import CURVES


class BertRegressor(RegressorMixin, BaseBertTuner):
    r"""Numbers for texts, or pairs of texts, by fine-tuning a model of the BERT family.

    The vector of the first piece, [CLS], goes through one linear layer [1]_. It learns
    the targets less their mean, in units of their standard deviation, from squared
    errors; after `fit` mean and deviation are part of the layer.

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
        overlapping windows, whose predictions are averaged. Pairs are always cut off,
        the longer text first.
    window_overlap : int, default=None
        How many pieces two windows share; half of them at most. None is a quarter.
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
        How many networks are trained, with other seeds; their predictions are
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
    BertClassifier : Classes instead of numbers.
    BertTransformer : Vectors of texts, for any other estimator.

    References
    ----------
    .. [1] J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, "BERT: Pre-training of Deep
       Bidirectional Transformers for Language Understanding", NAACL 2019.

    Examples
    --------
    How similar are two sentences? A small model, pre-trained on the spot:

    >>> from skml import BertPretrainer, BertRegressor
    >>> pairs = [("a fine day", "a fine day"), ("a dull film", "a fine day")] * 4
    >>> small = BertPretrainer(
    ...     vocabulary_size=80, hidden_size=16, n_layers=1, n_heads=2, max_iter=1,
    ...     random_state=0,
    ... ).fit([text for pair in pairs for text in pair])
    >>> model = BertRegressor(
    ...     small, learning_rate=0.01, max_iter=60, random_state=0
    ... )
    >>> model.fit(pairs, [5.0, 1.0] * 4).predict(pairs[:2]).round()
    array([5., 1.], dtype=float32)
    """

    _head = "sequence-classification"
    _fitted_as_data = ("newly_initialized_", "n_iter_", "_is_1d")
    _fitted_as_arrays = CURVES
    _parameter_constraints = {
        **BaseBertTuner._parameter_constraints,
        "long_text": [StrOptions({"truncate", "window"})],
    }

    def __init__(
        self,
        model=None,
        *,
        max_length=None,
        long_text="truncate",
        window_overlap=None,
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
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each text counts. One of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y differ in length, a document is missing, a target is no finite
            number, or the model cannot be read or takes fewer pieces than `max_length`.
        TypeError
            If X is no collection of documents.
        ImportError
            If PyTorch or transformers is not installed.
        """
        return self._fit(X, y, sample_weight)

    def _read_targets(self, y, documents, weights):
        y = check_array(y, ensure_2d=False, dtype=np.float64, input_name="y")
        with np.errstate(over="ignore"):
            assert_all_finite(y.astype(np.float32), input_name="y")
        self._is_1d = y.ndim == 1
        y = y.reshape(len(y), -1)
        self._mean = np.average(y, axis=0, weights=weights)
        variance = np.average((y - self._mean) ** 2, axis=0, weights=weights)
        self._scale = np.sqrt(variance)
        # Without a spread, there is nothing to divide by.
        self._scale[self._scale <= 1e-12 * np.abs(self._mean)] = 1.0
        return ((y - self._mean) / self._scale).astype(np.float32)

    def _config_changes(self):
        names = [f"LABEL_{i}" for i in range(len(self._mean))]
        return {
            "num_labels": len(names),
            "id2label": dict(enumerate(names)),
            "label2id": {name: i for i, name in enumerate(names)},
            "problem_type": "regression",
        }

    def _chance_loss(self, targets, weights):
        means = np.average(targets, axis=0, weights=weights)
        return np.average((targets - means) ** 2, axis=0, weights=weights).mean()

    def _objective(self, outputs, targets, weights):
        losses = (outputs.logits.float() - targets).square().mean(dim=1)
        return (losses * weights).sum(), float(weights.sum())

    def _start(self, network):
        """Let a stored last layer return standardised targets."""
        import torch

        layer, scale, mean = self._scaled(network)
        if any(
            network.get_parameter(n) is layer.weight for n in self.newly_initialized_
        ):
            return  # it is drawn
        with torch.no_grad():
            layer.weight.div_(scale[:, None])
            layer.bias.sub_(mean).div_(scale)

    def _finish(self, network):
        """Let the last layer return the targets as they were given."""
        import torch

        layer, scale, mean = self._scaled(network)
        with torch.no_grad():
            layer.weight.mul_(scale[:, None])
            layer.bias.mul_(scale).add_(mean)

    def _scaled(self, network):
        """The last layer, and by what its outputs are less than targets."""
        import torch

        from skml.neural._torch._pretrained import find_last_layer

        layer = find_last_layer(network)
        scale, mean = (
            torch.as_tensor(v, dtype=torch.float32, device=layer.weight.device)
            for v in (self._scale, self._mean)
        )
        return layer, scale, mean

    def predict(self, X, *, mc_samples=None):
        """Tell numbers for texts.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`.
        mc_samples : int, default=None
            With how many random drawings of dropout each network answers; the
            predictions are averaged. None answers once, without dropout.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float32
            The predictions.
        """
        check_is_fitted(self)
        n_samples = check_samples(mc_samples)
        documents, windows = self._windows(X)
        n_outputs = self.networks_[0].config.num_labels

        def combine(found):
            return mean_of_windows(found, windows, len(documents))

        found = np.empty((0, n_outputs), dtype=np.float32)
        if documents:
            found = self._mean_over_networks(windows, logits_of, combine, n_samples)
        return found[:, 0] if self._is_1d else found

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
