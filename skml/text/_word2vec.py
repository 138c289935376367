"""Word vectors learned from documents, and one vector per document."""

from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from dataclasses import replace
from numbers import Integral, Real
from os import PathLike
from typing import Literal, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import (
    CallbackSupportMixin,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml._estimator import published
from skml._progress import Progress
from skml._typing import ArrayLike, Documents, FilePath, RandomState
from skml.text._document_vectors import POOLING_CONSTRAINTS, BaseDocumentVectors
from skml.text._word2vec_corpus import count_epochs, learn_vocabulary
from skml.text._word2vec_fitted import FittedWord2Vec
from skml.text._word2vec_learning import learn, learn_more
from skml.text._word2vec_parameters import (
    check_parameters,
    check_partial_fit,
    load_init,
)
from skml.text._word_vectors import WordVectors


def _of_tables(name, doc):
    """An attribute that is read from the tables of the fitted value."""

    def get(self):
        check_is_fitted(self)
        return getattr(self._fitted.tables, name)

    return property(get, doc=doc)


class Word2VecTransformer(CallbackSupportMixin, BaseDocumentVectors):
    r"""Word vectors by word2vec, pooled to one vector per document.

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
    and the sign depends on the branch it takes. See [1]_ and [2]_.

    Parameters
    ----------
    vector_size : int, default=100
        Number of dimensions of a word vector.
    architecture : {"skip-gram", "cbow"}, default="skip-gram"
        Predict a word from each of the words around it, or from their mean. CBOW is
        faster, skip-gram better with rare words and small corpora.
    loss : {"negative-sampling", "hierarchical-softmax"}, default="negative-sampling"
        The training objective of a prediction; see above.
    window : int, default=5
        How many words to each side of a word are around it.
    n_negatives : int, default=5
        Number of negative samples (noise words) per word. Only for negative sampling.
        They are drawn once for each word and shared by the words of its window.
    noise_exponent : float, default=0.75
        Negative samples are drawn with probability proportional to their count to this
        power. Only for negative sampling.
    subsample : float, default=1e-3
        Words of a relative frequency f above this are subsampled: each occurrence is
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
    learning_rate : float, default=0.025
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
        corpus needs more epochs than without.
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
        Number of threads. None means 1 unless in a :obj:`joblib.parallel_backend`
        context, -1 all processors. In `fit`, threads share the vectors without locks
        (Hogwild, [3]_): the vectors of more than one are not reproducible bit by bit.
    random_state : int, RandomState instance or None, default=None
        Decides the initial vectors, sub-sampling, windows and noise words. Pass an int
        and leave `n_jobs` at one thread for the same vectors every time.
    verbose : int, default=0
        Print a line after each `verbose`-th epoch: the loss, tokens per second, and the
        time elapsed and left; 0 prints nothing.

    Attributes
    ----------
    vocabulary_ : dict
        The row in `vectors_` of each word. The most frequent word is first; words of
        the same count are in the order of the alphabet.
    vectors_ : ndarray of shape (n_words, vector_size), dtype float32
        The word vectors.
    counts_ : ndarray of shape (n_words,), dtype int64
        How often each word occurs in the corpus.
    loss_curve_ : ndarray of shape (n_iterations,), dtype float64
        The mean loss of a pair (see above) in each epoch.
    n_iter_ : int
        Number of epochs.
    n_tokens_ : int
        Number of tokens of the corpus that are in the vocabulary.
    output_vectors_ : ndarray of shape (n_words, vector_size), dtype float32
        The vectors that predict: of the words with negative sampling, of the nodes of
        the Huffman tree (the last row is unused) with hierarchical softmax.
    word_vectors_ : WordVectors
        The word vectors as a collection to look up, compare and search.
    weighter_ : estimator
        The fitted `weighter`. Only if there is one.
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

    _fitted_class = FittedWord2Vec
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
        "learning_rate": [Interval(Real, 0, None, closed="neither")],
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
        vector_size: int = 100,
        *,
        architecture: Literal["skip-gram", "cbow"] = "skip-gram",
        loss: Literal[
            "negative-sampling", "hierarchical-softmax"
        ] = "negative-sampling",
        window: int = 5,
        n_negatives: int = 5,
        noise_exponent: float = 0.75,
        subsample: float = 1e-3,
        min_count: int = 5,
        max_features: int | None = None,
        max_iter: int | Literal["auto"] = "auto",
        learning_rate: float = 0.025,
        learning_rate_min: float = 1e-4,
        shrink_window: bool = True,
        subwords: tuple[int, int] | None = None,
        weighter: BaseEstimator | None = None,
        pooling: Literal["mean", "sum", "max", "mean+max"] = "mean",
        remove_components: int = 0,
        init: WordVectors | FilePath = "random",
        freeze_init: bool = False,
        warm_start: bool = False,
        input: Literal["content", "filename", "file"] = "content",
        encoding: str = "utf-8",
        decode_error: Literal["strict", "ignore", "replace"] = "strict",
        strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = None,
        lowercase: bool = True,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        analyzer: Literal["word", "char"] | Callable = "word",
        stop_words: Literal["english"] | Collection[str] | None = None,
        token_pattern: str | None = r"(?u)\b\w\w+\b",
        max_memory: float | None = 1024,
        n_jobs: int | None = None,
        random_state: RandomState = None,
        verbose: int = 0,
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
        self.learning_rate = learning_rate
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
    def fit(self, X: Documents, y: ArrayLike | None = None) -> Self:
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
    def partial_fit(self, X: Documents, y: None = None) -> Self:
        """Continue training with more documents, in one epoch over them.

        Words that reach `min_count` are added to the vocabulary, behind those that are
        there; occurrences are counted from the first call of `partial_fit` on. Until a
        word does, the estimator is not fitted. In the epoch, the learning rate falls
        from `learning_rate` to `learning_rate_min`.

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
        check_parameters(self)
        check_partial_fit(self)
        init, previous = load_init(self), vars(self).get("_fitted")
        self._publish(learn_more(X, self, init=init, previous=previous))
        return self

    vocabulary_ = _of_tables("vocabulary", "The row in `vectors_` of each word.")
    word_vectors_ = _of_tables("word_vectors", "The words and their vectors.")
    output_vectors_ = _of_tables("output_vectors", "The vectors that predict.")
    counts_ = _of_tables("counts", "How often each word was seen.")
    vectors_ = property(
        lambda self: self.word_vectors_.vectors, doc="The word vectors."
    )

    def __sklearn_is_fitted__(self):
        return super().__sklearn_is_fitted__() and self._fitted.has_words

    def __copy__(self):
        """A copy with tables of its own, as those of `partial_fit` grow in place."""
        other = object.__new__(type(self))
        vars(other).update(vars(self))
        if "_fitted" in vars(self):
            fitted = self._fitted
            fitted = replace(fitted, tables=copy(fitted.tables))
            vars(other).update(published(fitted))
        return other

    def _fit(self, X, y, *, to_pool=False):
        """Learn and publish; also return the documents as rows of the vectors."""
        check_parameters(self)
        init = load_init(self)
        corpus = learn_vocabulary(self, X, to_pool=to_pool)
        max_iter = count_epochs(self.max_iter, len(corpus.documents.ids))
        context = self._init_callback_context(max_subtasks=max_iter)
        # A generator is used up by now: callbacks must not read it.
        data = {"X": None if isinstance(X, Iterator) else X, "y": y}
        progress = Progress(self, context, data)
        continues = self.warm_start and self.__sklearn_is_fitted__()
        fitted = learn(
            corpus,
            self,
            y=y,
            init=init,
            previous=self._fitted if continues else None,
            max_iter=max_iter,
            progress=progress,
        )
        self._publish(fitted)
        progress.end()
        return corpus.rows(fitted.word_vectors_) if to_pool else None
