"""Scores of word vectors: analogies and similarities, their files and scorers."""

import pickle
import warnings
from functools import partial
from itertools import pairwise, permutations
from types import SimpleNamespace

import numpy as np
import pytest
from gensim.models import KeyedVectors
from numpy.testing import assert_allclose, assert_array_equal
from scipy.stats import pearsonr, spearmanr
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skml.metrics import (
    _word_analogies,
    load_word_analogies,
    load_word_similarities,
    make_word_analogy_scorer,
    make_word_similarity_scorer,
    word_analogy_score,
    word_similarity_score,
)
from skml.text import EmbeddingTransformer, Word2VecTransformer, WordVectors
from tests.oracles import word_evaluation as oracle

ANALOGY_DEFAULTS = {
    "method": "3CosAdd",
    "restrict_vocabulary": 300_000,
    "case_sensitive": False,
    "unknown": "skip",
}
SIMILARITY_DEFAULTS = {
    "correlation": "spearman",
    "case_sensitive": False,
    "unknown": "skip",
}


def random_words(n_words=60, size=7, seed=0):
    """Random vectors; some words differ from an earlier one in case alone."""
    rng = np.random.default_rng(seed)
    words = [f"w{i}" if i % 7 else f"W{i - 2}" for i in range(2, n_words + 2)]
    return WordVectors(rng.normal(size=(n_words, size)), words)


def random_questions(words, n_questions=90, seed=1):
    """Questions with planted unknown words, half of the known ones easy to answer."""
    rng = np.random.default_rng(seed)
    vectors = words.vectors / np.linalg.norm(words.vectors, axis=1, keepdims=True)
    questions = []
    for i in range(n_questions):
        a, b, c, d = rng.choice(len(words), size=4, replace=False)
        if i % 2:
            order = (vectors @ (vectors[b] - vectors[a] + vectors[c])).argsort()
            d = next(row for row in order[::-1] if row not in (a, b, c))
        question = [words.words[row] for row in (a, b, c, d)]
        if i % 5 == 0:
            question[i % 4] = f"unknown{i}"
        questions.append(tuple(question))
    return questions


def random_pairs(words, n_pairs=50, seed=1):
    """Pairs with unknown words and equal scores among them."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(words), size=(n_pairs, 2))
    pairs = [
        (*(words.words[row] for row in pair), float(rng.integers(10))) for pair in rows
    ]
    return [*pairs, ("unknown", "w3", 9.0), ("w3", "nothing", 8.0)]


def square(n_steps=3):
    """A grid of words in the plane: each analogy along its sides is exact.

    The constant third coordinate keeps the vectors of different words apart in angle;
    all lengths are made equal by the fourth.
    """
    places = [(i, j) for i in range(n_steps) for j in range(n_steps)]
    sides = np.array([(i, j, 1.0) for i, j in places])
    fourth = np.sqrt(100 - (sides**2).sum(axis=1))
    words = WordVectors(
        np.column_stack([sides, fourth]), [f"{i}{j}" for i, j in places]
    )
    questions = [
        (f"{i}{j}", f"{k}{j}", f"{i}{m}", f"{k}{m}")
        for i, k in permutations(range(n_steps), 2)
        for j, m in permutations(range(n_steps), 2)
    ]
    return words, questions


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles that cut the words and the questions several times."""
    monkeypatch.setattr(_word_analogies, "_WORDS", 16)
    monkeypatch.setattr(_word_analogies, "_QUESTIONS", 3)


# Analogies


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_exact_analogies_are_all_right(method, small_tiles):
    words, questions = square()
    assert word_analogy_score(words, questions, method=method) == 1.0


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_wrong_analogies_are_all_wrong(method, small_tiles):
    words, questions = square()
    wrong = [
        (*question[:3], next(word for word in words if word not in question))
        for question in questions
    ]
    assert word_analogy_score(words, wrong, method=method) == 0.0


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
@pytest.mark.parametrize("restrict_vocabulary", [None, 40])
@pytest.mark.parametrize(
    ("case_sensitive", "unknown"), [(False, "skip"), (True, "skip"), (False, "wrong")]
)
def test_analogies_as_word_by_word(
    method, restrict_vocabulary, case_sensitive, unknown, small_tiles
):
    words = random_words()
    questions = random_questions(words)
    options = {
        "method": method,
        "restrict_vocabulary": restrict_vocabulary,
        "case_sensitive": case_sensitive,
        "unknown": unknown,
    }
    expected, answers = oracle.accuracy(
        words.vectors, words.words, questions, **options
    )
    details = word_analogy_score(words, questions, return_details=True, **options)
    assert details.answers == answers
    assert details.accuracy == expected
    assert word_analogy_score(words, questions, **options) == expected
    assert 0 < expected < 1


def test_details_are_those_of_the_sections(small_tiles):
    words = random_words()
    questions = random_questions(words)
    sections = {"first": questions[:13], "none": [], "": questions[13:]}
    sections["unknown"] = [("w3", "w4", "w5", "unknown")] * 2
    details = word_analogy_score(words, sections, return_details=True)
    assert list(details.sections) == ["first", "none", "", "unknown"]
    for name in ("first", ""):
        alone = word_analogy_score(words, sections[name], return_details=True)
        assert alone.sections[""] == details.sections[name]
        assert alone.accuracy == details.sections[name].accuracy
        assert alone.n_asked + alone.n_skipped == len(sections[name])
        assert alone.n_correct == round(alone.accuracy * alone.n_asked) > 0
        assert alone.n_skipped > 0
    for name, n_skipped in (("none", 0), ("unknown", 2)):
        assert np.isnan(details.sections[name].pop("accuracy"))
        assert details.sections[name] == {
            "n_correct": 0,
            "n_asked": 0,
            "n_skipped": n_skipped,
        }
    counts = [details[name] for name in ("n_correct", "n_asked", "n_skipped")]
    assert counts == [
        sum(section[name] for section in details.sections.values())
        for name in ("n_correct", "n_asked", "n_skipped")
    ]
    assert details.accuracy == counts[0] / counts[1]
    assert len(details.answers) == len(questions) + 2


def test_unknown_questions_may_count_as_wrong():
    words, questions = square(2)
    questions = [*questions, ("00", "01", "10", "12")]
    skipped = word_analogy_score(words, questions, return_details=True)
    wrong = word_analogy_score(words, questions, unknown="wrong", return_details=True)
    assert (skipped.accuracy, skipped.n_asked, skipped.n_skipped) == (1.0, 4, 1)
    assert (wrong.accuracy, wrong.n_asked, wrong.n_skipped) == (0.8, 5, 0)
    assert wrong.answers[-1] is None


@pytest.mark.parametrize("method", ["3CosAdd", "3CosMul"])
def test_of_equal_scores_that_in_the_lower_row_answers(method, small_tiles):
    """The right vector is there several times, in more than one tile."""
    vectors = np.zeros((50, 4))
    vectors[:, 3] = 1
    vectors[[10, 11, 12]] = [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0]]
    twins = [20, 21, 30, 49]
    vectors[twins] = [1, 1, 1, 0]
    words = WordVectors(vectors, [f"w{i}" for i in range(50)])
    questions = [("w10", "w11", "w12", f"w{i}") for i in twins]
    details = word_analogy_score(words, questions, method=method, return_details=True)
    assert details.answers == ["w20"] * 4
    assert details.accuracy == 0.25


def test_words_of_the_question_are_no_answer():
    """Without that rule the nearest word would be b or c."""
    words = WordVectors([[1, 0.1], [1, 0], [1, -0.1], [-1, 0]], list("abcd"))
    assert word_analogy_score(words, [tuple("abcd")]) == 1.0
    # The answer that is wanted is in the question: it cannot be right.
    assert word_analogy_score(words, [tuple("abcb"), tuple("abab")]) == 0.0


def test_no_word_is_left_to_answer():
    words = WordVectors(np.eye(3), list("abc"))
    details = word_analogy_score(words, [tuple("abcc")], return_details=True)
    assert (details.accuracy, details.n_asked, details.answers) == (0.0, 1, [None])


def test_spellings_are_one_word_unless_told_otherwise():
    """PARIS is nearest to the answer; France, right too, is not the first spelling."""
    vectors = [[1, 0, 0], [1, 1, 0], [1, 0, 1], [1, 0, 2], [1, 1.2, 1], [1, 1, 1]]
    words = ["rome", "Paris", "italy", "FRANCE", "PARIS", "France"]
    words = WordVectors(vectors, words)
    lower = [("rome", "paris", "italy", "france")]
    details = word_analogy_score(words, lower, return_details=True)
    assert (details.accuracy, details.answers) == (1.0, ["France"])
    exact = [("rome", "Paris", "italy", d) for d in ("PARIS", "FRANCE", "France")]
    details = word_analogy_score(
        words, [*exact, *lower], case_sensitive=True, return_details=True
    )
    assert (details.accuracy, details.n_asked) == (1 / 3, 3)
    assert details.answers == ["PARIS"] * 3 + [None]


def test_restricted_vocabulary():
    words, questions = square(3)
    of_four = [q for q in questions if all(words.vocabulary[w] < 6 for w in q)]
    details = word_analogy_score(
        words, questions, restrict_vocabulary=6, return_details=True
    )
    assert details.n_asked == len(of_four)
    assert 0 < len(of_four) < len(questions)
    assert all(words.vocabulary[a] < 6 for a in details.answers if a is not None)


def test_zero_vectors():
    words = WordVectors([[0, 0], [1, 0], [0, 1], [1, 1]], list("abcd"))
    assert word_analogy_score(words, [tuple("abcd")]) == 1.0


def test_length_and_type_of_vectors_do_not_matter(small_tiles):
    words = random_words()
    questions = random_questions(words)
    expected = word_analogy_score(words, questions, return_details=True)
    lengths = 10.0 ** np.random.default_rng(3).uniform(-30, 30, size=(60, 1))
    for vectors in (words.vectors * lengths, words.vectors.astype(np.float64)):
        other = SimpleNamespace(vectors=vectors, vocabulary=words.vocabulary)
        found = word_analogy_score(other, questions, return_details=True)
        assert found.answers == expected.answers


def test_questions_of_any_kind():
    words, questions = square(2)
    for given in (map(list, questions), np.array(questions), tuple(questions)):
        assert word_analogy_score(words, given) == 1.0


def write_questions(path, sections):
    with open(path, "w", encoding="utf-8") as file:
        for name, questions in sections.items():
            print(":", name, file=file)
            for question in questions:
                print(*question, file=file)


def gensim_vectors(words):
    peer = KeyedVectors(words.vector_size)
    peer.add_vectors(words.words, words.vectors)
    return peer


@pytest.mark.parametrize("restrict_vocabulary", [400, 300])
@pytest.mark.parametrize("case_sensitive", [False, True])
@pytest.mark.parametrize("unknown", ["skip", "wrong"])
def test_analogies_as_gensim(tmp_path, restrict_vocabulary, case_sensitive, unknown):
    words = random_words(400, 20)
    questions = random_questions(words, 200)
    sections = {"one": questions[:80], "two": questions[80:]}
    write_questions(tmp_path / "questions.txt", sections)
    peer, by_section = gensim_vectors(words).evaluate_word_analogies(
        str(tmp_path / "questions.txt"),
        restrict_vocab=restrict_vocabulary,
        case_insensitive=not case_sensitive,
        dummy4unknown=unknown == "wrong",
    )
    details = word_analogy_score(
        words,
        load_word_analogies(tmp_path / "questions.txt"),
        restrict_vocabulary=restrict_vocabulary,
        case_sensitive=case_sensitive,
        unknown=unknown,
        return_details=True,
    )
    assert details.accuracy == peer
    for section in by_section[:2]:
        ours = details.sections[section["section"]]
        n_correct, n_wrong = len(section["correct"]), len(section["incorrect"])
        assert (ours.n_correct, ours.n_asked) == (n_correct, n_correct + n_wrong)
        assert n_correct > 5
        assert n_wrong > 5


@pytest.mark.filterwarnings("ignore:Call to deprecated `init_sims`")  # gensim's own
def test_3cosmul_as_gensim():
    """gensim adds 1e-6 to the divisor, not 0.001: that decides between near equals."""
    words = random_words(400, 20)
    peer = gensim_vectors(words)
    questions = [q for q in random_questions(words, 60) if "unknown" not in str(q)]
    details = word_analogy_score(
        words, questions, method="3CosMul", case_sensitive=True, return_details=True
    )
    n_equal = 0
    for (a, b, c, _), answer in zip(questions, details.answers, strict=True):
        theirs = peer.most_similar_cosmul(positive=[b, c], negative=[a], topn=3)
        assert dict(theirs)[answer] > 0.99 * theirs[0][1]
        n_equal += answer == theirs[0][0]
    assert n_equal >= 0.9 * len(questions)


# Similarities


def test_similarities_in_the_right_order():
    """Angles to the first word grow, scores fall, neither in proportion."""
    angles = np.array([0, 0.1, 0.5, 0.6, 1.5])
    words = WordVectors(
        np.column_stack([np.cos(angles), np.sin(angles)]), list("abcde")
    )
    pairs = [
        ("a", other, score) for other, score in zip("bcde", [9, 8, 3, 1], strict=True)
    ]
    assert word_similarity_score(words, pairs) == pytest.approx(1)
    turned = [(a, b, -score) for a, b, score in pairs]
    assert word_similarity_score(words, turned) == pytest.approx(-1)
    linear = [
        ("a", b, np.cos(angle)) for b, angle in zip("bcde", angles[1:], strict=True)
    ]
    assert word_similarity_score(words, linear, correlation="pearson") == pytest.approx(
        1
    )
    assert 0.5 < word_similarity_score(words, pairs, correlation="pearson") < 0.999


@pytest.mark.parametrize("correlation", ["spearman", "pearson"])
@pytest.mark.parametrize("case_sensitive", [False, True])
@pytest.mark.parametrize("unknown", ["skip", "zero"])
def test_similarities_as_pair_by_pair(correlation, case_sensitive, unknown):
    words = random_words()
    pairs = random_pairs(words)
    options = {
        "correlation": correlation,
        "case_sensitive": case_sensitive,
        "unknown": unknown,
    }
    expected = oracle.similarity_correlation(
        words.vectors, words.words, pairs, **options
    )
    assert_allclose(word_similarity_score(words, pairs, **options), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("correlation", "judge"), [("spearman", spearmanr), ("pearson", pearsonr)]
)
@pytest.mark.parametrize("unknown", ["skip", "zero"])
def test_similarities_as_scipy_correlates_them(correlation, judge, unknown):
    words = random_words()
    pairs = random_pairs(words)
    details = word_similarity_score(
        words, pairs, correlation=correlation, unknown=unknown, return_details=True
    )
    asked = ~np.isnan(details.similarities)
    scores = np.array([score for *_, score in pairs])
    assert_allclose(
        details.correlation, judge(details.similarities[asked], scores[asked]).statistic
    )
    assert (details.n_asked, details.n_skipped) == (asked.sum(), (~asked).sum())
    assert details.n_skipped == (2 if unknown == "skip" else 0)
    assert_array_equal(details.similarities[-2:], np.nan if unknown == "skip" else 0.0)


@pytest.mark.parametrize("correlation", ["spearman", "pearson"])
@pytest.mark.parametrize("case_sensitive", [False, True])
@pytest.mark.parametrize("unknown", ["skip", "zero"])
def test_similarities_as_gensim(tmp_path, correlation, case_sensitive, unknown):
    words = random_words(100)
    pairs = random_pairs(words, 300)
    lines = ["\t".join(map(str, pair)) for pair in pairs]
    path = tmp_path / "pairs.tsv"
    path.write_text("\n".join(["# similarities", *lines]), encoding="utf-8")
    peer = dict(
        zip(
            ("pearson", "spearman", "unknown"),
            gensim_vectors(words).evaluate_word_pairs(
                str(path),
                case_insensitive=not case_sensitive,
                dummy4unknown=unknown == "zero",
            ),
            strict=True,
        )
    )
    found = word_similarity_score(
        words,
        load_word_similarities(path),
        correlation=correlation,
        case_sensitive=case_sensitive,
        unknown=unknown,
    )
    # gensim takes cosines in single precision.
    assert_allclose(found, peer[correlation].statistic, atol=1e-4)


def test_equal_similarities_share_their_rank():
    """Words equal to themselves, and pairs both ways, are ties to the last bit."""
    words = random_words(30, 50)
    names = [word for word in words.words if word.islower()]
    pairs = [(word, word, i) for i, word in enumerate(names)]
    pairs += [(a, b, 100) for a, b in pairwise(names)]
    pairs += [(b, a, -100) for a, b in pairwise(names)]
    found = word_similarity_score(words, pairs, return_details=True).similarities
    n = len(names)
    assert_array_equal(found[:n], 1.0)
    assert_array_equal(found[n : 2 * n - 1], found[2 * n - 1 :])


def test_similarity_to_a_zero_vector_is_zero():
    words = WordVectors([[0, 0], [1, 0], [1, 1]], list("abc"))
    pairs = [("a", "b", 1), ("b", "c", 2), ("a", "a", 0)]
    details = word_similarity_score(words, pairs, return_details=True)
    assert_allclose(details.similarities, [0, 0.5**0.5, 0])


def test_first_spelling_counts():
    words = WordVectors([[1, 0], [0, 1], [1, 1]], ["Cat", "cat", "dog"])
    pairs = [("CAT", "cat", 1), ("CAT", "dog", 0)]
    options = {"return_details": True}
    folded = word_similarity_score(words, pairs, **options)
    assert_allclose(folded.similarities, [1, 0.5**0.5])
    pairs = [("Cat", "cat", 1), ("cat", "dog", 0)]
    exact = word_similarity_score(words, pairs, case_sensitive=True, **options)
    assert_allclose(exact.similarities, [0, 0.5**0.5])


# What may be scored


def corpus():
    """Two topics; words of a topic occur together."""
    topics = [["cat", "dog", "cow", "pig", "hen"], ["car", "bus", "van", "cab", "jet"]]
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(topics[i % 2], size=8)) for i in range(120)]


ANALOGIES = {
    "pets": [("cat", "dog", "cow", "pig"), ("hen", "cow", "car", "bus")],
    "cars": [("car", "bus", "van", "cab"), ("jet", "van", "cat", "dog")],
}
SIMILARITIES = [
    ("cat", "dog", 9), ("cow", "pig", 8), ("car", "bus", 9), ("van", "cab", 7),
    ("cat", "car", 1), ("dog", "van", 2), ("hen", "jet", 0), ("pig", "bus", 1),
]  # fmt: skip


def test_estimators_and_pipelines_are_scored_by_their_word_vectors():
    word2vec = Word2VecTransformer(8, random_state=0).fit(corpus())
    words = word2vec.word_vectors_
    expected = word_similarity_score(words, SIMILARITIES)
    assert np.isfinite(expected)
    plain = SimpleNamespace(vectors=words.vectors, vocabulary=words.vocabulary)
    identity = FunctionTransformer()
    holders = [
        word2vec,
        plain,
        EmbeddingTransformer(words).fit(corpus()),
        make_pipeline(word2vec, identity),
        make_pipeline(identity, make_pipeline("passthrough", word2vec), None),
    ]
    for holder in holders:
        assert word_similarity_score(holder, SIMILARITIES) == expected
        assert word_analogy_score(holder, ANALOGIES) == word_analogy_score(
            words, ANALOGIES
        )


def test_memory_maps_are_scored(tmp_path, small_tiles):
    words = random_words()
    questions = random_questions(words)
    np.save(tmp_path / "vectors.npy", words.vectors)
    mapped = WordVectors(np.load(tmp_path / "vectors.npy", mmap_mode="r"), words.words)
    assert word_analogy_score(mapped, questions) == word_analogy_score(words, questions)
    pairs = random_pairs(words)
    found = word_similarity_score(mapped, pairs, return_details=True)
    expected = word_similarity_score(words, pairs, return_details=True)
    assert type(found.similarities) is np.ndarray
    assert found.correlation == expected.correlation


SCORES = [
    pytest.param(word_analogy_score, [("a", "b", "c", "d")], id="analogies"),
    pytest.param(word_similarity_score, [("a", "b", 1), ("b", "c", 2)], id="pairs"),
]


@pytest.mark.parametrize(("score", "against"), SCORES)
@pytest.mark.parametrize(
    ("holder", "error", "message"),
    [
        ({"a": [1, 2]}, TypeError, r"must have `vectors` and `vocabulary`.*\(dict\)"),
        (None, TypeError, r"got None \(NoneType\)"),
        (Word2VecTransformer(), NotFittedError, "not fitted yet"),
        (LinearRegression(), NotFittedError, "not fitted yet"),
        (LinearRegression().fit([[1]], [1]), TypeError, "LinearRegression"),
        (
            SimpleNamespace(vectors=np.ones(4), vocabulary={"a": 0}),
            ValueError,
            r"shape \(4,\)",
        ),
        (
            SimpleNamespace(vectors=[["x"]], vocabulary={"a": 0}),
            ValueError,
            "table of numbers",
        ),
        (
            SimpleNamespace(vectors=[[1.0]], vocabulary=["a"]),
            TypeError,
            "vocabulary must be a dict.*got a list",
        ),
        (
            SimpleNamespace(vectors=[[1.0], [2.0]], vocabulary={"a": 0, "b": 2}),
            ValueError,
            "rows 0 to 1",
        ),
        (
            SimpleNamespace(vectors=[[1.0], [2.0]], vocabulary={"a": 0}),
            ValueError,
            "rows 0 to 1",
        ),
        (
            SimpleNamespace(
                vectors=np.array([[1, 1], [1, 2], [1, np.nan], [2, 2]]),
                vocabulary={"a": 0, "b": 1, "c": 2, "d": 3},
            ),
            ValueError,
            "must be finite; row 2 is not",
        ),
    ],
)
def test_bad_word_vectors(score, against, holder, error, message):
    with pytest.raises(error, match=message):
        score(holder, against)


@pytest.mark.parametrize(
    "ask",
    [partial(word_analogy_score, random_words()), make_word_analogy_scorer],
    ids=["score", "scorer"],
)
@pytest.mark.parametrize(
    ("questions", "error", "message"),
    [
        ([], ValueError, "questions is empty"),
        ({"one": [], "two": []}, ValueError, "questions is empty"),
        ([("a", "b", "c", "d"), ("a", "b", "c")], ValueError, "question 1 has 3 words"),
        ({"s": [("a",) * 5]}, ValueError, "question 0 of section 's' has 5 words"),
        (["a b c d"], TypeError, r"question 0 is 'a b c d' \(str\)"),
        ([None], TypeError, r"question 0 is None \(NoneType\)"),
        ([("a", "b", 3, "d")], TypeError, r"question 0 holds 3 \(int\)"),
        ("questions-words.txt", TypeError, r"read a file .* load_word_analogies\(path"),
    ],
)
def test_bad_questions(questions, error, message, ask):
    with pytest.raises(error, match=message):
        ask(questions)


@pytest.mark.parametrize(
    "ask",
    [partial(word_similarity_score, random_words()), make_word_similarity_scorer],
    ids=["score", "scorer"],
)
@pytest.mark.parametrize(
    ("pairs", "error", "message"),
    [
        ([], ValueError, r"pairs has 0 pair\(s\); the correlation needs two"),
        ([("a", "b", 1)], ValueError, r"pairs has 1 pair\(s\); the correlation needs"),
        ([("a", "b", 1), ("a", "c", 1.0)], ValueError, "all 2 pairs have the score 1"),
        (
            [("a", "b", 1), ("a", "c", np.nan)],
            ValueError,
            r"pair 1, \('a', 'c'\), is nan",
        ),
        ([("a", "b", np.inf), ("a", "c", 1)], ValueError, "pair 0, .* is inf"),
        ([("a", "b")], ValueError, "pair 0 has 2 entries"),
        (["ab3"], TypeError, r"pair 0 is 'ab3' \(str\)"),
        ([7], TypeError, r"pair 0 is 7 \(int\)"),
        ([("a", "b", "3.5")], TypeError, "holds '3.5' .*expected a number there"),
        ([("a", 2, 3.5)], TypeError, "holds 2 .*expected a str there"),
        (b"pairs.txt", TypeError, r"read a file .* load_word_similarities\(path"),
    ],
)
def test_bad_pairs(pairs, error, message, ask):
    with pytest.raises(error, match=message):
        ask(pairs)


@pytest.mark.parametrize(
    ("function", "against", "options"),
    [
        (word_analogy_score, ANALOGIES, {"method": "3cosadd"}),
        (word_analogy_score, ANALOGIES, {"restrict_vocabulary": 0}),
        (word_analogy_score, ANALOGIES, {"unknown": "zero"}),
        (word_similarity_score, SIMILARITIES, {"correlation": "kendall"}),
        (word_similarity_score, SIMILARITIES, {"unknown": "wrong"}),
        (word_similarity_score, SIMILARITIES, {"case_sensitive": "yes"}),
    ],
)
def test_bad_options(function, against, options):
    (name,) = options
    with pytest.raises(ValueError, match=f"'{name}' parameter of {function.__name__}"):
        function(random_words(), against, **options)
    make = {
        word_analogy_score: make_word_analogy_scorer,
        word_similarity_score: make_word_similarity_scorer,
    }[function]
    with pytest.raises(ValueError, match=f"'{name}' parameter of {make.__name__}"):
        make(against, **options)


def test_nothing_is_known():
    words = random_words()
    with pytest.warns(
        UndefinedMetricWarning, match="each of the 4 questions"
    ) as caught:
        assert np.isnan(word_analogy_score(words, ANALOGIES))
    assert caught[0].filename == __file__
    with pytest.warns(UndefinedMetricWarning, match="words of 0 of 8 pairs") as caught:
        assert np.isnan(word_similarity_score(words, SIMILARITIES))
    assert caught[0].filename == __file__
    assert word_analogy_score(words, ANALOGIES, unknown="wrong") == 0.0
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(word_similarity_score(words, SIMILARITIES, unknown="zero"))


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param([("a", "b", 1), ("a", "x", 2)], id="one known"),
        pytest.param([("a", "b", 1), ("b", "a", 2)], id="equal cosines"),
        pytest.param([("a", "b", 1), ("a", "c", 1), ("a", "x", 2)], id="equal scores"),
    ],
)
@pytest.mark.parametrize("correlation", ["spearman", "pearson"])
def test_undefined_correlation(pairs, correlation):
    words = WordVectors([[1, 0], [1, 1], [0, 1]], list("abc"))
    with pytest.warns(UndefinedMetricWarning, match="correlation needs two at least"):
        score = word_similarity_score(words, pairs, correlation=correlation)
    assert np.isnan(score)


def test_no_words_at_all():
    words = WordVectors(np.empty((0, 3)), [])
    with pytest.warns(UndefinedMetricWarning, match="not among the 0 known"):
        assert np.isnan(word_analogy_score(words, ANALOGIES))
    with pytest.warns(UndefinedMetricWarning):
        assert np.isnan(word_similarity_score(words, SIMILARITIES))


# Files


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "file.txt"
        if isinstance(content, str):
            content = content.encode()
        path.write_bytes(content)
        return path

    return write


def test_read_analogies(write):
    path = write(
        "a b c d\n: capital cities\n\nAthens Greece  Oslo\tNorway\r\n"
        ": 诗\n# b c d\n男 女 王 后\n: capital cities\ne f g h"
    )
    expected = {
        "": [("a", "b", "c", "d")],
        "capital cities": [("Athens", "Greece", "Oslo", "Norway"), tuple("efgh")],
        "诗": [("#", "b", "c", "d"), tuple("男女王后")],
    }
    assert load_word_analogies(path) == expected
    assert load_word_analogies(str(path)) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no question"),
        (": section\n\n: other\n", "holds no question"),
        (": s\na b c d\na b c\n", r"file.txt, line 3: expected four words .* 'a b c'"),
        (":s\n", "line 1: expected four words or ': section'"),
        ("a b c d\n\na b c d e", "line 3: expected four words"),
        (b"a b c d\na b \xff d", "line 2: byte 5 of the line is not UTF-8"),
    ],
)
def test_bad_analogies(write, content, message):
    with pytest.raises(ValueError, match=message):
        load_word_analogies(write(content))


PAIRS = [("old", "new", 1.58), ("Jerusalem", "Israel", 8.46)]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("old\tnew\t1.58\nJerusalem\tIsrael\t8.46\n", id="tabs"),
        pytest.param("old new 1.58\nJerusalem  Israel 8.46", id="blanks"),
        pytest.param("old,new,1.58\r\nJerusalem,Israel,8.46\r\n", id="commas"),
        pytest.param("old;new;1.58\nJerusalem;Israel;8.46", id="semicolons"),
        pytest.param(
            "# a comment, with commas\n\n#\nWord 1,Word 2,Human (mean)\n"
            "old,new,1.58\n# more\nJerusalem,Israel,8.46",
            id="comments and a header",
        ),
        pytest.param(
            "word1\tword2\tPOS\tSimLex999\tconc(w1)\nold\tnew\tA\t1.58\t2.72\n"
            "Jerusalem\tIsrael\tN\t8.46\t2\n",
            id="a part of speech",
        ),
        pytest.param(
            "old\tnew\t1.58\t1\t2\nJerusalem\tIsrael\t8.46\t9\t8\n", id="more scores"
        ),
        pytest.param(b"\xef\xbb\xbfold new 1.58\nJerusalem Israel 8.46", id="a mark"),
    ],
)
def test_read_similarities(write, content):
    path = write(content)
    assert load_word_similarities(path) == PAIRS
    assert load_word_similarities(str(path)) == PAIRS


def test_words_may_hold_other_separators(write):
    path = write("ice cream\t1,000\t5\nhot dog\ta;b\t-2e0")
    expected = [("ice cream", "1,000", 5.0), ("hot dog", "a;b", -2.0)]
    assert load_word_similarities(path) == expected


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "holds no pair"),
        ("# a b 3\n", "holds no pair"),
        ("Word 1,Word 2,Human\n", "holds no pair"),
        ("a b\n", r"file.txt, line 1: expected two words .* between blanks, got 'a b'"),
        (
            "a\tb\t1\n\nc\td\tx\n",
            "line 3: expected two words and a number between tabs",
        ),
        ("x y z\nx y z\n", "line 2: expected two words"),
        ("a\tb\t1\na b 1\n", "line 2: .* between tabs"),
        ("a,,1\n", "line 1: expected two words"),
        ("a b 1\nc d nan\n", "line 2: the score is nan; it must be finite"),
        ("a b inf\n", "line 1: the score is inf"),
        ("a b 1\nc é 2\n".encode("latin-1"), "line 2: byte 3 of the line is not UTF-8"),
    ],
)
def test_bad_similarities(write, content, message):
    with pytest.raises(ValueError, match=message):
        load_word_similarities(write(content))


@pytest.mark.parametrize("load", [load_word_analogies, load_word_similarities])
def test_no_such_file(load, tmp_path):
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.txt")
    with pytest.raises(ValueError, match="'path' parameter"):
        load([("a", "b", "c", "d")])


# Scorers


def test_scorers_are_the_scores():
    word2vec = Word2VecTransformer(8, random_state=0).fit(corpus())
    options = {"method": "3CosMul", "unknown": "wrong", "restrict_vocabulary": 9}
    scorer = make_word_analogy_scorer(ANALOGIES, **options)
    expected = word_analogy_score(word2vec, ANALOGIES, **options)
    assert scorer(word2vec) == scorer(word2vec, ["ignored"], [0]) == expected
    options = {"correlation": "pearson", "case_sensitive": True, "unknown": "zero"}
    pairs = [*SIMILARITIES, ("Cat", "dog", 3)]
    scorer = make_word_similarity_scorer(iter(pairs), **options)
    expected = word_similarity_score(word2vec, pairs, **options)
    assert scorer(word2vec) == scorer(word2vec, ["ignored"], [0]) == expected
    assert expected != word_similarity_score(word2vec, pairs, correlation="pearson")


def test_scorers_can_be_read_pickled_and_cloned():
    word2vec = Word2VecTransformer(8, random_state=0).fit(corpus())
    analogy = make_word_analogy_scorer(ANALOGIES, method="3CosMul")
    assert repr(analogy) == (
        "make_word_analogy_scorer(<4 questions>, method='3CosMul', "
        "restrict_vocabulary=300000, case_sensitive=False, unknown='skip')"
    )
    similarity = make_word_similarity_scorer(SIMILARITIES)
    assert repr(similarity) == (
        "make_word_similarity_scorer(<8 pairs>, correlation='spearman', "
        "case_sensitive=False, unknown='skip')"
    )
    for scorer in (analogy, similarity):
        again = pickle.loads(pickle.dumps(scorer))
        assert repr(again) == repr(scorer)
        assert again(word2vec) == scorer(word2vec)
        search = GridSearchCV(word2vec, {"vector_size": [2]}, scoring=scorer)
        assert repr(clone(search).scoring) == repr(scorer)


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_grid_search(in_pipeline):
    """Each candidate gets the score of the vectors learned on its training part."""
    documents, cv = corpus(), KFold(2)
    estimator, prefix = Word2VecTransformer(random_state=0, max_iter=2), ""
    if in_pipeline:
        estimator = make_pipeline(estimator, FunctionTransformer())
        prefix = "word2vectransformer__"
    scorers = {
        "analogy": make_word_analogy_scorer(ANALOGIES),
        "similarity": make_word_similarity_scorer(SIMILARITIES),
    }
    search = GridSearchCV(
        estimator,
        {f"{prefix}vector_size": [2, 12]},
        scoring=scorers,
        refit="similarity",
        cv=cv,
    ).fit(documents)
    for name, scorer in scorers.items():
        for split, (train, _) in enumerate(cv.split(documents)):
            expected = [
                scorer(
                    Word2VecTransformer(size, random_state=0, max_iter=2).fit(
                        [documents[i] for i in train]
                    )
                )
                for size in (2, 12)
            ]
            found = search.cv_results_[f"split{split}_test_{name}"]
            assert_array_equal(found, expected)
    assert np.ptp(search.cv_results_["mean_test_similarity"]) > 0
    assert search.score(documents) == scorers["similarity"](search.best_estimator_)


@pytest.mark.parametrize(
    "scorer",
    [make_word_analogy_scorer(ANALOGIES), make_word_similarity_scorer(SIMILARITIES)],
)
def test_grid_search_ranks_last_what_cannot_be_scored(scorer):
    """Only the words of the first document occur often enough for the first."""
    documents = [*corpus(), *["the and of to in"] * 2000]
    search = GridSearchCV(
        Word2VecTransformer(4, random_state=0, max_iter=1),
        {"min_count": [500, 1]},
        scoring=scorer,
        cv=KFold(2, shuffle=True, random_state=0),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        search.fit(documents)
    categories = {warning.category for warning in caught}
    assert UndefinedMetricWarning in categories
    assert_array_equal(np.isnan(search.cv_results_["mean_test_score"]), [True, False])
    assert_array_equal(search.cv_results_["rank_test_score"], [2, 1])
    assert search.best_params_ == {"min_count": 1}
