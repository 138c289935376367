"""A tag for each word of texts, by a fine-tuned model of the BERT family."""

from typing import NamedTuple

import numpy as np
from scipy.special import softmax
from scipy.stats import entropy
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import StrOptions, _fit_context, with_callbacks
from skml._fitting import warn_user
from skml._validation import is_missing
from skml.metrics import entity_f1_score, extract_entities
from skml.neural._bert_tuner import BaseBertTuner, check_samples, logits_of
from skml.neural._codec import check_characters
from skml.neural._network_estimator import CURVES

OUTSIDE = "O"  # the tag of most words that are of no entity


class TaggedPieces(NamedTuple):
    """The pieces that stand for words, in the order of the words."""

    places: np.ndarray  # where each is, in the row of the pieces of all windows
    words: np.ndarray  # of which word it is, in the row of those of all documents


def read_tags(y, documents, caller):
    """The tags of documents as lists of str, one for each token.

    Parameters
    ----------
    y : sequence of list of str
        The tags, of as many documents.
    documents : list of list of str
        The documents.
    caller : str
        The name of the estimator, for the messages.

    Raises
    ------
    ValueError, TypeError
        If a document has another number of tags than of tokens, or a tag is no str.
    """
    found = []
    for position, (tags, tokens) in enumerate(zip(y, documents, strict=True)):
        tags = _as_list(tags, position, caller)
        if len(tags) != len(tokens):
            raise ValueError(
                f"{caller}: document {position} has {len(tokens)} tokens and "
                f"{len(tags)} tags; expected one tag for each token."
            )
        for at, tag in enumerate(tags):
            if not isinstance(tag, str):
                error = ValueError if is_missing(tag) else TypeError
                raise error(
                    f"{caller}, y: document {position}, tag {at} is {tag!r:.60} "
                    f"({type(tag).__name__}); expected a str."
                )
        check_characters("".join(tags), position, f"{caller}, y")
        found.append(list(map(str, tags)))  # those of NumPy, too
    return found


def _as_list(tags, position, caller):
    if isinstance(tags, (list, tuple)):
        return tags
    if getattr(tags, "ndim", 1) == 1 and hasattr(tags, "dtype"):
        return tags.to_list() if hasattr(tags, "to_list") else tags.tolist()
    error = ValueError if is_missing(tags) else TypeError
    raise error(
        f"{caller}, y: document {position} is {tags!r:.60} ({type(tags).__name__}); "
        "expected a list of tags, one for each token."
    )


def find_pieces(windows, n_words, overlap, labels):
    """Find the pieces that stand for words.

    A piece that is in several windows is taken from that where it is farthest from
    the ends, beyond which the network sees nothing.

    Parameters
    ----------
    windows : Windows
        The windows, with the detail "word_ids".
    n_words : list of int
        The numbers of words of the documents.
    overlap : int
        How many pieces two windows of a document share.
    labels : {"first", "all"}
        Whether the first piece of a word stands for it, or all.

    Returns
    -------
    pieces : TaggedPieces
        The pieces. A word may have none.
    """
    words_before = np.cumsum([0, *n_words])
    n_before, start, stop, document = 0, 0, 0, -1
    # Of each piece: where it is, its number in all documents, its word, its distance.
    columns = [np.empty((4, 0), dtype=np.intp)]
    details = windows.details["word_ids"]
    for row, word_ids in zip(windows.documents, details, strict=True):
        places = np.flatnonzero(word_ids >= 0)
        words = word_ids[places]
        # Windows of a document follow each other; all but the last are full.
        start = stop - overlap if row == document else stop
        stop, document = start + len(words), row
        numbers = np.arange(len(words))
        columns.append(
            np.stack(
                [
                    n_before + places,
                    start + numbers,
                    words_before[row] + words,
                    np.minimum(numbers, numbers[::-1]),
                ]
            )
        )
        n_before += len(word_ids)
    places, numbers, words, distances = np.concatenate(columns, axis=1)
    order = np.lexsort((-distances, numbers))
    order = order[np.diff(numbers[order], prepend=-1) > 0]
    if labels == "first":
        order = order[np.diff(words[order], prepend=-1) > 0]
    return TaggedPieces(places[order], words[order])


def mean_of_words(values, words):
    """The means of the values of each word that has some, and which words these are."""
    starts = np.flatnonzero(np.diff(words, prepend=-1))
    counts = np.diff(starts, append=len(words))
    sums = np.add.reduceat(values, starts, axis=0)
    return sums / counts[:, None].astype(values.dtype), words[starts]


def split(values, lengths):
    """Parts of the given lengths."""
    return np.split(values, np.cumsum(lengths)[:-1])


class BertTokenClassifier(BaseBertTuner):
    r"""Tag each word of texts by fine-tuning a model of the BERT family.

    The tags are those of named entities, parts of speech or the like. The vector of a
    piece of a word goes through one linear layer, whose outputs are the logits of the
    tags; all weights are trained together [1]_.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        The model to begin with: a folder as transformers writes it, the name of a
        model on a hub, which is downloaded, or a fitted :class:`BertPretrainer`, within
        a search in a :class:`~sklearn.frozen.FrozenEstimator`. None is refused by
        `fit`.
    max_length : int, default=None
        The largest number of pieces of a window, special ones included. None takes as
        many as the model can. Longer documents are read in overlapping windows.
    window_overlap : int, default=None
        How many pieces two windows share; half of them at most. None is a quarter. Of
        a piece in several windows that counts where it is farthest from the ends.
    labels : {"first", "all"}, default="first"
        Which pieces of a word get its tag in training, and tell it afterwards: the
        first, as in [1]_, or all, whose probabilities are averaged.
    freeze : {"none", "embeddings", "all"} or int, default="none"
        What keeps its weights: nothing; the embeddings; all but the head; or the
        embeddings and so many of the lowest layers.
    dropout : float, default=None
        The share of numbers that is dropped in training. None keeps the model's own.
    batch_size : int, default=32
        The number of documents, or windows, of a step.
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
        The number of passes over the documents.
    max_train_time : float, default=None
        The seconds after which training stops. None is no limit.
    early_stopping : bool or "auto", default=False
        Whether a share of the documents is held out, training stops when it gets no
        better, and the best weights are kept.
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
        Draws the weights of the head, the order of documents, and dropout.
    verbose : int, default=0
        Whether each pass is reported.

    Attributes
    ----------
    classes_ : ndarray of shape (n_tags,)
        The tags, sorted; the columns of probabilities have the same order.
    networks_ : list of PreTrainedModel
        The networks of transformers, one for each member.
    newly_initialized_ : list of str
        The names of the weights that the model did not have: those of the head.
    n_iter_ : int
        The number of passes of the first member.
    loss_curve_, validation_loss_curve_ : ndarray of shape (n_iter_,)
        Of the first member, the mean loss of each pass, and on the documents held out.

    See Also
    --------
    BertClassifier : A class for each text.
    skml.metrics.entity_f1_score : The score of entities that tags mark.
    skml.metrics.extract_entities : The entities that tags mark.

    Notes
    -----
    A document is a list of words; of Chinese, mostly a list of characters. A word that
    has no piece, such as "" or a control character, is not learned from, and always
    gets "O" if that is a tag, else the most frequent tag of `fit`.

    The loss is the mean over the pieces that have a tag, each weighted as its document.
    A piece in several windows has its tag in one, where it is read afterwards, so that
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

    _head = "token-classification"
    _kinds_taken = ("tokens",)
    _details = ("word_ids",)
    _fitted_as_data = ("newly_initialized_", "n_iter_", "_fallback")
    _fitted_as_arrays = ("classes_", *CURVES)
    _parameter_constraints = {
        **BaseBertTuner._parameter_constraints,
        "labels": [StrOptions({"first", "all"})],
    }

    def __init__(
        self,
        model=None,
        *,
        max_length=None,
        window_overlap=None,
        labels="first",
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
    def fit(self, X, y, sample_weight=None):
        """Fine-tune the model.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.
        y : sequence of list of str
            The tags of each document, one for each word.
        sample_weight : array-like of shape (n_samples,), default=None
            How much each word of a document counts. A document of weight 0 is left
            out.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X and y, or the words and tags of a document, differ in number, there is
            one tag only, a document or a tag is missing, or the model cannot be read or
            takes fewer pieces than `max_length`.
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
        """The codes of the tags of each document."""
        lengths = [len(tags) for tags in y]
        flat = [tag for tags in y for tag in tags]
        classes = sorted(set(flat))
        if len(classes) < 2:
            found = f"one tag, {classes[0]!r:.60}" if classes else "no tag"
            raise ValueError(
                f"{type(self).__name__}: y has {found}; at least two are needed."
            )
        self._warn_of_prefixes(classes)
        self.classes_ = np.array(classes)
        code_of = {tag: code for code, tag in enumerate(classes)}
        codes = np.array([code_of[tag] for tag in flat], dtype=np.int64)
        counts = np.bincount(codes, np.repeat(weights, lengths))
        self._fallback = code_of.get(OUTSIDE, int(counts.argmax()))
        return split(codes, lengths)

    def _warn_of_prefixes(self, classes):
        """Warn, before training, of tags of entities that `score` will refuse."""
        others = set(classes) - {OUTSIDE}
        if len(others) == len(classes) or not all("-" in tag for tag in others):
            return  # of no entities, such as parts of speech
        try:
            extract_entities([classes])
        except ValueError as error:
            warn_user(
                f"{type(self).__name__}: `score` will refuse these tags; predict them, "
                "and score them by entity_f1_score with another scheme or suffix, or "
                f"write them otherwise: {error}"
            )

    def _config_changes(self):
        names = self.classes_.tolist()
        return {
            "num_labels": len(names),
            "id2label": dict(enumerate(names)),
            "label2id": {name: i for i, name in enumerate(names)},
        }

    def _overlap(self):
        return self._check_overlap()  # nothing is cut off: each word has a tag

    def _targets_of_windows(self, windows, targets):
        """The codes of the tags of pieces, in one window each."""
        from skml.neural._torch._windows import NO_TARGET

        n_words = [len(codes) for codes in targets]
        places, words = find_pieces(windows, n_words, self._overlap(), self.labels)
        found = np.full(windows.lengths.sum(), NO_TARGET, dtype=np.int64)
        found[places] = np.concatenate(targets)[words]
        return split(found, windows.lengths)

    def _labels_of(self, targets):
        samples = np.repeat(np.arange(len(targets)), list(map(len, targets)))
        return samples, np.concatenate(targets)

    def _chance_loss(self, targets, weights):
        weights = np.repeat(weights, list(map(len, targets)))
        targets = np.concatenate(targets)
        has_tag = targets >= 0
        return entropy(np.bincount(targets[has_tag], weights[has_tag]))

    def _weights_of_windows(self, windows, targets, weights):
        # Each word is in one window only, so that those of a document share no weight.
        has_target = np.array([(codes >= 0).any() for codes in targets])
        return weights[windows.documents] * has_target

    def _objective(self, outputs, targets, weights):
        from torch.nn import functional

        from skml.neural._torch._windows import NO_TARGET

        losses = functional.cross_entropy(
            outputs.logits.float().transpose(1, 2),
            targets,
            reduction="none",
            ignore_index=NO_TARGET,
        )
        weights = weights[:, None] * (targets != NO_TARGET)
        return (losses * weights).sum(), float(weights.sum())

    def _collect(self, network, windows, compute):
        """What `compute` returns of all pieces of all windows, in a row."""
        from skml.neural._torch._device import limit_torch_threads
        from skml.neural._torch._windows import collect_pieces

        with limit_torch_threads(self.n_jobs):
            network = self._on_device(network)
            return collect_pieces(
                network, windows, self._special.get("pad", 0), compute
            )

    def _proba(self, X, n_samples=None):
        """The probabilities of the tags of words, for each document."""
        documents, windows = self._windows(X)
        if not documents:
            return []
        n_words = [len(words) for words in documents]
        pieces = find_pieces(windows, n_words, self._overlap(), self.labels)
        proba = np.zeros((sum(n_words), len(self.classes_)), dtype=np.float32)
        proba[:, self._fallback] = 1  # of words that have no piece

        def combine(logits):
            of_pieces = softmax(logits[pieces.places], axis=1)
            found = proba.copy()
            means, words = mean_of_words(of_pieces, pieces.words)
            found[words] = means
            return found

        if len(pieces.words) > 0:
            proba = self._mean_over_networks(windows, logits_of, combine, n_samples)
        return split(proba, n_words)

    def predict_proba(self, X, *, mc_samples=None):
        """Say how probable each tag is for each word.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.
        mc_samples : int, default=None
            With how many random drawings of dropout each network answers; the
            probabilities are averaged, which makes them more careful [1]_. None
            answers once, without dropout.

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
        return self._proba(X, check_samples(mc_samples))

    def predict(self, X):
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

    def score(self, X, y, sample_weight=None):
        """F1 of the entities that tags mark, all together.

        Parameters
        ----------
        X : iterable of list of str
            The documents, each a list of words.
        y : sequence of list of str
            Their tags.
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
            speech are not; score these by the share of tags that are right.
        """
        check_is_fitted(self)
        return entity_f1_score(y, self.predict(X), sample_weight=sample_weight)

    def _set_state(self, state, path):
        super()._set_state(state, path)
        if not 0 <= self._fallback < len(self.classes_):
            raise ValueError(f"_fallback={self._fallback}.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.single_output = False  # a list of tags for each sample
        return tags
