"""What TfidfWeighter learns from documents, or from a matrix of counts."""

from copy import copy

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import validate_data

from skml.text._analysis import ANALYSIS_CONSTRAINTS, refuse_set
from skml.text._counts import count_terms, is_count_matrix, terms_to_keep
from skml.text._term_weights import check_classes
from skml.text._tfidf_weights import (
    SCHEME_PARAMETERS,
    SCHEMES,
    SUPERVISED,
    learn_weights,
)
from skml.text._unknown import warn_unknown, warn_unreachable

PRUNING = ("min_df", "max_df", "max_features")


def learn(X, y, weighter):
    """Learn from documents or counts; also return the counts, which are ours."""
    honoured = SCHEMES[weighter.scheme]
    unused = [name for name in SCHEME_PARAMETERS if name not in honoured]
    refuse_set(weighter, unused, f"scheme={weighter.scheme!r}")
    classes = None
    if weighter.scheme in SUPERVISED:
        caller = type(weighter).__name__
        classes = check_classes(y, caller=caller, scheme=weighter.scheme)
    if is_count_matrix(X):
        return _learn_from_counts(X, classes, weighter)
    if weighter.vocabulary is None:
        counts, vocabulary = _learn_vocabulary(X, weighter)
    else:
        refuse_set(weighter, PRUNING, "vocabulary is given")
        counts, vocabulary = _count_vocabulary(X, weighter)
    return learn_weights(counts, classes, weighter, vocabulary_=vocabulary), counts


def _learn_from_counts(X, classes, weighter):
    reason = "X is a count matrix, whose columns are the terms"
    refuse_set(weighter, ("vocabulary", *ANALYSIS_CONSTRAINTS), reason)
    # scikit-learn notes the columns on the estimator: here, on a copy.
    noted = copy(weighter)
    counts = check_counts(X, noted, reset=True)
    is_kept = terms_to_keep(counts, weighter)
    if not is_kept.all():
        counts.data[~is_kept[counts.indices]] = 0
        counts.eliminate_zeros()
    fitted = learn_weights(
        counts,
        classes,
        weighter,
        is_kept,
        n_features_in_=noted.n_features_in_,
        feature_names_in_=getattr(noted, "feature_names_in_", None),
    )
    return fitted, counts


def check_counts(X, weighter, *, reset=False):
    """A canonical CSR matrix of counts, safe to overwrite."""
    X = validate_data(
        weighter,
        X,
        accept_sparse="csr",
        dtype=dtype_of(weighter),
        ensure_non_negative=True,
        reset=reset,
    )
    counts = sparse.csr_matrix(X, copy=True)
    counts.sum_duplicates()
    counts.eliminate_zeros()
    return counts


def dtype_of(weighter):
    """The type of the weights, checked."""
    dtype = np.dtype(weighter.dtype)
    if dtype not in (np.float64, np.float32):
        raise ValueError(
            f"{type(weighter).__name__}: dtype={weighter.dtype!r} is no type for "
            "weights; expected np.float64 or np.float32."
        )
    return dtype


def _learn_vocabulary(X, weighter):
    terms, documents = weighter._encode(X)
    if not terms:
        raise ValueError(
            f"{type(weighter).__name__}: empty vocabulary; none of the "
            f"{documents.n_documents} documents has a token. Perhaps they hold "
            "only stop words, or words that token_pattern does not match "
            f"({weighter.token_pattern!r})."
        )
    terms_in_order = sorted(terms)
    vocabulary = {term: column for column, term in enumerate(terms_in_order)}
    counts = count_terms(terms, documents, vocabulary, dtype_of(weighter))
    is_kept = terms_to_keep(counts, weighter)
    if is_kept.all():
        return counts, vocabulary
    columns = np.flatnonzero(is_kept)
    kept_terms = (terms_in_order[column] for column in columns)
    return counts[:, columns], {term: i for i, term in enumerate(kept_terms)}


def _count_vocabulary(X, weighter):
    """The counts of the terms that are given, and the column of each."""
    caller = type(weighter).__name__
    given = _vocabulary_terms(weighter.vocabulary, caller)
    vocabulary = {term: column for column, term in enumerate(given)}
    terms, documents = weighter._encode(X, known=vocabulary)
    counts = count_terms(terms, documents, vocabulary, dtype_of(weighter))
    is_found = np.bincount(counts.indices, minlength=len(given)) > 0
    if not warn_unreachable(caller, weighter._term_analyzer(), given, is_found):
        warn_unknown(
            weighter,
            documents,
            np.diff(counts.indptr),
            terms,
            why=f"vocabulary holds {given[:3]} and so on",
        )
    return counts, vocabulary


def _vocabulary_terms(vocabulary, caller):
    """Check the parameter `vocabulary`; return its terms in order of column."""
    if isinstance(vocabulary, (set, frozenset)):
        vocabulary = sorted(vocabulary, key=str)
    # An unfitted CountVectorizer checks the vocabulary that it was given.
    terms = CountVectorizer(vocabulary=vocabulary).get_feature_names_out().tolist()
    for column, term in enumerate(terms):
        if not isinstance(term, str):
            raise TypeError(
                f"{caller}: term {column} of vocabulary is {term!r:.60} "
                f"({type(term).__name__}); every term must be a str."
            )
    return terms
