# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True
"""Rows of files of word vectors: from bytes to float32, without an object a number.

A function takes the bytes in memory, parses the rows that are there as a whole, and
says where it stopped and whether what stands there is wrong. What is wrong is for the
caller to find out, slowly.
"""

from cpython.unicode cimport PyUnicode_Decode
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.string cimport memchr, memcpy

cdef extern from "Python.h":
    double PyOS_string_to_double(const char *, char **, void *) except? -1.0

ctypedef const unsigned char *Text

cdef enum:
    # So many digits always fit into 64 bits.
    MAX_DIGITS = 19
    MAX_POWER = 64

cdef double[65] POWERS = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14,
    1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28,
    1e29, 1e30, 1e31, 1e32, 1e33, 1e34, 1e35, 1e36, 1e37, 1e38, 1e39, 1e40, 1e41, 1e42,
    1e43, 1e44, 1e45, 1e46, 1e47, 1e48, 1e49, 1e50, 1e51, 1e52, 1e53, 1e54, 1e55, 1e56,
    1e57, 1e58, 1e59, 1e60, 1e61, 1e62, 1e63, 1e64,
]
cdef double MARGIN = 2.0 ** -50


cdef inline bint is_blank(unsigned char c) noexcept nogil:
    return c == c' ' or c == c'\t'


cdef inline bint is_digit(unsigned char c) noexcept nogil:
    return <unsigned char>(c - c'0') < 10


cdef bint convert_slowly(Text start, float *number) noexcept with gil:
    """Convert what is known to be a number as Python's float does."""
    cdef char *end
    try:
        number[0] = <float>PyOS_string_to_double(<const char *>start, &end, NULL)
    except (MemoryError, ValueError):
        return False
    return True


cdef inline bint convert(
    uint64_t digits, int64_t power, bint negative, float *number
) noexcept nogil:
    """Round digits * 10 ** power to a float by way of a double, if that is certain.

    The conversion of the digits, the power, and their product or quotient are each off
    by 2 ** -53 at most, relatively, and so is the nearest double of the exact value. All
    are within 2 ** -50 of each other, and rounding to float keeps the order. So if both
    ends of that range give one float, the nearest double does too.
    """
    cdef double value = <double>digits
    cdef float low
    if digits != 0:
        if power < -MAX_POWER or power > MAX_POWER:
            return False
        value = value * POWERS[power] if power >= 0 else value / POWERS[-power]
    low = <float>(value * (1 - MARGIN))
    if low != <float>(value * (1 + MARGIN)):
        return False
    number[0] = -low if negative else low
    return True


cdef inline Text parse_number(Text text, float *number) noexcept nogil:
    """Parse a decimal number; return what follows it, NULL if there is none."""
    cdef Text p = text, first, point
    cdef uint64_t digits = 0
    cdef int64_t n_digits, power = 0, written = 0
    cdef bint negative = p[0] == c'-', below
    if p[0] == c'-' or p[0] == c'+':
        p += 1
    first = p
    while is_digit(p[0]):
        digits = 10 * digits + (p[0] - c'0')
        p += 1
    n_digits = p - first
    if p[0] == c'.':
        p += 1
        point = p
        while is_digit(p[0]):
            digits = 10 * digits + (p[0] - c'0')
            p += 1
        power = point - p
        n_digits += p - point
    if n_digits == 0:
        return NULL
    if p[0] == c'e' or p[0] == c'E':
        p += 1
        below = p[0] == c'-'
        if p[0] == c'-' or p[0] == c'+':
            p += 1
        if not is_digit(p[0]):
            return NULL
        while is_digit(p[0]):
            if written < 1_000_000_000:
                written = 10 * written + (p[0] - c'0')
            p += 1
        power += -written if below else written
    if n_digits > MAX_DIGITS:
        while first[0] == c'0' or first[0] == c'.':
            n_digits -= first[0] == c'0'
            first += 1
    if n_digits > MAX_DIGITS or not convert(digits, power, negative, number):
        if not convert_slowly(text, number):
            return NULL
    return p


cdef inline bint all_finite(
    const float *row, Py_ssize_t size, uint32_t exponent
) noexcept nogil:
    """Whether in no number all bits of the exponent are set: infinite, or NaN."""
    cdef uint32_t bits, found = 0
    cdef Py_ssize_t i
    for i in range(size):
        memcpy(&bits, row + i, 4)
        found |= (bits & exponent) == exponent
    return found == 0


cdef bint parse_numbers(
    Text p, Text end, Py_ssize_t size, float *row
) noexcept nogil:
    """Parse so many numbers, each behind one blank, that fill the text up to its end."""
    cdef Py_ssize_t i
    for i in range(size):
        if p >= end or not is_blank(p[0]):
            return False
        p = parse_number(p + 1, row + i)
        if p == NULL:
            return False
    return p == end


cdef Text parse_line(
    Text line, Text end, Py_ssize_t size, float *row
) noexcept nogil:
    """Parse a line, which a newline ends; return the end of its word, NULL if wrong."""
    cdef Text p = line
    cdef Py_ssize_t i
    if end > line and (end - 1)[0] == c'\r':
        end -= 1
    if end > line and is_blank((end - 1)[0]):
        end -= 1
    while p < end and not is_blank(p[0]):
        p += 1
    if parse_numbers(p, end, size, row):
        return p if p > line else NULL
    # A word with blanks in it: the numbers are the last fields.
    p = end
    for i in range(size):
        while p > line and not is_blank((p - 1)[0]):
            p -= 1
        if p == line:
            return NULL
        p -= 1
    if p == line or is_blank(line[0]) or is_blank((p - 1)[0]):
        return NULL
    return p if parse_numbers(p, end, size, row) else NULL


def parse_text(
    const unsigned char[::1] data,  # IN
    Py_ssize_t start,
    Py_ssize_t stop,
    float[:, ::1] rows,  # OUT
    int64_t[:, ::1] spans,  # OUT: start and stop of each word in data
    Py_ssize_t longest_line,
    Py_ssize_t longest_word,
):
    """Parse lines of a word and numbers.

    Returns
    -------
    n_rows : int
        How many rows were filled: all, or as many as there are whole lines.
    position : int
        Where the next line starts.
    is_wrong : bool
        Whether that line is wrong.
    """
    cdef Py_ssize_t n_rows = 0, n_wanted = min(rows.shape[0], spans.shape[0])
    cdef Text base = &data[0], line = base + start, end, word_end
    cdef bint is_wrong = False
    with nogil:
        while n_rows < n_wanted and line < base + stop:
            end = <Text>memchr(line, c'\n', base + stop - line)
            if end == NULL:
                is_wrong = base + stop - line > longest_line
                break
            word_end = NULL
            if end - line <= longest_line:
                word_end = parse_line(line, end, rows.shape[1], &rows[n_rows, 0])
            if (
                word_end == NULL
                or word_end - line > longest_word
                or not all_finite(&rows[n_rows, 0], rows.shape[1], 0x7F800000)
            ):
                is_wrong = True
                break
            spans[n_rows, 0] = line - base
            spans[n_rows, 1] = word_end - base
            n_rows += 1
            line = end + 1
    return n_rows, line - base, is_wrong


cdef inline bint is_plain(Text p, Text end) noexcept nogil:
    """Whether a word is not empty and without NUL, which floats are full of."""
    return p < end and memchr(p, 0, end - p) == NULL


def parse_binary(
    const unsigned char[::1] data,  # IN
    Py_ssize_t start,
    Py_ssize_t stop,
    float[:, ::1] rows,  # OUT, in the order of bytes of the file
    int64_t[:, ::1] spans,  # OUT: start and stop of each word in data
    Py_ssize_t longest_word,
):
    """Copy rows of a word, a space and numbers; see `parse_text` for what it returns.

    A newline before a word is skipped.
    """
    cdef Py_ssize_t n_rows = 0, n_wanted = min(rows.shape[0], spans.shape[0])
    cdef Py_ssize_t n_bytes = 4 * rows.shape[1]
    cdef Text base = &data[0], last = base + stop, row = base + start, word, space
    cdef unsigned char[4] pattern = [0, 0, 0x80, 0x7F]
    cdef uint32_t exponent
    cdef bint is_wrong = False
    memcpy(&exponent, pattern, 4)
    with nogil:
        while n_rows < n_wanted and row < last:
            word = row + (row[0] == c'\n')
            space = <Text>memchr(word, c' ', min(last - word, longest_word + 1))
            if space == NULL:
                is_wrong = last - word > longest_word
                break
            if last - space <= n_bytes:
                break
            memcpy(&rows[n_rows, 0], space + 1, n_bytes)
            if not (
                is_plain(word, space)
                and all_finite(&rows[n_rows, 0], rows.shape[1], exponent)
            ):
                is_wrong = True
                break
            spans[n_rows, 0] = word - base
            spans[n_rows, 1] = space - base
            n_rows += 1
            row = space + 1 + n_bytes
    return n_rows, row - base, is_wrong


def decode_words(
    const unsigned char[::1] data,  # IN
    const int64_t[:, ::1] spans,  # IN
    list words,  # OUT: those before one that cannot be decoded
    const char *encoding,
    const char *errors,
):
    """Append the words at the given places."""
    cdef const char *base = <const char *>&data[0]
    cdef Py_ssize_t i
    for i in range(spans.shape[0]):
        words.append(
            PyUnicode_Decode(
                base + spans[i, 0], spans[i, 1] - spans[i, 0], encoding, errors
            )
        )
