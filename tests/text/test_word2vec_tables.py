"""Tests of the Huffman tree, the noise table and the sub-sampling thresholds."""

import math
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import chisquare

from skml.text._word2vec_kernel import Trainer
from skml.text._word2vec_tables import alias_table, huffman_tree, keep_thresholds
from tests.oracles.word2vec import SplitMix64, draw_noise, shortest_total_length

_ZIPF = (1e6 / np.arange(1, 2001)).astype(np.int64)
COUNTS = {
    "two": [7, 2],
    "three": [1, 1, 1],
    "words tie with pairs of words": [40, 30, 10, 10, 10],
    "all the same": [5] * 100,
    "a power of two, all the same": [3] * 64,
    "powers of two": [2**i for i in range(40, -1, -1)],
    "one frequent word": [10**12, *[1] * 50],
    "Zipf": _ZIPF.tolist(),
    "random": sorted(np.random.default_rng(0).integers(1, 99, 500), reverse=True),
}

all_counts = pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)


def paths_of(tree):
    """The steps of each word."""
    return np.split(tree.steps[: tree.offsets[-1]], tree.offsets[1:-1])


def codes_of(tree):
    """The answers on the way to each word, as a str."""
    return ["".join(map(str, path % 2)) for path in paths_of(tree)]


# The Huffman tree


@all_counts
def test_tree_is_as_short_as_can_be(counts):
    counts = np.array(counts, dtype=np.int64)
    depth = np.diff(huffman_tree(counts).offsets)
    assert (depth * counts).sum() == shortest_total_length(counts)
    probability = counts / counts.sum()
    entropy = -(probability * np.log2(probability)).sum()
    mean_length = (depth * probability).sum()
    assert entropy - 1e-12 <= mean_length < entropy + 1


@all_counts
def test_codes_are_prefix_free(counts):
    codes = codes_of(huffman_tree(np.array(counts)))
    # A code that begins with another one would stand right behind it or its kin.
    ordered = sorted(codes)
    for code, following in pairwise(ordered):
        assert not following.startswith(code)
    # Nothing is left over: each inner node has two branches.
    assert math.fsum(2.0 ** -len(code) for code in codes) == pytest.approx(1)


@all_counts
def test_nodes_say_where_the_path_is(counts):
    """A node stands for one prefix, and every prefix has one node."""
    tree = huffman_tree(np.array(counts))
    prefix_of = {}
    for code, path in zip(codes_of(tree), paths_of(tree), strict=True):
        assert len(code) == len(path)
        for depth, node in enumerate((path // 2).tolist()):
            assert prefix_of.setdefault(node, code[:depth]) == code[:depth]
    assert sorted(prefix_of) == list(range(len(counts) - 1))
    assert len(set(prefix_of.values())) == len(prefix_of)


@all_counts
def test_tree_is_the_same_every_time(counts):
    one, other = huffman_tree(np.array(counts)), huffman_tree(np.array(counts))
    for name, dtype in [("offsets", np.int64), ("steps", np.int32)]:
        assert getattr(one, name).dtype == dtype
        assert_array_equal(getattr(one, name), getattr(other, name))


def test_words_of_one_count_have_codes_of_one_length():
    """Where 64 words are equally frequent, all codes have six answers."""
    assert {len(code) for code in codes_of(huffman_tree(np.full(64, 3)))} == {6}


def test_frequent_words_have_shorter_codes():
    depth = np.diff(huffman_tree(_ZIPF).offsets)
    assert (np.diff(depth) >= 0).all()


def test_tree_of_one_word_asks_nothing():
    tree = huffman_tree(np.array([12]))
    assert tree.offsets.tolist() == [0, 0]
    assert tree.steps.tolist() == [0] * 7


def test_tree_of_two_words_asks_once():
    tree = huffman_tree(np.array([12, 3]))
    assert tree.offsets.tolist() == [0, 1, 2]
    assert sorted(tree.steps[:2].tolist()) == [0, 1]
    assert not tree.steps[2:].any()


@all_counts
def test_nodes_are_numbered_by_visits(counts):
    """The first rows are the most trained: workers keep copies of them."""
    counts = np.array(counts)
    tree = huffman_tree(counts)
    visits = np.zeros(len(counts) - 1)
    for count, path in zip(counts, paths_of(tree), strict=True):
        visits[path // 2] += count
    assert (np.diff(visits) <= 0).all()


# The alias table

WEIGHTS = {
    "one word": [3.0],
    "two words": [1.0, 3.0],
    "all the same": [0.1] * 77,
    "Zipf to the 3/4": _ZIPF**0.75,
    "extreme ratio": [1e12, 1.0, 1e-6, 1e6, 1e-300, 1e12],
    "ascending": np.arange(1, 200.0),
}

all_weights = pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)


def probabilities(table):
    """What a table of n entries gives each word, counted over all n * 2**32 draws."""
    kept = ((table >> np.uint64(32)).astype(np.float64) + 1) / 2**32
    alias = (table & np.uint64(0xFFFFFFFF)).astype(np.int64)
    total = kept + np.bincount(alias, weights=1 - kept, minlength=len(table))
    return total / len(table)


@all_weights
def test_alias_table_holds_the_distribution(weights):
    table = alias_table(np.array(weights))
    assert table.dtype == np.uint64
    # A threshold of 32 bits is good to 2**-32; a tall word adds up many of them.
    expected = np.array(weights) / np.sum(weights)
    assert_allclose(probabilities(table), expected, rtol=0, atol=1e-9)


@all_weights
def test_scale_of_the_weights_does_not_matter(weights):
    scaled = np.array(weights) * 2.0**-20
    assert_array_equal(alias_table(scaled), alias_table(np.array(weights)))


@all_weights
def test_draws_follow_the_distribution(weights):
    n_draws, random = 50_000, SplitMix64(20130116)
    table = alias_table(np.array(weights))
    drawn = [draw_noise(table, random) for _ in range(n_draws)]
    observed = np.bincount(drawn, minlength=len(table))
    expected = np.array(weights) / np.sum(weights) * n_draws
    # Chi-square wants five in each class: what is rarer goes together.
    rare = expected < 5
    observed = np.append(observed[~rare], observed[rare].sum())
    expected = np.append(expected[~rare], expected[rare].sum())
    if expected[-1] < 5:
        assert observed[-1] <= 20
        observed, expected = observed[:-1], expected[:-1]
        expected *= observed.sum() / expected.sum()
    if len(expected) > 1:
        assert chisquare(observed, expected).pvalue > 1e-3
    else:
        assert observed.tolist() == [n_draws]


def test_generator_against_published_numbers():
    """The first numbers for seed 1234567 of the reference implementation in C."""
    random = SplitMix64(1234567)
    assert [random.draw() for _ in range(5)] == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


# Sub-sampling

ALL = 0xFFFFFFFF


@pytest.mark.parametrize("subsample", [1e-5, 1e-3, 0.1])
def test_thresholds_are_the_documented_probability(subsample):
    thresholds = keep_thresholds(_ZIPF, subsample)
    assert thresholds.dtype == np.uint32
    for count, threshold in zip(_ZIPF.tolist(), thresholds.tolist(), strict=True):
        ratio = subsample / (count / int(_ZIPF.sum()))
        expected = min(1.0, math.sqrt(ratio) + ratio)
        assert (threshold + 1) / 2**32 == pytest.approx(expected, abs=1e-9)


def test_rare_words_are_always_kept():
    counts = np.array([10**6, 10**3, 1])
    thresholds = keep_thresholds(counts, 1e-3)
    assert thresholds[0] < ALL
    assert thresholds[1:].tolist() == [ALL, ALL]


def test_zero_keeps_all():
    assert keep_thresholds(np.array([10**9, 1]), 0).tolist() == [ALL, ALL]


def test_rates_in_the_kernel():
    """One document of each word: with a window of 1, m words make 2 (m - 1) pairs."""
    counts = np.array([200_000, 100_000, 50_000, 10_000, 500])
    keep = keep_thresholds(counts, 1e-2)
    ids = np.repeat(np.arange(5, dtype=np.int32), counts)
    offsets = np.cumsum([0, *counts])
    matrices = np.zeros((2, 5, 8), dtype=np.float32)
    trainer = Trainer(
        *matrices,
        vector_size=8,
        keep=keep,
        noise=np.empty(0, dtype=np.uint64),
        path_offsets=np.zeros(6, dtype=np.int64),
        path_steps=np.zeros(7, dtype=np.int32),
        skip_gram=True,
        n_negatives=5,
        window=1,
        shrink_window=False,
    )
    random_state = np.array([1, 2], dtype=np.uint64)
    for word, count in enumerate(counts.tolist()):
        totals = np.zeros(2)
        trainer.train(
            ids,
            offsets,
            int(offsets[word]),
            int(offsets[word + 1]),
            rate=0.0,
            rate_decay=0.0,
            random_state=random_state,
            totals=totals,
            stop_flag=np.zeros(1, dtype=np.int32),
        )
        n_kept = totals[1] / 2 + 1
        frequency = count / counts.sum()
        expected = min(1.0, math.sqrt(0.01 / frequency) + 0.01 / frequency)
        spread = math.sqrt(count * expected * (1 - expected))
        assert abs(n_kept - count * expected) <= 4 * spread, f"word {word}"
