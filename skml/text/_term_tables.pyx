# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Terms that are known beforehand, and the tables in which they are found.

Each thread fills a part of the slots of a table, so that none waits for another.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free

import numpy as np

from skml.text._terms cimport (
    AHEAD,
    FIRST_SLOTS,
    Slot,
    Table,
    Term,
    Terms,
    grow,
    mix,
    ngram_key,
    new_slots,
    prefetch,
    word_key,
)

from skml.text._threads import in_threads


cdef int make_slots(Table *table, int64_t n) except -1:
    """Room for so many; what was there is forgotten."""
    cdef int64_t n_slots = FIRST_SLOTS
    while n_slots < 2 * n + 2:
        n_slots *= 2
    free(table.slots)
    table.slots, table.n_slots = NULL, 0
    table.slots = new_slots(n_slots)
    table.n_slots, table.n_used = n_slots, n
    return 0


def add_symbols(
    Terms terms,
    const uint8_t[::1] spelling,
    const int64_t[::1] starts,
    const int32_t[::1] order,
):
    """Have terms that are symbols; words are not found before `close_in_threads`.

    Parameters
    ----------
    terms : Terms
        There are none so far.
    spelling : ndarray of shape (n_bytes,), dtype uint8
        The symbols in UTF-8, one behind the other.
    starts : ndarray of shape (n_symbols + 1,), dtype int64
        Where each of them begins, and the last one ends.
    order : ndarray of shape (n_symbols,), dtype int32
        Which of them is the first, the second, and so on.
    """
    cdef int64_t i, size
    cdef const uint8_t *spelled
    if terms.n_terms:
        raise ValueError(f"there are {terms.n_terms} terms already")
    with nogil:
        for i in range(order.shape[0]):
            spelled = &spelling[0] + starts[order[i]]
            size = starts[order[i] + 1] - starts[order[i]]
            if terms.of_words:
                terms.spell_symbol(spelled, size)
                terms.add_term(-1, <int32_t>i)
            else:
                terms.add_spelled(spelled, size, 1)


def add_ngrams(
    Terms terms,
    const int32_t[::1] prefixes,
    const int32_t[::1] parents,
    const int32_t[::1] symbols,
    const int32_t[::1] lasts,
):
    """Have n-grams: each that of ``prefixes[parents[i]]`` and ``symbols[lasts[i]]``.

    They are not found before `close_in_threads`.
    """
    cdef int64_t i, n = parents.shape[0]
    with nogil:
        terms.terms = <Term *>grow(
            terms.terms, &terms.terms_capacity, terms.n_terms + n, sizeof(Term)
        )
        for i in range(n):
            terms.add_term(prefixes[parents[i]], symbols[lasts[i]])


def close_in_threads(Terms terms, int64_t n_parts):
    """Have what was added be found, by so many threads; give no new numbers then."""
    cdef int64_t t, place, mask
    cdef Table *table
    cdef Slot slot
    make_slots(&terms.ngrams, terms.n_terms - terms.n_symbols)
    if terms.of_words:
        make_slots(&terms.words, terms.n_symbols)
    parts = list(range(n_parts))
    for left in in_threads(lambda part: _put_part(terms, part, n_parts), parts):
        for t in left:
            slot = slot_of(terms, t)
            table = &terms.words if terms.terms[t].prefix < 0 else &terms.ngrams
            mask = table.n_slots - 1
            place = mix(slot.key) & mask
            while table.slots[place].term:
                place = (place + 1) & mask
            table.slots[place] = slot
    terms.is_closed = True


def _put_part(Terms terms, int64_t part, int64_t n_parts):
    """Put terms into a part of the tables; return those for which it had no room."""
    cdef int64_t n = 0
    numbers = np.empty(terms.n_terms + 1, dtype=np.int32)
    cdef int32_t[::1] left = numbers
    with nogil:
        if terms.of_words:
            n = put_part(terms, True, part, n_parts, &left[0])
        n += put_part(terms, False, part, n_parts, &left[n])
    return numbers[:n].tolist()


cdef int64_t put_part(
    Terms terms, bint of_words, int64_t part, int64_t n_parts, int32_t *left
) noexcept nogil:
    """Put words, or n-grams, whose place is in a part of the slots."""
    cdef Table *table = &terms.words if of_words else &terms.ngrams
    cdef int64_t begin = table.n_slots * part // n_parts
    cdef int64_t end = table.n_slots * (part + 1) // n_parts
    cdef int64_t first = 0 if of_words else terms.n_symbols
    cdef int64_t last = terms.n_symbols if of_words else terms.n_terms
    cdef int64_t t, place, n_left = 0
    cdef Slot slots[AHEAD]  # of the next terms, and their places
    cdef int64_t places[AHEAD]
    for t in range(first, last + AHEAD):
        place = places[t % AHEAD] if t >= first + AHEAD else -1
        if begin <= place < end:
            while place < end and table.slots[place].term:
                place += 1
            if place < end:
                table.slots[place] = slots[t % AHEAD]
            else:
                left[n_left] = <int32_t>(t - AHEAD)
                n_left += 1
        if t < last:
            slots[t % AHEAD] = slot_of(terms, t)
            place = mix(slots[t % AHEAD].key) & (table.n_slots - 1)
            places[t % AHEAD] = place
            if begin <= place < end:
                prefetch(&table.slots[place])
    return n_left


cdef inline Slot slot_of(Terms terms, int64_t t) noexcept nogil:
    """What is to be found of a term."""
    cdef Slot slot
    cdef int32_t prefix = terms.terms[t].prefix, last = terms.terms[t].last
    slot.term, slot.symbol = <int32_t>(t + 1), last
    if prefix >= 0:
        slot.key = ngram_key(prefix, last)
    else:
        slot.key = word_key(
            terms.spelling + terms.starts[last],
            terms.starts[last + 1] - terms.starts[last],
        )
    return slot
