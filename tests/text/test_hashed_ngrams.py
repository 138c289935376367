"""Hashes of words and n-grams: those of fastText."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.text._hashed_ngrams import character_ngrams, hash_words, word_ngrams
from skml.text._vocabulary import spell
from tests.oracles.fasttext import character_buckets, hash_of, word_buckets

# Published values of FNV-1a; bytes above 127 are taken as signed only in fastText.
KNOWN = {"": 0x811C9DC5, "a": 0xE40C292C, "foobar": 0xBF9CF968}
# What fasttext-wheel 0.9.2 has, of 2 000 000 buckets and n-grams of 1 to 4 characters.
OF_FASTTEXT = {
    "a": [1008750, 1087600, 2220, 1614806],
    "\u00e9": [36627, 806231, 1043777, 1996781],
    "\u6708": [1480523, 386863, 52085, 1819153],
    "\U0001f63a": [42436, 1951246, 1807686, 654568],
    "\u0080": [216673, 1725581, 678751, 1244339],
    "\u00ff": [1144245, 351825, 157111, 195883],
    "\u660e\u6708\u5149": [
        *[1759129, 1102193, 700150, 637607, 1149007, 961304],
        *[1455314, 52085, 1085074, 1565636, 1969730, 960308],
    ],
}
WORDS = [
    *[
        "",
        "a",
        "foobar",
        "na\u00efve",
        "\u660e\u6708\u5149",
        "\u0928\u092e\u0938\u094d",
    ],
    *["\u0000", "x" * 70, "\U0001f63a<>", "</s>", "\ud800", "a b"],
    # Every byte that UTF-8 has: leading ones, and those that follow.
    *[chr(c) for c in range(0x40, 0x800, 31)],
    *[chr(c) for c in range(0x800, 0xD800, 1021)],
    *[chr(c) for c in range(0x10000, 0x110000, 40009)],
]


def buckets_of(words, **options):
    offsets, buckets = character_ngrams(*spell(words), **options)
    assert (offsets.dtype, buckets.dtype) == (np.int64, np.int32)
    return [part.tolist() for part in np.split(buckets, offsets[1:-1])]


def test_published_hashes():
    hashes = hash_words(*spell(list(KNOWN)))
    assert_array_equal(hashes.view(np.uint32), list(KNOWN.values()))


def test_hashes_of_words():
    expected = np.array([hash_of(word) for word in WORDS], dtype=np.uint32)
    hashes = hash_words(*spell(WORDS))
    assert hashes.dtype == np.int32
    assert_array_equal(hashes.view(np.uint32), expected)
    assert len(hash_words(*spell([]))) == 0


def test_ngrams_of_fasttext():
    found = buckets_of(list(OF_FASTTEXT), min_n=1, max_n=4, n_buckets=2_000_000)
    assert found == list(OF_FASTTEXT.values())


@pytest.mark.parametrize("n_buckets", [1, 1000, 2**31 - 1])
@pytest.mark.parametrize("lengths", [(1, 1), (1, 4), (3, 6), (2, 64), (64, 64)])
def test_ngrams_of_characters(lengths, n_buckets):
    low, high = lengths
    found = buckets_of(WORDS, min_n=low, max_n=high, n_buckets=n_buckets)
    assert found == [character_buckets(w, lengths, n_buckets) for w in WORDS]


def test_no_word_has_no_ngrams():
    assert buckets_of([], min_n=1, max_n=2, n_buckets=5) == [[]]
    assert buckets_of(["", ""], min_n=3, max_n=4, n_buckets=5) == [[], []]


@pytest.mark.parametrize("longest", [1, 2, 3, 40])
@pytest.mark.parametrize("n_buckets", [1, 1000, 2_000_000, 2**31 - 1])
def test_ngrams_of_words(longest, n_buckets):
    rng = np.random.default_rng(0)
    documents = [rng.integers(len(WORDS), size=n) for n in (0, 1, 2, 5, 0, 30)]
    offsets = np.cumsum([0, *map(len, documents)])
    ids = np.concatenate(documents).astype(np.int32)
    hashes = hash_words(*spell(WORDS))
    ends, buckets = word_ngrams(
        ids, offsets, hashes, max_n=longest, n_buckets=n_buckets
    )
    found = [part.tolist() for part in np.split(buckets, ends[1:-1])]
    words = [[WORDS[i] for i in document] for document in documents]
    assert found == [word_buckets(w, longest, n_buckets) for w in words]
    ends, buckets = word_ngrams(
        ids,
        offsets,
        hashes,
        max_n=longest,
        n_buckets=n_buckets,
        end_hash=hash_words(*spell(["</s>"]))[0],
        has_end=True,
    )
    found = [part.tolist() for part in np.split(buckets, ends[1:-1])]
    assert found == [word_buckets([*w, "</s>"], longest, n_buckets) for w in words]


def test_no_buckets_are_refused():
    hashes, offsets = np.zeros(1, np.int32), np.array([0, 0])
    with pytest.raises(ValueError, match="no buckets"):
        word_ngrams(hashes[:0], offsets, hashes, max_n=2, n_buckets=0)
    with pytest.raises(ValueError, match="no buckets"):
        character_ngrams(*spell(["a"]), min_n=1, max_n=2, n_buckets=0)
