"""Phrases: words that stand together more often than by chance, joined to one token."""

import math
from collections.abc import Callable, Collection, Sequence
from numbers import Integral, Real
from typing import Literal, Self

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import Interval, StrOptions, _fit_context
from skml._estimator import BaseLearner
from skml._typing import Documents
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin
from skml.text._phrase_kernel import count_phrases, words_of
from skml.text._phrase_table import FittedPhrases, PhraseTable
from skml.text._terms import Terms
from skml.text._vocabulary import count_ids, look_up, spell


def _ratio(n_both, n_first, n_last, *, min_count, n_terms, n_tokens):
    """How much more often than by chance, up to a factor, less what is discounted."""
    return (n_both - min_count) / (n_first * n_last) * n_terms


def _npmi(n_both, n_first, n_last, *, min_count, n_terms, n_tokens):
    """Normalised pointwise mutual information (Bouma 2009)."""
    p_first, p_last, p_both = n_first / n_tokens, n_last / n_tokens, n_both / n_tokens
    return np.log(p_both / (p_first * p_last)) / -np.log(p_both)


_SCHEMES = {"ratio": _ratio, "npmi": _npmi}


def learn(terms, documents, estimator):
    """Find the phrases of encoded documents."""
    given = estimator.connector_words
    connectors = [] if given is None else sorted(set(map(str.__str__, given)))
    is_connector = look_up(terms, dict.fromkeys(connectors, 1)) > 0
    words = Terms(of_words=True)
    words.add(*spell(terms), 1)
    frequencies = count_ids(documents.ids, len(terms))
    numbers, counts, pairs = count_phrases(
        words, documents.ids, documents.offsets, is_connector.astype(np.uint8)
    )
    n_words = np.count_nonzero(frequencies[~is_connector])
    is_frequent = counts >= estimator.min_count
    numbers, (first, last) = numbers[is_frequent], frequencies[pairs[:, is_frequent]]
    scores = _SCHEMES[estimator.scheme](
        counts[is_frequent].astype(np.float64),
        first.astype(np.float64),
        last.astype(np.float64),
        min_count=estimator.min_count,
        n_terms=n_words + len(counts),
        n_tokens=len(documents.ids),
    )
    order = np.lexsort((numbers, -scores))
    order = order[scores[order] > estimator.threshold]
    parts, ends = words_of(words, numbers[order])
    used, parts = np.unique(parts, return_inverse=True)
    table = PhraseTable([str(terms[i]) for i in used], parts.astype(np.int32), ends)
    return FittedPhrases(
        table=table,
        scores=scores[order],
        delimiter=str.__str__(estimator.delimiter),
        connector_words=connectors,
    )


class PhraseTransformer(TextAnalysisMixin, TransformerMixin, BaseLearner):
    r"""Words that often stand together, joined to one token.

    `fit` finds pairs of neighbours, such as "new" and "york", that occur together more
    often than by chance; `transform` returns each document as a list of tokens, in
    which such a pair is one, "new_york". The lists are what the other estimators of
    text take.

    Let :math:`n(a)` be how often a word occurs in the documents of `fit`, and
    :math:`n(a, b)` how often :math:`b` follows :math:`a`. The score of a pair is one of

    "ratio"
        :math:`\frac{n(a, b) - \delta}{n(a) \, n(b)} \, V`, where :math:`\delta` is
        `min_count`, which keeps pairs of rare words out, and :math:`V` the number of
        distinct words without `connector_words`, plus distinct pairs [1]_. The factor
        is that of gensim, so that its thresholds hold here; the authors' own program
        has the number of tokens.
    "npmi"
        Normalised pointwise mutual information [2]_,
        :math:`\ln \frac{p(a, b)}{p(a) \, p(b)} \, / \, {-\ln p(a, b)}`, from -1 to 1,
        where :math:`p` are fractions of all tokens.

    In `transform`, a document is read from left to right, and a word is part of one
    phrase at most. For phrases of three and four words, join what is joined once more:
    put a second `PhraseTransformer` behind the first.

    Parameters
    ----------
    min_count : int, default=5
        Pairs that occur less often are no phrases.
    threshold : float, default=10.0
        The score of a phrase is above this. It must be positive for "ratio", and from
        -1 to 1 for "npmi".
    scheme : {"ratio", "npmi"}, default="ratio"
        How pairs are scored; see above.
    delimiter : str, default="_"
        What stands between the words of a phrase.
    connector_words : list of str or None, default=None
        Words that a phrase may hold and does not begin or end with, such as "of" and
        "the". Two words that have nothing but connectors between them are a pair:
        "bank of america" is scored by the counts of "bank", "america" and the whole.
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
        Tokens that are removed before pairs are formed.
    token_pattern : str or None, default=r"(?u)\\b\\w\\w+\\b"
        The regular expression of a token when `analyzer` is "word". The default, words
        of two or more characters, is wider here than in scikit-learn: a letter keeps
        its combining marks, such as the vowel signs of Hindi, Tamil or Thai, the vowel
        points of Arabic, and decomposed accents. Any other is taken literally. None
        goes with a `tokenizer`.
    max_memory : float or None, default=1024
        How many MiB of token ids are held in memory, at four bytes a token. Those of a
        larger corpus go to a temporary file, in the folder that :mod:`tempfile` names.
        The result is the same. None sets no limit.
    n_jobs : int or None, default=None
        Number of threads that read documents. None means 1 unless in a
        :obj:`joblib.parallel_backend` context, -1 all processors. The result does not
        depend on it.

    Attributes
    ----------
    phrases_ : dict
        The score of each phrase, joined, the best first.

    See Also
    --------
    Word2VecTransformer : Learns word vectors, also of phrases.
    TfidfWeighter : Weighs all n-grams with `ngram_range`.

    References
    ----------
    .. [1] T. Mikolov, I. Sutskever, K. Chen, G. Corrado and J. Dean (2013). Distributed
       representations of words and phrases and their compositionality.
       arXiv:1310.4546.
    .. [2] G. Bouma (2009). Normalized (pointwise) mutual information in collocation
       extraction. GSCL, 31-40.

    Examples
    --------
    >>> from skml.text import PhraseTransformer
    >>> documents = ["new york is large", "she left new york", "a new day in york"] * 5
    >>> phrases = PhraseTransformer(threshold=0.3).fit(documents)
    >>> phrases.phrases_
    {'new_york': 0.35...}
    >>> phrases.transform(["New York was new to her"])
    [['new_york', 'was', 'new', 'to', 'her']]

    Connectors stand within phrases, and not at their ends:

    >>> documents = ["the bank of america", "a bank of america"] * 5
    >>> phrases = PhraseTransformer(threshold=0.01, connector_words=["of", "the"])
    >>> phrases.fit_transform(documents)[0]
    ['the', 'bank_of_america']
    """

    _fitted_class = FittedPhrases
    _parameter_constraints = {
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "threshold": [Interval(Real, None, None, closed="neither")],
        "scheme": [StrOptions(set(_SCHEMES))],
        "delimiter": [str],
        "connector_words": ["array-like", set, frozenset, None],
        **ANALYSIS_CONSTRAINTS,
        "max_memory": [Interval(Real, 0, None, closed="left"), None],
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        *,
        min_count: int = 5,
        threshold: float = 10.0,
        scheme: Literal["ratio", "npmi"] = "ratio",
        delimiter: str = "_",
        connector_words: Collection[str] | None = None,
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
    ):
        self.min_count = min_count
        self.threshold = threshold
        self.scheme = scheme
        self.delimiter = delimiter
        self.connector_words = connector_words
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

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Documents, y: None = None) -> Self:
        """Find the phrases of documents.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.
        y : None
            Ignored.

        Returns
        -------
        self : PhraseTransformer
            The fitted transformer.
        """
        self._fit(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(self, X: Documents, y: None = None):
        """Fit, and join the phrases of the same documents, in one pass over them.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.
        y : None
            Ignored.

        Returns
        -------
        tokens : list of list of str
            The words and phrases of each document.
        """
        terms, documents = self._fit(X)
        return self._fitted.join(terms, documents)

    def transform(self, X: Documents):
        """Join the phrases of documents.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        tokens : list of list of str
            The words and phrases of each document.
        """
        check_is_fitted(self)
        terms, documents = self._encode(X, is_fit=False)
        return self._fitted.join(terms, documents)

    @property
    def phrases_(self):
        """The score of each phrase, joined, the best first."""
        check_is_fitted(self)
        return self._fitted.phrases

    def _fit(self, X):
        """Learn and publish; also return the encoded documents."""
        self._check_scheme()
        terms, documents = self._encode(X)
        self._publish(learn(terms, documents, self))
        return terms, documents

    def _check_scheme(self):
        """Refuse a threshold or connectors that cannot be meant."""
        caller, threshold = type(self).__name__, self.threshold
        is_ratio = self.scheme == "ratio"
        if not (0 < threshold < math.inf if is_ratio else -1 <= threshold <= 1):
            limits = "positive" if is_ratio else "from -1 to 1, such as 0.5"
            raise ValueError(
                f"{caller}: threshold={threshold!r} does not go with "
                f"scheme={self.scheme!r}; it must be {limits}."
            )
        for word in () if self.connector_words is None else self.connector_words:
            if not isinstance(word, str):
                raise TypeError(
                    f"{caller}: connector_words holds {word!r:.60} "
                    f"({type(word).__name__}); every word must be a str."
                )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags
