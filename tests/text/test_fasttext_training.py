"""The training of FastTextClassifier: a plain twin, derivatives, variants, threads."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from skml.text import FastTextClassifier
from skml.text._fasttext_features import find_features, mean_vectors, read_tokens
from skml.text._fasttext_fitted import LOSSES
from skml.text._fasttext_kernel import Classifier, Features, average_rows
from skml.text._fasttext_targets import read_classes
from skml.text._fasttext_vocabulary import begin
from skml.text._word2vec_tables import NO_TREE
from skml.text._word2vec_training import aligned_zeros
from tests.oracles.fasttext import (
    Twin,
    character_buckets,
    errors_of,
    loss_of,
    tree_of,
    word_buckets,
)

TEXTS = [
    "the cat sleeps on the warm mat",
    "",
    "a model learns words and a computer counts words",
    "\u660e\u6708 \u5149 \u660e\u6708",
    "cat cat cat",
    "na\u00efve models learn rare things",
] * 3
CLASSES = list("abcdea" * 2 + "abcdcc")
LABELS = np.array(
    [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0], [0, 0, 1], [1, 0, 0]] * 3
)
WEIGHTS = np.array([1, 2, 0.5, 1, 1, 3] * 3)
TREE = tree_of([6, 4, 3, 3, 2])
KINDS = {
    "softmax": ({}, CLASSES, {}),
    "logistic": ({"loss": "one-vs-rest"}, CLASSES, {}),
    "several": ({"loss": "one-vs-rest"}, LABELS, {}),
    "tree": ({"loss": "hierarchical-softmax"}, CLASSES, {}),
    "characters": ({"subwords": (2, 3), "min_count": 2}, CLASSES, {}),
    "long": ({"ngram_range": (1, 4), "n_buckets": 30}, CLASSES, {}),
    "words": ({"ngram_range": (1, 1)}, CLASSES, {}),
    "weights": ({"class_weight": {"a": 2.0}}, CLASSES, {"sample_weight": WEIGHTS}),
}


def numerical_gradient(function, array, step=1e-6):
    gradient = np.zeros_like(array)
    for place in np.ndindex(array.shape):
        ahead, behind = array.copy(), array.copy()
        ahead[place] += step
        behind[place] -= step
        gradient[place] = (function(ahead) - function(behind)) / (2 * step)
    return gradient


REST = {
    "softmax": (2, None, False),
    "tree": (3, TREE, False),
    "logistic": ([1, 4], None, True),
}


@pytest.mark.parametrize(("target", "paths", "is_logistic"), REST.values(), ids=REST)
def test_a_step_of_the_twin_descends_the_loss(target, paths, is_logistic):
    rng = np.random.default_rng(0)
    inputs, outputs = rng.normal(size=(6, 3)), rng.normal(size=(5, 3))
    rows, rate = [4, 0, 4, 2], 0.1

    def loss(inputs, outputs):
        scores = outputs @ inputs[rows].mean(axis=0)
        return loss_of(scores, target, paths, is_logistic)

    scores = rng.normal(size=5)
    expected = -numerical_gradient(
        lambda s: loss_of(s, target, paths, is_logistic), scores
    )
    assert_allclose(errors_of(scores, target, paths, is_logistic), expected, atol=1e-8)
    twin = Twin(inputs, outputs, paths, is_logistic)
    assert twin.step(rows, target, rate) == pytest.approx(loss(inputs, outputs))
    by_inputs = numerical_gradient(lambda i: loss(i, outputs), inputs)
    by_outputs = numerical_gradient(lambda o: loss(inputs, o), outputs)
    assert_allclose(twin.inputs, inputs - rate * by_inputs, rtol=0, atol=1e-8)
    assert_allclose(twin.outputs, outputs - rate * by_outputs, rtol=0, atol=1e-8)


def rows_of(text, model):
    """The rows of a document, by the plain hashes."""
    words, index = [*text.split(), "</s>"], model.vocabulary.index
    rows = [index[word] for word in words if word in index]
    buckets = word_buckets(words, model.word_ngrams, max(1, model.n_buckets))
    if model.subwords:
        for word in words[:-1]:
            buckets += character_buckets(word, model.subwords, model.n_buckets)
    places = {bucket: i for i, bucket in enumerate(model.buckets.tolist())}
    return rows + [len(index) + places[b] for b in buckets if b in places]


def prepared(parameters, y, rest, random_state):
    """An estimator, the model that its fit starts from, and the targets."""
    estimator = FastTextClassifier(
        10,
        **{"max_iter": 4, "random_state": 5, "token_pattern": r"\S+", **parameters},
    )
    tokens = read_tokens(estimator, TEXTS)
    _, targets = read_classes(estimator, y, len(TEXTS), rest.get("sample_weight"))
    model, _ = begin(estimator, tokens, targets, random_state)
    return estimator, model, targets


@pytest.mark.parametrize(("parameters", "y", "rest"), KINDS.values(), ids=KINDS)
def test_one_worker_trains_as_the_plain_twin(parameters, y, rest):
    random_state = np.random.RandomState(5)
    estimator, model, targets = prepared(parameters, y, rest, random_state)
    labels = np.split(targets.labels, targets.offsets[1:-1])
    paths = None
    if model.loss == "hierarchical-softmax":
        order = np.argsort(-model.class_counts, kind="stable")
        in_order = tree_of(model.class_counts[order].tolist())
        paths = [in_order[position] for position in np.argsort(order)]
    is_logistic = model.loss == "one-vs-rest"
    answers = labels if is_logistic else [label[0] for label in labels]
    twin = Twin(model.input_vectors, model.output_vectors, paths, is_logistic)
    documents = [rows_of(text, model) for text in TEXTS]
    losses = []
    for epoch in range(4):
        rates = 0.5 * (1 - epoch / 4), 0.5 * (1 - (epoch + 1) / 4)
        order = random_state.permutation(len(TEXTS))
        losses.append(twin.epoch(documents, answers, targets.weights, order, *rates))
    fitted = estimator.fit(TEXTS, y, **rest)._fitted
    assert fitted.vocabulary.terms == model.vocabulary.terms
    assert_array_equal(fitted.buckets, model.buckets)
    assert_allclose(fitted.input_vectors, twin.inputs, rtol=0, atol=2e-5)
    assert_allclose(fitted.output_vectors, twin.outputs, rtol=0, atol=2e-5)
    assert_allclose(fitted.loss_curve_, losses, rtol=2e-5)
    assert np.abs(fitted.output_vectors).max() > 0.05
    means = [twin.inputs[rows_of(text, fitted)].mean(axis=0) for text in TEXTS]
    assert_allclose(estimator.transform(TEXTS), means, rtol=0, atol=2e-5)


def features_of(documents):
    """Documents that are rows already."""
    ends = np.cumsum([0, *map(len, documents)])
    rows = np.concatenate([np.empty(0), *documents]).astype(np.int32)
    n = int(rows.max(initial=0)) + 1
    one_each = np.arange(n + 1), np.arange(n, dtype=np.int32)
    return Features(rows, ends, *one_each, np.zeros_like(ends), rows[:0])


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("size", [1, 7, 8, 20, 64, 100, 137, 300])
def test_means_of_rows(size, wide):
    rng = np.random.default_rng(size)
    inputs = rng.normal(size=(30, size)).astype(np.float32)
    documents = [rng.integers(30, size=n) for n in (3, 0, 1, 50, 7)]
    means = np.full((5, size), -1, dtype=np.float32)
    means[1] = 0
    n_rows = np.empty(5, dtype=np.int64)
    average_rows(inputs, features_of(documents), means, n_rows, wide=wide)
    expected = [
        inputs[rows].mean(0) if len(rows) else 0 * inputs[0] for rows in documents
    ]
    assert_allclose(means, expected, rtol=0, atol=1e-6)
    assert n_rows.tolist() == [3, 0, 1, 50, 7]


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize("n_outputs", [1, 2, 6, 7, 13, 40])
@pytest.mark.parametrize("size", [3, 24, 136])
@pytest.mark.parametrize("is_logistic", [False, True])
def test_steps_of_any_size(size, n_outputs, is_logistic, wide):
    rng = np.random.default_rng(n_outputs)
    inputs, outputs = aligned_zeros(30, size), aligned_zeros(n_outputs, size)
    inputs[:, :size] = rng.normal(size=(30, size))
    outputs[:, :size] = rng.normal(size=(n_outputs, size)) / size
    twin = Twin(inputs[:, :size], outputs[:, :size], None, is_logistic)
    documents = [rng.integers(30, size=n) for n in (3, 0, 1, 50, 7)]
    labels = rng.integers(n_outputs, size=5).astype(np.int32)
    weights, totals = np.array([1, 1, 2, 0.5, 1], np.float32), np.zeros(2)
    order = np.array([4, 0, 1, 3, 2, 0])
    classifier = Classifier(
        inputs,
        outputs,
        vector_size=size,
        path_offsets=NO_TREE.offsets,
        path_steps=NO_TREE.steps,
        is_logistic=is_logistic,
        wide=wide,
    )
    classifier.train(
        features_of(documents),
        order,
        np.arange(6),
        labels,
        weights,
        rate=0.3,
        rate_decay=0.03,
        totals=totals,
        stop_flag=np.zeros(1, np.int32),
    )
    targets = labels[:, None] if is_logistic else labels
    loss = twin.epoch(documents, targets, weights, order, 0.3, 0.3 - 0.03 * 6)
    assert totals[0] / totals[1] == pytest.approx(loss, rel=1e-4)
    assert_allclose(inputs[:, :size], twin.inputs, rtol=0, atol=1e-4)
    assert_allclose(outputs[:, :size], twin.outputs, rtol=0, atol=1e-4)
    assert not inputs[:, size:].any()
    assert not outputs[:, size:].any()


def test_rows_below_zero_are_left_out():
    documents = np.array([0, 1, 2], np.int32), np.array([0, 2, 3, 3])
    parts = np.array([0, 2, 2, 4]), np.array([3, -1, -1, 5], np.int32)
    ngrams = np.array([0, 1, 3, 3]), np.array([-1, 7, 6], np.int32)
    features = Features(*documents, *parts, *ngrams)
    assert features.sizes().tolist() == [1, 3, 0]
    inputs = np.arange(8, dtype=np.float32)[:, None].repeat(9, axis=1)
    means, n_rows = mean_vectors(features, inputs, 9, is_pruned=True)
    assert means[:, 0].tolist() == [3, 6, 0]
    assert n_rows.tolist() == [1, 3, 0]
    # The first row of a token is that of the word, which may not be known.
    assert features.unknown_ngrams().tolist() == [2, 0, 0]
    means, n_rows = mean_vectors(features, inputs, 9, is_pruned=False)
    assert means[:, 0].tolist() == [1, 6, 0]
    assert n_rows.tolist() == [1, 3, 0]
    ended = Features(*documents, *parts, *ngrams, end_row=4)
    assert ended.sizes().tolist() == [2, 4, 1]
    means, _ = mean_vectors(ended, inputs, 9, is_pruned=True)
    assert means[:, 0].tolist() == [3.5, 5.5, 4]


def test_matrices_that_are_not_padded_are_refused():
    rows = np.zeros((2, 10), np.float32)
    tree = {"path_offsets": NO_TREE.offsets, "path_steps": NO_TREE.steps}
    with pytest.raises(ValueError, match="padded to 16"):
        Classifier(rows, rows, vector_size=10, **tree)
    short = {"path_offsets": np.array([0, 1]), "path_steps": NO_TREE.steps}
    rows = aligned_zeros(2, 10)
    with pytest.raises(ValueError, match="7 items must follow"):
        Classifier(rows, rows, vector_size=10, **short)
    offsets = np.array([0, 0]), np.array([0, 0, 0])
    nothing = np.zeros(0, np.int32)
    with pytest.raises(ValueError, match="other documents"):
        Features(nothing, offsets[0], offsets[0], nothing, offsets[1], nothing)
    features = features_of([[0]])
    counts = np.zeros(1, np.int64)
    with pytest.raises(ValueError, match="another shape"):
        average_rows(np.zeros((1, 3), np.float32), features, rows[:1], counts)


@pytest.mark.parametrize("loss", LOSSES)
def test_several_workers_learn_as_well(loss):
    rng = np.random.default_rng(0)
    y = rng.integers(4, size=600)
    X = [[f"w{c}{i}" for i in rng.integers(30, size=6)] for c in y]
    parameters = {"vector_size": 8, "loss": loss, "max_iter": 5, "random_state": 0}
    one, two = (
        FastTextClassifier(**parameters, n_jobs=n).fit(X[:500], y[:500]) for n in (1, 2)
    )
    assert one.score(X[500:], y[500:]) > 0.95
    assert two.score(X[500:], y[500:]) > 0.95
    assert two.loss_curve_[-1] < two.loss_curve_[0] / 2


def test_a_request_to_stop_is_seen():
    features = features_of([[0]] * 9)
    inputs, outputs = aligned_zeros(1, 8), aligned_zeros(2, 8)
    tree = {"path_offsets": NO_TREE.offsets, "path_steps": NO_TREE.steps}
    totals = np.zeros(2)
    Classifier(inputs, outputs, vector_size=8, **tree).train(
        features,
        np.arange(9),
        np.arange(10),
        np.zeros(9, np.int32),
        np.ones(9, np.float32),
        rate=0.1,
        rate_decay=0,
        totals=totals,
        stop_flag=np.ones(1, np.int32),
    )
    assert totals.tolist() == [0, 0]


def test_the_end_of_a_line_may_be_missing():
    """As in models of which its word was cut away."""
    estimator = FastTextClassifier(ngram_range=(1, 2))
    tokens = read_tokens(estimator, ["ab cd", ""])
    settings = SimpleNamespace(
        word_ngrams=2, subwords=None, n_buckets=1000, end_of_line=True
    )
    model = SimpleNamespace(
        **vars(settings),
        vocabulary=tokens.vocabulary(np.array([1])),
        end_row=-1,
        rows_of=lambda buckets: buckets,
    )
    assert find_features(tokens, model).sizes().tolist() == [1 + 2, 0]
