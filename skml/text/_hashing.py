"""Terms hashed to columns, without a vocabulary."""

import numpy as np
from scipy import sparse

from skml._codec import show, stored
from skml.text._term_hashes import hash_columns, take_signs

MOST_FEATURES = 2**30


@stored
class Hashing:
    """Where the columns of terms are, by a hash of their spelling.

    Attributes
    ----------
    n_features : int
        The number of columns.
    alternate_sign : bool
        Whether the hash also says the sign with which a term counts.
    """

    n_features: int
    alternate_sign: bool

    def check(self):
        if not 1 <= self.n_features <= MOST_FEATURES:
            raise ValueError(f"n_features is {show(self.n_features)}")

    def matrix(self, batches, dtype):
        """The counts of batches of documents, each with terms of its own.

        A row may hold zeros: terms of one column that outweigh each other.
        """
        parts = [self._matrix(counts, dtype) for counts in batches]
        return parts[0] if len(parts) == 1 else sparse.vstack(parts, format="csr")

    def _matrix(self, counts, dtype):
        matrix = counts.matrix(self._columns, 2 * self.n_features, dtype)
        columns = matrix.indices.astype(np.int32, copy=False)
        take_signs(columns, matrix.data)
        shape = matrix.shape[0], self.n_features
        matrix = sparse.csr_matrix((matrix.data, columns, matrix.indptr), shape)
        matrix.has_sorted_indices = True
        matrix.sum_duplicates()
        return matrix

    def _columns(self, terms):
        """Twice the column of each term, and one more if its sign is negative."""
        numbers = np.arange(terms.n_terms, dtype=np.int32)
        columns = hash_columns(*terms.spell(numbers, terms.n_terms), self.n_features)
        return columns if self.alternate_sign else columns & np.int32(-2)


def hashing_of(estimator):
    """How the parameters of an estimator say that terms are hashed; None if not."""
    if estimator.n_features is None:
        return None
    return Hashing(
        n_features=int(estimator.n_features),
        alternate_sign=bool(estimator.alternate_sign),
    )
