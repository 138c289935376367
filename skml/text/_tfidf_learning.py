"""What TfidfWeighter learns from documents, or from a matrix of counts."""

from copy import copy
from dataclasses import replace

import numpy as np
from joblib import effective_n_jobs
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils import check_array
from sklearn.utils.validation import validate_data

from skml._fitting import warn_user
from skml.text._analysis import ANALYSIS_CONSTRAINTS, refuse_set
from skml.text._counts import frequencies, is_count_matrix, terms_to_keep
from skml.text._hashing import hashing_of
from skml.text._term_weights import check_classes
from skml.text._tfidf_seen import seen_in
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._tfidf_weights import (
    NEEDS_TF,
    SCHEME_PARAMETERS,
    SCHEMES,
    SUPERVISED,
    WITH_IDF,
    fitted_with,
    learn_weights,
)
from skml.text._unknown import warn_unknown, warn_unreachable

PRUNING = ("min_df", "max_df", "max_features")


def learn(X, y, weighter):
    """Learn from documents or counts; also return the counts, which are ours."""
    check_scheme(weighter)
    dtype_of(weighter, to_warn=True)
    classes = None
    if weighter.scheme in SUPERVISED:
        caller = type(weighter).__name__
        classes = check_classes(y, caller=caller, scheme=weighter.scheme)
    refuse_unhashable(weighter)
    if is_count_matrix(X):
        return _learn_from_counts(X, classes, weighter)
    if weighter.n_features is not None:
        hashing = hashing_of(weighter)
        counts = count_hashed(X, hashing, weighter, is_fit=True)
        if is_stateless(weighter):
            return fitted_with(None, weighter, hashing=hashing), counts
        return learn_weights(counts, classes, weighter, hashing=hashing), counts
    if weighter.vocabulary is None:
        counts, vocabulary, seen = _learn_vocabulary(X, weighter)
    else:
        refuse_set(weighter, PRUNING, "vocabulary is given")
        (counts, vocabulary), seen = count_vocabulary(X, weighter), None
    columns = {
        "vocabulary": vocabulary,
        "fixed_vocabulary_": weighter.vocabulary is not None,
    }
    return learn_weights(counts, classes, weighter, seen=seen, **columns), counts


def check_scheme(weighter):
    """Refuse parameters of other schemes."""
    honoured = SCHEMES[weighter.scheme]
    unused = [name for name in SCHEME_PARAMETERS if name not in honoured]
    refuse_set(weighter, unused, f"scheme={weighter.scheme!r}")


def refuse_for_counts(weighter):
    """Refuse parameters that are for documents."""
    reason = "X is a count matrix, whose columns are the terms"
    names = ("vocabulary", "n_features", "ngram_range", *ANALYSIS_CONSTRAINTS)
    refuse_set(weighter, names, reason)


def _learn_from_counts(X, classes, weighter):
    refuse_for_counts(weighter)
    # scikit-learn notes the columns on the estimator: here, on a copy.
    noted = copy(weighter)
    counts = check_counts(X, noted, reset=True)
    if weighter.binary:
        counts.data.fill(1)
    seen = seen_in(counts)
    tf = seen.tf.astype(counts.dtype)
    is_kept = terms_to_keep(seen.df, tf, counts.shape[0], weighter)
    if not is_kept.all():
        counts.data[~is_kept[counts.indices]] = 0
        counts.eliminate_zeros()
    fitted = learn_weights(
        counts,
        classes,
        weighter,
        is_kept,
        seen=seen,
        n_features_in_=noted.n_features_in_,
        feature_names_in_=getattr(noted, "feature_names_in_", None),
    )
    return fitted, counts


def refuse_unhashable(weighter):
    """Refuse parameters that hashing cannot honour, or that are for hashing alone."""
    if weighter.n_features is None:
        refuse_set(weighter, ("alternate_sign",), "n_features is None")
        return
    refuse_set(weighter, ("vocabulary", *PRUNING), "n_features is given")
    if weighter.alternate_sign and (
        weighter.scheme != "tf-idf" or weighter.sublinear_tf
    ):
        raise ValueError(
            f"{type(weighter).__name__}: scheme={weighter.scheme!r} and sublinear_tf="
            f"{weighter.sublinear_tf!r} need counts that are not negative; with "
            "alternate_sign=True only scheme='tf-idf' with sublinear_tf=False works. "
            "Pass alternate_sign=False."
        )


def is_stateless(weighter):
    """Whether there is nothing to learn: terms are hashed, and all weigh the same."""
    is_plain = weighter.scheme == "tf-idf" and not weighter.use_idf
    return weighter.n_features is not None and is_plain


def fitted_without_fit(weighter):
    """What a weighter without a state has from the beginning."""
    weighter._validate_params()
    refuse_unhashable(weighter)
    return fitted_with(None, weighter, hashing=hashing_of(weighter))


def count_hashed(X, hashing, weighter, *, is_fit):
    """The matrix of counts of hashed terms."""
    return hashing.matrix(
        hashed_batches(X, weighter, is_fit=is_fit), dtype_of(weighter)
    )


def hashed_batches(X, weighter, *, is_fit):
    """Counts of small batches, one a thread at a time: their terms are not kept."""
    n_jobs = effective_n_jobs(weighter.n_jobs)
    return weighter._count_batches(X, is_fit=is_fit, factor=n_jobs)


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


def dtype_of(weighter, *, to_warn=False):
    """The type of the weights, checked; integers become float64."""
    dtype = np.dtype(weighter.dtype)
    if dtype in (np.float64, np.float32):
        return dtype
    if dtype.kind not in "biu":
        raise ValueError(
            f"{type(weighter).__name__}: dtype={weighter.dtype!r} is no type for "
            "weights; expected np.float64 or np.float32."
        )
    if to_warn:
        warn_user(
            f"{type(weighter).__name__}: Only float64 or float32 'dtype' should be "
            f"used. {dtype} 'dtype' will be converted to np.float64."
        )
    return np.dtype(np.float64)


def _learn_vocabulary(X, weighter):
    """The counts of the terms that are kept, these terms, and how often they occur."""
    counts = weighter._count(X)
    counts.sort()
    n_documents, dtype = len(counts.n_symbols), dtype_of(weighter)
    df = counts.document_frequencies()
    is_found = df > 0
    if not is_found.any():
        raise ValueError(
            f"{type(weighter).__name__}: empty vocabulary; none of the "
            f"{n_documents} documents has a token. Perhaps they hold "
            "only stop words, or words that token_pattern does not match "
            f"({weighter.token_pattern!r})."
        )
    if counts.has_blanks:
        return _learn_ambiguous(counts, n_documents, is_found, weighter)
    n_jobs = counts.n_threads
    columns, in_order, sizes = counts.tree.number(is_found.view(np.uint8), n_jobs)
    df, tf = df[in_order], None
    if weighter.max_features is not None:
        tf = df if weighter.binary else counts.frequencies()[in_order]
        tf = tf.astype(dtype)
    is_kept = terms_to_keep(df, tf, n_documents, weighter)
    n_kept = np.count_nonzero(is_kept)
    if n_kept < len(df):
        df, sizes = df[is_kept], sizes[is_kept]
        columns.fill(-1)
        columns[in_order[is_kept]] = np.arange(n_kept)
    vocabulary = Vocabulary(*counts.tree.spell(columns, sizes, n_jobs))
    matrix = counts.matrix(columns, n_kept, dtype)
    matrix.has_canonical_format = True
    if len(columns) < 2 * n_kept:
        vocabulary.keep_closed(counts.analysis, counts.close(columns))
    with_tf = weighter.scheme in NEEDS_TF
    seen = seen_in(matrix, df=df, with_tf=with_tf and not weighter.binary)
    if weighter.binary or tf is not None:
        tf = df.astype(np.float64) if weighter.binary else tf[is_kept]
        seen = replace(seen, tf=tf.astype(np.float64))
    return matrix, vocabulary, seen


def _learn_ambiguous(counts, n_documents, is_found, weighter):
    """As above, if words have blanks, so that several terms may be spelled alike."""
    spelled = counts.spelled()
    terms = sorted({spelled[i] for i in np.flatnonzero(is_found)})
    every = Vocabulary.of(terms)
    matrix = counts.matrix(every.columns_of(spelled), len(terms), dtype_of(weighter))
    matrix.sum_duplicates()
    if weighter.binary:
        matrix.data.fill(1)
    kept = np.flatnonzero(terms_to_keep(*frequencies(matrix), n_documents, weighter))
    return matrix[:, kept], Vocabulary.of([terms[i] for i in kept]), None


def count_vocabulary(X, weighter):
    """The counts of the terms that are given, and these terms."""
    caller = type(weighter).__name__
    given = vocabulary_terms(weighter.vocabulary, caller)
    vocabulary = Vocabulary.of(given)
    matrix, counts = weighter._count_known(
        X, vocabulary, dtype_of(weighter), is_fit=True
    )
    is_found = np.bincount(matrix.indices, minlength=len(given)) > 0
    if not warn_unreachable(caller, weighter._term_analyzer(), given, is_found):
        warn_unknown(
            weighter,
            counts.n_symbols,
            np.diff(matrix.indptr),
            counts.sample,
            why=f"vocabulary holds {given[:3]} and so on",
        )
    return matrix, vocabulary


def vocabulary_terms(vocabulary, caller):
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


def with_idf(idf, weighter, fitted):
    """What is fitted, with another inverse document frequency in its place.

    Without anything fitted, the terms are those of the parameter `vocabulary`.
    """
    caller = type(weighter).__name__
    if not weighter.use_idf:
        # The words of scikit-learn, which spells the parameter so.
        raise ValueError(
            f"{caller}: `idf_` cannot be set when `user_idf=False`. Set use_idf=True."
        )
    scheme = weighter.scheme if fitted is None else fitted.scheme
    needs_fit = scheme == "bm25" or weighter.vocabulary is None
    if fitted is None and needs_fit:
        raise NotFittedError(
            f"{caller}: `idf_` can be set before fit if scheme='tf-idf' and vocabulary "
            f"is given; scheme={scheme!r} and vocabulary={weighter.vocabulary!r:.60}. "
            "Call fit first."
        )
    if scheme not in WITH_IDF:
        raise ValueError(
            f"{caller}: scheme={scheme!r} has no `idf_` that could be set."
        )
    idf = check_array(idf, ensure_2d=False, dtype=dtype_of(weighter), copy=True)
    if fitted is None:
        weighter._validate_params()
        vocabulary = Vocabulary.of(vocabulary_terms(weighter.vocabulary, caller))
        columns = {"vocabulary": vocabulary, "fixed_vocabulary_": True}
        fitted = fitted_with(np.ones(len(vocabulary)), weighter, **columns)
    if idf.shape != fitted.term_weights_.shape:
        raise ValueError(
            f"{caller}: `idf_` has the shape {idf.shape}; there are "
            f"{len(fitted.term_weights_)} terms."
        )
    return replace(fitted, term_weights_=idf)
