"""A tag for each word of texts, by a fine-tuned model of the BERT family."""

from collections.abc import Iterable, Sequence
from typing import Literal, Self

import numpy as np
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._codec import stored
from skml._compat.sklearn import StrOptions, _fit_context, with_callbacks
from skml._typing import ArrayLike, FilePath, RandomState
from skml.neural._bert_fitted import TunedBert
from skml.neural._bert_tags import (
    find_tokens,
    learn_tags,
    mean_of_words,
    read_tags,
    split,
)
from skml.neural._bert_tuner import BaseBertTuner, logits_of
from skml.neural._network_estimator import check_count


@stored
class TaggingBert(TunedBert):
    """Networks whose outputs are the logits of tags."""

    head = "token-classification"

    classes_: np.ndarray
    fallback: int  # which tag a word has that has no token

    def check(self):
        super().check()
        if self.classes_.ndim != 1 or self.classes_.dtype.kind != "U":
            raise ValueError(f"classes_ has the dtype {self.classes_.dtype}")
        self.check_outputs(len(self.classes_))
        if not 0 <= self.fallback < len(self.classes_):
            raise ValueError(f"fallback is {self.fallback}")


class BertTokenClassifier(BaseBertTuner):
    r"""Tag each word of texts by fine-tuning a model of the BERT family.

    The tags are those of named entities, parts of speech or the like. The vector of a
    token goes through one linear layer, whose outputs are the logits of the tags; all
    weights are trained together [1]_.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        The model to begin with: a folder as transformers writes it, the name of a
        model on a hub, which is downloaded, or a fitted :class:`BertPretrainer`, within
        a search in a :class:`~sklearn.frozen.FrozenEstimator`. None is refused by
        `fit`.
    max_length : int, default=None
        The largest number of tokens of a window, special ones included. None takes as
        many as the model can. Longer documents are read in overlapping windows.
    window_overlap : int, default=None
        The number of tokens that two windows share; half of them at most. None is a
        quarter. Of a token in several windows that counts which is farthest from the
        ends.
    labels : {"first", "all"}, default="first"
        Which tokens of a word get its tag in training, and predict it afterwards: the
        first, as in [1]_, or all, whose probabilities are averaged.
    freeze : {"none", "embeddings", "all"} or int, default="none"
        Which weights are frozen: none; the embeddings; all but the head; or, as an
        integer, the embeddings and so many of the lowest layers.
    dropout : float, default=None
        Dropout probability in training. None keeps the model's own.
    batch_size : int, default=32
        The number of documents, or windows, of a step.
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
        Whether a fraction of the documents is set aside as validation set, training
        stops when its loss no longer improves, and the best weights are kept. If
        "auto", early stopping is enabled if there are more than 10000 samples.
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
        probabilities are averaged.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        The type of products in training. "auto" is bfloat16 where that is faster.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.
    random_state : int, RandomState instance or None, default=None
        Determines the initialisation of the head, the shuffling of documents, and
        dropout.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: losses, samples per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tags,)
        The tags, sorted; the columns of probabilities have the same order.
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
    BertClassifier : A class for each text.
    skml.metrics.entity_f1_score : The score of entities that tags mark.
    skml.metrics.extract_entities : The entities that tags mark.

    Notes
    -----
    A document is a list of words; of Chinese, mostly a list of characters.
    A word that has no token, such as "" or a control character, is not learned from,
    and always gets "O" if that is a tag, else the most frequent tag of `fit`.

    The loss is the mean over the tokens that have a tag, each weighted as its document.
    A token in several windows has its tag in one, where it is read afterwards, so that
    the words of an overlap count once.

    References
    ----------
    .. [1] J. Devlin, M.-W. Chang, K. Lee, K. Toutanova, "BERT: Pre-training of Deep
       Bidirectional Transformers for Language Understanding", NAACL 2019.

    Examples
    --------
    A small model, pre-trained on the spot; mostly you will name the folder of one:

    >>> from skml import BertPretrainer, BertTokenClassifier
    >>> texts = ["Anna lives in Rome", "Otto works in Paris", "Rome is fine"]
    >>> small = BertPretrainer(
    ...     vocabulary_size=80, hidden_size=16, n_layers=1, n_heads=2, max_iter=1,
    ...     random_state=0,
    ... ).fit(texts)
    >>> words = [text.split() for text in texts]
    >>> tags = [
    ...     ["B-PER", "O", "O", "B-LOC"], ["B-PER", "O", "O", "B-LOC"],
    ...     ["B-LOC", "O", "O"],
    ... ]
    >>> model = BertTokenClassifier(
    ...     small, learning_rate=0.01, max_iter=30, random_state=0
    ... )
    >>> model.fit(words, tags).predict([["Otto", "lives", "in", "Rome"]])
    array([list(['B-PER', 'O', 'O', 'B-LOC'])], dtype=object)
    """

    _fitted_class = TaggingBert
    _kinds_taken = ("tokens",)
    _details = ("word_ids",)
    _predicts_tokens = True
    _parameter_constraints = {
        **BaseBertTuner._parameter_constraints,
        "labels": [StrOptions({"first", "all"})],
    }

    def __init__(
        self,
        model: FilePath | BaseEstimator | None = None,
        *,
        max_length: int | None = None,
        window_overlap: int | None = None,
        labels: Literal["first", "all"] = "first",
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
        self.window_overlap = window_overlap
        self.labels = labels
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
        X: Iterable[Sequence[str]],
        y: Sequence[Sequence[str]],
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Fine-tune the model.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.
        y : sequence of list of str
            The tags of each document, one for each word.
        sample_weight : array-like of shape (n_samples,), default=None
            The weight of each word of a document. A document of weight 0 is left out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y, or the words and tags of a document, differ in number, there is
            one tag only, a document or a tag is missing, or the model cannot be read or
            takes fewer tokens than `max_length`.
        TypeError
            If X or y is no collection of lists, or a word or a tag is no str.
        ImportError
            If PyTorch or transformers is not installed.
        """
        return self._fit(X, y, sample_weight)

    def _check_taken(self, kind):
        if kind == "text":
            raise ValueError(
                f"{type(self).__name__}: X has text; expected lists of tokens, each of "
                "which gets a tag. Split the texts into words, such as by text.split()."
            )

    def _check_targets(self, y, documents):
        # Before documents are left out, so that messages count all of them.
        y = super()._check_targets(y, documents)
        return read_tags(y, documents, type(self).__name__)

    def _read_targets(self, y, documents, weights):
        return learn_tags(y, weights, self.labels, type(self).__name__)

    def _overlap(self, reader):
        return self._check_overlap(reader)  # nothing is cut off: each word has a tag

    def _proba(self, X, n_samples=None):
        """The probabilities of the tags of words, for each document."""
        documents, windows = self._windows(X)
        if not documents:
            return []
        n_words = [len(words) for words in documents]
        tokens = find_tokens(windows, n_words, windows.overlap, self.labels)
        proba = np.zeros((sum(n_words), len(self.classes_)), dtype=np.float32)
        proba[:, self._fitted.fallback] = 1  # of words that have no token

        def combine(logits):
            of_tokens = softmax(logits[tokens.positions], axis=1)
            found = proba.copy()
            means, words = mean_of_words(of_tokens, tokens.words)
            found[words] = means
            return found

        if len(tokens.words) > 0:
            proba = self._mean_over_networks(windows, logits_of, combine, n_samples)
        return split(proba, n_words)

    def predict_proba(
        self, X: Iterable[Sequence[str]], *, mc_samples: int | None = None
    ):
        """Predict the probability of each tag for each word.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.
        mc_samples : int, default=None
            The number of predictions of each network with random dropout, whose
            probabilities are averaged, which makes them less extreme [1]_. None
            predicts once, without dropout.

        Returns
        -------
        proba : list of ndarray of shape (n_words, n_tags), float32
            For each document, the probabilities in the order of `classes_`; each row
            sums to one.

        References
        ----------
        .. [1] Y. Gal, Z. Ghahramani, "Dropout as a Bayesian Approximation", ICML 2016.
        """
        check_is_fitted(self)
        check_count("mc_samples", mc_samples)
        return self._proba(X, mc_samples)

    def predict(self, X: Iterable[Sequence[str]]) -> np.ndarray:
        """Tag words.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.

        Returns
        -------
        y : ndarray of shape (n_samples,), of lists of str
            For each document, the most probable tag of each word.
        """
        check_is_fitted(self)
        proba = self._proba(X)
        found = np.empty(len(proba), dtype=object)
        for row, of_document in enumerate(proba):
            found[row] = self.classes_[of_document.argmax(axis=1)].tolist()
        return found

    def score(
        self,
        X: Iterable[Sequence[str]],
        y: Sequence[Sequence[str]],
        sample_weight: ArrayLike | None = None,
    ) -> float:
        """F1 of the entities that tags mark, all together.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.
        y : sequence of list of str
            The tags of the words of each document.
        sample_weight : array-like of shape (n_samples,), default=None
            How often each document counts.

        Returns
        -------
        score : float
            :func:`skml.metrics.entity_f1_score`, with its defaults.

        Raises
        ------
        ValueError
            If a tag is neither "O" nor a prefix, a hyphen and a type, as parts of
            speech are not; score these by the fraction of tags that are right.
        """
        from skml.metrics import entity_f1_score

        check_is_fitted(self)
        return entity_f1_score(y, self.predict(X), sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False  # a list of tags for each sample
        return tags
