"""What TfidfWeighter learns from a stream: more documents of a corpus that goes on."""

from copy import copy
from numbers import Integral

import numpy as np

from skml.text._analysis import refuse_set
from skml.text._counts import is_count_matrix, terms_to_keep
from skml.text._hashing import hashing_of
from skml.text._ngrams import number_in_order
from skml.text._tfidf_learning import (
    PRUNING,
    check_counts,
    check_scheme,
    count_vocabulary,
    dtype_of,
    hashed_batches,
    is_stateless,
    refuse_for_counts,
    refuse_unhashable,
    vocabulary_terms,
)
from skml.text._tfidf_seen import Seen, seen_in
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._tfidf_weights import (
    NEEDS_TF,
    SUPERVISED,
    fitted_of_seen,
    fitted_with,
)
from skml.text._vocabulary import spell

# So many times `max_features` terms are kept to choose from.
KEPT = 10


def learn_more(X, weighter, fitted):
    """Learn from more documents, or rows of counts, than what is fitted has seen."""
    if fitted is not None:
        weighter._validate_params()  # which scikit-learn leaves to the first call
    check_scheme(weighter)
    if weighter.scheme in SUPERVISED:
        raise ValueError(
            f"{type(weighter).__name__}: scheme={weighter.scheme!r} weighs terms by "
            "the classes of all documents, so that partial_fit cannot honour it. Call "
            "fit, or choose a scheme without classes."
        )
    refuse_unhashable(weighter)
    dtype_of(weighter, to_warn=fitted is None)
    if fitted is not None:
        _check_same_kind(X, weighter, fitted)
    if is_count_matrix(X):
        return _more_counts(X, weighter, fitted)
    if weighter.n_features is not None:
        return _more_hashed(X, weighter, fitted)
    if weighter.vocabulary is not None:
        refuse_set(weighter, PRUNING, "vocabulary is given")
        return _more_of_vocabulary(X, weighter, fitted)
    return _more_documents(X, weighter, fitted)


def _check_same_kind(X, weighter, fitted):
    """Refuse to go on with columns of another kind."""
    weighter._check_same_kind(X)
    given = weighter.vocabulary
    if given is not None:
        given = vocabulary_terms(given, type(weighter).__name__)
    known = fitted.vocabulary.terms if fitted.fixed_vocabulary_ else None
    hashing = [h and h.to_data() for h in (hashing_of(weighter), fitted.hashing)]
    if not fitted.is_of_counts and (given != known or hashing[0] != hashing[1]):
        raise ValueError(
            f"{type(weighter).__name__}: vocabulary, n_features or alternate_sign are "
            "no longer what they were, and partial_fit cannot continue with other "
            "columns. Call fit to begin anew."
        )


def _seen_before(weighter, fitted):
    """What was seen so far, or None; with the frequencies that are needed."""
    if fitted is None:
        return None
    seen = fitted.seen
    needs_tf = weighter.scheme in NEEDS_TF or weighter.max_features is not None
    is_set = fitted.fixed_vocabulary_ and fitted.classes_ is None  # its idf_ alone
    if (seen is None and not is_set) or (seen and seen.tf is None and needs_tf):
        raise ValueError(
            f"{type(weighter).__name__}: partial_fit with scheme={weighter.scheme!r} "
            f"and max_features={weighter.max_features!r} needs to know how often terms "
            "occurred so far, which was not counted with the parameters before. Call "
            "fit, or partial_fit from the first documents on."
        )
    return seen


def _add(seen, more):
    return more if seen is None else seen + more


def _more_counts(X, weighter, fitted):
    refuse_for_counts(weighter)
    noted = copy(weighter)
    counts = check_counts(X, noted, reset=fitted is None)
    if weighter.binary:
        counts.data.fill(1)
    seen = _add(_seen_before(weighter, fitted), seen_in(counts))
    dtype = counts.dtype
    tf = None if seen.tf is None else seen.tf.astype(dtype)
    is_kept = terms_to_keep(seen.df, tf, seen.n_documents, weighter)
    return fitted_of_seen(
        seen,
        dtype,
        weighter,
        is_kept,
        n_features_in_=noted.n_features_in_,
        feature_names_in_=getattr(noted, "feature_names_in_", None),
    )


def _more_hashed(X, weighter, fitted):
    """Batch by batch: of the counts, only their sums by column are kept."""
    hashing, dtype = hashing_of(weighter), dtype_of(weighter)
    seen = None
    if not is_stateless(weighter):
        seen = _seen_before(weighter, fitted)
    for counts in hashed_batches(X, weighter, is_fit=fitted is None):
        matrix = hashing.matrix([counts], dtype)
        if weighter.binary:
            matrix.data.fill(1)
        seen = _add(seen, seen_in(matrix))
    if is_stateless(weighter):
        return fitted_with(None, weighter, hashing=hashing)
    return fitted_of_seen(seen, dtype, weighter, hashing=hashing)


def _more_of_vocabulary(X, weighter, fitted):
    dtype = dtype_of(weighter)
    if fitted is None:
        matrix, vocabulary = count_vocabulary(X, weighter)
    else:
        vocabulary = fitted.vocabulary
        matrix, _ = weighter._count_known(X, vocabulary, dtype)
    if weighter.binary:
        matrix.data.fill(1)
    seen = _add(_seen_before(weighter, fitted), seen_in(matrix))
    columns = {"vocabulary": vocabulary, "fixed_vocabulary_": True}
    return fitted_of_seen(seen, dtype, weighter, **columns)


def _more_documents(X, weighter, fitted):
    """More documents, whose new terms are added to the vocabulary."""
    refuse_set(weighter, ("max_df",), "partial_fit adds terms one after the other")
    if not isinstance(weighter.min_df, Integral):
        raise ValueError(
            f"{type(weighter).__name__}: min_df={weighter.min_df!r} is a proportion, "
            "which partial_fit cannot honour: terms would lose their column as more "
            "documents come. Pass a number of documents."
        )
    growing = _GrowingTerms(_seen_before(weighter, fitted), fitted)
    for counts in weighter._count_batches(X, is_fit=fitted is None):
        growing.add(counts, is_binary=weighter.binary)
        if weighter.max_features is not None:
            growing.forget(KEPT * weighter.max_features)
    vocabulary, seen = growing.finish(weighter)
    columns = {"vocabulary": vocabulary, "fixed_vocabulary_": False}
    return fitted_of_seen(seen, dtype_of(weighter), weighter, **columns)


class _GrowingTerms:
    """Terms of a vocabulary and those that are added, and how often each was seen.

    Terms are kept in compiled form; the first are those of the columns so far.
    """

    def __init__(self, seen, fitted):
        self.terms, self.analysis, self.has_blanks = None, None, False
        self.n_documents = 0
        self.df = np.zeros(0, dtype=np.int64)
        self.tf = np.zeros(0)
        self.vocabularies = []
        if fitted is not None:
            self.vocabularies = [fitted.vocabulary]
        if seen is not None:
            self.n_documents, self.df, self.tf = seen.n_documents, seen.df, seen.tf
            if seen.hidden is not None:
                self.vocabularies.append(seen.hidden)
        self.columns = np.empty(0, dtype=np.int32)  # the term of each column so far

    def _begin(self, analysis):
        """Terms that were seen before; there is none that they are not."""
        self.analysis, self.terms = analysis, analysis.new_terms()
        max_n = analysis.ngram_range[1]
        numbers = [self.terms.add(v.spelling, v.ends, max_n) for v in self.vocabularies]
        if numbers:
            self.columns = numbers[0]
        self._place(np.concatenate([np.empty(0, dtype=np.int32), *numbers]))

    def _place(self, numbers):
        """Have what was seen of terms stand at their numbers."""
        if np.any(numbers < 0):
            raise ValueError(
                f"{self.analysis.caller}: a term of the vocabulary is none any more "
                "with the parameters as they are now. Call fit to begin anew."
            )
        df, self.df = self.df, np.zeros(self.terms.n_terms, dtype=np.int64)
        self.df[numbers] = df
        if self.tf is not None:
            tf, self.tf = self.tf, np.zeros(self.terms.n_terms)
            self.tf[numbers] = tf

    def add(self, counts, *, is_binary):
        """Add what is counted in more documents."""
        if self.terms is None:
            self._begin(counts.analysis)
        self.n_documents += len(counts.n_symbols)
        if counts.has_blanks:
            numbers, df, tf = self._of_spelling(counts)
        else:
            df, tf = counts.document_frequencies(), counts.frequencies()
            numbers = self.terms.absorb(counts.terms)
        more = self.terms.n_terms - len(self.df)
        self.df = np.concatenate([self.df, np.zeros(more, dtype=np.int64)])
        self.df[numbers] += df
        if self.tf is not None:
            self.tf = np.concatenate([self.tf, np.zeros(more)])
            self.tf[numbers] += df if is_binary else tf

    def _of_spelling(self, counts):
        """Numbers and frequencies, if several terms may be spelled alike."""
        self.has_blanks = True
        spelled, is_found = counts.spelled(), counts.document_frequencies() > 0
        terms = sorted({spelled[i] for i in np.flatnonzero(is_found)})
        columns = Vocabulary.of(terms).columns_of(spelled)
        matrix = counts.matrix(columns, len(terms), np.float64)
        matrix.sum_duplicates()
        seen = seen_in(matrix)
        numbers = self.terms.add(*spell(terms), self.analysis.ngram_range[1])
        return numbers, seen.df, seen.tf

    def _in_order(self):
        """The numbers of all terms that were seen, in the order of their spelling."""
        is_seen = self.df > 0
        numbers = np.flatnonzero(is_seen)
        if self.has_blanks:
            spelled = self._vocabulary(numbers).terms
            return numbers[sorted(range(len(numbers)), key=spelled.__getitem__)]
        places = number_in_order(self.terms, is_seen)
        in_order = np.empty(len(numbers), dtype=np.int64)
        in_order[places[numbers]] = numbers
        return in_order

    def _vocabulary(self, numbers):
        """Some terms, by their numbers."""
        places = np.full(self.terms.n_terms, -1, dtype=np.int32)
        places[numbers] = np.arange(len(numbers))
        return Vocabulary(*self.terms.spell(places, len(numbers)))

    def forget(self, n_kept):
        """Keep the most frequent terms alone, the first by their spelling if equal."""
        if np.count_nonzero(self.df) <= n_kept:
            return
        in_order = self._in_order()
        kept = in_order[np.argsort(-self.tf[in_order], kind="stable")[:n_kept]]
        # Columns of terms that are forgotten are free.
        places = np.full(self.terms.n_terms, -1, dtype=np.int32)
        places[kept] = np.arange(len(kept))
        columns = np.where(self.columns >= 0, places[self.columns], -1)
        spelling, ends = self.terms.spell(places, len(kept))
        self.df, self.tf = self.df[kept], self.tf[kept]
        self.terms = self.analysis.new_terms()
        numbers = self.terms.add(spelling, ends, self.analysis.ngram_range[1])
        self._place(numbers)
        self.columns = np.where(columns >= 0, numbers[columns], -1).astype(np.int32)

    def finish(self, weighter):
        """The vocabulary of the columns, and what was seen of all terms."""
        in_order, columns = self._in_order(), self.columns
        is_kept = self.df[in_order] >= weighter.min_df
        if is_kept.any():
            tf = None
            if weighter.max_features is not None:
                tf = self.tf[in_order].astype(dtype_of(weighter))
            is_kept = terms_to_keep(self.df[in_order], tf, self.n_documents, weighter)
        has_column = np.zeros(self.terms.n_terms + 1, dtype=bool)  # the last: of none
        has_column[in_order[is_kept]] = True
        # What keeps its column, and what is new, in columns that are free or behind.
        is_new = has_column.copy()
        is_new[columns] = False
        new = in_order[is_new[in_order]]
        columns = np.where(has_column[columns], columns, -1)
        free = np.flatnonzero(columns < 0)
        columns[free[: len(new)]] = new[: len(free)]
        columns = np.concatenate([columns[columns >= 0], new[len(free) :]])
        hidden = in_order[~has_column[in_order]]
        vocabulary, numbers = self._vocabulary(columns), np.append(columns, hidden)
        seen = Seen(
            n_documents=self.n_documents,
            df=self.df[numbers],
            tf=None if self.tf is None else self.tf[numbers],
            hidden=self._vocabulary(hidden) if len(hidden) else None,
        )
        return vocabulary, seen
