"""FastTextClassifier.quantize: what stays of a model, and what it predicts."""

import copy
import gzip
import pickle
from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skml.text import FastTextClassifier, WordVectors
from skml.text._fasttext_classifier_files import classifier_chunks
from skml.text._quantized import QuantizedVectors
from tests.oracles.fasttext import word_buckets

RNG = np.random.default_rng(0)
WORDS = [f"w{i}诗" for i in range(300)]
# Documents of three classes, each with words of its own.
Y = RNG.integers(0, 3, size=150)
X = [
    " ".join([*RNG.choice(WORDS[100 * c : 100 * (c + 1)], 4).tolist(), "the"])
    for c in Y
]
NEW = ["w1诗 w2诗 the w250诗", "", "the unknown w120诗 w120诗", "w1诗 w1诗 w1诗"]
N_BUCKETS = 2000


def learn(**parameters):
    defaults = {"vector_size": 7, "n_buckets": N_BUCKETS, "max_iter": 5}
    model = FastTextClassifier(**{**defaults, "random_state": 0, **parameters})
    return model.fit(X, Y)


@pytest.fixture(scope="module")
def learned():
    return learn()


def quantized(model, *args, **options):
    return copy.copy(model).quantize(*args, **options)


def with_vectors(model, **changes):
    """A model with some parts of what it learned replaced."""
    other = copy.copy(model)
    fields = {**other._fitted.__getstate__(), **changes}
    other._publish(type(other._fitted)(**fields))
    other._fitted.check()
    return other


def decoded(model):
    """The same model, without quantisation."""
    fitted = model._fitted
    changes = {
        name: vectors.decode()
        for name in ("input_vectors", "output_vectors")
        if isinstance(vectors := getattr(fitted, name), QuantizedVectors)
    }
    return with_vectors(model, **changes)


def test_predicts_as_the_decoded_vectors(learned):
    model = learned
    for options in ({}, {"subvector_size": 3, "quantize_classes": True}):
        small = quantized(model, **options)
        assert isinstance(small._fitted.input_vectors, QuantizedVectors)
        dense = decoded(small)
        for texts in (X, NEW, NEW[1:2]):
            assert_array_equal(small.transform(texts), dense.transform(texts))
            expected = dense.predict_proba(texts)
            assert_array_equal(small.predict_proba(texts), expected)
            assert_allclose(expected, model.predict_proba(texts), atol=0.02)
        assert (small.word_vectors_ == dense.word_vectors_) is True
        assert small.vocabulary_ == model.vocabulary_


def test_a_small_model_is_exact():
    """No part has more values than there are centroids."""
    model = FastTextClassifier(5, max_iter=5, random_state=0).fit(X[:20], Y[:20])
    assert len(model._fitted.input_vectors) < 256
    small = quantized(model, quantize_classes=True)
    assert_allclose(small.predict_proba(X), model.predict_proba(X), rtol=1e-5)


def test_the_classifier_itself_is_changed_but_not_its_parameters(learned):
    before, model = learned.get_params(), copy.copy(learned)
    assert model.quantize(20) is model
    assert model.get_params() == before
    assert_array_equal(model.loss_curve_, learned.loss_curve_)
    assert len(learned._fitted.input_vectors) > 300
    again = clone(model).fit(X, Y)
    assert_array_equal(again.predict_proba(NEW), learned.predict_proba(NEW))


@pytest.mark.parametrize("max_features", [2, 30, 200])
def test_the_longest_vectors_are_kept(learned, max_features):
    fitted, n_words = learned._fitted, len(learned.vocabulary_)
    lengths = np.linalg.norm(fitted.input_vectors, axis=1)
    end = learned.vocabulary_["</s>"]
    others = [i for i in np.argsort(-lengths) if i != end][: max_features - 1]
    kept = sorted([end, *others])
    small = quantized(learned, max_features)
    words = list(learned.vocabulary_)
    assert list(small.vocabulary_) == [words[i] for i in kept if i < n_words]
    buckets = [fitted.buckets[i - n_words] for i in kept if i >= n_words]
    assert_array_equal(small._fitted.buckets, buckets)
    assert_array_equal(small.counts_, learned.counts_[[i for i in kept if i < n_words]])
    rows = small._fitted.input_vectors.decode()
    assert_allclose(rows, fitted.input_vectors[kept], atol=0.03 * lengths.max())


def test_ngrams_that_are_left_out_are_zeros(learned):
    small = quantized(learned, 150)
    rows = small._fitted.input_vectors.decode()
    row_of = {int(b): i for i, b in enumerate(small._fitted.buckets)}
    means = []
    for text in X[:20] + NEW:
        tokens = [*text.split(), "</s>"]
        known = [small.vocabulary_[t] for t in tokens if t in small.vocabulary_]
        buckets = word_buckets(tokens, 2, N_BUCKETS)
        own = [len(small.vocabulary_) + row_of[b] for b in buckets if b in row_of]
        means.append(rows[known + own].sum(axis=0) / (len(known) + len(buckets)))
    assert_allclose(small.transform(X[:20] + NEW), means, atol=1e-6)


def test_all_are_kept_if_there_are_no_more(learned):
    n_rows = len(learned._fitted.input_vectors)
    expected = quantized(learned).predict_proba(NEW)
    for max_features in (n_rows, np.int64(n_rows + 1)):
        found = quantized(learned, max_features).predict_proba(NEW)
        assert_array_equal(found, expected)
    assert len(quantized(learned, n_rows - 1)._fitted.input_vectors) == n_rows - 1


@pytest.mark.parametrize("loss", ["hierarchical-softmax", "one-vs-rest"])
def test_other_losses(loss, tmp_path):
    several = loss == "one-vs-rest"
    model = FastTextClassifier(4, loss=loss, max_iter=5, random_state=0, n_buckets=500)
    model.fit(X, np.eye(3, dtype=int)[Y] if several else Y)
    small = quantized(model, quantize_classes=True).save(tmp_path / "model")
    assert_allclose(small.predict_proba(X), model.predict_proba(X), atol=0.02)
    assert small.predict(X).shape == model.predict(X).shape
    again = FastTextClassifier.load(tmp_path / "model")
    assert_array_equal(again.predict_proba(X), small.predict_proba(X))


def test_saved_and_pickled(learned, tmp_path):
    small = quantized(learned, 100, quantize_classes=True)
    small.save(tmp_path / "small")
    for again in (
        FastTextClassifier.load(tmp_path / "small"),
        pickle.loads(pickle.dumps(small)),
    ):
        assert_array_equal(again.predict_proba(X), small.predict_proba(X))
        assert isinstance(again._fitted.output_vectors, QuantizedVectors)
    sizes = [len(pickle.dumps(model)) for model in (learn(vector_size=80), small)]
    assert sizes[1] < sizes[0] / 8


def clone_with(model, seed):
    return copy.copy(model).set_params(random_state=seed)


def test_the_random_state_decides(learned):
    codes = [
        clone_with(learned, seed).quantize()._fitted.input_vectors.codes
        for seed in (1, 1, 2)
    ]
    assert_array_equal(codes[0], codes[1])
    assert (codes[0] != codes[2]).any()


def test_training_goes_on_with_decoded_vectors(learned):
    small = quantized(learned, 100)
    dense = decoded(small)
    one, other = copy.copy(small), copy.copy(dense)
    one.partial_fit(["w1诗 new"] * 9, [2] * 9)
    other.partial_fit(["w1诗 new"] * 9, [2] * 9)
    assert isinstance(one._fitted.input_vectors, np.ndarray)
    assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert one.predict_proba(["new"])[0, 2] > small.predict_proba(["new"])[0, 2]
    again = quantized(one)
    assert_allclose(again.predict_proba(X), one.predict_proba(X), atol=0.02)
    twice = quantized(small, 50)
    assert set(twice.vocabulary_) < set(small.vocabulary_)


# Files of fastText


@pytest.mark.parametrize("max_features", [None, 150])
def test_written_and_read(learned, tmp_path, max_features):
    """N-grams that are left out do not count in the mean of fastText."""
    small = quantized(learned, max_features, quantize_classes=max_features is None)
    small.to_fasttext(tmp_path / "m.ftz")
    again = FastTextClassifier.from_fasttext(tmp_path / "m.ftz")
    left_out = with_vectors(small, is_pruned=True)
    expected = left_out.predict_proba(X + NEW)
    assert_allclose(again.predict_proba(X + NEW), expected, atol=1e-6)
    labels = small.predict(X + NEW)
    assert_array_equal(again.predict(X + NEW).astype(int), labels)
    assert np.abs(expected - small.predict_proba(X + NEW)).max() > 0.01
    again.to_fasttext(tmp_path / "again.ftz")
    written = (tmp_path / "m.ftz").read_bytes()
    assert (tmp_path / "again.ftz").read_bytes() == written
    again.to_fasttext(tmp_path / "m.ftz.gz")
    assert gzip.decompress((tmp_path / "m.ftz.gz").read_bytes()) == written
    assert len(written) < 60_000
    words = WordVectors.load(tmp_path / "m.ftz")
    assert_allclose(words.vectors, small.word_vectors_.vectors, rtol=1e-6)


def test_words_alone_are_the_same_in_a_file(tmp_path):
    """There are no n-grams to leave out."""
    model = learn(ngram_range=(1, 1), n_buckets=FastTextClassifier().n_buckets)
    small = quantized(model, 150)
    small.to_fasttext(tmp_path / "m.ftz")
    again = FastTextClassifier.from_fasttext(tmp_path / "m.ftz")
    found, expected = again.predict_proba(X + NEW), small.predict_proba(X + NEW)
    assert_allclose(found, expected, atol=1e-6)
    assert not again._fitted.is_pruned


@pytest.mark.parametrize("name", ["m.ftz", "m.FTZ.gz"])
def test_a_dense_model_is_no_ftz(learned, tmp_path, name):
    with pytest.raises(ValueError, match=f"{name} is the name of a quantised model, w"):
        learned.to_fasttext(tmp_path / name)
    assert not any(tmp_path.iterdir())
    learned.to_fasttext(tmp_path / "m.ftz.bin")


# Errors


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"subvector_size": 0}, ValueError, "subvector_size == 0, must be >= 1"),
        ({"subvector_size": 8}, ValueError, "subvector_size == 8, must be <= 7"),
        ({"subvector_size": 2.0}, TypeError, "subvector_size must be an instance of"),
        ({"quantize_classes": "no"}, TypeError, "quantize_classes must be an instan"),
        ({"max_features": 0}, ValueError, "max_features == 0, must be >= 1"),
        ({"max_features": "all"}, TypeError, "max_features must be an instance of"),
        ({"max_features": 1}, ValueError, "max_features=1 keeps nothing but </s>, whi"),
    ],
)
def test_parameters_that_are_refused(learned, parameters, error, message):
    model = copy.copy(learned)
    with pytest.raises(error, match=message):
        model.quantize(**parameters)
    assert model._fitted is learned._fitted


def test_one_dimension_is_quantised():
    single = learn(vector_size=1, max_iter=1).quantize()
    assert single._fitted.input_vectors.codes.shape[1] == 1


def test_more_codes_than_a_file_may_have(learned, tmp_path):
    model = copy.copy(learned).quantize()
    codes = np.broadcast_to(np.uint8(0), (1 << 25, 64))
    vectors = replace(model._fitted.input_vectors, codes=codes)
    fitted = replace(model._fitted, input_vectors=vectors)
    with pytest.raises(ValueError, match=r"fewer than 2\*\*31 bytes of quantised"):
        classifier_chunks(fitted, "__label__", "FastTextClassifier")


def test_parts_are_not_wider_than_a_file_may_have(tmp_path):
    wide = learn(vector_size=65, max_iter=1)
    with pytest.raises(ValueError, match="subvector_size == 65, must be <= 64"):
        wide.quantize(subvector_size=65)
    wide.quantize(subvector_size=64).to_fasttext(tmp_path / "m.ftz")
    again = FastTextClassifier.from_fasttext(tmp_path / "m.ftz")
    assert again._fitted.input_vectors.codes.shape[1] == 2


def test_before_fit():
    with pytest.raises(NotFittedError):
        FastTextClassifier().quantize()


def test_a_model_that_is_quantised_but_does_not_fit(learned):
    small = quantized(learned, 100, quantize_classes=True)._fitted
    for changes, message in (
        ({"input_vectors": small.input_vectors[1:]}, "input_vectors are .* quantised"),
        ({"output_vectors": small.output_vectors[1:]}, "output_vectors are .2, 7., q"),
        ({"input_vectors": small.input_vectors.decode()}, "output_vectors are quanti"),
    ):
        with pytest.raises(ValueError, match=message):
            with_vectors(quantized(learned, 100, quantize_classes=True), **changes)
