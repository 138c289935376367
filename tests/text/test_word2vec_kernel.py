"""Tests of the compiled kernel of word2vec against its plain twin.

Both start from the same float32 numbers and the same random states; the twin goes on in
float64. They may differ by the rounding of float32 (2**-24 relative, 6e-8) wherever the
kernel stores a value, and by its exp and log (5e-7): a few 1e-6 after the hundreds of
updates that a row receives here, where rows move by 0.01 to 1.
"""

import copy
from itertools import product

import joblib
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import expit, log_expit

from skml.text._word2vec_kernel import Trainer, has_wide_instructions
from skml.text._word2vec_tables import alias_table, huffman_tree, keep_thresholds
from tests.oracles.word2vec import Twin

MODES = list(product(["skip-gram", "cbow"], ["noise", "tree"]))
EPOCH_TOLERANCE = 1e-5
STEP_TOLERANCE = 1e-6

all_modes = pytest.mark.parametrize(("architecture", "loss"), MODES)


@pytest.fixture(params=[True, False], ids=["wide", "baseline"])
def wide(request):
    return request.param


def make_documents(lengths, n_words=40, seed=0):
    """Tokens that are Zipf distributed, so that windows hold words twice."""
    weights = 1.0 / np.arange(1, n_words + 1)
    rng = np.random.default_rng(seed)
    ids = rng.choice(n_words, size=sum(lengths), p=weights / weights.sum())
    return ids.astype(np.int32), np.cumsum([0, *lengths], dtype=np.int64)


def make_model(
    architecture,
    loss,
    counts,
    *,
    vector_size=20,
    window=5,
    n_negatives=5,
    shrink_window=True,
    subsample=0,
    n_inputs_together=0,
    stride=None,
):
    """Two random matrices and the arguments that `Trainer` and `Twin` share."""
    rng = np.random.default_rng(1)
    stride = stride or -(-vector_size // 8) * 8
    matrices = np.zeros((2, len(counts), stride), dtype=np.float32)
    # Scores of every size, the saturated ones too.
    scale = 1.5 / vector_size**0.25
    matrices[:, :, :vector_size] = rng.normal(
        scale=scale, size=(2, len(counts), vector_size)
    )
    tree = huffman_tree(counts)
    noise = alias_table(counts**0.75) if loss == "noise" else np.empty(0, np.uint64)
    arguments = {
        "vector_size": vector_size,
        "keep": keep_thresholds(counts, subsample),
        "noise": noise,
        "path_offsets": tree.offsets,
        "path_steps": tree.steps,
        "skip_gram": architecture == "skip-gram",
        "n_negatives": n_negatives,
        "window": window,
        "shrink_window": shrink_window,
        "n_inputs_together": n_inputs_together,
    }
    return matrices, arguments


def make_counts(ids, n_words=40):
    return np.sort(np.bincount(ids, minlength=n_words))[::-1] + 1


def run_kernel(
    matrices,
    arguments,
    ids,
    offsets,
    start=0,
    stop=None,
    *,
    wide=True,
    rate=0.05,
    rate_decay=0.0,
    random_state=(7, 8),
    stop_now=0,
):
    """Train a copy of the matrices; return it, the totals and the random states."""
    matrices = copy.deepcopy(matrices)
    totals, states = np.zeros(2), np.array(random_state, dtype=np.uint64)
    Trainer(matrices[0], matrices[1], wide=wide, **arguments).train(
        ids,
        offsets,
        start,
        len(ids) if stop is None else stop,
        rate=rate,
        rate_decay=rate_decay,
        random_state=states,
        totals=totals,
        stop_flag=np.array([stop_now], dtype=np.int32),
    )
    return matrices, totals, states


TWINS = {}


def train_twin(matrices, arguments, *stream, **options):
    """What the twin learned; both variants of the kernel are compared with the same."""
    key = joblib.hash((matrices, arguments, stream, options))
    if key not in TWINS:
        twin = Twin(*matrices, **arguments)
        result = twin.train(*stream, **options)
        TWINS[key] = (twin.inputs, twin.outputs), *result
    return TWINS[key]


def assert_same(matrices, arguments, ids, offsets, start=0, stop=None, **options):
    """Train the kernel and the twin; return what the kernel did."""
    atol = options.pop("atol", EPOCH_TOLERANCE)
    wide = options.pop("wide", True)
    options = {"rate": 0.05, "rate_decay": 1e-5, "random_state": (7, 8), **options}
    stop = len(ids) if stop is None else stop
    trained, totals, states = run_kernel(
        matrices, arguments, ids, offsets, start, stop, wide=wide, **options
    )
    learned, loss, n_pairs, twin_states = train_twin(
        matrices, arguments, ids, offsets, start, stop, **options
    )

    size = arguments["vector_size"]
    for rows, expected in zip(trained, learned, strict=True):
        assert_allclose(rows[:, :size], expected, rtol=0, atol=atol)
        assert not rows[:, size:].any(), "the padding must stay zero"
    assert totals[1] == n_pairs
    # Six questions a pair or so, and the log of each is good to 5e-7.
    assert_allclose(totals[0], loss, rtol=1e-6, atol=3e-6 * n_pairs)
    assert states.tolist() == twin_states
    return trained, totals


def assert_learns_the_same(matrices, arguments, ids, offsets, **options):
    """As `assert_same`, for a case where both matrices must move."""
    trained, totals = assert_same(matrices, arguments, ids, offsets, **options)
    for before, after in zip(matrices, trained, strict=True):
        assert np.abs(after - before).max() > 1000 * EPOCH_TOLERANCE
    assert totals[1] > 0


LENGTHS = [3, 1, 0, 2, 25, 0, 0, 9, 1, 40, 7, 0]


# The kernel against the twin


@all_modes
@pytest.mark.parametrize("vector_size", [1, 7, 8, 20, 100])
def test_one_step_and_one_epoch(architecture, loss, vector_size, wide):
    ids, offsets = make_documents(LENGTHS)
    model = make_model(architecture, loss, make_counts(ids), vector_size=vector_size)
    assert_learns_the_same(*model, ids, offsets, wide=wide)
    # Two words: each is trained once, with the other as its window.
    two_words = np.array([3, 5], np.int32), np.array([0, 2])
    assert_learns_the_same(*model, *two_words, wide=wide, rate=0.5, atol=STEP_TOLERANCE)


@all_modes
@pytest.mark.parametrize("window", [1, 5, 60])
@pytest.mark.parametrize("shrink_window", [True, False])
def test_windows(architecture, loss, window, shrink_window, wide):
    ids, offsets = make_documents(LENGTHS)
    model = make_model(
        architecture,
        loss,
        make_counts(ids),
        window=window,
        shrink_window=shrink_window,
        vector_size=8,
    )
    assert_learns_the_same(*model, ids, offsets, wide=wide, rate=0.02)


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("n_negatives", [1, 5, 7, 13, 50])
def test_numbers_of_noise_words(architecture, n_negatives, wide):
    ids, offsets = make_documents(LENGTHS)
    model = make_model(architecture, "noise", make_counts(ids), n_negatives=n_negatives)
    assert_learns_the_same(*model, ids, offsets, wide=wide, rate=0.02)


@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
def test_deep_tree(architecture, wide):
    counts = 2 ** np.arange(29, -1, -1)
    ids = np.random.default_rng(0).integers(30, size=200).astype(np.int32)
    matrices, arguments = make_model(architecture, "tree", counts)
    assert np.diff(arguments["path_offsets"]).max() == 29
    assert_learns_the_same(matrices, arguments, ids, np.array([0, 200]), wide=wide)


@all_modes
@pytest.mark.parametrize("subsample", [1e-3, 0.02])
def test_subsampling(architecture, loss, subsample, wide):
    ids, offsets = make_documents([0, 300, 40, 0])
    model = make_model(architecture, loss, make_counts(ids), subsample=subsample)
    _, n_pairs = run_kernel(*model, ids, offsets)[1]
    all_kept = make_model(architecture, loss, make_counts(ids))
    assert 0 < n_pairs < 0.95 * run_kernel(*all_kept, ids, offsets)[1][1]
    assert_learns_the_same(*model, ids, offsets, wide=wide, rate=0.1)


@all_modes
@pytest.mark.parametrize("n_words", [2, 4, 1000])
def test_words_twice_in_a_window_and_noise_drawn_twice(
    architecture, loss, n_words, wide
):
    ids, offsets = make_documents([60], n_words=n_words)
    model = make_model(architecture, loss, make_counts(ids, n_words))
    assert_learns_the_same(*model, ids, offsets, wide=wide, rate=0.02)


@all_modes
def test_one_word(architecture, loss, wide):
    """All noise is the word itself and does not count; the tree has no node."""
    ids, offsets = np.zeros(30, np.int32), np.array([0, 10, 10, 30])
    matrices, arguments = make_model(architecture, loss, np.array([30]))
    trained, totals = assert_same(matrices, arguments, ids, offsets, wide=wide)
    if loss == "tree":
        assert_array_equal(trained, matrices)
        assert totals[0] == 0


@all_modes
@pytest.mark.parametrize("lengths", [[], [0], [0, 0], [1], [1, 0, 1, 1]])
def test_documents_without_a_pair(architecture, loss, lengths, wide):
    ids, offsets = make_documents(lengths)
    matrices, arguments = make_model(architecture, loss, make_counts(ids))
    trained, totals = assert_same(matrices, arguments, ids, offsets, wide=wide)
    assert_array_equal(trained, matrices)
    assert_array_equal(totals, 0)


@all_modes
@pytest.mark.parametrize(
    ("start", "stop"), [(0, 5), (2, 4), (5, 31), (31, 88), (6, 6), (87, 88), (88, 88)]
)
def test_slices_inside_documents(architecture, loss, start, stop):
    """Windows end at the slice; the learning rate counts from its first token."""
    ids, offsets = make_documents(LENGTHS)
    assert len(ids) == 88
    model = make_model(architecture, loss, make_counts(ids), subsample=0.1)
    assert_same(*model, ids, offsets, start, stop, rate_decay=1e-3)


@all_modes
def test_fixed_inputs(architecture, loss, wide):
    ids, offsets = make_documents(LENGTHS)
    matrices, arguments = make_model(architecture, loss, make_counts(ids))
    fixed = np.zeros(40, dtype=np.uint8)
    fixed[[0, 2, 3, 11]] = 1
    model = matrices, {**arguments, "fixed": fixed}
    assert_learns_the_same(*model, ids, offsets, wide=wide)
    trained = run_kernel(*model, ids, offsets, wide=wide)[0]
    moved = (trained[0] != matrices[0]).any(axis=1)
    assert moved[np.unique(ids)].sum() == len(np.unique(ids)) - 4
    assert not moved[fixed == 1].any()


@pytest.mark.parametrize("n_inputs_together", [1, 2, 3, 100])
@pytest.mark.parametrize("loss", ["noise", "tree"])
def test_inputs_together(loss, n_inputs_together, wide):
    ids, offsets = make_documents(LENGTHS)
    arguments = {"counts": make_counts(ids), "n_inputs_together": n_inputs_together}
    model = make_model("skip-gram", loss, **arguments)
    assert_learns_the_same(*model, ids, offsets, wide=wide)
    # It matters: the next words of the window see what the first ones changed.
    all_at_once = make_model("skip-gram", loss, make_counts(ids))
    difference = np.abs(
        run_kernel(*model, ids, offsets)[0] - run_kernel(*all_at_once, ids, offsets)[0]
    ).max()
    assert (difference == 0) == (n_inputs_together == 100)


@pytest.mark.parametrize("stride", [24, 32, 40])
def test_rows_may_be_padded_further(stride, wide):
    ids, offsets = make_documents(LENGTHS)
    model = make_model("skip-gram", "noise", make_counts(ids), stride=stride)
    assert_learns_the_same(*model, ids, offsets, wide=wide)


@all_modes
def test_same_bits_every_time(architecture, loss, wide):
    ids, offsets = make_documents(LENGTHS)
    model = make_model(architecture, loss, make_counts(ids), subsample=0.1)
    first, second = (run_kernel(*model, ids, offsets, wide=wide) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        assert_array_equal(one, other)
    another = run_kernel(*model, ids, offsets, wide=wide, random_state=(7, 9))
    assert np.abs(another[0] - first[0]).max() > 1000 * EPOCH_TOLERANCE


# Long streams: the kernel reads them in blocks, and nothing may depend on that


@pytest.mark.parametrize(
    ("architecture", "loss", "lengths"),
    [
        ("skip-gram", "noise", [2300]),
        ("cbow", "tree", [2300]),
        ("cbow", "noise", [2047, 0, 1, 2048, 1]),
    ],
)
def test_documents_longer_than_a_block(architecture, loss, lengths):
    ids, offsets = make_documents(lengths)
    model = make_model(
        architecture,
        loss,
        make_counts(ids),
        vector_size=8,
        n_negatives=2,
        window=2,
        subsample=0.1,
    )
    # A frequent word is updated thousands of times: more rounding adds up.
    assert_learns_the_same(
        *model, ids, offsets, rate=0.01, rate_decay=9e-7, atol=10 * EPOCH_TOLERANCE
    )


@pytest.mark.parametrize("window", [3, 2048, 3000])
def test_windows_longer_than_a_block(window):
    """At a learning rate of zero the loss is known: no step changes the next one."""
    n = 9000
    values = np.sin(np.arange(n) / 700) + np.linspace(-1, 1, n)
    total = np.cumsum([0.0, *values])
    first = np.maximum(0, np.arange(n) - window)
    last = np.minimum(n, np.arange(n) + window + 1)
    means = (total[last] - total[first] - values) / (last - first - 1)

    matrices = np.zeros((2, n, 8), dtype=np.float32)
    matrices[0, :, 0], matrices[1, 0, 0] = values, 1
    arguments = tree_of_one_node(np.arange(n + 1), labels=np.ones(n))
    arguments.update(skip_gram=False, window=window, shrink_window=False)
    ids = np.arange(n, dtype=np.int32)
    _, totals, _ = run_kernel(matrices, arguments, ids, np.array([0, n]), rate=0)
    assert totals[1] == n
    assert_allclose(totals[0], -log_expit(means).sum(), rtol=1e-6)


@all_modes
def test_cut_between_documents_changes_nothing(architecture, loss):
    ids, offsets = make_documents([1500, 3000, 4, 800])
    matrices, arguments = make_model(
        architecture, loss, make_counts(ids), subsample=0.1
    )
    whole, totals, states = run_kernel(matrices, arguments, ids, offsets)
    piecewise, sums, state = matrices, np.zeros(2), (7, 8)
    for start, stop in [(0, 1500), (1500, 4504), (4504, 5304)]:
        piecewise, part, state = run_kernel(
            piecewise, arguments, ids, offsets, start, stop, random_state=state
        )
        sums += part
    assert_array_equal(piecewise, whole)
    assert_array_equal(state, states)
    assert sums[1] == totals[1]
    assert_allclose(sums[0], totals[0], rtol=1e-12)


@all_modes
def test_cut_inside_a_document_is_as_two_documents(architecture, loss):
    ids, one_document = make_documents([5000])
    matrices, arguments = make_model(architecture, loss, make_counts(ids))
    two_documents = np.array([0, 1234, 5000])
    expected, _, states = run_kernel(matrices, arguments, ids, two_documents)
    half, _, state = run_kernel(matrices, arguments, ids, one_document, 0, 1234)
    trained, _, state = run_kernel(
        half, arguments, ids, one_document, 1234, 5000, random_state=state
    )
    assert_array_equal(trained, expected)
    assert_array_equal(state, states)


def test_learning_rate_falls_with_the_position_in_the_stream():
    """At zero from the tenth token on, as if the stream ended there."""
    ids, offsets = make_documents([2] * 50)
    model = make_model("skip-gram", "noise", make_counts(ids))
    slope = {"rate": 1.0, "rate_decay": 0.1}
    moved = [
        run_kernel(*model, ids, offsets, stop=stop, **slope)[0] for stop in (10, 12, 11)
    ]
    assert_array_equal(moved[0], moved[2])
    assert np.abs(moved[1] - moved[0]).max() > 0.01


# What the loss and the errors are worth


def tree_of_one_node(offsets, labels):
    """Arguments for words that ask node 0, or no node at all."""
    return {
        "vector_size": 2,
        "keep": np.full(len(offsets) - 1, 0xFFFFFFFF, dtype=np.uint32),
        "noise": np.empty(0, dtype=np.uint64),
        "path_offsets": np.asarray(offsets, dtype=np.int64),
        "path_steps": np.array([*labels, *[0] * 7], dtype=np.int32),
        "skip_gram": True,
        "n_negatives": 5,
        "window": 1,
        "shrink_window": False,
    }


def one_question(score, label, wide):
    """The loss at this score, and what is added to the input for an output of 1.

    Word 0 asks nothing; word 1 asks node 0, with word 0 as its window.
    """
    matrices = np.zeros((2, 2, 8), dtype=np.float32)
    matrices[0, 0, :2] = score, 0
    matrices[1, 0, :2] = 1, 1
    trained, (loss, n_pairs), _ = run_kernel(
        matrices,
        tree_of_one_node([0, 0, 1], [label]),
        np.array([0, 1], dtype=np.int32),
        np.array([0, 2]),
        rate=1,
        wide=wide,
    )
    assert n_pairs == 2
    assert np.isfinite(trained).all()
    return loss, trained[0, 0, 1]


@pytest.mark.parametrize("label", [0, 1])
def test_loss_and_error_of_known_scores(label, wide):
    scores = np.float32(np.concatenate([np.linspace(-100, 100, 801), [1e-6, -1e-6]]))
    losses, errors = np.transpose([one_question(s, label, wide) for s in scores])
    sign = 2.0 * label - 1.0
    # log: 5e-7, and half a unit in the last place of a score up to 100.
    assert_allclose(losses, -log_expit(sign * scores), rtol=1e-7, atol=6e-7)
    assert_allclose(errors, label - expit(scores.astype(float)), rtol=0, atol=3e-7)


@pytest.mark.parametrize("size", [1e3, 1e6, 1e30])
def test_saturated_scores_keep_their_gradient(size, wide):
    for label, sign in [(1, 1), (0, -1)]:
        loss, error = one_question(sign * size, label, wide)
        assert loss == pytest.approx(0, abs=1e-6)
        assert error == pytest.approx(0, abs=1e-6)
        loss, error = one_question(-sign * size, label, wide)
        assert loss == pytest.approx(size, rel=1e-6)
        assert error == sign


@all_modes
def test_huge_vectors_stay_finite(architecture, loss, wide):
    ids, offsets = make_documents(LENGTHS)
    matrices, arguments = make_model(architecture, loss, make_counts(ids))
    trained, totals, _ = run_kernel(1e9 * matrices, arguments, ids, offsets, wide=wide)
    assert np.isfinite(trained).all()
    assert np.isfinite(totals).all()
    assert np.abs(trained - 1e9 * matrices).max() > 1e6


@pytest.mark.parametrize("n_negatives", [1, 5, 13])
@pytest.mark.parametrize("architecture", ["skip-gram", "cbow"])
@pytest.mark.parametrize("window", [5, 140])
def test_loss_of_zero_outputs(architecture, n_negatives, window, wide):
    """Every question is answered with 1/2: log 2 each, of up to 280 in a window."""
    ids, offsets = make_documents([300])
    matrices, arguments = make_model(
        architecture,
        "noise",
        make_counts(ids, 41),
        n_negatives=n_negatives,
        window=window,
    )
    matrices[1] = 0
    # All noise is word 40, which no document has: it always counts.
    arguments["noise"] = np.full(41, 40, dtype=np.uint64)
    _, (total, n_pairs), _ = run_kernel(
        matrices, arguments, ids, offsets, rate=0, wide=wide
    )
    expected = (1 + n_negatives) * np.log(2)
    assert total / n_pairs == pytest.approx(expected, rel=1e-6)


def test_both_variants_agree():
    """Where the processor has only one variant, they are the same."""
    ids, offsets = make_documents(LENGTHS)
    model = make_model("skip-gram", "noise", make_counts(ids), vector_size=100)
    wide, baseline = (run_kernel(*model, ids, offsets, wide=w)[0] for w in (1, 0))
    assert_allclose(wide, baseline, rtol=0, atol=EPOCH_TOLERANCE)
    assert np.array_equal(wide, baseline) or has_wide_instructions()


# Inputs that are means of several rows


def with_parts(matrices, arguments, lengths, seed=3):
    """The model, where each word is the mean of its own row and some shared ones."""
    rng = np.random.default_rng(seed)
    n_words, n_shared = matrices.shape[1], 30
    sizes = rng.choice(lengths, size=n_words)
    parts = [
        [word, *(n_words + rng.choice(n_shared, size=size))]
        for word, size in enumerate(sizes)
    ]
    shared = matrices[0, rng.choice(n_words, size=n_shared)]
    return [np.vstack([matrices[0], shared]), matrices[1]], {
        **arguments,
        "part_offsets": np.cumsum([0, *map(len, parts)]),
        "parts": np.concatenate(parts).astype(np.int32),
    }


@all_modes
@pytest.mark.parametrize("window", [1, 3, 5, 60])
def test_means_of_rows(architecture, loss, window, wide):
    ids, offsets = make_documents(LENGTHS)
    counts = make_counts(ids)
    model = make_model(architecture, loss, counts, window=window, subsample=0.1)
    model = with_parts(*model, lengths=[0, 1, 2, 9])
    assert_learns_the_same(*model, ids, offsets, wide=wide, rate=0.02)
    for start, stop in [(0, 5), (5, 31), (87, 88)]:
        assert_same(*model, ids, offsets, start, stop, wide=wide, rate=0.02)


@all_modes
def test_means_of_one_row(architecture, loss):
    """With means of one row that stands in no window twice, nothing changes."""
    ids = np.arange(40, dtype=np.int32)
    offsets = np.array([0, 12, 40])
    matrices, arguments = make_model(architecture, loss, np.full(40, 1), window=3)
    plain, *_ = run_kernel(matrices, arguments, ids, offsets)
    parts = {"part_offsets": np.arange(41), "parts": np.arange(40, dtype=np.int32)}
    means, *_ = run_kernel(matrices, {**arguments, **parts}, ids, offsets)
    # The change of a row is rounded once more.
    assert_allclose(means, plain, rtol=0, atol=STEP_TOLERANCE)
    assert np.abs(plain - matrices).max() > 0.01


def test_means_of_many_rows_over_many_blocks(wide):
    """More rows than are fetched ahead, more words than are read at a time."""
    ids, offsets = make_documents([2100, 1, 300])
    counts = make_counts(ids)
    model = make_model("skip-gram", "noise", counts, vector_size=8, window=2)
    model = with_parts(*model, lengths=[3, 100])
    assert_learns_the_same(
        *model, ids, offsets, wide=wide, rate=2e-4, rate_decay=0.0, atol=1e-4
    )


# Refusals and requests


def test_rows_must_be_padded():
    ids, _ = make_documents(LENGTHS)
    matrices, arguments = make_model("cbow", "tree", make_counts(ids), vector_size=8)
    arguments["vector_size"] = 9
    with pytest.raises(ValueError, match="padded to 16 floats"):
        Trainer(*matrices, **arguments)


def test_stop_flag():
    ids, offsets = make_documents(LENGTHS)
    matrices, arguments = make_model("skip-gram", "noise", make_counts(ids))
    trained, totals, states = run_kernel(matrices, arguments, ids, offsets, stop_now=1)
    assert_array_equal(trained, matrices)
    assert_array_equal(totals, 0)
    assert states.tolist() == [7, 8]


# Copies of the most trained rows


def moved_outputs(loss, n_tokens, n_workers):
    """How far a single step in each direction moves the outputs, which start at zero.

    The steps are so small that they add up: no score is far from zero.
    """
    rng = np.random.default_rng(5)
    ids = rng.integers(0, 300, size=n_tokens, dtype=np.int32)
    matrices, arguments = make_model(
        "skip-gram", loss, np.full(300, 1000), vector_size=8, subsample=0
    )
    matrices[1] = 0
    model = matrices, {**arguments, "n_workers": n_workers}
    trained, _, _ = run_kernel(*model, ids, np.array([0, n_tokens]), rate=1e-9)
    return trained[1]


@pytest.mark.parametrize("loss", ["noise", "tree"])
def test_worker_brings_its_share_to_the_first_rows(loss):
    alone = moved_outputs(loss, 150_000, n_workers=1)
    among_four = moved_outputs(loss, 150_000, n_workers=4)
    atol = 1e-5 * np.abs(alone).max()
    assert_allclose(among_four[:256], alone[:256] / 4, rtol=1e-3, atol=atol)
    assert_allclose(among_four[256:], alone[256:], rtol=1e-3, atol=atol)
    assert np.abs(alone[:299]).max(axis=1).min() > 50 * atol


def test_short_slices_are_trained_without_copies():
    alone = moved_outputs("noise", 20_000, n_workers=1)
    assert_array_equal(moved_outputs("noise", 20_000, n_workers=4), alone)
