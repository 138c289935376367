r"""What a character becomes, and what it is to a token, for the kernel of n-grams.

All of it is what Python and scikit-learn make of the character by itself. A document
with one whose lower case depends on its neighbours is left to Python.
"""

import re
from functools import lru_cache

from sklearn.feature_extraction.text import strip_accents_ascii, strip_accents_unicode

from skml._words import mark_table
from skml.text._alphabet import FLAGS, Alphabet

# Sigma has another lower case at the end of a word.
_CONTEXT = "\u03a3"
_JOINERS = "\u200c\u200d"
_STRIP = {
    None: lambda text: text,
    "ascii": strip_accents_ascii,
    "unicode": strip_accents_unicode,
}
# One class of characters, perhaps repeated, perhaps between boundaries of words.
_RUN = re.compile(
    r"(?:\(\?u\))?(?P<boundary>\\b)?"
    r"(?P<member>\\[wSd]|\[\^?(?:[^]\[\\^]|\\[wsdWSD])+\])(?P<more>(?P=member)*)"
    r"(?:\+|\{(?P<least>\d+),\})(?P<end>\\b)?"
)


@lru_cache(maxsize=16)
def alphabet(
    *, lowercase, strip_accents=None, member=r"\w", boundaries=False, with_marks=False
):
    """The alphabet of some parameters.

    Parameters
    ----------
    lowercase : bool
        Whether to convert to lower case.
    strip_accents : {"ascii", "unicode", None}
        Which accents to remove.
    member : str
        The regular expression of a character of a word.
    boundaries : bool
        Whether a word that another word character touches is none.
    with_marks : bool
        Whether words hold the combining marks behind their characters.

    Returns
    -------
    alphabet : Alphabet
        It is shared; threads may use it.
    """
    is_member = re.compile(member).match
    is_word = re.compile(r"\w").match
    marks = mark_table() if with_marks else b""
    strip = _STRIP[strip_accents]

    def flags(character):
        mark = marks[ord(character)] if ord(character) < len(marks) else 0
        return (
            FLAGS["member"] * bool(is_member(character))
            + FLAGS["word"] * (boundaries and bool(is_word(character)))
            + FLAGS["mark"] * bool(mark)
            + FLAGS["sign"] * (mark == 2)
            + FLAGS["joiner"] * (with_marks and character in _JOINERS)
            + FLAGS["space"] * character.isspace()
        )

    def describe(character):
        if lowercase and character == _CONTEXT:
            return [FLAGS["context"]]
        text = strip(character.lower() if lowercase else character)
        return [ord(c) + flags(c) for c in text]

    return Alphabet(describe)


@lru_cache(maxsize=64)
def read_pattern(pattern):
    r"""The class of characters and the least length of tokens, if that is all.

    Parameters
    ----------
    pattern : str
        The regular expression of a token.

    Returns
    -------
    options : dict or None
        `member` and `boundaries`, as `alphabet` takes them; None if it says more.
    min_characters : int
        How many members a token has at least. Tokens are the longest runs of members.
    """
    run = _RUN.fullmatch(pattern)
    if run is None or bool(run["boundary"]) != bool(run["end"]):
        return None, 1
    member, boundaries = run["member"], bool(run["boundary"])
    min_characters = len(run["more"]) // len(member) + int(run["least"] or 1)
    is_simple = min_characters >= 1 and (not boundaries or _is_within_words(member))
    # Between the words of an n-gram there is a blank.
    if not is_simple or re.match(member, " "):
        return None, 1
    return {"member": member, "boundaries": boundaries}, min_characters


@lru_cache(maxsize=64)
def _is_within_words(member):
    """Whether all members are word characters, so that a boundary ends each run."""
    if member == r"\w":
        return True
    everything = "".join(map(chr, range(0x110000)))
    return re.search(rf"(?=\W){member}", everything) is None
