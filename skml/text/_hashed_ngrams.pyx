# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Buckets of n-grams of words and of characters, by the hashes of fastText.

A hash is FNV-1a of 32 bits (Fowler, Noll and Vo) of the bytes in UTF-8, which are taken
as signed: above 127, their sign reaches the upper bits. That of an n-gram of words goes
on with the next word's by a multiplication in 64 bits, in which the hashes of words are
signed again.
"""

from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t

import numpy as np


cdef enum:
    BEGIN = 60  # < and >, between which a word is put
    END = 62


cdef inline uint32_t join(uint32_t state, uint8_t byte) noexcept nogil:
    return (state ^ <uint32_t><int32_t><int8_t>byte) * <uint32_t>16777619


cdef inline uint8_t marked(
    const uint8_t *word, int64_t size, int64_t i
) noexcept nogil:
    """A byte of a word between its marks."""
    return BEGIN if i == 0 else END if i == size + 1 else word[i - 1]


cdef inline bint is_inner(uint8_t byte) noexcept nogil:
    """Whether a byte is not the first of a character."""
    return byte & 0xC0 == 0x80


def hash_words(const uint8_t[::1] spelling, const int64_t[::1] ends):
    """The hashes of words.

    Parameters
    ----------
    spelling : ndarray of shape (n_bytes,), dtype uint8
        The words in UTF-8, one behind the other.
    ends : ndarray of shape (n_words + 1,), dtype int64
        0, and where each of them ends.

    Returns
    -------
    hashes : ndarray of shape (n_words,), dtype int32
    """
    cdef int64_t i, j, n = ends.shape[0] - 1
    cdef uint32_t state
    hashes = np.empty(n, dtype=np.int32)
    cdef int32_t[::1] found = hashes
    with nogil:
        for i in range(n):
            state = <uint32_t>2166136261
            for j in range(ends[i], ends[i + 1]):
                state = join(state, spelling[j])
            found[i] = <int32_t>state
    return hashes


cdef int64_t hash_ngrams(
    const uint8_t *word, int64_t size, int min_n, int max_n, uint32_t n_buckets,
    int32_t *buckets,
) noexcept nogil:
    """The buckets of the n-grams of a word; only their number if there is no room."""
    cdef int64_t i, j, found = 0, n_bytes = size + 2
    cdef uint32_t state
    cdef int n
    for i in range(n_bytes):
        if is_inner(marked(word, size, i)):
            continue
        state, j, n = <uint32_t>2166136261, i, 1
        while j < n_bytes and n <= max_n:
            state = join(state, marked(word, size, j))
            j += 1
            while j < n_bytes and is_inner(marked(word, size, j)):
                state = join(state, marked(word, size, j))
                j += 1
            # The marks alone are none.
            if n >= min_n and not (n == 1 and (i == 0 or j == n_bytes)):
                if buckets != NULL:
                    buckets[found] = <int32_t>(state % n_buckets)
                found += 1
            n += 1
    return found


def character_ngrams(
    const uint8_t[::1] spelling,
    const int64_t[::1] ends,
    *,
    int min_n,
    int max_n,
    uint32_t n_buckets,
):
    """The buckets of the n-grams of the characters of words, between ``<`` and ``>``.

    Parameters
    ----------
    spelling : ndarray of shape (n_bytes,), dtype uint8
        The words in UTF-8, one behind the other.
    ends : ndarray of shape (n_words + 1,), dtype int64
        0, and where each of them ends.
    min_n, max_n : int
        How many characters an n-gram has.
    n_buckets : int
        How many buckets there are.

    Returns
    -------
    offsets : ndarray of shape (n_words + 1,), dtype int64
        Where those of each word begin and end.
    buckets : ndarray of shape (n_ngrams,), dtype int32
        From left to right, and from short to long.
    """
    cdef int64_t i, n = ends.shape[0] - 1
    cdef const uint8_t *text = &spelling[0] if spelling.shape[0] else NULL
    if n_buckets == 0:
        raise ValueError("there are no buckets")
    offsets = np.zeros(n + 1, dtype=np.int64)
    cdef int64_t[::1] offset = offsets
    with nogil:
        for i in range(n):
            offset[i + 1] = offset[i] + hash_ngrams(
                text + ends[i], ends[i + 1] - ends[i], min_n, max_n, n_buckets, NULL
            )
    buckets = np.empty(offsets[n], dtype=np.int32)
    if len(buckets) == 0:
        return offsets, buckets
    cdef int32_t[::1] found = buckets
    with nogil:
        for i in range(n):
            if offset[i + 1] > offset[i]:
                hash_ngrams(
                    text + ends[i], ends[i + 1] - ends[i], min_n, max_n, n_buckets,
                    &found[offset[i]],
                )
    return offsets, buckets


def word_ngrams(
    const int32_t[::1] ids,
    const int64_t[::1] offsets,
    const int32_t[::1] hashes,
    *,
    int64_t max_n,
    uint32_t n_buckets,
    int32_t end_hash=0,
    bint has_end=False,
):
    """The buckets of the n-grams of two and more words of documents.

    Parameters
    ----------
    ids : ndarray of shape (n_tokens,), dtype int32
        The word of each token.
    offsets : ndarray of shape (n_documents + 1,), dtype int64
        Where the tokens of each document begin and end.
    hashes : ndarray of shape (n_words,), dtype int32
        The hash of each word.
    max_n : int
        How many words an n-gram has at most.
    n_buckets : int
        How many buckets there are.
    end_hash : int, default=0
        The hash of a word that ends each document, if it `has_end`.
    has_end : bool, default=False
        Whether such a word does.

    Returns
    -------
    offsets : ndarray of shape (n_documents + 1,), dtype int64
        Where those of each document begin and end.
    buckets : ndarray of shape (n_ngrams,), dtype int32
        From left to right, and from short to long.
    """
    cdef int64_t d, i, j, size, stop, n, found = 0, n_documents = offsets.shape[0] - 1
    cdef uint64_t state, last = <uint64_t><int64_t>end_hash
    if n_buckets == 0:
        raise ValueError("there are no buckets")
    starts = np.zeros(n_documents + 1, dtype=np.int64)
    cdef int64_t[::1] start = starts
    with nogil:
        for d in range(n_documents):
            size = offsets[d + 1] - offsets[d] + has_end
            n = min(size, max_n)
            # Of 2, 3, ..., n words there are size - 1, size - 2, ..., size - n + 1.
            start[d + 1] = start[d] + ((n - 1) * size - n * (n - 1) // 2 if n else 0)
    buckets = np.empty(starts[n_documents], dtype=np.int32)
    cdef int32_t[::1] bucket = buckets
    with nogil:
        for d in range(n_documents):
            stop = offsets[d + 1]
            for i in range(offsets[d], stop):
                state = <uint64_t><int64_t>hashes[ids[i]]
                for j in range(i + 1, i + min(max_n, stop - i)):
                    state = state * <uint64_t>116049371 + (
                        <uint64_t><int64_t>hashes[ids[j]]
                    )
                    bucket[found] = <int32_t>(state % n_buckets)
                    found += 1
                if has_end and stop - i < max_n:
                    state = state * <uint64_t>116049371 + last
                    bucket[found] = <int32_t>(state % n_buckets)
                    found += 1
    return starts, buckets
