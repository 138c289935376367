"""Rows of words and vectors, as text or binary: parsed, checked, collected."""

import re
import sys
from functools import partial
from typing import NamedTuple

import numpy as np

from skml._fitting import warn_user
from skml.text._word_vector_parser import decode_words, parse_binary, parse_text

# WordVectorRows parsed at a time; rows of so many bytes are made room for at a time.
_ROWS = 4096
_ROOM = 1 << 16
# What is longer is not a word, and not a vector.
LONGEST_WORD = 1 << 20
LARGEST_VECTOR = 1 << 16
# So long may a number be on average over a line.
_BYTES_A_NUMBER = 64

BLANKS = b" \t\r\n"
NUMBER = re.compile(rb"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
# What programs write in place of a number that is not finite, or missing.
NOT_FINITE = re.compile(
    rb"[+-]?(?:nan(?:\(\w*\))?|inf(?:inity)?|1\.#\w+|\xe2\x88\x9e)|none|null|n/?a",
    re.IGNORECASE,
)
_EMPTY_LINES = re.compile(rb"[ \t\r\n]*\n")
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

    def step_over(self, window):
        """How many lines to skip as wrong, and where the next one starts.

        It is one, or all empty ones in a row; none of a line whose end is not known.
        """
        data, start, stop = window.data, window.start, window.stop
        empty = _EMPTY_LINES.match(data, start, stop)
        end = empty.end() if empty else data.find(b"\n", start, stop) + 1
        return data.count(b"\n", start, end), end

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

    def step_over(self, window):
        """How many rows to skip as wrong, and where the next one starts."""
        _, space = self._word(window)
        return int(space >= 0), space + 1 + 4 * self.vector_size

    def _word(self, window):
        """Where the first word starts, and the space behind it, or -1."""
        data, start = window.data, window.start
        start += data[start : start + 1] == b"\n"
        stop = min(start + LONGEST_WORD + 1, window.stop)
        return start, data.find(b" ", start, stop)

    def problem(self, window):
        """What is wrong with the row that the window starts with, and where."""
        data = window.data
        start, space = self._word(window)
        where = f", {window.where(start)}"
        if space < 0:
            return where, f"expected a word of at most {LONGEST_WORD} bytes and a space"
        word = bytes(data[start:space])
        if not word or b"\0" in word:
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
    """The options of reading."""

    encoding: str
    decode_error: str
    duplicates: str
    on_bad_rows: str
    limit: int


class WordVectorRows:
    """Words and vectors as they are read, without repeated words and bad rows."""

    def __init__(self, path, layout, options, n_rows):
        self._path, self._layout, self._options = path, layout, options
        self.limit = options.limit
        self.words, self.n_read = [], 0
        self.n_bad, self._first_problem = 0, ""
        self.vectors = np.empty((n_rows, layout.vector_size), dtype=np.float32)
        self._seen = set()
        self._spans = np.empty((_ROWS, 2), dtype=np.int64)

    def read(self, window, n_wanted):
        """Read so many rows, if they are whole in the window; return how many.

        They may be fewer, and more if they are empty lines. Nothing but blanks up to
        the end of the file are no row.
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
        if not is_wrong or window.is_blank(layout.blanks):
            return n_rows
        n_bad, end = layout.step_over(window)
        self._skip(n_bad, self.n_read, partial(layout.problem, window))
        self.n_read += n_bad
        window.start = end
        return n_rows + n_bad

    def _skip(self, n_rows, row, problem):
        """Count bad rows, or raise what is wrong with the first of them."""
        if not n_rows:
            raise self._error(row, *problem())
        if self._options.on_bad_rows == "error":
            raise ValueError(
                f"{self._error(row, *problem())} To leave out such rows, pass "
                'on_bad_rows="skip" to WordVectors.load.'
            )
        if not self.n_bad:
            where, what = problem()
            self._first_problem = f"{self._layout.place(row)}{where}: {what}"
        self.n_bad += n_rows

    def _decode(self, window, spans):
        """The words, with None in place of those to skip."""
        words = []
        encoding, errors = self._options.encoding, self._options.decode_error
        while len(words) < len(spans):
            left = spans[len(words) :]
            try:
                decode_words(
                    window.data, left, words, encoding.encode(), errors.encode()
                )
            except UnicodeError:
                row = len(words)
                problem = partial(self._undecoded, window, spans[row])
                self._skip(1, self.n_read + row, problem)
                words.append(None)
        while "" in words:
            row = words.index("")
            self._skip(1, self.n_read + row, self._nothing_decoded)
            words[row] = None
        return words

    def _nothing_decoded(self):
        return "", (
            f"nothing of the word is in {self._options.encoding}; pass the right "
            'encoding=, or decode_error="replace"'
        )

    def _undecoded(self, window, span):
        start, stop = span.tolist()
        return f", {window.where(start)}", (
            f"the word {bytes(window.data[start:stop])!r:.60} is cut, or not in "
            f"{self._options.encoding}; pass the right encoding=, or "
            'decode_error="replace" or "ignore"'
        )

    def _add(self, words):
        """Take the words of the rows that were just parsed behind the others."""
        fresh = set(words)
        if len(fresh) < len(words) or None in fresh or not self._seen.isdisjoint(fresh):
            fresh.discard(None)
            firsts = self._first_ones(words)
            n_words = len(self.words)
            stop = n_words + len(firsts)
            self.vectors[n_words:stop] = self.vectors[n_words + firsts]
            words = [words[i] for i in firsts]
        self._seen |= fresh
        self.words += words

    def _first_ones(self, words):
        """The places of words that were not there before."""
        rows = {}
        for i, word in enumerate(words):
            if word in self._seen or word in rows:
                if self._options.duplicates == "raise":
                    row = self.words.index(word) if word in self._seen else rows[word]
                    # WordVectorRows that were skipped are not counted in that.
                    place = "an earlier row" if self.n_bad else self._layout.place(row)
                    raise self._error(
                        self.n_read + i,
                        "",
                        f"the word {word!r:.60} is the one of {place} again; pass "
                        'duplicates="first" to read the first alone',
                    )
            elif word is not None:
                rows[word] = self.n_read + i
        return np.array(list(rows.values()), dtype=np.intp) - self.n_read

    def warn_of_bad_ones(self):
        """Warn of rows that were skipped; raise if nothing is left."""
        if self.n_bad and not self.words:
            raise ValueError(
                f"{self._path}: no row can be read; on_bad_rows='skip' leaves none. "
                f"The first of {self.n_read} is {self._first_problem}."
            )
        if self.n_bad:
            warn_user(
                f"{self._path}: skipped {self.n_bad} of {self.n_read} rows, which "
                "cannot be read (on_bad_rows='skip'); their words have no vectors. The "
                f"first is {self._first_problem}. Correct the file to keep them."
            )

    def _error(self, row, where, problem):
        return ValueError(f"{self._path}, {self._layout.place(row)}{where}: {problem}.")

    def result(self):
        self.vectors.resize((len(self.words), self.vectors.shape[1]), refcheck=False)
        return self.vectors, self.words
