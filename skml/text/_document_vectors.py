"""What the transformers from documents to pooled word vectors share."""

from contextlib import suppress
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

from skml._compat.sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
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
from skml.text._unknown import HOW_DOCUMENTS_DIFFER
from skml.text._vocabulary import look_up, reindex

POOLING_CONSTRAINTS = {
    "weighter": [HasMethods(["fit", "transform"]), None],
    "pooling": [StrOptions(set(POOLINGS))],
    "remove_components": [Interval(Integral, 0, None, closed="left")],
    **ANALYSIS_CONSTRAINTS,
}


def find_rows(terms, documents, word_vectors):
    """Documents as rows of vectors.

    Parameters
    ----------
    terms, documents : list of str, EncodedDocuments
        As `encode` returns them. The ids are overwritten.
    word_vectors : WordVectors
        The vectors.

    Returns
    -------
    documents : EncodedDocuments
        The tokens that have a vector, by its row.
    composed : ndarray of shape (n_composed, vector_size), dtype float32, or None
        Further rows: the vectors of terms that are composed of their n-grams. None if
        the vectors have no n-grams.
    """
    rows = look_up(terms, word_vectors.vocabulary)
    if word_vectors.subwords is None:
        return reindex(documents, rows), None
    unseen = np.flatnonzero(rows < 0)
    composed, is_composed = word_vectors.subwords.compose([terms[i] for i in unseen])
    rows[unseen[is_composed]] = len(word_vectors) + np.arange(len(composed))
    return reindex(documents, rows), composed


def _unset_output(weighter):
    """Let weights be sparse, whatever table the caller wants from us.

    A Pipeline asks all of its steps, of which some may have no such choice.
    """
    for part in (weighter, *weighter.get_params().values()):
        if hasattr(part, "set_output"):
            with suppress(ValueError):
                part.set_output(transform="default")


def _n_rows(composed):
    return 0 if composed is None else len(composed)


class BaseDocumentVectors(
    TextAnalysisMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Documents to pooled vectors of their words; how words get vectors is left open.

    A subclass has the parameters of `POOLING_CONSTRAINTS`. Its method `_fit` learns
    `word_vectors_`, `weighter_` and `components_`; if called with ``to_pool=True``,
    it returns what `find_rows` does for its documents.
    """

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=False)
    def fit_transform(self, X, y=None):
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
            One vector a document.
        """
        return self._pool(*self._fit(X, y, to_pool=True))

    def transform(self, X):
        """Pool the word vectors of each document.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        pooled : ndarray of shape (n_documents, n_features), dtype float32
            One vector a document. Words that have no vector are left out; a document
            without any other word becomes zeros.
        """
        check_is_fitted(self)
        known = self.word_vectors_.vocabulary
        terms, documents = self._encode(X, is_fit=False, known=known)
        rows = find_rows(terms, documents, self.word_vectors_)
        self._warn_unknown(
            documents,
            np.diff(rows[0].offsets),
            terms,
            why=f"known are {self.word_vectors_.words[:3]} and so on",
            remedy=HOW_DOCUMENTS_DIFFER,
        )
        return self._pool(*rows)

    def _fit_weighter(self, documents, composed, n_words, y):
        """Learn the weights of words from documents as `find_rows` gives them.

        If words outside the vocabulary may be composed, there is one more column for
        all of them, which is empty: each weighs what a word does that is new.
        """
        if self.weighter is None:
            return None
        # Counting overwrites the ids, which are still needed.
        counts = count_matrix(documents.copy(), n_words + _n_rows(composed))
        if composed is not None:
            counts = counts[:, :n_words]
            counts.resize(counts.shape[0], n_words + 1)
        weighter = clone(self.weighter)
        _unset_output(weighter)
        try:
            weighter.fit(counts, y)
            self._check_weights(weighter, counts[:1])
        except (AttributeError, TypeError) as error:
            raise TypeError(
                f"{type(self).__name__}: weighter={weighter!r:.200} cannot be fitted "
                f"on a matrix of counts: {str(error).rstrip('.')}. Pass an estimator "
                "from counts to weights, such as TfidfWeighter() or "
                "TfidfTransformer(), and none that reads text."
            ) from error
        if composed is not None:
            self._check_weight_of_unseen(weighter, n_words)
        return weighter

    def _check_weights(self, weighter, counts):
        """Let one document have weights before training begins."""
        shape = np.shape(weighter.transform(counts))
        if shape != counts.shape:
            raise ValueError(
                f"{type(self).__name__}: weighter={weighter!r:.200} transforms counts "
                f"of the shape {counts.shape} to the shape {shape}; expected a weight "
                "for each word, in the same columns."
            )

    def _check_weight_of_unseen(self, weighter, n_words):
        """Let a word outside the vocabulary have a weight before training begins."""
        one_word = sparse.csr_matrix(([1.0], ([0], [n_words])))
        message = (
            f"{type(self).__name__}: a word that is in no document of fit, but is "
            "composed of its n-grams, has no finite weight by weighter="
            f"{weighter!r:.200}. If it has smooth_idf, set it to True."
        )
        try:
            weight = weighter.transform(one_word).sum()
        except ValueError as error:
            raise ValueError(f"{message} It says: {error}") from error
        if not np.isfinite(weight):
            raise ValueError(message)

    def _learn_components(self, rows, word_vectors, weighter):
        """The directions to remove from the vectors of documents."""
        if self.remove_components == 0:
            n_features = word_vectors.vector_size * len(POOLINGS[self.pooling])
            return np.empty((0, n_features), dtype=np.float32)
        documents, composed = rows
        pooled = self._pool_words(
            documents.copy(), composed, word_vectors.vectors, weighter
        )
        return common_components(
            pooled, self.remove_components, caller=type(self).__name__
        )

    def _pool_words(self, documents, composed, vectors, weighter):
        n_composed = _n_rows(composed)
        weights = count_matrix(documents, len(vectors) + n_composed)
        if weighter is not None and composed is not None:
            weights = weigh_with_unseen(weights, n_composed, weighter)
        elif weighter is not None:
            weights = sparse.csr_matrix(weighter.transform(weights))
        if n_composed:
            weights, vectors = take_used(weights, vectors, composed)
        return pool(weights, vectors, self.pooling)

    def _pool(self, documents, composed):
        """Documents as `find_rows` gives them (overwritten) to their vectors."""
        pooled = self._pool_words(
            documents, composed, self.word_vectors_.vectors, self.weighter_
        )
        return remove_components(pooled, self.components_)

    @property
    def _n_features_out(self):
        return self.components_.shape[1]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        tags.transformer_tags.preserves_dtype = []
        # Tags are asked for before fit checks what the weighter is.
        if hasattr(self.weighter, "__sklearn_tags__"):
            tags.target_tags.required = get_tags(self.weighter).target_tags.required
        return tags
