# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""What each character becomes, and what it is to a token: asked of Python, in blocks."""

from threading import Lock

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc

cdef extern from *:
    """
    #define fence() __atomic_thread_fence(__ATOMIC_RELEASE)
    """
    void fence() noexcept nogil

cdef enum:
    MOST_SEVERAL = 1 << 17

FLAGS = {
    "member": MEMBER,
    "word": WORD,
    "mark": MARK,
    "sign": SIGN,
    "joiner": JOINER,
    "space": SPACE,
    "context": CONTEXT,
}


cdef class Alphabet:
    """What each character becomes, and what it is to a token.

    Parameters
    ----------
    describe : callable
        From a character to a list of integers, one for each character that it becomes:
        the code point, and some of `FLAGS`.
    """

    def __cinit__(self, describe):
        cdef int code
        cdef uint32_t entry
        self.describe, self.places, self.lock = describe, {}, Lock()
        # Threads read the list while it grows, so that it must stay where it is.
        self.several = <uint32_t *>malloc(MOST_SEVERAL * sizeof(uint32_t))
        if self.several == NULL:
            raise MemoryError("no memory for the alphabet")
        self.make_page(0)
        self.is_plain = True
        for code in range(128):
            entry = self.pages[0][code]
            self.letters[code] = entry & CODE if entry & MEMBER else 0
            if entry & (CONTEXT | SEVERAL | MARK | JOINER) or (entry & CODE) > 127 or (
                entry & MEMBER and (entry & CODE) <= 32  # n-grams need to know of it
            ) or (entry & WORD and not entry & MEMBER):
                self.is_plain = False

    def __dealloc__(self):
        cdef int number
        for number in range(N_PAGES):
            free(self.pages[number])
        free(self.several)

    cdef int make_page(self, int number) except -1:
        """Ask what 256 characters become."""
        cdef uint32_t *page
        cdef int i
        described = [self.describe(chr(256 * number + i)) for i in range(256)]
        with self.lock:
            if self.pages[number] != NULL:  # another thread was faster
                return 0
            values = [
                entries[0] if len(entries) == 1 else self.add_several(entries)
                for entries in described
            ]
            page = <uint32_t *>malloc(256 * sizeof(uint32_t))
            if page == NULL:
                raise MemoryError("no memory for the alphabet")
            for i in range(256):
                page[i] = values[i]
            fence()  # Threads read it without the lock.
            self.pages[number] = page
        return 0


    cdef uint32_t add_several(self, list entries) except 0:
        """The entry of a character that becomes none, or several."""
        key = tuple(entries)
        if key not in self.places:
            if self.n_several + len(entries) + 1 > MOST_SEVERAL:
                raise OverflowError("too many characters become several")
            self.places[key] = self.n_several
            for entry in (len(entries), *entries):
                self.several[self.n_several] = entry
                self.n_several += 1
        return SEVERAL | <uint32_t>self.places[key]
