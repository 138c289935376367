# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Terms in the order of their spelling, those of several workers together.

Terms are a tree: an n-gram is a child of the n-gram without its last symbol. Level by
level, children are sorted by their parent and their last symbol, so that no spelling is
compared but that of symbols; and to walk the tree is to go through each level once.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

import numpy as np

from skml.text._terms cimport AHEAD, Term, Terms, grow, mix, ngram_key, prefetch

cdef enum:
    DIGIT = 11  # bits of a key by which entries are sorted at a time


cdef struct Entry:
    uint64_t key
    int64_t index


cdef int fail() except -1 nogil:
    with gil:
        raise MemoryError("no memory for the order of terms")


cdef inline int bits_of(uint64_t value) noexcept nogil:
    cdef int n = 0
    while value:
        value >>= 1
        n += 1
    return n


cdef Entry *sort_entries(
    Entry *entries, Entry *others, int64_t n, int n_bits
) noexcept nogil:
    """Sort by the lowest bits of keys, stably; return which of the two it is in."""
    cdef int64_t heads[1 << DIGIT]
    cdef int64_t i, size, head
    cdef int shift = 0, digit
    cdef uint64_t mask = (1 << DIGIT) - 1
    while shift < n_bits:
        memset(heads, 0, sizeof(heads))
        for i in range(n):
            heads[entries[i].key >> shift & mask] += 1
        head = 0
        for digit in range(1 << DIGIT):
            size, heads[digit] = heads[digit], head
            head += size
        for i in range(n):
            digit = entries[i].key >> shift & mask
            others[heads[digit]] = entries[i]
            heads[digit] += 1
        entries, others = others, entries
        shift += DIGIT
    return entries


cdef inline uint64_t first_bytes(const uint8_t *spelled, int64_t size) noexcept nogil:
    """Up to eight bytes as an integer that sorts as they do."""
    cdef uint64_t key = 0
    cdef int64_t i
    for i in range(min(size, 8)):
        key |= <uint64_t>spelled[i] << (56 - 8 * i)
    return key


cdef int compare(
    const uint8_t *spelled, int64_t size, const uint8_t *other, int64_t other_size
) noexcept nogil:
    cdef int sign = memcmp(spelled, other, min(size, other_size))
    return sign if sign else (size > other_size) - (size < other_size)


cdef void sort_ties(
    const uint8_t *spelling, const int64_t *starts, Entry *ties, Entry *others, int64_t n
) noexcept nogil:
    """Sort symbols by merging runs of them, that are twice as long each time."""
    cdef Entry *source = ties
    cdef Entry *target = others
    cdef int64_t width = 1, begin, middle, end = 0, left, right, i, a, b
    while width < n:
        end = 0
        while end < n:
            begin, middle = end, min(end + width, n)
            end = min(middle + width, n)
            left, right = begin, middle
            for i in range(begin, end):
                if left < middle and right < end:
                    a, b = source[left].index, source[right].index
                    if compare(
                        spelling + starts[a], starts[a + 1] - starts[a],
                        spelling + starts[b], starts[b + 1] - starts[b],
                    ) < 0:
                        target[i] = source[left]
                        left += 1
                    else:
                        target[i] = source[right]
                        right += 1
                elif left < middle:
                    target[i] = source[left]
                    left += 1
                else:
                    target[i] = source[right]
                    right += 1
        source, target = target, source
        width *= 2
    if source != ties:
        memcpy(ties, source, n * sizeof(Entry))


cdef class SortedTerms:
    """The terms of one worker, level by level: symbols, n-grams of two, and so on.

    Parameters
    ----------
    terms : Terms
        They may not change from now on.

    Attributes
    ----------
    begins : ndarray of shape (n_levels + 1,), dtype int64
        Where each level begins, and the last one ends.
    ids : ndarray of shape (n_terms,), dtype int32
        Which term each is.
    parents, lasts : ndarray of shape (n_terms,), dtype int32
        The rank of its parent in the level before, and of its last symbol.
    """

    cdef Terms terms
    cdef readonly object begins, ids, parents, lasts

    def __init__(self, Terms terms):
        cdef int64_t n = terms.n_terms, t
        cdef Entry *entries = <Entry *>malloc((n + 1) * sizeof(Entry))
        cdef Entry *others = <Entry *>malloc((n + 1) * sizeof(Entry))
        self.terms = terms
        levels = np.empty(n, dtype=np.int32)
        cdef int32_t[::1] level = levels
        try:
            if entries == NULL or others == NULL:
                fail()
            with nogil:
                for t in range(n):
                    level[t] = 0
                    if terms.terms[t].prefix >= 0:
                        level[t] = level[terms.terms[t].prefix] + 1
            self.begins = np.concatenate([[0], np.cumsum(np.bincount(levels, minlength=1))])
            self.ids = np.empty(n, dtype=np.int32)
            self.parents = np.empty(n, dtype=np.int32)
            self.lasts = np.empty(n, dtype=np.int32)
            self.sort(level, entries, others)
        finally:
            free(entries)
            free(others)

    cdef int sort(self, int32_t[::1] level, Entry *entries, Entry *others) except -1:
        cdef int64_t n = self.terms.n_terms, t, i, first, last, l
        cdef int64_t n_levels = self.begins.shape[0] - 1
        cdef Term *terms = self.terms.terms
        cdef const int64_t[::1] begins = self.begins
        cdef int64_t[::1] heads = self.begins.copy()
        cdef int32_t[::1] ids = self.ids, parents = self.parents, lasts = self.lasts
        cdef int32_t[::1] rank = np.empty(n, dtype=np.int32)
        cdef Entry *found
        cdef uint64_t key
        cdef int symbol_bits = bits_of(self.terms.n_symbols)
        with nogil:
            for t in range(n):
                ids[heads[level[t]]] = <int32_t>t
                heads[level[t]] += 1
            for l in range(n_levels):
                first, last = begins[l], begins[l + 1]
                if l == 0:
                    found = self.sort_symbols(&ids[0], entries, others)
                else:
                    for i in range(first, last):
                        t = ids[i]
                        entries[i - first].index = t
                        entries[i - first].key = (
                            <uint64_t>rank[terms[t].prefix] << symbol_bits
                            | <uint64_t>rank[terms[t].last]
                        )
                    found = sort_entries(
                        entries,
                        others,
                        last - first,
                        symbol_bits + bits_of(first - begins[l - 1]),
                    )
                for i in range(first, last):
                    t, key = found[i - first].index, found[i - first].key
                    ids[i], rank[t] = <int32_t>t, <int32_t>(i - first)
                    parents[i], lasts[i] = -1, rank[t]
                    if l:
                        parents[i] = <int32_t>(key >> symbol_bits)
                        lasts[i] = <int32_t>(key & (<uint64_t>1 << symbol_bits) - 1)
        return 0

    cdef Entry *sort_symbols(
        self, const int32_t *ids, Entry *entries, Entry *others
    ) noexcept nogil:
        """Sort the terms that are symbols; the index of each is the term."""
        cdef int64_t n = self.terms.n_symbols, i, symbol, begin = 0, end
        cdef int64_t *starts = self.terms.starts
        cdef Entry *found
        for i in range(n):
            symbol = self.terms.terms[ids[i]].last
            entries[i].index = symbol
            entries[i].key = first_bytes(
                self.terms.spelling + starts[symbol], starts[symbol + 1] - starts[symbol]
            )
        found = sort_entries(entries, others, n, 64)
        if found != entries:
            entries, others = others, entries
        while begin < n:
            end = begin + 1
            while end < n and found[end].key == found[begin].key:
                end += 1
            if end > begin + 1:
                sort_ties(
                    self.terms.spelling, starts, found + begin, others, end - begin
                )
            begin = end
        for i in range(n):
            # Symbols have their numbers in the order of the terms that they are.
            found[i].index = ids[found[i].index]
        return found


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


cdef inline void pass_on(
    Head *head, int64_t level, int64_t node, int64_t first
) noexcept nogil:
    """Have the first term be a node, of a level that has a first one."""
    head.ranks[head.at] = <int32_t>(node - first)
    head.renamed[head.ids[head.at]] = <int32_t>node
    head.at += 1
    set_key(head, level)


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


cdef class TermTree:
    """The terms of all workers, level by level, in the order of their spelling.

    Parameters
    ----------
    workers : list of SortedTerms
        The terms of each.

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
    cdef int64_t n_bytes  # of the spelling of all that have numbers
    cdef bint of_words

    def __init__(self, list workers):
        cdef int64_t level, n_levels, n, i
        cdef SortedTerms worker
        cdef Head *heads = <Head *>malloc(len(workers) * sizeof(Head))
        cdef int64_t[::1] begins
        cdef int32_t[::1] ids, parents, lasts, ranks, renamed
        if heads == NULL:
            fail()
        self.of_words = (<SortedTerms>workers[0]).terms.of_words
        self.renamed = [np.empty_like(worker.ids) for worker in workers]
        all_ranks = [np.empty_like(worker.ids) for worker in workers]
        n = sum(len(worker.ids) for worker in workers)
        n_levels = max(len(worker.begins) for worker in workers) - 1
        self.begins = np.zeros(n_levels + 1, dtype=np.int64)
        self.parents = np.empty(n, dtype=np.int32)
        self.lasts = np.empty(n, dtype=np.int32)
        try:
            for i in range(len(workers)):
                worker = workers[i]
                # Behind its last level, a worker has empty ones.
                more = n_levels + 1 - len(worker.begins)
                worker.begins = np.pad(worker.begins, (0, more), mode="edge")
                begins, ids, parents = worker.begins, worker.ids, worker.parents
                lasts, ranks, renamed = worker.lasts, all_ranks[i], self.renamed[i]
                heads[i].begins = &begins[0]
                heads[i].terms = worker.terms.terms
                heads[i].spelling = worker.terms.spelling
                heads[i].starts = worker.terms.starts
                if ids.shape[0]:
                    heads[i].ids, heads[i].parents = &ids[0], &parents[0]
                    heads[i].lasts, heads[i].ranks = &lasts[0], &ranks[0]
                    heads[i].renamed = &renamed[0]
            for level in range(n_levels):
                self.merge_level(heads, len(workers), level)
        finally:
            free(heads)

    cdef int merge_level(self, Head *heads, int n_heads, int64_t level) except -1:
        cdef int64_t[::1] begins = self.begins
        cdef int32_t[::1] parents = self.parents, lasts = self.lasts
        cdef int64_t[::1] starts
        cdef uint8_t[::1] spelling
        cdef int64_t first = begins[level], node = first, size, n_bytes = 0, n = 0
        cdef int i, least
        cdef uint64_t key
        cdef const uint8_t *spelled
        cdef Head *head
        for i in range(n_heads):
            heads[i].at, heads[i].end = heads[i].begins[level], heads[i].begins[level + 1]
            set_key(&heads[i], level)
            if level == 0:
                n_bytes += heads[i].starts[heads[i].end]
                n += heads[i].end
        if level == 0:
            self.starts = np.zeros(n + 1, dtype=np.int64)
            self.spelling = np.empty(max(n_bytes, 1), dtype=np.uint8)
            starts, spelling = self.starts, self.spelling
        with nogil:
            while True:
                least = 0
                for i in range(1, n_heads):
                    if heads[i].key < heads[least].key or (
                        level == 0
                        and heads[i].key == heads[least].key != NONE
                        and order_of(&heads[i], &heads[least]) < 0
                    ):
                        least = i
                head = &heads[least]
                key = head.key
                if key == NONE:
                    break
                if node >= 0x7FFFFFFE:
                    with gil:
                        raise OverflowError("the documents have more than 2**31 terms")
                if level == 0:
                    parents[node], lasts[node] = -1, <int32_t>node
                    spelled = symbol_of(head, &size)
                    starts[node + 1] = starts[node] + size
                    if size:
                        memcpy(&spelling[starts[node]], spelled, size)
                else:
                    parents[node] = <int32_t>(key >> 32)
                    lasts[node] = <int32_t>key
                for i in range(n_heads):
                    if i != least and heads[i].key == key and (
                        level or order_of(&heads[i], head) == 0
                    ):
                        pass_on(&heads[i], level, node, first)
                pass_on(head, level, node, first)
                node += 1
        begins[level + 1] = self.n_terms = node
        return 0

    def number(self, const uint8_t[::1] is_found):
        """Number some of the terms in the order of their spelling.

        Parameters
        ----------
        is_found : ndarray of shape (n_terms,), dtype uint8
            Which nodes get a number.

        Returns
        -------
        numbers : ndarray of shape (n_terms,), dtype int32
            The number of each, or -1.
        """
        numbers = np.empty(self.n_terms, dtype=np.int32)
        cdef int32_t[::1] number = numbers
        cdef int32_t n = 0
        cdef int64_t n_bytes = 0
        cdef Walk walk = Walk(self)
        with nogil:
            while walk.step():
                number[walk.node] = -1
                if is_found[walk.node]:
                    number[walk.node] = n
                    n, n_bytes = n + 1, n_bytes + walk.size()
        self.n_bytes = n_bytes
        return numbers

    def spell(self, const int32_t[::1] numbers, int64_t n_kept):
        """The spelling of the terms that have a number.

        Parameters
        ----------
        numbers : ndarray of shape (n_terms,), dtype int32
            As `number` gave them; some may be left out, and the others move up.
        n_kept : int
            How many there are.

        Returns
        -------
        spelling : ndarray of shape (n_bytes,), dtype uint8
            In UTF-8, one behind the other.
        ends : ndarray of shape (n_kept + 1,), dtype int64
            0, and where each of them ends.
        """
        cdef Walk walk = Walk(self)
        cdef int64_t n = 0
        ends = np.zeros(n_kept + 1, dtype=np.int64)
        cdef int64_t[::1] end = ends
        spelling = np.empty(max(self.n_bytes, 1), dtype=np.uint8)
        cdef uint8_t[::1] spelled = spelling
        with nogil:
            while walk.step():
                walk.spell()
                if numbers[walk.node] == n < n_kept:
                    end[n + 1] = end[n] + walk.size()
                    if end[n + 1] > self.n_bytes:
                        with gil:
                            raise ValueError("a term has a number that was not given")
                    if walk.size():
                        memcpy(&spelled[end[n]], walk.path, walk.size())
                    n += 1
        return spelling[: ends[n_kept]].copy(), ends

    def add_to(self, Terms terms):
        """Add all terms to others.

        Returns
        -------
        numbers : ndarray of shape (n_terms,), dtype int32
            The number that each has there.
        """
        cdef const int64_t[::1] begins = self.begins, starts = self.starts
        cdef const int32_t[::1] parents = self.parents, lasts = self.lasts
        cdef const uint8_t[::1] spelling = self.spelling
        numbers = np.empty(self.n_terms, dtype=np.int32)
        cdef int32_t[::1] number = numbers
        cdef int64_t level, first, i, ahead
        cdef uint64_t key
        if self.n_terms == 0:
            return numbers
        with nogil:
            for i in range(begins[1]):
                number[i] = terms.add_spelled(
                    &spelling[0] + starts[i], starts[i + 1] - starts[i], 1
                )
            terms.reserve_ngrams(self.n_terms - begins[1])
            for level in range(1, begins.shape[0] - 1):
                first = begins[level - 1]
                for i in range(begins[level], begins[level + 1]):
                    ahead = i + AHEAD
                    if ahead < begins[level + 1]:
                        key = ngram_key(
                            number[first + parents[ahead]], number[lasts[ahead]]
                        )
                        prefetch(
                            &terms.ngrams.slots[mix(key) & (terms.ngrams.n_slots - 1)]
                        )
                    number[i] = terms.find_ngram(
                        number[first + parents[i]], number[lasts[i]]
                    )
        return numbers


cdef class Walk:
    """Goes to each node of a tree, and then to its children."""

    cdef int64_t node, level, n_levels
    cdef int between
    cdef const int64_t[::1] begins, starts
    cdef const int32_t[::1] parents, lasts
    cdef const uint8_t[::1] spelling
    cdef int64_t[::1] nodes, following, ends  # of each level
    cdef uint8_t *path
    cdef int64_t capacity

    def __init__(self, TermTree tree):
        self.begins, self.parents, self.lasts = tree.begins, tree.parents, tree.lasts
        self.starts, self.spelling = tree.starts, tree.spelling
        self.level, self.n_levels = -1, self.begins.shape[0] - 1
        self.between = tree.of_words
        self.nodes = np.zeros(self.n_levels + 1, dtype=np.int64)
        self.ends = np.zeros(self.n_levels + 1, dtype=np.int64)
        self.following = tree.begins.copy()

    def __dealloc__(self):
        free(self.path)

    cdef bint step(self) noexcept nogil:
        """Go to the next node: a child, or the next of the same parent, or of another."""
        cdef int64_t level = self.level + 1, node
        while level >= 0:
            if level < self.n_levels:
                node = self.following[level]
                if node < self.begins[level + 1] and (
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
