"""Vectors of character n-grams: which there are, what they compose, how they train."""

import json
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from safetensors.numpy import load_file, save_file
from sklearn.feature_extraction.text import TfidfTransformer

from skml.metrics import word_similarity_score
from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)
from skml.text._subwords import (
    SubwordVectors,
    all_ngrams,
    find_hashes,
    mean_rows,
    ngrams,
    word_parts,
)

WORDS = [
    "where",
    "here",
    "a",
    "",
    "北京大学",
    "naïve",
    "🐼🐼x",
    "ab" * 10,
    "<<>",
    "_" * 50,
]
STEMS = ["walk", "talk", "jump", "paint", "cook", "print"]
ENDINGS = ["", "s", "ed", "ing", "er"]


def plain_ngrams(word, shortest, longest):
    """As the paper defines them, but for the whole word; each once."""
    marked = f"<{word}>"[:1002]
    return {
        marked[start : start + n]
        for start in range(len(marked))
        for n in range(shortest, longest + 1)
        if start + n <= len(marked) and n < len(marked)
        if marked[start : start + n] not in ("<", ">") or 0 < start < len(marked) - 1
    }


def fnv_1a(text):
    """Fowler, Noll and Vo's hash, of code points."""
    state = 0xCBF29CE484222325
    for character in text:
        state = (state ^ ord(character)) * 0x100000001B3 % 2**64
    return state


def make_documents(n_documents=300, seed=0):
    """Sentences of regular verbs; each ending comes with words of its own."""
    rng = np.random.default_rng(seed)
    around = {
        ending: [f"{ending or 'base'}{i}xyz" for i in range(4)] for ending in ENDINGS
    }
    documents = []
    for _ in range(n_documents):
        ending = ENDINGS[rng.integers(len(ENDINGS))]
        words = [
            STEMS[rng.integers(len(STEMS))] + ending,
            *rng.choice(around[ending], 3),
            STEMS[rng.integers(len(STEMS))] + ending,
        ]
        documents.append([str(word) for word in words])
    return documents


DOCUMENTS = make_documents()


def make(**parameters):
    defaults = {
        "vector_size": 8,
        "min_count": 3,
        "max_iter": 2,
        "subwords": (3, 5),
        "random_state": 0,
    }
    return Word2VecTransformer(**{**defaults, **parameters})


# n-grams


@pytest.mark.parametrize("lengths", [(3, 6), (1, 1), (1, 3), (2, 2), (4, 40), (30, 40)])
def test_ngrams_are_those_of_the_paper(lengths):
    hashes, offsets = ngrams(WORDS, lengths)
    expected = [plain_ngrams(word, *lengths) for word in WORDS]
    assert_array_equal(np.diff(offsets), list(map(len, expected)))
    for i, word in enumerate(expected):
        found = hashes[offsets[i] : offsets[i + 1]].tolist()
        assert found == sorted(fnv_1a(ngram) for ngram in word)
    assert hashes.dtype == np.uint64


def test_long_tokens_have_a_bounded_number_of_ngrams():
    token = "".join(map(chr, range(0x4E00, 0x9E00)))
    for size in [999, 1000, 1001, 1002, 20_000]:
        expected = plain_ngrams(token[:size], 2, 4)
        hashes = ngrams(["a", token[:size], "b"], (2, 4))[0]
        assert set(map(fnv_1a, expected)) <= set(hashes.tolist())
        assert len(hashes) == len(expected) + 4
    junk = "".join(map(str, range(60_000)))
    model = make(min_count=1, subsample=0).fit([[junk, "red", "blue"]] * 3)
    assert len(model.word_vectors_.subwords) < 3100
    assert junk[:-1] + "x" in model.word_vectors_


def test_no_words_and_half_characters():
    hashes, offsets = ngrams([], (3, 6))
    assert len(hashes) == 0
    assert offsets.tolist() == [0]
    assert ngrams(["a\ud800b"], (3, 3))[1].tolist() == [0, 3]


def test_many_ngrams_are_distinct():
    words = [f"{i:06d}" for i in range(20_000)]
    n_distinct = len({ngram for word in words for ngram in plain_ngrams(word, 5, 7)})
    hashes = word_parts(words, (5, 7))[0]
    assert len(hashes) == n_distinct > 60_000
    assert (hashes[1:] > hashes[:-1]).all()


def test_find():
    hashes = np.array([2, 5, 2**63 + 1], dtype=np.uint64)
    wanted = np.array([5, 0, 2**64 - 1, 2**63 + 1, 3, 2], dtype=np.uint64)
    assert find_hashes(hashes, wanted).tolist() == [1, -1, -1, 2, -1, 0]
    assert find_hashes(hashes[:0], wanted).tolist() == [-1] * 6


def test_parts_and_their_means():
    lengths = (2, 3)
    words = [*WORDS, *map(str, range(30_000))]  # more than are looked at together
    assert_array_equal(all_ngrams(words, lengths)[0], ngrams(words, lengths)[0])
    assert_array_equal(all_ngrams(words, lengths)[1], ngrams(words, lengths)[1])
    hashes, offsets, rows = word_parts(words, lengths)
    matrix = np.random.default_rng(0).normal(size=(len(words) + len(hashes), 3))
    means = mean_rows(offsets, rows, matrix.astype(np.float32))
    for word in [0, 2, 3, 5, 7, 8, 9, 13_104, 13_105, len(words) - 1]:
        own, *parts = rows[offsets[word] : offsets[word + 1]]
        assert own == word
        expected = ngrams([words[word]], lengths)[0]
        assert_array_equal(hashes[np.array(parts, int) - len(words)], expected)
        assert_allclose(means[word], matrix[[own, *parts]].mean(axis=0), rtol=1e-5)


def test_composed_is_the_mean_of_what_is_known():
    lengths = (3, 4)
    hashes = word_parts(["where", "北京"], lengths)[0]
    vectors = np.random.default_rng(0).normal(size=(len(hashes), 3)).astype(np.float32)
    subwords = SubwordVectors(lengths, hashes, vectors)
    words = ["where", "wherever", "xyz", "", "北京", "北京大"] * 2000
    composed, is_composed = subwords.compose(words)
    assert is_composed.tolist() == [True, True, False, False, True, True] * 2000
    row_of = {value: row for row, value in enumerate(hashes.tolist())}
    for word, vector in zip(
        ["where", "wherever", "北京", "北京大"], composed[-4:], strict=True
    ):
        wanted = ngrams([word], lengths)[0].tolist()
        rows = [row_of[value] for value in wanted if value in row_of]
        assert_allclose(vector, vectors[rows].mean(axis=0), rtol=1e-5)
    assert len(subwords.compose([])[0]) == 0


# Training


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("loss", ["negative-sampling", "hierarchical-softmax"])
def test_vectors_are_the_means_of_the_parts(architecture, loss):
    parameters = {"architecture": architecture, "loss": loss, "max_iter": 10}
    model = make(**parameters, subsample=0).fit(DOCUMENTS)
    words, subwords = list(model.vocabulary_), model.word_vectors_.subwords
    assert_array_equal(subwords.hashes, word_parts(words, (3, 5))[0])
    assert model.vectors_.shape == (len(words), 8)
    assert model.vectors_.dtype == subwords.vectors.dtype == np.float32
    row_of = {value: row for row, value in enumerate(subwords.hashes.tolist())}
    for word in words[:5]:
        wanted = ngrams([word], (3, 5))[0].tolist()
        parts = [subwords.vectors[row_of[value]] for value in wanted]
        parts.append(model._fitted.tables.own_rows[model.vocabulary_[word]])
        expected = np.mean(parts, axis=0)
        assert_allclose(model.vectors_[model.vocabulary_[word]], expected, atol=1e-6)
    assert model.loss_curve_[-1] < model.loss_curve_[0] - 0.1
    again = make(**parameters, subsample=0).fit(DOCUMENTS)
    assert_array_equal(again.vectors_, model.vectors_)


def test_an_ending_tells_where_an_unseen_word_belongs():
    """Endings decide the words around: a new verb with one is like the others."""
    held_out = {stem + ending for stem in ("paint",) for ending in ENDINGS[2:]}
    documents = [
        [word for word in document if word not in held_out] for document in DOCUMENTS
    ]
    model = make(subsample=0, max_iter=60, subwords=(2, 4), learning_rate=0.1)
    words = model.fit(documents).word_vectors_
    for ending in ("ed", "ing", "er"):
        word = f"paint{ending}"
        assert word not in words.vocabulary
        assert word in words
        others = [e for e in ("ed", "ing", "er") if e != ending]
        to_own = words.similarity(word, [f"{s}{ending}" for s in STEMS if s != "paint"])
        to_other = words.similarity(
            word, [f"{s}{e}" for s in STEMS if s != "paint" for e in others]
        )
        assert to_own.mean() > to_other.mean() + 0.2


@pytest.mark.parametrize("window", [5, 60])
def test_training_stays_within_bounds(window):
    """Words of one character again and again, windows with each word many times."""
    rng = np.random.default_rng(0)
    words = [f"w{i}" for i in range(200)] + ["_" * 1000, "ab" * 300]
    weights = 1 / np.arange(1, len(words) + 1)
    documents = rng.choice(words, size=(100, 400), p=weights / weights.sum()).tolist()
    documents = [[*document, "_" * 1000, "ab" * 300] for document in documents]
    model = make(window=window, vector_size=16, max_iter=2).fit(documents)
    # Before anything is learned, six questions are worth log(2) each.
    assert max(model.loss_curve_) < 6 * np.log(2) + 0.5
    assert np.abs(model.vectors_).max() < 20


def test_divergence_is_no_silent_result():
    """Hundreds of words of the same parts in one window: no rate is low enough."""
    documents = [[f"w{i % 200}" for i in range(400)]] * 20
    with pytest.raises(ValueError, match="or window, which is 300"):
        make(window=300, shrink_window=False, subsample=0).fit(documents)


def test_two_threads():
    """Several threads learn the same groups, if not the same bits."""
    model = make(n_jobs=2, max_iter=5).fit(DOCUMENTS * 20)
    assert np.isfinite(model.vectors_).all()
    assert model.loss_curve_[-1] < model.loss_curve_[0]


# More words later


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_partial_fit_grows_words_and_ngrams():
    model = make(min_count=1).fit(["walked talked", "walked jumped"] * 20)
    before = model.word_vectors_
    own = model._fitted.tables.own_rows.copy()
    rate = {"learning_rate": 1e-30, "learning_rate_min": 0}
    model.set_params(**rate).partial_fit(["painted walked"] * 20)
    after = model.word_vectors_
    assert after.words == [*before.words, "painted"]
    # Nothing was learned at such a rate: what was there has stayed.
    places = find_hashes(after.subwords.hashes, before.subwords.hashes)
    assert (places >= 0).all()
    assert_array_equal(after.subwords.vectors[places], before.subwords.vectors)
    assert_array_equal(model._fitted.tables.own_rows[:-1], own)
    assert_array_equal(model.vectors_[:-1], before.vectors)
    assert len(after.subwords) > len(before.subwords)


def test_partial_fit_from_nothing_is_one_pass():
    one, other = make().partial_fit(DOCUMENTS), make(max_iter=1).fit(DOCUMENTS)
    assert_array_equal(one.vectors_, other.vectors_)
    assert one.word_vectors_ == other.word_vectors_


def test_warm_start_goes_on():
    model = make(warm_start=True, max_iter=3).fit(DOCUMENTS)
    loss = model.loss_curve_[-1]
    model.fit(DOCUMENTS)
    assert model.loss_curve_[0] < loss + 0.01


def test_without_ngrams_and_with_them_again():
    model = make(warm_start=True).fit(DOCUMENTS)
    before = model.vectors_
    model.set_params(learning_rate=1e-30, learning_rate_min=0)
    model.set_params(subwords=None).fit(DOCUMENTS)
    assert_allclose(model.vectors_, before, rtol=1e-6)
    model.set_params(subwords=(3, 4)).fit(DOCUMENTS)
    # Those of n-grams are new, and small beside words of so many parts.
    assert_allclose(model.vectors_, before, atol=1.5 / 8)
    model.set_params(subwords=None).fit(DOCUMENTS)
    assert model.word_vectors_.subwords is None
    assert "walkingly" not in model.word_vectors_
    model.set_params(subwords=[2, 3]).fit(DOCUMENTS)
    assert model.word_vectors_.subwords.lengths == (2, 3)
    assert "walkingly" in model.word_vectors_


# Documents


@pytest.mark.parametrize("pooling", ["mean", "sum", "max", "mean+max"])
@pytest.mark.parametrize("weighter", [None, TfidfWeighter(), TfidfTransformer()])
def test_unseen_words_count_in_documents(pooling, weighter):
    model = make(pooling=pooling, weighter=weighter)
    model.fit(DOCUMENTS)
    words = model.word_vectors_
    unseen = ["walkings", "talkings"]
    assert not set(unseen) & set(words.vocabulary)
    found = model.transform(
        [["walked", *unseen, unseen[0]], unseen, ["qqq", "walked"], ["qqq"]]
    )
    size = 8 if pooling == "mean+max" else None
    vectors = words[["walked", *unseen]]
    if weighter is None:
        counts = np.array([[1, 2, 1], [0, 1, 1], [1, 0, 0]])
        assert_allclose(found[:3, :size], pooled(counts, vectors, pooling), atol=1e-6)
    if pooling.startswith("mean"):
        # Words that the weighter has not seen weigh the same.
        assert_allclose(found[1, :8], vectors[1:].mean(axis=0), atol=1e-6)
        assert_allclose(found[2, :8], vectors[0], atol=1e-6)
    if "max" in pooling:
        assert_allclose(found[0, -8:], vectors.max(axis=0), atol=1e-6)
    assert_array_equal(found[3], 0)


def pooled(counts, vectors, pooling):
    sums = counts @ vectors
    if pooling == "max":
        return np.array([vectors[row > 0].max(axis=0) for row in counts])
    return sums if pooling == "sum" else sums / counts.sum(axis=1, keepdims=True)


def test_an_unseen_word_weighs_as_much_as_idf_says():
    weighter = TfidfTransformer(norm=None)
    model = make(weighter=weighter, pooling="sum").fit(DOCUMENTS)
    idf = model.weighter_.idf_
    assert len(idf) == len(model.vocabulary_) + 1
    assert idf[-1] == pytest.approx(np.log(1 + len(DOCUMENTS)) + 1)
    found = model.transform([["walked", "walkings", "talkings", "walkings"]])
    walked, walkings, talkings = model.word_vectors_[["walked", "walkings", "talkings"]]
    expected = idf[model.vocabulary_["walked"]] * walked
    expected = expected + idf[-1] * (2 * walkings + talkings)
    assert_allclose(found[0], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("weighter", [None, TfidfWeighter()])
@pytest.mark.parametrize("remove_components", [0, 2])
def test_rare_words_of_the_corpus_count_in_fit_transform(weighter, remove_components):
    documents = [*DOCUMENTS, ["walkings", "walked"], ["talkings"], ["qqq"]]
    model = make(weighter=weighter, remove_components=remove_components)
    found = model.fit_transform(documents)
    assert "walkings" not in model.vocabulary_
    assert_array_equal(found, model.transform(documents))
    assert np.abs(found[-2]).max() > 0
    given = EmbeddingTransformer(
        model.word_vectors_, weighter=weighter, remove_components=remove_components
    )
    assert_array_equal(given.fit_transform(documents), found)
    only_unseen = given.fit([["walkings", "walked"], ["talkings"], ["jumpings"]])
    assert np.isfinite(only_unseen.transform([["jumpings"]])).all()


@pytest.mark.parametrize(
    "weighter",
    [
        TfidfTransformer(norm=None, sublinear_tf=True),
        TfidfWeighter(scheme="idf", norm=None),
        TfidfWeighter(scheme="bm25", norm=None),
        TfidfWeighter(norm=None),
    ],
    ids=["sublinear", "idf", "bm25", "tf-idf"],
)
def test_unseen_words_do_not_share_a_weight(weighter):
    """Each weighs what it does alone, and the others what they do beside it."""
    model = make(weighter=weighter, pooling="sum").fit(DOCUMENTS)
    words = model.word_vectors_[["walked", "walkings", "talkings", "jumpings"]]
    alone = [["walked", unseen] for unseen in ("walkings", "talkings", "jumpings")]
    one, two, three = model.transform(alone)
    # w_walked * walked + w * unseen, with the same weights in all three.
    weights = np.linalg.lstsq(words[[0, 1]].T, one, rcond=None)[0]
    assert_allclose(two, weights @ words[[0, 2]], atol=1e-5)
    together = model.transform([["walked", "walkings", "talkings", "jumpings"]])[0]
    expected = weights[0] * words[0] + weights[1] * words[1:].sum(axis=0)
    assert_allclose(together, expected, atol=1e-5)
    assert_allclose(three, weights @ words[[0, 3]], atol=1e-5)


def test_numbers_of_unseen_words_are_weighed():
    """Three times one and once another, with known words and without."""
    weighter = TfidfWeighter(sublinear_tf=True, norm=None)
    model = make(weighter=weighter, pooling="sum").fit(DOCUMENTS)
    idf = model.weighter_.idf_
    walked, walkings, talkings = model.word_vectors_[["walked", "walkings", "talkings"]]
    unseen = ["walkings", "talkings", "walkings", "walkings"]
    found = model.transform([unseen, ["walked"], [], [*unseen, "walked", "walked"]])
    of_unseen = idf[-1] * ((1 + np.log(3)) * walkings + talkings)
    of_walked = idf[model.vocabulary_["walked"]] * walked
    assert_allclose(found[0], of_unseen, rtol=1e-5, atol=1e-6)
    assert_allclose(found[1], of_walked, rtol=1e-5, atol=1e-6)
    assert_array_equal(found[2], 0)
    expected = of_unseen + (1 + np.log(2)) * of_walked
    assert_allclose(found[3], expected, rtol=1e-5, atol=1e-6)


def test_a_weighter_without_a_weight_for_unseen_words():
    weighter = TfidfTransformer(smooth_idf=False)
    with (
        np.errstate(divide="ignore"),
        pytest.raises(ValueError, match=r"no finite weight .*smooth_idf"),
    ):
        make(weighter=weighter).fit(DOCUMENTS)


# Word vectors with n-grams


@pytest.fixture(scope="module")
def words():
    return make().fit(DOCUMENTS).word_vectors_


def test_look_up_of_unseen_words(words):
    assert "walkings" in words
    assert "walkings" not in words.vocabulary
    assert "walkings" not in list(words)
    assert "qqq" not in words
    assert 3 not in words
    vector = words["walkings"]
    assert_array_equal(vector, words.subwords.compose(["walkings"])[0][0])
    both = words[["walked", "walkings", "jumped"]]
    assert_array_equal(both[1], vector)
    assert_array_equal(both[0], words.vectors[words.vocabulary["walked"]])
    assert words[[]].shape == (0, 8)
    with pytest.raises(KeyError, match="'qqq' is not in the vocabulary"):
        words["qqq"]
    with pytest.raises(KeyError, match="'qqq'"):
        words[["walked", "qqq"]]


def test_queries_of_unseen_words(words):
    found = words.most_similar("walkings", topn=3)
    assert found == words.nearest(words["walkings"], topn=3)
    assert found[0][0] in words.vocabulary
    assert words.similarity("walkings", "walkings") == pytest.approx(1)
    assert words.doesnt_match(["walkings", "walkings", "base0xyz"]) == "base0xyz"
    many = words.most_similar([["walkings"], ["walked", "talkings"]], topn=2)
    assert [word for word, _ in many[0]] == [word for word, _ in found[:2]]
    assert many[0][0][1] == pytest.approx(found[0][1], rel=1e-5)


def score_of_stems(words):
    pairs = [("walked", "Walking", 5), ("walk", "cook", 3), ("qqq", "cook", 5)]
    pairs.append(("talkings", "talks", 1))
    return word_similarity_score(words, pairs, return_details=True)


def test_scores_of_unseen_words(words):
    pairs = [("walking", "walkings", 9), ("walking", "base0xyz", 1), ("qqq", "cook", 5)]
    details = word_similarity_score(words, pairs, return_details=True)
    assert details.n_asked == 2
    expected = words.similarity("walking", ["walkings", "base0xyz"])
    assert_allclose(details.similarities[:2], expected, rtol=1e-5)
    assert score_of_stems(words).n_skipped == 1
    assert score_of_stems(WordVectors(words.vectors, words.words)).n_skipped == 2


def test_pickle_and_equality(words):
    copy = pickle.loads(pickle.dumps(words))
    assert copy == words
    assert_array_equal(copy["walkings"], words["walkings"])
    assert copy != WordVectors(words.vectors, words.words)
    assert not copy.vectors.flags.writeable
    other = SubwordVectors((3, 5), words.subwords.hashes, words.subwords.vectors + 1)
    assert WordVectors(words.vectors, words.words, other) != words


@pytest.mark.parametrize("mmap", [False, True])
def test_a_folder_holds_ngrams(words, tmp_path, mmap):
    words.save(tmp_path / "v")
    found = WordVectors.load(tmp_path / "v", mmap=mmap)
    assert found == words
    assert_array_equal(found["walkings"], words["walkings"])
    few = WordVectors.load(tmp_path / "v", limit=2, mmap=mmap)
    assert len(few) == 2
    assert_array_equal(few["walkings"], words["walkings"])
    given = EmbeddingTransformer(tmp_path / "v").fit([["walkings"]])
    assert_array_equal(given.transform([["walkings"]])[0], words["walkings"])
    # Another save replaces them.
    WordVectors(words.vectors, words.words).save(tmp_path / "v")
    assert WordVectors.load(tmp_path / "v", mmap=mmap).subwords is None


def test_a_file_holds_the_words_alone(words, tmp_path):
    words.save(tmp_path / "v.bin")
    found = WordVectors.load(tmp_path / "v.bin")
    assert found.subwords is None
    assert_array_equal(found.vectors, words.vectors)


def lengths(*items):
    def change(folder):
        state = json.loads((folder / "model.json").read_text())
        state["data"]["subwords"]["data"]["lengths"]["items"] = items
        (folder / "model.json").write_text(json.dumps(state))

    return change


def hashes(change):
    return changed(np.uint64, change)


def vectors(change):
    return changed(np.float32, change)


def changed(dtype, change):
    """Change the last array of a type: the vectors of n-grams, or their hashes."""

    def change_file(folder):
        arrays = load_file(folder / "arrays.safetensors")
        key = max(key for key, array in arrays.items() if array.dtype == dtype)
        save_file(arrays | {key: change(arrays[key])}, folder / "arrays.safetensors")

    return change_file


DAMAGES = {
    "lengths": (lengths(6, 3), r"the longest n-gram, from 1 to 64; got \(6, 3\)"),
    "three lengths": (lengths(3, 4, 5), "from 1 to 64"),
    "no length": (lengths(), "from 1 to 64"),
    "long": (lengths(3, 10**9), "from 1 to 64"),
    "text": (lengths("3", "6"), "from 1 to 64"),
    "order": (hashes(lambda a: a[::-1].copy()), "the hashes do not ascend"),
    "number": (hashes(lambda a: a[:3]), "do not belong together"),
    "another type": (hashes(lambda a: a.astype(float)), "do not belong together"),
    "size": (vectors(lambda a: np.ones((len(a), 9), "<f4")), "those of words 8"),
    "doubles": (vectors(lambda a: a.astype(float)), "do not belong together"),
    "NaN": (vectors(lambda a: a * np.float32(np.nan)), "of n-grams, the vectors must"),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damaged_folders(words, tmp_path, name):
    words.save(tmp_path / "v")
    damage, message = DAMAGES[name]
    damage(tmp_path / "v")
    with pytest.raises(ValueError, match=message) as caught:
        WordVectors.load(tmp_path / "v")
    assert str(tmp_path / "v") in str(caught.value)


def test_ngrams_that_do_not_fit(words):
    with pytest.raises(ValueError, match="n-grams have 8 dimensions, those of words 2"):
        WordVectors([[1, 2]], ["a"], words.subwords)
    with pytest.raises(TypeError, match="subwords must be those of other WordVectors"):
        WordVectors([[1, 2]], ["a"], (3, 6))


# Refusals


@pytest.mark.parametrize(
    "subwords",
    [(3,), (6, 3), (0, 3), (3, 4, 5), ("3", 6), [], (True, 3), (3, 65), (3, 4.0)],
)
def test_lengths_that_are_none(subwords):
    with pytest.raises(ValueError, match=r"subwords=.*such as \(3, 6\)"):
        make(subwords=subwords).fit(DOCUMENTS)


def test_no_word_has_such_an_ngram():
    with pytest.raises(ValueError, match=r"none of the .* words, .* has an n-gram"):
        make(subwords=(40, 50)).fit(DOCUMENTS)


def test_numbers_of_numpy_can_be_saved(tmp_path):
    model = make(subwords=(np.int64(3), np.int64(4))).fit(DOCUMENTS)
    model.word_vectors_.save(tmp_path / "v")
    assert WordVectors.load(tmp_path / "v") == model.word_vectors_


def test_no_words_but_ngrams(words):
    none = WordVectors(np.empty((0, 8)), [], words.subwords)
    assert_array_equal(none["walkings"], words["walkings"])
    assert none[["walkings", "talkings"]].shape == (2, 8)
    assert none.most_similar("walkings") == []
    with pytest.raises(ValueError, match="read-only"):
        words.subwords.vectors[0] = 1


def test_parameters_that_do_not_go_together(words):
    with pytest.raises(ValueError, match="analyzer='char': a character has no parts"):
        make(analyzer="char").fit(DOCUMENTS)
    with pytest.raises(ValueError, match=r"init=.* holds vectors of whole words"):
        make(init=words).fit(DOCUMENTS)
