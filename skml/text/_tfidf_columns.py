"""What the columns of a TfidfWeighter stand for."""

import numpy as np
from scipy import sparse
from sklearn.base import OneToOneFeatureMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils import check_array
from sklearn.utils.validation import check_is_fitted

from skml.text._tfidf_learning import with_idf


class TermColumnsMixin(OneToOneFeatureMixin):
    """Mixin for TfidfWeighter: its columns, and the weight of each."""

    def inverse_transform(self, X):
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
