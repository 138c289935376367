# cython: language_level=3
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t


cdef struct Text:
    const void *data  # NULL if the document is no text
    int64_t size
    int kind  # bytes a character; 0 for ASCII


cdef inline uint32_t read(const Text *text, int64_t i) noexcept nogil:
    if text.kind <= 1:
        return (<const uint8_t *>text.data)[i]
    if text.kind == 2:
        return (<const uint16_t *>text.data)[i]
    return (<const uint32_t *>text.data)[i]


cdef class Texts:
    cdef PyObject **held
    cdef Text *texts
    cdef int64_t n
    cdef readonly bint are_str

    cdef int hold(self, PyObject **documents, int64_t n) except -1
    cdef void look(self, Text *text, object document) noexcept
    cdef object document(self, int64_t i)
