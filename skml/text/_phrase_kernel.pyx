# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Phrases: pairs of words, and the connectors between them, counted and joined.

A phrase is an n-gram of `Terms`, of all its words.
"""

from cpython.list cimport PyList_New, PyList_SET_ITEM
from cpython.ref cimport Py_INCREF
from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memset

import numpy as np

from skml.text._terms cimport AHEAD, Terms, grow, mix, ngram_key, prefetch


cdef struct Phrase:
    int64_t count
    int32_t first, last


cdef inline int32_t find(
    Terms terms, const int32_t *words, int64_t n
) except -2 nogil:
    """The number of the n-gram of some words; -1 if there is none."""
    cdef int32_t term = words[0]
    cdef int64_t i
    terms.reserve_ngrams(n)
    for i in range(1, n):
        term = terms.find_ngram(term, words[i])
    return term


def count_phrases(
    Terms terms,
    const int32_t[::1] ids,
    const int64_t[::1] offsets,
    const uint8_t[::1] is_connector,
):
    """Count neighbours, and words with nothing but connectors between them.

    Parameters
    ----------
    terms : Terms
        The words; phrases are added.
    ids : ndarray of shape (n_tokens,), dtype int32
        The words of all documents.
    offsets : ndarray of shape (n_documents + 1,), dtype int64
        Where each document begins, and the last one ends.
    is_connector : ndarray of shape (n_words,), dtype uint8
        Whether a phrase neither begins nor ends with the word.

    Returns
    -------
    numbers : ndarray of shape (n_phrases,), dtype int64
        The number of each phrase as a term.
    counts : ndarray of shape (n_phrases,), dtype int64
        How often it occurs.
    words : ndarray of shape (2, n_phrases), dtype int32
        Its first and its last word.
    """
    cdef int64_t n_words = terms.n_terms, capacity = 0, before, i, k, start, d
    cdef int64_t n_found = 0
    cdef int32_t term
    cdef uint8_t[::1] seen
    cdef Phrase *phrases = NULL
    try:
        with nogil:
            for d in range(offsets.shape[0] - 1):
                start = -1
                for i in range(offsets[d], offsets[d + 1]):
                    if i + AHEAD < ids.shape[0]:
                        prefetch(&terms.ngrams.slots[
                            mix(ngram_key(ids[i + AHEAD - 1], ids[i + AHEAD]))
                            & (terms.ngrams.n_slots - 1)
                        ])
                    if is_connector[ids[i]]:
                        continue
                    if start >= 0:
                        term = find(terms, &ids[start], i - start + 1)
                        k = term - n_words
                        if k >= capacity:
                            before = capacity
                            phrases = <Phrase *>grow(
                                phrases, &capacity, k + 1, sizeof(Phrase)
                            )
                            memset(
                                phrases + before, 0, (capacity - before) * sizeof(Phrase)
                            )
                        n_found += phrases[k].count == 0
                        phrases[k].count += 1
                        phrases[k].first, phrases[k].last = ids[start], ids[i]
                    start = i
        numbers = np.empty(n_found, dtype=np.int64)
        counts = np.empty(n_found, dtype=np.int64)
        words = np.empty((2, n_found), dtype=np.int32)
        copy_found(phrases, min(capacity, terms.n_terms - n_words), n_words, numbers,
                   counts, words)
    finally:
        free(phrases)
    return numbers, counts, words


cdef void copy_found(
    const Phrase *phrases,
    int64_t n,
    int64_t n_words,
    int64_t[::1] numbers,
    int64_t[::1] counts,
    int32_t[:, ::1] words,
) noexcept:
    cdef int64_t k, i = 0
    for k in range(n):
        if phrases[k].count:
            numbers[i], counts[i] = n_words + k, phrases[k].count
            words[0, i], words[1, i] = phrases[k].first, phrases[k].last
            i += 1


def words_of(Terms terms, const int64_t[::1] numbers):
    """The words of some phrases.

    Returns
    -------
    words : ndarray of shape (n_words,), dtype int32
        Their numbers as terms, those of one phrase behind those of the other.
    ends : ndarray of shape (n_phrases + 1,), dtype int64
        0, and where those of each phrase end.
    """
    cdef int64_t k, i, n = numbers.shape[0]
    cdef int32_t term
    ends = np.zeros(n + 1, dtype=np.int64)
    cdef int64_t[::1] end = ends
    for k in range(n):
        term, end[k + 1] = <int32_t>numbers[k], end[k]
        while term >= 0:
            end[k + 1] += 1
            term = terms.terms[term].prefix
    words = np.empty(ends[n], dtype=np.int32)
    cdef int32_t[::1] word = words
    for k in range(n):
        term, i = <int32_t>numbers[k], end[k + 1]
        while term >= 0:
            i -= 1
            word[i] = term if terms.terms[term].prefix < 0 else terms.terms[term].last
            term = terms.terms[term].prefix
    return words, ends


def add_phrases(Terms terms, const int32_t[::1] words, const int64_t[::1] ends):
    """Add phrases, of words that are terms; the number of each as a term."""
    cdef int64_t k, n = ends.shape[0] - 1
    numbers = np.empty(n, dtype=np.int32)
    cdef int32_t[::1] number = numbers
    for k in range(n):
        number[k] = find(terms, &words[ends[k]], ends[k + 1] - ends[k])
    return numbers


def join_phrases(
    Terms terms,
    const int32_t[::1] phrase_of,
    const int32_t[::1] word_of,
    const uint8_t[::1] is_connector,
    int32_t[::1] ids,
    const int64_t[::1] offsets,
):
    """Join the words of phrases, from left to right, in place.

    Parameters
    ----------
    terms : Terms
        Words and phrases, closed.
    phrase_of : ndarray of shape (n_terms,), dtype int32
        What takes the place of the words of each; -1 of terms that are no phrases.
    word_of : ndarray of shape (n_ids,), dtype int32
        The term of each id; -1 of words that are in no phrase.
    is_connector : ndarray of shape (n_ids,), dtype uint8
        Whether a phrase neither begins nor ends with the word of an id.
    ids : ndarray of shape (n_tokens,), dtype int32
        The words of all documents. Overwritten.
    offsets : ndarray of shape (n_documents + 1,), dtype int64
        Where each document begins, and the last one ends.

    Returns
    -------
    offsets : ndarray of shape (n_documents + 1,), dtype int64
        The same, of what the ids are now.
    """
    cdef int64_t d, i, j, start, n = 0, n_documents = offsets.shape[0] - 1
    cdef int32_t term
    joined = np.zeros(n_documents + 1, dtype=np.int64)
    cdef int64_t[::1] ends = joined
    with nogil:
        for d in range(n_documents):
            start = -1
            for i in range(offsets[d], offsets[d + 1]):
                if is_connector[ids[i]]:
                    if start < 0:
                        ids[n] = ids[i]
                        n += 1
                    continue
                if start >= 0:
                    term = word_of[ids[start]]
                    for j in range(start + 1, i + 1):
                        if term < 0:
                            break
                        term = terms.find_ngram(term, word_of[ids[j]])
                    if term >= 0 and phrase_of[term] >= 0:
                        ids[n] = phrase_of[term]
                        n += 1
                        start = -1
                        continue
                    for j in range(start, i):
                        ids[n] = ids[j]
                        n += 1
                start = i
            if start >= 0:
                for j in range(start, offsets[d + 1]):
                    ids[n] = ids[j]
                    n += 1
            ends[d + 1] = n
    return joined


def token_lists(list names, const int32_t[::1] ids, const int64_t[::1] offsets):
    """Documents as lists of the names of their ids."""
    cdef int64_t d, i
    cdef list tokens, documents = []
    for d in range(offsets.shape[0] - 1):
        tokens = PyList_New(offsets[d + 1] - offsets[d])
        for i in range(offsets[d], offsets[d + 1]):
            name = names[ids[i]]
            Py_INCREF(name)
            PyList_SET_ITEM(tokens, i - offsets[d], name)
        documents.append(tokens)
    return documents
