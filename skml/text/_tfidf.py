"""Tf-idf weights of documents and of their tokens."""

from collections.abc import Mapping
from inspect import signature

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.feature_extraction.text import (
    CountVectorizer,
    TfidfTransformer,
    TfidfVectorizer,
)
from sklearn.utils.validation import check_is_fitted, validate_data

from skml._sklearn import StrOptions, _fit_context
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin
from skml.text._counts import (
    count_terms,
    is_count_matrix,
    terms_to_keep,
    value_of_each_token,
)
from skml.text._vocabulary import encode, look_up

_PRUNING = ("min_df", "max_df", "max_features")
_AS_IN_SKLEARN = ("norm", "use_idf", "smooth_idf", "sublinear_tf", *_PRUNING)


def _vocabulary_terms(vocabulary, caller):
    """Check the parameter `vocabulary`; return its terms in order of column."""
    if isinstance(vocabulary, (set, frozenset)):
        vocabulary = sorted(vocabulary, key=str)
    # An unfitted CountVectorizer checks the vocabulary that it was given.
    terms = CountVectorizer(vocabulary=vocabulary).get_feature_names_out().tolist()
    for column, term in enumerate(terms):
        if not isinstance(term, str):
            raise TypeError(
                f"{caller}: term {column} of vocabulary is {term!r:.60} "
                f"({type(term).__name__}); every term must be a str."
            )
    return terms


class TfidfWeighter(
    TextAnalysisMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator
):
    r"""Weights of terms by frequency and inverse document frequency.

    The weight of term :math:`t` in document :math:`d` is

    .. math:: w(t, d) = \mathrm{tf}(t, d) \; \mathrm{idf}(t), \qquad
        \mathrm{idf}(t) = 1 + \ln \frac{s + n}{s + \mathrm{df}(t)},

    where :math:`\mathrm{tf}(t, d)` is how often the term occurs in the document, or
    1 plus the logarithm of that number (`sublinear_tf`), :math:`n` is the number of
    documents in `fit`, :math:`\mathrm{df}(t)` in how many of them the term occurs, and
    :math:`s` is 1 with `smooth_idf` and 0 without. Each document's weights are then
    divided by their norm. See [1]_ and [2]_, section 6.2.

    The weights equal those of scikit-learn's
    :class:`~sklearn.feature_extraction.text.TfidfVectorizer`. Besides,

    - a document may be a list of tokens as well as a str;
    - `fit` takes a matrix of counts instead of documents. The columns are then those
      of the matrix: a term that `min_df`, `max_df` or `max_features` leave out keeps
      its column, with weight 0;
    - `token_weights` gives a weight to each single token.

    Parameters
    ----------
    use_idf : bool, default=True
        Whether to weight terms by inverse document frequency; if False, idf is 1.
    smooth_idf : bool, default=True
        Add one to document frequencies, as if one more document held every term.
        Without it, a term of `vocabulary` (or a column of counts) that no document of
        `fit` holds gets weight 0.
    sublinear_tf : bool, default=False
        Replace the frequency tf by 1 + ln(tf).
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
        Whether tokens are words or characters, or a function from the document to
        tokens, which replaces all of the analysis.
    stop_words : {"english"}, list of str or None, default=None
        Tokens to leave out.
    token_pattern : str, default=r"(?u)\\b\\w\\w+\\b"
        The regular expression of a token when `analyzer` is "word".
    dtype : {np.float64, np.float32}, default=np.float64
        The type of the weights.

    Attributes
    ----------
    vocabulary_ : dict
        The column of each term. Only after `fit` on documents.
    idf_ : ndarray of shape (n_terms,)
        The inverse document frequency of each term: 1 if not `use_idf`, 0 for a column
        of counts that is left out.
    transformer_ : TfidfTransformer
        The fitted scikit-learn transformer from counts to weights.
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

    References
    ----------
    .. [1] G. Salton and C. Buckley (1988). Term-weighting approaches in automatic text
       retrieval. Information Processing & Management 24(5), 513-523.
    .. [2] C. D. Manning, P. Raghavan and H. Schütze (2008). Introduction to Information
       Retrieval. Cambridge University Press.

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

    Each token has its share of the weight of its term; a word that `fit` has not seen
    has none:

    >>> weighter.token_weights(["the dog saw the cat"])[0].round(2)
    array([1.  , 1.  , 0.  , 1.  , 1.41])

    Columns of counts stay where they are; here the first is too rare for a weight:

    >>> import numpy as np
    >>> counts = np.array([[1, 2], [0, 1]])
    >>> TfidfWeighter(norm=None, min_df=2).fit_transform(counts).toarray()
    array([[0., 2.],
           [0., 1.]])
    """

    _parameter_constraints = {
        **{
            name: TfidfVectorizer._parameter_constraints[name]
            for name in _AS_IN_SKLEARN
        },
        "vocabulary": [Mapping, "array-like", set, frozenset, None],
        **ANALYSIS_CONSTRAINTS,
        "dtype": [type, np.dtype, StrOptions({"float64", "float32"})],
    }

    def __init__(
        self,
        *,
        use_idf=True,
        smooth_idf=True,
        sublinear_tf=False,
        norm="l2",
        min_df=1,
        max_df=1.0,
        max_features=None,
        vocabulary=None,
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
        dtype=np.float64,
    ):
        self.use_idf = use_idf
        self.smooth_idf = smooth_idf
        self.sublinear_tf = sublinear_tf
        self.norm = norm
        self.min_df = min_df
        self.max_df = max_df
        self.max_features = max_features
        self.vocabulary = vocabulary
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
        self.dtype = dtype

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Learn the vocabulary and the inverse document frequencies.

        Parameters
        ----------
        X : iterable of str or of list of str, or {array, sparse matrix} of counts
            The documents, or how often each term (column) occurs in each document
            (row).
        y : None
            Ignored.

        Returns
        -------
        self : TfidfWeighter
            The fitted weighter.
        """
        self._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X, y=None):
        """Fit, and weight the same documents, in one pass over them.

        Parameters
        ----------
        X : iterable of str or of list of str, or {array, sparse matrix} of counts
            The documents, or how often each term (column) occurs in each document
            (row).
        y : None
            Ignored.

        Returns
        -------
        weights : sparse matrix of shape (n_documents, n_terms)
            The weights, in CSR format.
        """
        return self._weight(self._fit(X))

    def transform(self, X):
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
        self._check_same_kind(X)
        if not hasattr(self, "vocabulary_"):
            return self._weight(self._check_counts(X, reset=False))
        terms, documents = self._encode(X)
        return self._weight(
            count_terms(terms, documents, self.vocabulary_, self._dtype())
        )

    def token_weights(self, X):
        """Weight each token of documents.

        The weight of a term in a document is shared out equally over its occurrences,
        so that the weights of a document's tokens, summed term by term, are its row of
        `transform`. Only for a weighter that was fitted on documents.

        Parameters
        ----------
        X : iterable of str or of list of str
            The documents.

        Returns
        -------
        weights : list of ndarray of shape (n_tokens,)
            For each document the weight of each token, in order (as it is after
            analysis, stop words left out). Tokens outside the vocabulary have weight 0.
        """
        check_is_fitted(self)
        if not hasattr(self, "vocabulary_"):
            raise ValueError(
                f"{type(self).__name__} was fitted on a count matrix, which has no "
                "tokens. Fit it on documents to weight tokens."
            )
        self._check_same_kind(X)
        terms, documents = self._encode(X)
        ids = look_up(terms, self.vocabulary_)[documents.ids]
        offsets = documents.offsets
        shares = count_terms(terms, documents, self.vocabulary_, self._dtype())
        shares.data = self.transformer_.transform(shares).data / shares.data
        return value_of_each_token(shares, ids, offsets)

    def get_feature_names_out(self, input_features=None):
        """Get the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored after `fit` on documents. After `fit` on counts the names of the
            columns, which must then be those that `fit` saw.

        Returns
        -------
        names : ndarray of str objects
            The terms; after `fit` on counts, the names of its columns, or x0, x1, ...
        """
        check_is_fitted(self)
        if hasattr(self, "vocabulary_"):
            terms = sorted(self.vocabulary_, key=self.vocabulary_.get)
            return np.array(terms, dtype=object)
        return super().get_feature_names_out(input_features)

    def _fit(self, X):
        """Learn from documents or counts; return the counts, which are ours."""
        if is_count_matrix(X):
            reason = "X is a count matrix, whose columns are the terms"
            self._refuse_set(("vocabulary", *ANALYSIS_CONSTRAINTS), reason)
            counts = self._check_counts(X, reset=True)
            self._learn_idf(counts, kept=self._terms_to_keep(counts))
            vars(self).pop("vocabulary_", None)
            return counts
        if self.vocabulary is None:
            counts, vocabulary = self._learn_vocabulary(X)
        else:
            self._refuse_set(_PRUNING, "vocabulary is given")
            terms = _vocabulary_terms(self.vocabulary, type(self).__name__)
            vocabulary = {term: column for column, term in enumerate(terms)}
            counts = count_terms(*self._encode(X), vocabulary, self._dtype())
        self._learn_idf(counts)
        self.vocabulary_ = vocabulary
        for name in ("n_features_in_", "feature_names_in_"):
            vars(self).pop(name, None)
        return counts

    def _learn_vocabulary(self, X):
        terms, documents = self._encode(X)
        if not terms:
            raise ValueError(
                f"{type(self).__name__}: empty vocabulary; none of the "
                f"{documents.n_documents} documents has a token. Perhaps they hold "
                "only stop words, or words that token_pattern does not match "
                f"({self.token_pattern!r})."
            )
        terms_in_order = sorted(terms)
        vocabulary = {term: column for column, term in enumerate(terms_in_order)}
        counts = count_terms(terms, documents, vocabulary, self._dtype())
        kept = self._terms_to_keep(counts)
        if kept.all():
            return counts, vocabulary
        columns = np.flatnonzero(kept)
        kept_terms = (terms_in_order[column] for column in columns)
        return counts[:, columns], {term: i for i, term in enumerate(kept_terms)}

    def _terms_to_keep(self, counts):
        limits = {name: getattr(self, name) for name in _PRUNING}
        return terms_to_keep(counts, **limits, caller=type(self).__name__)

    def _learn_idf(self, counts, kept=True):
        transformer = TfidfTransformer(
            norm=self.norm, smooth_idf=self.smooth_idf, sublinear_tf=self.sublinear_tf
        )
        with np.errstate(divide="ignore"):
            idf = transformer.fit(counts).idf_
        if not self.use_idf:
            idf = np.ones_like(idf)
        # Infinite is the idf, not smoothed, of a term that fit has not seen.
        idf[~(kept & np.isfinite(idf))] = 0
        self.idf_ = transformer.idf_ = idf
        self.transformer_ = transformer

    def _weight(self, counts):
        weights = self.transformer_.transform(counts, copy=False)
        weights.eliminate_zeros()
        return weights

    def _encode(self, X):
        caller = type(self).__name__
        terms, documents = encode(self._tokenize(X), caller=caller)
        if documents.n_documents == 0:
            raise ValueError(
                f"{caller}: X holds no documents. A generator may have been used up: "
                "pass a list to go over documents more than once."
            )
        return terms, documents

    def _check_counts(self, X, *, reset):
        """A canonical CSR matrix of counts, safe to overwrite."""
        X = validate_data(
            self,
            X,
            accept_sparse="csr",
            dtype=self._dtype(),
            ensure_non_negative=True,
            reset=reset,
        )
        counts = sparse.csr_matrix(X, copy=True)
        counts.sum_duplicates()
        counts.eliminate_zeros()
        return counts

    def _check_same_kind(self, X):
        kinds = ("documents", "a count matrix")
        fitted, got = not hasattr(self, "vocabulary_"), is_count_matrix(X)
        if fitted != got:
            raise ValueError(
                f"{type(self).__name__} was fitted on {kinds[fitted]}; got "
                f"{kinds[got]} ({type(X).__name__}). Pass {kinds[fitted]}."
            )

    def _refuse_set(self, names, reason):
        """Refuse parameters that would have no effect."""
        parameters = signature(type(self).__init__).parameters
        for name in names:
            value, default = getattr(self, name), parameters[name].default
            plain = value.item() if isinstance(value, np.generic) else value
            # 1 is a number of documents and 1.0 a proportion: the type counts.
            if type(plain) is not type(default) or plain != default:
                raise ValueError(
                    f"{type(self).__name__}: {name}={value!r:.60} has no effect when "
                    f"{reason}. Leave it at its default, {default!r}."
                )

    def _dtype(self):
        dtype = np.dtype(self.dtype)
        if dtype not in (np.float64, np.float32):
            raise ValueError(
                f"{type(self).__name__}: dtype={self.dtype!r} is no type for weights; "
                "expected np.float64 or np.float32."
            )
        return dtype

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.input_tags.sparse = True
        return tags
