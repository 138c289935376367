"""Sequences are divided into batches, and padded."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from skml.neural._codec import PADDING
from skml.neural._torch._batches import divide, pad

RNG = np.random.default_rng(0)
LENGTHS = RNG.integers(1, 40, size=500)
PAIRS = np.column_stack([LENGTHS, np.maximum(1, LENGTHS + RNG.integers(-5, 5, 500))])


def size_of(lengths, rows):
    """The number of ids of a batch, padding included, on all sides."""
    of_rows = lengths[rows].reshape(len(rows), -1)
    return len(rows) * of_rows.max(axis=0).sum()


def generators():
    return [None, np.random.default_rng(1)]


@pytest.mark.parametrize("generator", generators(), ids=["sorted", "shuffled"])
@pytest.mark.parametrize("lengths", [LENGTHS, PAIRS], ids=["one", "pairs"])
@pytest.mark.parametrize("batch_size", [1, 40, 300, 10**6])
def test_each_row_once_and_within_the_budget(lengths, batch_size, generator):
    batches = divide(lengths, batch_size, generator)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) == 1 or size_of(lengths, rows) <= batch_size


@pytest.mark.parametrize("generator", generators(), ids=["sorted", "shuffled"])
def test_a_longer_sequence_is_a_batch_of_its_own(generator):
    batches = divide(np.array([3, 50, 3, 3]), 10, generator)
    assert [1] in [rows.tolist() for rows in batches]
    assert len(batches) == 2


def test_without_a_generator_batches_are_sorted():
    batches = divide(LENGTHS, 200)
    in_order = LENGTHS[np.concatenate(batches)]
    assert (np.diff(in_order) >= 0).all()
    for one, other in zip(batches, divide(LENGTHS, 200), strict=True):
        np.testing.assert_array_equal(one, other)


def test_batches_are_full():
    # A batch ends only where one more sequence would be too many.
    batches = divide(LENGTHS, 200)
    for rows, following in pairwise(batches):
        longest = LENGTHS[following[0]]
        assert (len(rows) + 1) * longest > 200


@pytest.mark.parametrize("lengths", [LENGTHS, PAIRS], ids=["one", "pairs"])
def test_a_generator_shuffles_but_lengths_stay_similar(lengths):
    generator = np.random.default_rng(3)
    first, second = (divide(lengths, 400, generator) for _ in range(2))
    assert [rows.tolist() for rows in first] != [rows.tolist() for rows in second]
    tops = np.array([lengths[rows].max() for rows in first])
    assert (np.diff(tops) < 0).any()  # short ones are not first
    n_padded = sum(size_of(lengths, rows) for rows in first)
    shuffled = generator.permutation(len(lengths))
    n_random = sum(size_of(lengths, rows) for rows in np.split(shuffled, 50))
    assert n_padded < 1.25 * lengths.sum() < n_random


def test_the_same_seed_divides_the_same():
    one, other = (divide(PAIRS, 100, np.random.default_rng(5)) for _ in range(2))
    for rows, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(rows, same)


@pytest.mark.parametrize("generator", generators(), ids=["sorted", "shuffled"])
@pytest.mark.parametrize("shape", [(0,), (0, 2)])
def test_nothing_is_no_batch(shape, generator):
    assert divide(np.empty(shape, dtype=np.intp), 10, generator) == []


def test_sequences_of_no_length_have_a_place():
    batches = divide(np.array([0, 0, 3]), 6)
    assert sorted(np.concatenate(batches).tolist()) == [0, 1, 2]


def test_padding_stands_behind():
    table, lengths = pad([np.array([5, 6]), np.array([7, 8, 9]), np.array([4])])
    P = PADDING
    assert table.tolist() == [[5, 6, P], [7, 8, 9], [4, P, P]]
    assert lengths.tolist() == [2, 3, 1]
    assert table.dtype == lengths.dtype == torch.int64


def test_sequences_without_ids_are_all_padding():
    table, lengths = pad([np.array([], dtype=int), np.array([4])])
    assert table.tolist() == [[PADDING], [4]]
    assert lengths.tolist() == [0, 1]
    assert pad([np.array([], dtype=int)])[0].shape == (1, 0)


def test_few_tokens_are_padding():
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 20, size=(20_000, 2))
    n_padded = 0
    for rows in divide(lengths, 500, generator):
        n_padded += len(rows) * lengths[rows].max(axis=0).sum()
    assert lengths.sum() > 0.85 * n_padded
