"""Documents become ids, and ids documents again."""

import pickle
import re

import numpy as np
import pandas as pd
import pytest

from skml.metrics._bleu_tokenizers import number_tokens
from skml.neural._codec import (
    SPECIAL,
    UNKNOWN,
    VOCABULARIES,
    BytePairVocabulary,
    CharVocabulary,
    TokenVocabulary,
    WordVocabulary,
    read_documents,
)
from tests.neural.sentences import SCRIPTS

FIRST = len(SPECIAL)
TEXTS = ["a rose is a rose, is a rose", "the rose", ""]
TOKENS = [["b", "a", "b"], ["c", "a", "b", "d"], []]


def learn(name, vocabulary_size=300):
    documents = TOKENS if name == "tokens" else TEXTS
    return VOCABULARIES[name].learn(documents, vocabulary_size), documents


# What is read


@pytest.mark.parametrize(
    "container",
    [list, tuple, iter, pd.Series, np.array, lambda X: (text for text in X)],
    ids=["list", "tuple", "iterator", "series", "array", "generator"],
)
def test_texts_of_any_container(container):
    documents, kind = read_documents(container(TEXTS), "caller")
    assert (documents, kind) == (TEXTS, "text")
    assert {type(document) for document in documents} == {str}


def test_strings_of_numpy_become_plain():
    documents, _ = read_documents([np.str_("a"), "b"], "caller")
    assert [type(document) for document in documents] == [str, str]
    documents, _ = read_documents([np.array(["a", "b"]), [np.str_("c")]], "caller")
    assert documents == [["a", "b"], ["c"]]
    assert {type(token) for tokens in documents for token in tokens} == {str}


@pytest.mark.parametrize(
    "documents",
    [
        TOKENS,
        [tuple(tokens) for tokens in TOKENS],
        pd.Series(TOKENS),
        [np.array(tokens, dtype=object) for tokens in TOKENS],
    ],
    ids=["lists", "tuples", "series", "arrays"],
)
def test_tokens_of_any_container(documents):
    assert read_documents(documents, "caller") == (TOKENS, "tokens")


def test_array_of_lists():
    array = np.empty(len(TOKENS), dtype=object)
    array[:] = TOKENS
    assert read_documents(array, "caller") == (TOKENS, "tokens")


def test_nothing_has_no_kind():
    assert read_documents([], "caller") == ([], None)


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        (["a", "b", ["c"]], "me: document 2 is a list, and those before are str"),
        ([["a"], "b"], "me: document 1 is a str, and those before are lists of tokens"),
        ([["a"], ["b", 3]], r"me: document 1, token 1 is 3 \(int\); expected a str"),
        ([[None]], r"me: document 0, token 0 is None \(NoneType\)"),
    ],
)
def test_mixed_documents_are_refused(documents, message):
    with pytest.raises(TypeError, match=message):
        read_documents(documents, "me")


def test_the_collection_is_named():
    with pytest.raises(TypeError, match=r"me, y: document 1 is a list"):
        read_documents(["a", ["b"]], "me", "y")
    with pytest.raises(ValueError, match=r"me, y expects .* a single str"):
        read_documents("a", "me", "y")
    with pytest.raises(ValueError, match=r"me, y: document 0 is missing \(None\)"):
        read_documents([None], "me", "y")


# Vocabularies of tokens, words and characters


def test_tokens_rank_by_count_then_alphabet():
    vocabulary = TokenVocabulary.learn([["b", "a"], ["c", "a"], ["d", "d", "d"]], None)
    assert vocabulary.tokens == ["d", "a", "b", "c"]
    assert len(vocabulary) == FIRST + 4
    assert vocabulary.encode([["d", "a", "b", "c"]])[0].tolist() == [4, 5, 6, 7]


@pytest.mark.parametrize("name", ["tokens", "word", "char"])
def test_the_most_frequent_stay(name):
    vocabulary, documents = learn(name, vocabulary_size=FIRST + 2)
    whole, _ = learn(name, vocabulary_size=None)
    assert len(vocabulary) == FIRST + 2 < len(whole)
    assert vocabulary.tokens == whole.tokens[:2]
    ids = np.concatenate(vocabulary.encode(documents))
    assert set(ids.tolist()) == {UNKNOWN, FIRST, FIRST + 1}


def test_unknown_tokens():
    vocabulary, _ = learn("tokens")
    (ids,) = vocabulary.encode([["a", "<unk>", "z", "b"]])
    a, b = vocabulary.ids["a"], vocabulary.ids["b"]
    assert ids.tolist() == [a, UNKNOWN, UNKNOWN, b]
    assert vocabulary.decode([ids]) == [["a", "b"]]
    assert vocabulary.to_tokens(ids) == ["a", "<unk>", "<unk>", "b"]


@pytest.mark.parametrize("special", SPECIAL)
@pytest.mark.parametrize("name", sorted(VOCABULARIES))
def test_spelled_specials_are_no_special_ids(name, special):
    texts = [f"a {special} b {special}"] * 3
    documents = [text.split() for text in texts] if name == "tokens" else texts
    vocabulary = VOCABULARIES[name].learn(documents, 300)
    encoded = vocabulary.encode(documents)
    assert min(ids.min() for ids in encoded) >= FIRST
    if name != "word":  # which knows no blanks
        assert vocabulary.decode(encoded) == documents


def test_special_ids_are_left_out_and_shown():
    for name in VOCABULARIES:
        vocabulary, documents = learn(name)
        (ids,) = vocabulary.encode(documents[:1])
        framed = [2, *ids, 3, 0, 0]
        expected = vocabulary.decode([ids])
        assert vocabulary.decode([framed]) == expected
        tokens = vocabulary.to_tokens(framed)
        assert [tokens[0], *tokens[-3:]] == ["<s>", "</s>", "<pad>", "<pad>"]
        assert len(tokens) == len(framed)


def test_words_are_joined_by_blanks():
    vocabulary, _ = learn("word")
    text = "the  rose,is\n"
    encoded = vocabulary.encode([text])
    assert len(encoded[0]) == 4
    assert vocabulary.decode(encoded) == ["the rose , is"]


def test_words_of_any_alphabet():
    texts = ["Où est-il?", "你好 世界！", "¿qué?", "l’été -- can't, 'so'"]
    expected = [
        ["Où", "est-il", "?"],
        ["你好", "世界", "！"],
        ["¿", "qué", "?"],
        ["l’été", "-", "-", "can't", ",", "'", "so", "'"],
    ]
    vocabulary = WordVocabulary.learn(texts, None)
    assert [vocabulary.to_tokens(ids) for ids in vocabulary.encode(texts)] == expected


@pytest.mark.parametrize("script", SCRIPTS)
def test_no_combining_mark_tears_a_word(script):
    texts = SCRIPTS[script]
    assert len(texts) == 12
    vocabulary = WordVocabulary.learn(texts, None)
    # As they are usually written, and with blanks around the marks.
    for written in (texts, [re.sub(r" ([.,?!।،؟])", r"\1", text) for text in texts]):
        found = vocabulary.encode(written)
        assert [vocabulary.to_tokens(ids) for ids in found] == [
            t.split() for t in texts
        ]
        assert vocabulary.decode(found) == texts == vocabulary.as_written(written)


KEPT_BY_13A = [
    "It costs $1,000.50, not 999.99!",
    "Das kostet €1.000,50 statt 2.500€ (-20%).",
    "From -5°C to 3.5 in 2.5h; v1.2.3 has 1,5.",
    "1990-2000, don't, l’été, e-mail, A.B. 10:30, 1/2",
    "₹1,00,000 or £3",
]


@pytest.mark.parametrize("text", KEPT_BY_13A)
def test_numbers_and_words_stay_as_whole_as_for_bleu(text):
    (written,) = WordVocabulary.as_written([text])
    ids, _, _ = number_tokens([text, written], "13a")
    assert ids[: len(ids) // 2].tolist() == ids[len(ids) // 2 :].tolist()


def test_signs_of_several_characters():
    text = "❤️👩‍👩‍👧👍🏽🇫🇷🇩🇪1️⃣ می‌روم צה״ל col·lega"
    found = WordVocabulary.split(text)
    assert found == [
        *("❤️", "👩‍👩‍👧", "👍🏽", "🇫🇷", "🇩🇪", "1️⃣"),
        *("می‌روم", "צה״ל", "col·lega"),
    ]


def test_characters():
    vocabulary = CharVocabulary.learn(["aab", "a b"], None)
    assert vocabulary.tokens == ["a", "b", " "]
    encoded = vocabulary.encode(["ab a", "xb"])
    assert [ids.tolist() for ids in encoded] == [[4, 5, 6, 4], [UNKNOWN, 5]]
    assert vocabulary.decode(encoded) == ["ab a", "b"]


# All of them


@pytest.mark.parametrize("name", sorted(VOCABULARIES))
def test_ids_are_ids_of_the_vocabulary(name):
    vocabulary, documents = learn(name)
    encoded = vocabulary.encode(documents)
    assert len(encoded) == len(documents)
    ids = np.concatenate(encoded)
    assert ids.dtype == np.int32
    assert ids.min() >= FIRST
    assert ids.max() < len(vocabulary)


@pytest.mark.parametrize("name", sorted(VOCABULARIES))
def test_empty_documents_have_no_ids(name):
    vocabulary, documents = learn(name)
    empty = documents[-1]
    assert [len(ids) for ids in vocabulary.encode([empty])] == [0]
    assert vocabulary.decode([[], [2, 3]]) == [empty, empty]
    assert vocabulary.to_tokens([]) == []
    assert vocabulary.encode([]) == []
    assert vocabulary.decode([]) == []


@pytest.mark.parametrize("name", sorted(VOCABULARIES))
@pytest.mark.parametrize("way", ["data", "pickle"])
def test_vocabularies_come_back_the_same(name, way):
    vocabulary, documents = learn(name)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(vocabulary))
    else:
        again = VOCABULARIES[name].from_data(vocabulary.to_data())
    assert type(again) is type(vocabulary)
    assert len(again) == len(vocabulary)
    encoded = vocabulary.encode(documents)
    for one, other in zip(encoded, again.encode(documents), strict=True):
        np.testing.assert_array_equal(one, other, strict=True)
    assert again.decode(encoded) == vocabulary.decode(encoded)
    assert again.to_data() == vocabulary.to_data()


def test_tokens_that_are_no_strings_are_refused():
    with pytest.raises(ValueError, match=r"a token is no str"):
        TokenVocabulary.from_data({"tokens": ["a", 3]})


# Byte-pair encoding

UNSEEN = [
    "a rose is a rose, is a rose",
    "猫は花園で眠る",
    "🐼 🏳️‍🌈 👩🏽‍🚀",  # code points that are joined
    "Cafe\u0301 n\u0303",  # combining marks, which no one normalizes
    "Café \ufb01 \u212b",
    "tab\tline\nend",
    "double  blank",
    "trailing ",
    "<s> </s> <pad> <unk>",
    "\x00\x7f\u200b\ufeff",
    "",
]


@pytest.mark.parametrize("text", UNSEEN)
def test_byte_pairs_spell_what_was_not_seen(text):
    vocabulary, _ = learn("bpe")
    encoded = vocabulary.encode([text])
    assert vocabulary.decode(encoded) == [text]
    assert UNKNOWN not in encoded[0]


def test_a_blank_at_the_start_stays():
    vocabulary, _ = learn("bpe")
    texts = [" rose", "  rose", " "]
    assert vocabulary.decode(vocabulary.encode(texts)) == texts


def test_byte_pairs_have_the_size_that_is_asked_for():
    texts = [" ".join(f"{i:x}" for i in range(k, k + 60)) for k in range(60)]
    vocabulary = BytePairVocabulary.learn(texts, 320)
    assert len(vocabulary) == 320
    smaller = BytePairVocabulary.learn(texts, 290)
    n_ids, n_more = (
        sum(len(ids) for ids in v.encode(texts)) for v in (vocabulary, smaller)
    )
    assert n_ids < n_more


def test_frequent_words_are_one_token():
    vocabulary, _ = learn("bpe")
    (ids,) = vocabulary.encode(["a rose"])
    assert vocabulary.to_tokens(ids) == [" a", " rose"]


def test_byte_pairs_do_not_depend_on_how_often_they_are_learned():
    one, other = learn("bpe")[0], learn("bpe")[0]
    assert one.to_data() == other.to_data()


def test_half_a_character_does_not_fail():
    vocabulary, _ = learn("bpe")
    (ids,) = vocabulary.encode(["猫"])
    assert len(ids) > 1
    assert vocabulary.decode([ids[:-1]]) == vocabulary.decode([[*ids[:-1], 3]])
    assert len(vocabulary.to_tokens(ids)) == len(ids)
