"""Rows of words and vectors, as text or binary: parsed, checked, collected."""

import re
import sys
from typing import NamedTuple

import numpy as np

from skml.text._word_vector_parser import decode_words, parse_binary, parse_text

# Rows parsed at a time; rows of so many bytes are made room for at a time.
_ROWS = 4096
_ROOM = 1 << 16
# What is longer is not a word, and not a vector.
LONGEST_WORD = 1 << 20
LARGEST_VECTOR = 1 << 16
# So long may a number be on average over a line.
_BYTES_A_NUMBER = 64

BLANKS = b" \t\r\n"
NUMBER = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
# From here on a number is rounded to infinity.
_BOUND = (2 - 2.0**-24) * 2.0**127


class TextLayout:
    """Lines of a word and numbers."""

    blanks = BLANKS

    def __init__(self, vector_size, *, has_header):
        self.vector_size = vector_size
        self.longest_line = LONGEST_WORD + _BYTES_A_NUMBER * vector_size
        self._first_line = 1 + has_header

    def least_bytes(self, n_words):
        return max(0, n_words * (2 * self.vector_size + 2) - 1)

    def parse(self, window, rows, spans):
        return parse_text(
            window.data,
            window.start,
            window.stop,
            rows,
            spans,
            self.longest_line,
            LONGEST_WORD,
        )

    def finish(self, rows):
        """Leave the rows: text is parsed to numbers of the machine."""

    def complete(self, window):
        """Let the end of the file end a line; return whether there was one."""
        return window.end_line()

    def place(self, row):
        return f"line {self._first_line + row}"

    def problem(self, window):
        """What is wrong with the line that the window starts with, and where."""
        end = window.data.find(b"\n", window.start, window.stop)
        line = bytes(window.data[window.start : window.stop if end < 0 else end])
        return "", self._problem_of(line)

    def _problem_of(self, line):
        size = self.vector_size
        expected = f"expected a word and {size} numbers with one blank before each, "
        if len(line) > self.longest_line:
            return f"expected at most {self.longest_line} bytes, got more"
        if not line.strip(BLANKS):
            return expected + "got an empty line"
        fields = re.split(rb"[ \t]", re.sub(rb"[ \t]?\r?\Z", b"", line, count=1))
        if len(fields) <= size:
            return expected + f"got {len(fields) - 1} behind {fields[0]!r:.40}"
        for number, field in enumerate(fields[-size:], start=1):
            if not field:
                return expected + f"got another blank in place of number {number}"
            if not NUMBER.fullmatch(field):
                return (
                    f"number {number} of {size} is {field!r:.40}; expected a decimal "
                    "number that is finite"
                )
            if abs(float(field)) >= _BOUND:
                return f"number {number} of {size}, {field!r:.40}, is beyond float32"
        word = fields[:-size]
        if sum(map(len, word)) + len(word) - 1 > LONGEST_WORD:
            return f"expected a word of at most {LONGEST_WORD} bytes, got more"
        return expected + "got no word, or one that begins or ends with a blank"


class BinaryLayout:
    """Words, a space and float32 behind each, least significant byte first."""

    blanks = b"\n"

    def __init__(self, vector_size):
        self.vector_size = vector_size

    def least_bytes(self, n_words):
        return n_words * (4 * self.vector_size + 2)

    def parse(self, window, rows, spans):
        return parse_binary(
            window.data, window.start, window.stop, rows, spans, LONGEST_WORD
        )

    def finish(self, rows):
        """Give the rows, copied as they are, the order of bytes of the machine."""
        if sys.byteorder == "big":
            rows.byteswap(inplace=True)

    def complete(self, window):
        """The end of the file completes nothing."""
        return False

    def place(self, row):
        return f"word {row}"

    def problem(self, window):
        """What is wrong with the row that the window starts with, and where."""
        data, start = window.data, window.start
        start += data[start : start + 1] == b"\n"
        space = data.find(b" ", start, min(start + LONGEST_WORD + 1, window.stop))
        where = f", {window.where(start)}"
        if space < 0:
            return where, f"expected a word of at most {LONGEST_WORD} bytes and a space"
        word = bytes(data[start:space])
        if not word or re.search(rb"[\0\t-\r]", word):
            return where, (
                f"expected a word, got {word!r:.40}; the vector size in the header is "
                "wrong, or the file is damaged before"
            )
        numbers = np.frombuffer(data, "<f4", self.vector_size, space + 1)
        number = int(np.argmin(np.isfinite(numbers)))
        where = f", {window.where(space + 1 + 4 * number)}"
        return where, (
            f"number {number + 1} of {self.vector_size} of the word {word!r:.40} is "
            f"{numbers[number]}; expected finite numbers"
        )


class Options(NamedTuple):
    """What the caller said about reading."""

    encoding: str
    decode_error: str
    duplicates: str
    limit: int


class Rows:
    """Words and vectors as they are read, without the words that stand twice."""

    def __init__(self, path, layout, options, n_rows):
        self._path, self._layout, self._options = path, layout, options
        self.words, self.n_read = [], 0
        self.vectors = np.empty((n_rows, layout.vector_size), dtype=np.float32)
        self._seen = set()
        self._spans = np.empty((_ROWS, 2), dtype=np.int64)

    def read(self, window, n_wanted):
        """Read at most so many rows, those whole in the window; return how many.

        Nothing but blanks up to the end of the file are no row.
        """
        n_words, layout = len(self.words), self._layout
        if n_words == len(self.vectors):
            more = n_words // 2 + max(1, _ROOM // (4 * layout.vector_size))
            self.vectors.resize((n_words + more, layout.vector_size), refcheck=False)
        rows = self.vectors[n_words : n_words + n_wanted]
        n_rows, position, is_wrong = layout.parse(window, rows, self._spans)
        layout.finish(rows[:n_rows])
        self._add(self._decode(window, self._spans[:n_rows]))
        self.n_read += n_rows
        window.start = position
        if is_wrong and not window.is_blank(layout.blanks):
            raise self._error(self.n_read, *layout.problem(window))
        return n_rows

    def _decode(self, window, spans):
        words = []
        encoding, errors = self._options.encoding, self._options.decode_error
        try:
            decode_words(window.data, spans, words, encoding.encode(), errors.encode())
        except UnicodeError as error:
            start, stop = spans[len(words)].tolist()
            raise self._error(
                self.n_read + len(words),
                f", {window.where(start)}",
                f"the word {bytes(window.data[start:stop])!r:.60} is cut, or not in "
                f'{encoding}; pass the right encoding=, or decode_error="replace" or '
                '"ignore"',
            ) from error
        if "" in words:
            raise self._error(
                self.n_read + words.index(""),
                "",
                f"nothing of the word is in {encoding}; pass the right encoding=, or "
                'decode_error="replace"',
            )
        return words

    def _add(self, words):
        """Take the words of the rows that were just parsed behind the others."""
        fresh = set(words)
        if len(fresh) < len(words) or not self._seen.isdisjoint(fresh):
            kept = self._first_ones(words)
            n_words = len(self.words)
            self.vectors[n_words : n_words + len(kept)] = self.vectors[n_words + kept]
            words = [words[i] for i in kept]
        self._seen |= fresh
        self.words += words

    def _first_ones(self, words):
        """The places of words that were not there before."""
        rows = {}
        for i, word in enumerate(words):
            if word in self._seen or word in rows:
                if self._options.duplicates == "raise":
                    row = self.words.index(word) if word in self._seen else rows[word]
                    raise self._error(
                        self.n_read + i,
                        "",
                        f"the word {word!r:.60} is the one of "
                        f"{self._layout.place(row)} again; pass "
                        'duplicates="first" to read the first alone',
                    )
            else:
                rows[word] = self.n_read + i
        return np.array(list(rows.values()), dtype=np.intp) - self.n_read

    def _error(self, row, where, problem):
        return ValueError(f"{self._path}, {self._layout.place(row)}{where}: {problem}.")

    def result(self):
        self.vectors.resize((len(self.words), self.vectors.shape[1]), refcheck=False)
        return self.vectors, self.words
