"""Tests of the rows of counts, and of how they are weighed."""

import signal
import threading
import time
from collections import Counter

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.feature_extraction.text import TfidfTransformer

from skml.text import TfidfWeighter, _ngrams
from skml.text._count_rows import weigh_rows
from skml.text._threads import in_threads


def counted(documents):
    """The counts of documents of tokens, by a loop."""
    terms = sorted({token for tokens in documents for token in tokens})
    columns = {term: column for column, term in enumerate(terms)}
    counts = sparse.lil_matrix((len(documents), len(terms)))
    for row, tokens in enumerate(documents):
        for token, count in Counter(tokens).items():
            counts[row, columns[token]] = count
    return counts.tocsr()


@pytest.mark.parametrize("n_terms", [1, 2, 300, 5000])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_rows_are_those_of_a_loop(n_terms, n_jobs):
    """One term needs a bit, and 5 000 two digits; rows fill blocks, or are wider."""
    rng = np.random.default_rng(0)
    sizes = [0, 1, 2, 20_000, 0, 30, 9000, *rng.integers(0, 60, size=300), 0]
    documents = [[f"{i:04}" for i in rng.integers(n_terms, size=n)] for n in sizes]
    weighter = TfidfWeighter(norm=None, use_idf=False, n_jobs=n_jobs)
    found, expected = weighter.fit_transform(documents), counted(documents)
    assert found.has_canonical_format
    assert_array_equal(found.indptr, expected.indptr)
    assert_array_equal(found.indices, expected.indices)
    assert_array_equal(found.data, expected.data)


def test_more_empty_rows_than_a_block_has():
    documents = ["cat dog"] + 5000 * [""] + ["dog"] + 5000 * [""] + ["cat"]
    found = TfidfWeighter(norm=None, use_idf=False).fit_transform(documents)
    assert_array_equal(
        found.indptr[[0, 1, 5001, 5002, 10002, 10003]], [0, 2, 2, 3, 3, 4]
    )
    assert_array_equal(found.indices, [0, 1, 1, 0])


def test_counts_that_are_too_large_for_a_block():
    n = (1 << 20) + 3
    documents = ["b a", "a" + " b" * n + " a", "b"]
    parameters = {"token_pattern": r"\w", "norm": None, "use_idf": False}
    found = TfidfWeighter(**parameters).fit_transform(documents)
    assert_array_equal(found.toarray(), [[1, 1], [2, n], [0, 1]])


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("norm", ["l1", "l2", None])
@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_weights_are_those_of_scikit_learn(dtype, norm, index_dtype):
    rng = np.random.default_rng(0)
    counts = sparse.random(50, 40, density=0.2, format="csr", rng=rng, dtype=dtype)
    counts.data[:] = rng.integers(0, 9, size=counts.nnz)
    transformer = TfidfTransformer(norm=norm).fit(counts)
    expected = transformer.transform(counts)
    weights = transformer.idf_
    ends = counts.indptr.astype(np.int64)
    columns = counts.indices.astype(index_dtype)
    n_zeros = weigh_rows(counts.data, columns, ends, weights, norm)
    assert_array_equal(counts.data, expected.data)
    assert n_zeros == np.count_nonzero(expected.data == 0) > 0


def test_matrices_that_are_damaged():
    values, columns = np.ones(3), np.array([0, 1, 2], dtype=np.int32)
    weights = np.ones(2)
    with pytest.raises(IndexError, match="row 1 has no column 2"):
        weigh_rows(values, columns, np.array([0, 2, 3]), weights, None)
    columns[0] = -1
    with pytest.raises(IndexError, match="row 0 has no column -1"):
        weigh_rows(values, columns, np.array([0, 2, 3]), weights, None)
    for ends in ([0, 2, 4], [2, 1, 3], [-1, 1, 3]):
        with pytest.raises(ValueError, match="ends before it begins, or beyond"):
            weigh_rows(values, columns, np.array(ends), None, "l2")


def test_weights_of_many_rows_in_threads(monkeypatch):
    monkeypatch.setattr("skml.text._tfidf_weights.LEAST", 3)
    documents = [["a"] * (i % 5) + ["b"] * (i % 7) for i in range(100)]
    expected = TfidfWeighter().fit_transform(documents)
    for n_jobs in (2, 3, 200):
        found = TfidfWeighter(n_jobs=n_jobs).fit_transform(documents)
        assert_array_equal(found.data, expected.data)


def test_threads_raise_the_first_error_when_all_have_ended():
    ended = threading.Event()

    def run(i):
        if i == 1:
            ended.set()
        else:
            assert ended.wait(10)
        raise ValueError(f"worker {i}")

    with pytest.raises(ValueError, match="worker 0"):
        in_threads(run, [0, 1])
    assert in_threads(lambda i: i * i, [1, 2, 3]) == [1, 4, 9]
    assert in_threads(run, []) == []


def test_ctrl_c_waits_for_all_threads():
    main, ended = threading.get_ident(), threading.Event()

    def run(i):
        if i == 1:
            time.sleep(0.2)
            signal.pthread_kill(main, signal.SIGINT)
            time.sleep(0.3)
            ended.set()

    # Of a process that was started in the background, SIGINT may be ignored.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            in_threads(run, [0, 1])
    finally:
        signal.signal(signal.SIGINT, handler)
    assert ended.is_set()


@pytest.mark.parametrize("n_jobs", [1, 2, 3])
def test_threads_report_the_first_document_that_fails(monkeypatch, n_jobs):
    monkeypatch.setattr(_ngrams, "LEAST", 1)
    documents = 100 * [["a"]]
    for bad in (99, 57, 31):
        documents[bad] = ["a", bad]
    with pytest.raises(TypeError, match="token 1 of document 31 is 31"):
        TfidfWeighter(n_jobs=n_jobs).fit(documents)
