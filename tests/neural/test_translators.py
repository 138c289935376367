"""What translators learn, write, and say about pairs."""

import re
import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from skml.metrics import bleu_score
from skml.neural import Seq2SeqTranslator, TransformerTranslator
from skml.neural._codec import END, PADDING, START, UNKNOWN
from tests.neural.cases import (
    CHINESE,
    CLASSES,
    ENGLISH,
    FRENCH,
    TOKENS,
    learner,
    short_lists,
    small,
)
from tests.neural.sentences import SCRIPTS

classes = pytest.mark.parametrize("cls", CLASSES)
MODELS = [
    *(
        (Seq2SeqTranslator, {"attention": attention, "cell": cell})
        for attention in ("additive", "dot-product")
        for cell in ("gru", "lstm")
    ),
    (Seq2SeqTranslator, {"n_layers": 2, "bidirectional": False}),
    (TransformerTranslator, {}),
    (TransformerTranslator, {"positions": "learned", "norm_first": False}),
]
PLAIN = (Seq2SeqTranslator, {"attention": None})
models = pytest.mark.parametrize(("cls", "options"), [*MODELS, PLAIN])


def fit(cls, X=ENGLISH, y=FRENCH, **parameters):
    return small(cls, **parameters).fit(X, y)


@pytest.fixture(scope="module", params=CLASSES)
def fitted(request):
    """A model of text; do not change it."""
    return fit(request.param)


@pytest.fixture(scope="module", params=CLASSES)
def fitted_to_tokens(request):
    """A model of lists of tokens; do not change it."""
    return fit(request.param, TOKENS, TOKENS[::-1], beam_size=3)


# It learns

COPYING = {
    Seq2SeqTranslator: {"max_iter": 25, "learning_rate": 0.03},
    TransformerTranslator: {"max_iter": 60, "learning_rate": 0.01},
}
BY_HEART = {
    Seq2SeqTranslator: {"max_iter": 60, "learning_rate": 0.02},
    TransformerTranslator: {"max_iter": 50, "learning_rate": 0.01},
}


@pytest.mark.parametrize(
    ("cls", "task"), [(Seq2SeqTranslator, "reverse"), (TransformerTranslator, "copy")]
)
def test_copy_and_reverse(cls, task):
    X = short_lists(n_lists=200, n_tokens=4, longest=4)
    y = X if task == "copy" else [tokens[::-1] for tokens in X]
    model = learner(cls, batch_size=256, **COPYING[cls])
    model.fit(X, y)
    assert model.score(X, y) >= 0.99
    assert model.loss_curve_[-1] < 0.1 < model.loss_curve_[0]


@pytest.mark.parametrize(
    ("cls", "X", "y"),
    [(Seq2SeqTranslator, CHINESE, ENGLISH), (TransformerTranslator, ENGLISH, FRENCH)],
    ids=["chinese", "french"],
)
def test_twenty_pairs_are_memorised(cls, X, y):
    model = learner(
        cls, batch_size=100, vocabulary_size=400, tokenizer="bpe", **BY_HEART[cls]
    )
    model.fit(X, y)
    assert model.score(X, y) == pytest.approx(1.0)
    assert_array_equal(model.predict(X), y)


@pytest.mark.parametrize(
    ("cls", "options", "tokenizer"),
    [(*PLAIN, "word"), (*MODELS[0], "char"), (*MODELS[-1], "word")],
)
def test_the_loss_falls(cls, options, tokenizer):
    model = learner(cls, max_iter=12, batch_size=200, tokenizer=tokenizer, **options)
    model.fit(ENGLISH, FRENCH)
    assert model.loss_curve_[-1] < 0.9 * model.loss_curve_[0]
    assert len(model.loss_curve_) == model.n_iter_ == 12
    assert len(model.validation_loss_curve_) == 0


def test_it_learns_without_being_forced():
    X = short_lists(n_lists=60, n_tokens=3, longest=2)
    model = learner(Seq2SeqTranslator, max_iter=40, teacher_forcing_ratio=0.5)
    found = model.fit(X, X).predict(X)
    assert sum(map(list.__eq__, found, X)) > 50
    forced = learner(Seq2SeqTranslator, max_iter=40).fit(X, X)
    assert not np.array_equal(model.loss_curve_, forced.loss_curve_)


# What it writes


@pytest.mark.parametrize("tokenizer", ["bpe", "word", "char"])
@classes
def test_text_for_text(cls, tokenizer):
    model = fit(cls, tokenizer=tokenizer)
    found = model.predict(ENGLISH[:5])
    assert (found.shape, found.dtype) == ((5,), object)
    assert {type(text) for text in found} == {str}


def test_lists_of_tokens_for_lists_of_tokens(fitted_to_tokens):
    found = fitted_to_tokens.predict(TOKENS[:5])
    assert (found.shape, found.dtype) == ((5,), object)
    known = {token for tokens in TOKENS for token in tokens}
    for tokens in found:
        assert type(tokens) is list
        assert set(tokens) <= known


@classes
def test_lists_of_equal_length_are_no_table(cls):
    X = [["a", "b"], ["b", "a"], ["a", "a"]] * 4
    model = learner(cls, max_iter=30).fit(X, X)
    assert model.predict(X).shape == (12,)
    assert model.predict(X, n_best=2).shape == (12, 2)


@pytest.mark.parametrize("kinds", ["text to tokens", "tokens to text"])
@classes
def test_kinds_may_differ(cls, kinds):
    X, y = (ENGLISH, TOKENS) if kinds == "text to tokens" else (TOKENS, ENGLISH)
    model = fit(cls, X, y)
    expected = list if kinds == "text to tokens" else str
    assert {type(document) for document in model.predict(X)} == {expected}
    assert 0 <= model.score(X, y) <= 1
    assert model.log_likelihood(X, y).shape == (20,)


def test_containers_are_equal(fitted):
    expected = fitted.predict(ENGLISH)
    for X in (
        tuple(ENGLISH),
        np.array(ENGLISH),
        np.array(ENGLISH, dtype=object),
        pd.Series(ENGLISH, index=range(5, 25)),
        (text for text in ENGLISH),
    ):
        assert_array_equal(fitted.predict(X), expected)
    assert_array_equal(
        fit(type(fitted), pd.Series(ENGLISH), np.array(FRENCH)).predict(ENGLISH),
        expected,
    )


def test_no_documents(fitted):
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict([], n_best=2).shape == (0, 2)
    assert fitted.log_likelihood([], []).shape == (0,)
    assert fitted.attention_weights([]) == []
    assert fitted.attention_weights([], return_tokens=True) == ([], [])


@pytest.mark.parametrize("tokenizer", ["bpe", "word", "char"])
@classes
def test_empty_and_unknown_documents(cls, tokenizer):
    model = fit(cls, tokenizer=tokenizer)
    X = ["", "Ωμέγα", "🐼", "\u0301", "a" * 60]
    found = model.predict(X)
    assert {type(text) for text in found} == {str}
    assert np.isfinite(model.log_likelihood(X, X[1:] + X[:1])).all()


@classes
def test_unknown_tokens(cls):
    model = fit(cls, TOKENS, TOKENS)
    found = model.log_likelihood([["no", "such", "token"], []], [["nor", "this"], []])
    assert np.isfinite(found).all()
    assert model.predict([["no", "such", "token"], []]).shape == (2,)


@classes
def test_sources_may_be_empty_in_fit(cls):
    model = fit(cls, ["", *ENGLISH[1:]], FRENCH)
    assert isinstance(model.predict([""])[0], str)


@models
def test_other_documents_change_nothing(cls, options):
    model = fit(cls, tokenizer="word", **options)
    X, y = ENGLISH[:4], FRENCH[:4]
    found = model.predict(X)
    assert_array_equal(model.predict(X[::-1])[::-1], found)
    assert_array_equal([model.predict([text])[0] for text in X], found)
    scores = model.log_likelihood(X, y)
    alone = [model.log_likelihood([s], [t])[0] for s, t in zip(X, y, strict=True)]
    assert_allclose(alone, scores, rtol=1e-5)
    model.set_params(batch_size=1)
    assert_array_equal(model.predict(X), found)
    assert_allclose(model.log_likelihood(X, y), scores, rtol=1e-5)


@classes
def test_several_translations(cls):
    model = fit(cls, beam_size=4, tokenizer="word")
    table = model.predict(ENGLISH, n_best=4)
    assert (table.shape, table.dtype) == ((20, 4), object)
    assert_array_equal(table[:, 0], model.predict(ENGLISH))
    assert_array_equal(table[:, :2], model.predict(ENGLISH, n_best=2))
    assert_array_equal(table[:, :1], model.predict(ENGLISH, n_best=np.int64(1)))


def test_several_lists(fitted_to_tokens):
    table = fitted_to_tokens.predict(TOKENS, n_best=3)
    assert table.shape == (20, 3)
    known = {token for tokens in TOKENS for token in tokens}
    for row in table:
        lists = [tokens for tokens in row if tokens is not None]
        assert all(type(tokens) is list for tokens in lists)
        assert {token for tokens in lists for token in tokens} <= known
        assert len({tuple(tokens) for tokens in lists}) == len(lists)


@classes
def test_where_no_more_are_found_there_is_none(cls):
    # One token, and one at most: "a", and nothing.
    X = [["a"]] * 4
    model = fit(cls, X, X, beam_size=5, max_length=1)
    table = model.predict([["a"]], n_best=5)
    assert sorted(table[0, :2].tolist()) == [[], ["a"]]
    assert table[0, 2:].tolist() == [None] * 3


@classes
def test_best_translations_are_likeliest(cls):
    X = short_lists(n_lists=60, n_tokens=3, longest=3)
    model = small(cls, beam_size=4, length_penalty=0.0, max_iter=10).fit(X, X)
    with torch.no_grad():  # special ids, which are not written, have no probability
        model.network_.output_bias[[PADDING, UNKNOWN, START]] = -1e4
    table = model.predict(X[:5], n_best=4)
    for source, row in zip(X, table, strict=False):
        scores = model.log_likelihood([source] * 4, list(row))
        assert (np.diff(scores) <= 1e-4).all()


@classes
def test_beam_and_penalty_are_those_of_now(cls):
    model = fit(cls, tokenizer="word")
    wide = model.predict(ENGLISH, n_best=2)
    narrow = model.set_params(beam_size=1).predict(ENGLISH)
    assert narrow.shape == (20,)
    again = fit(cls, tokenizer="word", beam_size=1)
    assert_array_equal(again.predict(ENGLISH), narrow)
    assert_array_equal(again.set_params(beam_size=2).predict(ENGLISH, n_best=2), wide)


@classes
def test_translations_have_no_more_tokens_than_max_length(cls):
    model = fit(cls, TOKENS, TOKENS, max_length=6)
    with torch.no_grad():  # so that it never ends
        model.network_.output_bias[END] = -1e4
    assert [len(tokens) for tokens in model.predict(TOKENS)] == [6] * 20


# What it says about pairs


def step_by_step(model, source, target):
    """The log-probability of each id, one by one."""
    (source,) = model.source_vocabulary_.encode([source])
    (target,) = model.target_vocabulary_.encode([target])
    network = model.network_
    source = torch.tensor([[*source, END]])
    found = []
    with torch.inference_mode():
        lengths = torch.tensor([source.shape[1]])
        state = network.start(network.encode(source, lengths))
        before = START
        for token in [*target.tolist(), END]:
            features = network.step(torch.tensor([before]), state)
            found.append(network.logits(features).log_softmax(dim=-1)[0, token].item())
            before = token
    return found


@models
def test_log_likelihood_is_that_of_all_steps(cls, options):
    model = fit(cls, **options)
    X, y = ENGLISH[:7], FRENCH[:7]
    found = model.log_likelihood(X, y)
    assert (found.shape, found.dtype) == ((7,), np.float64)
    expected = [sum(step_by_step(model, *pair)) for pair in zip(X, y, strict=True)]
    assert_allclose(found, expected, rtol=1e-5, atol=1e-4)
    assert (found < 0).all()


@models
def test_likelihoods_are_probabilities(cls, options):
    X = short_lists(n_lists=40, n_tokens=2, longest=2)
    model = small(cls, max_iter=10, **options).fit(X, X)
    targets = [list(tokens) for n in range(6) for tokens in product("ab", repeat=n)]
    for source in ([], ["a"], ["b", "a"]):
        found = np.exp(model.log_likelihood([source] * len(targets), targets))
        sums = np.cumsum(found)
        assert sums[-1] < 1
        # The unknown id and longer targets have the rest.
        assert sums[-1] > 0.2


def test_what_was_learned_is_likely():
    X = short_lists(n_lists=60, n_tokens=3, longest=3)
    model = learner(TransformerTranslator, max_iter=40, batch_size=128).fit(X, X)
    right = model.log_likelihood(X, X)
    wrong = model.log_likelihood(X, [[*tokens, "a"] for tokens in X])
    assert right.mean() > -0.5
    assert (right > wrong).all()


@pytest.mark.parametrize(("cls", "options"), MODELS)
def test_attention_weights(cls, options):
    model = fit(cls, TOKENS, TOKENS[::-1], max_iter=4, **options)
    weights, tokens = model.attention_weights(TOKENS, TOKENS[::-1], return_tokens=True)
    assert len(weights) == len(tokens) == 20
    for of_pair, (source, target), pair in zip(
        weights, tokens, zip(TOKENS, TOKENS[::-1], strict=True), strict=True
    ):
        assert source == [*pair[0], "</s>"]
        assert target == [*pair[1], "</s>"]
        assert of_pair.shape == (len(target), len(source))
        assert_allclose(of_pair.sum(axis=1), 1, atol=1e-5)
        assert (of_pair > 0).all()
    alone = model.attention_weights(TOKENS[3:4], TOKENS[::-1][3:4])
    assert_allclose(alone[0], weights[3], atol=1e-5)
    plain = model.attention_weights(TOKENS, TOKENS[::-1])
    assert all(map(np.array_equal, plain, weights))


def test_attention_weights_are_those_of_the_network(fitted_to_tokens):
    model = fitted_to_tokens
    (source,) = model.source_vocabulary_.encode(TOKENS[:1])
    (target,) = model.target_vocabulary_.encode(TOKENS[1:2])
    network = model.network_
    with torch.inference_mode():
        source = torch.tensor([[*source, END]])
        memory = network.encode(source, torch.tensor([source.shape[1]]))
        target = torch.tensor([[START, *target]])
        _, expected = network.decode(target, memory, return_weights=True)
    (found,) = model.attention_weights(TOKENS[:1], TOKENS[1:2])
    assert_allclose(found, expected[0], atol=1e-6)


def test_attention_weights_of_translations(fitted_to_tokens):
    found = fitted_to_tokens.predict(TOKENS)
    weights, tokens = fitted_to_tokens.attention_weights(TOKENS, return_tokens=True)
    expected = fitted_to_tokens.attention_weights(TOKENS, found)
    for of_pair, wanted, (source, target), given, written in zip(
        weights, expected, tokens, TOKENS, found, strict=True
    ):
        assert source == [*given, "</s>"]
        assert target == [*written, "</s>"]
        assert_allclose(of_pair, wanted, atol=1e-6)


@classes
def test_attention_weights_of_translations_that_are_no_text(cls):
    # What it writes are bytes, which are no UTF-8 before it has learned more.
    model = fit(cls, tokenizer="bpe")
    weights, tokens = model.attention_weights(ENGLISH, return_tokens=True)
    for of_pair, (source, target), text in zip(weights, tokens, ENGLISH, strict=True):
        assert of_pair.shape == (len(target), len(source))
        assert_allclose(of_pair.sum(axis=1), 1, atol=1e-5)
        assert source[-1] == target[-1] == "</s>"
        assert "".join(source[:-1]) == f" {text}"


def test_attention_weights_of_a_generator(fitted):
    weights = fitted.attention_weights(text for text in ENGLISH)
    assert all(map(np.array_equal, weights, fitted.attention_weights(ENGLISH)))


def test_without_attention_there_are_no_weights():
    model = fit(Seq2SeqTranslator, attention=None)
    for y in (FRENCH, None):
        with pytest.raises(ValueError, match=r"no attention"):
            model.attention_weights(ENGLISH, y)


# Scores


@pytest.mark.parametrize(
    ("cls", "early_stopping"),
    [(Seq2SeqTranslator, True), (TransformerTranslator, False)],
)
def test_a_network_that_learned_nothing_says_so(cls, early_stopping):
    options = {"early_stopping": early_stopping, "tokenizer": "char"}
    message = rf"{cls.__name__}: no more was learned than how frequent each token is"
    with pytest.warns(UserWarning, match=message) as told:
        learner(cls, learning_rate=1e-7, **options).fit(ENGLISH, FRENCH)
    assert [warning.filename for warning in told] == [__file__]
    with warnings.catch_warnings(action="error"):
        learner(cls, max_iter=60, **options).fit(ENGLISH, FRENCH)
        learner(cls, learning_rate=1e-7, **options).partial_fit(ENGLISH, FRENCH)


@classes
def test_a_network_that_ignores_the_sources_says_so(cls):
    """Two targets of the same tokens, for sources that cannot be distinguished."""
    X, y = ["a"] * 40, ["xy", "yx"] * 20
    options = {"tokenizer": "char", "max_iter": 100, "label_smoothing": 0.0}
    message = f"{cls.__name__}: no more was learned than what targets are like, whatev"
    with pytest.warns(UserWarning, match=message) as told:
        learner(cls, **options).fit(X, y)
    assert [warning.filename for warning in told] == [__file__]
    with warnings.catch_warnings(action="error"):
        learner(cls, **options).fit(["a", "b"] * 20, y)
        learner(cls, **options).fit(X, ["xy"] * 40)  # there is nothing else to learn


NUMBERS = {"2024": "two thousand and twenty-four", "7": "seven", "31": "thirty-one"}


@classes
def test_targets_may_be_much_longer_than_their_sources(cls):
    X, y = [[number] for number in NUMBERS], list(map(list, NUMBERS.values()))
    model = learner(cls, max_iter=100).fit(X, y)
    assert model.max_length_ratio_ == len("two thousand and twenty-four") / 2
    with warnings.catch_warnings(action="error"):
        assert model.predict(X).tolist() == y
        assert model.score(X, y) == 1
    model.set_params(max_length_ratio=1)
    with pytest.warns(
        UserWarning,
        match=rf"{cls.__name__}: 1 translation\(s\) reached the maximum .*document 0, "
        r"after 12 token\(s\)\. Increase max_length_ratio, which is 1,",
    ) as told:
        assert model.predict(X[:2])[0] == y[0][:12]
    assert len(told) == 1
    assert told[0].filename == __file__
    model.set_params(max_length_ratio="auto", max_length=5)
    with pytest.warns(UserWarning, match="Increase max_length, which is 5,"):
        model.attention_weights(X)


@classes
def test_the_limit_of_lengths_is_that_of_all_pairs_that_were_learned(cls):
    model = small(cls)
    assert model.partial_fit([["a"]], [["b"]]).max_length_ratio_ == 2
    assert model.partial_fit([["a"]], [["b"] * 9]).max_length_ratio_ == 4.5
    assert model.partial_fit([["a"]], [["b"]]).max_length_ratio_ == 4.5
    assert model.fit([["a"]], [["b"]]).max_length_ratio_ == 2


@pytest.mark.parametrize("script", [*SCRIPTS, "numbers"])
def test_a_perfect_model_of_words_has_a_perfect_score(script):
    texts = SCRIPTS.get(script, ["It costs $1,000.50.", "¿Son -5 °C o €2,5?"])
    texts = [re.sub(r" ([.,?!।،؟])", r"\1", text) for text in texts]
    tokenize = "char" if script == "Thai" else "13a"
    model = small(Seq2SeqTranslator, tokenizer="word", bleu_tokenize=tokenize)
    model.fit(texts, texts)
    targets = model.target_vocabulary_
    model.predict = lambda X: targets.decode(targets.encode(X))
    assert model.score(texts, texts) == 1


@pytest.mark.parametrize(
    ("cls", "bleu_tokenize"),
    [(Seq2SeqTranslator, "13a"), (TransformerTranslator, "char")],
)
def test_score_of_text_is_bleu(cls, bleu_tokenize):
    model = learner(
        cls, max_iter=15, batch_size=100, bleu_tokenize=bleu_tokenize, tokenizer="word"
    )
    model.fit(ENGLISH, FRENCH)
    predictions = list(model.predict(ENGLISH))
    expected = bleu_score(FRENCH, predictions, tokenize=bleu_tokenize)
    assert model.score(ENGLISH, FRENCH) == expected
    assert 0 < expected < 1.001


@classes
def test_score_of_tokens_is_bleu(cls):
    X = short_lists(n_lists=100, longest=8)
    model = learner(cls, max_iter=15, batch_size=200).fit(X, X)
    expected = bleu_score(X, list(model.predict(X)))
    assert model.score(X, iter(X)) == expected
    assert 0 < expected < 1.001
