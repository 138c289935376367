"""Scores of short answers, slow and plain: character by character, token by token."""

import string
import unicodedata
from fractions import Fraction
from itertools import groupby

CJK_NAMES = (
    "CJK COMPATIBILITY IDEOGRAPH-",
    "CJK RADICAL ",
    "CJK UNIFIED IDEOGRAPH-",
    "HALFWIDTH KATAKANA",
    "HANGZHOU NUMERAL ",
    "HENTAIGANA LETTER ",
    "HIRAGANA ",
    "IDEOGRAPHIC CLOSING MARK",
    "IDEOGRAPHIC ITERATION MARK",
    "IDEOGRAPHIC NUMBER ZERO",
    "KANGXI RADICAL ",
    "KATAKANA ",
    "KATAKANA-HIRAGANA ",
    "MASU MARK",
    "VERTICAL IDEOGRAPHIC ITERATION MARK",
)
STAYS_WITH_THE_ONE_BEFORE = (
    "COMBINING KATAKANA-HIRAGANA ",
    "VARIATION SELECTOR-",
)


def is_punctuation(character, mixed):
    if character in string.punctuation:
        return True
    return mixed and unicodedata.category(character).startswith("P")


def is_cjk(character):
    return unicodedata.name(character, "").startswith(CJK_NAMES)


def tokens(text, mixed=True):
    text = [c for c in text.lower() if not is_punctuation(c, mixed)]
    kept = []
    for _, word in groupby(text, key=str.isalnum):
        word = "".join(word)
        kept.append(" " if word in ("a", "an", "the") else word)
    found = []
    for word in "".join(kept).split():
        parts = [""]
        for character in word:
            begins = mixed and is_cjk(character)
            stays = unicodedata.name(character, "").startswith(
                STAYS_WITH_THE_ONE_BEFORE
            )
            if begins or (mixed and parts[-1] and is_cjk(parts[-1][0]) and not stays):
                parts.append("")
            parts[-1] += character
        found += [part for part in parts if part]
    return found


def f1(true, pred):
    """2PR / (P + R) of two lists of tokens."""
    if not true or not pred:
        return Fraction(not true and not pred)
    left, n_common = list(true), 0
    for token in pred:
        if token in left:
            left.remove(token)
            n_common += 1
    if not n_common:
        return Fraction(0)
    precision, recall = Fraction(n_common, len(pred)), Fraction(n_common, len(true))
    return 2 * precision * recall / (precision + recall)


def scores(texts, prediction, mixed=True):
    """F1 and exact match of one question, whose right answers are a list of str."""
    pred = tokens(prediction, mixed)
    right = [tokens(text, mixed) for text in texts]
    right = [true for true in right if true] or [[]]
    best = max(f1(true, pred) for true in right)
    return best, any(" ".join(true) == " ".join(pred) for true in right)
