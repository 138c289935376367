"""Numbers for texts, by a fine-tuned model of the BERT family."""

from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from skml._codec import stored
from skml._compat.sklearn import StrOptions, _fit_context, with_callbacks
from skml._typing import ArrayLike, Documents, FilePath, MatrixLike, RandomState
from skml.neural._bert_fitted import TunedBert
from skml.neural._bert_targets import read_numbers
from skml.neural._bert_text import mean_of_windows
from skml.neural._bert_tuner import BaseBertTuner, logits_of
from skml.neural._network_estimator import check_count


@stored
class RegressingBert(TunedBert):
    """Networks whose outputs are numeric targets, in the units of `fit`."""

    head = "sequence-classification"

    is_1d: bool  # whether targets had no second axis

    def check(self):
        super().check()
        if self.is_1d:
            self.check_outputs(1)


class BertRegressor(RegressorMixin, BaseBertTuner):
    r"""Regression of texts, or pairs of texts, by fine-tuning a BERT-like model.

    The vector of the first token, [CLS], goes through one linear layer [1]_. It learns
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
        The largest number of tokens, special ones included. None takes as many as the
        model can.
    long_text : {"truncate", "window"}, default="truncate"
        How a longer text is read: cut off, with a warning; or in overlapping windows,
        whose predictions are averaged. Pairs are always cut off, the longer text first.
    window_overlap : int, default=None
        The number of tokens that two windows share; half of them at most. None is a
        quarter.
    freeze : {"none", "embeddings", "all"} or int, default="none"
        Which weights are frozen: none; the embeddings; all but the head; or, as an
        integer, the embeddings and so many of the lowest layers.
    dropout : float, default=None
        Dropout probability in training. None keeps the model's own.
    batch_size : int, default=32
        The number of texts, or windows, of a step.
    learning_rate : float, default=5e-5
        The highest learning rate of AdamW.
    head_learning_rate : float, default=None
        The highest learning rate of the head. None takes `learning_rate`.
    layer_decay : float, default=1.0
        The factor of the learning rate from each layer to that below it.
    lr_schedule : {"constant", "cosine", "linear", "inverse-sqrt"}, default="linear"
        The schedule of the learning rate after the warm-up.
    warmup_steps : int or float, default=0.1
        The number of steps in which the learning rate rises from zero, or, as a float,
        their fraction of all steps.
    weight_decay : float, default=0.01
        The weight decay of AdamW; not of biases and norms.
    max_grad_norm : float, default=1.0
        Gradients with a larger norm are clipped to it.
    max_iter : int, default=3
        The number of epochs.
    max_train_time : float, default=None
        The seconds after which training stops. None is no limit.
    early_stopping : bool or "auto", default=False
        Whether a fraction of the texts is set aside as validation set, training stops
        when its loss no longer improves, and the best weights are kept. If "auto",
        early stopping is enabled if there are more than 10000 samples.
    validation_fraction : float, default=0.1
        The fraction that is set aside as validation set.
    n_iter_no_change : int, default=1
        The number of epochs without an improvement by more than `tol` after which
        training stops.
    tol : float, default=0.0
        The tolerance of an improvement.
    n_averaged_checkpoints : int, default=1
        The number of last epochs whose weights are averaged.
    checkpoint : str or path-like, default=None
        A file that is written after each epoch, and from which an interrupted fit
        continues.
    n_estimators : int, default=1
        The number of networks in the ensemble, trained with different seeds; their
        predictions are averaged.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        The type of products in training. "auto" is bfloat16 where that is faster.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.
    random_state : int, RandomState instance or None, default=None
        Determines the initialisation of the head, the shuffling of texts, and dropout.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: losses, samples per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    estimators_ : list of PreTrainedModel
        The networks of the ensemble, of the library transformers.
    newly_initialized_ : list of str
        The names of the weights that the model did not have: those of the head.
    n_iter_ : int
        The number of epochs of the first network.
    loss_curve_, validation_loss_curve_ : ndarray of shape (n_iterations,)
        The mean loss of each epoch of the first network, and its loss on the validation
        set.

    See Also
    --------
    BertClassifier : Classes instead of numeric targets.
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

    _fitted_class = RegressingBert
    _parameter_constraints = {
        **BaseBertTuner._parameter_constraints,
        "long_text": [StrOptions({"truncate", "window"})],
    }

    def __init__(
        self,
        model: FilePath | BaseEstimator | None = None,
        *,
        max_length: int | None = None,
        long_text: Literal["truncate", "window"] = "truncate",
        window_overlap: int | None = None,
        freeze: Literal["none", "embeddings", "all"] | int = "none",
        dropout: float | None = None,
        batch_size: int = 32,
        learning_rate: float = 5e-5,
        head_learning_rate: float | None = None,
        layer_decay: float = 1.0,
        lr_schedule: Literal["constant", "cosine", "linear", "inverse-sqrt"] = "linear",
        warmup_steps: float = 0.1,
        weight_decay: float = 0.01,
        max_grad_norm: float = 1.0,
        max_iter: int = 3,
        max_train_time: float | None = None,
        early_stopping: bool | Literal["auto"] = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 1,
        tol: float = 0.0,
        n_averaged_checkpoints: int = 1,
        checkpoint: FilePath | None = None,
        n_estimators: int = 1,
        precision: Literal["auto", "float32", "bfloat16"] = "auto",
        device: str = "auto",
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
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
    def fit(
        self,
        X: Documents | MatrixLike,
        y: ArrayLike,
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fine-tune the model.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, lists of words, or pairs of texts: tuples, or the rows of an
            array or data frame with two columns.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            The numbers.
        sample_weight : array-like of shape (n_samples,), default=None
            Sample weights. A text of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y differ in length, a document is missing, a target is no finite
            number, or the model cannot be read or takes fewer tokens than `max_length`.
        TypeError
            If X is no collection of documents.
        ImportError
            If PyTorch or transformers is not installed.
        """
        return self._fit(X, y, sample_weight)

    def _read_targets(self, y, documents, weights):
        return read_numbers(y, weights)

    def predict(
        self, X: Documents | MatrixLike, *, mc_samples: int | None = None
    ) -> np.ndarray:
        """Predict numeric targets of texts.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`.
        mc_samples : int, default=None
            The number of predictions of each network with random dropout, which are
            averaged. None predicts once, without dropout.

        Returns
        -------
        y : ndarray of shape (n_samples,) or (n_samples, n_outputs), float32
            The predictions.
        """
        check_is_fitted(self)
        check_count("mc_samples", mc_samples)
        documents, windows = self._windows(X)
        n_outputs = self._fitted.network.config.num_labels

        def combine(found):
            return mean_of_windows(found, windows, len(documents))

        found = np.empty((0, n_outputs), dtype=np.float32)
        if documents:
            found = self._mean_over_networks(windows, logits_of, combine, mc_samples)
        return found[:, 0] if self._fitted.is_1d else found

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
