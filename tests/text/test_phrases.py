"""PhraseTransformer: collocations found and joined."""

import pickle
import random

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skml.text import PhraseTransformer, TfidfWeighter, Word2VecTransformer
from skml.text._phrase_table import PhraseTable
from tests.oracles.phrases import find_phrases, join

DOCUMENTS = ["new york is large", "she left new york", "a new day in york"] * 5


def random_documents(seed, alphabet="abcde", n_documents=40):
    rng = random.Random(seed)
    sizes = [rng.choice([0, 1, 2, 3, 7, 20]) for _ in range(n_documents)]
    return [rng.choices(alphabet, k=size) for size in sizes]


def assert_as_oracle(documents, others=(), **parameters):
    model = PhraseTransformer(**parameters)
    found = model.fit_transform(documents)
    connectors = parameters.get("connector_words") or ()
    options = {n: getattr(model, n) for n in ("scheme", "min_count", "threshold")}
    phrases = find_phrases(documents, connectors=connectors, **options)
    delimiter = model.delimiter
    expected = {delimiter.join(p): score for p, score in phrases.items()}
    assert model.phrases_.keys() == expected.keys()
    assert model.phrases_ == pytest.approx(expected, rel=1e-12)
    scores = list(model.phrases_.values())
    assert scores == sorted(scores, reverse=True)
    joined = [join(t, phrases, delimiter, connectors) for t in [*documents, *others]]
    assert found == joined[: len(documents)]
    assert model.transform([*documents, *others]) == joined
    return model


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(
    "parameters",
    [
        {"threshold": 0.3},
        {"threshold": 0.01, "min_count": 1, "delimiter": ""},
        {"scheme": "npmi", "threshold": 0.1},
        {"scheme": "npmi", "threshold": -1, "min_count": 2, "delimiter": " – "},
        {"threshold": 0.1, "connector_words": ["a", "x"]},
        {"threshold": 0.02, "min_count": 2, "connector_words": ["b", "c", "d"]},
    ],
)
def test_as_word_by_word(seed, parameters):
    documents = random_documents(seed)
    others = random_documents(seed + 100, "abcdefgx")
    assert_as_oracle(documents, others, **parameters)


def test_words_of_any_script_and_with_blanks():
    words = ["北京", "new york", "", "é" * 9, "\ud800", "a_b", "_"]
    model = assert_as_oracle(random_documents(0, words), min_count=1, threshold=0.01)
    assert any("北京" in phrase for phrase in model.phrases_)


def test_text_is_analysed_as_by_the_others():
    model = PhraseTransformer(threshold=0.3).fit(DOCUMENTS)
    assert "new_york" in model.phrases_
    assert model.transform(["In NEW York, new: york"]) == [
        ["in", "new_york", "new_york"]
    ]
    tokens = [document.split() for document in DOCUMENTS]
    assert (
        PhraseTransformer(token_pattern=r"\w+", threshold=0.3).fit(DOCUMENTS).phrases_
        == PhraseTransformer(threshold=0.3).fit(tokens).phrases_
    )
    stopped = PhraseTransformer(stop_words=["is"], threshold=0.1, min_count=4)
    assert "york_large" in stopped.fit(DOCUMENTS).phrases_


def test_characters_become_words():
    poems = ["明月几时有", "把酒问青天", "举头望明月", "明月松间照"] * 3
    model = PhraseTransformer(analyzer="char", delimiter="", threshold=1).fit(poems)
    assert model.transform(["月明月"]) == [["月", "明月"]]


def test_twice_makes_longer_phrases():
    documents = [["new", "york", "times"], ["new", "york"], ["times"]] * 9
    twice = make_pipeline(*[PhraseTransformer(threshold=0.03) for _ in range(2)])
    assert twice.fit_transform(documents)[:2] == [["new_york_times"], ["new_york"]]


@pytest.mark.parametrize("container", [list, tuple, iter, np.array])
@pytest.mark.parametrize("n_jobs", [None, 3])
def test_containers_and_threads_change_nothing(container, n_jobs):
    expected = PhraseTransformer(threshold=0.3).fit(DOCUMENTS)
    parameters = {"n_jobs": n_jobs, "max_memory": 0}
    model = PhraseTransformer(threshold=0.3, **parameters).fit(container(DOCUMENTS))
    assert model.phrases_ == expected.phrases_
    assert list(model.phrases_) == list(expected.phrases_)
    assert model.transform(container(DOCUMENTS)) == expected.transform(DOCUMENTS)
    assert model.fit_transform(container(DOCUMENTS)) == expected.transform(DOCUMENTS)


def test_before_word_vectors_and_in_a_search(tmp_path):
    model = make_pipeline(
        PhraseTransformer(threshold=0.3),
        Word2VecTransformer(4, min_count=1, subsample=0, random_state=0),
    )
    assert model.fit_transform(DOCUMENTS).shape == (15, 4)
    assert "new_york" in model[-1].word_vectors_
    model = make_pipeline(
        PhraseTransformer(min_count=1), TfidfWeighter(), LogisticRegression()
    )
    grid = {"phrasetransformer__threshold": [0.1, 1e9]}
    search = GridSearchCV(model, grid, cv=3)
    assert search.fit(DOCUMENTS, [0, 1, 1] * 5).best_score_ == 1
    phrases = search.best_estimator_[0].save(tmp_path / "phrases")
    again = PhraseTransformer.load(tmp_path / "phrases")
    assert again.transform(DOCUMENTS) == phrases.transform(DOCUMENTS)
    assert again.phrases_ == phrases.phrases_
    assert pickle.loads(pickle.dumps(phrases)).phrases_ == phrases.phrases_
    assert not hasattr(clone(phrases), "phrases_")


def test_two_phrases_of_one_name():
    documents = [["a_b", "c"]] * 9 + [["a", "b_c"]] * 6
    model = PhraseTransformer(min_count=1, threshold=0.01).fit(documents)
    scores = find_phrases(documents, scheme="ratio", min_count=1, threshold=0.01)
    assert model.phrases_ == {"a_b_c": max(scores.values())}
    assert model.transform([["a_b", "c", "a", "b_c"]]) == [["a_b_c", "a_b_c"]]


def test_documents_without_a_phrase():
    model = PhraseTransformer().fit(["", "a cat", "  "])
    assert model.phrases_ == {}
    assert model.transform(["", "The cat sat"]) == [[], ["the", "cat", "sat"]]


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"threshold": 0}, ValueError, "threshold=0 .* must be positive"),
        ({"threshold": np.nan}, ValueError, "'threshold' parameter"),
        ({"scheme": "npmi"}, ValueError, "threshold=10.0 .*'npmi'.* from -1 to 1"),
        ({"scheme": "npmi", "threshold": -1.1}, ValueError, "from -1 to 1"),
        ({"scheme": "pmi"}, ValueError, "'scheme' parameter"),
        ({"min_count": 0}, ValueError, "'min_count' parameter"),
        ({"delimiter": None}, ValueError, "'delimiter' parameter"),
        ({"connector_words": "of"}, ValueError, "'connector_words' parameter"),
        ({"connector_words": ["of", 3]}, TypeError, r"holds 3 \(int\)"),
    ],
)
def test_bad_parameters(parameters, error, message):
    with pytest.raises(error, match=message):
        PhraseTransformer(**parameters).fit(DOCUMENTS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": ["a", "a"]}, "stands twice"),
        ({"words": ["a", 3]}, "no list of str"),
        ({"parts": np.array([0, 2], np.int32)}, "a word that is none"),
        ({"parts": np.array([0, -1], np.int32)}, "a word that is none"),
        ({"parts": np.array([0, 1])}, "do not fit"),
        ({"ends": np.array([0, 3])}, "do not fit"),
        ({"ends": np.array([0, 1, 2])}, "do not fit"),
        ({"ends": np.array([], np.int64)}, "do not fit"),
    ],
)
def test_damaged_tables(change, message):
    parts, ends = np.array([0, 1], np.int32), np.array([0, 2])
    data = {"words": ["a", "b"], "parts": parts, "ends": ends}
    assert len(PhraseTable.from_data(data)) == 1
    with pytest.raises(ValueError, match=message):
        PhraseTable.from_data(data | change)
