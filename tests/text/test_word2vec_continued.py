"""Training that goes on: partial_fit, warm_start, and vectors to start from."""

import pickle
from copy import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.exceptions import NotFittedError

from skml.text import TfidfWeighter, Word2VecTransformer, WordVectors
from skml.text._word2vec_online import OnlineVectors
from tests.oracles.word2vec import two_groups

DOCUMENTS, _ = two_groups()
OF_A = [document for document in DOCUMENTS if document[0][0] == "a"]
OF_B = [document for document in DOCUMENTS if document[0][0] == "b"]


def make(**parameters):
    defaults = {"vector_size": 8, "min_count": 1, "max_iter": 2, "random_state": 0}
    return Word2VecTransformer(**{**defaults, **parameters})


def learned(model):
    """What was learned, as bytes, to see that nothing changed."""
    return pickle.dumps({k: v for k, v in vars(model).items() if k.endswith("_")})


# partial_fit


def test_first_call_is_a_fit_of_one_pass():
    one, other = make().partial_fit(DOCUMENTS), make(max_iter=1).fit(DOCUMENTS)
    assert one.vocabulary_ == other.vocabulary_
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.vectors_, other.vectors_)
    assert_array_equal(one.transform(DOCUMENTS), other.transform(DOCUMENTS))


def test_each_call_draws_other_random_numbers():
    """As in scikit-learn: a seed starts the generator, later calls go on with it."""
    one = make(subsample=0.01).partial_fit(DOCUMENTS)
    vectors, state = one.vectors_.copy(), pickle.dumps(one)
    one.partial_fit(DOCUMENTS)
    again = pickle.loads(state).partial_fit(DOCUMENTS)
    assert_array_equal(one.vectors_, again.vectors_)
    fresh = pickle.loads(state).set_params(random_state=np.random.RandomState(0))
    assert np.abs(fresh.partial_fit(DOCUMENTS).vectors_ - one.vectors_).max() > 0
    assert np.abs(one.vectors_ - vectors).max() > 0


def test_each_word_may_be_a_noise_word():
    words, vectors = list("abc"), np.zeros((3, 2), dtype=np.float32)
    tables = OnlineVectors(words, np.full(3, 5), vectors, vectors, {})
    drawn = tables._draw(3000, 0.75, np.random.RandomState(0))
    assert np.bincount(drawn, minlength=3).min() > 900


def test_vocabulary_grows_at_the_end():
    model = make().fit(OF_A)
    words, counts = list(model.vocabulary_), model.counts_.copy()
    model.partial_fit([*OF_B, [words[0]] * 3])
    assert list(model.vocabulary_)[: len(words)] == words
    assert sorted(model.vocabulary_) == [
        f"{group}{i}" for group in "ab" for i in range(8)
    ]
    assert_array_equal(model.counts_[: len(words)] - counts, [3] + [0] * 7)
    in_b = [word for document in OF_B for word in document]
    for word, row in list(model.vocabulary_.items())[8:]:
        assert model.counts_[row] == in_b.count(word)
    # New words are in order of their counts.
    assert (np.diff(model.counts_[8:]) <= 0).all()
    assert model.n_tokens_ == sum(map(len, DOCUMENTS)) + 3
    assert model.n_iter_ == len(model.loss_curve_) == 3
    assert model.word_vectors_["b0"].shape == (8,)


def test_groups_that_come_one_after_the_other_separate():
    parameters = {"vector_size": 16, "window": 2, "subsample": 0}
    model = make(**parameters, learning_rate=0.1)
    for _ in range(10):
        model.partial_fit(OF_A).partial_fit(OF_B)
    group = np.array([word[0] for word in model.vocabulary_])
    unit = model.vectors_ / np.linalg.norm(model.vectors_, axis=1)[:, None]
    is_same, cosine = group[:, None] == group, unit @ unit.T
    assert cosine[is_same].mean() > cosine[~is_same].mean() + 0.5
    assert model.loss_curve_[-1] < model.loss_curve_[0]


def single_documents(n_words=40):
    """Of a vocabulary larger than the noise words of one, in two groups."""
    rng = np.random.default_rng(0)
    return [
        [f"{group}{i}" for i in rng.integers(n_words, size=6)]
        for group in list("ab") * 150
    ]


def test_small_batches_learn_what_a_large_one_does():
    """Their noise words are drawn beforehand, and only their words are touched."""
    model = make(vector_size=16, subsample=0, n_negatives=2, learning_rate=0.1)
    model.set_params(learning_rate_min=0.1).partial_fit(single_documents())
    for document in single_documents():
        model.partial_fit([document])
    group = np.array([word[0] for word in model.vocabulary_])
    unit = model.vectors_ / np.linalg.norm(model.vectors_, axis=1)[:, None]
    is_same, cosine = group[:, None] == group, unit @ unit.T
    assert cosine[is_same].mean() > cosine[~is_same].mean() + 0.5
    assert model.counts_.sum() == model.n_tokens_ == 2 * 300 * 6


def test_what_was_learned_does_not_change_with_later_batches():
    """Attributes are copies; a pickle in between changes nothing."""
    model = make(n_negatives=2).fit(single_documents())
    given, copy = model.word_vectors_, model.vectors_.copy()
    documents = single_documents()
    for step, pair in enumerate(zip(documents[::2], documents[1::2], strict=True)):
        model.partial_fit([*pair, [f"new{step}"]])
        if step == 10:
            again = pickle.loads(pickle.dumps(model))
        if step > 10:
            again.partial_fit([*pair, [f"new{step}"]])
    assert_array_equal(given.vectors, copy)
    assert model.vocabulary_ == again.vocabulary_
    assert_array_equal(model.counts_, again.counts_)
    assert_array_equal(model.vectors_, again.vectors_)
    assert_array_equal(model.output_vectors_, again.output_vectors_)
    unchanged = (model.vectors_[: len(given)] == copy).all(axis=1)
    assert not unchanged.any()


def test_a_copy_does_not_follow_later_batches():
    model = make().partial_fit(OF_A).partial_fit(OF_A)
    shallow, words = copy(model), list(model.vocabulary_)
    expected = model.transform(DOCUMENTS)
    model.partial_fit(OF_B)
    assert_array_equal(shallow.transform(DOCUMENTS), expected)
    assert list(shallow.vocabulary_) == words
    shallow.partial_fit(OF_B)  # as the original does
    assert_array_equal(shallow.vectors_, model.vectors_)
    assert vars(copy(make())) == vars(make())


def test_a_copy_keeps_attributes_that_are_not_ours():
    model = make().fit(DOCUMENTS)
    model.language_ = "en"
    shallow = copy(model)
    assert shallow.language_ == "en"
    assert vars(shallow).keys() == vars(model).keys()


def test_a_batch_changes_its_own_words_only():
    model = make(n_negatives=1).fit(single_documents())
    before = model.vectors_.copy()
    model.partial_fit([["a1", "a2", "a3"]])
    changed = np.flatnonzero((model.vectors_ != before).any(axis=1))
    of_batch = [model.vocabulary_[f"a{i}"] for i in (1, 2, 3)]
    assert set(changed) <= set(of_batch)


def test_rare_words_are_counted_across_calls():
    model = make(min_count=3).partial_fit([["x"] * 3, ["y"]])
    assert list(model.vocabulary_) == ["x"]
    model.partial_fit([["z", "z", "y"]])
    assert list(model.vocabulary_) == ["x"]
    again = pickle.loads(pickle.dumps(model))
    for continued in (model, again):
        continued.partial_fit([["y", "x"]])
        assert continued.vocabulary_ == {"x": 0, "y": 1}
        assert continued.counts_.tolist() == [4, 3]


def test_words_are_counted_before_any_is_frequent_enough():
    model = make(min_count=3)
    for _ in range(2):
        assert model.partial_fit(["red blue"]) is model
        with pytest.raises(NotFittedError):
            model.transform(["red"])
    model.partial_fit(["blue red"])
    assert model.vocabulary_ == {"blue": 0, "red": 1}
    assert model.counts_.tolist() == [3, 3]
    with pytest.raises(ValueError, match="hold no token"):
        make().partial_fit([""])
    assert list(model.partial_fit([""]).vocabulary_) == ["blue", "red"]


def test_max_features_limits_the_whole_vocabulary():
    model = make(max_features=2).partial_fit([["x", "x", "y"]])
    model.partial_fit([["z"] * 9])
    assert list(model.vocabulary_) == ["x", "y"]
    model.set_params(max_features=3).partial_fit([["z"]])
    assert list(model.vocabulary_) == ["x", "y", "z"]


def test_documents_without_a_known_word_change_no_vector():
    model = make(min_count=2).fit(DOCUMENTS)
    before = model.vectors_.copy()
    model.partial_fit([["once"]])
    assert_array_equal(model.vectors_, before)


def test_failing_call_leaves_the_estimator_as_it_was():
    model = make().fit(OF_A)
    before = learned(model)
    with pytest.raises(TypeError, match="document 1"):
        model.partial_fit([["b0"], 3])
    with pytest.raises(ValueError, match="grew without bound"):
        model.set_params(learning_rate=1e30).partial_fit(OF_B * 3)
    assert learned(model) == before


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"weighter": TfidfWeighter()}, "weighter=TfidfWeighter.*all documents"),
        ({"remove_components": 1}, "remove_components=1"),
        ({"loss": "hierarchical-softmax"}, "loss='hierarchical-softmax'.*tree"),
    ],
)
def test_what_partial_fit_cannot_honour(parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).partial_fit(DOCUMENTS)


def test_other_vector_size():
    model = make().fit(DOCUMENTS)
    for setting in ({}, {"warm_start": True}):
        model.set_params(vector_size=9, **setting)
        train = model.fit if setting else model.partial_fit
        with pytest.raises(ValueError, match=r"vector_size=9, and the vectors .* 8"):
            train(DOCUMENTS)


# warm_start


@pytest.mark.parametrize("loss", ["negative-sampling", "hierarchical-softmax"])
def test_warm_start_goes_on(loss):
    cold = make(loss=loss, max_iter=5).fit(DOCUMENTS)
    first = cold.loss_curve_
    warm = make(loss=loss, max_iter=5, warm_start=True).fit(DOCUMENTS)
    assert_array_equal(warm.loss_curve_, first)
    assert warm.fit(DOCUMENTS).loss_curve_[0] < first[1]
    assert_array_equal(cold.fit(DOCUMENTS).loss_curve_, first)


def test_warm_start_learns_the_vocabulary_anew():
    model = make(warm_start=True, learning_rate=1e-9, learning_rate_min=0)
    model.fit(DOCUMENTS)
    before = model.word_vectors_
    model.fit([*OF_B, ["new"]])
    assert sorted(model.vocabulary_) == [*(f"b{i}" for i in range(8)), "new"]
    of_b = [f"b{i}" for i in range(8)]
    assert_allclose(model.word_vectors_[of_b], before[of_b], atol=1e-6)


def test_output_vectors_follow_their_words():
    """Rates of nothing: both matrices are only rearranged."""
    tiny = {"learning_rate": 1e-12, "learning_rate_min": 0}
    model = make(max_iter=5).fit(DOCUMENTS)
    before = dict(zip(model.vocabulary_, model.output_vectors_.copy(), strict=True))
    assert min(np.abs(vector).max() for vector in before.values()) > 0.01
    model.set_params(**tiny, warm_start=True).fit(OF_B)
    for word, vector in zip(model.vocabulary_, model.output_vectors_, strict=True):
        assert_allclose(vector, before[word], atol=1e-6)


# init


def given(size=8, words=("a0", "b3", "elsewhere"), seed=1):
    vectors = np.random.default_rng(seed).normal(size=(len(words), size))
    return WordVectors(vectors, words)


def test_init_is_where_training_starts():
    tiny = {"learning_rate": 1e-12, "learning_rate_min": 0}
    init = given()
    model, plain = make(init=init, **tiny), make(**tiny)
    model.fit(DOCUMENTS)
    plain.fit(DOCUMENTS)
    for word in model.vocabulary_:
        start = init if word in init else plain.word_vectors_
        assert_allclose(model.word_vectors_[word], start[word], atol=1e-6)


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("loss", ["negative-sampling", "hierarchical-softmax"])
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_frozen_vectors_stay(architecture, loss, n_jobs):
    init = given()
    mode = {"architecture": architecture, "loss": loss, "n_jobs": n_jobs}
    frozen = make(init=init, freeze_init=True, **mode).fit(DOCUMENTS)
    free = make(init=init, **mode).fit(DOCUMENTS)
    for word in ("a0", "b3"):
        assert_array_equal(frozen.word_vectors_[word], init[word])
        assert (free.word_vectors_[word] != init[word]).all()
    start = make(learning_rate=1e-12, learning_rate_min=0).fit(DOCUMENTS)
    assert (frozen.word_vectors_["a1"] != start.word_vectors_["a1"]).all()


def test_frozen_vectors_stay_when_training_goes_on():
    init = given()
    model = make(init=init, freeze_init=True, warm_start=True).fit(OF_A)
    model.partial_fit(OF_B)
    assert_array_equal(model.word_vectors_["a0"], init["a0"])
    assert_array_equal(model.word_vectors_["b3"], init["b3"])
    model.fit(DOCUMENTS)
    assert_array_equal(model.word_vectors_["b3"], init["b3"])


def test_vectors_that_were_learned_give_way_to_frozen_ones():
    init = given()
    model = make(warm_start=True).fit(DOCUMENTS)
    model.set_params(init=init, freeze_init=True).fit(DOCUMENTS)
    assert_array_equal(model.word_vectors_["a0"], init["a0"])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"init": given(9)}, "init have 9 dimensions and vector_size=8"),
        ({"init": given(words=("c", "d"))}, "none of the 16 words .* of init"),
        ({"freeze_init": True}, "freeze_init=True has no effect"),
        ({"init": None}, "'init' parameter"),
    ],
)
def test_bad_init(parameters, message):
    with pytest.raises(ValueError, match=message):
        make(**parameters).fit(DOCUMENTS)
