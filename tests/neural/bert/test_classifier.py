"""Classes of texts: what is learned, what is said, and which targets are refused."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from scipy.special import expit, softmax
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import log_loss
from sklearn.model_selection import cross_val_score
from sklearn.utils import get_tags
from sklearn.utils.class_weight import compute_class_weight
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from skml.neural import BertClassifier
from skml.neural._torch import _windows
from tests.neural.bert.cases import CLASSES, LONG, assert_same_weights, fit, small
from tests.neural.bert.models import SENTENCES, SMALL, tiny_model

TOKENS = [text.split() for text in SENTENCES]
PAIRS = list(zip(SENTENCES, ["the cat", "这只猫", "", "a model"] * 2, strict=True))
LABELS = np.array([[1, 0, 1], [0, 0, 1], [1, 1, 1], [0, 1, 0]] * 2)
BY_HEART = {
    "max_iter": 25,
    "learning_rate": 0.005,
    "dropout": 0.0,
    "batch_size": 8,
}


@pytest.fixture(scope="module")
def fitted():
    """A model of text; do not change it."""
    return fit()


@pytest.fixture(scope="module")
def fitted_to_pairs():
    """A model of pairs; do not change it."""
    return fit(X=PAIRS)


@pytest.fixture(scope="module")
def multilabel():
    """A model of several labels at once; do not change it."""
    return fit(y=LABELS)


# What it says is what transformers says


def logits_of(folder, documents, **options):
    """The logits of transformers' own pipeline, one document at a time."""
    network = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    with torch.no_grad():
        for document in documents:
            texts = document if isinstance(document, tuple) else (document,)
            inputs = tokenizer(*([t] for t in texts), return_tensors="pt", **options)
            found.append(network(**inputs).logits[0].numpy())
    return np.array(found)


@pytest.mark.parametrize("kind", ["text", "pairs", "tokens"])
def test_probabilities_are_those_of_transformers(kind, tmp_path):
    X = {"text": [*SENTENCES, ""], "pairs": PAIRS, "tokens": TOKENS}[kind]
    y = np.array([*"abcabcab", "c"])[: len(X)]
    model = fit(X=X, y=y, model=tiny_model(2))
    assert model.save_pretrained(tmp_path / "model") is model
    options = {"is_split_into_words": True} if kind == "tokens" else {}
    logits = logits_of(tmp_path / "model", X, **options)
    assert logits.std() > 0.1
    found = model.predict_proba(X)
    assert (found.shape, found.dtype) == ((len(X), 3), np.float32)
    assert_allclose(found, softmax(logits, axis=1), atol=1e-5)
    assert_allclose(model.decision_function(X), np.log(found), atol=1e-5)
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert network.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert network.config.problem_type == "single_label_classification"


def test_two_classes_have_the_difference_of_logits(fitted, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    logits = logits_of(tmp_path / "model", SENTENCES)
    found = fitted.decision_function(SENTENCES)
    assert (found.shape, found.dtype) == ((8,), np.float32)
    assert_allclose(found, logits[:, 1] - logits[:, 0], atol=1e-5)


def test_several_labels_are_those_of_transformers(multilabel, tmp_path):
    multilabel.save_pretrained(tmp_path / "model")
    logits = logits_of(tmp_path / "model", SENTENCES)
    found = multilabel.predict_proba(SENTENCES)
    assert (found.shape, found.dtype) == ((8, 3), np.float32)
    assert_allclose(found, expit(logits), atol=1e-5)
    assert_allclose(multilabel.decision_function(SENTENCES), logits, atol=1e-4)
    assert_array_equal(multilabel.predict(SENTENCES), logits > 0)
    assert multilabel.estimators_[0].config.problem_type == "multi_label_classification"


@pytest.mark.parametrize("y", [CLASSES, LABELS], ids=["classes", "labels"])
def test_logits_that_are_large_are_told_apart(y):
    # In float32, probabilities near one are all one.
    model = fit(y=y)
    with torch.no_grad():
        for p in model.estimators_[0].classifier.parameters():
            p *= 20
    found = model.decision_function(SENTENCES)
    plain = fit(y=y).decision_function(SENTENCES)
    assert_allclose(found, np.clip(20 * plain, -87, 87), rtol=1e-4, atol=1e-4)


# Whatever is beside


@pytest.mark.parametrize("most_tokens", [1, 40, 10**6])
def test_other_texts_and_padding_change_nothing(most_tokens, fitted, monkeypatch):
    X = [*SENTENCES, "", "cat", SENTENCES[3] * 2]
    alone = np.concatenate([fitted.decision_function([text]) for text in X])
    monkeypatch.setattr(_windows, "MOST_TOKENS", most_tokens)
    assert_allclose(fitted.decision_function(X), alone, atol=1e-5)
    assert_allclose(fitted.decision_function(X[::-1])[::-1], alone, atol=1e-5)


def test_no_documents(fitted, multilabel):
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict_proba([]).shape == (0, 2)
    assert fitted.predict_log_proba([]).shape == (0, 2)
    assert fitted.decision_function([]).shape == (0,)
    assert multilabel.predict([]).shape == (0, 3)
    assert multilabel.predict_proba([]).shape == (0, 3)
    assert multilabel.decision_function([]).shape == (0, 3)


def test_empty_and_unknown_documents(fitted, fitted_to_pairs):
    X = ["", "Ωμέγα", "🐼", "\u0301", "a" * 60, "[SEP]", "\x00"]
    assert np.isfinite(fitted.predict_log_proba(X)).all()
    pairs = [("", ""), ("a", ""), ("", "a")]
    assert len(np.unique(fitted_to_pairs.decision_function(pairs))) == 3
    assert np.isfinite(fit(X=TOKENS).decision_function([[], [""], ["a", ""]])).all()


# Long texts


@pytest.mark.parametrize("options", [{}, {"max_length": 40, "window_overlap": 7}])
def test_windows_of_short_texts_are_texts(options):
    plain = fit(**options)
    windows = fit(**options, long_text="window")
    assert_same_weights(plain, windows)
    assert_array_equal(plain.predict_proba(SENTENCES), windows.predict_proba(SENTENCES))
    alone = windows.predict_proba(SENTENCES[2:3])
    together = windows.predict_proba([SENTENCES[2], LONG])
    assert_allclose(together[0], alone[0], atol=1e-6)


def test_logits_of_windows_are_averaged(tmp_path):
    model = fit(long_text="window", max_length=20, window_overlap=6)
    model.save_pretrained(tmp_path / "model")
    network = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    inputs = tokenizer(
        LONG,
        max_length=20,
        stride=6,
        truncation=True,
        return_overflowing_tokens=True,
        padding=True,
        return_tensors="pt",
    )
    inputs.pop("overflow_to_sample_mapping")
    with torch.no_grad():
        logits = network.eval()(**inputs).logits.numpy()
    assert len(logits) > 5
    found = model.decision_function(["cat", LONG, ""])[1]
    assert_allclose(found, np.subtract(*logits.mean(axis=0)[::-1]), atol=1e-5)


def test_windows_share_the_weight_of_their_text():
    # The loss before any step is that of the first network, which learns nothing.
    X, y = [LONG, *SENTENCES[:3]], ["zoo", "lab", "zoo", "lab"]
    options = {"max_iter": 1, "batch_size": 99, "dropout": 0.0, "max_length": 20}
    options |= {"learning_rate": 1e-30, "long_text": "window"}
    weights = np.array([3.0, 1.0, 2.0, 1.0])
    model = fit(X=X, y=y, sample_weight=weights, **options)
    windows = model._cut(model._fitted.reader, X)
    n_windows = np.bincount(windows.documents)
    assert n_windows[0] > 5
    logits = model._collect(
        model.estimators_[0],
        windows,
        lambda network, inputs: network(**inputs).logits.numpy(),
    )
    losses = -np.log(softmax(logits, axis=1))
    losses = losses[range(len(losses)), (np.array(y) == "zoo")[windows.documents] * 1]
    expected = np.average(losses, weights=(weights / n_windows)[windows.documents])
    assert_allclose(model.loss_curve_, [expected], rtol=1e-5)


def test_cutting_warns():
    message = r"BertClassifier: 2 document\(s\) have more tokens than max_length=64 and"
    X = [LONG, *SENTENCES[:5], LONG + " end", SENTENCES[0]]
    with pytest.warns(UserWarning, match=message) as caught:
        model = small(n_estimators=2).fit(X, CLASSES)
    assert [w.filename for w in caught] == [__file__]
    with pytest.warns(UserWarning, match=message) as caught:
        found = model.predict_proba(X)
    assert [w.filename for w in caught] == [__file__]
    assert_allclose(found[0], found[6], rtol=1e-5)
    pairs = [("the", LONG), (LONG, "the"), ("a", "the")]
    model = fit(X=PAIRS, long_text="window", max_iter=1)
    with pytest.warns(UserWarning, match=message) as caught:
        model.predict(pairs)
    assert len(caught) == 1


# It learns


@pytest.mark.parametrize("kind", ["text", "tokens", "pairs"])
def test_learned_by_heart(kind):
    X = {"text": SENTENCES, "tokens": TOKENS, "pairs": PAIRS}[kind]
    model = fit(X=X, **BY_HEART)
    assert model.score(X, CLASSES) == 1.0
    assert model.loss_curve_[-1] < 0.1 < model.loss_curve_[0]
    assert len(model.loss_curve_) == model.n_iter_ == 25


def test_the_order_of_a_pair_matters():
    X = [("the cat", "a dog"), ("a dog", "the cat")] * 4
    model = fit(X=X, y=["first", "second"] * 4, **BY_HEART)
    assert_array_equal(model.predict(X[:2]), ["first", "second"])


def test_several_labels_are_learned_by_heart():
    model = fit(y=LABELS, **{**BY_HEART, "max_iter": 35})
    assert_array_equal(model.predict(SENTENCES), LABELS)
    assert model.score(SENTENCES, LABELS) == 1.0


# Classes


@pytest.mark.parametrize(
    "names",
    [
        ["lab", "zoo", "a class"],
        [10, 9, -3],
        [2.0, 0.0, 1.0],
        [True, False],
        np.array([3, 1, 2], dtype=np.uint8),
        np.array(["b", "a"], dtype=object),
    ],
    ids=["str", "int", "float", "bool", "uint8", "object"],
)
def test_classes_of_all_types(names):
    names = np.asarray(names)
    y = names[[0, 1, 0, 1, -1, 0, 1, -1]]
    model = fit(y=y, **BY_HEART)
    assert_array_equal(model.classes_, sorted(names.tolist()))
    assert model.classes_.dtype == y.dtype
    found, proba = model.predict(SENTENCES), model.predict_proba(SENTENCES)
    assert found.dtype == y.dtype
    assert_array_equal(found, y)
    assert_array_equal(model.classes_[proba.argmax(axis=1)], y)
    assert_allclose(proba.sum(axis=1), 1, rtol=1e-6)
    assert_allclose(model.predict_log_proba(SENTENCES), np.log(proba), rtol=1e-5)
    decision = model.decision_function(SENTENCES)
    if len(names) == 2:
        assert_array_equal(model.classes_[(decision > 0).astype(int)], y)
        assert_allclose(expit(decision), proba[:, 1], atol=1e-6)
    else:
        assert_array_equal(model.classes_[decision.argmax(axis=1)], y)
        assert_allclose(softmax(decision, axis=1), proba, atol=1e-6)


@pytest.mark.parametrize(
    "dress",
    [
        list,
        tuple,
        iter,
        pl.Series,
        lambda y: pd.Series(y, index=range(20, 28)),
        lambda y: pd.Series(y, dtype="string"),
        lambda y: pd.Series(y, dtype="category"),
    ],
)
def test_containers_of_targets(dress, fitted):
    assert_same_weights(fit(y=dress(CLASSES)), fitted)


def test_a_column_of_targets_warns():
    with pytest.warns(DataConversionWarning, match="A column-vector y was passed"):
        fit(y=CLASSES[:, None], max_iter=1)


@pytest.mark.parametrize(
    ("y", "error", "message"),
    [
        (
            None,
            ValueError,
            r"BertClassifier requires y to be passed, but the target y is",
        ),
        (
            CLASSES[:-1],
            ValueError,
            r"BertClassifier: X has 8 document\(s\), and y has 7",
        ),
        ([*CLASSES, "zoo"], ValueError, r"BertClassifier: X has 8 .*, and y has 9"),
        (
            ["zoo"] * 8,
            ValueError,
            r"BertClassifier: y has one class, 'zoo'; at least tw",
        ),
        ([3] * 8, ValueError, r"BertClassifier: y has one class, 3; at least two"),
        (np.linspace(0, 1, 8), ValueError, r"Unknown label type: continuous"),
        ([np.nan, *[0.0, 1.0] * 3, 1.0], ValueError, r"target 0 of y is missing"),
        ([[np.nan, 1.0]] * 8, ValueError, r"Input y contains NaN"),
        ([*CLASSES[1:], None], ValueError, r"BertClassifier: target 7 of y is missing"),
        (pd.Series([*CLASSES[1:], np.nan]), ValueError, r"target 7 .*missing \(nan\)"),
        (
            pd.Series([pd.NA, *CLASSES[1:]], dtype="string"),
            ValueError,
            r"target 0 of y",
        ),
        (pl.Series([None, *CLASSES[1:].tolist()]), ValueError, r"target 0 .*\(None\)"),
        (np.ones((8, 2, 2), dtype=int), ValueError, r"array|label"),
        ([[0, 1, 2], [3, 4, 5]] * 4, ValueError, r"y should be a 1d array"),
        (
            [[-1, 1], [1, -1]] * 4,
            ValueError,
            r"BertClassifier: y has \[-1, 1\]; of sev",
        ),
        ([[2, 1], [1, 2]] * 4, ValueError, r"y has \[1, 2\].*each must be 0 or 1"),
    ],
)
def test_bad_targets_are_refused(y, error, message):
    model = small()
    with pytest.raises(error, match=message):
        model.fit(SENTENCES, y)
    assert not hasattr(model, "estimators_")


# Weights of classes


def test_balanced_weights():
    options = {"max_iter": 1, "dropout": 0.0}
    balanced = fit(class_weight="balanced", **options)
    names = np.array(["lab", "zoo"])
    weights = compute_class_weight("balanced", classes=names, y=CLASSES)
    named = fit(class_weight=dict(zip(["lab", "zoo"], weights, strict=True)), **options)
    assert_same_weights(balanced, named)
    each = weights[(CLASSES == "zoo").astype(int)]
    assert_allclose(
        balanced.loss_curve_, fit(sample_weight=each, **options).loss_curve_, rtol=1e-5
    )
    assert not np.array_equal(balanced.loss_curve_, fit(**options).loss_curve_)


def test_balanced_weights_count_weights():
    weights = np.array([1, 1, 3, 1, 1, 0, 1, 1])
    X, y = np.repeat(SENTENCES, weights), np.repeat(CLASSES, weights)
    options = {"class_weight": "balanced", "max_iter": 1, "dropout": 0.0}
    options |= {"batch_size": 99}
    one, other = fit(sample_weight=weights, **options), fit(X=X, y=y, **options)
    assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-5)


def test_a_class_that_is_not_named_has_weight_one():
    assert_same_weights(
        fit(class_weight={"zoo": 3}), fit(class_weight={"zoo": 3, "lab": 1})
    )


def test_a_class_of_no_weight_is_not_learned_from(monkeypatch):
    seen, make_batch = set(), _windows.WindowTask.make_batch

    def spy(self, rows):
        seen.update(rows.tolist())
        return make_batch(self, rows)

    monkeypatch.setattr(_windows.WindowTask, "make_batch", spy)
    model = fit(class_weight={"lab": 0, "zoo": 1}, batch_size=1, early_stopping=True)
    assert_array_equal(model.classes_, ["lab", "zoo"])
    assert seen == set(np.flatnonzero(CLASSES == "zoo"))


def test_weights_of_labels():
    # Before any step, the loss is that of the network, which learns nothing.
    options = {"max_iter": 1, "dropout": 0.0, "learning_rate": 1e-30}
    y, weights = LABELS * [1, 1, 0], np.arange(1.0, 9)
    y = np.column_stack([y, np.ones(8, dtype=int)])
    model = fit(
        y=y, sample_weight=weights, class_weight="balanced", batch_size=99, **options
    )
    ones = weights @ y
    factors = np.array([(36 - ones[0]) / ones[0], (36 - ones[1]) / ones[1], 1, 1])
    logits = model.decision_function(SENTENCES).astype(np.float64)
    losses = -factors * y * np.log(expit(logits)) - (1 - y) * np.log(expit(-logits))
    expected = np.average(losses.mean(axis=1), weights=weights)
    assert_allclose(model.loss_curve_, [expected], rtol=1e-5)
    plain = fit(y=y, batch_size=99, **options)
    assert_allclose(plain.loss_curve_, [log_loss_of_labels(y, logits)], rtol=1e-5)


def log_loss_of_labels(y, logits):
    pairs = zip(y.T, expit(logits).T, strict=True)
    return np.mean([log_loss(labels, p, labels=[0, 1]) for labels, p in pairs])


@pytest.mark.parametrize(
    ("weights", "y", "message"),
    [
        (
            {"zoo": -1, "lab": 1},
            CLASSES,
            r"class_weight=\{.*finite weights of at least 0",
        ),
        (
            {"zoo": np.inf, "lab": 1},
            CLASSES,
            r"class_weight=\{.*finite weights of at le",
        ),
        (
            {0: 1, 1: 2, 2: 1},
            LABELS,
            r"class_weight=.*several labels.*None or 'balanced'",
        ),
        ("even", CLASSES, r"'class_weight' parameter of BertClassifier"),
    ],
)
def test_bad_class_weights_are_refused(weights, y, message):
    with pytest.raises(ValueError, match=message):
        fit(y=y, class_weight=weights)


# Several labels at once


@pytest.mark.parametrize(
    "dress",
    [
        np.ndarray.tolist,
        lambda y: y.astype(bool),
        lambda y: y.astype(np.float64),
        pd.DataFrame,
        lambda y: pl.DataFrame(y, schema=["a", "b", "c"]),
        sparse.csr_array,
        sparse.csr_matrix,
        sparse.coo_array,
        sparse.lil_array,
    ],
)
def test_containers_of_labels(dress, multilabel):
    model = fit(y=dress(LABELS))
    assert_same_weights(model, multilabel)
    found = model.predict(SENTENCES)
    assert found.shape == (8, 3)
    assert set(np.unique(found)) <= {0, 1}
    assert_array_equal(found, model.predict_proba(SENTENCES) > 0.5)
    assert_array_equal(model.classes_, [0, 1, 2])


@pytest.mark.parametrize("dress", [np.asarray, sparse.coo_array, pd.DataFrame])
def test_labels_of_texts_without_weight(dress):
    weights = np.array([1, 0, 1, 1, 1, 1, 0, 1])
    kept = weights > 0
    X = [text for text, keeps in zip(SENTENCES, kept, strict=True) if keeps]
    assert_same_weights(
        fit(y=dress(LABELS), sample_weight=weights), fit(X=X, y=LABELS[kept])
    )


def test_tags():
    tags = get_tags(BertClassifier())
    assert tags.classifier_tags.multi_label
    assert tags.target_tags.required
    assert tags.input_tags.string


# Kinds of documents

FRAME = pd.DataFrame(PAIRS, columns=["question", "answer"], index=range(5, 13))


@pytest.mark.parametrize(
    "X",
    [
        np.array(PAIRS, dtype=object),
        np.array(PAIRS),
        FRAME,
        pl.DataFrame({"a": FRAME.question.to_list(), "b": FRAME.answer.to_list()}),
        pd.Series(PAIRS),
    ],
)
def test_containers_of_pairs(X, fitted_to_pairs):
    model = fit(X=X)
    assert_same_weights(model, fitted_to_pairs)
    assert_array_equal(model.predict_proba(X), fitted_to_pairs.predict_proba(PAIRS))


def test_a_search_splits_pairs():
    scores = [
        cross_val_score(small(max_iter=1), X, CLASSES, cv=2, error_score="raise")
        for X in (PAIRS, FRAME, np.array(PAIRS))
    ]
    assert_array_equal(scores[0], scores[1])
    assert_array_equal(scores[0], scores[2])


def test_another_kind_than_in_fit_is_refused(fitted, fitted_to_pairs):
    message = "BertClassifier: X has pairs of texts; in fit it had text"
    for method in (
        "predict",
        "predict_proba",
        "predict_log_proba",
        "decision_function",
    ):
        with pytest.raises(ValueError, match=message):
            getattr(fitted, method)(PAIRS)
        with pytest.raises(
            ValueError, match="X has text; in fit it had pairs of texts"
        ):
            getattr(fitted_to_pairs, method)(SENTENCES)
    with pytest.raises(ValueError, match=r"lists of tokens; in fit it had text"):
        fitted.predict(TOKENS)
    with pytest.raises(ValueError, match=r"document 1 is missing \(None\)"):
        fitted.predict(["a", None])
    with pytest.raises(ValueError, match=r"1: the second text of the pair is missing"):
        fitted_to_pairs.predict([("a", "b"), ("a", None)])


def test_a_new_fit_takes_another_kind():
    model = fit(max_iter=1)
    assert model.fit(PAIRS, CLASSES).predict(PAIRS).shape == (8,)
    assert model.fit(TOKENS, LABELS).predict(TOKENS).shape == (8, 3)


@pytest.mark.parametrize(
    "method",
    ["predict", "predict_proba", "predict_log_proba", "decision_function"],
)
def test_what_is_not_fitted_says_so(method):
    with pytest.raises(NotFittedError, match="BertClassifier"):
        getattr(BertClassifier(), method)(SENTENCES)


@pytest.mark.parametrize("method", ["save", "save_pretrained"])
def test_what_is_not_fitted_is_not_saved(method, tmp_path):
    with pytest.raises(NotFittedError, match="BertClassifier"):
        getattr(BertClassifier(), method)(tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_samples_of_dropout_are_more_careful():
    # Mean probabilities are nearer to each other than those without dropout.
    model = fit(**{**BY_HEART, "dropout": 0.5}, n_estimators=1)
    plain = model.predict_proba(SENTENCES).max(axis=1).mean()
    sampled = model.predict_proba(SENTENCES, mc_samples=20)
    assert_allclose(sampled.sum(axis=1), 1, rtol=1e-5)
    assert sampled.max(axis=1).mean() < plain


def test_parameters_after_fit(fitted):
    model = small().set_params(**SMALL, lr_schedule="cosine").fit(SENTENCES, CLASSES)
    expected = model.predict_proba(SENTENCES)
    model.set_params(
        max_length=8, dropout=0.5, n_estimators=3, model=None, class_weight={}
    )
    assert_array_equal(model.predict_proba(SENTENCES), expected)
