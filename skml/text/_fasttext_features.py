"""From documents to the rows whose mean is the vector of a document."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import inf

import numpy as np

from skml.text._fasttext_kernel import Features, average_rows
from skml.text._hashed_ngrams import character_ngrams, hash_words, word_ngrams
from skml.text._ngrams import Analysis, encode_terms, order_symbols
from skml.text._quantized import QuantizedVectors
from skml.text._subwords import END_OF_LINE
from skml.text._terms import Terms
from skml.text._tfidf_vocabulary import Vocabulary
from skml.text._vocabulary import EncodedDocuments, spell, take_parts


@dataclass
class Tokens:
    """Documents as ids of tokens, and how these are spelled.

    The first of the terms are the stop words, which have no id.
    """

    terms: Terms
    documents: EncodedDocuments
    analysis: Analysis

    @property
    def n_stop_words(self):
        return len(self.analysis.stop_words)

    @property
    def n_tokens(self):
        """How many different ones there are."""
        return self.terms.n_terms - self.n_stop_words

    @property
    def sizes(self):
        """How many tokens each document has."""
        return np.diff(self.documents.offsets)

    def counts(self):
        """How often each token occurs."""
        return np.bincount(self.documents.ids, minlength=self.n_tokens)

    @cached_property
    def spelling(self):
        """The tokens in UTF-8, one behind the other, and 0 and where each ends."""
        numbers = np.arange(self.terms.n_terms, dtype=np.int32) - self.n_stop_words
        return self.terms.spell(numbers.astype(np.int32), self.n_tokens)

    def in_order(self):
        """The ids in the order of their spelling."""
        order = order_symbols(self.terms) - self.n_stop_words
        return order[order >= 0]

    def vocabulary(self, chosen):
        """The vocabulary of some tokens, in this order."""
        numbers = np.full(self.terms.n_terms, -1, dtype=np.int32)
        numbers[self.n_stop_words + chosen] = np.arange(len(chosen))
        return Vocabulary(*self.terms.spell(numbers, len(chosen)))

    def rows_in(self, vocabulary):
        """The position in a vocabulary of each token, or -1."""
        if len(vocabulary) == 0:
            return np.full(self.n_tokens, -1, dtype=np.int32)
        known, columns = vocabulary.closed(self.analysis)
        numbers = known.absorb(self.terms)[self.n_stop_words :]
        return np.where(numbers >= 0, columns[numbers], np.int32(-1)).astype(np.int32)

    def take(self, positions):
        """Some of the documents, whose other tokens then occur no more."""
        parts = take_parts(self.documents.ids, self.documents.offsets, positions)
        return replace(self, documents=EncodedDocuments(*parts))

    def sample(self):
        """The spelling of some tokens, as a list of str."""
        return self.terms.symbols()[self.n_stop_words :][:1000]


def read_tokens(estimator, X, *, is_fit=True, known=()):
    """Read documents; there must be one."""
    analysis, documents = estimator._analyse(X, is_fit=is_fit, known=known)
    # N-grams of words are made of hashes, not of terms.
    analysis = replace(analysis, ngram_range=(1, 1))
    terms, documents = encode_terms(documents, analysis, inf, estimator.n_jobs)
    estimator._check_not_empty(documents.n_documents)
    return Tokens(terms, documents, analysis)


@dataclass
class Buckets:
    """The buckets of n-grams: of the characters of each token, and of documents' words.

    Each is a pair of offsets and buckets, as the functions that hash give them.
    """

    of_tokens: tuple
    of_documents: tuple


def find_buckets(tokens, model):
    """Hash the n-grams of documents; `model` says which there are."""
    documents, (spelling, ends) = tokens.documents, tokens.spelling
    nothing = np.empty(0, dtype=np.int32)
    of_tokens = np.zeros(tokens.n_tokens + 1, dtype=np.int64), nothing
    of_documents = np.zeros(len(documents.offsets), dtype=np.int64), nothing
    if model.subwords is not None:
        shortest, longest = model.subwords
        lengths = {"min_n": shortest, "max_n": longest}
        of_tokens = character_ngrams(
            spelling, ends, **lengths, n_buckets=model.n_buckets
        )
    if model.word_ngrams > 1:
        words = documents.ids, documents.offsets, hash_words(spelling, ends)
        try:
            of_documents = word_ngrams(
                *words,
                max_n=model.word_ngrams,
                n_buckets=model.n_buckets,
                end_hash=hash_words(*spell([END_OF_LINE]))[0],
                has_end=model.end_of_line,
            )
        except MemoryError as error:
            raise MemoryError(_too_many(tokens, model)) from error
    return Buckets(of_tokens, of_documents)


def _too_many(tokens, model):
    sizes = tokens.sizes + model.end_of_line
    longest = np.minimum(sizes, model.word_ngrams)
    n_ngrams = int(((longest - 1) * sizes - longest * (longest - 1) // 2).sum())
    return (
        f"{tokens.analysis.caller}: ngram_range=(1, {model.word_ngrams}) makes "
        f"{n_ngrams:,} n-grams of {len(tokens.documents.ids):,} tokens, for which "
        "there is no memory. Lower its second number."
    )


def find_features(tokens, model, buckets=None):
    """The rows of documents in a fitted model."""
    return _features(tokens, *_find_rows(tokens, model, buckets), model.end_row)


def _find_rows(tokens, model, buckets):
    """The rows of tokens and of documents, each as offsets and rows."""
    buckets = find_buckets(tokens, model) if buckets is None else buckets
    parts = tokens.rows_in(model.vocabulary)
    part_offsets, of_tokens = buckets.of_tokens
    if len(of_tokens):
        parts = np.insert(model.rows_of(of_tokens), part_offsets[:-1], parts)
    parts = part_offsets + np.arange(len(part_offsets)), parts
    ngram_offsets, ngrams = buckets.of_documents
    if len(ngrams):
        ngrams = model.rows_of(ngrams)
    return parts, (ngram_offsets, ngrams)


def _features(tokens, parts, ngrams, end_row):
    offsets, rows = parts
    return Features(
        tokens.documents.ids,
        tokens.documents.offsets,
        offsets,
        rows.astype(np.int32, copy=False),
        *ngrams,
        end_row=end_row,
    )


def document_vectors(tokens, model):
    """The mean of the rows of each document in a fitted model, and how many there are.

    Of rows that are quantised, those that occur are decoded.
    """
    vectors, end_row = model.input_vectors, model.end_row
    parts, ngrams = _find_rows(tokens, model, None)
    if isinstance(vectors, QuantizedVectors):
        used = np.unique(np.concatenate([parts[1], ngrams[1], [end_row]]))
        used = used[used >= 0]
        positions = np.empty(len(vectors) + 1, dtype=np.int32)
        positions[used] = np.arange(len(used))
        positions[-1] = -1  # of what has no row
        vectors, end_row = vectors[used].decode(), positions[end_row]
        parts, ngrams = (
            (offsets, positions[rows]) for offsets, rows in (parts, ngrams)
        )
    features = _features(tokens, parts, ngrams, end_row)
    size, is_pruned = model.vector_size, model.is_pruned
    return mean_vectors(features, vectors, size, is_pruned=is_pruned)


def mean_vectors(features, input_vectors, vector_size, *, is_pruned):
    """The mean of the rows of each document, and how many there are.

    N-grams without a row are left out if the others were pruned, and else are zeros.
    """
    n = features.n_documents
    means = np.zeros((n, vector_size), dtype=np.float32)
    n_rows = np.zeros(n, dtype=np.int64)
    average_rows(input_vectors, features, means, n_rows)
    n_unknown = np.zeros(n, dtype=np.int64) if is_pruned else features.unknown_ngrams()
    if n_unknown.any():
        known = n_rows / np.maximum(n_rows + n_unknown, 1)
        means *= known.astype(np.float32)[:, np.newaxis]
    return means, n_rows
