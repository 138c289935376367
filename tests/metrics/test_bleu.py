"""BLEU: equal to sacrebleu's floating-point numbers, and what it refuses."""

import math
import random
import unicodedata
from threading import Thread

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sacrebleu.metrics import BLEU

from skml.metrics import _ngram_matches
from skml.metrics._bleu import (
    bleu_from_statistics,
    bleu_score,
    bleu_statistics,
    sentence_bleu_score,
)
from skml.metrics._bleu_tokenizers import TOKENIZERS, number_tokens
from tests.oracles import bleu as oracle

SMOOTHINGS = [
    {"smooth_method": "exp"},
    {"smooth_method": "floor"},
    {"smooth_method": "floor", "smooth_value": 0.25},
    {"smooth_method": "add-k"},
    {"smooth_method": "add-k", "smooth_value": 0.5},
    {"smooth_method": "none"},
]
BLANKS = " \t\n\r\v\f\x1c\x1d\x1e\x1f\x85\xa0\u1680\u2000\u2001\u2009\u2028\u202f\u3000"
MARKS = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
BITS = [
    *("<skipped>", "-\n", "&quot;", "&amp;", "&lt;", "&gt;", "&amp;lt;", "&amp", ".."),
    *(
        ".,",
        "1-2",
        "don't",
        "1,000.5",
        "你好",
        "。",
        "，",
        "😀",
        "👩‍👩‍👧",
        "“x”",
        "𠀀",
        "½",
    ),
    *("٣", "Σ", "ß", "—", "…", "§", "€5", "A.B.", "...", "-5", "5-", "\n"),
]
KNOWN = [
    chr(code)
    for code in range(0x30000)
    if unicodedata.category(chr(code)) not in {"Cn", "Cs"}
]
WORDS = [
    *(
        "the",
        "The",
        "a",
        "cat",
        "cats",
        "mat",
        "of",
        "on",
        "is",
        "1.5",
        "3,000",
        "end.",
    ),
    *(
        "well-known",
        "(or",
        "not)",
        "U.S.",
        "你好",
        "世界。",
        "😀",
        "“so”",
        ",",
        "don't",
    ),
]


def make_string(generator):
    kinds = ("abcXYZ01239", ".,-", " ", BLANKS, MARKS, BITS, KNOWN)
    weights = (30, 15, 15, 5, 15, 13, 7)
    length = generator.choice([0, 1, 2, 5, 10, 20, 40])
    chosen = generator.choices(kinds, weights, k=length)
    return "".join(map(generator.choice, chosen))


def perturb(generator, words):
    """Some words are left out, doubled, or others."""
    changed = []
    for word in words:
        chance = generator.random()
        if chance < 0.85:
            changed.append(word)
        elif chance < 0.9:
            changed.append(generator.choice(WORDS))
        elif chance < 0.95:
            changed += [word, word]
    return changed


def make_tokens(n_sentences, n_references=(1, 2, 3, 4), seed=0):
    """Lists of references, and sentences; now and then a sentence is empty."""
    generator = random.Random(seed)
    y_true, y_pred = [], []
    for _ in range(n_sentences):
        words = generator.choices(WORDS, k=generator.choice([0, 1, 2, 3, 4, 8, 12, 20]))
        versions = [
            perturb(generator, words) for _ in range(generator.choice(n_references) + 1)
        ]
        if generator.random() < 0.05:
            versions[0] = []
        y_true.append(versions[1:])
        y_pred.append(versions[0])
    return y_true, y_pred


def make_corpus(n_sentences, n_references=(1, 2, 3, 4), seed=0):
    """The same as strings, with blanks of several kinds around and between words."""
    generator = random.Random(seed)
    y_true, y_pred = make_tokens(n_sentences, n_references, seed)

    def join(words):
        edge = generator.choice(["", "", " ", "\n"])
        return edge + generator.choice(["  ", "\t", *" " * 8]).join(words) + edge

    return [list(map(join, refs)) for refs in y_true], list(map(join, y_pred))


def transposed(y_true):
    """References as sacrebleu wants them: None where a sentence has fewer."""
    most = max(map(len, y_true))
    padded = [[*refs, *[None] * (most - len(refs))] for refs in y_true]
    return [list(stream) for stream in zip(*padded, strict=True)]


def sacrebleu(**options):
    return BLEU(force=True, **options)


def assert_as_sacrebleu(y_true, y_pred, max_order=4, **options):
    """All numbers are the same, to the last bit."""
    ours = bleu_score(
        y_true,
        y_pred,
        multi_reference=True,
        return_stats=True,
        max_order=max_order,
        **options,
    )
    peer = sacrebleu(max_ngram_order=max_order, **options)
    theirs = peer.corpus_score(y_pred, transposed(y_true))
    assert ours.score == min(theirs.score / 100, 1)
    assert ours.precisions.tolist() == [each / 100 for each in theirs.precisions]
    assert ours.brevity_penalty == theirs.bp
    assert ours.hypothesis_length == theirs.sys_len
    assert ours.reference_length == theirs.ref_len
    if options.get("smooth_method") != "add-k":  # sacrebleu's are then smoothed
        assert ours.counts.tolist() == theirs.counts
        assert ours.totals.tolist() == theirs.totals
    if max_order == 4:
        signatures = ours.signature, str(peer.get_signature())
        made, wanted = (each.rpartition("|version:")[0] for each in signatures)
        assert made == wanted
    return ours.score


# Tokenisers


def tokens_of(strings, tokenize):
    ids, lengths, tokens = number_tokens(strings, tokenize)
    ids = iter(ids.tolist())
    return [[tokens[next(ids)] for _ in range(length)] for length in lengths]


@pytest.mark.parametrize("tokenize", TOKENIZERS)
def test_tokens_as_sacrebleu(tokenize):
    generator = random.Random(TOKENIZERS.index(tokenize))
    strings = [make_string(generator) for _ in range(3000)]
    tokenizer = sacrebleu(tokenize=tokenize).tokenizer
    for string, ours in zip(strings, tokens_of(strings, tokenize), strict=True):
        assert ours == tokenizer(string.rstrip()).split(), string


@pytest.mark.parametrize("tokenize", ["13a", "intl", "zh"])
def test_every_character_of_ascii_and_of_chinese_text_as_sacrebleu(tokenize):
    """Between letters, between digits, alone, at both ends of a line."""
    known = [c for c in KNOWN if c < "\u0300" or "\u2000" <= c < "\u3400"]
    sides = [("a", "b"), ("1", "2"), ("a", "2"), ("1", "b"), ("", ""), (" ", " ")]
    sides += [("x ", " y"), ("", "x"), ("x", "")]
    few = [("a", "b"), ("1", "2"), ("", "x")]
    # Arrows, dingbats and their like are more than all others.
    symbols = {c for c in known if c > "\u2100" and unicodedata.category(c)[0] == "S"}
    strings = [f"a{c}2" for c in sorted(symbols)]
    strings += [
        before + c + after
        for c in known
        if c not in symbols
        for before, after in (sides if c < "\u0300" else few)
    ]
    # Where blocks of ideographs end, and the forms for compatibility.
    rows = [("\u4da0", "\u4e10"), ("\u9fa0", "\u9fff"), ("\uf900", "\uffff")]
    strings += [f"a{c}b" for c in KNOWN if any(x <= c <= y for x, y in rows)]
    tokenizer = sacrebleu(tokenize=tokenize).tokenizer
    expected = [tokenizer(string.rstrip()).split() for string in strings]
    assert tokens_of(strings, tokenize) == expected


@pytest.mark.parametrize(
    ("tokenize", "line", "tokens"),
    [
        ("13a", "Hi, it's 3.5 (or 1,000).", "Hi , it's 3.5 ( or 1,000 ) ."),
        ("13a", "A.B. 5- -5 a-b 1990-95", "A . B . 5 - -5 a-b 1990 - 95"),
        ("13a", "a,,b ..5", "a , , b . .5"),
        ("13a", "&quot;a&amp;lt; <skipped>b-\nc\nd", '" a < bc d'),
        ("13a", "“你好”", "“你好”"),
        ("intl", "“你好。” 3.5€ it's", "“ 你好 。 ” 3.5 € it ' s"),
        ("intl", ".5 in 1990.", ".5 in 1990."),
        ("zh", "我用iPhone 3.5。", "我 用 iPhone 3.5 。"),
        # What sacrebleu's table does to a dash, and to a rare ideograph.
        ("zh", "a—b 𠀀𠀀", "a — b 𠀀𠀀"),
        ("char", "a b\u3000你1.", "a b 你 1 ."),
        ("none", " a, b\t(c) ", "a, b (c)"),
    ],
)
def test_tokens_by_hand(tokenize, line, tokens):
    assert tokens_of([line, line], tokenize) == [tokens.split()] * 2


def test_a_callable_makes_tokens():
    texts = ["a-b-c-d-e"], ["a-b-c-d-f"]
    found = bleu_score(*texts, tokenize=lambda line: line.split("-"), return_stats=True)
    assert found.totals.tolist() == [5, 4, 3, 2]
    assert found.counts.tolist() == [4, 3, 2, 1]
    assert "|tok:<lambda>|" in found.signature


@pytest.mark.parametrize(
    ("tokenize", "message"),
    [
        (str.upper, r"for 'a b' it returned 'A B' \(str\)"),
        (len, r"for 'a b' it returned 3 \(int\)"),
        (str.encode, r"returned b'a b' \(bytes\)"),
        (lambda line: ["a", 1], r"for 'a b' the list holds 1 \(int\)"),
        (lambda line: ["a", None], r"the list holds None \(NoneType\)"),
    ],
)
def test_bad_callables(tokenize, message):
    with pytest.raises(TypeError, match=message):
        bleu_score(["a b"], ["a b"], tokenize=tokenize)


# Equal to sacrebleu


@pytest.mark.parametrize("tokenize", TOKENIZERS)
@pytest.mark.parametrize("smoothing", SMOOTHINGS, ids=str)
def test_as_sacrebleu(tokenize, smoothing):
    is_odd = (SMOOTHINGS.index(smoothing) + TOKENIZERS.index(tokenize)) % 2
    for seed, (effective_order, lowercase) in enumerate(
        [(False, is_odd), (True, not is_odd)]
    ):
        options = {
            "tokenize": tokenize,
            "effective_order": effective_order,
            "lowercase": bool(lowercase),
            **smoothing,
        }
        score = assert_as_sacrebleu(*make_corpus(30, seed=seed), **options)
        assert 0.1 < score < 1
        for size, n_references in ((1, (1,)), (2, (3,))):
            for again in range(2):
                corpus = make_corpus(size, n_references, seed=10 * seed + again)
                assert_as_sacrebleu(*corpus, **options)


@pytest.mark.parametrize("max_order", [1, 2, 3, 5, 9])
def test_orders_as_sacrebleu(max_order):
    for options in SMOOTHINGS:
        assert_as_sacrebleu(*make_corpus(30), max_order=max_order, **options)


@pytest.mark.parametrize("smoothing", SMOOTHINGS, ids=str)
@pytest.mark.parametrize("effective_order", [False, True])
def test_sentences_as_sacrebleu(smoothing, effective_order):
    y_true, y_pred = make_corpus(150)
    options = {**smoothing, "effective_order": effective_order}
    scores = sentence_bleu_score(y_true, y_pred, multi_reference=True, **options)
    peer = sacrebleu(**options)
    peer.effective_order = True  # else it warns for each sentence
    for prediction, references, score in zip(y_pred, y_true, scores, strict=True):
        peer.effective_order = effective_order
        row = peer._extract_corpus_statistics([prediction], transposed([references]))
        assert score == min(peer._aggregate_and_compute(row).score / 100, 1)
    assert (scores > 0).sum() > 50


@pytest.mark.parametrize(
    ("y_true", "y_pred"),
    [
        ([[""]], [""]),
        ([["", "a"]], [""]),
        ([["a b"]], [""]),
        ([[""]], ["a b"]),
        ([["a"], ["b"]], ["b", "a"]),
        ([["a b c d"]], ["a b c d"]),
        ([["a b c"]], ["a b c"]),
        ([["a a a"]], ["a a a a a"]),
        # Of two references as close, the shorter one.
        ([["a b", "a b c d", "a"]], ["a b c"]),
    ],
)
def test_corner_cases_as_sacrebleu(y_true, y_pred):
    for options in SMOOTHINGS:
        for effective_order in (False, True):
            assert_as_sacrebleu(
                y_true, y_pred, effective_order=effective_order, **options
            )


# Equal to the plain twin


@pytest.mark.parametrize("block", [1, 50, 1 << 15])
def test_statistics_as_sentence_by_sentence(block, monkeypatch):
    monkeypatch.setattr(_ngram_matches, "_BLOCK", block)
    y_true, y_pred = make_tokens(120)
    for max_order in (1, 4, 6):
        found = bleu_statistics(
            y_true, y_pred, max_order=max_order, multi_reference=True
        )
        assert found.dtype == np.int64
        assert found.tolist() == [
            oracle.statistics(tokens, references, max_order)
            for tokens, references in zip(y_pred, y_true, strict=True)
        ]


def test_n_grams_are_told_apart_whatever_their_numbers(monkeypatch):
    """The way for numbers that leave no room for places in 64 bits."""
    y_true, y_pred = make_tokens(50)
    expected = bleu_statistics(y_true, y_pred, multi_reference=True)
    keys = np.random.default_rng(0).integers(2**20, size=500) << 40
    values, order = _ngram_matches._sort(keys, 2**62)
    assert_array_equal(values, np.sort(keys))
    assert_array_equal(order, np.argsort(keys, kind="stable"))
    sort = _ngram_matches._sort
    monkeypatch.setattr(_ngram_matches, "_sort", lambda keys, n_keys: sort(keys, 2**63))
    found = bleu_statistics(y_true, y_pred, multi_reference=True)
    assert_array_equal(found, expected)


@pytest.mark.parametrize("effective_order", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        *SMOOTHINGS,
        {"weights": [0.4, 0.3, 0.2, 0.1]},
        {"weights": [1, 0, 0, 0]},
        {"weights": [0, 0, 0.5, 0.5], "smooth_method": "none"},
        {"formula": "textbook"},
    ],
    ids=str,
)
def test_scores_as_sentence_by_sentence(options, effective_order):
    y_true, y_pred = make_tokens(150)
    options = {**options, "effective_order": effective_order}
    scores = sentence_bleu_score(y_true, y_pred, multi_reference=True, **options)
    score = bleu_score(y_true, y_pred, multi_reference=True, **options)
    plain = dict(options)
    plain["textbook"] = plain.pop("formula", "") == "textbook"
    rows = bleu_statistics(y_true, y_pred, multi_reference=True).tolist()
    expected = [oracle.score(row, **plain) for row in rows]
    assert_allclose(scores, expected, rtol=1e-12)
    assert_allclose(score, oracle.score(oracle.add_up(rows), **plain), rtol=1e-12)
    assert len(set(scores)) > 25


def test_textbook_by_hand():
    """Precisions 4/5, 3/4, 1/3 and 0; the sentence is one token too short."""
    tokens = [list("ABCDEF")], [list("ABBCD")]
    options = {"formula": "textbook"}
    assert bleu_score(*tokens, **options) == 0
    found = [bleu_score(*tokens, max_order=n, **options) for n in (1, 2, 3)]
    penalty = math.exp(1 - 6 / 5)
    expected = np.cumprod([0.8**0.5, 0.75**0.25, (1 / 3) ** 0.125])
    assert_allclose(found, penalty * expected, rtol=1e-14)
    same = bleu_score(*tokens, smooth_method="none", max_order=3, **options)
    assert same == found[-1]


def test_a_perfect_score_is_one():
    """The logarithm and the exponential of 100 are not exact: 100.00000000000004."""
    _, y_pred = make_corpus(80)
    assert sacrebleu().corpus_score(y_pred, [y_pred]).score > 100
    assert bleu_score(y_pred, y_pred) == 1.0
    assert bleu_score(y_pred, y_pred, return_stats=True).score == 1.0
    assert bleu_from_statistics(bleu_statistics(y_pred, y_pred)) == 1.0
    assert sentence_bleu_score(y_pred, y_pred).max() <= 1.0


WHOLE = {
    "猫在床上睡觉。": ("zh", {"13a", "intl", "none"}),
    "我喜欢你，": ("zh", {"13a", "none"}),  # intl sets the comma apart at the end
    "这 5 只猫都在床上睡觉": ("char", {"13a", "intl", "none"}),
    "これはペンです。": ("char", {"13a", "intl", "zh", "none"}),
    "ฉันชอบอ่านหนังสือที่บ้าน": ("char", {"13a", "intl", "zh", "none"}),
}
NOT_WHOLE = [
    "猫 在 床上 睡觉 。",
    "The word 睡觉 is Chinese for sleep.",
    "He studied at 北京大学 in the year 1990.",
    "The word コンピューター means computer.",
    "Bangkok is called กรุงเทพมหานครอมร in the language of its people.",
    "私 は ペン を 持っ て い ます 。",
    "ฉัน ชอบ อ่าน หนังสือ ที่ บ้าน",
    "나는 집에서 책을 읽는 것을 좋아합니다.",
    "मैं घर पर किताबें पढ़ता हूँ।",
]


@pytest.mark.parametrize("text", WHOLE)
def test_text_that_is_left_whole_is_named(text):
    advised, whole = WHOLE[text]
    for tokenize in whole:
        with pytest.warns(UserWarning, match=f"leaves .*tokenize='{advised}'") as told:
            bleu_score([text] * 2, [text, "?"], tokenize=tokenize)
        assert len(told) == 1
        assert told[0].filename == __file__
    assert bleu_score([text], [text], tokenize=advised) == 1.0


@pytest.mark.parametrize("text", NOT_WHOLE)
@pytest.mark.parametrize("tokenize", TOKENIZERS)
def test_text_in_words_is_not_warned_of(text, tokenize):
    assert bleu_score([text], [text], tokenize=tokenize) == 1.0


# Weights, parts, kinds of input


@pytest.mark.parametrize("kind", [int, float, np.int32, bool])
def test_a_weight_of_k_is_k_times_the_sentence(kind):
    y_true, y_pred = make_corpus(40)
    weights = np.random.default_rng(0).integers(4, size=40).astype(kind)
    weighted = bleu_score(
        y_true, y_pred, multi_reference=True, sample_weight=weights, return_stats=True
    )
    rows = np.repeat(np.arange(40), weights.astype(int))
    repeated = bleu_score(
        [y_true[i] for i in rows],
        [y_pred[i] for i in rows],
        multi_reference=True,
        return_stats=True,
    )
    for name in ("score", "brevity_penalty", "hypothesis_length", "reference_length"):
        assert weighted[name] == repeated[name]
        assert type(weighted[name]) is type(repeated[name])
    for name in ("precisions", "counts", "totals"):
        assert_array_equal(weighted[name], repeated[name], strict=True)


def test_weights_need_not_be_whole():
    y_true, y_pred = make_corpus(40)
    options = {"multi_reference": True}
    weights = np.random.default_rng(0).integers(4, size=40)
    whole = bleu_score(y_true, y_pred, sample_weight=weights, **options)
    halves = bleu_score(
        y_true,
        y_pred,
        sample_weight=pd.Series(weights / 2),
        return_stats=True,
        **options,
    )
    assert halves.score == pytest.approx(whole, rel=1e-14)
    assert halves.counts.dtype == float


def test_parts_add_up():
    y_true, y_pred = make_corpus(60)
    options = {"multi_reference": True}
    parts = [
        bleu_statistics(y_true[start::7], y_pred[start::7], **options)
        for start in range(7)
    ]
    whole = bleu_score(y_true, y_pred, **options)
    assert bleu_from_statistics(np.vstack(parts)) == whole
    assert bleu_from_statistics([part.sum(axis=0) for part in parts]) == whole
    assert bleu_from_statistics(np.vstack(parts).sum(axis=0)) == whole
    means = np.mean([bleu_from_statistics(part) for part in parts])
    assert means != pytest.approx(whole, abs=1e-4)


def test_the_best_of_references_one_by_one_is_not_that_of_all():
    texts = [["a b x y", "p q c d"]], ["a b c d"]
    found = bleu_score(*texts, multi_reference=True, return_stats=True)
    assert found.counts.tolist() == [4, 2, 0, 0]


def test_containers():
    y_true = ["the cat is on the mat", "a b c d e"]
    y_pred = ["the cat on the mat is", "a b c d f"]
    expected = bleu_score(y_true, y_pred)
    assert 0 < expected < 1
    kinds = [tuple, np.array, pd.Series, pl.Series, iter]
    kinds += [lambda texts: np.array(texts, dtype=object)]
    kinds += [lambda texts: pd.Series(texts, index=[7, 3])]
    for kind in kinds:
        assert bleu_score(kind(y_true), kind(y_pred)) == expected
    tokens = [[text.split() for text in texts] for texts in (y_true, y_pred)]
    kinds = [list, tuple, pd.Series, pl.Series]
    kinds += [lambda lists: [tuple(each) for each in lists]]
    kinds += [lambda lists: [np.array(each) for each in lists]]
    for kind in kinds:
        assert bleu_score(*map(kind, tokens)) == expected
    references = [
        [[text] for text in y_true],
        [(text,) for text in y_true],
        [np.array([text]) for text in y_true],
        pd.Series([[text] for text in y_true]),
        pl.Series([[text] for text in y_true]),
    ]
    for each in references:
        assert bleu_score(each, y_pred, multi_reference=True) == expected


def test_tokens_are_taken_as_they_are():
    """A blank or a mark inside a token splits nothing; letters keep their case."""
    y_true, y_pred = [["a b", "c.", "D", "e"]], [["a b", "c.", "D", "f"]]
    found = bleu_score(y_true, y_pred, return_stats=True)
    assert found.totals.tolist() == [4, 3, 2, 1]
    assert found.counts.tolist() == [3, 2, 1, 0]
    assert "|tok:given|" in found.signature


def test_input_is_left_alone():
    y_true, y_pred = make_tokens(20)
    copies = [[list(r) for r in refs] for refs in y_true], [list(p) for p in y_pred]
    bleu_score(y_true, y_pred, multi_reference=True)
    assert (y_true, y_pred) == copies


def test_signature():
    texts = ["a b c d"], ["a b c d"]
    options = {"return_stats": True, "max_order": 2, "weights": [0.25, 0.75]}
    options |= {"lowercase": True, "smooth_method": "floor", "tokenize": "intl"}
    signature = bleu_score(*texts, effective_order=True, **options).signature
    expected = "nrefs:1|case:lc|eff:yes|tok:intl|smooth:floor[0.10]|order:2|"
    assert signature.startswith(expected + "weights:0.25,0.75|version:skml-")
    signature = bleu_score(*texts, formula="textbook", return_stats=True).signature
    assert "|smooth:none|formula:textbook|version" in signature
    two = [["a", "b"], ["a"]], ["a", "b"]
    signature = bleu_score(*two, multi_reference=True, return_stats=True).signature
    assert signature.startswith("nrefs:var|")


def test_threads_do_not_disturb_each_other():
    corpora = [make_corpus(60, seed=seed) for seed in range(4)]
    options = {"multi_reference": True, "tokenize": "intl"}
    expected = [bleu_score(*corpus, **options) for corpus in corpora]
    found = [None] * 4

    def work(number):
        for _ in range(5):
            found[number] = bleu_score(*corpora[number], **options)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


# Bad input

FUNCTIONS = [bleu_score, sentence_bleu_score, bleu_statistics]
TOKENS = [["a", "b"], ["c"]]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        (["a"], ["a", "b"], ValueError, "y_true has 1 items and y_pred 2"),
        ([], [], ValueError, "y_true and y_pred are empty"),
        ("a b", ["a b"], ValueError, "y_true of .* expects .*got a single str"),
        (["a b"], "a b", ValueError, "y_pred of .* expects .*got a single str"),
        (None, ["a"], TypeError, r"y_true of .* got None \(NoneType\)"),
        (["a"], 3, TypeError, r"y_pred of .* got 3 \(int\)"),
        (["a"], {"a": 1}, TypeError, "got a dict"),
        (pd.DataFrame({"a": ["b"]}), ["a"], ValueError, "2 dimension"),
        (["a", None], ["a", "b"], ValueError, r"y_true of .*document 1 is missing"),
        (["a", "b"], ["a", np.nan], ValueError, r"y_pred of .*document 1 is missing"),
        (["a", "b"], ["a", pd.NA], ValueError, r"y_pred of .*document 1 is missing"),
        (["a", "b"], [b"a", "b"], TypeError, "y_pred of .*document 0 is bytes; decode"),
        (["a", 5], ["a", "b"], TypeError, r"y_true of .*document 1 is 5 \(int\)"),
        (
            ["a", "b"],
            ["a", ["b"]],
            TypeError,
            "item 0 of y_pred is a str, and item 1 a",
        ),
        (
            TOKENS,
            [["a"], "b"],
            TypeError,
            "item 0 of y_pred is a list, and item 1 a str",
        ),
        (
            ["a", ["b", "c"]],
            ["a", "b"],
            TypeError,
            r"item 1 of y_true is a list, \['b', 'c'\].*set multi_reference=True",
        ),
        ([["a"], "c"], TOKENS, TypeError, "item 1 of y_true is a str, 'c'"),
        (
            [["a"], [["b"], ["c"]]],
            TOKENS,
            TypeError,
            r"item 1 of y_true holds \['b'\] \(list\).*set multi_reference=True",
        ),
        (TOKENS, [["a", 3], ["b"]], TypeError, r"item 0 of y_pred holds 3 \(int\)"),
        (TOKENS, [["a"], [b"b"]], TypeError, r"item 1 of y_pred holds b'b' \(bytes\)"),
        ([["a"], [None]], TOKENS, ValueError, "item 1 of y_true holds None"),
        ([["a"], [np.nan]], TOKENS, ValueError, "item 1 of y_true holds nan"),
    ],
)
def test_bad_input(function, y_true, y_pred, error, message):
    with pytest.raises(error, match=message) as caught:
        function(y_true, y_pred)
    assert type(caught.value) is error


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        (
            [["a"], "b"],
            ["a", "b"],
            TypeError,
            "item 1 of y_true is a str, 'b'; with multi_reference=True it must be a "
            "list of references",
        ),
        ([["a"], []], ["a", "b"], ValueError, "item 1 of y_true is an empty list"),
        (
            [["a"], ["b", None]],
            ["a", "b"],
            ValueError,
            "reference 1 of item 1 of y_true is missing",
        ),
        (
            [["a"], ["b", 5]],
            ["a", "b"],
            TypeError,
            r"reference 1 of item 1 of y_true is 5 \(int\); expected a str",
        ),
        (
            [["a"], [["b"]]],
            ["a", "b"],
            TypeError,
            r"reference 0 of item 1 of y_true is \['b'\] \(list\); expected a str",
        ),
        (
            TOKENS,
            TOKENS,
            TypeError,
            r"reference 0 of item 0 of y_true is 'a' \(str\); expected a list of",
        ),
        (
            [[["a"], ["b", 3]], [["c"]]],
            TOKENS,
            TypeError,
            r"item 0 of y_true holds 3 \(int\)",
        ),
    ],
)
def test_bad_references(function, y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        function(y_true, y_pred, multi_reference=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tokenize": "14a"}, "'tokenize' parameter of bleu_score must be .*'14a'"),
        ({"max_order": 0}, "'max_order' parameter"),
        ({"smooth_method": "chen"}, "'smooth_method' parameter"),
        ({"formula": "book"}, "'formula' parameter"),
        ({"smooth_method": "floor", "smooth_value": -1}, "'smooth_value' parameter"),
        ({"smooth_value": 0.5}, "smooth_value=0.5 has no effect with .*'exp'"),
        ({"smooth_method": "none", "smooth_value": 1}, "smooth_value=1 has no effect"),
        ({"weights": [0.5, 0.5]}, r"weights must have 4 numbers.*shape \(2,\)"),
        ({"weights": [0.5, 0.5, 0.5, 0.5]}, "weights must sum to 1; .* sum to 2"),
        ({"weights": [1, 1, -1, 0]}, "weights must not be negative"),
        ({"weights": [1, 0, 0, np.nan]}, "weights must not be negative"),
        ({"formula": "textbook", "weights": [1, 0, 0, 0]}, "knows no weights"),
        ({"formula": "textbook", "smooth_method": "add-k"}, "knows no smooth_method"),
        (
            {"formula": "textbook", "smooth_value": 0.5},
            "smooth_value=0.5 has no effect",
        ),
        ({"sample_weight": [1]}, "sample_weight has 1 numbers for 2 sentences"),
        ({"sample_weight": [1, -1]}, "weight of sentence 1 is -1"),
        ({"sample_weight": [np.nan, 1]}, "weight of sentence 0 is nan"),
        ({"sample_weight": [np.inf, 1]}, "weight of sentence 0 is inf"),
        ({"sample_weight": [0, 0]}, "zero for all sentences"),
        ({"sample_weight": [[1], [1]]}, r"the shape \(2, 1\)"),
        ({"sample_weight": ["1", "2"]}, "the dtype <U1"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        bleu_score(["a", "b"], ["a", "b"], **options)


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize(
    "options", [{"tokenize": "none"}, {"tokenize": str.split}, {"lowercase": True}]
)
def test_options_for_strings_are_refused_with_tokens(function, options):
    with pytest.raises(ValueError, match="has no effect on lists of tokens"):
        function(TOKENS, TOKENS, **options)


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        ([[1, 1, 1]], "2 [*] max_order [+] 2.*got 3"),
        ([[1, 1]], "got 2"),
        (np.empty((0, 10)), "statistics is empty"),
        (np.ones((2, 2, 10)), r"the shape \(2, 2, 10\)"),
        ([["a"] * 10], "the dtype"),
        ([[-1] * 10], "finite and not negative"),
        ([[np.nan] * 10], "finite and not negative"),
        ([[np.inf] * 10], "finite and not negative"),
    ],
)
def test_bad_statistics(statistics, message):
    with pytest.raises(ValueError, match=message):
        bleu_from_statistics(statistics)
