"""Estimators of text that are saved: they come back as they were, or are refused."""

import json

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from safetensors.numpy import load_file, save_file
from sklearn import config_context
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer

from skml.text import (
    EmbeddingTransformer,
    TfidfWeighter,
    Word2VecTransformer,
    WordVectors,
)
from tests.oracles.word2vec import two_groups

DOCUMENTS, GROUPS = two_groups()
DOCUMENTS, GROUPS = DOCUMENTS[:60], GROUPS[:60]
NEW = [["a0", "b3", "a0", "elsewhere"], [], ["c"]]
COUNTS = CountVectorizer(analyzer=list).fit_transform(DOCUMENTS)
VECTORS = WordVectors(np.random.default_rng(1).normal(size=(3, 8)), ["a0", "b3", "c"])


def word2vec(**parameters):
    defaults = {"vector_size": 8, "min_count": 1, "max_iter": 2, "random_state": 0}
    return Word2VecTransformer(**{**defaults, **parameters})


def embed(vectors=VECTORS, **parameters):
    return EmbeddingTransformer(vectors, **parameters).fit(DOCUMENTS)


def ngrams():
    return word2vec(subwords=(1, 2), learning_rate=0.1)


CASES = {
    "tf-idf": lambda: TfidfWeighter().fit(DOCUMENTS),
    "bm25": lambda: TfidfWeighter(scheme="bm25", norm=None).fit(DOCUMENTS),
    "icf": lambda: TfidfWeighter(scheme="icf", dtype="float32").fit(DOCUMENTS, GROUPS),
    "vocabulary": lambda: TfidfWeighter(vocabulary=["a0", "z"]).fit(DOCUMENTS),
    "embedding": lambda: embed(weighter=TfidfWeighter(), remove_components=1),
    "embedding of n-grams": lambda: embed(ngrams().fit(DOCUMENTS).word_vectors_),
    "word2vec": lambda: word2vec(weighter=TfidfWeighter(scheme="sif")).fit(DOCUMENTS),
    "tree": lambda: word2vec(loss="hierarchical-softmax").fit(DOCUMENTS),
    "n-grams": lambda: ngrams().fit(DOCUMENTS),
    "n-grams, more": lambda: ngrams().fit(DOCUMENTS).partial_fit(DOCUMENTS[:9]),
    "init": lambda: word2vec(init=VECTORS, freeze_init=True).fit(DOCUMENTS),
    "online": lambda: (
        word2vec(n_negatives=1, min_count=2)
        .partial_fit(DOCUMENTS)
        .partial_fit([["a0", "a1", "new"]])
    ),
}


@pytest.mark.filterwarnings("ignore:.*no known word", "ignore:.*never found")
@pytest.mark.parametrize("name", CASES)
def test_what_is_loaded_is_what_was_saved(name, tmp_path):
    model = CASES[name]()
    again = type(model).load(model.save(tmp_path / "m") and tmp_path / "m")
    assert vars(again).keys() == vars(model).keys()
    one, other = model.transform(NEW), again.transform(NEW)
    if isinstance(model, TfidfWeighter):
        one, other = one.toarray(), other.toarray()
    assert_array_equal(one, other, strict=True)
    assert_array_equal(again.get_feature_names_out(), model.get_feature_names_out())
    if not isinstance(model, Word2VecTransformer):
        return
    assert again.vocabulary_ == model.vocabulary_
    for attribute in ("vectors_", "output_vectors_", "counts_", "loss_curve_"):
        one, other = getattr(model, attribute), getattr(again, attribute)
        assert_array_equal(one, other, strict=True)
    # Both continue with the same random numbers.
    for continued in (model, again):
        continued.set_params(warm_start=True).fit(DOCUMENTS[:30])
    assert_array_equal(model.vectors_, again.vectors_)


@pytest.mark.parametrize("name", ["online", "n-grams, more", "init"])
def test_what_is_loaded_continues(name, tmp_path):
    model = CASES[name]()
    again = Word2VecTransformer.load(model.save(tmp_path / "m") and tmp_path / "m")
    for batch in ([["a0", "b1"]], [["new", "a3", "new"]], DOCUMENTS[:5]):
        for continued in (model, again):
            continued.partial_fit(batch)
    assert again.vocabulary_ == model.vocabulary_
    assert ("new" in again.vocabulary_) == (
        name != "init" or "new" in again.vocabulary_
    )
    assert_array_equal(again.vectors_, model.vectors_)
    assert_array_equal(again.counts_, model.counts_)


@pytest.mark.parametrize("name", ["embedding", "word2vec"])
def test_what_set_output_asked_for_comes_back(name, tmp_path):
    pytest.importorskip("pandas")
    model = CASES[name]().set_output(transform="pandas")
    again = type(model).load(model.save(tmp_path / "m") and tmp_path / "m")
    assert type(again.transform(DOCUMENTS)) is type(model.transform(DOCUMENTS))
    again.set_output(transform="default")
    with config_context(transform_output="pandas"):  # which weighters cannot return
        assert isinstance(again.transform(DOCUMENTS), np.ndarray)


def test_a_weighter_that_is_not_fitted_is_refused(tmp_path):
    CASES["embedding"]().save(tmp_path / "m")
    file = tmp_path / "m" / "model.json"
    state = json.loads(file.read_text())
    state["fitted"]["data"]["weighter_"]["fitted"] = None
    file.write_text(json.dumps(state))
    with pytest.raises(ValueError, match="TfidfWeighter instance is not fitted"):
        EmbeddingTransformer.load(tmp_path / "m")


def test_a_weighter_of_counts(tmp_path):
    pandas = pytest.importorskip("pandas")
    names = [f"n{i}" for i in range(COUNTS.shape[1])]
    frame = pandas.DataFrame(COUNTS.toarray(), columns=names)
    model = TfidfWeighter(min_df=3).fit(frame)
    again = TfidfWeighter.load(model.save(tmp_path / "m") and tmp_path / "m")
    assert_array_equal(again.transform(frame).data, model.transform(frame).data)
    assert again.get_feature_names_out().tolist() == names


def test_vectors_that_are_shared_are_written_once(tmp_path):
    embed().save(tmp_path / "m")
    arrays = load_file(tmp_path / "m" / "arrays.safetensors")
    assert [a.shape for a in arrays.values()] == [VECTORS.vectors.shape, (0, 8)]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            word2vec(weighter=TfidfTransformer()),
            "the parameter weighter is TfidfTransf",
        ),
        (word2vec(tokenizer=str.split, token_pattern=None), "the parameter tokenizer"),
        (word2vec(random_state=np.random.RandomState(0)), "the parameter random_state"),
    ],
)
def test_what_is_no_data_is_not_written(model, message, tmp_path):
    model.fit([" ".join(document) for document in DOCUMENTS])
    with pytest.raises(TypeError, match=f"Word2VecTransformer: {message}"):
        model.save(tmp_path / "m")
    assert not (tmp_path / "m").exists()


def test_only_what_is_fitted_is_written(tmp_path):
    model = word2vec(min_count=9).partial_fit([["rare"]])
    for unfitted in (model, TfidfWeighter()):
        with pytest.raises(NotFittedError):
            unfitted.save(tmp_path / "m")


# Damage


def at(*keys, **changes):
    """Change values of the JSON at these keys of the fitted value."""

    def change(folder):
        state = json.loads((folder / "model.json").read_text())
        value = state["fitted"]["data"]
        for key in keys:
            value = value[key]["data"]
        value.update(changes)
        (folder / "model.json").write_text(json.dumps(state))

    return change


def array(*keys, name, change):
    """Change the array that stands at these keys of the fitted value."""

    def change_file(folder):
        state = json.loads((folder / "model.json").read_text())
        value = state["fitted"]["data"]
        for key in keys:
            value = value[key]["data"]
        arrays = load_file(folder / "arrays.safetensors")
        arrays[value[name]["key"]] = change(arrays[value[name]["key"]])
        save_file(arrays, folder / "arrays.safetensors")

    return change_file


def pairs(*items):
    return {"is": "dict", "items": list(items)}


def cut(a):
    return a[:-1].copy()


def back_and_forth(a):
    return np.concatenate([a[:1], a[:0:-1][1:], a[-1:]])


def minus(a):
    return -a


DAMAGE = {
    "scheme": ("tf-idf", at(scheme="x"), "'x' or 'l2' is not known"),
    "norm": ("tf-idf", at(norm="l3"), "'tf-idf' or 'l3' is not known"),
    "ends": (
        "tf-idf",
        array("vocabulary", name="ends", change=lambda a: a + 1),
        "the ends of the terms do not fit",
    ),
    "ends that go back": (
        "tf-idf",
        array("vocabulary", name="ends", change=back_and_forth),
        "the ends of the terms do not fit",
    ),
    "spelling": (
        "tf-idf",
        array("vocabulary", name="spelling", change=lambda a: a | 0x80),
        "terms of the vocabulary are no UTF-8",
    ),
    "term": (
        "tf-idf",
        array("vocabulary", name="spelling", change=lambda a: a * 0 + 97),
        "two columns",
    ),
    "terms": (
        "tf-idf",
        array("vocabulary", name="ends", change=lambda a: a[[0, -1]]),
        "for 1 terms",
    ),
    "no terms": ("tf-idf", at(vocabulary=None), "for None terms"),
    "half": (
        "tf-idf",
        array(name="term_weights_", change=lambda a: a.astype("f2")),
        "float16",
    ),
    "seen": (
        "tf-idf",
        array("seen", name="df", change=lambda a: a[1:]),
        "there are frequencies of",
    ),
    "less than nothing": (
        "tf-idf",
        array("seen", name="df", change=lambda a: -a),
        "the frequencies of terms do not fit together",
    ),
    "length": ("bm25", at(mean_length_=None), "mean_length_ is None for bm25"),
    "pooling": ("embedding", at(pooling="x"), "pooling is 'x'"),
    "features": ("embedding", at(pooling="mean+max"), "for 16 features"),
    "components": (
        "embedding",
        array(name="components_", change=lambda a: a.astype(float)),
        "components_ are float64",
    ),
    "no weighter": (
        "embedding",
        at(weighter_={"is": "csr_array"}),
        "weighter_: 'data'",
    ),
    "curve": ("word2vec", at(n_iter_=3), "n_iter_ is 3"),
    "position": ("word2vec", at("random_state", position=10**6), "position is 1000000"),
    "before": ("word2vec", at("random_state", position=-1), "the position is -1"),
    "key": ("word2vec", array("random_state", name="key", change=cut), "key is uint32"),
    "counts": (
        "word2vec",
        array("tables", name="counts", change=minus),
        "not positive",
    ),
    "too few": (
        "word2vec",
        array("tables", name="counts", change=cut),
        "counts are int",
    ),
    "many": (
        "word2vec",
        array("tables", name="counts", change=lambda a: a << 56),
        "too large",
    ),
    "rare": (
        "word2vec",
        at("tables", rare_counts=pairs(["x", "1"])),
        "rare_counts are",
    ),
    "outputs": (
        "word2vec",
        array("tables", name="output_vectors", change=cut),
        "output_vectors are float32 of",
    ),
    "infinite": (
        "word2vec",
        array("tables", name="output_vectors", change=lambda a: a / np.float32(0)),
        "output_vectors are not finite",
    ),
    "n-grams": ("n-grams", at("tables", own_rows=None), "own_rows and n-grams"),
    "own": (
        "n-grams",
        array("tables", name="own_rows", change=cut),
        "has 16 words and",
    ),
    "own size": (
        "n-grams",
        array("tables", name="own_rows", change=lambda a: a[:, :3].copy()),
        "own_rows have the shape",
    ),
    "online": (
        "online",
        array("tables", name="counts", change=cut),
        "counts are int64",
    ),
    "online vectors": (
        "online",
        array("tables", name="vectors", change=cut),
        "vocabulary has",
    ),
    "noise": (
        "online",
        at("tables", noise={"is": "tuple", "items": [1.5, 2, 3]}),
        "dtype",
    ),
}


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize("name", DAMAGE)
def test_what_does_not_belong_together_is_refused(name, tmp_path):
    case, damage, message = DAMAGE[name]
    model = CASES[case]().save(tmp_path / "m")
    damage(tmp_path / "m")
    with pytest.raises(ValueError, match=message) as caught:
        type(model).load(tmp_path / "m")
    assert str(tmp_path / "m" / "model.json") in str(caught.value)


def longer_noise(folder):
    """More words to draw than there are."""
    state = json.loads((folder / "model.json").read_text())
    key = state["fitted"]["data"]["tables"]["data"]["noise"]["items"][0]["key"]
    arrays = load_file(folder / "arrays.safetensors")
    arrays[key] = np.append(arrays[key], arrays[key][-1] + 1)
    save_file(arrays, folder / "arrays.safetensors")


def test_noise_words_that_are_not_there_are_refused(tmp_path):
    CASES["online"]().save(tmp_path / "m")
    longer_noise(tmp_path / "m")
    with pytest.raises(ValueError, match="noise words do not fit the words"):
        Word2VecTransformer.load(tmp_path / "m")
