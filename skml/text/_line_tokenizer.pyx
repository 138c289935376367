# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Lines of UTF-8 to the ids of their tokens, without a Python object a token.

What counts as a token, and what lower case is, is what Python's own tables of characters
say, and `skml._words` of combining marks. A line that needs more than these, or is not
UTF-8, is left to Python.
"""

from cpython.mem cimport PyMem_Free, PyMem_Malloc, PyMem_Realloc
from cpython.unicode cimport Py_UNICODE_ISALNUM, Py_UNICODE_ISSPACE, Py_UNICODE_TOLOWER
from libc.stdint cimport int32_t, int64_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy, memset

import numpy as np

from skml._words import mark_table

# A line whose lower case depends on more than each character by itself: capital sigma
# at the end of a word, and capital I with a dot, which becomes two characters.
cdef enum:
    SIGMA = 0x3A3
    DOTTED_I = 0x130
    FOR_PYTHON = -1
    ZERO_WIDTH_NON_JOINER = 0x200C
    ZERO_WIDTH_JOINER = 0x200D
    FIRST_SLOTS = 1 << 12


cdef struct Slot:
    int32_t term  # plus one; 0 is empty
    uint32_t hash


cdef class LineTokenizer:
    """Terms, each with an id in order of first appearance, and the ids of a text.

    Parameters
    ----------
    chars : bool
        Whether each character is a token; two or more blanks together are one space.
        Otherwise a token is a run of at least two word characters or vowel signs,
        with the other combining marks among them.
    lowercase : bool
        Whether to convert to lower case.
    """

    cdef bint chars, lowercase
    cdef unsigned char letter[128]  # lower case of ASCII word characters, 0 for others
    cdef bytes table
    cdef const unsigned char *marks  # `mark_table`
    cdef int32_t n_marks
    cdef Slot *slots
    cdef int64_t n_slots
    cdef char *bytes  # all terms behind each other
    cdef int64_t n_bytes, bytes_capacity
    cdef int64_t *starts  # where each begins, and where the last ends
    cdef int64_t n_terms, terms_capacity
    cdef int32_t *ids
    cdef readonly int64_t n_ids
    cdef int64_t ids_capacity
    cdef unsigned char *token
    cdef int64_t token_size, token_capacity

    def __cinit__(self, *, bint chars, bint lowercase):
        cdef int code
        self.chars, self.lowercase = chars, lowercase
        self.table = mark_table()
        self.marks, self.n_marks = self.table, <int32_t>len(self.table)
        for code in range(128):
            text = chr(code).lower() if lowercase else chr(code)
            is_word = text.isalnum() or text == "_"
            self.letter[code] = ord(text) if is_word else 0
        self.n_slots = FIRST_SLOTS
        self.slots = <Slot *>PyMem_Malloc(self.n_slots * sizeof(Slot))
        if self.slots == NULL:
            raise MemoryError("no memory for the terms")
        memset(self.slots, 0, self.n_slots * sizeof(Slot))
        self.starts = <int64_t *>grow(NULL, &self.terms_capacity, 1, sizeof(int64_t))
        self.starts[0] = 0
        self.token = <unsigned char *>grow(NULL, &self.token_capacity, 64, 1)
        self.bytes = <char *>grow(NULL, &self.bytes_capacity, 64, 1)
        self.ids = <int32_t *>grow(NULL, &self.ids_capacity, 64, sizeof(int32_t))

    def __dealloc__(self):
        PyMem_Free(self.slots)
        PyMem_Free(self.starts)
        PyMem_Free(self.token)
        PyMem_Free(self.bytes)
        PyMem_Free(self.ids)

    def __len__(self):
        return self.n_terms

    def __getitem__(self, int64_t term):
        if term < 0 or term >= self.n_terms:
            raise IndexError(f"term {term} of {self.n_terms}")
        start = self.starts[term]
        raw = self.bytes[start:self.starts[term + 1]]
        return raw.decode("utf-8", "surrogatepass")

    def add_line(self, bytes line):
        """Append the ids of the tokens of a line without its end.

        Returns
        -------
        is_done : bool
            False if the line is left to Python; nothing was appended then.
        """
        cdef const unsigned char *text = <const unsigned char *><const char *>line
        cdef int64_t n_ids = self.n_ids, size = len(line)
        cdef bint is_done
        if 2 * size > self.token_capacity:
            # Of two bytes, a character may take three in lower case.
            self.token = <unsigned char *>grow(
                self.token, &self.token_capacity, 2 * size, 1
            )
        if self.chars:
            is_done = self.add_chars(text, size)
        else:
            is_done = self.add_words(text, size)
        if not is_done:
            self.n_ids = n_ids
        return is_done

    def add_tokens(self, tokens):
        """Append the ids of tokens, each a str."""
        cdef bytes raw
        for token in tokens:
            raw = token.encode("utf-8", "surrogatepass")
            self.add_token(<const unsigned char *><const char *>raw, len(raw))

    def take_ids(self):
        """The ids that were appended since the last call."""
        taken = np.empty(self.n_ids, dtype=np.int32)
        cdef int32_t[::1] view = taken
        if self.n_ids:
            memcpy(&view[0], self.ids, self.n_ids * sizeof(int32_t))
        self.n_ids = 0
        return taken

    cdef inline int32_t read(
        self, const unsigned char *text, int64_t size, int *width
    ) noexcept:
        """The first character, in lower case if that is asked for."""
        cdef int32_t code = decode(text, size, width)
        if not self.lowercase or code == FOR_PYTHON:
            return code
        if code == SIGMA or code == DOTTED_I:
            return FOR_PYTHON
        return Py_UNICODE_TOLOWER(code)

    cdef inline int mark(self, int32_t code) noexcept:
        """0 if it is no combining mark, 2 if it counts as a character, 1 otherwise."""
        return self.marks[code] if 0 <= code < self.n_marks else 0

    cdef bint add_words(self, const unsigned char *text, int64_t size) except -1:
        cdef int64_t i = 0, n_characters = 0
        cdef int32_t code
        cdef int width, mark = 0, joined
        cdef unsigned char letter
        self.token_size = 0
        while i < size:
            if text[i] < 128:
                letter = self.letter[text[i]]
                i += 1
                if letter:
                    self.token[self.token_size] = letter
                    self.token_size += 1
                    n_characters += 1
                    mark = 0
                    continue
            else:
                code = self.read(text + i, size - i, &width)
                if code == FOR_PYTHON:
                    return False
                i += width
                if Py_UNICODE_ISALNUM(code):
                    self.token_size += encode(code, self.token + self.token_size)
                    n_characters += 1
                    mark = 0
                    continue
                if self.token_size:
                    joined = mark
                    mark = self.mark(code)
                    if code == ZERO_WIDTH_JOINER or code == ZERO_WIDTH_NON_JOINER:
                        # Part of a word behind a mark, and before one.
                        if i < size and not joined:
                            joined = self.mark(decode(text + i, size - i, &width))
                    else:
                        joined = mark
                    if joined:
                        self.token_size += encode(code, self.token + self.token_size)
                        n_characters += mark == 2
                        continue
            if n_characters >= 2:
                self.add_token(self.token, self.token_size)
            self.token_size = n_characters = 0
        if n_characters >= 2:
            self.add_token(self.token, self.token_size)
        return True

    cdef bint add_chars(self, const unsigned char *text, int64_t size) except -1:
        cdef int64_t i = 0, n_blanks = 0
        cdef int32_t code, blank = 0
        cdef int width
        while i < size:
            code = self.read(text + i, size - i, &width)
            if code == FOR_PYTHON:
                return False
            i += width
            if Py_UNICODE_ISSPACE(code):
                n_blanks += 1
                blank = code
                continue
            if n_blanks:
                self.add_character(blank if n_blanks == 1 else 32)
                n_blanks = 0
            self.add_character(code)
        if n_blanks:
            self.add_character(blank if n_blanks == 1 else 32)
        return True

    cdef int add_character(self, int32_t code) except -1:
        return self.add_token(self.token, encode(code, self.token))

    cdef int add_token(self, const unsigned char *token, int64_t size) except -1:
        """Append the id of a token, a new one if it was not seen before."""
        cdef uint64_t state = hash_of(token, size)
        cdef uint32_t hash = <uint32_t>(state >> 32)
        cdef int64_t place = state & (self.n_slots - 1), start, term
        while True:
            term = self.slots[place].term - 1
            if term < 0:
                term = self.add_term(token, size, hash, place)
                break
            if self.slots[place].hash == hash:
                start = self.starts[term]
                if self.starts[term + 1] - start == size and not memcmp(
                    self.bytes + start, token, size
                ):
                    break
            place = (place + 1) & (self.n_slots - 1)
        if self.n_ids == self.ids_capacity:
            self.ids = <int32_t *>grow(
                self.ids, &self.ids_capacity, self.n_ids + 1, sizeof(int32_t)
            )
        self.ids[self.n_ids] = <int32_t>term
        self.n_ids += 1
        return 0

    cdef int64_t add_term(
        self, const unsigned char *token, int64_t size, uint32_t hash, int64_t place
    ) except -1:
        cdef int64_t term = self.n_terms
        if term == 0x7FFFFFFE:
            raise OverflowError("the documents have more than 2**31 different tokens")
        if self.n_bytes + size > self.bytes_capacity:
            self.bytes = <char *>grow(
                self.bytes, &self.bytes_capacity, self.n_bytes + size, 1
            )
        if term + 2 > self.terms_capacity:
            self.starts = <int64_t *>grow(
                self.starts, &self.terms_capacity, term + 2, sizeof(int64_t)
            )
        memcpy(self.bytes + self.n_bytes, token, size)
        self.n_bytes += size
        self.starts[term + 1] = self.n_bytes
        self.slots[place].term = <int32_t>term + 1
        self.slots[place].hash = hash
        self.n_terms += 1
        if 2 * self.n_terms > self.n_slots:
            self.widen()
        return term

    cdef int widen(self) except -1:
        """Twice as many slots, so that at least half of them are empty."""
        cdef int64_t n_slots = 2 * self.n_slots, term, place, start
        cdef uint64_t state
        cdef Slot *slots = <Slot *>PyMem_Malloc(n_slots * sizeof(Slot))
        if slots == NULL:
            raise MemoryError("no memory for the terms")
        memset(slots, 0, n_slots * sizeof(Slot))
        for term in range(self.n_terms):
            start = self.starts[term]
            state = hash_of(
                <unsigned char *>self.bytes + start, self.starts[term + 1] - start
            )
            place = state & (n_slots - 1)
            while slots[place].term:
                place = (place + 1) & (n_slots - 1)
            slots[place].term = <int32_t>term + 1
            slots[place].hash = <uint32_t>(state >> 32)
        PyMem_Free(self.slots)
        self.slots, self.n_slots = slots, n_slots
        return 0


cdef void *grow(
    void *memory, int64_t *capacity, int64_t needed, size_t item_size
) except NULL:
    """Memory for half as many again as are needed; the old is given back."""
    cdef int64_t wanted = needed + needed // 2 + 64
    cdef void *grown = PyMem_Realloc(memory, wanted * item_size)
    if grown == NULL:
        raise MemoryError(f"no memory for {wanted * item_size} bytes of tokens")
    capacity[0] = wanted
    return grown


cdef inline uint64_t hash_of(const unsigned char *token, int64_t size) noexcept nogil:
    """FNV-1a, and a last step that mixes the bits (that of SplitMix64)."""
    cdef uint64_t state = <uint64_t>0xCBF29CE484222325
    cdef int64_t i
    for i in range(size):
        state = (state ^ token[i]) * <uint64_t>0x100000001B3
    state = (state ^ (state >> 30)) * <uint64_t>0xBF58476D1CE4E5B9
    return state ^ (state >> 31)


cdef inline int32_t decode(
    const unsigned char *text, int64_t size, int *width
) noexcept nogil:
    """The first character, and how many bytes it takes; strict, as Python is."""
    cdef int32_t code = text[0]
    cdef int n, i
    if code < 0x80:
        width[0] = 1
        return code
    if 0xC2 <= code < 0xE0:
        n, code = 2, code & 0x1F
    elif 0xE0 <= code < 0xF0:
        n, code = 3, code & 0x0F
    elif 0xF0 <= code < 0xF5:
        n, code = 4, code & 0x07
    else:
        return FOR_PYTHON
    if size < n:
        return FOR_PYTHON
    for i in range(1, n):
        if text[i] & 0xC0 != 0x80:
            return FOR_PYTHON
        code = code << 6 | text[i] & 0x3F
    # Not the shortest form, half of a surrogate pair, or beyond the last character.
    if n == 3 and (code < 0x800 or 0xD800 <= code < 0xE000):
        return FOR_PYTHON
    if n == 4 and (code < 0x10000 or code > 0x10FFFF):
        return FOR_PYTHON
    width[0] = n
    return code


cdef inline int encode(int32_t code, unsigned char *to) noexcept nogil:
    """Write a character as UTF-8; return how many bytes it takes."""
    if code < 0x80:
        to[0] = <unsigned char>code
        return 1
    if code < 0x800:
        to[0] = <unsigned char>(0xC0 | code >> 6)
        to[1] = <unsigned char>(0x80 | code & 0x3F)
        return 2
    if code < 0x10000:
        to[0] = <unsigned char>(0xE0 | code >> 12)
        to[1] = <unsigned char>(0x80 | code >> 6 & 0x3F)
        to[2] = <unsigned char>(0x80 | code & 0x3F)
        return 3
    to[0] = <unsigned char>(0xF0 | code >> 18)
    to[1] = <unsigned char>(0x80 | code >> 12 & 0x3F)
    to[2] = <unsigned char>(0x80 | code >> 6 & 0x3F)
    to[3] = <unsigned char>(0x80 | code & 0x3F)
    return 4
