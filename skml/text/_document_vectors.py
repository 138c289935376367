"""What the transformers from documents to pooled word vectors share."""

from numbers import Integral

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    clone,
)
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from skml._sklearn import (
    HasMethods,
    Interval,
    StrOptions,
    _fit_context,
    with_callbacks,
)
from skml.text._analysis import ANALYSIS_CONSTRAINTS, TextAnalysisMixin
from skml.text._counts import count_matrix
from skml.text._pooling import POOLINGS, common_components, pool, remove_components
from skml.text._vocabulary import EncodedDocuments, look_up, reindex

POOLING_CONSTRAINTS = {
    "weighter": [HasMethods(["fit", "transform"]), None],
    "pooling": [StrOptions(set(POOLINGS))],
    "remove_components": [Interval(Integral, 0, None, closed="left")],
    **ANALYSIS_CONSTRAINTS,
}


class BaseDocumentVectors(
    TextAnalysisMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Documents to pooled vectors of their words; how words get vectors is left open.

    A subclass has the parameters of `POOLING_CONSTRAINTS`. Its method `_fit` learns
    `word_vectors_`, `weighter_` and `components_`, and returns the documents as rows.
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
        return self._pool(self._fit(X, y))

    def transform(self, X):
        """Pool the word vectors of each document.

        Parameters
        ----------
        X : iterable of str, or iterable of list of str
            The documents. A generator is consumed once.

        Returns
        -------
        pooled : ndarray of shape (n_documents, n_features), dtype float32
            One vector a document. Words that are not in the vocabulary are left out;
            a document without any other word becomes zeros.
        """
        check_is_fitted(self)
        terms, documents = self._encode(X)
        vocabulary = self.word_vectors_.vocabulary
        return self._pool(reindex(documents, look_up(terms, vocabulary)))

    def _fit_weighter(self, documents, n_words, y):
        if self.weighter is None:
            return None
        # Counting overwrites the ids, which are still needed.
        documents = EncodedDocuments(documents.ids.copy(), documents.offsets)
        weighter = clone(self.weighter)
        if hasattr(weighter, "set_output"):
            # Its weights are sparse, whatever table the caller wants from us.
            weighter.set_output(transform="default")
        return weighter.fit(count_matrix(documents, n_words), y)

    def _learn_components(self, documents, vectors, weighter):
        """The directions to remove from the pooled documents (left as they are)."""
        if self.remove_components == 0:
            n_features = vectors.shape[1] * len(POOLINGS[self.pooling])
            return np.empty((0, n_features), dtype=np.float32)
        documents = EncodedDocuments(documents.ids.copy(), documents.offsets)
        pooled = self._pool_words(documents, vectors, weighter)
        return common_components(
            pooled, self.remove_components, caller=type(self).__name__
        )

    def _pool_words(self, documents, vectors, weighter):
        weights = count_matrix(documents, len(vectors))
        if weighter is not None:
            weights = weighter.transform(weights)
        return pool(weights, vectors, self.pooling)

    def _pool(self, documents):
        """Documents as ids (overwritten) to their vectors."""
        vectors = self.word_vectors_.vectors
        pooled = self._pool_words(documents, vectors, self.weighter_)
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
