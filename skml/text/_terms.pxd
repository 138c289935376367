# cython: language_level=3
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t

from skml.text._alphabet cimport N_PAGES

cdef extern from *:
    """
    #define prefetch(address) __builtin_prefetch(address)
    """
    void prefetch(const void *address) noexcept nogil

cdef enum:
    AHEAD = 8  # terms whose memory is fetched beforehand
    FIRST_SLOTS = 1 << 12


# The key of a word is its bytes, if they are few, or their hash and this bit.
cdef inline bint is_long(uint64_t key) noexcept nogil:
    return key >> 63


cdef struct Slot:
    uint64_t key
    int32_t term  # plus one; 0 is empty
    int32_t symbol  # of a word


cdef struct Table:
    Slot *slots
    int64_t n_slots  # a power of two, of which at most half are used
    int64_t n_used


cdef struct Term:
    int32_t prefix  # the term without its last symbol; -1 of a symbol
    int32_t last  # the last symbol; of a symbol, where its spelling is


cdef class Terms:
    cdef readonly bint of_words, is_closed
    cdef readonly int64_t n_terms, n_symbols
    cdef Table words, ngrams
    cdef int32_t *characters[N_PAGES]  # the term of each, plus one
    cdef Term *terms
    cdef uint8_t *spelling  # of all symbols, one behind the other, in UTF-8
    cdef int64_t *starts  # where each begins, and where the last ends
    cdef int64_t terms_capacity, bytes_capacity, starts_capacity

    cdef int32_t find_word(
        self, const uint8_t *word, int64_t size, uint64_t key
    ) except -2 nogil
    cdef int32_t find_character(self, uint32_t code) except -2 nogil
    cdef int32_t find_ngram(self, int32_t prefix, int32_t last) except -2 nogil
    cdef int reserve_ngrams(self, int64_t n) except -1 nogil
    cdef int32_t add_term(self, int32_t prefix, int32_t last) except -2 nogil
    cdef int spell_symbol(self, const uint8_t *spelled, int64_t size) except -1 nogil
    cdef int32_t add_spelled(
        self, const uint8_t *spelled, int64_t size, int max_n
    ) except -2 nogil


cdef Slot *new_slots(int64_t n) except NULL nogil
cdef uint64_t word_key(const uint8_t *word, int64_t size) noexcept nogil
cdef int encode(uint32_t code, uint8_t *to) noexcept nogil
cdef void *grow(
    void *memory, int64_t *capacity, int64_t needed, size_t size
) except NULL nogil


cdef inline uint64_t mix(uint64_t key) noexcept nogil:
    key = (key ^ (key >> 32)) * <uint64_t>0xD6E8FEB86659FD93
    return key ^ (key >> 32)


cdef inline uint64_t ngram_key(int32_t prefix, int32_t last) noexcept nogil:
    return <uint64_t><uint32_t>prefix << 32 | <uint32_t>last


cdef inline int32_t look_up(const Table *table, uint64_t key) noexcept nogil:
    """The number of what has this key alone, or -1."""
    cdef int64_t mask = table.n_slots - 1, place = mix(key) & mask
    while table.slots[place].term and table.slots[place].key != key:
        place = (place + 1) & mask
    return table.slots[place].term - 1
