"""One vector per document from word vectors that are given."""

from collections.abc import Callable, Collection, Sequence
from numbers import Integral
from os import PathLike
from typing import Literal, Self

import numpy as np
from sklearn.base import BaseEstimator

from skml._compat.sklearn import _fit_context
from skml._typing import ArrayLike, Documents, FilePath
from skml.text._document_vectors import (
    POOLING_CONSTRAINTS,
    BaseDocumentVectors,
    FittedDocumentVectors,
    fit_weighter,
    learn_components,
)
from skml.text._unknown import warn_unknown
from skml.text._word_vectors import WordVectors


class EmbeddingTransformer(BaseDocumentVectors):
    r"""Pretrained word vectors, pooled to one vector per document.

    The vector of a document is the mean (or sum, or maximum) of the vectors of its
    words, weighted if there is a `weighter`. From it, the directions that the documents
    of `fit` share most are removed if `remove_components` is positive: with weights
    that fall with the frequency of a word, that is smooth inverse frequency [1]_.

    Parameters
    ----------
    word_vectors : WordVectors, or str or path of a file
        The vectors of the words, or where to read them: see :meth:`WordVectors.load`.
        They are not copied by :func:`~sklearn.base.clone`.
    weighter : estimator or None, default=None
        Gives the weights of the mean: an estimator that is fitted on the matrix of
        counts of shape (n_documents, n_words) and transforms it to a matrix of weights
        of the same shape, such as :class:`TfidfWeighter`. By default every occurrence
        of a word counts the same.
    pooling : {"mean", "sum", "max", "mean+max"}, default="mean"
        How the vectors of a document's words become one: their weighted mean or sum,
        the maximum in each dimension over the words whose weight is not zero, or the
        mean and the maximum beside each other.
    remove_components : int, default=0
        From each document vector, remove its projections on so many common components:
        the first right singular vectors, without centring, of the document vectors in
        `fit`.
    input : {"content", "filename", "file"}, default="content"
        What a document is: text or tokens, the path of a file, an open file.
    encoding : str, default="utf-8"
        The encoding of files.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not in the encoding.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        How to remove accents from characters.
    lowercase : bool, default=True
        Whether to convert text to lower case. Set it to False for word vectors that
        tell cases apart.
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
    n_jobs : int or None, default=None
        Number of threads. None means 1 unless in a :obj:`joblib.parallel_backend`
        context, -1 all processors. The result does not depend on it.

    Attributes
    ----------
    word_vectors_ : WordVectors
        The vectors of the words.
    weighter_ : estimator
        The fitted `weighter`. Only if there is one.
    components_ : ndarray of shape (remove_components, n_features), dtype float32
        The directions that are removed, orthonormal.

    Raises
    ------
    ValueError
        In `fit`: if no token of any document has a vector.

    See Also
    --------
    Word2VecTransformer : Learns the word vectors from the documents themselves.
    TfidfWeighter : Weights of words.

    References
    ----------
    .. [1] S. Arora, Y. Liang and T. Ma (2017). A simple but tough-to-beat baseline for
       sentence embeddings. ICLR.

    Examples
    --------
    >>> from skml.text import EmbeddingTransformer, WordVectors
    >>> vectors = WordVectors([[1, 0], [0, 1], [1, 1]], ["cat", "dog", "pet"])
    >>> EmbeddingTransformer(vectors).fit_transform(["a cat, a dog", "my pet dog"])
    array([[0.5, 0.5],
           [0.5, 1. ]], dtype=float32)
    """

    _fitted_class = FittedDocumentVectors
    _parameter_constraints = {
        "word_vectors": [WordVectors, str, PathLike],
        **POOLING_CONSTRAINTS,
        "n_jobs": [Integral, None],
    }

    def __init__(
        self,
        word_vectors: WordVectors | FilePath,
        *,
        weighter: BaseEstimator | None = None,
        pooling: Literal["mean", "sum", "max", "mean+max"] = "mean",
        remove_components: int = 0,
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
        n_jobs: int | None = None,
    ):
        self.word_vectors = word_vectors
        self.weighter = weighter
        self.pooling = pooling
        self.remove_components = remove_components
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
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Documents, y: ArrayLike | None = None) -> Self:
        """Fit the weighter and find the common components.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.
        y : array-like of shape (n_documents,) or None, default=None
            Passed to the `weighter`, otherwise ignored.

        Returns
        -------
        self : EmbeddingTransformer
            The fitted transformer.
        """
        self._fit(X, y)
        return self

    def _fit(self, X, y, *, to_pool=False):
        """Learn and publish; also return the documents as rows of the vectors."""
        word_vectors = self.word_vectors
        if not isinstance(word_vectors, WordVectors):
            word_vectors = WordVectors.load(word_vectors)
        words = self._count_words(X, word_vectors, is_fit=True)
        self._check_known(words, word_vectors)
        rows = words.counts, words.composed
        weighter = fit_weighter(self, *rows, len(word_vectors), y)
        fitted = FittedDocumentVectors(
            word_vectors_=word_vectors,
            weighter_=weighter,
            components_=learn_components(self, rows, word_vectors, weighter),
            pooling=self.pooling,
        )
        self._publish(fitted)
        return rows if to_pool else None

    def _check_known(self, words, word_vectors):
        """Warn if few documents have a word that has a vector; raise if none has."""
        fits = "Do lowercase, token_pattern and analyzer fit the vectors?"
        n_known = np.diff(words.counts.indptr)
        if not n_known.any():
            raise ValueError(
                f"{type(self).__name__}: none of the {words.n_terms} distinct words of "
                f"the documents, such as {words.sample()[:3]}, is among the "
                f"{len(word_vectors)} of word_vectors, such as "
                f"{word_vectors.words[:3]}. {fits}"
            )
        warn_unknown(
            self,
            words.n_tokens,
            n_known,
            words.sample,
            why=f"word_vectors are of {word_vectors.words[:3]} and so on",
            remedy=fits,
            most=0.5,
        )
