"""Answers are found in contexts, at the right places."""

import pickle
import re
import unicodedata
from functools import cache
from itertools import product
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone, is_classifier
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV
from tokenizers import (
    BertWordPieceTokenizer,
    ByteLevelBPETokenizer,
    SentencePieceUnigramTokenizer,
    Tokenizer,
)
from tokenizers.pre_tokenizers import (
    ByteLevel,
    Digits,
    Punctuation,
    Sequence,
    Whitespace,
)
from tokenizers.processors import BertProcessing, RobertaProcessing
from transformers import (
    AutoModelForQuestionAnswering,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    RobertaConfig,
    RobertaModel,
    RobertaTokenizer,
)

from skml.metrics import (
    answer_exact_match_score,
    answer_exact_match_scorer,
    answer_f1_score,
)
from skml.neural import BertQuestionAnswerer
from skml.neural._bert_answers import (
    NOWHERE,
    AnswerTargets,
    best_of_window,
    best_spans,
    cut_contexts,
    cut_questions,
    find_answer,
    find_tokens,
    widen,
)
from skml.neural._bert_text import SubwordTokenizer
from tests.neural.bert.cases import with_networks
from tests.neural.bert.models import SENTENCES, SMALL, learn_byte_pairs, tiny_model

QUICK = {**SMALL, "max_question_length": 16, "max_answer_length": 12}
BY_HEART = {**QUICK, "max_iter": 40, "dropout": 0.0}
NFD_CAFE = "cafe\u0301"
PAIRS = [
    ("Who sleeps?", "The cat sleeps on the warm mat."),
    ("Where does it sleep?", "The cat sleeps on the warm mat."),
    ("谁在睡觉？", "这只猫在温暖的花园里睡觉。"),
    ("猫在哪里睡觉？", "这只猫在温暖的花园里睡觉。"),
    ("What is cute?", "我🐼和👩‍💻在 Paris, 🦊 is cute ❤️!"),
    ("Where?", "Anna drinks tea in the CAFÉ; I in the " + NFD_CAFE + "."),
    ("Where am I?", "Anna drinks tea in the CAFÉ; I in the " + NFD_CAFE + "."),
    ("How many?", "Paris has 2 million people, and Berlin 3 million people."),
]
ANSWERS = [
    "The cat",
    "on the warm mat",
    "这只猫",
    ("温暖的花园里", 4),
    "🦊",
    {"text": ["in the CAFÉ", "CAFÉ"], "answer_start": [16, 23]},
    NFD_CAFE,
    {"text": "3 million people", "answer_start": 39},
]
TEXTS = [
    "The cat",
    "on the warm mat",
    "这只猫",
    "温暖的花园里",
    "🦊",
    "in the CAFÉ",
    NFD_CAFE,
    "3 million people",
]
LONG = " ".join(f"{n} dogs play in the garden." for n in range(40))


def small(**parameters):
    """One that is soon fitted, and has learned next to nothing."""
    return BertQuestionAnswerer(tiny_model(n_layers=1), **{**QUICK, **parameters})


@pytest.fixture(scope="module")
def fitted():
    """One that knows the pairs by heart; do not change it."""
    return BertQuestionAnswerer(tiny_model(), **BY_HEART).fit(PAIRS, ANSWERS)


@pytest.fixture(scope="module")
def sometimes():
    """One that learned from pairs without an answer, too; do not change it."""
    others = [(question, PAIRS[-i - 1][1]) for i, (question, _) in enumerate(PAIRS[:3])]
    model = small(no_answer_threshold=0, max_iter=40, dropout=0.0)
    return model.fit(PAIRS + others, [*ANSWERS, None, "", np.nan])


def logits_of(model, X):
    """The documents, their windows, and the logits of each window."""
    documents, windows = model._windows(X)
    found = [None] * len(windows)
    for rows, logits in model._logits(windows):
        for row, of_window in zip(rows, logits, strict=True):
            found[row] = of_window[:, : len(windows.ids[row])]
    return documents, windows, found


def of_pieces(windows):
    """Of each window, of which text its pieces are, and where in the context."""
    return windows.details["sequence_ids"], windows.details["spans"]


def slow_answers(model, X):
    """All answers of each pair with their scores, the best first; and that of none."""
    documents, windows, logits = logits_of(model, X)
    texts, none = [{} for _ in documents], [np.inf for _ in documents]
    for document, of_text, spans, (start, end) in zip(
        windows.documents, *of_pieces(windows), logits, strict=True
    ):
        context = documents[document][1]
        pieces = np.flatnonzero(of_text == 1)
        for first, last in product(pieces, pieces):
            if first <= last < first + model.max_answer_length:
                a, b = spans[first][0], spans[last][1]
                while unicodedata.category(context[b : b + 1] or " ").startswith("M"):
                    b += 1
                score = start[first] + end[last]
                texts[document].setdefault(context[a:b], []).append(score)
        none[document] = min(none[document], start[0] + end[0])
    best = [{text: max(s) for text, s in found.items()} for found in texts]
    ranked = [sorted(b, key=b.get, reverse=True) for b in best]
    return ranked, best, none


# It learns


def test_pairs_are_learned_by_heart(fitted):
    assert_array_equal(fitted.predict(PAIRS), TEXTS)
    assert fitted.score(PAIRS, ANSWERS) == 1.0
    assert answer_exact_match_scorer(fitted, PAIRS, ANSWERS) == 1.0
    assert fitted.loss_curve_[-1] < 0.1 < fitted.loss_curve_[0]
    assert fitted.newly_initialized_ == ["qa_outputs.bias", "qa_outputs.weight"]
    assert not is_classifier(fitted)


def test_spans_are_places_in_contexts(fitted):
    spans = fitted.predict_spans(PAIRS)
    assert (spans.shape, spans.dtype) == ((8, 2), np.intp)
    assert_array_equal(
        [c[a:b] for (_, c), (a, b) in zip(PAIRS, spans, strict=True)], TEXTS
    )
    assert spans[3].tolist() == [4, 10]
    assert spans[7].tolist() == [39, 55]  # not the first million


def test_score_takes_several_right_answers(fitted):
    y = [["nothing", text] for text in TEXTS[:4]] + TEXTS[4:7] + [None]
    assert fitted.score(PAIRS, y) == 7 / 8
    assert fitted.score(PAIRS, y, sample_weight=[1] * 7 + [0]) == 1.0
    y = ["cat naps", *TEXTS[1:]]
    assert fitted.score(PAIRS, y) == answer_f1_score(y, TEXTS)
    assert fitted.score(PAIRS, y) == pytest.approx(1 - 1 / 24)
    assert answer_exact_match_scorer(fitted, PAIRS, y) == 7 / 8


def test_answers_in_long_contexts_are_learned_by_heart():
    fill = "a dog and a cat play in the garden. " * 12
    context = f"{fill}the computer learns from the data. {fill}这只猫在睡觉。 {fill}"
    pairs = [("Who learns?", context), ("谁在睡觉？", context), ("Who?", fill)]
    answers = ["the computer", "这只猫", ("a cat", fill.rindex("a cat"))]
    model = small(max_iter=40, dropout=0.0, learning_rate=0.01)
    model.fit(pairs, answers)
    _, windows = model._windows(pairs)
    assert np.bincount(windows.documents).min() > 3
    assert_array_equal(model.predict(pairs), ["the computer", "这只猫", "a cat"])
    starts = [context.index("the computer"), context.index("这"), answers[2][1]]
    assert_array_equal(model.predict_spans(pairs)[:, 0], starts)


def test_a_byte_level_model_learns_by_heart():
    model = BertQuestionAnswerer(
        tiny_roberta(),
        **{**BY_HEART, "max_question_length": 50, "max_answer_length": 20},
    )
    model.fit(PAIRS, ANSWERS)
    assert_array_equal(model.predict(PAIRS), TEXTS)


@cache
def tiny_roberta():
    folder = TemporaryDirectory()
    _KEPT.append(folder)
    vocabulary, merges = learn_byte_pairs(SENTENCES, 400)
    tokenizer = RobertaTokenizer(
        vocab=vocabulary, merges=merges, model_max_length=120, add_prefix_space=False
    )
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=122,
        type_vocab_size=1,
        initializer_range=0.2,
    )
    RobertaModel(config).save_pretrained(folder.name)
    tokenizer.save_pretrained(folder.name)
    return folder.name


_KEPT = []


def test_a_model_with_another_head(tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(tiny_model())
    config = BertConfig.from_pretrained(tiny_model(), num_labels=3)
    BertForSequenceClassification(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    model = BertQuestionAnswerer(tmp_path, **QUICK).fit(PAIRS, ANSWERS)
    assert model.estimators_[0].config.num_labels == 2
    assert model.newly_initialized_ == ["qa_outputs.bias", "qa_outputs.weight"]
    assert model.predict(PAIRS).shape == (8,)


# What transformers says


def test_logits_are_those_of_transformers(fitted, tmp_path):
    X = [*PAIRS, ("Where do 20 dogs play?", LONG), ("", "the cat")]
    fitted.save_pretrained(tmp_path / "model")
    network = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    inputs = tokenizer(
        *map(list, zip(*X, strict=True)),
        truncation="only_second",
        max_length=64,
        stride=16,
        padding=True,
        return_overflowing_tokens=True,
        return_tensors="pt",
    )
    documents = inputs.pop("overflow_to_sample_mapping")
    with torch.inference_mode():
        outputs = network(**inputs)
    _, windows, logits = logits_of(fitted, X)
    assert_array_equal(windows.documents, documents)
    assert len(windows) > len(X) + 5
    for row, (start, end) in enumerate(logits):
        n = int(inputs["attention_mask"][row].sum())
        assert_array_equal(windows.ids[row], inputs["input_ids"][row, :n])
        assert_allclose(start, outputs.start_logits[row, :n], atol=1e-5)
        assert_allclose(end, outputs.end_logits[row, :n], atol=1e-5)


def test_the_loss_is_that_of_transformers_without_padding(fitted):
    windows = fitted._cut(fitted._fitted.reader, PAIRS)
    spans = np.array(
        [find_answer(a, c, "") for a, (_, c) in zip(ANSWERS, PAIRS, strict=True)]
    )
    spans[0] = -1
    targets = AnswerTargets(spans, 30, "").values_of_windows(windows)
    assert targets[0].tolist() == [0, 0, len(windows.ids[0])]
    weights = torch.arange(1.0, 9.0)
    from skml.neural._torch._windows import make_inputs

    (network,) = fitted.estimators_
    expected = 0.0
    with torch.inference_mode():
        for row, (first, last, _) in enumerate(targets):
            inputs = make_inputs(windows, [row], 0, network)
            places = {"start_positions": first, "end_positions": last}
            places = {name: torch.tensor([i]) for name, i in places.items()}
            expected += float(weights[row] * network(**inputs, **places).loss)
        outputs = network(**make_inputs(windows, range(8), 0, network))
    objective = AnswerTargets(None, 30, "").objective
    loss, n_units = objective(outputs, torch.from_numpy(targets), weights)
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    assert n_units == 36.0


# From characters to pieces, and back

ALPHABET = (
    [*"abcdeiotuxyzABCDEIOTUXYZ0123456789.,;:!?()-'\""]
    + [*"éàüñçøåÉÀÜÑÇßẞİıœŒﬁſΣςσЖжЙй"]
    + ["e\u0301", "a\u0308\u0304", "n\u0303", "o\u0327\u0301", "\u0301", "\u0300\u0300"]
    + [*"猫狗在花园里睡觉我们机器学习㐀𠀋𪚥。，！？（）「」"]
    + [*"ハガかきゃー가한각ขกाकि"]
    + [*"🐼🦊😀", "👩‍💻", "❤️", "👍🏽", "🇫🇷", "☃", "\u200d", "\ufe0f", "𝔘"]
    + [" "] * 20
    + ["\n", "\t", "\r\n", "\u00a0", "\u3000", "\u2009", "\u200b", "\ufeff", "\x00"]
)


@cache
def fuzzed_contexts(n_contexts=500):
    rng = np.random.default_rng(0)
    found = []
    for _ in range(n_contexts):
        chosen = rng.integers(len(ALPHABET), size=rng.integers(0, 90))
        found.append("".join(ALPHABET[i] for i in chosen))
    return found


@cache
def trained_tokenizer(kind):
    """A tokenizer that learned the contexts, as ours loads it."""
    names = ["[CLS]", "[SEP]", "[UNK]"]
    options = {"vocab_size": 1200, "show_progress": False, "special_tokens": names}
    if kind == "lower-cased":
        tokenizer = BertWordPieceTokenizer(lowercase=True)
    elif kind == "cased":
        tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    elif kind == "bytes":
        tokenizer = ByteLevelBPETokenizer()
    else:
        tokenizer = SentencePieceUnigramTokenizer()
        options["unk_token"] = "[UNK]"
    tokenizer.train_from_iterator(fuzzed_contexts(), **options)
    cls, sep = (tokenizer.token_to_id(name) for name in names[:2])
    tokenizer = Tokenizer.from_str(tokenizer._tokenizer.to_str())
    processor = RobertaProcessing if kind == "bytes" else BertProcessing
    tokenizer.post_processor = processor(("[SEP]", sep), ("[CLS]", cls))
    return SubwordTokenizer({"tokenizer.json": tokenizer.to_str()})


KINDS = ["lower-cased", "cased", "bytes", "unigram"]


@cache
def cut_fuzzed(kind):
    pairs = [("谁 sleeps 🐼 é?", context) for context in fuzzed_contexts()]
    return cut_contexts(trained_tokenizer(kind), pairs, max_length=40, overlap=8)


def test_offsets_are_places_of_characters():
    """What a piece spells is what stands there, made small and without accents."""

    def plain(text):
        text = "".join(c for c in text if unicodedata.category(c)[0] != "C")
        text = unicodedata.normalize("NFD", text)
        return "".join(c.lower() for c in text if unicodedata.category(c) != "Mn")

    windows = cut_fuzzed("lower-cased")
    id_to_piece = trained_tokenizer("lower-cased").backend.id_to_token
    assert len(windows) > len(fuzzed_contexts()) + 50
    n_compared = 0
    for row, document in enumerate(windows.documents):
        context = fuzzed_contexts()[document]
        texts, spans = (of_window[row] for of_window in of_pieces(windows))
        for i, (a, b), of_text in zip(windows.ids[row], spans, texts, strict=True):
            piece = id_to_piece(i)
            # The small letter of İ has a dot that NFD does not know as an accent, and
            # two pieces may be of one Korean character.
            is_plain = piece != "[UNK]" and not set("İ각한") & set(context[a:b])
            if of_text == 1 and is_plain:
                assert plain(context[a:b]) == piece.removeprefix("##")
                n_compared += 1
    assert n_compared > 10_000


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_an_answer_map_back_to_it(kind):
    rng = np.random.default_rng(1)
    windows = cut_fuzzed(kind)
    spans = np.full((len(fuzzed_contexts()), 2), -1)
    holds = np.full(len(spans), -1)  # a window that has the answer
    for row in rng.permutation(len(windows)):
        document = windows.documents[row]
        span = draw_span(windows, row, fuzzed_contexts()[document], rng)
        if span is not None:
            spans[document], holds[document] = span, row
    assert (holds >= 0).sum() > 400
    found_in = set()
    for row, (first, last) in enumerate(find_tokens(windows, spans)):
        document, spans_of_row = windows.documents[row], of_pieces(windows)[1][row]
        context = fuzzed_contexts()[document]
        if first == 0:
            assert last == 0
            assert row != holds[document]
        else:
            start, end = spans_of_row[first][0], spans_of_row[last][1]
            assert widen(start, end, context) == tuple(spans[document])
            found_in.add(document)
    assert found_in == set(np.flatnonzero(holds >= 0))


def draw_span(windows, row, context, rng):
    """Where a random run of pieces of the context is, if they begin and end it."""
    offsets = [
        (a, b)
        for of_text, (a, b) in zip(*(d[row] for d in of_pieces(windows)), strict=True)
        if of_text == 1 and context[a:b].strip()
    ]
    if not offsets:
        return None
    first, last = np.sort(rng.integers(len(offsets), size=2))
    start, end = offsets[first][0], offsets[last][1]
    # Two pieces may be of one Korean character, and a mark goes with its letter.
    is_torn = any(a < start < b or a < end < b for a, b in offsets)
    if is_torn or is_mark(context[end : end + 1]):
        return None
    text = context[start:end]
    return start + text.index(text.strip()), start + len(text.rstrip())


def is_mark(character):
    return bool(character) and unicodedata.category(character)[0] == "M"


@pytest.mark.parametrize(
    "part", [Whitespace(), Punctuation(), Digits(individual_digits=True)], ids=str
)
def test_no_first_letter_is_lost(part):
    """A blank is put before each word, and its place is counted as the word's."""
    tokenizer = Tokenizer.from_str(trained_tokenizer("bytes").backend.to_str())
    tokenizer.pre_tokenizer = Sequence([part, ByteLevel(add_prefix_space=True)])
    tokenizer = SubwordTokenizer({"tokenizer.json": tokenizer.to_str()})
    context = 'x"Rome"9(Ana),猫在 5 e\u0301a\u200bb'
    for a, b in [(2, 6), (1, 2), (7, 8), (9, 12), (14, 16), (17, 18)]:
        windows = cut_contexts(
            tokenizer, [("?", context), ("?", "")], max_length=99, overlap=0
        )
        (first, last), none = find_tokens(windows, np.array([(a, b), NOWHERE]))
        assert first > 0
        assert not none.any()
        spans = windows.details["spans"][0]
        assert (spans[first][0], spans[last][1]) == (a, b)
        start, end = np.full((2, len(spans)), -1.0)
        start[first] = end[last] = 1
        (answer,) = best_of_window(start, end, spans, context, 30, 1)
        assert answer == (context[a:b], a, b, 2.0)
    # What the tokenizer drops, and windows that begin within a word, stay as they are.
    of_windows = cut_contexts(
        tokenizer, [("?", "abcdefghij" * 5)], max_length=9, overlap=0
    )
    starts = [spans[spans[:, 1] > 0][0, 0] for spans in of_windows.details["spans"]]
    stops = [spans[spans[:, 1] > 0][-1, 1] for spans in of_windows.details["spans"]]
    assert starts == [0, *stops[:-1]]


@pytest.mark.parametrize("n_best", [None, 4])
def test_answers_of_fuzzed_contexts(fitted, n_best):
    X = [("谁 sleeps 🐼 é?", context) for context in fuzzed_contexts()]
    found = fitted.predict(X, n_best=n_best).reshape(len(X), -1)
    spans = fitted.predict_spans(X)
    for (_, context), texts, (a, b) in zip(X, found, spans, strict=True):
        assert context[a:b] == texts[0]
        assert (a == b == -1) == (texts[0] == "")
        texts = [text for text in texts if text is not None]
        assert len(set(texts)) == len(texts)
        for text in texts:
            assert text in context
            assert text == text.strip()
            end = context.find(text) + len(text)
            assert context.count(text) > 1 or not is_mark(context[end : end + 1])
    assert 0 < (spans[:, 0] == -1).sum() < 50  # of nothing but blanks


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_never_blank(kind):
    rng = np.random.default_rng(0)
    windows = cut_fuzzed(kind)
    n_blank = 0
    for document, texts, spans in zip(
        windows.documents, *of_pieces(windows), strict=True
    ):
        context = fuzzed_contexts()[document]
        n_blank += sum(
            of_text == 1 and not context[a:b].strip()
            for of_text, (a, b) in zip(texts, spans, strict=True)
        )
        start, end = rng.normal(size=(2, len(spans)))
        for text, a, b, _ in best_of_window(start, end, spans, context, 4, 3):
            assert context[a:b] == text == text.strip() != ""
    # Of these tokenizers, some have pieces of blanks alone.
    assert (n_blank > 50) == (kind in {"bytes", "unigram"})


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("a cat sat", 2, 5, "cat"),
        ("a cat sat", 1, 6, "cat"),
        ("le cafe\u0301\u0323 noir", 3, 7, "cafe\u0301\u0323"),
        ("❤️!", 0, 1, "❤️"),
        ("की", 0, 1, "की"),
        ("cafe\u0301", 0, 5, "cafe\u0301"),
    ],
)
def test_widen(text, start, end, expected):
    start, end = widen(start, end, text)
    assert text[start:end] == expected


# Where answers are


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("cat", (2, 5)),
        (np.str_("cat"), (2, 5)),
        (" cat ", (2, 5)),
        ("🐼猫", (10, 12)),
        (("cat", 6), (6, 9)),
        (("cat", np.int64(6)), (6, 9)),
        ({"text": "cat", "answer_start": 6}, (6, 9)),
        ({"text": "cat", "answer_start": [6]}, (6, 9)),
        ({"text": ["cat", "🐼"], "answer_start": [6, 10]}, (6, 9)),
        ({"text": ["", "🐼"], "answer_start": [0, 10]}, (10, 11)),
        (
            {"text": np.array(["cat"], object), "answer_start": np.array([6])},
            (6, 9),
        ),
        (["cat", "🐼"], (2, 5)),
        (("🐼", "cat"), (10, 11)),
        (["", "🐼"], (10, 11)),
        ({"text": [], "answer_start": []}, (-1, -1)),
        ({"text": np.array([]), "answer_start": np.array([])}, (-1, -1)),
        ([], (-1, -1)),
        ((), (-1, -1)),
        ("", (-1, -1)),
        (" \n", (-1, -1)),
        (("", 3), (-1, -1)),
        (None, (-1, -1)),
        (np.nan, (-1, -1)),
        (pd.NA, (-1, -1)),
    ],
    ids=repr,
)
def test_forms_of_answers(answer, expected):
    assert find_answer(answer, "a cat cat 🐼猫", "here") == expected


def test_an_answer_belongs_to_windows_that_have_all_of_it():
    tokenizer = trained_tokenizer("lower-cased")
    context = " ".join("0123456789" * 10)
    pairs = [("x", context), ("x", context)]
    windows = cut_contexts(tokenizer, pairs, max_length=24, overlap=8)
    answer = (30, 45)  # "5 6 7 8 9 0 1 2": eight pieces
    pieces = find_tokens(windows, np.array([answer, (-1, -1)]))
    assert not pieces[windows.documents == 1].any()
    n_whole = 0
    for row in np.flatnonzero(windows.documents == 0):
        offsets = of_pieces(windows)[1][row]  # behind "[CLS] x [SEP]"
        is_whole = offsets[3][0] <= 30 and offsets[-2][1] >= 45
        assert pieces[row].any() == is_whole
        n_whole += is_whole
    assert n_whole == 1


def test_windows_have_all_pieces_of_a_context(fitted):
    _, windows = fitted._windows([("Who?", LONG)])
    (whole,) = fitted._fitted.reader.tokenizer.encode([LONG])
    expected = {span for span in whole.offsets if span != (0, 0)}
    found = set()
    for texts, spans in zip(*of_pieces(windows), strict=True):
        assert len(spans) <= 64
        found |= set(map(tuple, spans[texts == 1].tolist()))
    assert found == expected


def test_windows_change_nothing_where_one_is_enough():
    one = small(max_length=50, window_overlap=0).fit(PAIRS, ANSWERS)
    other = small().fit(PAIRS, ANSWERS)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.predict(PAIRS, n_best=3), other.predict(PAIRS, n_best=3))
    assert_array_equal(one.answer_scores(PAIRS), other.answer_scores(PAIRS))


# The search


@pytest.mark.parametrize("has_ties", [False, True])
@pytest.mark.parametrize("seed", range(20))
def test_the_search_finds_what_a_slow_one_finds(seed, has_ties):
    rng = np.random.default_rng(seed)
    n_pieces, longest = rng.integers(1, 40), rng.integers(1, 50)
    start, end = rng.normal(size=(2, n_pieces)).astype(np.float32)
    if has_ties:
        start, end = np.round(start), np.round(end)
    start[rng.random(n_pieces) < 0.2] = -np.inf
    end[rng.random(n_pieces) < 0.2] = -np.inf
    spans = [
        (-(start[i] + end[j]), i, j)
        for i, j in product(range(n_pieces), repeat=2)
        if i <= j < i + longest and start[i] + end[j] > -np.inf
    ]
    spans.sort()
    for n_best in (1, 2, 7, 100, 2000):
        first, last, scores = best_spans(start, end, longest, n_best)
        found = list(zip(-scores, first, last, strict=True))
        if has_ties:
            assert len(found) >= min(n_best, len(spans))
            assert found == spans[: len(found)]
        else:
            assert found == spans[:n_best]


def test_answers_are_the_best_of_all_windows():
    # Of random weights, so that answers are in all places.
    X = [*PAIRS, ("Where do 20 dogs play?", LONG), ("How many dogs?", LONG[200:])]
    model = small(max_iter=1).fit(PAIRS, ANSWERS)
    ranked, scores, none = slow_answers(model, X)
    found = model.predict(X, n_best=12)
    for row, texts in enumerate(found):
        of_row = [scores[row][text] for text in texts]
        assert_array_equal(of_row, [scores[row][t] for t in ranked[row][:12]])
    best = np.array([scores[row][texts[0]] for row, texts in enumerate(found)])
    assert_allclose(model.answer_scores(X), best - np.array(none), rtol=1e-6)
    assert_array_equal(model.predict(X), found[:, 0])


@pytest.mark.parametrize("n_best", [1, 5])
def test_answers_are_never_in_the_question(fitted, n_best):
    question, context = "Is the cat warm?", "the cat sleeps, the cat"
    windows = fitted._cut(fitted._fitted.reader, [(question, context)])
    texts, spans = (d[0] for d in of_pieces(windows))
    start, end = np.zeros((2, len(spans)), dtype=np.float32)
    start[texts != 1] = end[texts != 1] = 100  # the question, and special pieces
    start[-3] = end[-2] = 1
    found = best_of_window(start, end, spans, context, 12, n_best)
    assert len(found) == n_best
    assert all(answer.score <= 2 for answer in found)
    assert all(context[a:b] == text for text, a, b, _ in found)


def test_answers_have_at_most_so_many_pieces(fitted):
    context = "温暖的花园里睡觉" * 3
    for longest in (1, 2, 5, 12):
        model = pickle.loads(pickle.dumps(fitted)).set_params(max_answer_length=longest)
        texts = model.predict([("猫在哪里睡觉？", context)], n_best=500)[0]
        lengths = {len(text) for text in texts if text is not None}
        assert max(lengths) == longest


def test_other_pairs_change_nothing(fitted):
    X = [*PAIRS, ("Where do 20 dogs play?", LONG)]
    expected = fitted.predict(X, n_best=2)
    assert_array_equal(fitted.predict(X[::-1], n_best=2)[::-1], expected)
    alone = [fitted.predict([pair], n_best=2)[0] for pair in X]
    assert_array_equal(alone, expected)


# No answer


def test_pairs_without_an_answer(sometimes):
    others = [(question, PAIRS[-i - 1][1]) for i, (question, _) in enumerate(PAIRS[:3])]
    assert_array_equal(sometimes.predict(PAIRS), TEXTS)
    assert_array_equal(sometimes.predict(others), ["", "", ""])
    assert_array_equal(sometimes.predict_spans(others), np.full((3, 2), -1))
    assert sometimes.score(PAIRS + others, [*ANSWERS, None, "", np.nan]) == 1.0
    assert (
        sometimes.answer_scores(PAIRS).min() > 0 > sometimes.answer_scores(others).max()
    )


def test_the_threshold(sometimes):
    X = [*PAIRS, *((q, PAIRS[-i - 1][1]) for i, (q, _) in enumerate(PAIRS[:3]))]
    scores = sometimes.answer_scores(X)
    model = pickle.loads(pickle.dumps(sometimes))
    for threshold in (-1e6, -5.5, 0.0, 3.25, 1e6):
        model.set_params(no_answer_threshold=threshold)
        assert_array_equal(model.predict(X) == "", -scores > threshold)
        assert_array_equal(model.answer_scores(X), scores)
    always = model.set_params(no_answer_threshold=None).predict(X)
    assert_array_equal(always, model.set_params(no_answer_threshold=1e6).predict(X))
    assert (always != "").all()


def test_no_answer_has_its_rank(sometimes):
    model = pickle.loads(pickle.dumps(sometimes)).set_params(no_answer_threshold=None)
    answers = model.predict(PAIRS, n_best=5)
    _, scores, none = slow_answers(model, PAIRS)
    median = np.median(model.answer_scores(PAIRS))
    n_behind = 0
    for threshold in (-1e6, -median, 2 - median, 1e6):
        model.set_params(no_answer_threshold=threshold)
        for row, texts in enumerate(model.predict(PAIRS, n_best=5)):
            above = sum(s >= none[row] - threshold for s in scores[row].values())
            expected = [*answers[row][:above], "", *answers[row][above:]]
            assert texts.tolist() == expected[:5]
            n_behind += 0 < above < 5
    assert n_behind > 0


def test_no_window_must_have_an_answer():
    model = small(max_iter=1).fit(PAIRS, ANSWERS)
    X = [("How many dogs?", LONG)]
    _, _, logits = logits_of(model, X)
    none = [start[0] + end[0] for start, end in logits]
    assert len(set(none)) > 5
    best = model.predict(X)[0]
    _, scores, _ = slow_answers(model, X)
    expected = scores[0][best] - min(none)
    assert model.answer_scores(X)[0] == pytest.approx(expected, rel=1e-6)


def test_contexts_without_a_piece(fitted):
    X = [("Who?", ""), ("", ""), ("Who?", " \n\u3000")]
    assert_array_equal(fitted.predict(X), ["", "", ""])
    assert_array_equal(fitted.predict(X, n_best=2), [["", None]] * 3)
    assert_array_equal(fitted.predict_spans(X), np.full((3, 2), -1))
    assert_array_equal(fitted.answer_scores(X), [-np.inf] * 3)


def test_they_may_be_learned_from():
    X = [*PAIRS, ("Who?", "")]
    model = small(no_answer_threshold=-3).fit(X, [*ANSWERS, None])
    assert model.predict(X)[-1] == ""
    assert model.predict(X, n_best=3)[-1].tolist() == ["", None, None]


# What comes in, what comes out


def test_shapes(fitted):
    found = fitted.predict(PAIRS)
    assert (found.shape, found.dtype) == ((8,), object)
    assert {type(text) for text in found} == {str}
    table = fitted.predict(PAIRS, n_best=3)
    assert (table.shape, table.dtype) == ((8, 3), object)
    assert_array_equal(table[:, 0], found)
    assert fitted.answer_scores(PAIRS).shape == (8,)
    assert fitted.answer_scores(PAIRS).dtype == np.float64
    few = fitted.predict([("Who?", "猫 狗")], n_best=5)[0].tolist()
    assert sorted(few[:3]) == ["狗", "猫", "猫 狗"]
    assert few[3:] == [None, None]


def test_no_pairs(fitted):
    assert fitted.predict([]).shape == (0,)
    assert fitted.predict([], n_best=2).shape == (0, 2)
    assert fitted.predict_spans([]).shape == (0, 2)
    assert fitted.answer_scores([]).shape == (0,)


def test_containers_are_equal(fitted):
    frame = pd.DataFrame(PAIRS, columns=["question", "context"], index=range(5, 13))
    series = pd.Series(PAIRS)
    for X in (tuple(PAIRS), np.array(PAIRS), frame, iter(PAIRS), series.to_numpy()):
        assert_array_equal(fitted.predict(X), TEXTS)
    one = small().fit(PAIRS, ANSWERS)
    y = np.empty(8, dtype=object)
    y[:] = ANSWERS
    for other in (pd.Series(ANSWERS, index=range(5, 13)), y, iter(ANSWERS)):
        assert_array_equal(small().fit(frame, other).loss_curve_, one.loss_curve_)


def test_weights():
    one = small().fit(PAIRS, ANSWERS, sample_weight=[2.0] * 7 + [0.0])
    other = small().fit(PAIRS[:-1], ANSWERS[:-1])
    assert_allclose(one.loss_curve_, other.loss_curve_, rtol=1e-5)
    weights = [5.0] + [1.0] * 7
    weighted = small().fit(PAIRS, ANSWERS, sample_weight=weights)
    plain = small().fit(PAIRS, ANSWERS)
    assert not np.array_equal(weighted.loss_curve_, plain.loss_curve_)


def test_windows_of_a_pair_share_its_weight():
    model = small(max_iter=1, batch_size=100, dropout=0.0)
    X, y = [*PAIRS, ("Which are the last?", LONG)], [*ANSWERS, "39 dogs"]
    model.fit(X, y)
    _, windows = model._windows(X)
    n_windows = np.bincount(windows.documents)
    assert n_windows.tolist()[:8] == [1] * 8
    targets = AnswerTargets(None, 30, "")
    weights = targets.weights_of_windows(windows, None, np.ones(9))
    assert_allclose(np.bincount(windows.documents, weights), np.ones(9))


def test_early_stopping():
    model = small(early_stopping=True, validation_fraction=0.25, max_iter=5)
    model.fit(PAIRS, ANSWERS)
    assert len(model.validation_loss_curve_) == model.n_iter_ <= 5


# Long questions


@pytest.mark.parametrize("kind", KINDS)
def test_long_questions_are_cut(kind):
    tokenizer = trained_tokenizer(kind)
    questions = [context for context in fuzzed_contexts() if context.strip()][:300]
    pairs = [(question, "a context") for question in questions]
    found, n_cut = cut_questions(tokenizer, pairs, 10)
    assert 100 < n_cut < 300
    n_changed = 0
    for question, (cut, context) in zip(questions, found, strict=True):
        length = len(tokenizer.backend.encode(question, add_special_tokens=False))
        assert context == "a context"
        assert question.startswith(cut)
        assert len(tokenizer.backend.encode(cut, add_special_tokens=False)) <= 10
        assert (cut != question) == (length > 10)
        n_changed += cut != question
    assert n_changed == n_cut


def test_long_questions_are_told(fitted):
    long = " ".join(["who"] * 30)
    message = (
        r"BertQuestionAnswerer: 2 question\(s\) have more tokens than max_quest.*=16"
    )
    X = [(long, "the cat"), (long + "?", "the cat"), ("who", "the cat")]
    with pytest.warns(UserWarning, match=message):
        found = fitted.predict(X)
    assert found[0] == found[1]
    with pytest.warns(UserWarning, match=message.replace("2 q", "1 q")):
        small().fit([(long, "the cat"), ("who", "the cat")], ["cat", "the"])


def test_what_cannot_be_learned_is_told_once():
    context = " ".join("0123456789" * 20)
    X, y = [*PAIRS, ("Which?", context)], [*ANSWERS, context[:120]]
    message = r"1 answer\(s\) are in no window as a whole, and are learned as if"
    with pytest.warns(UserWarning, match=message) as told:
        small(n_estimators=2, max_iter=1).fit(X, y)
    assert sum(bool(re.search(message, str(w.message))) for w in told) == 1
    with pytest.warns(UserWarning, match=message):
        small(max_iter=1).fit([*PAIRS, ("Which?", "a \u200b b")], [*ANSWERS, "\u200b"])


def test_what_will_not_be_predicted_is_told_once():
    message = r"2 answer\(s\) have more tokens than max_answer_length=6, up to 8,"
    with pytest.warns(UserWarning, match=message) as told:
        small(n_estimators=2, max_iter=1, max_answer_length=6).fit(
            PAIRS[:4], ["The cat", "on the warm mat", "这只猫在温暖的花", "睡觉"]
        )
    assert len(told) == 1


# Errors


CONTEXT = "the cat sat on the 猫"
BAD_ANSWERS = [
    ("dog", ValueError, r"the answer 'dog' is not in the context 'the cat sat"),
    ("Cat", ValueError, r"the answer 'Cat' is not in the context"),
    (["dog", "cat"], ValueError, r"the answer 'dog' is not in the context"),
    (("cat", 5), ValueError, r"'cat' should begin at character 5.*where 'at ' stands"),
    (("cat", 99), ValueError, r"'cat' should begin at character 99.*where '' stands"),
    (("猫", -1), ValueError, r"'猫' should begin at character -1.*where '' stands"),
    ({"text": "cat"}, ValueError, r"the dict has no 'answer_start'; its keys are \['t"),
    ({"answer_start": 4}, ValueError, r"the dict has no 'text'; its keys are"),
    (
        {"text": ["cat"], "answer_start": [4, 5]},
        ValueError,
        r"expected as many starts as texts; got the texts \['cat'\] and the starts",
    ),
    ({"text": ["cat"], "answer_start": 4}, ValueError, r"as many starts as texts"),
    ({"text": None, "answer_start": 4}, ValueError, r"as many starts as texts"),
    ({"text": ["cat"], "answer_start": ["4"]}, TypeError, r"an int as the start.*'4'"),
    ({"text": ["cat"], "answer_start": [True]}, TypeError, r"an int as the start"),
    (
        {"text": [3], "answer_start": [4]},
        TypeError,
        r"a str as the text.*got 3 \(int\)",
    ),
    (("cat", 4.0), TypeError, r"a str as the text of the answer; got 4.0 \(float\)"),
    (3, TypeError, r"expected a str, a tuple \(text, start\).*got 3 \(int\)"),
    (b"cat", TypeError, r"expected a str, a tuple.*got b'cat' \(bytes\)"),
]


@pytest.mark.parametrize(("answer", "error", "message"), BAD_ANSWERS)
def test_bad_answers_are_refused(answer, error, message):
    model = small()
    weights = [1.0, 0.0, 1.0]  # what is left out is counted
    with pytest.raises(error, match=f"BertQuestionAnswerer: document 2: .*{message}"):
        model.fit([("Who?", CONTEXT)] * 3, ["cat", "cat", answer], weights)
    assert not hasattr(model, "estimators_")
    model.fit([("Who?", CONTEXT)] * 3, ["cat", "cat", answer], [1.0, 1.0, 0.0])


BAD_DATA = [
    (
        ["a", "b"],
        ["a", "b"],
        ValueError,
        r"document 0 of X is one of text; expected pai",
    ),
    ([["a", "b"]], ["a"], ValueError, r"document 0 of X is one of lists of tokens"),
    ([], [], ValueError, r"X is empty; at least one document is needed"),
    (PAIRS, TEXTS[:-1], ValueError, r"X has 8 document\(s\), and y has 7"),
    (PAIRS, None, ValueError, r"requires y to be passed, but the target y is None"),
    (
        [("a", None)],
        ["a"],
        ValueError,
        r"document 0: the second text of the pair is missing",
    ),
    ([(3, "a")], ["a"], TypeError, r"document 0: the first text of the pair is 3"),
    ([("a", "\ud800")], ["a"], ValueError, r"half of a surrogate pair"),
    (PAIRS[:1], "c", TypeError, r"y is 'c' \(str\); expected a list with an answer"),
    (PAIRS[:1], {"text": []}, TypeError, r"y is {'text': \[\]} \(dict\)"),
    (PAIRS[:1], {"a"}, TypeError, r"y is {'a'} \(set\)"),
    (PAIRS[:1], 3, TypeError, r"y is 3 \(int\)"),
    (PAIRS[:1], np.array([["a", "1"]]), ValueError, r"y is a ndarray with 2 dimension"),
    (PAIRS[:1], pd.DataFrame({"a": ["b"]}), ValueError, r"y is a DataFrame with 2 dim"),
]


@pytest.mark.parametrize(("X", "y", "error", "message"), BAD_DATA)
def test_bad_data_is_refused(X, y, error, message):
    model = small()
    with pytest.raises(error, match=f"BertQuestionAnswerer.*{message}"):
        model.fit(X, y)
    assert not hasattr(model, "estimators_")


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_question_length": 0},
        {"max_answer_length": 0},
        {"max_answer_length": 2.0},
        {"no_answer_threshold": np.inf},
        {"no_answer_threshold": "0"},
        {"window_overlap": -1},
        {"max_length": 7},
        {"n_estimators": 0},
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(parameters):
    (name,) = parameters
    with pytest.raises(ValueError, match=f"'{name}' parameter of BertQuestionAnswerer"):
        small(**parameters).fit(PAIRS, ANSWERS)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            {"max_question_length": 64},
            "a window of 64 tokens, 3 of which are special, has no room for a question "
            "of max_question_length=64 and an answer of max_answer_length=12",
        ),
        (
            {"max_answer_length": 46},
            "and an answer of max_answer_length=46. Lower these",
        ),
        ({"max_length": 30}, "a window of 30 tokens, 3 of which are special, has no"),
        (
            {"window_overlap": 23},
            "window_overlap=23 is more than half of the 45 tokens of the context that "
            "a window of 64 holds beside a question of max_question_length=16.",
        ),
        ({"max_length": 65}, "max_length=65, and the model takes 64 tokens at most"),
        ({"model": None}, "model=None; pass the folder of a model"),
    ],
    ids=repr,
)
def test_parameters_that_do_not_fit_together(parameters, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        small().set_params(**parameters).fit(PAIRS, ANSWERS)


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_question_length": 49},
        {"max_question_length": 49, "window_overlap": 6},
        {"max_answer_length": 45},
        {"window_overlap": 22},
        {"max_length": 31, "max_question_length": 16},
    ],
    ids=repr,
)
def test_parameters_that_just_fit_together(parameters):
    model = small(max_iter=1).set_params(**parameters)
    X = [("?" * model.max_question_length, LONG)]
    model.fit(X, ["39 dogs"])
    assert model.predict(X)[0] in LONG


def test_parameters_that_no_longer_fit_together(fitted):
    model = pickle.loads(pickle.dumps(fitted)).set_params(max_question_length=60)
    with pytest.raises(ValueError, match=r"has no room for a question of max_ques.*60"):
        model.predict(PAIRS)


@pytest.mark.parametrize("n_best", [0, -1, 1.0, True, "2"])
def test_bad_n_best(fitted, n_best):
    with pytest.raises(ValueError, match=rf"n_best={n_best!r}; expected None or an in"):
        fitted.predict(PAIRS, n_best=n_best)


def test_not_fitted_or_other_documents(fitted):
    for method in ("predict", "predict_spans", "answer_scores"):
        with pytest.raises(NotFittedError):
            getattr(small(), method)(PAIRS)
        with pytest.raises(
            ValueError, match=r"X has text; in fit it had pairs of texts"
        ):
            getattr(fitted, method)(["a", "b"])


# What scikit-learn wants of it


def test_pickle_and_clone(fitted):
    again = pickle.loads(pickle.dumps(fitted))
    assert_array_equal(again.predict(PAIRS, n_best=3), fitted.predict(PAIRS, n_best=3))
    assert_array_equal(again.answer_scores(PAIRS), fitted.answer_scores(PAIRS))
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "estimators_")


@pytest.mark.parametrize("n_estimators", [1, 2])
def test_save_and_load(tmp_path, n_estimators):
    model = small(n_estimators=n_estimators, no_answer_threshold=0.5).fit(
        PAIRS, ANSWERS
    )
    model.save(tmp_path / "model")
    again = BertQuestionAnswerer.load(tmp_path / "model")
    assert again.get_params() == model.get_params()
    X = [*PAIRS, ("Where do 20 dogs play?", LONG)]
    assert_array_equal(again.predict(X, n_best=3), model.predict(X, n_best=3))
    assert_array_equal(again.answer_scores(X), model.answer_scores(X))
    assert_array_equal(again.loss_curve_, model.loss_curve_)


def test_a_saved_model_is_a_model_to_begin_with(fitted, tmp_path):
    fitted.save_pretrained(tmp_path / "model")
    model = BertQuestionAnswerer(tmp_path / "model", **{**QUICK, "max_iter": 1})
    model.set_params(learning_rate=1e-9).fit(PAIRS, ANSWERS)
    assert model.newly_initialized_ == []  # the head is stored
    assert_array_equal(model.predict(PAIRS), TEXTS)


def test_grid_search_in_two_processes():
    search = GridSearchCV(
        small(max_iter=1),
        {"learning_rate": [1e-9, 0.01]},
        scoring=answer_exact_match_scorer,
        cv=2,
    )
    search.fit(PAIRS * 2, ANSWERS * 2)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert 0 <= search.best_score_ <= 1
    found = search.best_estimator_.predict(PAIRS)
    assert 0 <= answer_exact_match_score(ANSWERS, found) <= 1


def test_the_same_seed_gives_the_same_and_global_generators_are_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    one = small(random_state=3).fit(PAIRS, ANSWERS)
    one.predict(PAIRS)
    assert torch.equal(before[0], torch.get_rng_state())
    assert_array_equal(before[1], np.random.get_state()[1])  # noqa: NPY002
    torch.manual_seed(6)
    np.random.seed(6)  # noqa: NPY002
    other = small(random_state=3).fit(PAIRS, ANSWERS)
    assert_array_equal(one.loss_curve_, other.loss_curve_)
    assert_array_equal(one.answer_scores(PAIRS), other.answer_scores(PAIRS))
    other = small(random_state=4).fit(PAIRS, ANSWERS)
    assert not np.array_equal(other.loss_curve_, one.loss_curve_)


def test_logits_of_members_are_averaged():
    X = [*PAIRS, ("Where do 20 dogs play?", LONG)]
    model = small(n_estimators=3).fit(PAIRS, ANSWERS)
    _, _, found = logits_of(model, X)
    alone = []
    for network in model.estimators_:
        alone.append(logits_of(with_networks(model, [network]), X)[2])
    for logits, *others in zip(found, *alone, strict=True):
        assert_allclose(logits, sum(others) / 3, atol=1e-6)
        assert not np.array_equal(others[0], others[1])
    ranked, scores, none = slow_answers(model, X)
    best = [scores[row][texts[0]] for row, texts in enumerate(ranked)]
    assert_allclose(model.answer_scores(X), np.subtract(best, none), rtol=1e-5)
