"""Tests of Word2VecTransformer; its kernel and its tables have tests of their own."""

import pickle
import random
from io import StringIO
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import BaseEstimator, clone
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skml.text import TfidfWeighter, Word2VecTransformer
from tests.oracles.word2vec import two_groups

MODES = list(
    product(["skip-gram", "cbow"], ["negative-sampling", "hierarchical-softmax"])
)
all_modes = pytest.mark.parametrize(("architecture", "loss"), MODES)

DOCUMENTS, GROUPS = two_groups()
SMALL = DOCUMENTS[:40]
UNSEEN = [["a1", "b2", "a1", "zzz"], [], ["zzz"], ["b7"]]


def make(**parameters):
    defaults = {"vector_size": 8, "min_count": 1, "max_iter": 2, "random_state": 0}
    return Word2VecTransformer(**{**defaults, **parameters})


def fit(documents=SMALL, **parameters):
    return make(**parameters).fit(documents)


def assert_same_fit(one, other):
    assert one.vocabulary_ == other.vocabulary_
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.vectors_, other.vectors_)


# What it learns


@all_modes
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_two_groups_separate(architecture, loss, n_jobs):
    """Words of one group share all their contexts, words of two share none."""
    word2vec = fit(
        DOCUMENTS,
        vector_size=16,
        architecture=architecture,
        loss=loss,
        window=2,
        subsample=0,
        max_iter=20,
        learning_rate=0.1,
        n_jobs=n_jobs,
    )
    unit = word2vec.vectors_ / np.linalg.norm(word2vec.vectors_, axis=1)[:, None]
    group = np.array([word[0] for word in word2vec.vocabulary_])
    assert len(group) == 16
    is_same = group[:, None] == group
    cosine = unit @ unit.T
    within, between = cosine[is_same & ~np.eye(16, dtype=bool)], cosine[~is_same]
    assert within.min() > between.max()
    assert within.mean() > between.mean() + 0.4

    # Then documents of either group lie on two sides of a line.
    pooled = word2vec.transform(DOCUMENTS)
    assert LogisticRegression(C=100).fit(pooled, GROUPS).score(pooled, GROUPS) == 1


@all_modes
def test_loss_falls(architecture, loss):
    curve = fit(DOCUMENTS, architecture=architecture, loss=loss, max_iter=4).loss_curve_
    assert len(curve) == 4
    assert (np.diff(curve) <= 0).all()


@all_modes
def test_loss_is_comparable_between_numbers_of_threads(architecture, loss):
    parameters = {
        "architecture": architecture,
        "loss": loss,
        "max_iter": 6,
        "learning_rate": 0.05,
        "subsample": 0,
    }
    one, two, many = (fit(DOCUMENTS, **parameters, n_jobs=n) for n in (1, 2, 7))
    # Another seed alone makes one percent.
    assert_allclose(two.loss_curve_, one.loss_curve_, rtol=0.03)
    assert_allclose(many.loss_curve_, one.loss_curve_, rtol=0.03)


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("n_jobs", [1, 3])
def test_loss_curve_is_the_mean_of_a_pair(architecture, n_jobs):
    """Eight equally frequent words are three questions deep: at the start, log 2 each.

    A learning rate of nearly zero leaves it at that.
    """
    words = list("abcdefgh")
    rng = np.random.default_rng(0)
    word2vec = fit(
        [rng.permutation(words).tolist() for _ in range(50)],
        architecture=architecture,
        loss="hierarchical-softmax",
        learning_rate=1e-12,
        learning_rate_min=0,
        n_jobs=n_jobs,
    )
    assert_allclose(word2vec.loss_curve_, 3 * np.log(2), rtol=1e-6)


def test_learning_rate_is_used():
    """Twice the rate moves the vectors about twice as far, at the very start."""
    start = fit(learning_rate=1e-12, learning_rate_min=0, max_iter=1).vectors_
    moved = [
        fit(learning_rate=rate, learning_rate_min=rate, max_iter=1).vectors_
        for rate in (1e-3, 2e-3)
    ]
    far = [np.linalg.norm(vectors - start) for vectors in moved]
    assert far[0] > 0
    # The outputs start at zero and grow with the rate, the inputs with their product.
    assert far[1] / far[0] == pytest.approx(4, rel=0.1)


def test_initial_vectors_are_uniform():
    vectors = fit(
        [[f"w{i}" for i in range(2000)]],
        vector_size=20,
        learning_rate=1e-12,
        learning_rate_min=0,
    ).vectors_
    assert 0.95 / 20 < np.abs(vectors).max() <= 1 / 20
    assert vectors.mean() == pytest.approx(0, abs=1e-3)
    assert vectors.var() == pytest.approx(1 / 3 / 20**2, rel=0.05)


# What decides it


@all_modes
def test_same_seed_same_bits(architecture, loss):
    parameters = {"architecture": architecture, "loss": loss}
    one, other = fit(**parameters), fit(**parameters, n_jobs=1)
    assert_same_fit(one, other)
    another = fit(**parameters, random_state=1)
    assert another.vocabulary_ == one.vocabulary_
    assert not np.array_equal(another.vectors_, one.vectors_)


def test_random_state_instance():
    one, other = (fit(random_state=np.random.RandomState(0)) for _ in range(2))
    assert_same_fit(one, other)
    assert_same_fit(one, fit(random_state=0))


def test_no_random_state_is_fresh():
    assert not np.array_equal(
        fit(random_state=None).vectors_, fit(random_state=None).vectors_
    )


@pytest.mark.parametrize("random_state", [None, 0])
def test_global_generators_are_left_alone(random_state):
    def state():
        return pickle.dumps(np.random.get_state()), random.getstate()  # noqa: NPY002

    before = state()
    fit(random_state=random_state, weighter=TfidfWeighter()).transform(UNSEEN)
    assert state() == before


@pytest.mark.parametrize(
    "parameters",
    [
        {"architecture": "cbow"},
        {"loss": "hierarchical-softmax"},
        {"window": 1},
        {"n_negatives": 1},
        {"noise_exponent": 0.0},
        {"subsample": 0},
        {"min_count": 30},
        {"max_features": 5},
        {"learning_rate": 0.05},
        {"learning_rate_min": 0.01},
        {"shrink_window": False},
    ],
    ids=lambda parameters: next(iter(parameters)),
)
def test_every_parameter_matters(parameters):
    base, other = fit(), fit(**parameters)
    words = [word for word in base.vocabulary_ if word in other.vocabulary_]
    assert words
    rows = [[w.vocabulary_[word] for word in words] for w in (base, other)]
    assert not np.array_equal(base.vectors_[rows[0]], other.vectors_[rows[1]])


def test_window_wider_than_the_documents_is_no_limit():
    wide = fit(window=15, shrink_window=False)
    assert_same_fit(wide, fit(window=1000, shrink_window=False))


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_more_threads_than_tokens():
    word2vec = fit([["a", "b"], ["a"]], n_jobs=50)
    assert np.isfinite(word2vec.vectors_).all()
    assert word2vec.n_tokens_ == 3


@all_modes
@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_one_word(architecture, loss):
    word2vec = fit([["a", "a", "a"], ["a"]], architecture=architecture, loss=loss)
    assert word2vec.vectors_.shape == (1, 8)
    assert np.isfinite(word2vec.vectors_).all()
    assert_array_equal(word2vec.transform([["a"]]), word2vec.vectors_)


def test_no_pairs_at_all():
    """Single words have nothing around them: nothing to learn, and a warning."""
    with pytest.warns(UserWarning, match="no document has two words") as warned:
        word2vec = fit(["red", "blue", "red"])
    assert len(warned) == 1
    assert word2vec.loss_curve_.tolist() == [0.0, 0.0]
    assert word2vec.transform(["red"]).any()


# Attributes


def test_attributes():
    word2vec = fit([*SMALL, []], n_jobs=2, max_iter=3)
    assert list(word2vec.vocabulary_.values()) == list(range(16))
    assert word2vec.vectors_.shape == (16, 8)
    assert word2vec.vectors_.dtype == np.float32
    assert word2vec.vectors_.flags.c_contiguous
    assert word2vec.counts_.shape == (16,)
    assert word2vec.counts_.dtype == np.int64
    assert word2vec.n_tokens_ == word2vec.counts_.sum() == 40 * 15
    assert isinstance(word2vec.n_tokens_, int)
    assert word2vec.n_iter_ == 3
    assert len(word2vec.loss_curve_) == 3
    assert word2vec.loss_curve_.dtype == np.float64
    assert not hasattr(word2vec, "weighter_")


@pytest.mark.parametrize(
    ("n_tokens", "n_epochs"), [(100, 40), (200_000, 25), (1_400_000, 5)]
)
def test_few_tokens_get_more_epochs(n_tokens, n_epochs):
    documents = [["a", "b"] * 50] * (n_tokens // 100)
    word2vec = Word2VecTransformer(1, window=1, n_negatives=1, random_state=0)
    assert word2vec.fit(documents).n_iter_ == n_epochs


def test_defaults_serve_a_classifier_of_a_small_corpus():
    """Two topics, one of them rare, that share half of the words of each document."""
    rng = np.random.default_rng(0)
    topic = (rng.random(1200) < 0.2).astype(int)
    words = np.where(
        rng.random((1200, 8)) < 0.5,
        rng.integers(200, size=(1200, 8)),
        200 + 20 * topic[:, None] + rng.integers(20, size=(1200, 8)),
    )
    documents = [[f"w{i}" for i in row] for row in words.tolist()]
    model = make_pipeline(Word2VecTransformer(random_state=0), LogisticRegression())
    model.fit(documents[:600], topic[:600])
    assert model.score(documents[600:], topic[600:]) > 0.95


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_vocabulary_order():
    documents = ["c b b a", "c d d d", "é"]
    word2vec = fit(documents, token_pattern=r"\S+")
    assert list(word2vec.vocabulary_) == ["d", "b", "c", "a", "é"]
    assert word2vec.counts_.tolist() == [3, 2, 2, 1, 1]
    assert {type(word) for word in word2vec.vocabulary_} == {str}


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_min_count_and_max_features():
    documents = ["c b b a", "c d d d", "é"]
    word2vec = fit(documents, token_pattern=r"\S+", min_count=2)
    assert list(word2vec.vocabulary_) == ["d", "b", "c"]
    assert word2vec.n_tokens_ == 7
    word2vec = fit(documents, token_pattern=r"\S+", min_count=2, max_features=2)
    assert list(word2vec.vocabulary_) == ["d", "b"]
    assert word2vec.counts_.tolist() == [3, 2]
    assert word2vec.n_tokens_ == 5


def test_words_left_out_bring_the_others_together():
    """As in the original program: a word that is not learned takes no place."""
    kept = [["a", "b", "a", "b"], ["b", "a"]]
    with_rare = [["a", "rare", "b", "a", "b"], ["b", "seldom", "a"]]
    parameters = {"min_count": 2, "window": 1, "subsample": 0}
    assert_same_fit(fit(kept, **parameters), fit(with_rare, **parameters))


# Pooling


@pytest.mark.parametrize("weighter", [None, TfidfWeighter(), TfidfTransformer()])
@pytest.mark.parametrize("n_empty", [0, 3])
def test_fit_transform_is_fit_and_transform(weighter, n_empty):
    documents = [*SMALL, *[[]] * n_empty]
    word2vec = make(weighter=weighter)
    at_once = word2vec.fit_transform(documents)
    assert_array_equal(at_once, word2vec.transform(documents))
    assert_array_equal(at_once, fit(documents, weighter=weighter).transform(documents))
    assert at_once.dtype == np.float32
    assert at_once.shape == (40 + n_empty, 8)


def test_transform_is_the_mean_of_the_known_words():
    word2vec = fit()
    a1, b2, b7 = (
        word2vec.vectors_[word2vec.vocabulary_[w]] for w in ("a1", "b2", "b7")
    )
    pooled = word2vec.transform(UNSEEN)
    assert_allclose(pooled[0], (2 * a1 + b2) / 3, rtol=1e-5, atol=1e-8)
    assert_array_equal(pooled[1:3], 0)
    assert_array_equal(pooled[3], b7)


def test_documents_of_any_length_are_used_whole():
    word2vec = fit()
    start, end = (word2vec.vectors_[word2vec.vocabulary_[w]] for w in ("a1", "b2"))
    long = ["a1"] * 30_000 + ["b2"] * 30_000
    pooled = word2vec.transform([long])[0]
    assert_allclose(pooled, (start + end) / 2, rtol=1e-5, atol=1e-7)
    assert fit([long]).n_tokens_ == 60_000


def idf_by_hand(documents, words):
    """The idf of scikit-learn's user guide, smooth."""
    df = np.array([sum(word in document for document in documents) for word in words])
    return np.log((1 + len(documents)) / (1 + df)) + 1


@pytest.mark.parametrize("weighter", [TfidfWeighter(), TfidfTransformer()])
def test_weighted_mean_by_hand(weighter):
    # Words of different idf, too rare for none of them to be everywhere.
    documents = [row[: 2 + i % 5] for i, row in enumerate(SMALL)]
    word2vec = fit(documents, weighter=weighter)
    words = list(word2vec.vocabulary_)
    idf = idf_by_hand(documents, words)
    assert len(set(idf)) > 3

    pooled = word2vec.transform(UNSEEN)
    counts = np.array([[row.count(word) for word in words] for row in UNSEEN])
    weights = counts * idf
    expected = weights @ word2vec.vectors_ / np.maximum(weights.sum(1), 1e-9)[:, None]
    assert_allclose(pooled, expected, rtol=1e-4, atol=1e-7)
    assert_array_equal(pooled[1:3], 0)
    # And that is another mean than the one without weights.
    plain = fit(documents)
    assert_array_equal(plain.vectors_, word2vec.vectors_)
    assert np.abs(plain.transform(UNSEEN)[0] - pooled[0]).max() > 1e-4


def test_weighter_is_cloned_and_sees_counts_and_y():
    class Recorder(BaseEstimator):
        def fit(self, X, y=None):
            self.X_, self.y_ = X, y
            return self

        def transform(self, X):
            return X

    weighter = Recorder()
    word2vec = make(weighter=weighter).fit(SMALL, GROUPS[:40])
    assert not vars(weighter)
    assert word2vec.weighter is weighter
    assert_array_equal(word2vec.weighter_.y_, GROUPS[:40])
    counts = CountVectorizer(
        analyzer=lambda tokens: tokens, vocabulary=word2vec.vocabulary_
    ).fit_transform(SMALL)
    assert_array_equal(word2vec.weighter_.X_.toarray(), counts.toarray())


def test_weighter_parameters():
    word2vec = make(weighter=TfidfWeighter())
    assert word2vec.get_params()["weighter__use_idf"] is True
    word2vec.set_params(weighter__use_idf=False, weighter__norm=None)
    assert word2vec.weighter.use_idf is False
    assert_allclose(
        word2vec.fit_transform(SMALL), fit().transform(SMALL), rtol=1e-5, atol=1e-8
    )
    assert word2vec.weighter_.use_idf is False
    assert clone(word2vec).weighter.use_idf is False


def test_weighter_parameters_in_a_grid_search():
    search = GridSearchCV(
        make_pipeline(make(weighter=TfidfWeighter()), LogisticRegression()),
        {"word2vectransformer__weighter__sublinear_tf": [False, True]},
        cv=2,
        error_score="raise",
    ).fit(SMALL, GROUPS[:40])
    assert len(search.cv_results_["params"]) == 2
    best = search.best_estimator_[0]
    chosen = search.best_params_["word2vectransformer__weighter__sublinear_tf"]
    assert best.weighter_.sublinear_tf is chosen
    assert search.predict(UNSEEN).shape == (4,)


# Input


def test_generators_are_consumed_once():
    word2vec = make(weighter=TfidfWeighter())
    at_once = word2vec.fit_transform(document for document in SMALL)
    assert_same_fit(word2vec, fit())
    assert_array_equal(at_once, word2vec.transform(document for document in SMALL))
    assert_same_fit(make().fit(iter(SMALL)), fit())


def test_text_or_tokens():
    text = [" ".join(document) for document in SMALL]
    assert_same_fit(fit(text), fit())
    assert_array_equal(fit().transform(text), fit().transform(SMALL))


def test_order_of_documents():
    order = np.random.default_rng(0).permutation(40)
    word2vec = fit()
    shuffled = word2vec.transform([SMALL[i] for i in order])
    assert_array_equal(shuffled, word2vec.transform(SMALL)[order])


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_no_window_reaches_into_the_next_document():
    """A pair of words in two documents is no pair."""
    apart = fit([["a"], ["b"], ["a"], ["b"]], subsample=0)
    together = fit([["a", "b", "a", "b"]], subsample=0)
    assert apart.loss_curve_[0] == 0 < together.loss_curve_[0]


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_chinese_characters():
    word2vec = fit(["床前明月光", "疑是地上霜", "举头望明月"], analyzer="char")
    assert list(word2vec.vocabulary_)[:2] == ["明", "月"]
    assert word2vec.transform(["明月"])[0].any()


@pytest.mark.parametrize("input", ["filename", "file"])
def test_files(tmp_path, input):
    content = [" ".join(document) for document in SMALL]
    paths = [tmp_path / f"{i}.txt" for i in range(len(content))]
    for path, text in zip(paths, content, strict=True):
        path.write_text(text, encoding="utf-16")
    if input == "filename":
        documents = paths
        word2vec = fit(documents, input=input, encoding="utf-16")
    else:
        word2vec = fit([StringIO(text) for text in content], input=input)
        documents = [StringIO(text) for text in content]
    assert_same_fit(word2vec, fit())
    assert_array_equal(word2vec.transform(documents), fit().transform(content))


@pytest.mark.filterwarnings("ignore:.*the word vectors are not trained")
def test_file_in_another_encoding(tmp_path):
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("plain text")
    bad.write_bytes("café".encode("latin-1"))
    message = r"document 1, file '.*bad.txt', is not utf-8: byte 0xe9 at position 3"
    with pytest.raises(ValueError, match=message):
        fit([good, bad], input="filename")
    word2vec = fit([good, bad], input="filename", encoding="latin-1")
    assert "café" in word2vec.vocabulary_
    with pytest.raises(ValueError, match="document 0, file"):
        fit([good], input="filename").transform([bad])
