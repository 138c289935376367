r"""What a word is: word characters, each with the combining marks behind it.

Python's ``\w`` knows no combining mark, and tears apart what is written with vowel
signs (Hindi, Tamil, Thai), vowel points (Arabic, Hebrew) or decomposed accents.
"""

import re
import unicodedata
from functools import cache

# Behind every other letter, one comparison says that no mark follows.
_BEYOND_LATIN = "(?=[^\\0-\u02ff])"
# Beside a mark, they choose the shape of a letter (Sinhala, Bengali, Malayalam).
_JOINERS = "\u200c\u200d"
_SELECTORS = re.compile("VARIATION SELECTOR|GRAPHEME JOINER")


@cache
def mark_table():
    """What each code point is to the word it stands in, as bytes.

    0 is no combining mark, as are those beyond the end; 2 is a vowel sign, which counts
    as a character of its own, as a letter does; 1 any other mark, such as an accent.
    """
    table = bytearray(0xE01F0)
    # Between these lie ideographs and what is not assigned.
    for code in (*range(0x300, 0x20000), *range(0xE0000, 0xE01F0)):
        # No mark is a letter or a number, which is quicker to ask.
        if not chr(code).isalnum() and unicodedata.category(chr(code))[0] == "M":
            table[code] = 1 + _is_vowel_sign(chr(code))
    return bytes(table)


def _is_vowel_sign(mark):
    """Whether a mark is more than something put on its letter, as an accent is."""
    # The classes from 84 to 132 are signs of Telugu, Thai, Lao and Tibetan.
    placement = unicodedata.combining(mark)
    return (
        (placement == 0 or 84 <= placement <= 132)
        and unicodedata.category(mark) != "Me"
        and not _SELECTORS.search(unicodedata.name(mark))
    )


@cache
def _character_class(kinds):
    """The inside of a class of a regular expression: the marks of some kinds."""
    runs = re.finditer(b"[%b]+" % bytes(kinds), mark_table())
    return "".join(f"{chr(run.start())}-{chr(run.end() - 1)}" for run in runs)


@cache
def mark_pattern():
    """The regular expression of a combining mark behind a character, with joiners."""
    marks = _character_class((1, 2))
    return f"{_BEYOND_LATIN}(?:[{marks}][{_JOINERS}]?|[{_JOINERS}](?=[{marks}]))"


@cache
def word_pattern(*, min_characters=1):
    r"""The regular expression, without groups, of words with one character or two.

    Where a text has no combining marks, it matches what ``\w+`` or ``\w\w+`` does.
    """
    mark, vowel_signs = mark_pattern(), _character_class((2,))
    rest = rf"(?:{mark}\w*)*"
    if min_characters == 1:
        return rf"\w+{rest}"
    one_letter = rf"\w{_BEYOND_LATIN}(?=(?:{mark})*?[\w{vowel_signs}])"
    return rf"(?:\w\w+|{one_letter}){rest}"
