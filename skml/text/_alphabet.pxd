# cython: language_level=3
from libc.stdint cimport int64_t, uint8_t, uint32_t


cdef enum:
    # An entry: a character, and what it is to a token.
    CODE = 0x1FFFFF
    MEMBER = 1 << 21  # a part of tokens
    WORD = 1 << 22  # tears a token that it touches, and is no member
    MARK = 1 << 23  # a combining mark: a part of the word before it
    SIGN = 1 << 24  # a mark that counts as a character of its own
    JOINER = 1 << 25  # beside a mark, a part of the word
    SPACE = 1 << 26
    CONTEXT = 1 << 27  # what it becomes depends on its neighbours: Python knows
    SEVERAL = 1 << 28  # CODE is a place in the list of what becomes several characters

    N_PAGES = 0x1100


cdef class Alphabet:
    cdef object describe, lock
    cdef dict places  # of the entries of several characters
    cdef uint32_t *pages[N_PAGES]
    cdef uint32_t *several  # how many characters, then each of them, and so on
    cdef int64_t n_several
    cdef uint8_t letters[128]  # what an ASCII member becomes; 0 for all others
    cdef bint is_plain  # whether this is all there is to know of ASCII

    cdef int make_page(self, int number) except -1
    cdef uint32_t add_several(self, list entries) except 0
