"""Tests of the order of terms, and of the terms of several workers together."""

from threading import Barrier

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from skml.text import TfidfWeighter, _ngrams
from skml.text._characters import alphabet
from skml.text._ngrams import Analysis
from skml.text._term_order import SortedTerms
from skml.text._term_tree import TermTree
from skml.text._terms import Terms
from skml.text._texts import Texts
from skml.text._tfidf_vocabulary import Vocabulary

# Equal in their first eight bytes, or up to their end, or long.
WORDS = [
    *("", "a", "b", "ab", "abcdefgh", "abcdefghi", "abcdefghj", "abcdefg", "é", "中文"),
    *("abcdefghabcdefgh", "a\x00", "a\x00\x00", "\x00", "abcdefgh\x00", "x" * 300),
    *("x" * 299, "\ud800", "😀", "\uffff", "abcdefgha", "éééééééé", "éééééééa"),
]


def found_by_workers(rng, n_workers, ngram_range, *, of_words, stop_words=()):
    """The terms of workers, and their spelling, by loops."""
    analysis = Analysis(
        caller="test",
        alphabet=alphabet(lowercase=False),
        analyze=list,
        of_words=of_words,
        stop_words=stop_words,
        ngram_range=ngram_range,
    )
    workers, spelled = [], []
    symbols = WORDS if of_words else [word for word in WORDS if len(word) == 1]
    for n_documents in [0, *rng.integers(1, 20, size=n_workers - 1)]:
        terms, known = analysis.new_terms(), list(stop_words)
        counter = analysis.counter(terms)
        for _ in range(n_documents):
            chosen = rng.integers(len(symbols), size=rng.integers(0, 9))
            tokens = [symbols[i] for i in chosen]
            text = "".join(tokens)
            counter.count(
                Texts([tokens if of_words else text]), 0, 1, lambda text: [text]
            )
            tokens = [token for token in tokens if token not in stop_words]
            for n in range(1, ngram_range[1] + 1):
                for i in range(len(tokens) - n + 1):
                    known.append((" " if of_words else "").join(tokens[i : i + n]))
        workers.append(SortedTerms(terms))
        spelled.append(set(known))
    return analysis, workers, spelled


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("n_workers", [1, 2, 5])
@pytest.mark.parametrize("of_words", [True, False])
def test_terms_are_in_order_of_their_spelling(seed, n_workers, of_words):
    rng = np.random.default_rng(seed)
    stop_words = ("b", "never") if of_words and seed % 2 else ()
    _, workers, spelled = found_by_workers(
        rng, n_workers, (1, 1 + seed % 4), of_words=of_words, stop_words=stop_words
    )
    tree = TermTree(workers, n_jobs=1 + seed)
    everything = set().union(*spelled)
    assert tree.n_terms == len(everything)
    every = np.ones(tree.n_terms, dtype=np.uint8)
    numbers, nodes, sizes = tree.number(every, n_workers)
    assert_array_equal(numbers[nodes], np.arange(tree.n_terms))
    terms = Vocabulary(*tree.spell(numbers, sizes, 1 + seed)).terms
    assert set(terms) == everything
    # Some of these words hold characters that sort before the blank between words.
    words = [term.split(" ") for term in terms] if of_words else terms
    assert words == sorted(words)
    for renamed, known in zip(tree.renamed, spelled, strict=True):
        assert {terms[numbers[node]] for node in renamed} == known
        assert len(set(renamed.tolist())) == len(renamed)


def test_some_of_the_terms():
    rng = np.random.default_rng(0)
    _, workers, _ = found_by_workers(rng, 3, (1, 3), of_words=True)
    tree = TermTree(workers)
    everything, nodes, sizes = tree.number(np.ones(tree.n_terms, dtype=np.uint8))
    terms = Vocabulary(*tree.spell(everything, sizes)).terms
    is_found = rng.integers(0, 2, size=tree.n_terms).astype(np.uint8)
    for n_jobs in (1, 2, 50):
        numbers, _, sizes_found = tree.number(is_found, n_jobs)
        assert_array_equal(numbers >= 0, is_found)
        found = Vocabulary(*tree.spell(numbers, sizes_found, n_jobs)).terms
        assert found == [terms[everything[i]] for i in nodes if is_found[i]]
    with pytest.raises(ValueError, match=f"not {len(sizes_found)} terms with a number"):
        tree.spell(everything, sizes_found)
    with pytest.raises(ValueError, match="a number that was not given"):
        tree.spell(everything[::-1].copy(), sizes)
    with pytest.raises(ValueError, match="a number that was not given"):
        tree.spell(everything, sizes[::-1].copy())
    with pytest.raises(ValueError, match=f"1 marks of {tree.n_terms} terms"):
        tree.number(is_found[:1])


@pytest.mark.parametrize("n_jobs", [1, 2, 7])
@pytest.mark.parametrize("of_words", [True, False])
def test_terms_of_a_tree_are_found_again(of_words, n_jobs):
    rng = np.random.default_rng(1)
    stop_words = ("b", "never") if of_words else ()
    analysis, workers, _ = found_by_workers(
        rng, 3, (1, 3), of_words=of_words, stop_words=stop_words
    )
    tree, terms = TermTree(workers), Terms(of_words=of_words)
    numbers = tree.fill(terms, tree.renamed[0][: len(stop_words)], n_jobs)
    assert sorted(numbers.tolist()) == list(range(terms.n_terms))
    every = np.ones(tree.n_terms, dtype=np.uint8)
    places, _, sizes = tree.number(every)
    spelling, ends = tree.spell(places, sizes)
    # Each of them is found by its spelling, and none is new.
    found = terms.add(spelling, ends, 3)
    spelled = Vocabulary(spelling, ends).terms
    for node in range(tree.n_terms):
        term = spelled[places[node]]
        if "" not in term.split(" "):
            assert found[places[node]] == numbers[node], term
    assert [found[spelled.index(word)] for word in stop_words] == [
        *range(len(stop_words))
    ]
    document = ["a", "abcdefgh", "b"] if of_words else "ab"
    analysis.counter(terms).count(Texts([document]), 0, 1, list)
    # Neither is new, and the last word is a stop word.
    assert TermTree([SortedTerms(terms)]).n_terms == tree.n_terms
    with pytest.raises(ValueError, match=f"are {tree.n_terms} terms already"):
        tree.fill(terms, np.empty(0, dtype=np.int32))


def test_many_terms_are_found_in_tables_made_in_threads():
    analysis = Analysis("test", alphabet(lowercase=True), list, ngram_range=(1, 2))
    terms = analysis.new_terms()
    words = [f"word{i * i}" for i in range(5000)]
    counter = analysis.counter(terms)
    counter.count(Texts([" ".join(words)]), 0, 1, list)
    tree = TermTree([SortedTerms(terms)])
    for n_jobs in (1, 3, 100):
        closed = Terms(of_words=True)
        numbers = tree.fill(closed, np.empty(0, dtype=np.int32), n_jobs)
        again = analysis.counter(closed)
        again.count(Texts([" ".join(words)]), 0, 1, list)
        assert_array_equal(again.counts.take_tokens(), numbers[tree.renamed[0]])


def test_no_terms():
    for of_words in (True, False):
        rng = np.random.default_rng(0)
        _, workers, _ = found_by_workers(rng, 1, (1, 2), of_words=of_words)
        tree = TermTree(workers)
        nothing = np.empty(0, dtype=np.int32)
        for n_jobs in (1, 2):
            numbers, _, sizes = tree.number(nothing.astype(np.uint8), n_jobs)
            spelling, ends = tree.spell(numbers, sizes, n_jobs)
            assert (tree.n_terms, len(spelling), ends.tolist()) == (0, 0, [0])
            assert len(tree.fill(Terms(of_words=of_words), nothing, n_jobs)) == 0


def test_what_threads_count_together(monkeypatch):
    """Each thread has documents of its own: they wait until all have begun."""
    monkeypatch.setattr(_ngrams, "LEAST", 1)
    monkeypatch.setattr(_ngrams, "LEAST_TERMS", 1)
    barrier, count = Barrier(3), Analysis.count

    def wait_and_count(self, counter, documents, first, last, position):
        if first < 3:
            barrier.wait(10)
        return count(self, counter, documents, first, last, position)

    documents = [f"w{i} w{i % 7} shared words w{3 * i}" for i in range(40)]
    parameters = {"ngram_range": (1, 3), "max_features": 60}
    expected = TfidfWeighter(**parameters).fit(documents)
    monkeypatch.setattr(Analysis, "count", wait_and_count)
    weighter = TfidfWeighter(**parameters, n_jobs=3)
    found = weighter.fit_transform(documents)
    monkeypatch.setattr(Analysis, "count", count)
    assert weighter.vocabulary_ == expected.vocabulary_
    for weights in (found, weighter.transform(documents)):
        assert (weights != expected.transform(documents)).nnz == 0


@pytest.mark.parametrize("of_words", [True, False])
def test_memory_of_terms_serves_others(of_words):
    analysis = Analysis(
        "test", alphabet(lowercase=True), list, of_words=of_words, ngram_range=(1, 2)
    )
    counter = analysis.counter(analysis.new_terms())
    documents = Texts(["dog cat dog", "cat", "bird"])

    def counted(first, last):
        counter.count(documents, first, last, list)
        df = np.zeros(100, dtype=np.int64)
        counter.counts.add_document_frequencies(None, df)
        return counter.counts.take_tokens().tolist(), df.tolist()

    expected = counted(1, 3)
    for first in (0, 1, 2):
        counter.clear()
        counted(first, 3)
    counter.clear()
    assert counted(1, 3) == expected


def test_closed_terms_are_not_forgotten():
    terms = Terms(of_words=True)
    terms.close()
    with pytest.raises(ValueError, match="may be shared"):
        terms.clear()
