"""What the transformers from documents to pooled word vectors share."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skml._codec import show, stored
from skml._compat.sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml._estimator import BaseLearner, Fitted
from skml._typing import ArrayLike, Documents
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin
from skml.text._counts import count_matrix
from skml.text._pooling import (
    POOLINGS,
    common_components,
    pool,
    remove_components,
    take_used,
    weigh_with_unseen,
)
from skml.text._unknown import warn_unknown
from skml.text._vocabulary import look_up, reindex
from skml.text._word_vectors import WordVectors

POOLING_CONSTRAINTS = {
    "weighter": [HasMethods(["fit", "transform"]), None],
    "pooling": [StrOptions(set(POOLINGS))],
    "remove_components": [Interval(Integral, 0, None, closed="left")],
    **ANALYSIS_CONSTRAINTS,
}


@dataclass
class WordCounts:
    """How often documents have the words that have a vector.

    Attributes
    ----------
    counts : csr_matrix of shape (n_documents, n_vectors)
        The counts.
    composed : ndarray of shape (n_composed, vector_size) or None
        The vectors of the last columns, composed of n-grams; None if there are none.
    n_tokens : ndarray of shape (n_documents,)
        How many words each document has, with a vector or without.
    n_terms : int
        How many distinct words all of them have.
    sample : callable
        Gives some of these, in order.
    """

    counts: sparse.csr_matrix
    composed: np.ndarray | None
    n_tokens: np.ndarray
    n_terms: int
    sample: Callable


def count_rows(terms, documents, word_vectors):
    """Count the words of encoded documents (overwritten) that have a vector.

    Returns the counts, and further vectors, of the words of the last columns, which are
    composed of their n-grams; None if there are no n-grams.
    """
    rows = look_up(terms, word_vectors.vocabulary)
    n_rows, composed = len(word_vectors), None
    if word_vectors.subwords is not None:
        unseen = np.flatnonzero(rows < 0)
        composed, is_composed = word_vectors.subwords.compose(
            [terms[i] for i in unseen]
        )
        rows[unseen[is_composed]] = n_rows + np.arange(len(composed))
        n_rows += len(composed)
    return count_matrix(reindex(documents, rows), n_rows), composed


def _unset_output(weighter):
    """Let weights be sparse, whatever table the caller wants from us.

    A Pipeline asks all of its steps, of which some may have no such choice.
    """
    for part in (weighter, *weighter.get_params().values()):
        if hasattr(part, "set_output"):
            with suppress(ValueError):
                part.set_output(transform="default")


def check_pooling(fitted, vector_size):
    """Refuse a pooling, a weighter or components that do not fit the vectors."""
    if fitted.pooling not in POOLINGS:
        raise ValueError(f"pooling is {show(fitted.pooling)}")
    n_features = vector_size * len(POOLINGS[fitted.pooling])
    components = fitted.components_
    if components.dtype != np.float32 or components.shape[1:] != (n_features,):
        raise ValueError(
            f"components_ are {components.dtype} of the shape {components.shape}, for "
            f"{n_features} features"
        )
    if not (fitted.weighter_ is None or hasattr(fitted.weighter_, "transform")):
        raise ValueError(f"weighter_ is {show(fitted.weighter_)}")
    if fitted.weighter_ is not None:
        check_is_fitted(fitted.weighter_)


@stored
class FittedDocumentVectors(Fitted):
    """The vectors of words, and how those of a document become one."""

    word_vectors_: WordVectors
    weighter_: BaseEstimator | None
    components_: np.ndarray
    pooling: str

    def check(self):
        check_pooling(self, self.word_vectors_.vector_size)


def fit_weighter(estimator, counts, composed, n_words, y):
    """Learn the weights of words from the counts of documents' words.

    If words outside the vocabulary may be composed, there is one more column for all
    of them, which is empty: each weighs what a word does that is new.
    """
    if estimator.weighter is None:
        return None
    # A weighter may overwrite its input, which is still needed.
    counts = counts.copy()
    if composed is not None:
        counts = counts[:, :n_words]
        counts.resize(counts.shape[0], n_words + 1)
    caller, weighter = type(estimator).__name__, clone(estimator.weighter)
    _unset_output(weighter)
    try:
        weighter.fit(counts, y)
        # One document has weights before training begins.
        shape = np.shape(weighter.transform(counts[:1]))
    except (AttributeError, TypeError) as error:
        raise TypeError(
            f"{caller}: weighter={weighter!r:.200} cannot be fitted on a matrix of "
            f"counts: {str(error).rstrip('.')}. Pass an estimator from counts to "
            "weights, such as TfidfWeighter() or TfidfTransformer(), and none that "
            "reads text."
        ) from error
    if shape != (1, counts.shape[1]):
        raise ValueError(
            f"{caller}: weighter={weighter!r:.200} transforms counts of the shape "
            f"{(1, counts.shape[1])} to the shape {shape}; expected a weight for each "
            "word, in the same columns."
        )
    if composed is not None:
        _check_weight_of_unseen(weighter, n_words, caller)
    return weighter


def _check_weight_of_unseen(weighter, n_words, caller):
    """Let a word outside the vocabulary have a weight before training begins."""
    one_word = sparse.csr_matrix(([1.0], ([0], [n_words])))
    message = (
        f"{caller}: a word that is in no document of fit, but is composed of its "
        f"n-grams, has no finite weight by weighter={weighter!r:.200}. If it has "
        "smooth_idf, set it to True."
    )
    try:
        weight = weighter.transform(one_word).sum()
    except ValueError as error:
        raise ValueError(f"{message} It says: {error}") from error
    if not np.isfinite(weight):
        raise ValueError(message)


def learn_components(estimator, rows, word_vectors, weighter):
    """The directions to remove from the vectors of documents."""
    pooling, n_components = estimator.pooling, estimator.remove_components
    if n_components == 0:
        n_features = word_vectors.vector_size * len(POOLINGS[pooling])
        return np.empty((0, n_features), dtype=np.float32)
    vectors, n_jobs = word_vectors.vectors, estimator.n_jobs
    pooled = _pool_words(*rows, vectors, weighter, pooling, n_jobs)
    return common_components(pooled, n_components, caller=type(estimator).__name__)


def _pool_words(counts, composed, vectors, weighter, pooling, n_jobs):
    n_composed = 0 if composed is None else len(composed)
    weights = counts
    if weighter is not None and composed is not None:
        weights = weigh_with_unseen(counts, n_composed, weighter)
    elif weighter is not None:
        weights = sparse.csr_matrix(weighter.transform(counts.copy()))
    if n_composed:
        weights, vectors = take_used(weights, vectors, composed)
    return pool(weights, vectors, pooling, n_jobs)


def _pool(fitted, counts, composed, n_jobs):
    """The counts of documents' words, and composed vectors, to vectors."""
    vectors = fitted.word_vectors_.vectors
    pooled = _pool_words(
        counts, composed, vectors, fitted.weighter_, fitted.pooling, n_jobs
    )
    return remove_components(pooled, fitted.components_)


class BaseDocumentVectors(
    TextAnalysisMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseLearner
):
    """Documents to pooled vectors of their words; how words get vectors is left open.

    A subclass has the parameters of `POOLING_CONSTRAINTS`. Its method `_fit` publishes
    a value with `word_vectors_`, `weighter_`, `components_` and `pooling`; if called
    with ``to_pool=True``, it returns the counts of the words of its documents,
    and the vectors that are composed, as `WordCounts` has them.
    """

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X: Documents, y: ArrayLike | None = None) -> np.ndarray:
        """Fit, and pool the same documents, in one pass over them.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.
        y : array-like of shape (n_documents,) or None, default=None
            Passed to the `weighter`, otherwise ignored.

        Returns
        -------
        pooled : ndarray of shape (n_documents, n_features), dtype float32
            One vector per document.
        """
        rows = self._fit(X, y, to_pool=True)
        return _pool(self._fitted, *rows, self.n_jobs)

    def transform(self, X: Documents) -> np.ndarray:
        """Pool the word vectors of each document.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        pooled : ndarray of shape (n_documents, n_features), dtype float32
            One vector per document. Words that have no vector are left out; a document
            without any other word becomes zeros.
        """
        check_is_fitted(self)
        word_vectors = self._fitted.word_vectors_
        words = self._count_words(X, word_vectors, is_fit=False)
        warn_unknown(
            self,
            words.n_tokens,
            np.diff(words.counts.indptr),
            words.sample,
            why=f"known are {word_vectors.words[:3]} and so on",
        )
        return _pool(self._fitted, words.counts, words.composed, self.n_jobs)

    def _count_words(self, X, word_vectors, *, is_fit):
        """Count the words of documents that have a vector."""
        options = {"is_fit": is_fit, "known": word_vectors.vocabulary}
        if word_vectors.subwords is not None:
            # In order of first appearance, on which the columns of those depend that
            # are composed, and so the last bits of a sum.
            terms, documents = self._encode(X, **options)
            n_tokens = np.diff(documents.offsets)
            counts, composed = count_rows(terms, documents, word_vectors)
            return WordCounts(counts, composed, n_tokens, len(terms), lambda: terms)
        counts = self._count(X, **options)
        n_stop_words = len(counts.analysis.stop_words)
        columns = look_up(counts.spelled(), word_vectors.vocabulary)
        dtype = np.float32 if self.weighter is None else np.float64
        return WordCounts(
            counts.matrix(columns, len(word_vectors), dtype),
            None,
            counts.n_symbols,
            counts.terms.n_terms - n_stop_words,
            counts.sample,
        )

    @property
    def _n_features_out(self):
        return self._fitted.components_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        # Tags are asked for before fit checks what the weighter is.
        if hasattr(self.weighter, "__sklearn_tags__"):
            tags.target_tags.required = get_tags(self.weighter).target_tags.required
        return tags
