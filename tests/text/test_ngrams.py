"""Tests of n-grams: those of scikit-learn, to the last code point."""

import itertools
import pickle
import random
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.feature_extraction.text import TfidfVectorizer

from skml._words import word_pattern
from skml.text import TfidfWeighter, Word2VecTransformer, _ngrams
from skml.text._texts import Texts

ALPHABETS = [
    "abcDEF 123_ '-.,\t\n",
    "éàÉÀüßıİΣσςΟΔ ñ",
    "中文字符，。 日本語 ",
    "한국어 하늘 ㄱ",
    "a\u0301o\u0308e ",
    "ﬁ℡①½²\u00a0\u2003\u3000\x1c\x85\x00",
    "😀😃 👍🏽",
    "a b c d e ",
]
PATTERNS = [
    r"\w+",
    r"\b\w+\b",
    r"(?u)\b\w\w\w+\b",
    r"[a-z]+",
    r"\b[a-z]+\b",
    r"\S+",
    r"[^\s]+",
    r"[^,]+",
    r"\w{3,}",
    r"\b[a-zé]{2,}\b",
    r"[a-z']+",
    r"\b\S+\b",
    r"(?i)[a-c]+",
    r"a(\w)",
]


def random_documents(rng, n_documents=12):
    """Short documents in one to three scripts, some of them empty."""
    documents = []
    for _ in range(n_documents):
        alphabets = rng.sample(ALPHABETS, rng.choice([1, 1, 2, 3]))
        size = rng.choice([0, 1, 2, 5, 20, 60])
        letters = [rng.choice(rng.choice(alphabets)) for _ in range(size)]
        documents.append("".join(letters))
    return documents


def random_parameters(rng):
    """Parameters that both estimators have."""
    min_n = rng.randint(1, 3)
    parameters = {
        "analyzer": rng.choice(["word", "word", "char", "char_wb"]),
        "ngram_range": (min_n, min_n + rng.randint(0, 2)),
        "lowercase": rng.random() < 0.7,
        "strip_accents": rng.choice([None, None, "ascii", "unicode"]),
        "min_df": rng.choice([1, 1, 2]),
        "max_df": rng.choice([1.0, 1.0, 0.7]),
        "max_features": rng.choice([None, None, 7]),
        "norm": rng.choice(["l1", "l2", None]),
        "use_idf": rng.random() < 0.8,
        "smooth_idf": rng.random() < 0.8,
        "sublinear_tf": rng.random() < 0.5,
        "binary": rng.random() < 0.3,
    }
    if parameters["analyzer"] == "word":
        parameters["token_pattern"] = rng.choice(PATTERNS)
        parameters["stop_words"] = rng.choice([None, ["abc", "ab", "a"]])
    return parameters


def assert_equal_to_scikit_learn(documents, parameters, **ours):
    weighter, theirs = TfidfWeighter(**parameters, **ours), TfidfVectorizer()
    theirs.set_params(**{"token_pattern": None, **parameters})
    try:
        expected = theirs.fit_transform(documents)
    except ValueError:
        with pytest.raises(ValueError, match=r"empty vocab|after pruning|max_df corr"):
            weighter.fit(documents)
        return
    found = weighter.fit_transform(documents)
    assert weighter.vocabulary_ == theirs.vocabulary_
    assert_array_equal(weighter.get_feature_names_out(), theirs.get_feature_names_out())
    assert found.has_canonical_format
    assert abs(found - expected).max() < 1e-12
    # Strings of NumPy, which scikit-learn gives back, lose zero characters at the end.
    for names, other in zip(
        weighter.inverse_transform(found),
        theirs.inverse_transform(expected),
        strict=True,
    ):
        assert sorted(names.astype(str)) == sorted(other)
    others = [*documents[::2], "unseen abc ab", ""]
    assert abs(weighter.transform(others) - theirs.transform(others)).max() < 1e-12
    given = TfidfWeighter(**weighter.get_params() | {"vocabulary": theirs.vocabulary_})
    given.set_params(min_df=1, max_df=1.0, max_features=None)
    assert abs(given.fit_transform(documents) - expected).max() < 1e-12


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.filterwarnings("ignore")
def test_ngrams_are_those_of_scikit_learn(seed):
    rng = random.Random(seed)
    documents = random_documents(rng)
    assert_equal_to_scikit_learn(
        documents, random_parameters(rng), n_jobs=rng.choice([None, 2, 3])
    )


@cache
def special_characters():
    """Scripts of alphabets, all with a case or that are marks, and some of the rest.

    What is beyond the first plane is private or not assigned, but for little: a few of
    it, as the alphabet is asked for 256 characters at a time.
    """
    return [
        character
        for code, character in enumerate(map(chr, range(0x110000)))
        if code < 0x3100
        or code % (251 if code < 0x10000 else 16_001) == 0
        or code == 0x10FFFF
        or character.lower() != character
        or unicodedata.category(character)[0] == "M"
    ]


EACH_CHARACTER = [
    {},
    {"lowercase": False, "strip_accents": "unicode"},
    {"strip_accents": "ascii", "token_pattern": r"\w+"},
    {"analyzer": "char", "ngram_range": (1, 2)},
    {"analyzer": "char_wb", "ngram_range": (2, 2), "strip_accents": "unicode"},
]


@pytest.mark.parametrize("parameters", EACH_CHARACTER)
def test_each_character(parameters):
    assert_same_counts(special_characters(), parameters)


def assert_same_counts(characters, parameters):
    """Each character counts as in scikit-learn: in words, and beside blanks."""
    documents = [f"a{c}b {c}{c}  X{c}" for c in characters]
    ours = TfidfWeighter(**parameters, norm=None, use_idf=False)
    if parameters.get("analyzer", "word") == "word":
        pattern = parameters.get("token_pattern", word_pattern(min_characters=2))
        parameters = parameters | {"token_pattern": pattern}
    theirs = TfidfVectorizer(**parameters, norm=None, use_idf=False)
    expected = theirs.fit_transform(documents)
    assert (ours.fit_transform(documents) != expected).nnz == 0
    assert ours.vocabulary_ == theirs.vocabulary_


@pytest.mark.parametrize("container", [list, tuple, iter, np.array])
@pytest.mark.parametrize("n_jobs", [None, 2, 5])
def test_batches_and_threads_change_nothing(monkeypatch, container, n_jobs):
    monkeypatch.setattr(_ngrams, "BATCH", 7)
    documents = random_documents(random.Random(0), 100)
    documents = [document.replace("\x00", "") for document in documents]
    parameters = {"analyzer": "char_wb", "ngram_range": (1, 3), "n_jobs": n_jobs}
    weighter = TfidfWeighter(**parameters)
    found = weighter.fit_transform(container(documents))
    expected = TfidfWeighter(analyzer="char_wb", ngram_range=(1, 3)).fit(documents)
    assert (found != expected.transform(documents)).nnz == 0
    assert (weighter.transform(container(documents)) != found).nnz == 0
    assert weighter.vocabulary_ == expected.vocabulary_


@pytest.mark.parametrize("n_jobs", [2, 5])
@pytest.mark.parametrize("as_tokens", [False, True])
def test_threads_give_ids_in_order_of_first_appearance(monkeypatch, n_jobs, as_tokens):
    documents = [*random_documents(random.Random(2), 100), "a\u03a3 b" * 9, "", "end."]
    if as_tokens:
        documents = [document.split() for document in documents]
    model = Word2VecTransformer(stop_words=["ab"], max_memory=0)
    terms, expected = model._encode(documents)
    # Batches that end within the documents, and many of them.
    monkeypatch.setattr(_ngrams, "BATCH", 7)
    monkeypatch.setattr(_ngrams, "LONGEST", 100)
    model.set_params(n_jobs=n_jobs)
    for container in (list, iter):
        found_terms, found = model._encode(container(documents))
        assert found_terms == terms
        assert_array_equal(found.ids, expected.ids)
        assert_array_equal(found.offsets, expected.offsets)


def test_batches_are_slices():
    documents = ["abc", "", "d" * 20, "e", "f", "g" * 9, "h"] * 3
    for most, longest in itertools.product([1, 2, 5, 100], [1, 4, 10, 1000]):
        parts = _ngrams._parts(Texts(documents), most, longest)
        slices = list(map(list, parts))
        assert list(itertools.chain(*slices)) == documents
        for batch in slices:
            assert len(batch) <= most
            assert sum(map(len, batch[:-1])) < longest
        for batch in slices[:-1]:
            assert len(batch) == most or sum(map(len, batch)) >= longest


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_bad_tokens_are_found_in_threads(n_jobs):
    documents = [["a", "b"]] * 50 + [["a", 3]] + [["c"]] * 10 + [["b", None]]
    message = "token 1 of document 50 is 3"
    with pytest.raises(TypeError, match=message):
        Word2VecTransformer(n_jobs=n_jobs)._encode(documents)


def test_ngrams_of_token_lists():
    """A token with a blank in it is spelled as an n-gram is."""
    documents = [["new", "york", "new york"], ["new", "york"], [], ["york", "new"]]
    parameters = {"norm": None, "use_idf": False, "ngram_range": (1, 2)}
    theirs = TfidfVectorizer(analyzer=lambda tokens: tokens, norm=None, use_idf=False)
    joined = [
        tokens + [" ".join(pair) for pair in itertools.pairwise(tokens)]
        for tokens in documents
    ]
    expected = theirs.fit_transform(joined)
    weighter = TfidfWeighter(**parameters)
    assert (weighter.fit_transform(documents) != expected).nnz == 0
    assert weighter.vocabulary_ == theirs.vocabulary_
    assert (weighter.transform(documents) != expected).nnz == 0
    assert (weighter.transform(["new york"]) != expected[1]).nnz == 0


def test_stop_words_leave_before_ngrams_are_made():
    weighter = TfidfWeighter(ngram_range=(2, 2), stop_words=["the", "of"])
    weighter.fit(["the end of the world", "the world"])
    assert weighter.get_feature_names_out().tolist() == ["end world"]


def test_long_and_short_words_are_apart():
    """Their keys in the table are made in different ways."""
    words = ["abcdefg", "abcdefgh", "abcdefghi", "éééé", "ééééé", "a" * 1000, "a" * 999]
    weighter = TfidfWeighter(norm=None, use_idf=False)
    counts = weighter.fit_transform([" ".join(words * 3), words, "\x00".join(words)])
    assert weighter.get_feature_names_out().tolist() == sorted(words)
    assert_array_equal(counts.toarray(), np.outer([3, 1, 1], np.ones(7)))


@pytest.mark.parametrize(
    "ngram_range", [(2, 1), (0, 1), (1,), (1, 2.0), "12", (1, 2, 3)]
)
def test_ranges_that_are_none(ngram_range):
    with pytest.raises(ValueError, match="ngram_range"):
        TfidfWeighter(ngram_range=ngram_range).fit(["a cat"])


class Odd(list):
    """A list that is wrong about its length."""

    def __len__(self):
        return 0


def test_documents_that_are_wrong_about_their_length():
    words = [f"w{i}" for i in range(1000)]
    weighter = TfidfWeighter(ngram_range=(1, 2), norm=None, use_idf=False)
    expected = weighter.fit_transform([words, ["other"]])
    found = weighter.fit_transform([Odd(words), ["other"]])
    assert (found != expected).nnz == 0


@pytest.mark.parametrize("container", [list, tuple, frozenset, np.array])
def test_stop_words_of_other_classes_of_str(container):
    stop_words = container([np.str_("the"), np.str_("of")])
    for documents in (["the cat of"], [["the", "cat", "of"]]):
        weighter = TfidfWeighter(stop_words=stop_words).fit(documents)
        assert list(weighter.vocabulary_) == ["cat"]


@pytest.mark.parametrize("pattern", [r"\S+", r"[^ ]+", r"[\w\x01\t]+"])
def test_characters_that_sort_before_a_blank(pattern):
    documents = ["a b a\x01 c a\tc", "a\tb a"]
    parameters = {"token_pattern": pattern, "ngram_range": (1, 2), "max_features": 5}
    assert_equal_to_scikit_learn(documents, parameters)


def test_ngrams_of_a_vocabulary_may_be_absent():
    vocabulary = ["new", "cat", "new york"]
    weighter = TfidfWeighter(vocabulary=vocabulary, ngram_range=(1, 2))
    weighter.fit(["new dogs", "cat sat"])
    weighter = TfidfWeighter(vocabulary=[" ca", "zz "], ngram_range=(2, 3))
    weighter.set_params(analyzer="char_wb").fit(["cat", "cats"])


def test_words_of_a_vocabulary_that_no_ngram_is():
    weighter = TfidfWeighter(vocabulary=["new york", "york"], ngram_range=(1, 1))
    with pytest.warns(UserWarning, match="'new york' becomes 'new' and 'york'"):
        weighter.fit(["york is new", "old york"])


def test_counts_have_no_ngrams():
    with pytest.raises(ValueError, match=r"ngram_range=.* has no effect when X is"):
        TfidfWeighter(ngram_range=(1, 2)).fit(np.eye(2))


@pytest.mark.parametrize("most", [1000, 2**31 - 1, 2**40])
def test_ngrams_may_be_longer_than_any_document(most):
    weighter = TfidfWeighter(ngram_range=(1, most)).fit(["a cat sat", "b"])
    assert list(weighter.vocabulary_) == ["cat", "cat sat", "sat"]


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_series_are_as_lists(library):
    module = pytest.importorskip(library)
    documents = ["a cat sat", "the cat", "sat a cat"]
    weighter = TfidfWeighter(ngram_range=(1, 2))
    expected = weighter.fit_transform(documents)
    assert (weighter.transform(module.Series(documents)) != expected).nnz == 0


def test_threads_share_a_fitted_weighter():
    documents = random_documents(random.Random(1), 200)
    weighter = TfidfWeighter(analyzer="char", ngram_range=(1, 3)).fit(documents)
    expected = weighter.transform(documents)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(weighter.transform, [documents] * 8):
            assert (found != expected).nnz == 0


class Short(str):
    """Text that says that it is shorter than it is."""

    def __len__(self):
        return 1


def test_text_may_be_longer_than_it_says():
    weighter = TfidfWeighter(analyzer="char", preprocessor=lambda text: Short(text * 9))
    assert weighter.fit(["word" * 99]).get_feature_names_out().tolist() == list("dorw")


def test_a_saved_vocabulary_of_all_ngrams_that_there_are():
    documents = ["a b c d", "c d e f"] * 9
    weighter = TfidfWeighter(
        token_pattern=r"\w", ngram_range=(1, 2**62), min_df=10
    ).fit(documents)
    again = pickle.loads(pickle.dumps(weighter))
    assert (again.transform(documents) != weighter.transform(documents)).nnz == 0
