"""How often terms were seen in documents: what weights are made of, and added up."""

import numpy as np

from skml._codec import stored
from skml.text._tfidf_vocabulary import Vocabulary


@stored
class Seen:
    """How many documents were seen, and how often each term was.

    The terms are those of the columns, and behind them those that have none yet.

    Attributes
    ----------
    n_documents : int
        The number of documents.
    df : ndarray of shape (n_columns + n_hidden,), dtype int64
        In how many documents each term is.
    tf : ndarray of shape (n_columns + n_hidden,), dtype float64, or None
        How often each term is in all documents; None if nothing needed it so far.
    hidden : Vocabulary or None
        Terms that have no column, as `min_df` or `max_features` leave them out so far.
    """

    n_documents: int
    df: np.ndarray
    tf: np.ndarray | None
    hidden: Vocabulary | None = None

    def check(self):
        is_right = self.df.ndim == 1 and self.df.dtype == np.int64
        if self.tf is not None:
            is_right &= self.tf.shape == self.df.shape and self.tf.dtype == np.float64
        if self.n_documents < 0 or not is_right or np.any(self.df < 0):
            raise ValueError("the frequencies of terms do not fit together")

    def check_columns(self, n_columns):
        """Refuse frequencies that are not those of so many columns."""
        n_hidden = 0 if self.hidden is None else len(self.hidden)
        if len(self.df) != n_columns + n_hidden:
            raise ValueError(
                f"there are frequencies of {len(self.df)} terms, for {n_columns} "
                f"columns and {n_hidden} other terms"
            )

    def __add__(self, other):
        """What was seen of the same terms, then and now."""
        is_known = self.tf is not None and other.tf is not None
        return Seen(
            n_documents=self.n_documents + other.n_documents,
            df=self.df + other.df,
            tf=self.tf + other.tf if is_known else None,
        )


def seen_in(counts, *, df=None, with_tf=True):
    """What is seen in a matrix of counts, of which `df` may be known."""
    n_documents, n_terms = counts.shape
    if df is None:
        df = np.bincount(counts.indices, minlength=n_terms)
    tf = None
    if with_tf:
        tf = np.bincount(counts.indices, weights=counts.data, minlength=n_terms)
    return Seen(n_documents=n_documents, df=df.astype(np.int64, copy=False), tf=tf)
