"""Exact match and F1 of answers to questions."""

import re
import string
import unicodedata
from functools import partial

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.metrics import make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate

from skml.metrics import (
    answer_exact_match_score,
    answer_exact_match_scorer,
    answer_f1_score,
    answer_f1_scorer,
    get_scorer,
)
from tests.oracles import answers as oracle

SCORES = [answer_f1_score, answer_exact_match_score]
whitespace_f1_score = partial(answer_f1_score, tokenize="whitespace")
ALL_SCORES = [*SCORES, whitespace_f1_score]

PIECES = [
    *("a", "an", "the", "A", "The", "AN", "cat", "Cats", "1969", "x", "á", "a\u0301"),
    *string.punctuation,
    *("–", "“", "”", "¿", "。", "，", "《", "》", "、", "・", "＄"),
    *("北", "京", "大", "学", "a型", "な", "か\u3099", "カ", "ｶ", "ー", "々", "〇"),
    *("𠮷", "葛\U000e0100", "한국", "İ", "ß"),
    *("👍🏽", "👩\u200d👧", "‼\ufe0f", "\u3099"),
    *(" ", " ", " ", " ", "\t", "\n", "\u00a0", "\u3000"),
]
ENGLISH = ["a ", "an", "the ", "The", "cat ", "dog ", "1969 ", "-", ".", "'s ", "x "]
ENGLISH += ["\u0301", " "]


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


def random_text(rng, pieces=PIECES, max_pieces=9):
    return "".join(rng.choice(pieces, size=rng.integers(max_pieces + 1)))


def random_questions(n_questions, pieces=PIECES, seed=0):
    """Lists of right answers, and predictions that are often close to one of them."""
    rng = np.random.default_rng(seed)
    y_true, y_pred = [], []
    for _ in range(n_questions):
        right = [random_text(rng, pieces) for _ in range(rng.integers(4))]
        near = [*right, ""][rng.integers(len(right) + 1)]
        extra = random_text(rng, pieces, max_pieces=2)
        y_true.append(right)
        turned = " ".join(near.split()[::-1])
        y_pred.append([near, near + extra, extra, turned][rng.integers(4)])
    return y_true, y_pred


# Values


@pytest.mark.parametrize("mixed", [True, False])
def test_each_question_is_scored_as_by_the_twin(mixed):
    assert_scored_as_by_the_twin(600, mixed)


def assert_scored_as_by_the_twin(n_questions, mixed, seed=0):
    y_true, y_pred = random_questions(n_questions, seed=seed)
    tokenize = "mixed" if mixed else "whitespace"
    seen = set()
    for texts, text in zip(y_true, y_pred, strict=True):
        expected, is_exact = oracle.scores(texts or [""], text, mixed)
        found = answer_f1_score([texts], [text], tokenize=tokenize)
        assert found == pytest.approx(float(expected), abs=1e-15), (texts, text)
        if mixed:
            assert answer_exact_match_score([texts], [text]) == is_exact, (texts, text)
        seen.add((expected == 1, expected == 0, is_exact))
    # Right, wrong, in part, and the right tokens in another order.
    every = {(1, 0, 1), (0, 1, 0), (0, 0, 0), (1, 0, 0)}
    assert seen == every


@pytest.mark.parametrize("weighted", [True, False])
def test_scores_are_means_over_questions(weighted):
    y_true, y_pred = random_questions(500, seed=1)
    rng = np.random.default_rng(0)
    weights = rng.random(500) if weighted else None
    parts = [
        oracle.scores(texts or [""], text)
        for texts, text in zip(y_true, y_pred, strict=True)
    ]
    for score, column in zip(SCORES, np.array(parts, dtype=float).T, strict=True):
        expected = np.average(column, weights=weights)
        found = score(y_true, y_pred, sample_weight=weights)
        assert type(found) is float
        assert found == pytest.approx(expected, rel=1e-12)
        assert 0.1 < found < 0.9


def test_both_tokenisers_are_equal_on_plain_english():
    y_true, y_pred = random_questions(2000, ENGLISH)
    scores = [
        (
            answer_f1_score([texts], [text]),
            answer_f1_score([texts], [text], tokenize="whitespace"),
        )
        for texts, text in zip(y_true, y_pred, strict=True)
    ]
    assert all(mixed == whitespace for mixed, whitespace in scores)
    assert len(set(scores)) > 10


@pytest.mark.parametrize("score", ALL_SCORES)
def test_all_right_is_exactly_one(score):
    y_true, y_pred = random_questions(300)
    y_pred = [texts[-1] if texts else "" for texts in y_true]
    # A text of which nothing is left is not right where another one is.
    y_true = [[text] for text in y_pred]
    weights = np.random.default_rng(0).random(300)
    assert score(y_true, y_pred) == 1
    assert score(y_true, y_pred, sample_weight=weights) == 1


def test_exact_match_is_never_above_f1():
    y_true, y_pred = random_questions(1000, seed=2)
    for texts, text in zip(y_true, y_pred, strict=True):
        exact = answer_exact_match_score([texts], [text])
        assert exact <= answer_f1_score([texts], [text])


@pytest.mark.parametrize(
    ("true", "pred", "f1"),
    [
        ("Denver Broncos", "Denver Broncos", 1),
        ("Denver Broncos", "DENVER   broncos", 1),
        ("the Denver Broncos", "a Denver\tBroncos!", 1),
        ("Saint Peter's", "saint peters", 1),
        ("an apple", "apple the", 1),
        ("$5", "5", 1),
        ("snake_case", "snakecase", 1),
        ("well-known", "wellknown", 1),
        # Punctuation joins, it does not separate.
        ("well-known", "well known", 0),
        ("other theory", "or ory", 0),
        # 1 of 2 and 1 of 1; 2 of 3 and 2 of 4; 1 of 3 and 1 of 1.
        ("Denver Broncos", "Broncos", 2 / 3),
        ("one two three", "two three four five", 4 / 7),
        ("no no yes", "no", 1 / 2),
        # No more matches than there are tokens.
        ("no", "no no no", 1 / 2),
        ("no no yes yes", "no no no yes", 3 / 4),
        ("Denver", "Boston", 0),
        # Marks and signs are characters: not punctuation, and no two of them equal.
        ("cafe\u0301", "CAFE\u0301", 1),
        ("cafe\u0301", "café", 0),
        ("👍🏽 yes", "yes", 2 / 3),
        ("👍🏽", "👍🏽", 1),
        ("👍🏽", "👍", 0),
        ("👩\u200d👩\u200d👧", "👩\u200d👩\u200d👧.", 1),
        ("5 €", "5", 2 / 3),
        ("한국 사람", "한국", 2 / 3),
        ("한국사람", "한국", 0),
    ],
)
def test_known_values(true, pred, f1):
    assert answer_f1_score([true], [pred]) == pytest.approx(f1, rel=1e-15)
    assert whitespace_f1_score([true], [pred]) == pytest.approx(f1, rel=1e-15)
    assert answer_exact_match_score([true], [pred]) == (f1 == 1)


def test_order_counts_for_exact_match_alone():
    assert answer_f1_score(["one two"], ["two one"]) == 1
    assert answer_exact_match_score(["one two"], ["two one"]) == 0
    assert answer_f1_score(["北京"], ["京北"]) == 1
    assert answer_exact_match_score(["北京"], ["京北"]) == 0


@pytest.mark.parametrize(
    ("true", "pred", "mixed", "whitespace"),
    [
        ("北京大学", "北京", 2 / 3, 0),
        ("北京大学", "在北京大学。", 8 / 9, 0),
        ("北京", "北 京", 1, 0),
        ("《红楼梦》", "红楼梦", 1, 0),
        ("1985–90", "1985-90", 1, 0),
        ("“gold”", "gold", 1, 0),
        ("¿qué?", "qué", 1, 0),
        # Others are tokens between ideographs: iphone, 15, 手, 机 and iphone, 手, 机.
        ("iPhone 15手机", "iPhone手机", 6 / 7, 0),
        # No article: the letter belongs to a word.
        ("维生素A", "维生素B", 3 / 4, 0),
        ("维生素A", "维生素", 6 / 7, 0),
        ("ひらがな", "がな", 2 / 3, 0),
        ("カタカナ", "ｶﾀｶﾅ", 0, 0),
        ("ｶﾀｶﾅ", "ｶﾅ", 2 / 3, 0),
        # か and が, written as two characters, are one token each, as are variants.
        ("か\u3099か", "か\u3099", 2 / 3, 0),
        ("か\u3099", "か", 0, 0),
        ("葛\U000e0100飾", "飾", 2 / 3, 0),
        ("葛\U000e0100", "葛", 0, 0),
        # Beyond the basic plane, old and new extensions.
        ("𠮷野家", "𠮷", 1 / 2, 0),
        ("\U00030000\U000323af", "\U00030000", 2 / 3, 0),
        ("👍北", "北", 2 / 3, 0),
        # A dollar sign of full width is no punctuation.
        ("＄5", "5", 0, 0),
    ],
)
def test_known_values_of_other_scripts(true, pred, mixed, whitespace):
    assert answer_f1_score([true], [pred]) == pytest.approx(mixed, rel=1e-15)
    assert whitespace_f1_score([true], [pred]) == whitespace
    assert answer_exact_match_score([true], [pred]) == (mixed == 1)


def test_white_space_beside_ideographs_does_not_count():
    assert answer_exact_match_score(["北京 2008"], [" 北　京2008 "]) == 1
    assert answer_exact_match_score(["Peking 2008"], ["Peking2008"]) == 0


def test_all_ideographs_and_kana_are_tokens_and_no_others():
    """Of all characters of this Python, told by their names."""
    kinds = {True: [], False: []}
    for character in map(chr, range(0x80, 0x110000)):
        category = unicodedata.category(character)
        is_used = category not in ("Cn", "Co", "Cs") and category[0] != "P"
        if is_used and not character.isspace():
            kinds[oracle.is_cjk(character)].append(character)
    assert len(kinds[True]) > 90_000
    assert len(kinds[False]) > 40_000
    # One of two tokens is found in each, or none: what lies between is impossible.
    for is_cjk, score in ((True, 2 / 3), (False, 0)):
        texts = ["x" + c for c in ends_and_some(kinds[is_cjk])]
        found = answer_f1_score(texts, ["x"] * len(texts))
        assert found == pytest.approx(score, rel=1e-12)


def ends_and_some(characters):
    """The first and the last of each run of neighbours, and a tenth of the others."""
    codes = set(map(ord, characters))
    return [
        c
        for i, c in enumerate(characters)
        if i % 10 == 0 or not {ord(c) - 1, ord(c) + 1} <= codes
    ]


# No answer and several


NOTHING = [None, np.nan, pd.NA, "", " \n", "the", "...", [], (), [""], ["", "a"]]
NOTHING += [np.array([], dtype=object), ("", 0), {"text": []}, {"text": ""}]


@pytest.mark.parametrize("score", ALL_SCORES)
@pytest.mark.parametrize("entry", NOTHING, ids=repr)
def test_no_answer(score, entry):
    assert score([entry], [""]) == 1
    assert score([entry], ["The!"]) == 1
    assert score([entry], ["Paris"]) == 0
    assert score(["Paris", entry], ["", ""]) == 0.5


@pytest.mark.parametrize("score", ALL_SCORES)
def test_an_empty_text_among_others_is_not_right(score):
    assert score([["Paris", ""]], [""]) == 0
    assert score([["", "the", "Paris"]], ["an"]) == 0
    assert score([["", "the", "Paris"]], ["Paris"]) == 1


def test_punctuation_alone_is_no_answer():
    assert answer_f1_score(["。"], [""]) == 1
    assert answer_exact_match_score(["。"], [""]) == 1
    assert whitespace_f1_score(["。"], [""]) == 0


def test_the_best_of_several_answers_counts():
    several = ["one two three four", "two three", "five"]
    assert answer_f1_score([several], ["two"]) == pytest.approx(2 / 3)
    assert answer_f1_score([several[::-1]], ["two"]) == pytest.approx(2 / 3)
    assert answer_f1_score([several[:1]], ["two"]) == pytest.approx(2 / 5)
    assert answer_exact_match_score([several], ["Five."]) == 1
    assert answer_exact_match_score([several], ["two"]) == 0


ENTRIES = [
    "gold",
    ["gold", "the colour gold"],
    ("gold", "the colour gold"),
    ("gold", "the colour gold", "golden"),
    ("gold",),
    ("gold", 17),
    ("gold", np.int64(17)),
    {"text": "gold", "answer_start": 17},
    {"text": ["gold", "the colour gold"], "answer_start": [17, 6]},
    {"text": ("gold",)},
    {"text": np.array(["gold"], dtype=object), "answer_start": np.array([17])},
    np.array(["gold", "the colour gold"]),
    np.str_("gold"),
    pd.Series(["gold"], index=[7]),
    pl.Series(["gold"]),
]


@pytest.mark.parametrize("score", ALL_SCORES)
@pytest.mark.parametrize("entry", ENTRIES, ids=repr)
def test_forms_of_an_answer(score, entry):
    assert score([entry], ["Gold."]) == 1
    assert score([entry, None, "x"], ["silver", "", "y"]) == pytest.approx(1 / 3)
    assert score([entry], ["17"]) == 0


CONTAINERS = {
    "tuple": tuple,
    "generator": iter,
    "array": lambda y: pd.Series(y, dtype=object).to_numpy(),
    "pandas": lambda y: pd.Series(y, index=range(len(y))[::-1], dtype=object),
    "polars": lambda y: pl.Series(y, dtype=pl.Object),
}
TEXTS = ["gold", "", "the Denver Broncos", "北京"]
PREDICTIONS = ["gold", "x", "Broncos", "北"]


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS)
def test_containers_are_equal(container):
    y_true, y_pred = random_questions(50)
    expected = answer_f1_score(y_true, y_pred)
    assert answer_f1_score(container(y_true), container(y_pred)) == expected
    dicts = [{"text": texts} for texts in y_true]
    assert answer_f1_score(container(dicts), y_pred) == expected


def test_columns_of_text():
    expected = answer_f1_score(TEXTS, PREDICTIONS)
    assert 0 < expected < 1
    with_none = [text or None for text in TEXTS]
    for make in (pd.Series, pl.Series):
        assert answer_f1_score(make(TEXTS), make(PREDICTIONS)) == expected
        assert answer_f1_score(make(with_none), PREDICTIONS) == expected
    assert answer_f1_score(np.array(TEXTS), np.array(PREDICTIONS)) == expected
    lists = pl.Series([[text] for text in TEXTS])
    assert answer_f1_score(lists, PREDICTIONS) == expected
    structs = pl.Series([{"text": [text], "answer_start": [0]} for text in TEXTS])
    assert answer_f1_score(structs, PREDICTIONS) == expected


def test_arguments_are_not_changed():
    y_true = [{"text": ["The", "Gold"], "answer_start": [1, 2]}, ["", "B"], None]
    y_pred = ["The", "B", ""]
    before = repr(y_true), repr(y_pred)
    for score in SCORES:
        score(y_true, y_pred)
    assert (repr(y_true), repr(y_pred)) == before


# Weights


@pytest.mark.parametrize("score", ALL_SCORES)
def test_weights_repeat_questions(score):
    y_true, y_pred = random_questions(80)
    weights = np.random.default_rng(0).integers(4, size=80)
    repeated = [
        [entry for entry, k in zip(y, weights, strict=True) for _ in range(k)]
        for y in (y_true, y_pred)
    ]
    found = score(y_true, y_pred, sample_weight=weights)
    assert found == pytest.approx(score(*repeated), rel=1e-12)
    assert found != score(y_true, y_pred)


@pytest.mark.parametrize("score", ALL_SCORES)
@pytest.mark.parametrize("container", [list, np.array, pd.Series, pl.Series])
def test_a_weight_of_zero_leaves_a_question_out(score, container):
    weights = container([1.0, 0.0])
    assert score(["a b", "c"], ["a b", "d"], sample_weight=weights) == 1


@pytest.mark.parametrize("score", ALL_SCORES)
@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1], "sample_weight has 1 numbers for 2 questions"),
        ([[1, 1]], "a number for each question; got the shape (1, 2)"),
        (["1", "2"], "a number for each question; got the shape (2,)"),
        ([1, -1], "the weight of question 1 is -1; "),
        ([np.nan, 1], "the weight of question 0 is nan; "),
        ([1, np.inf], "the weight of question 1 is inf; "),
        ([0, 0], "sample_weight is zero for all questions; one must count"),
    ],
)
def test_bad_weights(score, weights, message):
    with raises(ValueError, message):
        score(["a", "b"], ["a", "b"], sample_weight=weights)


# Errors


@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        # Containers
        ([], [], ValueError, "y_true is empty; give the answer of one question"),
        (["a"], [], ValueError, "y_pred is empty"),
        ("gold", ["gold"], TypeError, "y_true must be a list with an entry for each "),
        ("gold", ["gold"], TypeError, "got a single str, 'gold'. Put it into a list."),
        (["gold"], "gold", TypeError, "y_pred must be a list with an entry for each"),
        (["gold"], b"gold", TypeError, "got a single bytes, b'gold'"),
        ({"text": "gold"}, ["gold"], TypeError, "got a single dict, {'text': 'gold'}"),
        ({"gold"}, ["gold"], TypeError, "got {'gold'} (set)"),
        (None, ["gold"], TypeError, "y_true must be a list with an entry for each"),
        (["gold"], 3, TypeError, "got 3 (int)"),
        (
            np.array([["a", "b"]]),
            ["a"],
            ValueError,
            "y_true must have one dimension, with an entry for each question; got a "
            "ndarray with 2 dimension(s). Select a column; several right answers of a "
            "question go into y_true as a list of lists.",
        ),
        (["a"], np.array([["a"]]), ValueError, "y_pred must have one dimension"),
        (np.array("a"), ["a"], ValueError, "ndarray with 0 dimension(s)"),
        (pd.DataFrame({"a": ["a"]}), ["a"], ValueError, "DataFrame with 2 dimension"),
        (["a"], pl.DataFrame({"a": ["a"]}), ValueError, "DataFrame with 2 dimension"),
        # Lengths
        (
            ["a", "b", "c"],
            ["a"],
            ValueError,
            "y_true has 3 question(s) and y_pred has 1: from question 1 on, counted "
            "from 0, y_true stands alone. Both must have the same questions, in the "
            "same order.",
        ),
        (["a"], ["a", "b"], ValueError, "from question 1 on, counted from 0, y_pred "),
        # Predictions
        (
            ["a", "b"],
            ["a", None],
            ValueError,
            'y_pred, question 1: expected a str, got None (NoneType). Write "" where '
            "there is no answer.",
        ),
        (["a", "b"], ["a", np.nan], ValueError, "y_pred, question 1: expected a str"),
        (["a"], [["a"]], TypeError, "y_pred, question 0: expected a str, got ['a']"),
        (["a"], [("a", 3)], TypeError, "expected a str, got ('a', 3) (tuple)."),
        (["a"], [7], TypeError, "y_pred, question 0: expected a str, got 7 (int)."),
        (["a"], [b"a"], TypeError, "(bytes). Decode it first: answer.decode(encoding)"),
        # Right answers
        (
            ["a", 7],
            ["a", "b"],
            TypeError,
            "y_true, question 1: expected a str, a list of str, a dict with 'text', a "
            "tuple (text, start), or None for no answer, got 7 (int).",
        ),
        ([b"a"], ["a"], TypeError, "y_true, question 0: expected a str, a list of "),
        ([b"a"], ["a"], TypeError, "(bytes). Decode it first: answer.decode(encoding)"),
        ([{"a"}], ["a"], TypeError, "got {'a'} (set)."),
        ([np.array([["a"]])], ["a"], TypeError, "y_true, question 0: expected a str"),
        (
            ["a", ["b", 7]],
            ["a", "b"],
            TypeError,
            "y_true, question 1, answer 1: expected a str, got 7 (int). In a list, "
            "each right answer is its text alone; (text, start) is a tuple, with an "
            "int as start.",
        ),
        ([["b", None]], ["b"], ValueError, "answer 1: expected a str, got None"),
        ([["b", None]], ["b"], ValueError, "(NoneType). Leave it out."),
        ([[["a", "b"]]], ["a"], TypeError, "question 0, answer 0: expected a str, got"),
        ([[("a", 3)]], ["a"], TypeError, "answer 0: expected a str, got ('a', 3)"),
        ([[{"text": "a"}]], ["a"], TypeError, "answer 0: expected a str, got {'text'"),
        ([[b"a"]], ["a"], TypeError, "(bytes). Decode it first"),
        ([("a", 3.5)], ["a"], TypeError, "answer 1: expected a str, got 3.5 (float)"),
        ([("a", True)], ["a"], TypeError, "answer 1: expected a str, got True (bool)"),
        ([("a", "b", 3)], ["a"], TypeError, "answer 2: expected a str, got 3 (int)"),
        ([(["a"], 3)], ["a"], TypeError, "answer 0: expected a str, got ['a'] (list)"),
        ([(3, "a")], ["a"], TypeError, "answer 0: expected a str, got 3 (int)"),
        (
            ["a", {"answers": "b", "id": 7}],
            ["a", "b"],
            ValueError,
            "y_true, question 1: the dict has no 'text'; its keys are ['answers', "
            "'id']. Give the right answers as {'text': [...]}.",
        ),
        (
            [{"text": 7}],
            ["a"],
            TypeError,
            "y_true, question 0: expected a str or a list of str as 'text', empty for "
            "no answer, got 7 (int).",
        ),
        ([{"text": None}], ["a"], ValueError, "empty for no answer, got None"),
        (
            [{"text": ["a", 7]}],
            ["a"],
            TypeError,
            "question 0, answer 1: expected a str",
        ),
    ],
)
def test_bad_input(score, y_true, y_pred, error, message):
    with raises(error, message):
        score(y_true, y_pred)


@pytest.mark.parametrize("tokenize", ["char", "zh", None, str.split])
def test_bad_tokenize(tokenize):
    with raises(ValueError, "The 'tokenize' parameter of answer_f1_score must be"):
        answer_f1_score(["a"], ["a"], tokenize=tokenize)


# Scorers


class Reader(BaseEstimator):
    """Answers with the last words of a context; X has a question and a context."""

    def __init__(self, n_words=1):
        self.n_words = n_words

    def fit(self, X, y):
        return self

    def predict(self, X):
        return [" ".join(context.split()[-self.n_words :]) for _, context in X]


X = [
    ("Who?", "It was Marie Curie"),
    ("When?", "It was in May 1903"),
    ("Where?", "in Paris, France"),
    ("What?", "They found radium"),
]
Y = [
    [("Marie Curie", 7), ("May 1903", 10), ("Paris, France", 3), ("radium", 11)],
    [{"text": [text]} for text in ("Marie Curie", "May 1903", "Paris", "radium")],
    [["Marie Curie", "Curie"], "in May 1903", "France", None],
]
SCORERS = [
    (answer_exact_match_scorer, answer_exact_match_score, "answer_exact_match"),
    (answer_f1_scorer, answer_f1_score, "answer_f1"),
]


@pytest.mark.parametrize(("scorer", "score", "name"), SCORERS)
@pytest.mark.parametrize("y", Y)
def test_scorers(scorer, score, name, y):
    model = Reader().fit(X, y)
    expected = score(y, model.predict(X))
    assert 0 < expected < 1
    assert scorer(model, X, y) == expected
    assert get_scorer(name)(model, X, y) == expected
    weights = [1, 2, 3, 4]
    weighted = scorer(model, X, y, sample_weight=weights)
    assert weighted == score(y, model.predict(X), sample_weight=weights)
    found = cross_validate(model, X, y, cv=2, scoring={"it": scorer})
    assert found["test_it"].mean() == pytest.approx(expected)


def test_scorers_choose_parameters():
    search = GridSearchCV(
        Reader(),
        {"n_words": [1, 2, 3]},
        cv=2,
        scoring={"exact": answer_exact_match_scorer, "f1": answer_f1_scorer},
        refit="f1",
    )
    search.fit(X, Y[0])
    assert search.best_params_ == {"n_words": 2}
    exact = search.cv_results_["mean_test_exact"]
    assert exact.tolist() == [0.25, 0.75, 0]


def test_weights_are_routed():
    with config_context(enable_metadata_routing=True):
        scorer = make_scorer(answer_f1_score).set_score_request(sample_weight=True)
        found = cross_validate(
            Reader(),
            X,
            Y[0],
            cv=2,
            scoring=scorer,
            params={"sample_weight": np.array([0, 1, 0, 1])},
        )
    # 1903 of May 1903, and radium.
    assert found["test_score"].tolist() == pytest.approx([2 / 3, 1])
