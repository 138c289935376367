"""chrF: equal to sacrebleu's, and what it refuses."""

import random

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sacrebleu.metrics import CHRF

from skml.metrics import _ngram_matches
from skml.metrics._chrf import chrf_from_statistics, chrf_score, chrf_statistics
from tests.oracles import bleu as oracle

WORDS = [
    *("the", "The", "cat", "cats", "catalogue", "mat", "on", "1.5", "3,000", "end."),
    *("(or", "not)", '"so"', "U.S.", "?!", "a", ".", "你好", "世界。", "😀", "don't"),
]
BLANKS = [*" " * 12, "  ", "\t", "\n", "\xa0", "\u3000"]


def make_corpus(n_sentences, n_references=(1, 2, 3, 4), seed=0):
    """Lists of references that are similar to the sentences; some are empty."""
    generator = random.Random(seed)

    def perturb(words):
        chances = ((word, generator.random()) for word in words)
        changed = [
            word if chance > 0.2 else generator.choice(WORDS)
            for word, chance in chances
            if chance > 0.1
        ]
        edge = generator.choice(["", "", " ", "\n"])
        return edge + generator.choice(BLANKS).join(changed) + edge

    y_true, y_pred = [], []
    for _ in range(n_sentences):
        words = generator.choices(WORDS, k=generator.choice([0, 1, 2, 3, 4, 8, 12]))
        references = [perturb(words) for _ in range(generator.choice(n_references))]
        y_true.append(references)
        y_pred.append(perturb(words) if generator.random() > 0.05 else "")
    return y_true, y_pred


def transposed(y_true):
    """References as sacrebleu wants them: None where a sentence has fewer."""
    most = max(map(len, y_true))
    padded = [[*refs, *[None] * (most - len(refs))] for refs in y_true]
    return [list(stream) for stream in zip(*padded, strict=True)]


def sacrebleu(**options):
    return CHRF(**options)


@pytest.mark.parametrize("word_order", [0, 1, 2])
@pytest.mark.parametrize("beta", [2, 3])
@pytest.mark.parametrize("eps_smoothing", [False, True])
@pytest.mark.parametrize("whitespace", [False, True])
def test_as_sacrebleu(word_order, beta, eps_smoothing, whitespace):
    options = {
        "word_order": word_order,
        "beta": beta,
        "eps_smoothing": eps_smoothing,
        "whitespace": whitespace,
    }
    sizes = (20, 1, 1, 2)
    for seed, (lowercase, char_order) in enumerate([(False, 6), (True, 2)]):
        options |= {"lowercase": lowercase, "char_order": char_order}
        for number, size in enumerate(sizes):
            y_true, y_pred = make_corpus(size, seed=10 * seed + number)
            ours = chrf_score(
                y_true, y_pred, multi_reference=True, return_stats=True, **options
            )
            peer = sacrebleu(**options)
            theirs = peer.corpus_score(y_pred, transposed(y_true))
            assert ours.score == theirs.score / 100
            if beta == 2:
                signatures = ours.signature, str(peer.get_signature())
                made, wanted = (each.rpartition("|version:")[0] for each in signatures)
                assert made == wanted


@pytest.mark.parametrize("eps_smoothing", [False, True])
def test_statistics_as_sacrebleu(eps_smoothing):
    """Which reference is the best one, equal scores among them."""
    y_true, y_pred = make_corpus(150)
    y_true = [[*references, *references[::-1], ""] for references in y_true]
    options = {"word_order": 2, "eps_smoothing": eps_smoothing}
    found = chrf_statistics(y_true, y_pred, multi_reference=True, **options)
    expected = sacrebleu(**options)._extract_corpus_statistics(
        y_pred, transposed(y_true)
    )
    assert found.dtype == np.int64
    assert found.tolist() == expected


@pytest.mark.parametrize("block", [1, 200, 1 << 15])
def test_statistics_as_sentence_by_sentence(block, monkeypatch):
    monkeypatch.setattr(_ngram_matches, "_BLOCK", block)
    y_true, y_pred = make_corpus(60, n_references=(1,))
    for options in (
        {},
        {"char_order": 3, "word_order": 2},
        {"whitespace": True, "char_order": 8},
    ):
        found = chrf_statistics(y_true, y_pred, multi_reference=True, **options)
        expected = [
            oracle.chrf_counts(text, references[0], **options)
            for text, references in zip(y_pred, y_true, strict=True)
        ]
        assert found.tolist() == expected


@pytest.mark.parametrize("eps_smoothing", [False, True])
@pytest.mark.parametrize("beta", [1, 2, 0.5])
def test_scores_as_sentence_by_sentence(eps_smoothing, beta):
    y_true, y_pred = make_corpus(60)
    options = {"beta": beta, "eps_smoothing": eps_smoothing}
    counts = [
        oracle.best_chrf_counts(text, references, word_order=1, **options)
        for text, references in zip(y_pred, y_true, strict=True)
    ]
    found = chrf_score(y_true, y_pred, word_order=1, multi_reference=True, **options)
    assert_allclose(found, oracle.chrf(oracle.add_up(counts), **options), rtol=1e-12)


def test_by_hand():
    """Orders 1 and 2: precisions 3/4 and 1/3, recalls 3/3 and 1/2."""
    precision, recall = (3 / 4 + 1 / 3) / 2, (1 + 1 / 2) / 2
    expected = 5 * precision * recall / (4 * precision + recall)
    texts = ["ab c"], ["a bxc"]
    found = chrf_score(*texts, char_order=2, return_stats=True)
    assert found.score == pytest.approx(expected, rel=1e-15)
    assert found.counts.tolist() == [[4, 3, 3], [3, 2, 1]]


@pytest.mark.parametrize(
    ("y_true", "y_pred", "expected"),
    [
        ("a cat", "a cat", 1),
        ("a cat", "acat", 1),
        ("a cat", "", 0),
        ("", "a cat", 0),
        ("", "", 0),
        ("abc", "xyz", 0),
        ("a", "a", 1),
        ("(a b", "(a c", (2 / 3 + 1 / 2) / 3),
    ],
)
def test_corner_cases(y_true, y_pred, expected):
    assert chrf_score([y_true], [y_pred]) == pytest.approx(expected)
    for eps_smoothing in (False, True):
        options = {"eps_smoothing": eps_smoothing, "word_order": 2}
        theirs = sacrebleu(**options).corpus_score([y_pred], [[y_true]]).score
        assert chrf_score([y_true], [y_pred], **options) == theirs / 100


def test_lone_surrogates_are_characters():
    assert 0 < chrf_score(["a\ud800b"], ["a\ud800c"]) < 1


def test_a_weight_of_k_is_k_times_the_sentence():
    y_true, y_pred = make_corpus(40)
    weights = np.random.default_rng(0).integers(4, size=40)
    options = {"multi_reference": True, "return_stats": True}
    weighted = chrf_score(y_true, y_pred, sample_weight=weights, **options)
    rows = np.repeat(np.arange(40), weights)
    repeated = chrf_score(
        [y_true[i] for i in rows], [y_pred[i] for i in rows], **options
    )
    assert weighted.score == repeated.score
    assert_array_equal(weighted.counts, repeated.counts, strict=True)


def test_parts_add_up():
    y_true, y_pred = make_corpus(60)
    options = {"multi_reference": True, "word_order": 2, "beta": 3}
    parts = [chrf_statistics(y_true[i::7], y_pred[i::7], **options) for i in range(7)]
    whole = chrf_score(y_true, y_pred, **options)
    assert chrf_from_statistics(np.vstack(parts), beta=3) == whole
    assert chrf_from_statistics([part.sum(axis=0) for part in parts], beta=3) == whole
    assert chrf_from_statistics(np.vstack(parts).sum(axis=0), beta=3) == whole


def test_signature_names_what_sacrebleu_leaves_out():
    signature = chrf_score(["a"], ["a"], beta=1, return_stats=True).signature
    expected = "nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|beta:1|version:skml-"
    assert signature.startswith(expected)


@pytest.mark.parametrize("function", [chrf_score, chrf_statistics])
@pytest.mark.parametrize(
    ("y_true", "y_pred", "error", "message"),
    [
        (["a"], ["a", "b"], ValueError, "y_true has 1 items and y_pred 2"),
        ([], [], ValueError, "y_true and y_pred are empty"),
        (["a", None], ["a", "b"], ValueError, "y_true of chrf.*document 1 is missing"),
        ([["a"]], ["a"], TypeError, "set multi_reference=True"),
        ([["a"]], [["a"]], TypeError, 'needs str; .*" ".join'),
    ],
)
def test_bad_input(function, y_true, y_pred, error, message):
    with pytest.raises(error, match=message):
        function(y_true, y_pred)


@pytest.mark.parametrize(
    "options",
    [{"char_order": 0}, {"word_order": -1}, {"beta": 0}, {"whitespace": "no"}],
)
def test_bad_options(options):
    (name,) = options
    with pytest.raises(ValueError, match=f"'{name}' parameter of chrf_score"):
        chrf_score(["a"], ["a"], **options)


@pytest.mark.parametrize(
    ("statistics", "message"),
    [
        ([[1, 1]], "three for each length of n-grams, columns; got 2"),
        (np.empty((1, 0)), "got 0"),
        ([[1, 1, -1]], "finite and not negative"),
    ],
)
def test_bad_statistics(statistics, message):
    with pytest.raises(ValueError, match=message):
        chrf_from_statistics(statistics)


def test_bad_weights():
    with pytest.raises(ValueError, match="sample_weight has 2 numbers for 1"):
        chrf_score(["a"], ["a"], sample_weight=[1, 2])
