# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Documents to counts of n-grams, without a Python object a token, and without the GIL.

The characters of a document become symbols, words or characters, and symbols become
n-grams.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free
from libc.string cimport memcpy

import numpy as np

from skml.text._alphabet cimport (
    CODE,
    CONTEXT,
    JOINER,
    MARK,
    MEMBER,
    SEVERAL,
    SIGN,
    SPACE,
    WORD,
    Alphabet,
)
from skml.text._term_counts cimport TermCounts
from skml.text._terms cimport (
    AHEAD,
    Terms,
    encode,
    grow,
    is_long,
    look_up,
    mix,
    ngram_key,
    prefetch,
    word_key,
)
from skml.text._texts cimport Text, Texts, read


cdef extern from "Python.h":
    void *PyUnicode_DATA(object text)
    Py_ssize_t PyUnicode_GET_LENGTH(object text)
    bint PyUnicode_IS_ASCII(object text)

cdef extern from "_word_scan.h" nogil:
    enum:
        SCAN
    void translate(const uint8_t *text, int64_t n, const uint8_t *letters, uint8_t *to)
    uint64_t member_mask(const uint8_t *bytes)
    int lowest_bit(uint64_t mask)
    uint64_t short_key(const uint8_t *bytes, int64_t size)

cdef enum:
    # How the reading of a document ended.
    DONE = 0
    FOR_PYTHON = 1
    NO_PAGE = 2
    # N-grams for which there is room in the table, whether they are new or not.
    ROOM = 1 << 12


cdef struct Word:
    uint64_t key
    int64_t start, size  # where it is spelled


cdef class NgramCounter:
    """Counts of n-grams of documents.

    Parameters
    ----------
    alphabet : Alphabet
        What each character becomes, and which are part of words.
    terms : Terms
        The terms; new ones are added, unless they are closed.
    min_n, max_n : int
        How many symbols an n-gram has.
    within_words : bool, default=False
        Whether n-grams of characters are those of one word, with a space before and
        behind it.
    min_characters : int, default=2
        How many characters a word has at least.
    n_stop_words : int, default=0
        So many of the first terms are left out before n-grams are made.
    in_order : bool, default=False
        Whether each token is kept by itself, in order; there are no n-grams then.

    Attributes
    ----------
    counts : TermCounts
        The counts; one a term in each document, or one a token if `in_order`.
    n_done : int
        How many documents of the last call were counted before an error.
    has_blanks : bool
        Whether a word has a blank in it, so that it may be spelled as an n-gram is, or
        a character that sorts before the blank between words.
    """

    cdef Alphabet alphabet
    cdef Terms terms
    cdef bint within_words, in_order
    cdef readonly bint has_blanks
    cdef readonly int64_t n_done
    cdef int min_n, max_n, min_characters
    cdef int64_t n_stop_words

    # Of a document: what its characters become, its symbols, and the n-gram that
    # begins with each symbol.
    cdef uint32_t *entries
    cdef int32_t *symbols
    cdef int32_t *prefixes
    cdef Word *words
    cdef uint8_t *spelling  # of the words, one behind the other
    cdef int64_t n_entries, n_symbols, n_tokens  # n_tokens since n-grams were counted
    cdef int64_t n_words, words_capacity, spelling_capacity
    cdef int64_t entries_capacity, symbols_capacity, prefixes_capacity
    cdef int missing_page

    cdef readonly TermCounts counts

    def __cinit__(
        self,
        Alphabet alphabet,
        Terms terms,
        *,
        int min_n=1,
        int max_n=1,
        bint within_words=False,
        int min_characters=2,
        int64_t n_stop_words=0,
        bint in_order=False,
    ):
        self.alphabet, self.terms, self.counts = alphabet, terms, TermCounts(terms)
        self.min_n, self.max_n, self.within_words = min_n, max_n, within_words
        self.min_characters, self.n_stop_words = min_characters, n_stop_words
        self.in_order = in_order

    def __dealloc__(self):
        free(self.entries)
        free(self.symbols)
        free(self.prefixes)
        free(self.words)
        free(self.spelling)

    def count(self, Texts documents, int64_t first, int64_t last, analyze):
        """Count the n-grams of documents.

        Parameters
        ----------
        documents : Texts
            The documents; one that is no str is a sequence of str, which are tokens.
        first, last : int
            Which of them to count: the first one, and the one behind the last.
        analyze : callable
            From a document to its words, or to strings of characters between which
            there are no n-grams: for what is left to Python.

        Returns
        -------
        ends : ndarray of shape (n_documents,), dtype int64
            Where the counts of each document end.
        sizes : ndarray of shape (n_documents,), dtype int64
            The number of symbols of each document, known or not.
        """
        cdef int64_t i = 0, n = last - first
        cdef int state
        if not 0 <= first <= last <= documents.n:
            raise IndexError(f"there are {documents.n} documents, not {first} to {last}")
        ends, sizes = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64)
        cdef int64_t[::1] end = ends, size = sizes
        self.n_done = 0
        while i < n:
            with nogil:
                state = self.count_texts(documents.texts + first, &i, end, size)
            self.n_done = i
            if state == NO_PAGE:
                self.alphabet.make_page(self.missing_page)
            elif i < n:
                document = documents.document(first + i)
                self.count_sequence(
                    analyze(document) if isinstance(document, str) else document
                )
                end[i], size[i] = self.counts.n, self.n_symbols
                i += 1
        return ends, sizes

    def clear(self):
        """Forget all terms and counts, and keep the memory for others."""
        self.terms.clear()
        self.counts.clear()
        self.has_blanks = False

    cdef int count_texts(
        self, const Text *texts, int64_t *i, int64_t[::1] ends, int64_t[::1] sizes
    ) except -1 nogil:
        """Count documents up to one that is left to Python, or to the end."""
        cdef int state
        while i[0] < ends.shape[0] and texts[i[0]].data != NULL:
            state = self.count_text(&texts[i[0]])
            if state != DONE:
                return state
            ends[i[0]], sizes[i[0]] = self.counts.n, self.n_symbols
            i[0] += 1
        return DONE

    cdef int count_text(self, const Text *text) except -1 nogil:
        cdef int state
        self.counts.begin, self.n_tokens, self.n_symbols = self.counts.n, 0, 0
        if self.terms.of_words and text.kind == 0 and self.alphabet.is_plain:
            self.reserve_words(
                text.size // (1 + self.min_characters) + 1, text.size + 2 * SCAN
            )
            self.add_ascii_words(<const uint8_t *>text.data, text.size)
        else:
            state = self.read_entries(text)
            if state != DONE:
                return state
            if not self.terms.of_words:
                # Each word may have a space before and behind it.
                self.reserve((3 if self.within_words else 1) * self.n_entries)
                self.add_characters()
                return DONE
            self.reserve_words(self.n_entries, 4 * self.n_entries)
            self.add_words()
        self.find_words()
        self.count_ngrams()
        return DONE

    cdef int count_sequence(self, tokens) except -1:
        """Count the n-grams of tokens, or of characters, string by string."""
        self.counts.begin, self.n_tokens, self.n_symbols = self.counts.n, 0, 0
        if self.terms.of_words:
            # Its length is what a list says it is; that of another class may be wrong.
            tokens = tokens if type(tokens) is list else list(tokens)
            self.reserve_words(len(tokens), 16 * len(tokens))
            for token in tokens:
                self.add_token(token)
            self.find_words()
            self.count_ngrams()
            return 0
        for text in tokens:
            text = text if type(text) is str else list(text)
            self.n_tokens = 0
            self.reserve(len(text))
            for character in text:
                self.add_character(<uint32_t>ord(character))
            self.count_ngrams()
        return 0

    cdef int reserve(self, int64_t n) except -1 nogil:
        """Memory for the symbols of a document."""
        self.symbols = <int32_t *>grow(
            self.symbols, &self.symbols_capacity, n, sizeof(int32_t)
        )
        self.prefixes = <int32_t *>grow(
            self.prefixes, &self.prefixes_capacity, n, sizeof(int32_t)
        )
        if self.in_order:
            self.counts.reserve(n)
        return 0

    cdef int reserve_words(self, int64_t n, int64_t n_bytes) except -1 nogil:
        """Memory for the words of a document, and their spelling."""
        self.words = <Word *>grow(self.words, &self.words_capacity, n, sizeof(Word))
        self.spelling = <uint8_t *>grow(
            self.spelling, &self.spelling_capacity, n_bytes, 1
        )
        self.n_words = 0
        return self.reserve(n)

    cdef int read_entries(self, const Text *text) except -1 nogil:
        """Look up what the characters of a document become."""
        cdef int64_t i, n = 0, needed
        cdef uint32_t code, entry
        cdef uint32_t *page
        cdef uint32_t *several
        cdef uint32_t *entries = <uint32_t *>grow(
            self.entries, &self.entries_capacity, text.size, sizeof(uint32_t)
        )
        self.entries = entries
        for i in range(text.size):
            code = read(text, i)
            page = self.alphabet.pages[code >> 8]
            if page == NULL:
                self.missing_page = code >> 8
                return NO_PAGE
            entry = page[code & 0xFF]
            if entry & (CONTEXT | SEVERAL):
                if entry & CONTEXT:
                    return FOR_PYTHON
                several = self.alphabet.several + (entry & CODE)
                needed = n + several[0] + text.size - i
                self.entries = entries = <uint32_t *>grow(
                    entries, &self.entries_capacity, needed, sizeof(uint32_t)
                )
                memcpy(entries + n, several + 1, several[0] * sizeof(uint32_t))
                n += several[0]
            else:
                entries[n] = entry
                n += 1
        self.n_entries = n
        return DONE

    cdef int add_ascii_words(self, const uint8_t *text, int64_t n) except -1 nogil:
        """Words of members alone, each of them one byte."""
        cdef int64_t block = 0, start = 0, end, size
        cdef uint64_t members, changes, key, last = 0
        translate(text, n, self.alphabet.letters, self.spelling)
        # Behind the last character there is no member.
        while block <= n:
            members = member_mask(self.spelling + block)
            changes, last = members ^ (members << 1 | last), members >> 63
            while changes:
                end = block + lowest_bit(changes)
                if members >> (end - block) & 1:
                    start = end
                elif end - start >= self.min_characters:
                    size = end - start
                    if size <= 8:
                        key = short_key(self.spelling + start, size)
                    else:
                        key = word_key(self.spelling + start, size)
                    self.add_word(start, size, key)
                changes &= changes - 1
            block += SCAN
        return 0

    cdef int add_words(self) except -1 nogil:
        """Words of what was read: members, with the marks behind them."""
        cdef int64_t i, start = 0, size = 0, n_characters = 0
        cdef uint32_t entry
        cdef bint mark = False, is_joined, is_torn = False
        for i in range(self.n_entries):
            entry = self.entries[i]
            is_joined = entry & MEMBER != 0
            if size and not is_joined:
                is_joined = entry & MARK != 0
                if entry & JOINER:
                    is_joined = mark or (
                        i + 1 < self.n_entries and self.entries[i + 1] & MARK != 0
                    )
            mark = entry & MARK != 0
            if is_joined:
                size += encode(entry & CODE, self.spelling + start + size)
                n_characters += entry & (MEMBER | SIGN) != 0
                continue
            # What is no member, but matches \w, tears a word: it has no boundary there.
            if n_characters >= self.min_characters and not (is_torn or entry & WORD):
                self.add_spelled(start, size)
                start += size
            is_torn = entry & WORD != 0
            size = n_characters = 0
        if n_characters >= self.min_characters and not is_torn:
            self.add_spelled(start, size)
        return 0

    cdef int add_characters(self) except -1 nogil:
        """Characters of what was read, and their n-grams."""
        cdef int64_t i, n_blanks = 0
        cdef uint32_t entry, blank = 0
        for i in range(self.n_entries):
            entry = self.entries[i]
            if entry & SPACE:
                if self.within_words and self.n_tokens:
                    self.add_character(32)
                    self.count_ngrams()
                    self.n_tokens = 0
                n_blanks += 1
                blank = entry & CODE
                continue
            if self.within_words:
                if self.n_tokens == 0:
                    self.add_character(32)
            elif n_blanks:
                self.add_character(blank if n_blanks == 1 else 32)
            n_blanks = 0
            self.add_character(entry & CODE)
        if self.within_words:
            if self.n_tokens:
                self.add_character(32)
        elif n_blanks:
            self.add_character(blank if n_blanks == 1 else 32)
        self.count_ngrams()
        return 0

    cdef int add_token(self, token) except -1:
        """Add a word that Python spells."""
        cdef bytes raw
        cdef const void *spelled
        cdef int64_t size, start = 0
        cdef Word *last
        if not isinstance(token, str):
            raise TypeError(f"{token!r:.60} is no str")
        if PyUnicode_IS_ASCII(token):
            spelled, size = PyUnicode_DATA(token), PyUnicode_GET_LENGTH(token)
        else:
            raw = str.encode(token, "utf-8", "surrogatepass")
            spelled, size = <const char *>raw, len(raw)
        if self.n_words:
            last = &self.words[self.n_words - 1]
            start = last.start + last.size
        self.spelling = <uint8_t *>grow(
            self.spelling, &self.spelling_capacity, start + size, 1
        )
        memcpy(self.spelling + start, spelled, size)
        return self.add_spelled(start, size)

    cdef int add_spelled(self, int64_t start, int64_t size) except -1 nogil:
        """Append a word that may hold any character."""
        cdef const uint8_t *word = self.spelling + start
        cdef int64_t i
        if self.max_n > 1:
            for i in range(size):
                self.has_blanks |= word[i] <= 32
        self.add_word(start, size, word_key(word, size))
        return 0

    cdef inline void add_word(
        self, int64_t start, int64_t size, uint64_t key
    ) noexcept nogil:
        """Append a word to those of the document, which are looked up together."""
        cdef Word *word = &self.words[self.n_words]
        prefetch(&self.terms.words.slots[mix(key) & (self.terms.words.n_slots - 1)])
        word.key, word.start, word.size = key, start, size
        self.n_words += 1

    cdef int find_words(self) except -1 nogil:
        """Append the words to the symbols, unless they are stop words."""
        cdef Word *word
        cdef int32_t term
        cdef int64_t i
        for i in range(self.n_words):
            word, term = &self.words[i], -1
            if not is_long(word.key):
                term = look_up(&self.terms.words, word.key)
            if term < 0:
                term = self.terms.find_word(
                    self.spelling + word.start, word.size, word.key
                )
            if 0 <= term < self.n_stop_words:
                continue
            if 0 <= term < self.counts.places_capacity:
                prefetch(&self.counts.places[term])
            self.add_symbol(term)
        return 0

    cdef inline int add_character(self, uint32_t code) except -1 nogil:
        return self.add_symbol(self.terms.find_character(code))

    cdef inline int add_symbol(self, int32_t term) except -1 nogil:
        """Append a symbol to the document; -1 is an unknown one."""
        self.symbols[self.n_tokens] = term
        self.n_tokens += 1
        self.n_symbols += 1
        if self.in_order:
            self.counts.counts[self.counts.n].term = term
            self.counts.n += 1
        return 0

    cdef int count_ngrams(self) except -1 nogil:
        """Count n-grams of the symbols: those of one, of two, and so on."""
        cdef int32_t *prefixes = self.symbols
        cdef int64_t i, n = self.n_tokens
        cdef int32_t prefix, last, term
        cdef int level
        if self.min_n == 1 and not self.in_order:
            self.counts.count_terms(self.symbols, n)
        for level in range(2, self.max_n + 1):
            n -= 1
            if n <= 0:
                break
            for i in range(n):
                if i % ROOM == 0:
                    self.terms.reserve_ngrams(min(ROOM, n - i))
                if i + AHEAD < n:
                    self.fetch(prefixes[i + AHEAD], self.symbols[i + AHEAD + level - 1])
                prefix, last, term = prefixes[i], self.symbols[i + level - 1], -1
                if prefix >= 0 and last >= 0:
                    term = look_up(&self.terms.ngrams, ngram_key(prefix, last))
                    if term < 0 and not self.terms.is_closed:
                        term = self.terms.find_ngram(prefix, last)
                self.prefixes[i] = term
            prefixes = self.prefixes
            # A word shorter than all n-grams counts as a whole.
            if level >= self.min_n or (self.within_words and n == 1):
                self.counts.count_terms(prefixes, n)
        return 0

    cdef inline void fetch(self, int32_t prefix, int32_t last) noexcept nogil:
        cdef uint64_t place = mix(ngram_key(prefix, last))
        prefetch(&self.terms.ngrams.slots[place & (self.terms.ngrams.n_slots - 1)])
