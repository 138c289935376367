# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""The terms of all workers together, in the order of their spelling.

Terms are a tree, level by level; to walk it is to go through each level once. Threads
walk the subtrees of symbols that follow each other.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t
from libc.stdlib cimport free
from libc.string cimport memcpy

import numpy as np

from skml.text._term_order cimport SortedTerms
from skml.text._terms cimport Terms, grow

from skml.text._term_merge import merge
from skml.text._term_tables import add_ngrams, add_symbols, close_in_threads
from skml.text._threads import in_threads


cdef class TermTree:
    """The terms of all workers, level by level, in the order of their spelling.

    Parameters
    ----------
    workers : list of SortedTerms
        The terms of each.
    n_jobs : int, default=1
        The number of threads that merge them.

    Attributes
    ----------
    n_terms : int
        The number of terms, which are the nodes of the tree.
    renamed : list of ndarray of shape (n_terms,), dtype int32
        For each worker the node of each of its terms.
    """

    cdef readonly int64_t n_terms
    cdef readonly list renamed
    cdef object begins, parents, lasts, spelling, starts
    cdef bint of_words

    def __init__(self, list workers, n_jobs=1):
        merged = merge(workers, n_jobs)
        self.begins, self.parents, self.lasts = merged[:3]
        self.spelling, self.starts, self.renamed = merged[3:]
        self.n_terms = self.begins[len(self.begins) - 1]
        self.of_words = (<SortedTerms>workers[0]).terms.of_words

    cdef list walks(self, int64_t n_parts):
        """Walks through parts of the tree that follow each other, about as large."""
        cdef int64_t part, low = 0, high, middle
        cdef list walks = []
        begins = self.begins[: len(self.begins) - 1]
        first = begins
        for part in range(1, n_parts):
            high = self.begins[1]
            while low < high:
                middle = (low + high) // 2
                if (self.cut(middle) - begins).sum() * n_parts < self.n_terms * part:
                    low = middle + 1
                else:
                    high = middle
            last = self.cut(low)
            walks.append(Walk(self, first, last))
            first = last
        walks.append(Walk(self, first, self.begins[1:]))
        return walks

    cdef object cut(self, int64_t symbol):
        """Where the subtree of a symbol begins on each level."""
        cdef int64_t level
        cuts = self.begins[: len(self.begins) - 1].copy()
        cuts[0] = symbol
        for level in range(1, len(cuts)):
            parents = self.parents[self.begins[level] : self.begins[level + 1]]
            parent = np.int32(cuts[level - 1] - self.begins[level - 1])
            cuts[level] += np.searchsorted(parents, parent)
        return cuts

    def number(self, const uint8_t[::1] is_found, int64_t n_jobs=1):
        """Number some of the terms in the order of their spelling.

        Parameters
        ----------
        is_found : ndarray of shape (n_terms,), dtype uint8
            Which nodes get a number: 1, or 0.
        n_jobs : int, default=1
            The number of threads.

        Returns
        -------
        numbers : ndarray of shape (n_terms,), dtype int32
            The number of each, or -1.
        nodes : ndarray of shape (n_found,), dtype int32
            The node that has each number.
        sizes : ndarray of shape (n_found,), dtype int64
            How many bytes the spelling of each of these has.
        """
        cdef list walks = self.walks(n_jobs)
        if is_found.shape[0] != self.n_terms:
            raise ValueError(f"{is_found.shape[0]} marks of {self.n_terms} terms")
        numbers, found = np.empty(self.n_terms, dtype=np.int32), np.asarray(is_found)
        n_found = begin(walks, found)
        nodes = np.empty(n_found, dtype=np.int32)
        sizes = np.empty(n_found, dtype=np.int64)
        in_threads(lambda walk: walk.number(found, numbers, nodes, sizes), walks)
        return numbers, nodes, sizes

    def spell(self, const int32_t[::1] numbers, const int64_t[::1] sizes, int64_t n_jobs=1):
        """The spelling of the terms that have a number.

        Parameters
        ----------
        numbers : ndarray of shape (n_terms,), dtype int32
            As `number` gave them; some may be left out, and the others move up.
        sizes : ndarray of shape (n_kept,), dtype int64
            How many bytes each of these has.
        n_jobs : int, default=1
            The number of threads.

        Returns
        -------
        spelling : ndarray of shape (n_bytes,), dtype uint8
            In UTF-8, one behind the other.
        ends : ndarray of shape (n_kept + 1,), dtype int64
            0, and where each of them ends.
        """
        cdef list walks = self.walks(n_jobs)
        if numbers.shape[0] != self.n_terms or np.any(np.less(sizes, 0)):
            raise ValueError("the numbers are not those of the terms")
        ends = np.zeros(sizes.shape[0] + 1, dtype=np.int64)
        np.cumsum(sizes, out=ends[1:])
        spelling = np.empty(ends[sizes.shape[0]], dtype=np.uint8)
        number = np.asarray(numbers)
        if begin(walks, number >= 0) != sizes.shape[0]:
            raise ValueError(f"there are not {sizes.shape[0]} terms with a number")
        in_threads(lambda walk: walk.spell_all(number, ends, spelling), walks)
        return spelling, ends

    def fill(self, Terms terms, const int32_t[::1] first, int64_t n_jobs=1):
        """Have terms, of which there are none so far, be those of the tree.

        Parameters
        ----------
        terms : Terms
            They take no others from now on.
        first : ndarray of shape (n_first,), dtype int32
            The nodes of the terms, which are symbols, that come first there.
        n_jobs : int, default=1
            The number of threads.

        Returns
        -------
        numbers : ndarray of shape (n_terms,), dtype int32
            The number that each has there.
        """
        cdef int64_t level, n_symbols = self.begins[1]
        numbers = np.arange(self.n_terms, dtype=np.int32)
        is_first = np.zeros(n_symbols, dtype=bool)
        is_first[first] = True
        nodes = np.concatenate([first, np.flatnonzero(~is_first).astype(np.int32)])
        numbers[nodes] = numbers[:n_symbols].copy()
        add_symbols(terms, self.spelling, self.starts, nodes)
        for level in range(1, len(self.begins) - 1):
            a, b = self.begins[level], self.begins[level + 1]
            add_ngrams(
                terms,
                numbers[self.begins[level - 1] : a],
                self.parents[a:b],
                numbers,
                self.lasts[a:b],
            )
        close_in_threads(terms, n_jobs)
        return numbers


cdef int64_t begin(list walks, is_numbered):
    """Know the number with which each walk begins; return how many there are."""
    cdef Walk walk
    cdef int64_t n = 0
    for walk in walks:
        walk.n = n
        for a, b in zip(np.asarray(walk.following), np.asarray(walk.last)):
            n += np.count_nonzero(is_numbered[a:b])
    return n


cdef class Walk:
    """Goes to each node of a part of a tree, and then to its children.

    Parameters
    ----------
    tree : TermTree
        The tree.
    first, last : ndarray of shape (n_levels,), dtype int64
        Where the part begins on each level, and ends.
    """

    cdef int64_t node, level, n_levels, n
    cdef int between
    cdef const int64_t[::1] begins, starts, last
    cdef const int32_t[::1] parents, lasts
    cdef const uint8_t[::1] spelling
    cdef int64_t[::1] nodes, following, ends  # of each level
    cdef uint8_t *path
    cdef int64_t capacity

    def __init__(self, TermTree tree, first, last):
        self.begins, self.parents, self.lasts = tree.begins, tree.parents, tree.lasts
        self.starts, self.spelling = tree.starts, tree.spelling
        self.level, self.n_levels = -1, self.begins.shape[0] - 1
        self.between = tree.of_words
        self.nodes = np.zeros(self.n_levels + 1, dtype=np.int64)
        self.ends = np.zeros(self.n_levels + 1, dtype=np.int64)
        self.following, self.last = first.copy(), last

    def __dealloc__(self):
        free(self.path)

    cdef bint step(self) noexcept nogil:
        """Go to the next node: a child, or the next of the same parent, or of another."""
        cdef int64_t level = self.level + 1, node
        while level >= 0:
            if level < self.n_levels:
                node = self.following[level]
                if node < self.last[level] and (
                    level == 0
                    or self.parents[node]
                    == self.nodes[level - 1] - self.begins[level - 1]
                ):
                    self.following[level] = node + 1
                    self.nodes[level] = self.node = node
                    self.level = level
                    node = self.lasts[node]
                    self.ends[level] = self.starts[node + 1] - self.starts[node]
                    if level:
                        self.ends[level] += self.ends[level - 1] + self.between
                    return True
            level -= 1
        return False

    cdef inline int64_t size(self) noexcept nogil:
        """How many bytes the spelling of the node has."""
        return self.ends[self.level]

    def number(
        self,
        const uint8_t[::1] is_found,
        int32_t[::1] numbers,
        int32_t[::1] nodes,
        int64_t[::1] sizes,
    ):
        """Number what is found of the part; note its nodes and sizes."""
        cdef int64_t n = self.n
        with nogil:
            while self.step():
                numbers[self.node] = -1
                if is_found[self.node]:
                    numbers[self.node] = <int32_t>n
                    nodes[n], sizes[n] = <int32_t>self.node, self.size()
                    n += 1

    def spell_all(
        self, const int32_t[::1] numbers, const int64_t[::1] ends, uint8_t[::1] spelling
    ):
        """Spell what has a number in the part."""
        cdef int64_t n = self.n
        with nogil:
            while self.step():
                self.spell()
                if numbers[self.node] < 0:
                    continue
                if numbers[self.node] != n or ends[n + 1] - ends[n] != self.size():
                    with gil:
                        raise ValueError("a term has a number that was not given")
                if self.size():
                    memcpy(&spelling[ends[n]], self.path, self.size())
                n += 1

    cdef int spell(self) except -1 nogil:
        """Spell the node, given its parent, which was spelled before."""
        cdef int64_t begin = 0, symbol = self.lasts[self.node]
        self.path = <uint8_t *>grow(self.path, &self.capacity, self.size() + 1, 1)
        if self.level:
            begin = self.ends[self.level - 1]
            if self.between:
                self.path[begin] = 32
                begin += 1
        if self.size() > begin:
            memcpy(
                self.path + begin,
                &self.spelling[self.starts[symbol]],
                self.size() - begin,
            )
        return 0
