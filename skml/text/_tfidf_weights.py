"""What TfidfWeighter learns: the weight of each term, and how documents are weighed."""

from itertools import pairwise

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn import get_config

from skml._codec import show, stored
from skml._estimator import Fitted
from skml.text._count_rows import weigh_rows
from skml.text._hashing import Hashing
from skml.text._term_weights import (
    bm25_idf,
    bm25_saturation,
    class_frequencies,
    class_sums,
    icf,
    log_count_ratio,
    odds_ratio,
    rf,
    sif,
    usif,
)
from skml.text._tfidf_seen import Seen, seen_in
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._threads import in_threads

# The parameters that each scheme honours; the others are refused.
SCHEMES = {
    "tf-idf": ("use_idf", "smooth_idf", "sublinear_tf"),
    "idf": ("smooth_idf",),
    "bm25": ("k1", "b"),
    "sif": ("a", "sublinear_tf"),
    "usif": ("sublinear_tf",),
    "icf": ("sublinear_tf",),
    "rf": ("sublinear_tf",),
    "or": ("sublinear_tf",),
    "nb": ("sublinear_tf", "alpha"),
}
SCHEME_PARAMETERS = ("use_idf", "smooth_idf", "sublinear_tf", "k1", "b", "a", "alpha")
SUPERVISED = ("icf", "rf", "or", "nb")
LEAST = 1 << 16  # values that a thread takes at least
NEEDS_TF = ("bm25", "sif", "usif")  # how often terms occur, besides in how many
WITH_IDF = ("tf-idf", "idf", "bm25")


@stored
class FittedTfidf(Fitted):
    """The weights of terms, and the parameters that weigh documents by them.

    It was learned from documents, and then has a vocabulary, or from a matrix of
    counts, and then has a number of columns and perhaps their names.
    """

    scheme: str
    binary: bool
    sublinear_tf: bool
    norm: str | None
    k1: float
    b: float
    term_weights_: np.ndarray | None  # None: all are 1
    mean_length_: float | None
    classes_: np.ndarray | None
    vocabulary: Vocabulary | None = None
    fixed_vocabulary_: bool | None = None
    hashing: Hashing | None = None
    seen: Seen | None = None
    n_features_in_: int | None = None
    feature_names_in_: np.ndarray | None = None

    def check(self):
        weights, n_terms = self.term_weights_, self.n_features_in_
        if self.vocabulary is not None:
            n_terms = len(self.vocabulary)
        elif self.hashing is not None:
            n_terms = self.hashing.n_features
        if self.scheme not in SCHEMES or self.norm not in {"l1", "l2", None}:
            raise ValueError(f"{show(self.scheme)} or {show(self.norm)} is not known")
        if weights is None and self.hashing is not None and self.scheme == "tf-idf":
            return
        if weights.shape != (n_terms,) or weights.dtype not in (np.float64, np.float32):
            raise ValueError(
                f"term_weights_ are {weights.dtype} of the shape {weights.shape}, for "
                f"{n_terms} terms"
            )
        if self.seen is not None:
            self.seen.check_columns(n_terms)
        if (self.fixed_vocabulary_ is None) != (self.vocabulary is None):
            raise ValueError(f"fixed_vocabulary_ is {self.fixed_vocabulary_}")
        if (self.mean_length_ is not None) != (self.scheme == "bm25"):
            raise ValueError(f"mean_length_ is {self.mean_length_} for {self.scheme}")

    @property
    def is_of_counts(self):
        """Whether it was learned from a matrix of counts."""
        return self.vocabulary is None and self.hashing is None

    @property
    def idf(self):
        """The weights, where they are an inverse document frequency; or None."""
        return self.term_weights_ if self.scheme in WITH_IDF else None

    def weigh(self, counts, n_jobs=None):
        """The weights of terms in documents, given their counts (overwritten)."""
        n_zeros = self.weigh_entries(counts, n_jobs)
        if n_zeros:
            counts.eliminate_zeros()
        # What scikit-learn's own vectorizers return, from its version 1.9 on.
        if get_config().get("sparse_interface") == "sparray":
            return sparse.csr_array(counts)
        return counts

    def weigh_entries(self, counts, n_jobs=None):
        """Overwrite each count by its weight; return how many of these are zero."""
        weights = self.term_weights_
        if self.binary or self.scheme == "idf":
            counts.data.fill(1)
        if self.scheme == "bm25":
            # Only columns that are left out have no weight.
            lengths = counts @ (weights != 0).astype(np.float64)
            counts.data[:] = bm25_saturation(
                counts.data,
                np.repeat(lengths, np.diff(counts.indptr)),
                self.mean_length_,
                k1=self.k1,
                b=self.b,
            )
        if self.sublinear_tf:
            np.log(counts.data, out=counts.data)
            counts.data += 1
        if weights is not None and weights.dtype != counts.dtype:
            counts.data *= weights[counts.indices]
            weights = None
        return sum(
            in_threads(
                lambda rows: weigh_rows(
                    counts.data, counts.indices, rows, weights, self.norm
                ),
                _parts(counts.indptr.astype(np.int64, copy=False), n_jobs),
            )
        )


def _parts(ends, n_jobs):
    """Where rows begin and end, in parts for threads."""
    if ends[-1] < 2 * LEAST:
        return [ends]
    n_parts = min(effective_n_jobs(n_jobs), int(ends[-1]) // LEAST)
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], n_parts + 1)[1:-1])
    cuts = [0, *cuts.tolist(), len(ends) - 1]
    return [ends[a : b + 1] for a, b in pairwise(cuts)]


def learn_weights(counts, classes, parameters, is_kept=True, seen=None, **columns):
    """Learn the weights of terms from their counts in documents.

    Of what is known of the columns, `is_kept` marks the terms that have a weight, and
    `seen` is how often they were seen.
    """
    n_documents = counts.shape[0]
    if classes is not None and len(classes[1]) != n_documents:
        raise ValueError(
            f"{type(parameters).__name__}: X holds {n_documents} document(s) and y "
            f"{len(classes[1])} label(s); pass one label for each document."
        )
    if parameters.binary:
        counts.data.fill(1)
    if classes is None:
        if seen is None:
            seen = seen_in(counts, with_tf=parameters.scheme in NEEDS_TF)
        return fitted_of_seen(seen, counts.dtype, parameters, is_kept, **columns)
    weights = _supervised_weights(counts, *classes, parameters)
    weights = weights.astype(counts.dtype, copy=False)
    weights[~(is_kept & np.isfinite(weights))] = 0
    return fitted_with(weights, parameters, classes_=classes[0], **columns)


def fitted_of_seen(seen, dtype, parameters, is_kept=True, **columns):
    """The weights of terms, given how often each was seen."""
    n_columns = len(seen.df) - (0 if seen.hidden is None else len(seen.hidden))
    df, n_documents, scheme = seen.df[:n_columns], seen.n_documents, parameters.scheme
    mean_length = None
    if scheme in NEEDS_TF:
        tf = np.where(is_kept, seen.tf[:n_columns], 0)
        mean_length = float(tf.sum() / n_documents)
    if scheme == "bm25":
        weights = bm25_idf(df, n_documents)
    elif scheme == "sif":
        weights = sif(tf, a=parameters.a)
    elif scheme == "usif":
        weights = usif(tf, mean_length)
    else:
        weights = _idf(df, n_documents, dtype, parameters)
    weights = weights.astype(dtype, copy=False)
    # Infinite is the idf, not smoothed, of a term that fit has not seen.
    weights[~(is_kept & np.isfinite(weights))] = 0
    return fitted_with(
        weights,
        parameters,
        mean_length_=mean_length if scheme == "bm25" else None,
        seen=seen,
        **columns,
    )


def fitted_with(weights, parameters, *, mean_length_=None, classes_=None, **columns):
    """What is fitted, given the weights of terms."""
    return FittedTfidf(
        scheme=parameters.scheme,
        binary=bool(parameters.binary),
        sublinear_tf=bool(parameters.sublinear_tf),
        norm=parameters.norm,
        k1=float(parameters.k1),
        b=float(parameters.b),
        term_weights_=weights,
        mean_length_=mean_length_,
        classes_=classes_,
        **columns,
    )


def _supervised_weights(counts, labels, codes, parameters):
    if parameters.scheme == "nb":
        sums = class_sums(counts, codes, len(labels))
        return log_count_ratio(sums, alpha=parameters.alpha)
    frequencies = class_frequencies(counts, codes, len(labels))
    if parameters.scheme == "or":
        return odds_ratio(frequencies, np.bincount(codes))
    return {"icf": icf, "rf": rf}[parameters.scheme](frequencies)


def _idf(df, n_documents, dtype, parameters):
    """As scikit-learn computes it, to the last bit."""
    if not parameters.use_idf:
        return np.ones(len(df), dtype=dtype)
    n_added = int(parameters.smooth_idf)
    weights = np.full(len(df), n_documents + n_added, dtype=dtype)
    with np.errstate(divide="ignore"):
        weights /= df.astype(dtype) + dtype.type(n_added)
    np.log(weights, out=weights)
    weights += 1
    return weights
