"""What translators refuse, and what they say."""

import re
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from sklearn.exceptions import NotFittedError

from skml.neural import Seq2SeqTranslator, TransformerTranslator
from tests.neural.cases import CLASSES, ENGLISH, FRENCH, TOKENS, small

classes = pytest.mark.parametrize("cls", CLASSES)


@pytest.fixture(scope="module", params=CLASSES)
def fitted(request):
    """A model of text; do not change it."""
    return small(request.param).fit(ENGLISH, FRENCH)


@pytest.fixture(scope="module", params=CLASSES)
def fitted_to_tokens(request):
    """A model of lists of tokens; do not change it."""
    return small(request.param).fit(TOKENS, TOKENS)


METHODS = ["fit", "partial_fit"]
PAIR_METHODS = ["score", "log_likelihood", "attention_weights"]


# In fit

BAD_PAIRS = [
    (ENGLISH, FRENCH[:-1], ValueError, r"X has 20 document\(s\), and y has 19"),
    (ENGLISH, None, ValueError, r"requires y to be passed, but the target y is None"),
    ([], [], ValueError, r"X is empty; at least one pair is needed"),
    (["a", "b", "c"], ["a", "b", ""], ValueError, r", y: document 2 is empty"),
    ([["a"], ["b"]], [["a"], []], ValueError, r", y: document 1 is empty"),
    (["a", ["b"]], ["a", "b"], TypeError, r": document 1 is a list.*before are str"),
    (["a", "b"], [["b"], "a"], TypeError, r", y: document 1 is a str.*lists of tok"),
    ("ab", ["a", "b"], ValueError, r"a single str"),
    (["a", "b"], "ab", ValueError, r", y expects.*a single str"),
    ([["a", 1]], ["a"], TypeError, r"document 0, token 1 is 1 \(int\)"),
    (["a"], [["a", None]], TypeError, r", y: document 0, token 1 is None"),
    (["a", None], ["a", "b"], ValueError, r": document 1 is missing \(None\)"),
    (["a", "b"], ["a", np.nan], ValueError, r", y: document 1 is missing \(nan\)"),
    (["a"], [b"a"], TypeError, r", y: document 0 is bytes; decode it"),
    (["a"], np.array([["a"]]), ValueError, r", y expects.*2 dimension"),
    (3, ["a"], TypeError, r"got 3 \(int\)"),
]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("X", "y", "error", "message"), BAD_PAIRS)
@classes
def test_bad_pairs_are_refused(cls, X, y, error, message, method):
    model = small(cls)
    with pytest.raises(error, match=rf"{cls.__name__}.*{message}"):
        getattr(model, method)(X, y)
    assert not hasattr(model, "network_")


@pytest.mark.parametrize("tokenizer", ["word", "bpe", "char"])
@classes
def test_a_target_of_blanks_is_learned_or_refused(cls, tokenizer):
    # Words have no blanks, so that there is nothing left.
    model = small(cls, tokenizer=tokenizer)
    if tokenizer == "word":
        with pytest.raises(ValueError, match=r", y: document 1 is empty"):
            model.fit(["a", "b"], ["a", " \n"])
    else:
        model.fit(["a", "b"], ["a", "  "])


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"tokenizer": "bytes"}, "tokenizer"),
        ({"vocabulary_size": 4}, "vocabulary_size"),
        ({"max_length": 0}, "max_length"),
        ({"dropout": 1.0}, "dropout"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"lr_schedule": "step"}, "lr_schedule"),
        ({"warmup_steps": -1}, "warmup_steps"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
        ({"max_iter": 0}, "max_iter"),
        ({"max_train_time": 0}, "max_train_time"),
        ({"early_stopping": "never"}, "early_stopping"),
        ({"validation_fraction": 1.0}, "validation_fraction"),
        ({"n_averaged_checkpoints": 0}, "n_averaged_checkpoints"),
        ({"beam_size": 0}, "beam_size"),
        ({"length_penalty": -1.0}, "length_penalty"),
        ({"bleu_tokenize": "fr"}, "bleu_tokenize"),
        ({"precision": "float16"}, "precision"),
        ({"device": None}, "device"),
        ({"n_layers": 0}, "n_layers"),
    ],
    ids=repr,
)
@classes
def test_bad_parameters_are_refused(cls, parameters, message):
    with pytest.raises(ValueError, match=rf"'{message}' parameter of {cls.__name__}"):
        small(cls, **parameters).fit(ENGLISH, FRENCH)


@pytest.mark.parametrize(
    "parameters",
    [{"attention": "cosine"}, {"cell": "rnn"}, {"teacher_forcing_ratio": 1.5}],
)
def test_bad_parameters_of_recurrent_networks(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter of Seq2SeqTranslator"):
        small(Seq2SeqTranslator, **parameters).fit(ENGLISH, FRENCH)


@pytest.mark.parametrize(("model_size", "n_heads"), [(8, 3), (9, 3), (10, 4)])
def test_heads_that_do_not_fit(model_size, n_heads):
    model = small(TransformerTranslator, model_size=model_size, n_heads=n_heads)
    message = (
        f"TransformerTranslator: model_size={model_size} is odd, or n_heads={n_heads} "
        "does not divide it"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        model.fit(ENGLISH, FRENCH)


@pytest.mark.parametrize("tokenizer", ["bpe", "word", "char"])
@classes
def test_a_vocabulary_without_a_limit(cls, tokenizer):
    model = small(cls, vocabulary_size=None, tokenizer=tokenizer)
    if tokenizer == "bpe":  # which would never end
        with pytest.raises(ValueError, match=r"vocabulary_size=None.*bpe"):
            model.fit(ENGLISH, FRENCH)
    else:
        model.fit(ENGLISH, FRENCH)


@classes
def test_a_vocabulary_smaller_than_bytes(cls):
    # Byte pairs begin with 256 bytes and the special ids.
    model = small(cls, tokenizer="bpe", vocabulary_size=259)
    with pytest.raises(ValueError, match=r"vocabulary_size=259.*260"):
        model.fit(ENGLISH, FRENCH)
    model.set_params(vocabulary_size=260).fit(ENGLISH, FRENCH)
    assert len(model.source_vocabulary_) == 260


@classes
def test_half_a_surrogate_pair(cls):
    # It is no character, and has no bytes.
    model = small(cls, tokenizer="bpe").fit(ENGLISH, FRENCH)
    message = rf"{cls.__name__}.*: document 1 "
    for call in (
        lambda: model.predict(["a", "b \ud800"]),
        lambda: model.log_likelihood(["a", "b \ud800"], ["a", "b"]),
        lambda: model.log_likelihood(["a", "b"], ["a", "b \ud800"]),
        lambda: model.fit(["a", "b \ud800"], ["a", "b"]),
        lambda: model.fit(["a", "b"], ["a", "b \ud800"]),
    ):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize(
    ("X", "y"), [(TOKENS, FRENCH), (ENGLISH, TOKENS)], ids=["X", "y"]
)
@pytest.mark.parametrize("method", METHODS)
@classes
def test_going_on_with_the_other_kind_is_refused(cls, method, X, y):
    model = small(cls, warm_start=True).fit(ENGLISH, FRENCH)
    what = "X" if X is TOKENS else "y"
    message = rf"{cls.__name__}: {what} has lists of tokens; in fit it had text"
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(X, y)
    assert model.predict(ENGLISH).shape == (20,)


@classes
def test_a_fit_from_the_start_takes_another_kind(cls):
    model = small(cls).fit(ENGLISH, FRENCH)
    model.fit(TOKENS, TOKENS)
    assert model.predict(TOKENS).shape == (20,)


# Afterwards


def test_another_kind_than_in_fit_is_refused(fitted, fitted_to_tokens):
    name = type(fitted).__name__
    with pytest.raises(ValueError, match=rf"{name}: X has lists of tokens; in fit it "):
        fitted.predict(TOKENS)
    name = type(fitted_to_tokens).__name__
    with pytest.raises(ValueError, match=rf"{name}: X has text; in fit it had lists"):
        fitted_to_tokens.predict(ENGLISH)


@pytest.mark.parametrize("method", PAIR_METHODS)
def test_bad_pairs_are_refused_afterwards(fitted, method):
    call, name = getattr(fitted, method), type(fitted).__name__
    with pytest.raises(ValueError, match=rf"{name}: y has lists of tokens; in fit"):
        call(ENGLISH, TOKENS)
    with pytest.raises(ValueError, match=rf"{name}: X has lists of tokens; in fit"):
        call(TOKENS, FRENCH)
    with pytest.raises(TypeError, match=rf"{name}, y: document 1 is a list"):
        call(ENGLISH, [FRENCH[0], ["a"]])
    if method != "score":
        message = rf"{name}: X has 20 document\(s\), and y has 1; expected one target"
    else:
        message = "y_true has 1 items and y_pred 20"
    with pytest.raises(ValueError, match=message):
        call(ENGLISH, FRENCH[:1])


@pytest.mark.parametrize("n_best", [0, 3, -1, 1.0, "1", True])
def test_n_best_is_at_most_the_beam(fitted, n_best):
    with pytest.raises(ValueError, match=rf"n_best={n_best!r}; expected None or an"):
        fitted.predict(ENGLISH, n_best=n_best)


@pytest.mark.parametrize("method", ["predict", *PAIR_METHODS, "save"])
@classes
def test_what_is_not_fitted_says_so(cls, method, tmp_path):
    arguments = {"predict": [ENGLISH], "save": [tmp_path / "model"]}
    with pytest.raises(NotFittedError, match=cls.__name__):
        getattr(small(cls), method)(*arguments.get(method, [ENGLISH, FRENCH]))
    assert list(tmp_path.iterdir()) == []


@classes
def test_attention_weights_of_what_is_not_fitted(cls):
    with pytest.raises(NotFittedError, match=cls.__name__):
        small(cls).attention_weights(ENGLISH)


# Too long

LONG = [list("abcdefgh"), ["a", "b"], ["c", "d"]]


@classes
def test_long_pairs_are_left_out_with_a_warning(cls):
    X, y = LONG, [*LONG[1:], LONG[0]]
    model = small(cls, max_length=4)
    message = (
        rf"{cls.__name__}: 2 pair\(s\) are left out.*max_length=4; the first is "
        "document 0, with 8"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        model.fit(X, y)
    ours = [w for w in caught if "are left out" in str(w.message)]
    assert [w.filename for w in ours] == [__file__]
    # Vocabularies are learned from all of them.
    assert len(model.source_vocabulary_) == 4 + 8


@pytest.mark.parametrize("n_tokens", [4, 5])
@classes
def test_max_length_is_the_longest_that_stays(cls, n_tokens):
    model = small(cls, max_length=n_tokens)
    X = [["a"] * n_tokens] * 3
    model.fit(X, X)
    with pytest.raises(ValueError, match=r"all pairs have more tokens than max_length"):
        model.set_params(max_length=n_tokens - 1).fit(X, X)


@classes
def test_all_pairs_too_long_is_an_error(cls):
    model = small(cls, max_length=1)
    message = (
        rf"{cls.__name__}: all pairs have more tokens than max_length=1; the first has "
        "8. Raise max_length"
    )
    with pytest.raises(ValueError, match=message):
        model.fit(LONG, LONG)


@classes
def test_long_sources_are_cut_with_a_warning(cls):
    model = small(cls, max_length=4).fit(LONG[1:], LONG[1:])
    message = (
        rf"{cls.__name__}: 1 document\(s\) have more tokens than max_length=4 and were "
        "truncated; the first is document 1, with 8"
    )
    with pytest.warns(UserWarning, match=message) as caught:
        found = model.predict([LONG[1], LONG[0]])
    assert {w.filename for w in caught} == {__file__}  # translations are cut, too
    assert_array_equal(found[1:], model.predict([LONG[0][:4]]))
    with pytest.warns(UserWarning, match=message) as caught:
        scores = model.log_likelihood([LONG[1], LONG[0]], LONG[1:])
    assert [w.filename for w in caught] == [__file__]
    cut = model.log_likelihood([LONG[1], LONG[0][:4]], LONG[1:])
    assert_array_equal(scores, cut)
    with pytest.warns(UserWarning, match=message):
        model.score([LONG[1], LONG[0]], LONG[1:])
    with pytest.warns(UserWarning, match=message) as caught:
        weights = model.attention_weights([LONG[1], LONG[0]], LONG[1:])
    assert len(caught) == 1
    assert [w.shape[1] for w in weights] == [3, 5]


@pytest.mark.parametrize("method", ["log_likelihood", "attention_weights"])
@classes
def test_long_targets_are_refused(cls, method):
    # Cut, they would be other targets.
    model = small(cls, max_length=2).fit(LONG[1:], LONG[1:])
    message = rf"{cls.__name__}, y: document 1 has 8 tokens, more than max_length=2"
    with pytest.raises(ValueError, match=message):
        getattr(model, method)(LONG[1:], [LONG[1], LONG[0]])
    # Of references, length is no matter.
    assert 0 <= model.score(LONG[1:], LONG[:2]) <= 1


@classes
def test_a_larger_max_length_after_fit(cls):
    model = small(cls, max_length=2).fit(LONG[1:], LONG[1:])
    model.set_params(max_length=30)
    assert model.predict(LONG[:1]).shape == (1,)


def test_a_larger_max_length_than_learned_positions():
    model = small(TransformerTranslator, max_length=2, positions="learned")
    model.fit(LONG[1:], LONG[1:]).set_params(max_length=30)
    with pytest.raises(ValueError, match=r"max_length"):
        model.predict([["a"] * 30])


# Devices


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize("device", ["cuda", "cuda:1"])
@classes
def test_a_device_that_is_not_there(cls, device):
    message = rf"{cls.__name__}: device='{device}' cannot be used here: .*device='auto'"
    with pytest.raises(ValueError, match=message):
        small(cls, device=device).fit(ENGLISH, FRENCH)
    model = small(cls).fit(ENGLISH, FRENCH)
    with pytest.raises(ValueError, match=message):
        model.set_params(device=device).predict(ENGLISH)


@pytest.mark.parametrize("device", ["gpu", "", "cpu:x", "meta"])
@classes
def test_a_device_that_is_none(cls, device):
    message = rf"{cls.__name__}: device='{device}' cannot be used here: .*device='auto'"
    with pytest.raises(ValueError, match=message):
        small(cls, device=device).fit(ENGLISH, FRENCH)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@classes
def test_the_automatic_device(cls):
    model = small(cls, device="auto", precision="auto").fit(ENGLISH, FRENCH)
    devices = {p.device.type for p in model.network_.parameters()}
    assert devices == {"mps" if torch.backends.mps.is_available() else "cpu"}


@classes
def test_half_precision_is_close(cls):
    curves = [
        small(cls, precision=precision).fit(ENGLISH, FRENCH).loss_curve_
        for precision in ("float32", "bfloat16")
    ]
    assert not np.array_equal(*curves)
    np.testing.assert_allclose(*curves, rtol=0.02)


# Packages that are missing


@pytest.mark.parametrize(
    ("package", "tokenizer"), [("torch", "word"), ("tokenizers", "bpe")]
)
@classes
def test_missing_packages_are_named(cls, package, tokenizer, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    model = small(cls, tokenizer=tokenizer)  # which needs no package
    repr(model)
    message = rf"{cls.__name__} needs the package '{package}'.*skml\[neural\]"
    for method in METHODS:
        with pytest.raises(ImportError, match=message):
            getattr(model, method)(ENGLISH, FRENCH)


@classes
def test_words_need_no_tokenizers(cls, monkeypatch):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    small(cls, tokenizer="word").fit(ENGLISH, FRENCH)
    small(cls).fit(TOKENS, TOKENS)
