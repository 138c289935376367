# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Terms: symbols, which are words or characters, and n-grams of them.

An n-gram is a pair: the n-gram without its last symbol, and that symbol. So one look
into a table of integers finds it, and it is spelled once, when all is counted.
"""

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memchr, memcmp, memcpy, memset

import numpy as np

from skml.text._alphabet cimport N_PAGES

cdef extern from "_pages.h" nogil:
    void use_large_pages(void *memory, size_t size)


cdef uint64_t word_key(const uint8_t *word, int64_t size) noexcept nogil:
    """The bytes of a short word; the hash of another."""
    cdef uint64_t key = 0, part
    cdef int64_t i
    if size <= 8 and (size == 0 or memchr(word, 0, size) == NULL):
        for i in range(size):
            key = key << 8 | word[i]
        if not is_long(key):
            return key
    key = size
    for i in range(0, size, 8):
        part = 0
        memcpy(&part, word + i, min(8, size - i))
        key = mix(key ^ part) * <uint64_t>0x9E3779B97F4A7C15
    return key | <uint64_t>1 << 63


cdef inline uint32_t decode(const uint8_t *spelled, int64_t size) noexcept nogil:
    """The one character that is spelled in UTF-8."""
    cdef uint32_t code = spelled[0]
    cdef int64_t i
    if size > 1:
        code &= 0x7F >> size
    for i in range(1, size):
        code = code << 6 | spelled[i] & 0x3F
    return code


cdef int fail() except -1 nogil:
    with gil:
        raise MemoryError("no memory for the terms")


cdef Slot *new_slots(int64_t n) except NULL nogil:
    """Slots that are empty."""
    cdef Slot *slots = <Slot *>calloc(n, sizeof(Slot))
    if slots == NULL:
        fail()
    use_large_pages(slots, n * sizeof(Slot))
    return slots


cdef int widen(Table *table) except -1 nogil:
    """Twice as many slots; the first ones, if there are none."""
    cdef int64_t n_slots = 2 * table.n_slots if table.n_slots else FIRST_SLOTS, i, place
    cdef Slot *slots = new_slots(n_slots)
    for i in range(table.n_slots):
        if table.slots[i].term:
            place = mix(table.slots[i].key) & (n_slots - 1)
            while slots[place].term:
                place = (place + 1) & (n_slots - 1)
            slots[place] = table.slots[i]
    free(table.slots)
    table.slots, table.n_slots = slots, n_slots
    return 0


cdef void *grow(
    void *memory, int64_t *capacity, int64_t needed, size_t size
) except NULL nogil:
    """Memory for half as many again as are needed, if there are fewer."""
    cdef void *grown
    if memory != NULL and needed <= capacity[0]:
        return memory
    grown = realloc(memory, (needed + needed // 2 + 64) * size)
    if grown == NULL:
        fail()
    use_large_pages(grown, (needed + needed // 2 + 64) * size)
    capacity[0] = needed + needed // 2 + 64
    return grown


cdef int encode(uint32_t code, uint8_t *to) noexcept nogil:
    """Write a character as UTF-8; return how many bytes it takes."""
    if code < 0x80:
        to[0] = <uint8_t>code
        return 1
    if code < 0x800:
        to[0] = <uint8_t>(0xC0 | code >> 6)
        to[1] = <uint8_t>(0x80 | code & 0x3F)
        return 2
    if code < 0x10000:
        to[0] = <uint8_t>(0xE0 | code >> 12)
        to[1] = <uint8_t>(0x80 | code >> 6 & 0x3F)
        to[2] = <uint8_t>(0x80 | code & 0x3F)
        return 3
    to[0] = <uint8_t>(0xF0 | code >> 18)
    to[1] = <uint8_t>(0x80 | code >> 12 & 0x3F)
    to[2] = <uint8_t>(0x80 | code >> 6 & 0x3F)
    to[3] = <uint8_t>(0x80 | code & 0x3F)
    return 4


cdef class Terms:
    """Terms, each with a number in order of first appearance.

    Parameters
    ----------
    of_words : bool
        Whether symbols are words, between which there is a space; otherwise they are
        characters.
    """

    def __cinit__(self, *, bint of_words):
        self.of_words = of_words
        widen(&self.words)
        widen(&self.ngrams)
        self.starts = <int64_t *>grow(NULL, &self.starts_capacity, 1, sizeof(int64_t))
        self.starts[0] = 0

    def __dealloc__(self):
        cdef int number
        free(self.words.slots)
        free(self.ngrams.slots)
        for number in range(N_PAGES):
            free(self.characters[number])
        free(self.terms)
        free(self.spelling)
        free(self.starts)

    def clear(self):
        """Forget all terms, and keep the memory for others."""
        cdef int number
        if self.is_closed:
            raise ValueError("terms that are closed may be shared")
        memset(self.words.slots, 0, self.words.n_slots * sizeof(Slot))
        memset(self.ngrams.slots, 0, self.ngrams.n_slots * sizeof(Slot))
        for number in range(N_PAGES):
            if self.characters[number] != NULL:
                memset(self.characters[number], 0, 256 * sizeof(int32_t))
        self.words.n_used = self.ngrams.n_used = 0
        self.n_terms = self.n_symbols = 0

    cdef int32_t find_word(
        self, const uint8_t *word, int64_t size, uint64_t key
    ) except -2 nogil:
        """The number of a word that has a key.

        A new number if it has none; -1 if no new ones are given.
        """
        cdef Slot *slot
        cdef int64_t symbol, place = mix(key) & (self.words.n_slots - 1)
        while True:
            slot = &self.words.slots[place]
            if slot.term == 0:
                break
            if slot.key == key:
                symbol = slot.symbol
                if not is_long(key) or (
                    self.starts[symbol + 1] - self.starts[symbol] == size
                    and not memcmp(self.spelling + self.starts[symbol], word, size)
                ):
                    return slot.term - 1
            place = (place + 1) & (self.words.n_slots - 1)
        if self.is_closed:
            return -1
        symbol = self.n_symbols
        self.spell_symbol(word, size)
        self.add_term(-1, <int32_t>symbol)
        slot.key, slot.term, slot.symbol = key, <int32_t>self.n_terms, <int32_t>symbol
        self.words.n_used += 1
        if 2 * self.words.n_used >= self.words.n_slots:
            widen(&self.words)
        return <int32_t>self.n_terms - 1

    cdef int32_t find_character(self, uint32_t code) except -2 nogil:
        """The number of a character, as `find_word` gives one."""
        cdef uint8_t spelled[4]
        cdef int32_t *page = self.characters[code >> 8]
        if page != NULL and page[code & 0xFF]:
            return page[code & 0xFF] - 1
        if self.is_closed:
            return -1
        if page == NULL:
            page = <int32_t *>calloc(256, sizeof(int32_t))
            if page == NULL:
                fail()
            self.characters[code >> 8] = page
        self.spell_symbol(spelled, encode(code, spelled))
        page[code & 0xFF] = <int32_t>self.n_terms + 1
        return self.add_term(-1, <int32_t>(self.n_symbols - 1))

    cdef int32_t find_ngram(self, int32_t prefix, int32_t last) except -2 nogil:
        """The number of the n-gram of two terms, as `find_word` gives one.

        There must be room for it.
        """
        cdef uint64_t key = ngram_key(prefix, last)
        cdef int64_t mask = self.ngrams.n_slots - 1, place = mix(key) & mask
        cdef Slot *slot
        if prefix < 0 or last < 0:
            return -1
        while True:
            slot = &self.ngrams.slots[place]
            if slot.term == 0:
                break
            if slot.key == key:
                return <int32_t>slot.term - 1
            place = (place + 1) & mask
        if self.is_closed:
            return -1
        self.add_term(prefix, last)
        slot.key, slot.term = key, <int32_t>self.n_terms
        self.ngrams.n_used += 1
        return <int32_t>self.n_terms - 1

    cdef int reserve_ngrams(self, int64_t n) except -1 nogil:
        """Room for some n-grams more."""
        while not self.is_closed and (
            2 * (self.ngrams.n_used + n) > self.ngrams.n_slots
        ):
            widen(&self.ngrams)
        return 0

    cdef int32_t add_term(self, int32_t prefix, int32_t last) except -2 nogil:
        if self.n_terms == 0x7FFFFFFE:
            with gil:
                raise OverflowError("the documents have more than 2**31 terms")
        self.terms = <Term *>grow(
            self.terms, &self.terms_capacity, self.n_terms + 1, sizeof(Term)
        )
        self.terms[self.n_terms].prefix = prefix
        self.terms[self.n_terms].last = last
        self.n_terms += 1
        return <int32_t>self.n_terms - 1

    cdef int spell_symbol(self, const uint8_t *spelled, int64_t size) except -1 nogil:
        cdef int64_t n_bytes = self.starts[self.n_symbols]
        self.spelling = <uint8_t *>grow(
            self.spelling, &self.bytes_capacity, n_bytes + size, 1
        )
        memcpy(self.spelling + n_bytes, spelled, size)
        self.n_symbols += 1
        self.starts = <int64_t *>grow(
            self.starts, &self.starts_capacity, self.n_symbols + 1, sizeof(int64_t)
        )
        self.starts[self.n_symbols] = n_bytes + size
        return 0

    def absorb(self, Terms other, const int32_t[::1] known=None):
        """Take over the terms of others.

        Parameters
        ----------
        other : Terms
            The others.
        known : ndarray of shape (n_known,), dtype int32, or None
            What was returned for the first of them before.

        Returns
        -------
        terms : ndarray of shape (n_terms,), dtype int32
            The number that each term of the others has here.
        """
        cdef int64_t t, ahead, size, n = other.n_terms
        cdef int64_t n_known = 0 if known is None else known.shape[0]
        cdef const uint8_t *spelled
        cdef int32_t prefix, last
        cdef uint64_t key
        terms = np.zeros(n, dtype=np.int32)
        cdef int32_t[::1] term = terms
        if n_known:
            term[:n_known] = known
        with nogil:
            for t in range(n_known, n):
                ahead = t + AHEAD
                if ahead < n and other.terms[ahead].prefix >= 0:
                    key = ngram_key(
                        term[other.terms[ahead].prefix], term[other.terms[ahead].last]
                    )
                    prefetch(&self.ngrams.slots[mix(key) & (self.ngrams.n_slots - 1)])
                prefix, last = other.terms[t].prefix, other.terms[t].last
                if prefix >= 0:
                    self.reserve_ngrams(1)
                    term[t] = self.find_ngram(term[prefix], term[last])
                else:
                    spelled = other.spelling + other.starts[last]
                    size = other.starts[last + 1] - other.starts[last]
                    term[t] = self.add_spelled(spelled, size, 1)
        return terms

    def add(self, const uint8_t[::1] spelling, const int64_t[::1] ends, int max_n):
        """Add terms by their spelling.

        A word with blanks in it is an n-gram, if `max_n` allows so many words.

        Parameters
        ----------
        spelling : ndarray of shape (n_bytes,), dtype uint8
            The terms in UTF-8, one behind the other.
        ends : ndarray of shape (n_known + 1,), dtype int64
            0, and where each of them ends.
        max_n : int
            How many symbols an n-gram has at most.

        Returns
        -------
        terms : ndarray of shape (n_known,), dtype int32
            The number of each; -1 of the empty term, of no characters.
        """
        cdef int64_t i, n = ends.shape[0] - 1
        cdef const uint8_t *spelled = &spelling[0] if spelling.shape[0] else NULL
        terms = np.empty(n, dtype=np.int32)
        cdef int32_t[::1] term = terms
        with nogil:
            for i in range(n):
                term[i] = self.add_spelled(spelled + ends[i], ends[i + 1] - ends[i], max_n)
        return terms

    def close(self):
        """Give no new numbers from now on. Threads may share the terms then."""
        self.is_closed = True

    cdef int32_t add_spelled(
        self, const uint8_t *spelled, int64_t size, int max_n
    ) except -2 nogil:
        """Add a term, symbol by symbol; return its number."""
        cdef int64_t begin = 0, end, n_blanks = 0
        cdef int32_t term = -1, symbol
        cdef uint64_t key = 0
        cdef bint is_split
        for end in range(size):
            n_blanks += spelled[end] == 32
        is_split = self.of_words and 1 <= n_blanks < max_n and (
            spelled[0] != 32 and spelled[size - 1] != 32
        )
        for end in range(1, size):
            # Nothing, between two blanks, is no word.
            is_split &= spelled[end] != 32 or spelled[end - 1] != 32
        while begin < size + self.of_words:
            if self.of_words:
                end = begin
                while end < size and not (is_split and spelled[end] == 32):
                    end += 1
                key = word_key(spelled + begin, end - begin)
                symbol = self.find_word(spelled + begin, end - begin, key)
                begin = end + 1
            else:
                end = begin + 1
                while end < size and spelled[end] & 0xC0 == 0x80:
                    end += 1
                symbol = self.find_character(decode(spelled + begin, end - begin))
                begin = end
            if term < 0:
                term = symbol
            else:
                self.reserve_ngrams(1)
                term = self.find_ngram(term, symbol)
        return term

    def symbols(self):
        """The spelling of all symbols, as a list of str."""
        cdef int64_t i
        return [
            PyUnicode_DecodeUTF8(
                <char *>self.spelling + self.starts[i],
                self.starts[i + 1] - self.starts[i],
                "surrogatepass",
            )
            for i in range(self.n_symbols)
        ]

    def spell(self, const int32_t[::1] numbers, int64_t n_kept):
        """The spelling of the terms that have a number.

        Returns
        -------
        spelling : ndarray of shape (n_bytes,), dtype uint8
            In UTF-8, one behind the other.
        ends : ndarray of shape (n_kept + 1,), dtype int64
            0, and where each of them ends.
        """
        cdef int64_t t, u, i, n = self.n_terms, size
        cdef int between = self.of_words
        cdef int64_t[::1] sizes = np.empty(n, dtype=np.int64)
        ends = np.zeros(n_kept + 1, dtype=np.int64)
        cdef int64_t[::1] end = ends
        with nogil:
            for t in range(n):
                u = self.terms[t].last
                if self.terms[t].prefix < 0:
                    sizes[t] = self.starts[u + 1] - self.starts[u]
                else:
                    sizes[t] = sizes[self.terms[t].prefix] + between + sizes[u]
                if numbers[t] >= 0:
                    end[numbers[t] + 1] = sizes[t]
        np.cumsum(ends, out=ends)
        spelling = np.empty(ends[n_kept], dtype=np.uint8)
        cdef uint8_t[::1] spelled = spelling
        if ends[n_kept] == 0:
            return spelling, ends
        with nogil:
            for t in range(n):
                if numbers[t] < 0:
                    continue
                i, u = end[numbers[t] + 1], t
                while u >= 0:
                    size = self.terms[u].last
                    if self.terms[u].prefix >= 0:
                        size = self.terms[size].last
                    i -= self.starts[size + 1] - self.starts[size]
                    memcpy(
                        &spelled[i],
                        self.spelling + self.starts[size],
                        self.starts[size + 1] - self.starts[size],
                    )
                    u = self.terms[u].prefix
                    if u >= 0 and between:
                        i -= 1
                        spelled[i] = 32
        return spelling, ends
