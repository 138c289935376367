"""What FastTextClassifier learns: the tree of classes, rows of buckets, checks."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit

from skml.text import _fasttext_fitted
from skml.text._fasttext_fitted import FittedFastText, class_tree
from skml.text._tfidf_vocabulary import Vocabulary
from tests.oracles.fasttext import tree_of


def paths_of(counts):
    counts = np.array(counts)
    tree = class_tree(counts, np.argsort(-counts, kind="stable"))
    steps = np.split(tree.steps[: tree.offsets[-1]], tree.offsets[1:-1])
    return [[(s >> 1, s & 1) for s in path.tolist()] for path in steps]


RANDOM = np.random.default_rng(0)
COUNTS = {
    "one": [3],
    "two": [5, 3],
    "ties": [4, 4, 4, 4, 4],
    "many": sorted(RANDOM.integers(1, 60, 50).tolist(), reverse=True),
}


@pytest.mark.parametrize("counts", COUNTS.values(), ids=COUNTS)
def test_tree_of_classes(counts):
    assert paths_of(counts) == tree_of(counts)


def test_tree_of_classes_in_another_order():
    counts, order = np.array([9, 8, 6, 5, 2, 1]), [3, 0, 5, 1, 4, 2]
    expected = tree_of(counts.tolist())
    assert paths_of(counts[order]) == [expected[i] for i in order]


def fitted(**changes):
    rng = np.random.default_rng(1)
    fields = {
        "vocabulary": Vocabulary.of(["a", "b"]),
        "counts_": np.array([3, 2]),
        "input_vectors": rng.normal(size=(5, 4)).astype(np.float32),
        "buckets": np.array([2, 5, 7], dtype=np.int32),
        "n_buckets": 8,
        "output_vectors": rng.normal(size=(3, 4)).astype(np.float32),
        "classes_": np.array(["x", "y", "z"]),
        "class_counts": np.array([2, 5, 3]),
        "loss": "softmax",
        "is_multilabel": False,
        "word_ngrams": 2,
        "subwords": None,
        "end_of_line": False,
        "random_state": None,
        "loss_curve_": np.array([0.5]),
        "validation_score_": None,
        "n_iter_": 1,
    }
    return FittedFastText(**{**fields, **changes})


def test_what_fits_together_passes():
    fitted().check()
    none = np.empty(0, dtype=np.int32)
    words = fitted().input_vectors[:2]
    fitted(buckets=none, input_vectors=words, n_buckets=0, word_ngrams=1).check()


WRONG = {
    "float64": ("input_vectors", np.zeros((5, 4)), "input_vectors is float64"),
    "no dimension": ("input_vectors", np.zeros((5, 0), np.float32), "are of"),
    "a row less": ("input_vectors", np.zeros((4, 4), np.float32), r"\(4, 4\)"),
    "columns": ("input_vectors", np.zeros((5, 4), np.float32, "F"), "by rows"),
    "words": ("counts_", np.array([1]), "counts_"),
    "outputs": ("output_vectors", np.zeros((2, 4), np.float32), "output_vectors"),
    "int64": ("buckets", np.array([2, 5, 7]), "buckets is int64"),
    "order": ("buckets", np.array([2, 7, 5], np.int32), "do not ascend"),
    "twice": ("buckets", np.array([2, 5, 5], np.int32), "do not ascend"),
    "negative": ("buckets", np.array([-1, 5, 7], np.int32), "none of the 8"),
    "too large": ("buckets", np.array([2, 5, 8], np.int32), "none of the 8"),
    "no buckets": ("n_buckets", 0, "0 buckets"),
    "too many": ("n_buckets", 2**31, "buckets"),
    "no words": ("word_ngrams", 0, "up to 0 words"),
    "very long": ("word_ngrams", 2**63, "up to 9223372036854775808 words"),
    "lengths": ("subwords", (3, 2), "subwords are"),
    "floats": ("subwords", (1.0, 2), "subwords are"),
    "loss": ("loss", "hinge", "loss is 'hinge'"),
    "several": ("is_multilabel", True, "several classes"),
    "counts": ("class_counts", np.array([1, -1, 2]), "below 0"),
    "class": ("class_counts", np.array([1, 1]), "class_counts"),
    "places": ("class_ranks", np.array([0, 1, 1]), "no ranks of the classes"),
    "ranks": ("class_ranks", np.array([0, 1, 2]), "not from the most frequent class"),
    "curve": ("loss_curve_", np.array([1.0, 2.0]), "loss_curve_"),
    "score": ("validation_score_", np.array([1]), "validation_score_"),
}


@pytest.mark.parametrize(("name", "value", "message"), WRONG.values(), ids=WRONG)
def test_what_does_not_fit_is_refused(name, value, message):
    with pytest.raises(ValueError, match=message):
        replace(fitted(), **{name: value}).check()


def test_no_class_of_a_tree_is_empty():
    tree = fitted(loss="hierarchical-softmax", class_counts=np.array([4, 0, 2]))
    with pytest.raises(ValueError, match="below 1"):
        tree.check()


@pytest.mark.parametrize("most", [8, 7])
def test_rows_of_buckets(most, monkeypatch):
    monkeypatch.setattr(_fasttext_fitted, "_MOST_IN_TABLE", most)
    asked = np.arange(8, dtype=np.int32)
    rows = fitted().rows_of(asked)
    assert rows.dtype == np.int32
    assert_array_equal(rows, [-1, -1, 2, -1, -1, 3, -1, 4])
    every = fitted(buckets=asked, input_vectors=np.zeros((10, 4), np.float32))
    assert_array_equal(every.rows_of(asked), 2 + asked)
    none = fitted(buckets=asked[:0], input_vectors=np.zeros((2, 4), np.float32))
    assert_array_equal(none.rows_of(asked), [-1] * 8)


def test_a_pickle_holds_no_table():
    value = fitted(n_buckets=100_000)
    before = len(pickle.dumps(value))
    value.rows_of(np.array([2], dtype=np.int32))
    assert len(pickle.dumps(value)) == before


def test_probabilities_of_each_loss():
    vectors = np.random.default_rng(2).normal(size=(6, 4)).astype(np.float32)
    softmax = fitted()
    scores = vectors @ softmax.output_vectors.T
    powers = np.exp(scores)
    expected = powers / powers.sum(axis=1, keepdims=True)
    assert_allclose(softmax.proba(vectors), expected, rtol=1e-5)
    assert_allclose(softmax.decision(vectors), scores)
    several = fitted(loss="one-vs-rest", is_multilabel=True)
    assert_allclose(several.proba(vectors), expit(scores), rtol=1e-5)
    one = fitted(loss="one-vs-rest")
    expected = expit(scores) / expit(scores).sum(axis=1, keepdims=True)
    assert_allclose(one.proba(vectors), expected, rtol=1e-5)
    for value in (softmax, several, one):
        assert_allclose(np.exp(value.log_proba(vectors)), value.proba(vectors), 1e-5)
        assert value.proba(vectors).dtype == np.float32


def test_probabilities_of_the_tree():
    tree = fitted(loss="hierarchical-softmax", class_counts=np.array([1, 9, 3]))
    vectors = np.random.default_rng(2).normal(size=(6, 4)).astype(np.float32)
    scores = vectors @ tree.output_vectors.T
    # Of the counts 9, 3 and 1, the rarest two are joined first; the rarer is left.
    of_rare, of_all = expit(scores[:, 0]), expit(scores[:, 1])
    expected = np.stack(
        [(1 - of_all) * (1 - of_rare), of_all, (1 - of_all) * of_rare], axis=1
    )
    assert_allclose(tree.proba(vectors), expected, rtol=1e-5)
    assert_allclose(tree.proba(vectors).sum(axis=1), 1, rtol=1e-5)
    assert_allclose(tree.decision(vectors), np.log(expected), rtol=1e-4)


def test_order_of_classes_that_are_equally_frequent():
    counts = np.array([2, 5, 2])
    value = fitted(class_counts=counts, class_ranks=np.array([2, 0, 1]))
    value.check()
    paths = np.split(
        value.tree.steps[: value.tree.offsets[-1]], value.tree.offsets[1:-1]
    )
    paths = [[(s >> 1, s & 1) for s in path.tolist()] for path in paths]
    by_rank = tree_of([5, 2, 2])
    assert paths == [by_rank[2], by_rank[0], by_rank[1]]
    assert_array_equal(fitted(class_counts=counts).class_order, [1, 0, 2])


def test_decision_of_two_classes():
    two = {
        "classes_": np.array([0, 1]),
        "class_counts": np.array([2, 5]),
        "output_vectors": fitted().output_vectors[:2],
    }
    vectors = np.random.default_rng(2).normal(size=(6, 4)).astype(np.float32)
    for loss in _fasttext_fitted.LOSSES:
        value = fitted(**two, loss=loss)
        decision = value.decision(vectors)
        assert decision.shape == (6,)
        assert_array_equal(decision > 0, value.proba(vectors).argmax(axis=1) == 1)
