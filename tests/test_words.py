"""What a word is: as Python's own pattern, but that no combining mark tears it."""

import re
import unicodedata

import pytest

from skml._words import mark_table, word_pattern


def words(text, **parameters):
    return re.findall(word_pattern(**parameters), text)


def test_text_without_marks_has_the_words_of_scikit_learn():
    # Beyond two planes, ideographs and what is private or not assigned: each 29th.
    codes = [*range(0x20000), *range(0x20000, 0x110000, 29)]
    text = "".join(
        f"a{c}b {c}{c} x{c}!"
        for c in map(chr, codes)
        if unicodedata.category(c)[0] != "M"
    )
    assert words(text) == re.findall(r"\w+", text)
    assert words(text, min_characters=2) == re.findall(r"(?u)\b\w\w+\b", text)


@pytest.mark.parametrize(
    "text",
    [
        "बिल्ली सोती है में पी",
        "தமிழ் மொழி பூ நீ",
        "สวัสดี",
        "བོད་སྐད་མི",
        "مُحَمَّد كِتَاب",
        "שָׁלוֹם",
        "ශ්‍රී ලංකාව",  # a joiner behind a mark
        "র‍্যাব বাংলা",  # a joiner before a mark
        "葛󠄀飾区",  # a variation selector
        "İstanbul".lower(),
        unicodedata.normalize("NFD", "café Việt"),
    ],
)
def test_no_mark_tears_a_word(text):
    expected = text.replace("་", " ").split()
    assert words(text) == words(text, min_characters=2) == expected
    assert words(f"«{text}»,") == expected


@pytest.mark.parametrize("letter", ["e\u0301", "وَ", "क्", "葛󠄀", "1️⃣"])
def test_what_is_put_on_a_letter_is_no_second_character(letter):
    assert words(letter, min_characters=2) == []
    assert words(f"{letter}b", min_characters=2) == [f"{letter}b"]


def test_a_mark_or_joiner_without_a_letter_begins_no_word():
    assert words("\u0301ab \u200dcd می‌خواهم") == ["ab", "cd", "می", "خواهم"]


def test_the_table_has_all_marks():
    marks = {i for i in range(0x110000) if unicodedata.category(chr(i))[0] == "M"}
    assert {i for i, kind in enumerate(mark_table()) if kind} == marks
