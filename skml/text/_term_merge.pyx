# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""The sorted terms of several workers merged to one tree, level by level.

Threads merge parts of a level that follow each other. How many terms the parts before
have is not known meanwhile, so that they are put in place in a second pass.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

import numpy as np

from skml.text._term_order cimport SortedTerms, compare, fail, first_bytes
from skml.text._terms cimport Term

from skml.text._threads import in_threads


cdef struct Head:
    # The first terms of a worker that are not merged yet.
    int64_t at, end
    uint64_t key  # of the first one; NONE, if there is none
    const int64_t *begins
    const int32_t *ids
    const int32_t *parents
    const int32_t *lasts
    int32_t *ranks  # of its terms in the level of the tree
    int32_t *renamed
    const Term *terms
    const uint8_t *spelling
    const int64_t *starts


cdef uint64_t NONE = <uint64_t>0 - 1


cdef inline const uint8_t *symbol_of(const Head *head, int64_t *size) noexcept nogil:
    """The spelling of the first term, which is a symbol."""
    cdef int64_t symbol = head.terms[head.ids[head.at]].last
    size[0] = head.starts[symbol + 1] - head.starts[symbol]
    return head.spelling + head.starts[symbol]


cdef inline void set_key(Head *head, int64_t level) noexcept nogil:
    cdef int64_t size
    cdef const uint8_t *spelled
    if head.at >= head.end:
        head.key = NONE
    elif level == 0:
        spelled = symbol_of(head, &size)
        head.key = first_bytes(spelled, size)
    else:
        head.key = <uint64_t>(
            head.ranks[head.begins[level - 1] + head.parents[head.at]]
        ) << 32 | <uint64_t>head.ranks[head.lasts[head.at]]


cdef inline int order_of(const Head *head, const Head *other) noexcept nogil:
    """Negative if the first symbol comes before that of another worker, 0 if equal."""
    cdef int64_t size, other_size
    cdef const uint8_t *spelled
    cdef const uint8_t *other_spelled
    if head.key != other.key:
        return -1 if head.key < other.key else 1
    spelled = symbol_of(head, &size)
    other_spelled = symbol_of(other, &other_size)
    return compare(spelled, size, other_spelled, other_size)


cdef inline bint is_before(const Head *head, const Head *other, int64_t level) noexcept nogil:
    """Whether the first term of a worker comes before that of another."""
    return head.key < other.key or (
        level == 0
        and head.key == other.key != NONE
        and order_of(head, other) < 0
    )


cdef int64_t find(Head head, const Head *other, int64_t level) noexcept nogil:
    """The first term that does not come before that of another worker."""
    cdef int64_t low = head.at, high = head.end
    while low < high:
        head.at = (low + high) // 2
        set_key(&head, level)
        if is_before(&head, other, level):
            low = head.at + 1
        else:
            high = head.at
    return low


cdef class Part:
    """A part of a level, which one thread merges.

    Attributes
    ----------
    n, n_bytes : int
        The number of terms, and of bytes of their spelling if they are symbols.
    first, first_byte : int
        How many there are in the parts before.
    """

    cdef Head *heads
    cdef uint64_t *keys  # of the terms; of symbols, the worker and its symbol
    cdef int n_heads
    cdef int64_t level
    cdef readonly int64_t n, n_bytes
    cdef public int64_t first, first_byte

    def __dealloc__(self):
        free(self.heads)
        free(self.keys)

    cdef int begin(self, const Head *heads, int n_heads, int64_t level) except -1:
        """Begin where each worker begins on a level, and end where it ends."""
        cdef int i
        self.n_heads, self.level = n_heads, level
        self.heads = <Head *>malloc(n_heads * sizeof(Head))
        if self.heads == NULL:
            fail()
        memcpy(self.heads, heads, n_heads * sizeof(Head))
        for i in range(n_heads):
            self.heads[i].at = heads[i].begins[level]
            self.heads[i].end = heads[i].begins[level + 1]
        return 0

    cdef Part cut(self, int64_t part, int64_t n_parts):
        """The terms before one that is about at the end of a part; they are cut off."""
        cdef Part before = Part.__new__(Part)
        cdef Head pivot
        cdef int64_t at
        cdef int i, largest = 0
        before.begin(self.heads, self.n_heads, self.level)
        for i in range(self.n_heads):
            before.heads[i].at = before.heads[i].end = self.heads[i].at
            if self.heads[i].end - self.heads[i].at > (
                self.heads[largest].end - self.heads[largest].at
            ):
                largest = i
        pivot = self.heads[largest]
        pivot.at += (pivot.end - pivot.at) // (n_parts - part)
        set_key(&pivot, self.level)
        for i in range(self.n_heads):
            at = find(self.heads[i], &pivot, self.level)
            before.heads[i].end = self.heads[i].at = at
        return before

    def merge(self):
        """Merge the terms: number them from 0 on, and note the key of each."""
        cdef int64_t n = 0
        cdef int i
        for i in range(self.n_heads):
            n += self.heads[i].end - self.heads[i].at
        self.keys = <uint64_t *>malloc((n + 1) * sizeof(uint64_t))
        if self.keys == NULL:
            fail()
        with nogil:
            self.merge_heads()

    cdef void merge_heads(self) noexcept nogil:
        cdef Head *heads = self.heads
        cdef int64_t level = self.level, n = 0, size
        cdef int i, least
        cdef Head first
        for i in range(self.n_heads):
            set_key(&heads[i], level)
        while True:
            least = 0
            for i in range(1, self.n_heads):
                if is_before(&heads[i], &heads[least], level):
                    least = i
            first = heads[least]
            if first.key == NONE:
                break
            self.keys[n] = first.key
            if level == 0:
                symbol_of(&first, &size)
                self.n_bytes += size
                self.keys[n] = (
                    <uint64_t>least << 32 | <uint64_t>first.terms[first.ids[first.at]].last
                )
            for i in range(self.n_heads):
                if i == least or (
                    heads[i].key == first.key
                    and (level or order_of(&heads[i], &first) == 0)
                ):
                    heads[i].ranks[heads[i].at] = <int32_t>n
                    heads[i].at += 1
                    set_key(&heads[i], level)
            n += 1
        self.n = n

    def place(
        self,
        const int64_t[::1] begins,
        int32_t[::1] parents,
        int32_t[::1] lasts,
        uint8_t[::1] spelling,
        int64_t[::1] starts,
        Part before,
    ):
        """Put the terms where they belong, behind those of the part before."""
        cdef int64_t i, at, first = self.first, end = self.first_byte, size, node
        cdef int64_t level_first = begins[self.level]
        cdef const Head *head
        cdef uint64_t key
        with nogil:
            for i in range(self.n):
                key, node = self.keys[i], level_first + first + i
                parents[node], lasts[node] = <int32_t>(key >> 32), <int32_t>key
                if self.level == 0:
                    parents[node], lasts[node] = -1, <int32_t>node
                    head = &self.heads[key >> 32]
                    at = <uint32_t>key
                    size = head.starts[at + 1] - head.starts[at]
                    if size:
                        memcpy(&spelling[end], head.spelling + head.starts[at], size)
                    end += size
                    starts[node + 1] = end
            for i in range(self.n_heads):
                head = &self.heads[i]
                at = head.begins[self.level] if before is None else before.heads[i].end
                while at < head.end:
                    head.ranks[at] += <int32_t>first
                    head.renamed[head.ids[at]] = <int32_t>(level_first + head.ranks[at])
                    at += 1


def merge(list workers, int64_t n_parts):
    """Merge the terms of workers.

    Parameters
    ----------
    workers : list of SortedTerms
        The terms of each.
    n_parts : int
        The number of threads.

    Returns
    -------
    begins : ndarray of shape (n_levels + 1,), dtype int64
        Where each level begins, and the last one ends.
    parents, lasts : ndarray of shape (n_terms,), dtype int32
        The place of each term's parent in the level before, and of its last symbol.
    spelling : ndarray of shape (n_bytes,), dtype uint8
        The symbols in UTF-8, one behind the other.
    starts : ndarray of shape (n_symbols + 1,), dtype int64
        Where each symbol begins, and the last one ends.
    renamed : list of ndarray of shape (n_terms_of_worker,), dtype int32
        For each worker the place of each of its terms.
    """
    cdef SortedTerms worker
    cdef int64_t level, n_levels, n, i
    cdef int64_t[::1] begin
    cdef int32_t[::1] ids, parent, last, rank, new
    cdef Head *heads = <Head *>calloc(len(workers), sizeof(Head))
    if heads == NULL:
        fail()
    renamed = [np.empty_like(worker.ids) for worker in workers]
    ranks = [np.empty_like(worker.ids) for worker in workers]
    n_levels = max(len(worker.begins) for worker in workers) - 1
    try:
        for i in range(len(workers)):
            worker = workers[i]
            # Behind its last level, a worker has empty ones.
            more = n_levels + 1 - len(worker.begins)
            worker.begins = np.pad(worker.begins, (0, more), mode="edge")
            begin, ids, parent = worker.begins, worker.ids, worker.parents
            last, rank, new = worker.lasts, ranks[i], renamed[i]
            heads[i].begins, heads[i].terms = &begin[0], worker.terms.terms
            heads[i].spelling = worker.terms.spelling
            heads[i].starts = worker.terms.starts
            if ids.shape[0]:
                heads[i].ids, heads[i].parents = &ids[0], &parent[0]
                heads[i].lasts, heads[i].ranks = &last[0], &rank[0]
                heads[i].renamed = &new[0]
        n = sum(len(worker.ids) for worker in workers)
        begins = np.zeros(n_levels + 1, dtype=np.int64)
        parents, lasts = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
        spelling, starts = np.empty(0, np.uint8), np.zeros(1, np.int64)
        for level in range(n_levels):
            parts = _merged_parts(heads, len(workers), level, n_parts)
            n = sum([part.n for part in parts])
            if begins[level] + n >= 0x7FFFFFFE:
                raise OverflowError("the documents have more than 2**31 terms")
            begins[level + 1] = begins[level] + n
            if level == 0:
                starts = np.zeros(n + 1, dtype=np.int64)
                n_bytes = sum([part.n_bytes for part in parts])
                spelling = np.empty(max(n_bytes, 1), dtype=np.uint8)
            to = begins, parents, lasts, spelling, starts
            pairs = list(zip(parts, [None, *parts]))
            in_threads(lambda pair: pair[0].place(*to, pair[1]), pairs)
    finally:
        free(heads)
    return begins, parents, lasts, spelling, starts, renamed


cdef list _merged_parts(const Head *heads, int n_heads, int64_t level, int64_t n_parts):
    """Parts of a level, merged; each knows how many terms are before."""
    cdef Part rest = Part.__new__(Part), part
    cdef int64_t i, n = 0, n_bytes = 0
    rest.begin(heads, n_heads, level)
    cdef list parts = [rest.cut(i, n_parts) for i in range(n_parts - 1)] + [rest]
    in_threads(Part.merge, parts)
    for part in parts:
        part.first, part.first_byte = n, n_bytes
        n += part.n
        n_bytes += part.n_bytes
    return parts
