# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
"""Where the characters of documents are, looked up once, so that threads need no GIL.

Documents lie scattered in memory, and a look at each waits for it; so does one more
reference to it, or one less. What comes next is fetched meanwhile.
"""

from cpython.object cimport PyObject
from libc.stdint cimport int64_t
from libc.stdlib cimport free, malloc

import numpy as np

from skml.text._terms cimport prefetch

cdef extern from "Python.h":
    void *PyUnicode_DATA(object text)
    int PyUnicode_KIND(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    bint PyUnicode_IS_ASCII(object text)
    PyObject **PySequence_Fast_ITEMS(list items)
    void Py_INCREF(PyObject *item)
    void Py_DECREF(PyObject *item)

cdef enum:
    DOCUMENTS_AHEAD = 16  # documents that are fetched beforehand


cdef class Texts:
    """Documents, which are held.

    Parameters
    ----------
    documents : list
        The documents, str or any others.

    Attributes
    ----------
    are_str : bool
        Whether each document is of the class str, and of no class derived from it.
    """

    def __cinit__(self, list documents not None):
        self.are_str = True
        self.hold(PySequence_Fast_ITEMS(documents), len(documents))

    def __dealloc__(self):
        cdef int64_t i
        for i in range(self.n):
            if i + DOCUMENTS_AHEAD < self.n:
                prefetch(self.held[i + DOCUMENTS_AHEAD])
            Py_DECREF(self.held[i])
        free(self.held)
        free(self.texts)

    cdef int hold(self, PyObject **documents, int64_t n) except -1:
        """Hold documents; once only. No Python code runs meanwhile."""
        cdef int64_t i
        self.held = <PyObject **>malloc((n + 1) * sizeof(PyObject *))
        self.texts = <Text *>malloc((n + 1) * sizeof(Text))
        if self.held == NULL or self.texts == NULL:
            raise MemoryError("no memory for the documents")
        for i in range(n):
            if i + DOCUMENTS_AHEAD < n:
                prefetch(documents[i + DOCUMENTS_AHEAD])
            Py_INCREF(documents[i])
            self.held[i] = documents[i]
            self.look(&self.texts[i], <object>documents[i])
        self.n = n
        return 0

    cdef void look(self, Text *text, object document) noexcept:
        text.data, text.size, text.kind = NULL, 0, 0
        self.are_str &= type(document) is str
        if isinstance(document, str):
            text.data, text.size = PyUnicode_DATA(document), PyUnicode_GET_LENGTH(document)
            text.kind = 0 if PyUnicode_IS_ASCII(document) else PyUnicode_KIND(document)

    cdef object document(self, int64_t i):
        return <object>self.held[i]

    def __len__(self):
        return self.n

    def __getitem__(self, int64_t i):
        if not 0 <= i < self.n:
            raise IndexError(f"there is no document {i}")
        return self.document(i)

    def part(self, int64_t first, int64_t last):
        """Documents that follow each other."""
        cdef Texts part = Texts.__new__(Texts, [])
        if not 0 <= first <= last <= self.n:
            raise IndexError(f"there are {self.n} documents, not {first} to {last}")
        free(part.held)
        free(part.texts)
        part.held, part.texts = NULL, NULL
        part.hold(self.held + first, last - first)
        return part

    def lengths(self):
        """How many characters each document has; 0 if it is no str."""
        cdef int64_t i
        lengths = np.empty(self.n, dtype=np.int64)
        cdef int64_t[::1] length = lengths
        for i in range(self.n):
            length[i] = self.texts[i].size
        return lengths
