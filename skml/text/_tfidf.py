"""Weights of documents and of their tokens, by tf-idf and other schemes.

Most of this file is the documentation of one class, its schemes and its parameters.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions, _fit_context
from skml._estimator import BaseLearner
from skml._typing import ArrayLike, Documents, DTypeLike, MatrixLike
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin
from skml.text._hashing import MOST_FEATURES
from skml.text._tfidf_columns import TermColumnsMixin
from skml.text._tfidf_learning import (
    PRUNING,
    check_counts,
    count_hashed,
    dtype_of,
    is_stateless,
    learn,
)
from skml.text._tfidf_online import learn_more
from skml.text._tfidf_weights import SCHEMES, SUPERVISED, FittedTfidf
from skml.text._unknown import warn_unknown

_AS_IN_SKLEARN = ("norm", "use_idf", "smooth_idf", "sublinear_tf", *PRUNING)


class TfidfWeighter(
    TextAnalysisMixin,
    TermColumnsMixin,
    TransformerMixin,
    BaseLearner,
):
    r"""Weights of terms by tf-idf, or by another scheme.

    The weight of a term t in a document d is a local weight, of the term in the
    document, times a global one, of the term in the corpus: ``w(t, d) = l(t, d) g(t)``.
    Each document's weights are then divided by their norm. Let n be the number of
    documents in `fit`, ``df(t)`` in how many of them the term occurs, ``p(t)`` its
    fraction of all their tokens, and ``tf(t, d)`` how often it occurs in the document.
    The local weight is ``tf(t, d)``, or ``1 + ln(tf(t, d))`` with `sublinear_tf`,
    unless stated otherwise.

    "tf-idf"
        ``g(t) = idf(t) = 1 + ln((s + n) / (s + df(t)))``, where s is 1 with
        `smooth_idf` and 0 without. See [1]_ and [2]_, section 6.2. The weights equal
        those of scikit-learn's
        :class:`~sklearn.feature_extraction.text.TfidfVectorizer`.
    "idf"
        The same, but ``l(t, d) = 1``: a term counts once in a document.
    "bm25"
        ``l(t, d) = tf(t, d) / (tf(t, d) + k1 (1 - b + b |d| / m))``, where ``|d|`` is
        the length of the document in tokens and m the mean length in `fit` [3]_;
        ``g(t) = ln(1 + (n - df(t) + 1/2) / (df(t) + 1/2))``, which unlike the original
        is never negative (as in Lucene).
    "sif"
        Smooth inverse frequency, ``g(t) = a / (a + p(t))`` [4]_.
    "usif"
        Unsupervised smooth inverse frequency, ``g(t) = a / (a / 2 + p(t))``, where a is
        found from the corpus [5]_: with V terms, ``a = (1 - q) / (q V / 2)``, where q
        is the fraction of the terms with ``p(t) > 1 - (1 - 1 / V)**max(1, m)``.
    "icf"
        Inverse category frequency, ``g(t) = log2(1 + |C| / cf(t))``, where ``|C|`` is
        the number of classes and ``cf(t)`` in how many of them the term occurs [6]_.
    "rf"
        Relevance frequency, ``g(t) = log2(2 + n11 / max(1, n10))`` [7]_, where of the
        documents that contain the term, n11 are in a class and n10 are not; the maximum
        over all classes.
    "or"
        The odds ratio's logarithm, ``g(t) = ln((n11 n00) / (n10 n01))``, or 0 where
        that is negative [8]_, where of the documents without the term, n01 are in the
        class and n00 are not. One half is added to all four numbers; the maximum over
        the classes that contain the term.
    "nb"
        The naive Bayes log-count ratio,
        ``g(t) = |ln((alpha + f1) / (alpha V + F1) / ((alpha + f0) / (alpha V + F0)))|``
        [9]_, where the term occurs f1 times in the documents of a class and f0 times in
        the others, and all V terms of the corpus together F1 and F0 times; the maximum
        over the classes that contain the term. Two classes have the same ratio but for
        its sign, which makes no difference to a linear model. `binary` counts documents
        instead.

    The last four learn from the classes `y` of the documents. They must not see those
    of the documents that a model is tested on: put them in a
    :class:`~sklearn.pipeline.Pipeline`.

    Besides str, a document may be a list of tokens. Also,

    - `fit` takes a matrix of counts instead of documents. The columns are then those
      of the matrix: a term that `min_df`, `max_df` or `max_features` leave out keeps
      its column, with weight 0;
    - `token_weights` gives a weight to each single token.

    Parameters
    ----------
    scheme : str, default="tf-idf"
        How terms are weighed: "tf-idf", "idf", "bm25", "sif", "usif", "icf", "rf", "or"
        or "nb"; see above. A parameter that has no effect in the scheme is refused if
        it is set.
    use_idf : bool, default=True
        Whether to weight terms by inverse document frequency; if False, idf is 1. Only
        for "tf-idf".
    smooth_idf : bool, default=True
        Add one to document frequencies, as if one more document held every term.
        Without it, a term of `vocabulary` (or a column of counts) that no document of
        `fit` holds gets weight 0. Only for "tf-idf" and "idf".
    sublinear_tf : bool, default=False
        Replace the frequency tf by 1 + ln(tf). Not for "idf" and "bm25".
    k1 : float, default=1.2
        Saturation: the larger, the longer the weight of a term grows with its count.
        Only for "bm25".
    b : float, default=0.75
        How much terms lose in long documents, from 0 to 1. Only for "bm25".
    a : float, default=1e-3
        The fraction of all tokens at which a term has half of the largest weight. Only
        for "sif".
    alpha : float, default=1.0
        Additive (Laplace) smoothing: added to the count of each term in each class.
        Only for "nb".
    norm : {"l1", "l2"} or None, default="l2"
        The norm that each document's weights have in the end; None leaves them.
    min_df : int or float in [0, 1], default=1
        Leave out terms in fewer documents; a float is a proportion of the documents.
        The default leaves out none.
    max_df : int or float in [0, 1], default=1.0
        Leave out terms in more documents; a float is a proportion of the documents.
    max_features : int or None, default=None
        Keep only so many terms, the most frequent in all documents together.
    vocabulary : dict or list of str, default=None
        The terms, or the column of each. By default they are learned: all terms of the
        documents that `min_df`, `max_df` and `max_features` leave, in sorted order.
    n_features : int or None, default=None
        Hash terms to so many columns, at most 2**30, in place of a vocabulary. Terms
        may share a column. With ``use_idf=False``, nothing is learned then, and the
        weights equal those of
        :class:`~sklearn.feature_extraction.text.HashingVectorizer`.
    alternate_sign : bool, default=True
        Whether the hash of a term also determines the sign of its counts, so that
        terms of one column do not add up. Only with `n_features`, for "tf-idf" without
        `sublinear_tf`; other weights need False.
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
    analyzer : {"word", "char", "char_wb"} or callable, default="word"
        Whether terms are n-grams of words, of characters (punctuation and blanks, too),
        or of the characters of one word with a space before and behind it, or a
        function from the document to its terms, which replaces all of the analysis.
    stop_words : {"english"}, list of str or None, default=None
        Tokens to leave out.
    token_pattern : str or None, default=r"(?u)\\b\\w\\w+\\b"
        The regular expression of a token when `analyzer` is "word". The default, words
        of two or more characters, is wider here than in scikit-learn: a letter keeps
        its combining marks, such as the vowel signs of Hindi, Tamil or Thai, the vowel
        points of Arabic, and decomposed accents. Any other is taken literally. None
        goes with a `tokenizer`.
    ngram_range : tuple of (int, int), default=(1, 1)
        The least and the greatest number of words or characters of an n-gram, as
        ``(min_n, max_n)``: (1, 2) is single words and pairs of words. Words of an
        n-gram are joined by a space.
    binary : bool, default=False
        Count a term once in each document that has it.
    dtype : {np.float64, np.float32}, default=np.float64
        The type of the weights.
    n_jobs : int or None, default=None
        Number of threads that count documents. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors. The weights do not
        depend on it. Documents that are lists of tokens, or pass through a
        function of Python, are read by one thread at a time.

    Attributes
    ----------
    vocabulary_ : dict
        The column of each term. Only after `fit` on documents, without `n_features`.
    term_weights_ : ndarray of shape (n_terms,)
        The global weight of each term; 0 for a column of counts that is left out. With
        `n_features`, of each column; there is none if nothing is learned.
    idf_ : ndarray of shape (n_terms,)
        The inverse document frequency of each term: for "tf-idf" (1 if not
        `use_idf`), "idf" and "bm25". It may be set, to a copy of the values: after
        `fit`, or before it for "tf-idf" and "idf" if `vocabulary` is given.
    fixed_vocabulary_ : bool
        Whether the parameter `vocabulary` gave the terms. Only after `fit` on
        documents.
    n_samples_seen_ : int
        The number of documents that `fit` or `partial_fit` has seen. Not for schemes
        that learn from classes, nor if nothing is learned (`n_features` with
        ``use_idf=False``).
    mean_length_ : float
        The mean number of tokens of a document in `fit`. Only for "bm25".
    classes_ : ndarray of shape (n_classes,)
        The distinct labels of `y`. Only for "icf", "rf", "or" and
        "nb".
    n_features_in_ : int
        Number of columns seen in `fit`. Only after `fit` on counts.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen in `fit`. Only after `fit` on a frame of counts whose
        column names are all strings.

    See Also
    --------
    Word2VecTransformer : Learns word vectors and pools them, with these weights or
        without.
    sklearn.feature_extraction.text.TfidfVectorizer : The same weights of str documents.

    Notes
    -----
    Only tokens of terms that have a column count, in lengths and fractions: not those
    outside the vocabulary, nor those of columns of counts that are left out.

    A column may stand for a term that no document of `fit` holds: in a matrix of
    counts, or if `vocabulary` is given. By "tf-idf" (with `smooth_idf`), "idf", "bm25",
    "sif" and "usif" such a term has the largest weight of all, as the rarest. By "icf",
    "rf", "or" and "nb" it has the smallest, 1, 1, 0 and 0, as it is no evidence of a
    class.

    References
    ----------
    .. [1] G. Salton and C. Buckley (1988). Term-weighting approaches in automatic text
       retrieval. Information Processing & Management 24(5), 513-523.
    .. [2] C. D. Manning, P. Raghavan and H. Schütze (2008). Introduction to Information
       Retrieval. Cambridge University Press.
    .. [3] S. Robertson and H. Zaragoza (2009). The probabilistic relevance framework:
       BM25 and beyond. Foundations and Trends in Information Retrieval 3(4), 333-389.
    .. [4] S. Arora, Y. Liang and T. Ma (2017). A simple but tough-to-beat baseline for
       sentence embeddings. ICLR.
    .. [5] K. Ethayarajh (2018). Unsupervised random walk sentence embeddings: a strong
       but simple baseline. Workshop on Representation Learning for NLP, 91-100.
    .. [6] D. Wang and H. Zhang (2013). Inverse-category-frequency based supervised term
       weighting schemes for text categorization. Journal of Information Science and
       Engineering 29(2), 209-225. arXiv:1012.2609.
    .. [7] M. Lan, C. L. Tan, J. Su and Y. Lu (2009). Supervised and traditional term
       weighting methods for automatic text categorization. IEEE Transactions on
       Pattern Analysis and Machine Intelligence 31(4), 721-735.
    .. [8] D. Mladenić and M. Grobelnik (1999). Feature selection for unbalanced class
       distribution and naive Bayes. ICML, 258-267. The maximum over classes is that of
       F. Debole and F. Sebastiani (2003). Supervised term weighting for automated text
       categorization. ACM Symposium on Applied Computing, 784-788.
    .. [9] S. Wang and C. D. Manning (2012). Baselines and bigrams: simple, good
       sentiment and topic classification. ACL, 90-94. There with two classes, counted
       by documents, and signed.

    Examples
    --------
    >>> from skml.text import TfidfWeighter
    >>> documents = ["the cat and the dog", "the dog"]
    >>> weighter = TfidfWeighter(norm=None).fit(documents)
    >>> weighter.get_feature_names_out()
    array(['and', 'cat', 'dog', 'the'], dtype=object)
    >>> weighter.transform(documents).toarray().round(2)
    array([[1.41, 1.41, 1.  , 2.  ],
           [0.  , 0.  , 1.  , 1.  ]])

    The weight of a term is divided among its tokens; a word that `fit` has not seen
    has none:

    >>> weighter.token_weights(["the dog saw the cat"])[0].round(2)
    array([1.  , 1.  , 0.  , 1.  , 1.41])

    Columns of counts stay where they are; here the first is too rare for a weight:

    >>> import numpy as np
    >>> counts = np.array([[1, 2], [0, 1]])
    >>> TfidfWeighter(norm=None, min_df=2).fit_transform(counts).toarray()
    array([[0., 2.],
           [0., 1.]])

    Supervised schemes need the classes; "the" is in both:

    >>> weighter = TfidfWeighter(scheme="icf").fit(["the cat", "the dog"], y=[0, 1])
    >>> weighter.term_weights_.round(2)
    array([1.58, 1.58, 1.  ])
    """

    _fitted_class = FittedTfidf
    _parameter_constraints = {
        "scheme": [StrOptions(set(SCHEMES))],
        **{
            name: TfidfVectorizer._parameter_constraints[name]
            for name in _AS_IN_SKLEARN
        },
        "k1": [Interval(Real, 0, None, closed="left")],
        "b": [Interval(Real, 0, 1, closed="both")],
        "a": [Interval(Real, 0, None, closed="neither")],
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "n_features": [Interval(Integral, 1, MOST_FEATURES, closed="both"), None],
        "alternate_sign": ["boolean"],
        "vocabulary": [Mapping, "array-like", set, frozenset, None],
        **ANALYSIS_CONSTRAINTS,
        "analyzer": [StrOptions({"word", "char", "char_wb"}), callable],
        "ngram_range": [tuple, list],
        "binary": ["boolean"],
        "n_jobs": [Integral, None],
        "dtype": [type, np.dtype, StrOptions({"float64", "float32"})],
    }

    def __init__(
        self,
        *,
        scheme: str = "tf-idf",
        use_idf: bool = True,
        smooth_idf: bool = True,
        sublinear_tf: bool = False,
        k1: float = 1.2,
        b: float = 0.75,
        a: float = 1e-3,
        alpha: float = 1.0,
        norm: Literal["l1", "l2"] | None = "l2",
        min_df: float = 1,
        max_df: float = 1.0,
        max_features: int | None = None,
        vocabulary: dict[str, int] | Iterable[str] | None = None,
        n_features: int | None = None,
        alternate_sign: bool = True,
        input: Literal["content", "filename", "file"] = "content",
        encoding: str = "utf-8",
        decode_error: Literal["strict", "ignore", "replace"] = "strict",
        strip_accents: Literal["ascii", "unicode"] | Callable[[str], str] | None = None,
        lowercase: bool = True,
        preprocessor: Callable[[str], str] | None = None,
        tokenizer: Callable[[str], Sequence[str]] | None = None,
        analyzer: Literal["word", "char", "char_wb"] | Callable = "word",
        stop_words: Literal["english"] | Collection[str] | None = None,
        token_pattern: str | None = r"(?u)\b\w\w+\b",
        ngram_range: tuple[int, int] = (1, 1),
        binary: bool = False,
        dtype: DTypeLike = np.float64,
        n_jobs: int | None = None,
    ):
        self.scheme = scheme
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf
        self.k1 = k1
        self.b = b
        self.a = a
        self.alpha = alpha
        self.norm = norm
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.n_features = n_features
        self.alternate_sign = alternate_sign
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
        self.ngram_range = ngram_range
        self.binary = binary
        self.dtype = dtype
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Documents | MatrixLike, y: ArrayLike | None = None) -> Self:
        """Learn the vocabulary and the weights of its terms.

        Parameters
        ----------
        X : iterable of str or of list of str, or {array, sparse matrix} of counts
            The documents, or how often each term (column) occurs in each document
            (row).
        y : array-like of shape (n_documents,) or None, default=None
            The class of each document, a label of any kind. Needed by the schemes
            "icf", "rf", "or" and "nb", and ignored by the others.

        Returns
        -------
        self : TfidfWeighter
            The fitted weighter.
        """
        fitted, _ = learn(X, y, self)
        self._publish(fitted)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Documents | MatrixLike, y: ArrayLike | None = None):
        """Fit, and weight the same documents, in one pass over them.

        Parameters
        ----------
        X : iterable of str or of list of str, or {array, sparse matrix} of counts
            The documents, or how often each term (column) occurs in each document
            (row).
        y : array-like of shape (n_documents,) or None, default=None
            The class of each document, a label of any kind. Needed by the schemes
            "icf", "rf", "or" and "nb", and ignored by the others.

        Returns
        -------
        weights : sparse matrix of shape (n_documents, n_terms)
            The weights, in CSR format.
        """
        fitted, counts = learn(X, y, self)
        self._publish(fitted)
        return fitted.weigh(counts, self.n_jobs)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Documents | MatrixLike, y: None = None) -> Self:
        """Learn from more documents of a stream.

        The weights are those of `fit` on all documents so far, but for the order of the
        columns: new terms get columns behind those that are there. Not for schemes
        that learn from classes.

        Parameters
        ----------
        X : iterable of str or of list of str, or {array, sparse matrix} of counts
            The next documents, or rows of counts. A generator of documents is read in
            small batches.
        y : None
            Ignored.

        Returns
        -------
        self : TfidfWeighter
            The fitted weighter.

        Raises
        ------
        ValueError
            If the scheme learns from classes; with `max_df`, or a proportion as
            `min_df`, if documents give the terms; if X is of another kind than before;
            or if parameters were changed so that the counts so far no longer serve.

        Notes
        -----
        A term gets its column when `min_df` documents have held it; `min_df` must be a
        number, as a proportion raises. So does `max_df`, as a term would lose its
        column. With
        `max_features`, a term that is no longer among the most frequent leaves its
        column to a new one. To choose from, the ``10 * max_features`` most frequent
        terms are kept after each batch of documents, the first by their spelling of
        those that are as frequent; a term that is forgotten and comes back counts anew.
        So, memory is bounded, and the result is that of `fit` as long as no more terms
        than that were seen. Of counts, each column stays where it is, and all limits
        are honoured.
        """
        fitted = vars(self).get("_fitted")
        self._publish(learn_more(X, self, fitted))
        return self

    def transform(self, X: Documents | MatrixLike):
        """Weight the terms of documents.

        Parameters
        ----------
        X : iterable of str or of list of str, or {array, sparse matrix} of counts
            Documents or counts, whichever the weighter was fitted on.

        Returns
        -------
        weights : sparse matrix of shape (n_documents, n_terms)
            The weights, in CSR format.
        """
        check_is_fitted(self)
        fitted = self._fitted_now()
        self._check_same_kind(X)
        vocabulary = fitted.vocabulary
        if fitted.hashing is not None:
            counts = count_hashed(X, fitted.hashing, self, is_fit=False)
            return fitted.weigh(counts, self.n_jobs)
        if vocabulary is None:
            return fitted.weigh(check_counts(X, self), self.n_jobs)
        matrix, counts = self._count_known(X, vocabulary, dtype_of(self))
        warn_unknown(
            self,
            counts.n_symbols,
            np.diff(matrix.indptr),
            counts.sample,
            why=lambda: f"known are {vocabulary.terms[:3]} and so on",
        )
        return fitted.weigh(matrix, self.n_jobs)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.target_tags.required = self.scheme in SUPERVISED
        tags.requires_fit = not is_stateless(self)
        return tags
