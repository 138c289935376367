"""Some hundred damaged files of word vectors; the benchmark of this name has more."""

import tracemalloc

import pytest

from benchmarks.fuzz_word_vectors import fuzz, make_seeds, write_input
from skml.text import WordVectors

SHAPES = [(1, 1), (3, 2), (20, 5)]


@pytest.fixture(autouse=True)
def _no_traces():
    """Leave no trace of memory to other tests, which it would slow down."""
    yield
    tracemalloc.stop()


def test_what_is_not_damaged_is_loaded(tmp_path):
    seeds = make_seeds(tmp_path, SHAPES)
    assert len(seeds) == 11 * len(SHAPES)
    for files in seeds:
        write_input(tmp_path / "input", files)
        assert len(WordVectors.load(tmp_path / "input")) in (1, 3, 20)


def test_damaged_files_are_value_errors_or_word_vectors(tmp_path):
    seeds = make_seeds(tmp_path, SHAPES)
    outcomes = [
        (options, outcome)
        for _, options, outcome in fuzz(tmp_path / "input", seeds, 0, range(700))
    ]
    assert [pair for pair in outcomes if pair[1].wrong] == []
    kinds = [outcome.kind for _, outcome in outcomes]
    assert len(kinds) == 700
    # Both happen, or the damage is not worth the name.
    assert min(kinds.count("WordVectors"), kinds.count("ValueError")) > 50
