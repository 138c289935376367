"""What the columns of a TfidfWeighter stand for, and what tokens weigh in them."""

import numpy as np
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skml._typing import ArrayLike, Documents, MatrixLike
from skml.text._counts import count_matrix, is_count_matrix, value_of_each_token
from skml.text._tfidf_learning import (
    dtype_of,
    fitted_without_fit,
    is_stateless,
    with_idf,
)
from skml.text._vocabulary import reindex


class TermColumnsMixin(OneToOneFeatureMixin):
    """Mixin for TfidfWeighter: its columns, the weight of each, and of tokens."""

    def __init_subclass__(cls, **options):
        # Sparse weights make no tables: no `set_output`, in subclasses neither.
        super().__init_subclass__(**{"auto_wrap_output_keys": None} | options)

    def inverse_transform(self, X: MatrixLike):
        """Look up the terms of weighted documents.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_documents, n_terms)
            Weights of documents, as `transform` gives them.

        Returns
        -------
        terms : list of ndarray of str objects
            For each document the terms whose weight is not 0, in order of the columns.
        """
        check_is_fitted(self)
        if self._fitted_now().hashing is not None:
            raise ValueError(
                f"{type(self).__name__}: hashed terms cannot be looked up. Leave "
                "n_features at its default, None, to learn a vocabulary."
            )
        X = check_array(X, accept_sparse="csr")
        names = self.get_feature_names_out()
        if X.shape[1] != len(names):
            raise ValueError(
                f"{type(self).__name__}: X has {X.shape[1]} columns, and there are "
                f"{len(names)} terms."
            )
        weights = sparse.csr_matrix(X, copy=True)
        weights.sum_duplicates()
        weights.eliminate_zeros()
        return np.split(names[weights.indices], weights.indptr[1:-1])

    def get_feature_names_out(
        self, input_features: ArrayLike | None = None
    ) -> np.ndarray:
        """Get the names of the columns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Ignored after `fit` on documents. After `fit` on counts the names of the
            columns, which must then be those that `fit` saw.

        Returns
        -------
        names : ndarray of str objects
            The terms; after `fit` on counts, the names of its columns, or x0, x1, ...;
            tfidfweighter0, tfidfweighter1, ... with `n_features`.
        """
        check_is_fitted(self)
        fitted = self._fitted_now()
        if fitted.vocabulary is not None:
            return np.array(fitted.vocabulary.terms, dtype=object)
        if fitted.hashing is not None:
            prefix = type(self).__name__.lower()
            names = [f"{prefix}{i}" for i in range(fitted.hashing.n_features)]
            return np.array(names, dtype=object)
        return super().get_feature_names_out(input_features)

    @property
    def vocabulary_(self):
        """The column of each term, as a dict."""
        fitted = getattr(self, "_fitted", None)
        if fitted is None or fitted.vocabulary is None:
            raise AttributeError(
                f"{type(self).__name__} has no vocabulary_: it was not fitted on "
                "documents, or hashes their terms."
            )
        return fitted.vocabulary.index

    @property
    def n_samples_seen_(self):
        """The number of documents that were seen."""
        fitted = getattr(self, "_fitted", None)
        if fitted is None or fitted.seen is None:
            raise AttributeError(
                f"{type(self).__name__} has no n_samples_seen_: it is not fitted, its "
                "scheme learns from classes, or it learns nothing."
            )
        return fitted.seen.n_documents

    @property
    def idf_(self):
        """The inverse document frequency of each term."""
        fitted = getattr(self, "_fitted", None)
        if fitted is None:
            raise NotFittedError(
                f"{type(self).__name__} is not fitted yet and has no idf_. Call fit "
                "first."
            )
        if fitted.idf is None:
            raise AttributeError(
                f"{type(self).__name__} has no idf_ by scheme={fitted.scheme!r}; "
                "term_weights_ are the weights of its terms."
            )
        return fitted.idf

    @idf_.setter
    def idf_(self, value):
        self._publish(with_idf(value, self, getattr(self, "_fitted", None)))

    def token_weights(self, X: Documents):
        """Weight each token of documents.

        The weight of a term in a document is divided equally among its occurrences,
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
        fitted = self._fitted_now()
        vocabulary = fitted.vocabulary
        if vocabulary is None:
            what = "on a count matrix, which has no tokens"
            if fitted.hashing is not None:
                what = "with n_features, so that tokens share columns"
            raise ValueError(
                f"{type(self).__name__} was fitted {what}. Fit it on documents, with "
                "n_features=None, to weight tokens."
            )
        has_ngrams = not self._has_function("analyzer")
        if has_ngrams and tuple(self.ngram_range) != (1, 1):
            raise ValueError(
                f"{type(self).__name__}: tokens have no weights of their own with "
                f"ngram_range={self.ngram_range!r}; only ngram_range=(1, 1) gives some."
            )
        self._check_same_kind(X)
        terms, documents = self._encode(X, is_fit=False, known=vocabulary)
        columns = vocabulary.columns_of(terms)
        ids, offsets = columns[documents.ids], documents.offsets
        documents = reindex(documents, columns)
        counts = count_matrix(documents, len(vocabulary), dtype_of(self))
        frequencies = counts.data.copy()
        fitted.weigh_entries(counts)
        counts.data /= frequencies
        return value_of_each_token(counts, ids, offsets)

    def _fitted_now(self):
        """What is fitted; or what needs no fit, as all terms weigh the same."""
        if "_fitted" in vars(self) or not is_stateless(self):
            return self._fitted
        return fitted_without_fit(self)

    def _check_same_kind(self, X):
        kinds = ("documents", "a count matrix")
        fitted, got = self._fitted_now().is_of_counts, is_count_matrix(X)
        if fitted != got:
            raise ValueError(
                f"{type(self).__name__} was fitted on {kinds[fitted]}; got "
                f"{kinds[got]} ({type(X).__name__}). Pass {kinds[fitted]}."
            )
