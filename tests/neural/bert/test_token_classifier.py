"""Tags of words: what is learned, from which pieces and windows, what is refused."""

import json
import pickle
from copy import deepcopy
from functools import cache
from itertools import chain
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_predict
from sklearn.utils import get_tags
from transformers import (
    AutoModelForTokenClassification,
    AutoTokenizer,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
)

from skml.metrics import entity_f1_score
from skml.neural import BertTokenClassifier
from skml.neural._network_estimator import stratify
from tests.callbacks import Recording, needs_callbacks
from tests.neural.bert.cases import with_networks
from tests.neural.bert.models import SENTENCES, SMALL, learn_byte_pairs, tiny_model

X = [
    ["Anna", "works", "for", "Acme", "Corporation", "in", "Berlin"],
    ["Paris", "is", "the", "capital", "of", "France"],
    list("这只猫在花园里睡觉。"),
    ["🐼", "likes", "Berlin", "👩‍🚀"],
    ["cat"],
]
Y = [
    ["B-PER", "O", "O", "B-ORG", "I-ORG", "O", "B-LOC"],
    ["B-LOC", "O", "O", "O", "O", "B-LOC"],
    ["O", "O", "B-ANI", "O", "B-LOC", "I-LOC", "O", "O", "O", "O"],
    ["B-ANI", "O", "B-LOC", "B-PER"],
    ["B-ANI"],
]
ALL_TAGS = ["B-ANI", "B-LOC", "B-ORG", "B-PER", "I-LOC", "I-ORG", "O"]
# All words in one document, which needs several windows of 16 pieces.
LONG, LONG_TAGS = list(chain(*X)), list(chain(*Y))
# Words of 1 to 5 pieces, each with its tag, whatever stands beside it.
TAG_OF = {"cat": "B-ANI", "garden": "B-LOC", "Berlin": "B-LOC", "the": "O"}
TAG_OF["sleeps"] = "O"
both = pytest.mark.parametrize("labels", ["first", "all"])


def small(model=None, **parameters):
    """A model that is soon fitted, and has learned little."""
    return BertTokenClassifier(model or tiny_model(), **{**SMALL, **parameters})


def learner(model=None, **parameters):
    """A model that learns by heart."""
    return small(model, **{"max_iter": 40, "dropout": 0.0, **parameters})


@pytest.fixture(scope="module", params=["first", "all"])
def fitted(request):
    """A model; do not change it."""
    return small(labels=request.param).fit(X, Y)


@cache
def byte_model():
    """A model of the kind of RoBERTa, whose pieces are bytes, for up to 40."""
    folder = TemporaryDirectory()
    _FOLDERS.append(folder)
    vocabulary, merges = learn_byte_pairs(SENTENCES, 350)
    tokenizer = RobertaTokenizer(vocab=vocabulary, merges=merges, model_max_length=40)
    tokenizer.save_pretrained(f"{folder.name}/model")
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=42,
        initializer_range=0.2,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        RobertaModel(config).save_pretrained(f"{folder.name}/model")
    return f"{folder.name}/model"


_FOLDERS = []


def weights_of(model):
    return [
        {name: w.numpy() for name, w in network.state_dict().items()}
        for network in model.estimators_
    ]


def assert_same_weights(one, other, **tolerance):
    for ours, theirs in zip(weights_of(one), weights_of(other), strict=True):
        assert ours.keys() == theirs.keys()
        for name, w in ours.items():
            assert_allclose(w, theirs[name], **{"rtol": 0, "atol": 0, **tolerance})


def are_same_weights(one, other):
    pairs = zip(weights_of(one), weights_of(other), strict=True)
    return all(np.array_equal(a[name], b[name]) for a, b in pairs for name in a)


def assert_same_lists(ours, theirs, **tolerance):
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert_allclose(one, other, **{"rtol": 0, "atol": 0, **tolerance})


def random_words(n_words, seed=0):
    """Words whose tags are known."""
    words = list(TAG_OF)
    return [words[i] for i in np.random.default_rng(seed).integers(5, size=n_words)]


def tags_of(documents):
    return [[TAG_OF[word] for word in words] for words in documents]


@cache
def knowing():
    """A model that knows the tags of `TAG_OF`; do not change it."""
    documents = [random_words(400), random_words(200, seed=1)]
    model = learner(max_iter=6, max_length=20, batch_size=8)
    return model.fit(documents, tags_of(documents))


# It learns


@both
def test_sentences_are_learned_by_heart(labels):
    model = learner(labels=labels).fit(X, Y)
    assert model.predict(X).tolist() == Y
    assert model.score(X, Y) == 1.0
    assert model.loss_curve_[-1] < 0.1 < model.loss_curve_[0]
    assert len(model.loss_curve_) == model.n_iter_ == 40
    assert len(model.validation_loss_curve_) == 0
    assert model.classes_.tolist() == ALL_TAGS
    assert model.newly_initialized_ == ["classifier.bias", "classifier.weight"]


def test_known_words_get_their_tags():
    words = random_words(12, seed=99)
    model = knowing()
    assert model.predict([words]).tolist() == tags_of([words])
    (proba,) = model.predict_proba([words])
    columns = [model.classes_.tolist().index(TAG_OF[word]) for word in words]
    assert (proba[np.arange(12), columns] > 0.8).all()


def test_bytes_are_learned_by_heart():
    model = learner(byte_model(), max_iter=80, learning_rate=0.02)
    assert model.fit(X, Y).predict(X).tolist() == Y


def test_shapes_and_types(fitted):
    found = fitted.predict(X)
    assert (found.shape, found.dtype) == ((5,), object)
    for tags, words in zip(found, X, strict=True):
        assert type(tags) is list
        assert {type(tag) for tag in tags} == {str}
        assert len(tags) == len(words)
    proba = fitted.predict_proba(X)
    assert type(proba) is list
    for tags, words, of_words in zip(found, X, proba, strict=True):
        assert of_words.dtype == np.float32
        assert of_words.shape == (len(words), len(ALL_TAGS))
        assert_allclose(of_words.sum(axis=1), 1, rtol=1e-5)
        assert_array_equal(fitted.classes_[of_words.argmax(axis=1)], tags)


def test_documents_of_equal_length_are_no_table(fitted):
    found = fitted.predict([["Anna", "works"], ["the", "cat"]])
    assert found.shape == (2,)
    assert [type(tags) for tags in found] == [list, list]


def test_containers_are_equal(fitted):
    expected = fitted.predict_proba(X)
    array = np.empty(len(X), dtype=object)
    array[:] = [np.array(words) for words in X]
    for same in (tuple(map(tuple, X)), array, pd.Series(X), iter(X)):
        assert_same_lists(fitted.predict_proba(same), expected)
    targets = np.empty(len(Y), dtype=object)
    targets[:] = [np.array(tags) for tags in Y]
    for y in (tuple(map(tuple, Y)), targets, pd.Series(Y, index=range(5, 10)), iter(Y)):
        again = clone(fitted).fit(pd.Series(X), y)
        assert_same_weights(again, fitted)
        assert again.classes_.tolist() == ALL_TAGS


def test_tags_may_be_a_table():
    documents = [["the", "cat"], ["Berlin", "the"]]
    expected = small().fit(documents, tags_of(documents))
    found = small().fit(documents, np.array(tags_of(documents)), sample_weight=[1, 1])
    assert_same_weights(found, expected)


def test_tuples_of_two_words_are_documents(fitted):
    # They are no pairs of texts, which are not taken here.
    pairs = [("Anna", "works"), ("the", "cat")]
    expected = fitted.predict_proba([list(pair) for pair in pairs])
    assert_same_lists(fitted.predict_proba(pairs), expected)
    model = small().fit(pairs, [("B-PER", "O"), ("O", "B-ANI")])
    assert model.predict(pairs).shape == (2,)


def test_other_documents_change_nothing(fitted):
    expected = fitted.predict_proba(X)
    backwards = fitted.predict_proba(X[::-1])[::-1]
    alone = [fitted.predict_proba([words])[0] for words in X]
    assert_same_lists(backwards, expected, atol=1e-6)
    assert_same_lists(alone, expected, atol=1e-6)


# It is the network of transformers


def proba_of_transformers(folder, words, labels, **options):
    """The probabilities of each word, by transformers alone."""
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    network = AutoModelForTokenClassification.from_pretrained(folder).eval()
    inputs = tokenizer(words, is_split_into_words=True, return_tensors="pt")
    with torch.inference_mode():
        proba = network(**inputs).logits[0].softmax(dim=-1).numpy()
    pieces = [[] for _ in words]
    for at, word in enumerate(inputs.word_ids()):
        if word is not None:
            pieces[word].append(at)
    return np.array(
        [proba[at[0]] if labels == "first" else proba[at].mean(axis=0) for at in pieces]
    )


def test_probabilities_are_those_of_transformers(fitted, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    found = fitted.predict_proba(X)
    for words, proba in zip(X, found, strict=True):
        expected = proba_of_transformers(tmp_path / "model", words, fitted.labels)
        assert_allclose(proba, expected, atol=1e-5)
    config = json.loads((tmp_path / "model" / "config.json").read_text("utf-8"))
    assert config["id2label"] == {str(i): tag for i, tag in enumerate(ALL_TAGS)}
    assert config["label2id"] == {tag: i for i, tag in enumerate(ALL_TAGS)}
    assert config["architectures"] == ["BertForTokenClassification"]


@both
def test_byte_pairs_see_words(labels, tmp_path):
    # Without a blank before each, "the", "cat" would be read as "thecat".
    model = small(byte_model(), labels=labels).fit(X, Y)
    model.save_pretrained(tmp_path / "model")
    found = model.predict_proba(X)
    for words, proba in zip(X, found, strict=True):
        expected = proba_of_transformers(
            tmp_path / "model", words, labels, add_prefix_space=True
        )
        assert_allclose(proba, expected, atol=1e-5)


def test_a_network_that_is_trained_already_goes_on(tmp_path):
    knowing().save_pretrained(tmp_path / "model")
    words = random_words(12, seed=99)
    model = small(tmp_path / "model", max_length=20, max_iter=1, learning_rate=1e-12)
    model.fit([words], tags_of([words]))
    assert model.newly_initialized_ == []
    assert_same_lists(
        model.predict_proba([words]), knowing().predict_proba([words]), atol=1e-5
    )


# Pieces


class Table(torch.nn.Module):
    """A network whose logits of a piece are those of its id."""

    device, config = torch.device("cpu"), None

    def __init__(self, logits):
        super().__init__()
        self.table = torch.tensor(logits, dtype=torch.float32)

    def forward(self, input_ids, **inputs):
        self.logits = self.table[input_ids]
        return self


def test_which_pieces_of_a_word_count():
    model = small().fit(X, Y)
    ids = AutoTokenizer.from_pretrained(tiny_model()).get_vocab()
    table = np.zeros((len(ids), 7))
    table[ids["an"], 3] = table[ids["##n"], 1] = table[ids["##a"], 1] = 9
    table[ids["the"], 6] = 9
    model = with_networks(model, [Table(table)])
    words = ["the", "", "Anna"]  # pieces: the, an ##n ##a
    tags = [model.set_params(labels=n).predict([words])[0] for n in ("first", "all")]
    assert tags == [["O", "O", "B-PER"], ["O", "O", "B-LOC"]]
    expected = softmax(table[[ids["an"], ids["##n"], ids["##a"]]], axis=1).mean(axis=0)
    assert_allclose(model.predict_proba([words])[0][2], expected, atol=1e-6)


@both
def test_which_pieces_are_learned_from(labels, monkeypatch):
    from skml.neural._torch import _windows

    id_to_piece = AutoTokenizer.from_pretrained(tiny_model()).convert_ids_to_tokens
    seen = []

    class Spy(_windows.WindowTask):
        def __init__(self, windows, targets, *args, **kwargs):
            seen.append(
                [
                    (id_to_piece(ids.tolist()), t.tolist())
                    for ids, t in zip(windows.ids, targets, strict=True)
                ]
            )
            super().__init__(windows, targets, *args, **kwargs)

    monkeypatch.setattr(_windows, "WindowTask", Spy)
    small(labels=labels).fit([["the", "", "Anna"], ["cat"]], [["O", "B", "A"], ["B"]])
    inner = -100 if labels == "first" else 0
    assert seen == [
        [
            (
                ["[CLS]", "the", "an", "##n", "##a", "[SEP]"],
                [-100, 2, 0, inner, inner, -100],
            ),
            (["[CLS]", "cat", "[SEP]"], [-100, 1, -100]),
        ]
    ]


# Windows


def slow_windows(model, words, n_pieces, overlap):
    """The probabilities of the words of a document, by going through it plainly."""
    tokenizer = AutoTokenizer.from_pretrained(model.model, add_prefix_space=True)
    pieces = [
        (piece, number)
        for number, word in enumerate(words)
        for piece in tokenizer([word], is_split_into_words=True).input_ids[1:-1]
    ]
    size, best = n_pieces - 2, {}
    start = 0
    while True:
        part = pieces[start : start + size]
        cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
        ids = torch.tensor([[cls, *(piece for piece, _ in part), sep]])
        with torch.inference_mode():
            logits = model.estimators_[0](input_ids=ids).logits[0, 1:-1]
        for at, proba in enumerate(logits.softmax(dim=-1).numpy()):
            distance = min(at, len(part) - 1 - at)
            if start + at not in best or distance > best[start + at][0]:
                best[start + at] = distance, proba
        if start + size >= len(pieces):
            break
        start += size - overlap
    of_words = [[] for _ in words]
    for at, (_, number) in enumerate(pieces):
        of_words[number].append(best[at][1])
    if model.labels == "first":
        return np.array([probas[0] for probas in of_words])
    return np.array([np.mean(probas, axis=0) for probas in of_words])


@pytest.mark.parametrize(("max_length", "overlap"), [(16, None), (16, 0), (9, 4)])
@both
def test_windows_are_those_of_a_slow_reading(labels, max_length, overlap):
    model = small(labels=labels, max_length=max_length, window_overlap=overlap)
    model.fit(X, Y)
    n = max_length // 4 if overlap is None else overlap
    documents = [LONG, X[1], LONG[:0:-1], X[4]]
    for words, proba in zip(documents, model.predict_proba(documents), strict=True):
        expected = slow_windows(model, words, max_length, n)
        assert_allclose(proba, expected, atol=1e-5)


@both
def test_words_longer_than_windows(labels):
    # Their bytes are in several windows, of which some have no other word.
    model = small(byte_model(), labels=labels, max_length=12)
    words = ["🐼" * 5, "the", "Berlin" * 9, "Anna", "🐼" * 5, ""]
    tags = ["B", "O", "B", "A", "B", "O"]
    model.fit([words, *X], [tags, *Y])
    (proba,) = model.predict_proba([words])
    expected = slow_windows(model, words[:-1], 12, 3)
    assert_allclose(proba[:-1], expected, atol=1e-5)


def test_short_documents_need_no_windows(fitted):
    expected = fitted.predict_proba(X)
    for overlap in (0, 5, 32):
        model = clone(fitted).set_params(window_overlap=overlap).fit(X, Y)
        assert_same_weights(model, fitted)
        assert_same_lists(model.predict_proba(X), expected)


def test_thousands_of_words_keep_their_order():
    documents = [random_words(3000), ["cat"], random_words(2000, seed=1), []]
    found = knowing().predict(documents)
    assert [len(tags) for tags in found] == [3000, 1, 2000, 0]
    assert found.tolist() == tags_of(documents)


@both
def test_long_documents_are_learned_from(labels):
    documents = [LONG, X[0]]
    model = learner(labels=labels, max_length=16).fit(documents, [LONG_TAGS, Y[0]])
    assert model.predict(documents).tolist() == [LONG_TAGS, Y[0]]


# The loss


def losses_of_words(model, documents, tags):
    """The negative logarithms of the probabilities of the right tags."""
    column = {tag: i for i, tag in enumerate(model.classes_)}
    return [
        -np.log(proba[np.arange(len(of_words)), [column[tag] for tag in of_words]])
        for proba, of_words in zip(model.predict_proba(documents), tags, strict=True)
    ]


@pytest.mark.parametrize("weights", [None, [1.0, 0.5, 3.0, 2.0, 0.25]])
def test_the_loss_is_a_mean_over_words(weights):
    # One long document is in several windows, and each of its words counts once.
    documents, tags = [LONG, *X[1:]], [LONG_TAGS, *Y[1:]]
    model = small(max_length=16, max_iter=1, dropout=0.0, learning_rate=1e-12)
    model.fit(documents, tags, sample_weight=weights)
    losses = losses_of_words(model, documents, tags)
    of_words = np.repeat(weights or np.ones(5), [len(words) for words in documents])
    expected = np.average(np.concatenate(losses), weights=of_words)
    assert_allclose(model.loss_curve_, [expected], rtol=1e-5)


def test_the_loss_of_all_pieces_weighs_them_alike():
    words, ids = ["Anna", "the"], AutoTokenizer.from_pretrained(tiny_model())
    model = small(labels="all", max_iter=1, dropout=0.0, learning_rate=1e-12)
    model.fit([words], [["A", "B"]])
    with torch.inference_mode():  # of [CLS] an ##n ##a the [SEP]
        inputs = ids(words, is_split_into_words=True, return_tensors="pt")
        losses = -model.estimators_[0](**inputs).logits[0].log_softmax(dim=-1)
    expected = (losses[1:4, 0].sum() + losses[4, 1]) / 4
    assert_allclose(model.loss_curve_, [expected], rtol=1e-5)


def test_the_held_out_loss_is_that_of_words():
    model = small(early_stopping=True, validation_fraction=0.01, max_iter=1).fit(X, Y)
    losses = [of_words.mean() for of_words in losses_of_words(model, X, Y)]
    (found,) = model.validation_loss_curve_
    assert np.abs(np.array(losses) - found).min() < 1e-5


def test_early_stopping():
    model = small(early_stopping=True, tol=100.0, max_iter=20, n_iter_no_change=2)
    model.fit(X, Y)
    assert model.n_iter_ == len(model.validation_loss_curve_) == 3
    assert model.classes_.tolist() == ALL_TAGS  # of those held out, too


# Weights of documents


def test_weight_zero_is_left_out_exactly():
    weights = [1.0, 0.0, 2.0, 0.0, 0.5]
    kept = [0, 2, 4]
    found = small().fit(X, Y, sample_weight=weights)
    expected = small().fit(
        [X[i] for i in kept], [Y[i] for i in kept], sample_weight=[1.0, 2.0, 0.5]
    )
    assert_same_weights(found, expected)
    assert "B-LOC" in found.classes_
    assert "I-ORG" in found.classes_
    assert found.classes_.tolist() == expected.classes_.tolist()
    alone = small().fit(X, Y, sample_weight=[0, 1, 0, 0, 0])
    assert alone.classes_.tolist() == ["B-LOC", "O"]


def test_weight_two_is_twice():
    options = {"dropout": 0.0, "max_iter": 10}
    found = small(**options).fit(X, Y, sample_weight=[2, 1, 1, 1, 2])
    twice = small(**options).fit([*X, X[0], X[4]], [*Y, Y[0], Y[4]])
    assert_same_lists(found.predict_proba(X), twice.predict_proba(X), atol=1e-3)
    plain = small(**options).fit(X, Y)
    apart = zip(found.predict_proba(X), plain.predict_proba(X), strict=True)
    assert max(np.abs(a - b).max() for a, b in apart) > 0.01


def test_equal_weights_are_none():
    expected = small().fit(X, Y)
    assert_same_weights(
        small().fit(X, Y, sample_weight=np.full(5, 4.0)), expected, atol=1e-5
    )


# Words and documents with nothing in them

NOTHING = ["", "\x01", " ", "\u200b"]


@both
def test_words_without_a_piece(labels):
    model = learner(labels=labels).fit(X, Y)
    words = ["", *X[0], *NOTHING]
    (found,), (proba,) = model.predict([words]), model.predict_proba([words])
    assert found == ["O", *Y[0], "O", "O", "O", "O"]
    assert_same_lists([proba[1:8]], model.predict_proba(X[:1]))
    for row in (0, *range(8, 12)):
        assert_array_equal(proba[row], [0, 0, 0, 0, 0, 0, 1])
    assert model.predict([NOTHING]).tolist() == [["O"] * 4]
    assert_array_equal(model.predict_proba([NOTHING], mc_samples=2)[0][:, -1], 1)


def test_words_without_a_piece_are_not_learned_from():
    documents = [["", *X[0], "\x01"], *X[1:], NOTHING, []]
    tags = [["O", *Y[0], "O"], *Y[1:], ["O"] * 4, []]
    expected = small(dropout=0.0).fit(X, Y)
    found = small(dropout=0.0).fit(documents, tags)
    assert_same_weights(found, expected, atol=1e-4)


def test_without_o_they_get_the_most_frequent_tag():
    documents = [["the", "cat"], ["dogs", "computers", ""]]
    tags = [["DET", "VERB"], ["NOUN", "NOUN", "NOUN"]]
    model = small(max_iter=1)
    for weights, expected in (
        (None, "NOUN"),
        ([1, 1], "NOUN"),
        ([9, 1], "DET"),  # as frequent as VERB, and the first
        ([9, 0], "DET"),
    ):
        model.fit(documents, tags, sample_weight=weights)
        assert model.predict([["cat", ""]])[0][1] == expected


def test_empty_documents(fitted):
    found = fitted.predict([[], X[0], []])
    assert [len(tags) for tags in found] == [0, 7, 0]
    proba = fitted.predict_proba([[], X[0], []])
    assert [of_words.shape for of_words in proba] == [(0, 7), (7, 7), (0, 7)]
    assert_same_lists(proba[1:2], fitted.predict_proba(X[:1]), atol=1e-6)
    assert fitted.predict([[]]).tolist() == [[]]
    assert [of_words.shape for of_words in fitted.predict_proba([[]])] == [(0, 7)]


def test_no_documents(fitted):
    found = fitted.predict([])
    assert (found.shape, found.dtype) == ((0,), object)
    assert fitted.predict_proba([]) == []


# Ensembles, and dropout after training


def test_members_are_averaged(tmp_path):
    model = small(n_estimators=2).fit(X, Y)
    assert len(model.estimators_) == 2
    first = small().fit(X, Y)
    of_members = []
    for network in model.estimators_:
        of_members.append(with_networks(first, [network]).predict_proba(X))
    assert_same_lists(of_members[0], first.predict_proba(X))
    assert not np.allclose(of_members[0][0], of_members[1][0], atol=1e-3)
    expected = [(one + other) / 2 for one, other in zip(*of_members, strict=True)]
    assert_same_lists(model.predict_proba(X), expected, atol=1e-6)
    assert_array_equal(model.loss_curve_, first.loss_curve_)
    again = BertTokenClassifier.load(model.save(tmp_path / "m") and tmp_path / "m")
    assert_same_lists(again.predict_proba(X), model.predict_proba(X))


def test_samples_of_dropout(fitted):
    plain = fitted.predict_proba(X)
    found = fitted.predict_proba(X, mc_samples=3)
    assert_same_lists(found, fitted.predict_proba(X, mc_samples=3))
    assert not np.allclose(found[0], plain[0], atol=1e-4)
    for of_words in found:
        assert_allclose(of_words.sum(axis=1), 1, rtol=1e-5)
    assert_same_lists(fitted.predict_proba(X), plain)
    sure = small(dropout=0.0).fit(X, Y)
    expected = sure.predict_proba(X)
    assert_same_lists(sure.predict_proba(X, mc_samples=2), expected, atol=1e-6)
    for wrong in (0, 1.5, True, "2"):
        with pytest.raises(ValueError, match=f"mc_samples={wrong!r}; expected None or"):
            fitted.predict_proba(X, mc_samples=wrong)


# Scores


def test_score_is_that_of_entities():
    model = small(max_iter=8).fit(X, Y)
    found = model.score(X, Y)
    assert found == entity_f1_score(Y, model.predict(X))
    assert 0 < found < 1
    weights = [5, 1, 1, 1, 1]
    weighted = model.score(X, Y, sample_weight=weights)
    assert weighted == entity_f1_score(Y, model.predict(X), sample_weight=weights)
    assert weighted != found


def test_parts_of_speech_are_tags_without_a_score():
    documents = [["the", "cat", "sleeps"], ["a", "dog"]]
    tags = [["DET", "NOUN", "VERB"], ["DET", "NOUN"]]
    model = learner().fit(documents, tags)
    assert model.predict(documents).tolist() == tags
    with pytest.raises(ValueError, match=r"'DET' has no known prefix"):
        model.score(documents, tags)


# Seeds, and what fits leave alone


def test_a_text_is_held_out_if_others_have_each_of_its_tags():
    for order in ([0, 1], [1, 0]):
        chosen = stratify(np.array(order), 1, np.array([0, 1, 1]), np.array([0, 0, 1]))
        assert chosen.tolist() == [0]
    assert stratify(np.arange(2), 1, np.arange(2), np.arange(2)).size == 0


def test_the_same_seed_gives_the_same_weights():
    one, other = small().fit(X, Y), small().fit(X, Y)
    assert_same_weights(one, other)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_same_weights(one.fit(X, Y), other)
    assert not are_same_weights(one, small(random_state=1).fit(X, Y))


def test_global_generators_and_threads_are_left_alone(tmp_path):
    n_threads = torch.get_num_threads()
    torch.set_num_threads(2)
    states = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    model = small(random_state=None, n_jobs=1, early_stopping=True).fit(X, Y)
    model.predict_proba(X, mc_samples=2)
    model.score(X, Y)
    pickle.loads(pickle.dumps(model))
    BertTokenClassifier.load(model.save(tmp_path / "model") and tmp_path / "model")
    found = torch.get_num_threads()
    torch.set_num_threads(n_threads)
    assert found == 2
    assert np.array_equal(np.random.get_state()[1], states[0])  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), states[1])


def test_arguments_and_parameters_are_left_alone():
    documents, tags = deepcopy(X), deepcopy(Y)
    model = small(max_length=16)
    before = deepcopy(model.get_params())
    model.fit(documents, tags).predict(documents)
    assert (documents, tags) == (X, Y)
    assert model.get_params() == before


def test_a_fit_that_fails_leaves_the_old_model():
    model = small().fit(X, Y)
    before = vars(model).keys()
    expected = model.predict_proba(X)
    with pytest.raises(ValueError, match="5 document"):
        model.fit(X, Y[:-1])
    with pytest.raises(ValueError, match="at least two"):
        model.fit(X[-1:], Y[-1:])
    assert vars(model).keys() == before
    assert_same_lists(model.predict_proba(X), expected)


def test_a_checkpoint_is_of_the_same_tags_and_weights(tmp_path):
    model = small(checkpoint=tmp_path / "state").fit(X, Y)
    losses = model.loss_curve_
    assert_array_equal(model.fit(X, Y).loss_curve_, losses)
    other = [*Y[:-1], ["B-LOC"]]
    for fit in (
        lambda: model.fit(X, other),
        lambda: model.fit(X, Y, sample_weight=[1, 1, 1, 1, 1.5]),
        lambda: model.set_params(labels="all").fit(X, Y),
    ):
        with pytest.raises(ValueError, match=r"the checkpoint .* other data or param"):
            fit()


@needs_callbacks
def test_callbacks_see_each_pass():
    recording = Recording("epoch", lambda model, X, y: model.predict_proba(X), None)
    model = small(max_iter=3, early_stopping=True).set_callbacks(recording).fit(X, Y)
    assert recording.tasks[-1] == "fit"
    assert len(recording.seen) == model.n_iter_
    plain = small(max_iter=3, early_stopping=True).fit(X, Y)
    assert_same_weights(model, plain)


# Copies, files and searches


def assert_same_model(again, model):
    assert type(again) is type(model)
    assert again.get_params() == model.get_params()
    assert_same_weights(again, model)
    words = [*X, [], ["", "cat"], X[0] * 20]
    assert_same_lists(again.predict_proba(words), model.predict_proba(words))
    assert again.predict(words).tolist() == model.predict(words).tolist()
    assert again.classes_.dtype == model.classes_.dtype
    for name in (
        "classes_",
        "loss_curve_",
        "validation_loss_curve_",
        "newly_initialized_",
    ):
        assert list(getattr(again, name)) == list(getattr(model, name))
    ours, theirs = ({k for k in vars(m) if k[-1] == "_"} for m in (model, again))
    assert ours == theirs
    assert again._fitted.fallback == model._fitted.fallback


def test_copies_are_equal(fitted):
    stored = pickle.dumps(fitted)
    assert b"torch" not in stored
    assert_same_model(pickle.loads(stored), fitted)
    assert_same_model(deepcopy(fitted), fitted)


@pytest.mark.parametrize(
    "options", [{"early_stopping": True, "labels": "all"}, {"max_length": np.int64(16)}]
)
def test_files_are_equal(options, tmp_path):
    documents, tags = [[], *X], [[], *Y]
    tags[-1] = ['"猫\u2028']  # nothing special to a tag
    model = small(**options).fit(documents, tags)
    assert model.save(tmp_path / "model") is model
    again = BertTokenClassifier.load(tmp_path / "model")
    assert_same_model(again, model)
    with pytest.raises(ValueError, match="X has text; in fit it had lists of tokens"):
        again.predict(SENTENCES)
    assert_same_weights(again.fit(documents, tags), model)


def test_a_clone_is_not_fitted(fitted):
    other = clone(fitted)
    assert other.get_params() == fitted.get_params()
    assert not hasattr(other, "estimators_")
    with pytest.raises(NotFittedError, match="BertTokenClassifier"):
        other.predict(X)
    with pytest.raises(NotFittedError, match="BertTokenClassifier"):
        other.predict_proba(X)
    with pytest.raises(NotFittedError, match="BertTokenClassifier"):
        other.score(X, Y)


def test_grid_search():
    documents = [random_words(6, seed) for seed in range(12)]
    tags = tags_of(documents)
    search = GridSearchCV(
        learner(max_iter=6),
        {"labels": ["first", "all"]},
        cv=2,
        error_score="raise",
    )
    search.fit(documents, tags)
    assert search.best_score_ > 0.3
    assert search.predict(documents).shape == (12,)
    assert search.score(documents, tags) == entity_f1_score(
        tags, search.predict(documents)
    )


def test_cross_validation():
    found = cross_val_predict(small(max_iter=1), X * 2, Y * 2, cv=2)
    assert [len(tags) for tags in found] == [len(words) for words in X * 2]


def test_what_scikit_learn_is_told():
    model = small()
    assert not is_classifier(model)  # which would have one target for each document
    tags = get_tags(model)
    assert tags.estimator_type is None
    assert tags.target_tags.required
    assert not tags.target_tags.single_output
    assert tags.input_tags.string


# What is refused

WORDS = [["a"], ["b", "c"], ["d"], ["the", "cat", "is", "a", "cat"]]
TAGS = [["O"], ["B", "O"], ["B"], ["O", "B", "O", "O", "B"]]


def with_tags(position, tags):
    return [*TAGS[:position], tags, *TAGS[position + 1 :]]


BAD = [
    (
        WORDS,
        with_tags(3, ["O"] * 4),
        ValueError,
        "document 3 has 5 tokens and 4 tags; ",
    ),
    (WORDS, with_tags(1, []), ValueError, "document 1 has 2 tokens and 0 tags; exp"),
    (WORDS, with_tags(1, ["O", 3]), TypeError, r", y: document 1, tag 1 is 3 \(int\)"),
    (WORDS, with_tags(0, [None]), ValueError, ", y: document 0, tag 0 is None"),
    (WORDS, with_tags(2, [np.nan]), ValueError, ", y: document 2, tag 0 is nan"),
    (WORDS, with_tags(2, [b"O"]), TypeError, ", y: document 2, tag 0 is b'O'"),
    (WORDS, with_tags(2, ["\ud800"]), ValueError, ", y: document 2 has '.ud800', half"),
    (
        WORDS,
        with_tags(0, "O"),
        TypeError,
        r", y: document 0 is 'O' \(str\); expected a",
    ),
    (
        WORDS,
        with_tags(1, None),
        ValueError,
        r", y: document 1 is None .*expected a lis",
    ),
    (WORDS, with_tags(1, {"B", "O"}), TypeError, r", y: document 1 is .*\(set\); exp"),
    (WORDS, "OBBO", TypeError, r", y: document 0 is 'O' \(str\); expected a list"),
    (WORDS, [0, 1, 0, 1], TypeError, r", y: document 0 is 0 \(int\); expected a list"),
    (WORDS, np.zeros((4, 1, 1)), TypeError, r", y: document 0 is array.*expected a li"),
    (WORDS, None, ValueError, "requires y to be passed, but the target y is None"),
    (WORDS, TAGS[:-1], ValueError, r"X has 4 document\(s\), and y has 3; expected one"),
    (WORDS, iter(TAGS[:-1]), ValueError, r"X has 4 document\(s\), and y has 3"),
    (WORDS[:1], TAGS[:1], ValueError, "y has one tag, 'O'; at least two are needed"),
    ([[], []], [[], []], ValueError, "y has no tag; at least two are needed"),
    (
        [["", "\x01"]],
        [["O", "B"]],
        ValueError,
        "nothing to learn from: no text that is",
    ),
    ([], [], ValueError, "X is empty; at least one document is needed"),
    (
        ["a", "b c"],
        TAGS[:2],
        ValueError,
        r"X has text; expected lists of tokens.*Split",
    ),
    ("ab", TAGS[:2], ValueError, "a single str"),
    (
        [["a"], "b c"],
        TAGS[:2],
        TypeError,
        "document 1 is a str, and those before are l",
    ),
    ([["a"], ["b", 1]], TAGS[:2], TypeError, r"document 1, token 1 is 1 \(int\)"),
    ([["a"], None], TAGS[:2], ValueError, r"document 1 is missing \(None\)"),
    (np.array([["a", "b"]]), [["O", "B"]], ValueError, r"2 dimension\(s\)"),
    (pd.DataFrame({"a": ["b"], "c": ["d"]}), TAGS[:1], ValueError, r"2 dimension\(s\)"),
]


@pytest.mark.parametrize(("documents", "tags", "error", "message"), BAD)
def test_bad_documents_and_tags_are_refused(documents, tags, error, message):
    model = small()
    with pytest.raises(error, match=rf"BertTokenClassifier.*{message}"):
        model.fit(documents, tags)
    assert not hasattr(model, "estimators_")


def test_messages_count_documents_of_no_weight():
    weights = [0, 0, 0, 1]
    with pytest.raises(ValueError, match="document 3 has 5 tokens and 1 tags"):
        small().fit(WORDS, with_tags(3, ["O"]), sample_weight=weights)
    with pytest.raises(TypeError, match="document 1, tag 0 is 7"):
        small().fit(WORDS, with_tags(1, [7, "O"]), sample_weight=weights)


@pytest.mark.parametrize(
    "documents", [SENTENCES, [("a b", "c d"), "e"], [["a"], "b"]], ids=repr
)
def test_other_documents_than_in_fit_are_refused(fitted, documents):
    error = ValueError if documents is SENTENCES else TypeError
    with pytest.raises(error, match=r"BertTokenClassifier: (X has text|document 1 is)"):
        fitted.predict(documents)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"labels": "last"}, "The 'labels' parameter of BertTokenClassifier must be"),
        ({"labels": None}, "The 'labels' parameter of BertTokenClassifier must be"),
        ({"window_overlap": -1}, "The 'window_overlap' parameter of BertTokenClassifi"),
        ({"window_overlap": 33}, "window_overlap=33 is more than half of the 64"),
        ({"max_length": 65}, "max_length=65, and the model takes 64 tokens at most"),
        ({"max_length": 16, "window_overlap": 9}, "window_overlap=9 is more than half"),
        ({"model": None}, "model=None; pass the folder"),
    ],
)
def test_bad_parameters_are_refused(parameters, message):
    model = BertTokenClassifier(**{"model": tiny_model(), **SMALL, **parameters})
    with pytest.raises(ValueError, match=message):
        model.fit(X, Y)


def test_documents_without_a_piece_may_be_held_out(monkeypatch):
    documents, tags = [["cat", "the"], [""], []], [["B", "O"], ["O"], []]
    model = small(early_stopping=True)
    monkeypatch.setattr(BertTokenClassifier, "_hold_out", lambda *args: [1, 2])
    assert len(model.fit(documents, tags).validation_loss_curve_) == 0
    monkeypatch.setattr(BertTokenClassifier, "_hold_out", lambda *args: [0, 2])
    with pytest.raises(ValueError, match="nothing to learn from: no text that is not"):
        model.fit(documents, tags)


def test_tags_that_score_will_refuse_are_told_before_training(monkeypatch):
    tags = [["PER-B", "O", "O"], ["O", "LOC-B", "O"]]
    monkeypatch.setattr(BertTokenClassifier, "_read_tokenizer", None)
    with pytest.warns(UserWarning, match="score.* will refuse these tags.*'LOC-B'"):  # noqa: SIM117
        with pytest.raises(TypeError):
            small().fit([["a", "b", "c"]] * 2, tags)


def test_tags_of_chinese_have_a_score():
    words = [list("安娜在罗马吃面包"), list("奥托在巴黎喝酒")]
    tags = [
        ["B-PER", "E-PER", "O", "B-LOC", "E-LOC", "O", "B-X", "E-X"],
        ["B", "E", *"OBMES"],
    ]
    model = small(max_iter=1).fit(words, tags)
    assert 0 <= model.score(words, tags) <= 1
    assert entity_f1_score(tags, tags, scheme="BMES", mode="strict") == 1.0
