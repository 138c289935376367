"""Word vectors learned from documents, and one vector a document."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from inspect import signature
from numbers import Integral, Real
from os import PathLike
from time import perf_counter

import numpy as np
from joblib import effective_n_jobs

from skml._compat.sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml._fitting import warn_user
from skml._random import make_random_state
from skml.text._document_vectors import (
    POOLING_CONSTRAINTS,
    BaseDocumentVectors,
    find_rows,
)
from skml.text._subwords import LONGEST_NGRAM, find
from skml.text._unknown import segmentation_advice
from skml.text._vocabulary import (
    EncodedDocuments,
    count_ids,
    look_up,
    rank_terms,
    reindex,
)
from skml.text._word2vec_online import Growth, OnlineVectors, publish, published
from skml.text._word2vec_tables import noise_weights
from skml.text._word2vec_training import Training, fill_randomly
from skml.text._word_vectors import WordVectors

# Rows copied at a time, to hold no second matrix.
_ROWS = 4096
# max_iter="auto": epochs until so many tokens were trained on, within these bounds.
_TOKENS, _FEWEST_EPOCHS, _MOST_EPOCHS = 5_000_000, 5, 40


def _copy_known(words, rows, vocabulary, vectors):
    """Copy the vectors of the words that have one into their rows.

    Parameters
    ----------
    words : list of str
        The words of the rows.
    rows : ndarray of shape (n_words, vector_size), dtype float32
        Overwritten where a word is known.
    vocabulary : dict
        The row in `vectors` of each known word.
    vectors : ndarray of shape (n_known, vector_size), dtype float32
        Their vectors.

    Returns
    -------
    is_known : ndarray of shape (n_words,), dtype bool
        Which words are known.
    """
    sources = look_up(words, vocabulary)
    targets = np.flatnonzero(sources >= 0)
    for start in range(0, len(targets), _ROWS):
        part = targets[start : start + _ROWS]
        rows[part] = vectors[sources[part]]
    return sources >= 0


@dataclass
class _Corpus:
    """The documents that are trained on and pooled.

    Attributes
    ----------
    documents : EncodedDocuments
        As ids of words.
    with_all_terms : tuple of (list of str, EncodedDocuments) or None
        All terms, and the documents as ids of these; None if only words have vectors,
        or if nothing is to be pooled.
    """

    documents: EncodedDocuments
    with_all_terms: tuple | None

    def rows(self, word_vectors):
        """The documents as `find_rows` gives them; the ids may be overwritten."""
        if self.with_all_terms is None:
            return self.documents, None
        terms, documents = self.with_all_terms
        return find_rows(terms, documents.copy(), word_vectors)


class Word2VecTransformer(CallbackSupportMixin, BaseDocumentVectors):
    r"""Word vectors by word2vec, pooled to one vector a document.

    `fit` learns a vector for each frequent word from the words around it; `transform`
    gives the mean of the vectors of a document's words, weighted if there is a
    `weighter`. A document without a known word becomes zeros.

    With input vectors :math:`x` and output vectors :math:`o`, skip-gram predicts the
    word :math:`w` from each word :math:`c` in a window around it, and CBOW from the
    mean of the window. The loss of a pair of input :math:`x` and word :math:`w` is

    .. math:: -\log \sigma(x \cdot o_w) - \sum_{i=1}^{k} \log \sigma(-x \cdot o_{n_i})

    with negative sampling, where the noise words :math:`n_i` are drawn with
    probability proportional to :math:`\mathrm{count}^{3/4}`, and

    .. math:: -\sum_{v \in \mathrm{path}(w)} \log \sigma(\pm x \cdot o_v)

    with hierarchical softmax, where the path leads to the word through a Huffman tree
    and the sign says which branch it takes. See [1]_ and [2]_.

    Parameters
    ----------
    vector_size : int, default=100
        Number of dimensions of a word vector.
    architecture : {"skip-gram", "cbow"}, default="skip-gram"
        Predict a word from each of the words around it, or from their mean. CBOW is
        faster, skip-gram better with rare words and small corpora.
    loss : {"negative-sampling", "hierarchical-softmax"}, default="negative-sampling"
        How the prediction of a word is broken down into yes-or-no questions.
    window : int, default=5
        How many words to each side of a word are around it.
    n_negatives : int, default=5
        Number of noise words. Only for negative sampling. They are drawn once for
        each word and shared by the words of its window.
    noise_exponent : float, default=0.75
        Noise words are drawn with probability proportional to their count to this
        power. Only for negative sampling.
    subsample : float, default=1e-3
        Words of a relative frequency f above this are thinned out: each occurrence is
        kept with probability ``sqrt(subsample / f) + subsample / f``. 0 keeps all.
    min_count : int, default=5
        Words that occur less often in the corpus are left out.
    max_features : int or None, default=None
        Keep only so many words, the most frequent.
    max_iter : int or "auto", default="auto"
        Number of epochs. "auto" takes as many as make 5 million tokens of training, at
        least 5 and at most 40: few epochs over a small corpus leave the vectors close
        to where they started, and so close to each other that a classifier learns
        little from them.
    learning_rate_init : float, default=0.025
        The learning rate at the start.
    learning_rate_min : float, default=1e-4
        The learning rate at the end; in between it falls linearly.
    shrink_window : bool, default=True
        Draw the size of each window uniformly between 1 and `window`, so that close
        words count more. If False, every window has full size.
    subwords : tuple of (int, int) or None, default=None
        Learn a vector for each character n-gram of these lengths, besides those of the
        words; the vector of a word is the mean of its own and those of its n-grams
        [4]_. Then words that are rare, misspelled or not in the vocabulary have good
        vectors, too, in `transform` and in `word_vectors_`. ``(3, 6)`` is usual for
        languages with an alphabet, ``(1, 2)`` for words in Chinese characters. A small
        corpus wants more passes than without.
    weighter : estimator or None, default=None
        Gives the weights of the mean: an estimator that is fitted on the matrix of
        counts of shape (n_documents, n_words) and transforms it to a matrix of weights
        of the same shape, such as :class:`TfidfWeighter` or
        :class:`~sklearn.feature_extraction.text.TfidfTransformer`. By default every
        occurrence of a word counts the same.
    pooling : {"mean", "sum", "max", "mean+max"}, default="mean"
        How the vectors of a document's words become one: their weighted mean or sum,
        the maximum in each dimension over the words whose weight is not zero, or the
        mean and the maximum beside each other.
    remove_components : int, default=0
        From each document vector, remove its projections on so many common components:
        the first right singular vectors, without centring, of the document vectors in
        `fit`. See :class:`EmbeddingTransformer`.
    init : "random", WordVectors, or str or path of a file, default="random"
        Where training starts: from random vectors, or from given ones for the words
        that have one: see :meth:`WordVectors.load`.
    freeze_init : bool, default=False
        Whether the given vectors of `init` stay as they are, and only those of other
        words are trained.
    warm_start : bool, default=False
        Whether `fit` starts from the vectors of the `fit` before, for the words that
        it knew. The vocabulary is learned anew.
    input : {"content", "filename", "file"}, default="content"
        What a document is: text or tokens, the path of a file, an open file.
    encoding : str, default="utf-8"
        The encoding of files.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not in the encoding.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        How to remove accents from characters.
    lowercase : bool, default=True
        Whether to convert text to lower case.
    preprocessor : callable or None, default=None
        Replaces `strip_accents` and `lowercase`: a function of the text.
    tokenizer : callable or None, default=None
        Replaces `token_pattern`: a function from text to tokens, such as a segmenter.
    analyzer : {"word", "char"} or callable, default="word"
        Whether tokens are words or characters (punctuation and blanks, too), or a
        function from the document to tokens, which replaces all of the analysis.
    stop_words : {"english"}, list of str or None, default=None
        Tokens to leave out.
    token_pattern : str or None, default=r"(?u)\\b\\w\\w+\\b"
        The regular expression of a token when `analyzer` is "word". The default, words
        of two or more characters, is wider here than in scikit-learn: a letter keeps
        its combining marks, such as the vowel signs of Hindi, Tamil or Thai, the vowel
        points of Arabic, and decomposed accents. Any other is taken literally. None
        goes with a `tokenizer`.
    max_memory : float or None, default=1024
        How many MiB of token ids are held in memory, at four bytes a token. Those of a
        larger corpus go to a temporary file, in the folder that :mod:`tempfile` names.
        The result is the same. None sets no limit. See :class:`LineDocuments` for
        documents that are not in memory either.
    n_jobs : int or None, default=None
        Number of threads in `fit`. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors. Threads share the
        vectors without locks (Hogwild, [3]_): the result of more than one is not
        reproducible bit by bit.
    random_state : int, RandomState instance or None, default=None
        Decides the initial vectors, sub-sampling, windows and noise words. Pass an int
        and leave `n_jobs` at one thread for the same vectors every time.
    verbose : int, default=0
        If positive, `fit` prints a line after each pass.

    Attributes
    ----------
    vocabulary_ : dict
        The row in `vectors_` of each word. The most frequent word is first; words of
        the same count are in the order of the alphabet.
    vectors_ : ndarray of shape (n_words, vector_size), dtype float32
        The word vectors.
    counts_ : ndarray of shape (n_words,), dtype int64
        How often each word occurs in the corpus.
    loss_curve_ : list of float
        The mean loss of a pair (see above) in each pass.
    n_iter_ : int
        Number of passes.
    n_tokens_ : int
        Number of tokens of the corpus that are in the vocabulary.
    output_vectors_ : ndarray of shape (n_words, vector_size), dtype float32
        The vectors that predict: of the words with negative sampling, of the nodes of
        the Huffman tree (the last row is unused) with hierarchical softmax.
    word_vectors_ : WordVectors
        The same vectors, to look up, compare and search.
    weighter_ : estimator or None
        The fitted `weighter`.
    components_ : ndarray of shape (remove_components, n_features), dtype float32
        The directions that are removed, orthonormal.

    See Also
    --------
    EmbeddingTransformer : Pools vectors that are given.
    TfidfWeighter : Weights of words by frequency and inverse document frequency.

    Notes
    -----
    What differs from the original program: the initial vectors have twice the range,
    uniform in [-1, 1) / `vector_size`; the noise words of a word are shared by its
    window, whose words are trained together on vectors as they were before; documents
    of any length are used whole; the sigmoid is computed, not looked up.

    References
    ----------
    .. [1] T. Mikolov, K. Chen, G. Corrado and J. Dean (2013). Efficient estimation of
       word representations in vector space. arXiv:1301.3781.
    .. [2] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean (2013). Distributed
       representations of words and phrases and their compositionality.
       arXiv:1310.4546.
    .. [3] F. Niu, B. Recht, C. Ré and S. J. Wright (2011). Hogwild!: a lock-free
       approach to parallelizing stochastic gradient descent. arXiv:1106.5730.
    .. [4] P. Bojanowski, E. Grave, A. Joulin and T. Mikolov (2017). Enriching word
       vectors with subword information. TACL 5, 135-146.

    Examples
    --------
    >>> from skml.text import Word2VecTransformer
    >>> documents = ["the cat sat on the mat", "the dog sat on the log"]
    >>> word2vec = Word2VecTransformer(vector_size=8, min_count=2, random_state=0)
    >>> word2vec.fit_transform(documents).shape
    (2, 8)
    >>> word2vec.vocabulary_
    {'the': 0, 'on': 1, 'sat': 2}

    Ready tokens and any script are as good, here single characters:

    >>> chinese = Word2VecTransformer(analyzer="char", min_count=1, random_state=0)
    >>> chinese.fit(["床前明月光", "疑是地上霜"]).vectors_.shape
    (10, 100)
    """

    _parameter_constraints = {
        "vector_size": [Interval(Integral, 1, None, closed="left")],
        "architecture": [StrOptions({"skip-gram", "cbow"})],
        "loss": [StrOptions({"negative-sampling", "hierarchical-softmax"})],
        "window": [Interval(Integral, 1, 10_000, closed="both")],
        "n_negatives": [Interval(Integral, 1, 10_000, closed="both")],
        "noise_exponent": [Interval(Real, None, None, closed="neither")],
        "subsample": [Interval(Real, 0, None, closed="left")],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "max_iter": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
        "learning_rate_min": [Interval(Real, 0, None, closed="left")],
        "shrink_window": ["boolean"],
        "subwords": [tuple, list, None],
        "init": [WordVectors, str, PathLike],
        "freeze_init": ["boolean"],
        "warm_start": ["boolean"],
        **POOLING_CONSTRAINTS,
        "max_memory": [Interval(Real, 0, None, closed="left"), None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        vector_size=100,
        *,
        architecture="skip-gram",
        loss="negative-sampling",
        window=5,
        n_negatives=5,
        noise_exponent=0.75,
        subsample=1e-3,
        min_count=5,
        max_features=None,
        max_iter="auto",
        learning_rate_init=0.025,
        learning_rate_min=1e-4,
        shrink_window=True,
        subwords=None,
        weighter=None,
        pooling="mean",
        remove_components=0,
        init="random",
        freeze_init=False,
        warm_start=False,
        input="content",
        encoding="utf-8",
        decode_error="strict",
        strip_accents=None,
        lowercase=True,
        preprocessor=None,
        tokenizer=None,
        analyzer="word",
        stop_words=None,
        token_pattern=r"(?u)\b\w\w+\b",
        max_memory=1024,
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.vector_size = vector_size
        self.architecture = architecture
        self.loss = loss
        self.window = window
        self.n_negatives = n_negatives
        self.noise_exponent = noise_exponent
        self.subsample = subsample
        self.min_count = min_count
        self.max_features = max_features
        self.max_iter = max_iter
        self.learning_rate_init = learning_rate_init
        self.learning_rate_min = learning_rate_min
        self.shrink_window = shrink_window
        self.subwords = subwords
        self.weighter = weighter
        self.pooling = pooling
        self.remove_components = remove_components
        self.init = init
        self.freeze_init = freeze_init
        self.warm_start = warm_start
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.strip_accents = strip_accents
        self.lowercase = lowercase
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.analyzer = analyzer
        self.stop_words = stop_words
        self.token_pattern = token_pattern
        self.max_memory = max_memory
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None):
        """Learn the vocabulary and the word vectors.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.
        y : array-like of shape (n_documents,) or None, default=None
            Passed to the `weighter`, otherwise ignored.

        Returns
        -------
        self : Word2VecTransformer
            The fitted transformer.
        """
        self._fit(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None):
        """Go on training with more documents, in one pass over them.

        Words that reach `min_count` are added to the vocabulary, behind those that are
        there; occurrences are counted from the first call of `partial_fit` on. Until a
        word does, the estimator is not fitted. In the pass, the learning rate falls
        from `learning_rate_init` to `learning_rate_min`.

        A call costs what the documents hold, not the size of the vocabulary (with
        `subwords`, which words share, it costs both). The attributes are brought up to
        date when they are next asked for, or `transform` is called, which copies the
        vectors.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            More documents. A generator is consumed once.
        y : None
            Ignored.

        Returns
        -------
        self : Word2VecTransformer
            The fitted transformer.
        """
        self._check_parameters()
        self._check_partial_fit()
        init = self._load_init()
        goes_on = "loss_curve_" in vars(self)
        online = self._go_on(goes_on)
        rare = vars(self).get("_rare_counts", {})
        growth = self._count_more(X, online.vocabulary, rare)
        if not online.words and not growth.words:
            # Counted, until the words of later calls are frequent enough.
            self._rare_counts = rare | growth.seen
            return self
        # A seed starts a generator, with which later calls go on.
        seed = self._random_state if goes_on else self.random_state
        learned = {
            "n_tokens_": len(growth.documents.ids) + (self.n_tokens_ if goes_on else 0),
            "loss_curve_": list(self.loss_curve_) if goes_on else [],
            "weighter_": None,
            "_rare_counts": rare,
            "_random_state": make_random_state(seed),
        }
        train = self._train_some if self.subwords is None else self._train_all
        learned.update(train(online, growth, init, goes_on, learned))
        n_known = np.diff(growth.documents.offsets)
        if len(n_known) > 1 and n_known.max() < 2:
            self._warn_of_no_pair(online.words + growth.words, growth.documents)
        rare.update(growth.seen)
        for word in growth.words:
            del rare[word]
        vars(self).update(learned)
        return self

    vocabulary_ = property(
        lambda self: self.word_vectors_.vocabulary,
        doc="The row in `vectors_` of each word.",
    )
    vectors_ = property(
        lambda self: self.word_vectors_.vectors, doc="The word vectors."
    )
    word_vectors_ = published("word_vectors_", "The words and their vectors.")
    output_vectors_ = published("output_vectors_", "The vectors that predict.")
    counts_ = published("counts_", "How often each word was seen.")

    def __getstate__(self):
        # What `partial_fit` trains is stored as the attributes that it becomes.
        publish(self)
        state = dict(super().__getstate__())
        if (online := state.pop("_online", None)) is not None:
            state["_noise"] = online.noise
        return state

    def _fit(self, X, y, *, to_pool=False):
        """Learn everything, then set all attributes at once."""
        self._check_parameters()
        init = self._load_init()
        words, counts, corpus = self._learn_vocabulary(X, to_pool)
        max_iter = self._count_epochs(len(corpus.documents.ids))
        context = self._init_callback_context(max_subtasks=max_iter)
        # A generator is used up by now: callbacks must not read it.
        data = {"X": None if isinstance(X, Iterator) else X, "y": y}
        context.call_on_fit_task_begin(estimator=self, **data)
        composed = None if self.subwords is None else ()
        learned = {
            "counts_": counts,
            "n_tokens_": len(corpus.documents.ids),
            "weighter_": self._fit_weighter(corpus.documents, composed, len(words), y),
            "_rare_counts": {},
            "_online": None,
            "_noise": None,
            "_random_state": make_random_state(self.random_state),
        }
        goes_on = self.warm_start and hasattr(self, "word_vectors_")
        training = self._prepare(
            words, counts, corpus.documents, init, goes_on, learned["_random_state"]
        )
        loss_curve = self._run_epochs(
            training, corpus, max_iter, context, learned, data
        )
        if training.n_pairs == 0:
            self._warn_of_no_pair(words, corpus.documents)
        training.drop_padding()
        learned.update(self._state(training, corpus, learned, loss_curve))
        vars(self).update(learned)
        context.call_on_fit_task_end(estimator=self, **data)
        return corpus.rows(self.word_vectors_) if to_pool else None

    def _check_parameters(self):
        """Refuse what declared constraints cannot express."""
        if self.learning_rate_min > self.learning_rate_init:
            raise ValueError(
                f"learning_rate_min={self.learning_rate_min!r} is above "
                f"learning_rate_init={self.learning_rate_init!r}; the learning rate "
                "falls from the second to the first."
            )
        if self.freeze_init and isinstance(self.init, str) and self.init == "random":
            raise ValueError(
                "freeze_init=True has no effect when init='random'. Give the vectors "
                "to freeze as init, or leave freeze_init at its default, False."
            )
        self._check_subwords()
        if self.loss == "negative-sampling":
            return
        for name in ("n_negatives", "noise_exponent"):
            default = signature(type(self)).parameters[name].default
            if getattr(self, name) != default:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} has no effect when "
                    f"loss={self.loss!r}. Leave it at its default, {default!r}."
                )

    def _check_subwords(self):
        if self.subwords is None:
            return
        is_pair = len(self.subwords) == 2 and all(
            isinstance(n, Integral) and not isinstance(n, bool) for n in self.subwords
        )
        shortest, longest = self.subwords if is_pair else (0, 0)
        if not 1 <= shortest <= longest <= LONGEST_NGRAM:
            raise ValueError(
                f"{type(self).__name__}: subwords={self.subwords!r}; expected None or "
                "two integers, the lengths of the shortest and of the longest n-gram, "
                f"from 1 to {LONGEST_NGRAM}, such as (3, 6)."
            )
        if self.analyzer == "char":
            raise ValueError(
                f"{type(self).__name__}: subwords={self.subwords!r} has no effect when "
                "analyzer='char': a character has no parts. Leave it at its default, "
                "None."
            )
        if not isinstance(self.init, str) or self.init != "random":
            raise ValueError(
                f"{type(self).__name__}: init={self.init!r:.60} holds vectors of whole "
                f"words, and subwords={self.subwords!r} composes them of parts. Leave "
                "one of them at its default; warm_start goes on with both."
            )

    def _check_partial_fit(self):
        """Refuse what would need all documents at once."""
        for name, refused, reason in (
            ("weighter", self.weighter is not None, "a weighter is fitted"),
            ("remove_components", self.remove_components > 0, "components are found"),
            ("loss", self.loss != "negative-sampling", "the Huffman tree is built"),
        ):
            if refused:
                raise ValueError(
                    f"{type(self).__name__}: partial_fit cannot go on with "
                    f"{name}={getattr(self, name)!r}: {reason} on all documents. Use "
                    "fit, or leave it at its default."
                )

    def _count_epochs(self, n_tokens):
        """The number of epochs over a corpus of so many tokens."""
        if self.max_iter != "auto":
            return self.max_iter
        return min(max(_FEWEST_EPOCHS, math.ceil(_TOKENS / n_tokens)), _MOST_EPOCHS)

    def _max_bytes(self):
        return math.inf if self.max_memory is None else self.max_memory * 2**20

    def _learn_vocabulary(self, X, to_pool):
        terms, documents = self._encode(X)
        counts = count_ids(documents.ids, len(terms))
        kept = rank_terms(
            terms, counts, min_count=self.min_count, max_features=self.max_features
        )
        if len(kept) == 0:
            raise ValueError(self._no_words(terms, counts, documents))
        new_id = np.full(len(terms), -1, dtype=np.int32)
        new_id[kept] = np.arange(len(kept))
        words = [str(terms[i]) for i in kept]
        with_all_terms = None
        if self.subwords is not None and (to_pool or self.remove_components):
            with_all_terms = terms, documents.copy()
        corpus = _Corpus(reindex(documents, new_id), with_all_terms)
        n_known = np.diff(corpus.documents.offsets)
        if n_known.max() > 1 and self.subwords is None:
            self._warn_unknown(
                documents,
                n_known,
                terms,
                why=f"none of theirs occurs min_count={self.min_count} times",
                remedy="Lower min_count, or pass more text.",
                most=0.5,
            )
        return words, counts[kept], corpus

    def _warn_of_no_pair(self, words, documents):
        """Say that nothing was trained, as no word had another one around it."""
        if np.diff(documents.offsets).max() > 1:
            reason = (
                f"subsample={self.subsample!r} leaves none in so small a corpus. Set "
                "subsample=0."
            )
        else:
            reason = (
                "no document has two words of the vocabulary. Pass longer documents, "
                "or lower min_count; if X is the words of one document, pass [X]."
            )
            if self.analyzer == "word":
                reason += segmentation_advice(words)
        warn_user(
            f"{type(self).__name__}: the word vectors are not trained, but as they "
            "were at the start (random, by default). They are learned from pairs of "
            f"words that stand close, and {reason}"
        )

    def _no_words(self, terms, counts, documents):
        if len(terms) == 0:
            return (
                f"{type(self).__name__}: the {documents.n_documents} documents hold no "
                "token; all are empty after analysis."
            )
        message = (
            f"{type(self).__name__}: no word reaches min_count={self.min_count}: of "
            f"{len(terms)} words in {len(documents.ids)} tokens, the most frequent "
            f"occurs {counts.max()} times. min_count={counts.max()} would keep "
            f"{np.count_nonzero(counts == counts.max())}."
        )
        if self.analyzer == "word":
            message += segmentation_advice(terms)
        return message

    def _go_on(self, goes_on):
        """The words and vectors that more documents are added to."""
        online = vars(self).get("_online")
        if online is None and goes_on:
            outputs = self.output_vectors_
            if not self._is_noise_trained:
                outputs = np.zeros_like(self.vectors_)
            words = self.word_vectors_.words
            noise = vars(self).get("_noise")
            online = OnlineVectors(words, self.counts_, self.vectors_, outputs, noise)
        elif online is None:
            nothing = np.empty((0, self.vector_size), dtype=np.float32)
            online = OnlineVectors([], np.empty(0, np.int64), nothing, nothing)
        self._check_same_size(online.vector_size)
        return online

    def _count_more(self, X, known, rare):
        """What documents add to known words, each with its row, and counted others."""
        terms, documents = self._encode(X, is_fit=not known, known=known)
        if not known and len(terms) == 0:
            raise ValueError(self._no_words(terms, None, documents))
        batch = count_ids(documents.ids, len(terms))
        new_id = look_up(terms, known)
        is_known = new_id >= 0
        rows, row_counts = new_id[is_known], batch[is_known]
        # Terms that are not words yet, and how often they were seen in all calls.
        unknown = np.flatnonzero(~is_known)
        names = [str(terms[i]) for i in unknown]
        seen = batch[unknown]
        seen += np.array([rare.get(name, 0) for name in names], dtype=np.int64)
        room = self.max_features and max(0, self.max_features - len(known))
        added = rank_terms(names, seen, min_count=self.min_count, max_features=room)
        new_id[unknown[added]] = np.arange(len(known), len(known) + len(added))
        return Growth(
            words=[names[i] for i in added],
            word_counts=seen[added],
            rows=rows,
            row_counts=row_counts,
            seen=dict(zip(names, seen.tolist(), strict=True)),
            documents=reindex(documents, new_id),
        )

    def _train_all(self, online, growth, init, goes_on, learned):
        """One pass over a batch with the vectors of all words, which share n-grams."""
        counts = growth.counts(online.counts)
        words = online.words + growth.words
        random_state = learned["_random_state"]
        training = self._prepare(
            words, counts, growth.documents, init, goes_on, random_state
        )
        loss_curve = self._train_batch(training, growth.documents, learned)
        corpus = _Corpus(growth.documents, None)
        state = self._state(training, corpus, learned, loss_curve)
        return {**state, "counts_": counts, "_online": None}

    def _train_some(self, online, growth, init, goes_on, learned):
        """One pass over a batch with the vectors of its words, and of noise words."""
        random_state = learned["_random_state"]
        rows, weights = online.rows_of(
            growth,
            self.n_negatives * max(1, len(growth.documents.ids)),
            self.noise_exponent,
            random_state,
        )
        words = [online.words[row] for row in rows if row < len(online)] + growth.words
        training = Training(words, self.vector_size, None)
        n_known = len(words) - len(growth.words)
        fill_randomly(training.word_rows[n_known:], random_state)
        fixed = self._take_init(init, words, training.word_rows, online.vocabulary)
        online.read(rows[:n_known], training)
        if self.freeze_init:
            self._take_init(init, words, training.word_rows, online.vocabulary)
        self._make_trainer(
            training,
            online.counts_of(growth, rows),
            growth.documents,
            random_state,
            fixed,
            noise=weights,
            n_counted=online.n_counted + growth.n_counted,
        )
        documents = EncodedDocuments(
            np.searchsorted(rows, growth.documents.ids).astype(np.int32),
            growth.documents.offsets,
        )
        loss_curve = self._train_batch(training, documents, learned)
        online.take(growth, rows, training)
        return {
            "components_": self._learn_components(None, online, None),
            "loss_curve_": loss_curve,
            "n_iter_": len(loss_curve),
            "_own_rows": None,
            "_is_noise_trained": True,
            "_online": online,
        }

    def _train_batch(self, training, documents, learned):
        """Train in one pass; return the losses of all calls."""
        start, loss_curve = perf_counter(), learned["loss_curve_"]
        rates = self.learning_rate_init, self.learning_rate_min
        loss = self._train_epoch(training, documents, len(loss_curve), rates)
        # The vectors are taken over at once, and looked at when they are asked for.
        if not (
            np.isfinite(training.input_rows).all()
            and np.isfinite(training.output_rows).all()
        ):
            raise ValueError(
                f"{type(self).__name__}: the word vectors grew without bound. Lower "
                f"learning_rate_init, which is {self.learning_rate_init!r}."
            )
        loss_curve = [*loss_curve, loss]
        seconds, n_tokens = perf_counter() - start, len(documents.ids)
        self._report(loss_curve, len(loss_curve), seconds, n_tokens)
        training.drop_padding()
        return loss_curve

    def _prepare(self, words, counts, documents, init, goes_on, random_state):
        """The matrices as they are before training, and the kernel."""
        lengths = None if self.subwords is None else tuple(map(int, self.subwords))
        training = Training(words, self.vector_size, lengths)
        if lengths is not None and len(training.hashes) == 0:
            raise ValueError(
                f"{type(self).__name__}: subwords={self.subwords!r}, and none of the "
                f"{len(words)} words, such as {words[:3]}, has an n-gram of such a "
                "length that is not the whole word. Choose smaller lengths, or None."
            )
        fill_randomly(training.input_rows, random_state)
        fixed = self._take_init(init, words, training.word_rows)
        if goes_on:
            self._take_previous(training)
            if self.freeze_init:
                self._take_init(init, words, training.word_rows)
        noise = None
        if self.loss == "negative-sampling":
            noise = noise_weights(counts, self.noise_exponent)
        self._make_trainer(training, counts, documents, random_state, fixed, noise)
        return training

    def _make_trainer(
        self, training, counts, documents, random_state, fixed, noise, n_counted=None
    ):
        training.make_trainer(
            counts,
            random_state,
            noise=noise,
            n_counted=n_counted,
            n_workers=min(effective_n_jobs(self.n_jobs), max(1, len(documents.ids))),
            subsample=self.subsample,
            skip_gram=self.architecture == "skip-gram",
            n_negatives=self.n_negatives,
            window=self.window,
            shrink_window=self.shrink_window,
            fixed=fixed if self.freeze_init else fixed[:0],
        )

    def _load_init(self):
        """The vectors to start from, before the documents are read; None if random."""
        init = self.init
        if isinstance(init, str) and init == "random":
            return None
        if not isinstance(init, WordVectors):
            init = WordVectors.load(init)
        if init.vector_size != self.vector_size:
            raise ValueError(
                f"{type(self).__name__}: the vectors of init have {init.vector_size} "
                f"dimensions and vector_size={self.vector_size!r}; they must agree."
            )
        return init

    def _take_init(self, init, words, rows, others=()):
        """Start from given vectors; return which words have one, as 0 and 1.

        One word must have one, of these or of the others of the vocabulary.
        """
        if init is None:
            return np.zeros(len(words), dtype=np.uint8)
        is_known = _copy_known(words, rows, init.vocabulary, init.vectors)
        if not is_known.any() and not any(word in init.vocabulary for word in others):
            raise ValueError(
                f"{type(self).__name__}: none of the {len(words)} words of the "
                f"vocabulary, such as {words[:3]}, is among the {len(init)} of init, "
                f"such as {init.words[:3]}."
            )
        return is_known.astype(np.uint8)

    def _check_same_size(self, size):
        if size != self.vector_size:
            raise ValueError(
                f"{type(self).__name__}: vector_size={self.vector_size!r}, and the "
                f"vectors learned before have {size} dimensions. Set it back to go on, "
                "or begin anew with fit and warm_start=False."
            )

    def _take_previous(self, training):
        """Start from what was learned before."""
        self._check_same_size(self.vectors_.shape[1])
        words, subwords = training.words, self.word_vectors_.subwords
        # What is composed now was perhaps not before, and the reverse.
        was_composed, is_composed = subwords is not None, training.lengths is not None
        rows = self._own_rows if was_composed and is_composed else self.vectors_
        is_known = _copy_known(words, training.word_rows, self.vocabulary_, rows)
        if is_composed and not was_composed:
            training.word_rows[is_known] *= training.n_parts[is_known, None]
        if is_composed and was_composed:
            places = find(subwords.hashes, training.hashes)
            is_known = places >= 0
            training.subword_rows[is_known] = subwords.vectors[places[is_known]]
        # Those of a tree belong to its nodes, which another vocabulary rearranges.
        if self.loss == "negative-sampling" and self._is_noise_trained:
            _copy_known(
                words, training.output_rows, self.vocabulary_, self.output_vectors_
            )

    def _run_epochs(self, training, corpus, max_iter, context, learned, data):
        """Train for `max_iter` epochs, or until a callback says that it is enough."""
        documents = corpus.documents
        loss_curve = []

        def state():
            copy = training.copy()
            return {**learned, **self._state(copy, corpus, learned, loss_curve)}

        rates = np.linspace(
            self.learning_rate_init, self.learning_rate_min, max_iter + 1
        ).tolist()
        for epoch in range(max_iter):
            task = context.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(estimator=self, **data)
            start = perf_counter()
            loss_curve.append(
                self._train_epoch(training, documents, epoch, rates[epoch : epoch + 2])
            )
            seconds = perf_counter() - start
            self._report(loss_curve, max_iter, seconds, len(documents.ids))
            if task.call_on_fit_task_end(
                estimator=self, reconstruction_attributes=state, **data
            ):
                break
        return loss_curve

    def _train_epoch(self, training, documents, epoch, rates):
        loss = training.run_epoch(documents, *rates)
        # Guessing costs log(2) a question. A tree asks 31 at most of any corpus that
        # could be read, and a mean may be far off for a while.
        uses_noise = self.loss == "negative-sampling"
        n_questions = 1 + self.n_negatives if uses_noise else 31
        if not loss <= 20 * n_questions:
            raise ValueError(
                f"{type(self).__name__}: the loss of epoch {epoch + 1} is {loss:.4g}; "
                "the word vectors grew without bound. Lower learning_rate_init, which "
                f"is {self.learning_rate_init!r}, or window, which is {self.window!r}."
            )
        return loss

    def _state(self, training, corpus, learned, loss_curve):
        """What was learned from the vectors as they are in `training`."""
        word_vectors = training.word_vectors()
        rows = corpus.rows(word_vectors) if self.remove_components else None
        return {
            "output_vectors_": training.output_rows,
            "word_vectors_": word_vectors,
            "components_": self._learn_components(
                rows, word_vectors, learned["weighter_"]
            ),
            # To go on from: what the vectors are composed of, along with n-grams.
            "_own_rows": None if self.subwords is None else training.word_rows,
            "loss_curve_": list(loss_curve),
            "n_iter_": len(loss_curve),
            "_is_noise_trained": self.loss == "negative-sampling",
        }

    def _report(self, loss_curve, max_iter, seconds, n_tokens):
        if self.verbose:
            print(
                f"[{type(self).__name__}] epoch {len(loss_curve)} of {max_iter}: "
                f"loss {loss_curve[-1]:.4f}, {seconds:.1f} s, "
                f"{n_tokens / max(seconds, 1e-9):,.0f} tokens/s"
            )
