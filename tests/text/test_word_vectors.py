"""WordVectors: looking up, comparing and searching."""

import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.text import WordVectors, _nearest


def plain_search(vectors, words, positive, negative, topn, method):
    """Score every word by itself, in double precision; rows break ties."""
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    scored = []
    for row, word in enumerate(words):
        if word in positive or word in negative:
            continue
        to_positive = [float(unit[row] @ unit[words.index(p)]) for p in positive]
        to_negative = [float(unit[row] @ unit[words.index(n)]) for n in negative]
        if method == "3CosMul":
            above = np.prod([(1 + c) / 2 for c in to_positive])
            score = above / (np.prod([(1 + c) / 2 for c in to_negative]) + 1e-3)
        else:
            target = sum(unit[words.index(p)] for p in positive) - sum(
                unit[words.index(n)] for n in negative
            )
            score = (sum(to_positive) - sum(to_negative)) / np.linalg.norm(target)
        scored.append((-score, row, word))
    return [(word, -score) for score, _, word in sorted(scored)[:topn]]


def random_words(n_words=60, size=7, seed=0):
    vectors = np.random.default_rng(seed).normal(size=(n_words, size))
    return WordVectors(vectors, [f"w{i}" for i in range(n_words)])


def assert_same_answers(found, expected):
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert_allclose([s for _, s in found], [s for _, s in expected], atol=2e-6)


QUERIES = [
    (["w3"], []),
    (["w3", "w4"], ["w5"]),
    (["w3", "w4", "w3"], ["w5", "w9"]),
    ([], ["w7"]),
]


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles that cut the words and the queries several times."""
    monkeypatch.setattr(_nearest, "TILE", 16)
    monkeypatch.setattr(_nearest, "_QUERIES", 3)


# Search


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
@pytest.mark.parametrize("topn", [1, 5, 30, 1000])
@pytest.mark.parametrize(("positive", "negative"), QUERIES)
def test_most_similar_as_word_by_word(positive, negative, topn, method, small_tiles):
    words = random_words()
    found = words.most_similar(positive, negative, topn=topn, method=method)
    asked = words.vectors.astype(float), words.words, positive, negative, topn, method
    assert_same_answers(found, plain_search(*asked))


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
@pytest.mark.parametrize("n_candidates", [1, 2, 15, 16, 40, 60])
def test_candidates_are_ranked_as_among_all(n_candidates, method, small_tiles):
    words = random_words()
    chosen = np.random.default_rng(n_candidates).permutation(words.words)
    chosen = chosen[:n_candidates].tolist()
    positive, negative = map(list, zip(*QUERIES, strict=True))
    options = {"method": method, "topn": 7}
    found = words.most_similar(positive, negative, candidates=chosen, **options)
    every = words.most_similar(positive, negative, method=method, topn=60)
    for answers, expected in zip(found, every, strict=True):
        expected = [(word, score) for word, score in expected if word in chosen][:7]
        assert_same_answers(answers, expected)
    given = {word for word, _ in words.nearest(words["w3"], candidates=set(chosen * 2))}
    assert len(given) == min(n_candidates, 10)
    assert given <= set(chosen)


def test_candidates_that_are_equal_come_in_order_of_the_rows(small_tiles):
    words = WordVectors(np.ones((50, 2)), [f"w{i}" for i in range(50)])
    found = words.most_similar("w3", candidates=["w40", "w3", "w9", "w17"])
    assert [word for word, _ in found] == ["w9", "w17", "w40"]
    assert words.most_similar("w3", candidates=["w3"]) == []


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_many_queries_are_answered_as_one_by_one(method, small_tiles):
    words = random_words()
    positive, negative = map(list, zip(*QUERIES, strict=True))
    together = words.most_similar(positive, negative, topn=4, method=method)
    assert len(together) == len(QUERIES)
    for found, query in zip(together, QUERIES, strict=True):
        assert_same_answers(found, words.most_similar(*query, topn=4, method=method))


def test_many_queries_may_have_one_side_only():
    words = random_words()
    asked = [[words.words[0]], words.words[1:3]]
    for side in ("positive", "negative"):
        together = words.most_similar(**{side: asked}, topn=4)
        for found, query in zip(together, asked, strict=True):
            assert_same_answers(found, words.most_similar(**{side: query}, topn=4))


def test_ties_come_in_order_of_the_rows(small_tiles):
    """All but the query are the same vector, in more than one tile."""
    vectors = np.tile([1.0, 2.0], (50, 1))
    vectors[20] = [2.0, 1.0]
    words = WordVectors(vectors, [f"w{i}" for i in range(50)])
    for topn in (1, 3, 18, 40):
        expected = [f"w{i}" for i in range(50) if i != 20][:topn]
        assert [word for word, _ in words.most_similar("w20", topn=topn)] == expected


def test_words_of_the_query_are_no_answer():
    words = random_words(5)
    found = words.most_similar(["w0", "w1"], ["w2"])
    assert {word for word, _ in found} == {"w3", "w4"}
    assert words.most_similar(words.words) == []


def test_vectors_may_be_part_of_a_query():
    words = random_words()
    by_word = words.most_similar(["w3", "w4"], ["w5"], topn=60)
    by_vector = words.most_similar([words["w3"], "w4"], words["w5"], topn=60)
    # A vector excludes nothing: only w4 is no answer.
    assert {word for word, _ in by_vector} == set(words.words) - {"w4"}
    others = [pair for pair in by_vector if pair[0] not in ("w3", "w5")]
    assert_same_answers(others, by_word)


def test_nearest():
    words = random_words()
    [first, second] = words.nearest(words.vectors[[8, 9]] * 3, topn=2)
    assert (first[0][0], second[0][0]) == ("w8", "w9")
    assert first[0][1] == pytest.approx(1)
    assert_same_answers(words.nearest(words.vectors[8], topn=2), first)
    assert_same_answers(first[1:], words.most_similar("w8", topn=1))
    assert words.nearest(np.empty((0, 7))) == []


def test_zero_vectors_are_similar_to_nothing():
    words = WordVectors([[0, 0], [1, 0], [-1, 0]], ["zero", "one", "minus"])
    assert words.most_similar("zero") == [("one", 0.0), ("minus", 0.0)]
    assert words.most_similar("one") == [("zero", 0.0), ("minus", -1.0)]
    assert words.nearest([0, 0], topn=1) == [("zero", 0.0)]
    assert words.similarity("zero", "zero") == 0


def test_known_analogy():
    """Two directions, gender and rank: the fourth corner of the square is found."""
    vectors = np.array([[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1], [0, 3, 0]])
    words = WordVectors(vectors, ["man", "woman", "king", "queen", "female"])
    for method in ("3CosAdd", "3CosMul"):
        found = words.most_similar(["king", "woman"], ["man"], method=method)
        assert found[0][0] == "queen"


def test_as_gensim():
    models = pytest.importorskip("gensim.models")
    words = random_words(500, 20)
    peer = models.KeyedVectors(20)
    peer.add_vectors(words.words, words.vectors)
    query = ["w1", "w2"], ["w3"]
    assert_same_answers(words.most_similar(*query), peer.most_similar(*query))
    assert_same_answers(words.most_similar("w9"), peer.most_similar("w9"))
    assert_allclose(words.similarity("w5", "w6"), peer.similarity("w5", "w6"), 1e-5)
    some = [f"w{i}" for i in range(30, 40)]
    assert words.doesnt_match(some) == peer.doesnt_match(some)


# Words, pairs and groups


def test_look_up():
    words = WordVectors(np.arange(6).reshape(3, 2), ["a", "b", "诗"])
    assert_array_equal(words["诗"], [4, 5])
    assert_array_equal(words[["诗", "a", "诗"]], [[4, 5], [0, 1], [4, 5]])
    assert words[[]].shape == (0, 2)
    assert "诗" in words
    assert "d" not in words
    assert len(words) == 3
    assert list(words) == words.words == ["a", "b", "诗"]
    assert words.vectors.dtype == np.float32
    assert repr(words) == "<WordVectors: 3 words, 2 dimensions>"


def test_what_is_looked_up_is_a_copy():
    words = random_words(3)
    words["w0"][:] = 0
    words[["w0", "w1"]][:] = 0
    assert words.vectors.all()


def test_vocabulary_may_be_a_dict():
    words = WordVectors([[1, 0], [0, 1]], {"second": 1, "first": 0})
    assert words.words == ["first", "second"]
    assert words.vocabulary == {"first": 0, "second": 1}


def test_float32_is_not_copied(tmp_path):
    vectors = np.ones((4, 3), dtype=np.float32)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    for given in (vectors, mapped):
        words = WordVectors(given, list("abcd"))
        assert np.shares_memory(words.vectors, given)
    assert isinstance(words.vectors, np.memmap)
    assert type(words["a"]) is type(words[["a"]]) is np.ndarray
    assert len(words.most_similar("a")) == 3


def test_similarity_of_lists():
    words = random_words()
    some, others = ["w1", "w2", "w3"], ["w4", "w5", "w6"]
    expected = [words.similarity(a, b) for a, b in zip(some, others, strict=True)]
    assert_allclose(words.similarity(some, others), expected, atol=1e-6)
    to_all = words.similarity("w1", others)
    assert_allclose(to_all, [words.similarity("w1", b) for b in others], atol=1e-6)
    assert -1 <= words.similarity("w1", "w1") <= 1


def test_doesnt_match():
    vectors = [[1, 0.1], [1, 0], [1, -0.1], [0, 1]]
    words = WordVectors(vectors, ["cat", "dog", "cow", "bread"])
    assert words.doesnt_match(["cat", "bread", "dog", "cow"]) == "bread"


def test_pickle_and_equality():
    words = random_words()
    words.most_similar("w1")
    again = pickle.loads(pickle.dumps(words))
    assert again == words
    assert again.most_similar("w1") == words.most_similar("w1")
    assert words != random_words(seed=1)
    assert words != "words"


def test_huge_and_tiny_vectors():
    words = WordVectors([[1e30, 0], [1e-30, 1e-30], [0, 1e38]], list("abc"))
    assert words.similarity("a", "b") == pytest.approx(0.5**0.5)
    assert words.most_similar("a") == [("b", pytest.approx(0.5**0.5)), ("c", 0.0)]


# Bad input


def test_cosines_are_not_above_one():
    """Equal ones are in the order of the rows, whatever rounding makes of them."""
    lines = np.random.default_rng(0).normal(size=(40, 30))
    vectors = np.vstack([lines * scale for scale in (0.1, 1, 3, 7)])
    words = WordVectors(vectors, [f"w{i}" for i in range(160)])
    for query, found in enumerate(words.nearest(vectors, topn=4)):
        assert max(score for _, score in found) <= 1
        same = [word for word, score in found if score == 1]
        assert same == sorted(same, key=words.vocabulary.get)
        opposite = words.most_similar([], [f"w{query}"], topn=160)
        assert min(score for _, score in opposite) >= -1


@pytest.mark.parametrize(
    ("vectors", "vocabulary", "error", "message"),
    [
        ([[1, 2]], "a", TypeError, "single str"),
        ([[1, 2]], ["a", "b"], ValueError, "2 words and vectors has 1 rows"),
        ([[1], [2]], ["a", "a"], ValueError, "'a' twice, in rows 0 and 1"),
        ([[1], [2]], ["a", 3], TypeError, r"3 \(int\) in row 1"),
        ([[1], [2]], {"a": 0, "b": 2}, ValueError, "rows 0 to 1"),
        ([1, 2], ["a", "b"], ValueError, r"shape \(2,\)"),
        ([[], []], ["a", "b"], ValueError, r"shape \(2, 0\)"),
        ([[1, 2], [3, np.nan]], ["a", "b"], ValueError, "row 1, column 1 is nan"),
        ([["x"]], ["a"], TypeError, "must be numbers"),
    ],
)
def test_bad_vectors_and_words(vectors, vocabulary, error, message):
    with pytest.raises(error, match=message):
        WordVectors(vectors, vocabulary)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda w: w["w100"], KeyError, "'w100' is not in the vocabulary of 60"),
        (lambda w: w["w5 "], KeyError, "Did you mean 'w5'"),
        (lambda w: w[["w1", "W5!"]], KeyError, "mean 'w5'.* put in lower case and sp"),
        (lambda w: w["W5!?"], KeyError, "'W5!.' is not in .* Did you mean 'w5'"),
        (lambda w: w[["w1", 2]], TypeError, r"got 2 \(int\)"),
        (lambda w: w.most_similar(), ValueError, "query 0 is empty"),
        (lambda w: w.most_similar([["w1"], []]), ValueError, "query 1 is empty"),
        (lambda w: w.most_similar([["w1"]], [["w2"]] * 2), ValueError, "1 queries and"),
        (lambda w: w.most_similar("w1", topn=0), ValueError, "topn"),
        (lambda w: w.most_similar("w1", topn=1.5), ValueError, "topn"),
        (lambda w: w.most_similar("w1", method="cos"), ValueError, "3CosMul"),
        (
            lambda w: w.most_similar("w1", candidates="w2"),
            TypeError,
            "is a str; pass a",
        ),
        (
            lambda w: w.nearest(w["w1"], candidates=[]),
            ValueError,
            "candidates is empty",
        ),
        (
            lambda w: w.most_similar("w1", candidates=["w2", "x", 3]),
            KeyError,
            "2 of 3 candidates are not in the vocabulary of 60 words: 'x', 3",
        ),
        (
            lambda w: w.nearest(w["w1"], candidates=list("abcdefg")),
            KeyError,
            "'a', 'b', 'c', 'd', 'e' and others",
        ),
        (lambda w: w.most_similar([np.ones(3)]), ValueError, "3 dimensions"),
        (lambda w: w.most_similar([np.full(7, np.inf)]), ValueError, "not finite"),
        (lambda w: w.most_similar([None]), TypeError, "word or a vector"),
        (lambda w: w.nearest(np.ones((2, 2, 2))), ValueError, r"\(2, 2, 2\)"),
        (lambda w: w.similarity(["w1"] * 2, ["w2"] * 3), ValueError, "2 words and"),
        (lambda w: w.doesnt_match(["w1"]), ValueError, "two words"),
    ],
)
def test_bad_queries(call, error, message):
    with pytest.raises(error, match=message):
        call(random_words())
