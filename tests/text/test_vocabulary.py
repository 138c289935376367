"""Tests of tokens to ids."""

from itertools import chain, pairwise

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.text import _vocabulary
from skml.text._vocabulary import (
    EncodedDocuments,
    count_ids,
    look_up,
    rank_terms,
    reindex,
)


@pytest.fixture(params=[1, 2, 3, 1 << 20], ids="chunk={}".format)
def chunk(request, monkeypatch):
    """Chunks that end inside, between and behind the documents."""
    monkeypatch.setattr(_vocabulary, "CHUNK", request.param)


def random_documents(seed, n_documents=40, n_terms=12):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, 6, size=n_documents) * rng.integers(0, 2, n_documents)
    return [rng.integers(0, n_terms, size=length).tolist() for length in lengths]


def encoded(documents):
    offsets = np.cumsum([0, *map(len, documents)], dtype=np.int64)
    ids = np.array(list(chain(*documents)), dtype=np.int32)
    return EncodedDocuments(ids, offsets)


def decoded(documents):
    ids, offsets = documents.ids.tolist(), documents.offsets
    return [ids[start:end] for start, end in pairwise(offsets)]


@pytest.mark.usefixtures("chunk")
def test_count_ids():
    ids = encoded(random_documents(0)).ids
    counts = count_ids(ids, 20)
    assert counts.dtype == np.int64
    assert_array_equal(counts, [(ids == term).sum() for term in range(20)])
    assert_array_equal(count_ids(ids[:0], 3), [0, 0, 0])


def test_rank_terms():
    terms = ["b", "a", "猫", "rare", "c"]
    counts = np.array([2, 2, 9, 1, 2])
    assert rank_terms(terms, counts).tolist() == [2, 1, 0, 4, 3]
    assert rank_terms(terms, counts, min_count=2).tolist() == [2, 1, 0, 4]
    assert rank_terms(terms, counts, max_features=2).tolist() == [2, 1]
    assert rank_terms(terms, counts, min_count=10).tolist() == []
    assert rank_terms(terms, counts, min_count=10).dtype == np.int64
    assert rank_terms([], np.array([], dtype=np.int64)).tolist() == []


def test_rank_does_not_depend_on_the_order_of_terms():
    rng = np.random.default_rng(0)
    terms = np.array([f"w{i}" for i in range(50)])
    counts = rng.integers(1, 5, size=50)
    ranked = terms[rank_terms(terms.tolist(), counts)]
    shuffle = rng.permutation(50)
    shuffled = terms[shuffle]
    again = shuffled[rank_terms(shuffled.tolist(), counts[shuffle])]
    assert_array_equal(again, ranked)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dropped", [0, 4, 11, 12])
def test_reindex_equals_a_loop(seed, dropped):
    rng = np.random.default_rng(seed)
    documents = random_documents(seed)
    new_id = rng.permutation(12).astype(np.int32)
    new_id[rng.permutation(12)[:dropped]] = -1
    expected = [[new_id[i] for i in ids if new_id[i] >= 0] for ids in documents]
    before = encoded(documents)
    after = reindex(before, new_id)
    assert decoded(after) == expected
    assert after.n_documents == len(documents)
    assert after.ids.dtype == np.int32
    assert after.offsets.dtype == np.int64
    assert dropped == 12 or np.shares_memory(after.ids, before.ids)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("documents", [[], [[]], [[], [1], []], [[0], [], []]])
def test_reindex_of_little(documents):
    after = reindex(encoded(documents), np.array([0, -1], dtype=np.int32))
    assert decoded(after) == [[i for i in ids if i == 0] for ids in documents]


def test_look_up():
    ids = look_up(["b", "new", "a"], {"a": 0, "b": 1})
    assert ids.dtype == np.int32
    assert_array_equal(ids, [1, -1, 0])
    assert look_up([], {"a": 0}).shape == (0,)
