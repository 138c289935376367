"""Paired bootstrap resampling: equal to sacrebleu's on the same samples."""

import random
from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sacrebleu import metrics
from sacrebleu.significance import PairedTest

from skml.metrics import _bootstrap
from skml.metrics._bleu import bleu_from_statistics, bleu_score, bleu_statistics
from skml.metrics._bootstrap import paired_bootstrap
from skml.metrics._chrf import chrf_from_statistics, chrf_statistics

WORDS = [
    *("the", "a", "cat", "dog", "mat", "house", "on", "in", "under", "is", "was"),
    *("big", "red", "old", "man", "sees"),
]


def make_systems(n_sentences=80, rates=(0.3, 0.27, 0.1), seed=0):
    """References, and systems that get words wrong at these rates."""
    generator = random.Random(seed)
    y_true = [
        " ".join(generator.choices(WORDS, k=generator.randint(4, 15)))
        for _ in range(n_sentences)
    ]
    systems = {
        f"system{number}": [
            " ".join(
                word if generator.random() > rate else generator.choice(WORDS)
                for word in text.split()
            )
            for text in y_true
        ]
        for number, rate in enumerate(rates)
    }
    return y_true, systems


def statistics_of(y_true, systems, make=bleu_statistics):
    return {name: make(y_true, y_pred) for name, y_pred in systems.items()}


@pytest.fixture
def small_chunks(monkeypatch):
    """Samples in chunks of seven."""
    monkeypatch.setattr(_bootstrap, "_CHUNK", 7 * 80)


def drawn(seed, n_samples, n_sentences):
    """The sentences of each sample, as sacrebleu draws them."""
    return np.random.default_rng(seed).choice(
        n_sentences, size=(n_samples, n_sentences), replace=True
    )


@pytest.mark.parametrize("name", ["BLEU", "CHRF"])
def test_samples_as_sacrebleu(name, small_chunks):
    """Bit for bit: its scores of the sums of the same sentences, as integers."""
    metric = getattr(metrics, name)()
    make, score = {
        "BLEU": (bleu_statistics, bleu_from_statistics),
        "CHRF": (chrf_statistics, chrf_from_statistics),
    }[name]
    statistics = statistics_of(*make_systems(), make)
    found = paired_bootstrap(statistics, score, n_samples=100, random_state=5)
    rows = drawn(5, 100, 80)
    for table, scores in zip(statistics.values(), found.sample_scores, strict=True):
        expected = [
            metric._compute_score_from_stats(sums.tolist()).score / 100
            for sums in table[rows].sum(axis=1)
        ]
        assert scores.tolist() == expected


@pytest.mark.parametrize("name", ["BLEU", "CHRF"])
@pytest.mark.parametrize("n_samples", [39, 400])
def test_paired_test_as_sacrebleu(name, n_samples, small_chunks, monkeypatch):
    """Its whole test, which computes in single precision."""
    monkeypatch.setenv("SACREBLEU_SEED", "12345")
    make, score = {
        "BLEU": (bleu_statistics, bleu_from_statistics),
        "CHRF": (chrf_statistics, chrf_from_statistics),
    }[name]
    y_true, systems = make_systems()
    metric = {name: getattr(metrics, name)(references=[y_true])}
    test = PairedTest(
        list(systems.items()), metric, None, test_type="bs", n_samples=n_samples
    )
    _, results = test()
    (theirs,) = (value for key, value in results.items() if key != "System")
    ours = paired_bootstrap(
        statistics_of(y_true, systems, make),
        score,
        n_samples=n_samples,
        random_state=12345,
    )
    assert ours.names == results["System"]
    assert (ours.scores * 100).tolist() == pytest.approx([t.score for t in theirs])
    assert_allclose(ours.means * 100, [t.mean for t in theirs], rtol=1e-5)
    widths = np.ptp(ours.confidence_intervals, axis=1) / 2
    assert_allclose(widths * 100, [t.ci for t in theirs], rtol=1e-4)
    assert ours.p_values[1:].tolist() == [t.p_value for t in theirs[1:]]
    assert np.isnan(ours.p_values[0])
    assert theirs[0].p_value is None


def test_better_systems_are_told_from_equal_ones():
    y_true, systems = make_systems(300, rates=(0.3, 0.3, 0.1))
    result = paired_bootstrap(
        statistics_of(y_true, systems), bleu_from_statistics, random_state=0
    )
    assert result.p_values[1] > 0.05
    assert result.p_values[2] == 1 / 1001
    assert (result.confidence_intervals[:, 0] < result.means).all()
    assert (result.confidence_intervals[:, 1] > result.means).all()
    assert_allclose(result.means, result.scores, atol=0.01)


def test_a_system_does_not_differ_from_itself():
    """As sacrebleu: that no difference is larger than none says nothing."""
    y_true, systems = make_systems(20, rates=(0.3,))
    table = bleu_statistics(y_true, systems["system0"])
    result = paired_bootstrap(
        [table, table], bleu_from_statistics, n_samples=99, random_state=0
    )
    assert_array_equal(result.sample_scores[0], result.sample_scores[1])
    assert result.p_values[1] == 0.01


def test_one_system_and_options_of_the_score():
    y_true, systems = make_systems(30, rates=(0.5,))
    table = bleu_statistics(y_true, systems["system0"], max_order=2)
    score = partial(bleu_from_statistics, smooth_method="floor", weights=[0.2, 0.8])
    result = paired_bootstrap([table], score, n_samples=50, random_state=0)
    assert result.names == [0]
    assert result.scores[0] == score(table) != bleu_from_statistics(table)
    rows = drawn(0, 50, 30)
    assert result.sample_scores[0].tolist() == [score(table[each]) for each in rows]
    assert result.confidence_intervals.shape == (1, 2)


def test_samples_are_those_of_a_corpus_with_these_sentences():
    y_true, systems = make_systems(12)
    result = paired_bootstrap(
        statistics_of(y_true, systems),
        bleu_from_statistics,
        n_samples=5,
        random_state=3,
    )
    for scores, y_pred in zip(result.sample_scores, systems.values(), strict=True):
        for rows, score in zip(drawn(3, 5, 12), scores, strict=True):
            texts = [y_true[i] for i in rows], [y_pred[i] for i in rows]
            assert bleu_score(*texts) == score


def test_any_metric_whose_statistics_add_up():
    """Accuracy, with statistics that are floats."""
    right = np.random.default_rng(0).random((50, 2)) < [0.5, 0.9]
    tables = [np.column_stack([each, np.ones(50)]) / 2 for each in right.T]

    def accuracy(statistics):
        n_right, n_all = statistics.sum(axis=0)
        return n_right / n_all

    result = paired_bootstrap(tables, accuracy, n_samples=200, random_state=1)
    assert_allclose(result.scores, right.mean(axis=0))
    expected = right[drawn(1, 200, 50)].mean(axis=1).T
    assert_allclose(result.sample_scores, expected)
    assert result.p_values[1] < 0.01


def test_random_states():
    y_true, systems = make_systems(10)
    run = partial(
        paired_bootstrap,
        statistics_of(y_true, systems),
        bleu_from_statistics,
        n_samples=20,
    )
    for make in (lambda: 3, lambda: np.int64(3), lambda: np.random.RandomState(3)):
        first, second = (run(random_state=make()).sample_scores for _ in range(2))
        assert_array_equal(first, second)
    state = np.random.RandomState(3)
    first, second = (run(random_state=state).sample_scores for _ in range(2))
    assert not np.array_equal(first, second)
    first, second = (run().sample_scores for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("random_state", [None, 0])
def test_global_generators_are_left_alone(random_state):
    y_true, systems = make_systems(10)
    state, plain = np.random.get_state(), random.getstate()  # noqa: NPY002
    paired_bootstrap(
        statistics_of(y_true, systems),
        bleu_from_statistics,
        n_samples=3,
        random_state=random_state,
    )
    assert_array_equal(np.random.get_state()[1], state[1])  # noqa: NPY002
    assert np.random.get_state()[2:] == state[2:]  # noqa: NPY002
    assert random.getstate() == plain


@pytest.mark.parametrize(
    ("statistics", "error", "message"),
    [
        (
            np.ones((2, 4)),
            TypeError,
            r"the baseline first; got ndarray.*\[statistics\]",
        ),
        ({}, ValueError, "holds no system"),
        ([], ValueError, "holds no system"),
        ({"a": [1, 2]}, ValueError, r"of system 'a' must be a table .*shape \(2,\)"),
        ([np.empty((0, 4))], ValueError, r"of system 0 must be .*shape \(0, 4\)"),
        ([[["a"]]], ValueError, "the dtype <U1"),
        ([[[1, 2]], [[1, np.nan]]], ValueError, "of system 1 must be finite; row 0"),
        (
            {"a": np.ones((3, 4)), "b": np.ones((2, 4))},
            ValueError,
            r"system 'b' have the shape \(2, 4\), those of the baseline 'a' \(3, 4\)",
        ),
    ],
)
def test_bad_statistics(statistics, error, message):
    with pytest.raises(error, match=message):
        paired_bootstrap(statistics, bleu_from_statistics)


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"n_samples": 0}, "n_samples"),
        ({"random_state": "0"}, "random_state"),
        ({"score_function": "bleu"}, "score_function"),
    ],
)
def test_bad_options(options, name):
    options = {"score_function": bleu_from_statistics, **options}
    with pytest.raises(ValueError, match=f"'{name}' parameter of paired_bootstrap"):
        paired_bootstrap([np.ones((2, 10))], **options)
