"""The search for likely sequences, against slow twins without caches or beams."""

import pytest
import torch
from numpy.testing import assert_allclose

from skml.neural._codec import END, PADDING, START, UNKNOWN
from skml.neural._torch._search import search
from skml.neural.modules import RecurrentEncoderDecoder, TransformerEncoderDecoder
from skml.neural.modules._encoder_decoder import Memory

N_SOURCE, N_TARGET = 9, 7  # three target ids that are not special
SIZES = {"embedding_size": 6, "hidden_size": 8}
RECURRENT = [
    {"cell": cell, "attention": attention, **SIZES}
    for cell in ("gru", "lstm")
    for attention in (None, "additive", "dot-product")
]
TRANSFORMERS = [
    {"norm_first": norm_first, "positions": positions}
    for norm_first, positions in ((True, "sinusoidal"), (False, "learned"))
]
NETWORKS = [
    *[(RecurrentEncoderDecoder, options) for options in RECURRENT],
    (RecurrentEncoderDecoder, {**SIZES, "n_layers": 2, "bidirectional": False}),
    *[
        (
            TransformerEncoderDecoder,
            {
                "model_size": 8,
                "n_heads": 2,
                "n_layers": 2,
                "feed_forward_size": 16,
                **options,
            },
        )
        for options in TRANSFORMERS
    ],
]
FEW = [NETWORKS[2], NETWORKS[3], NETWORKS[-2]]


def name_of(network):
    cls, options = network
    shown = [str(v) for k, v in options.items() if k not in {*SIZES, "model_size"}]
    return "-".join([cls.__name__.removesuffix("EncoderDecoder"), *shown])


networks = pytest.mark.parametrize("network", NETWORKS, ids=name_of)
few_networks = pytest.mark.parametrize("network", FEW, ids=name_of)


def make(network, sharpness=4.0, end=0.0):
    """A network that is not trained, but has opinions."""
    cls, options = network
    made = cls(N_SOURCE, N_TARGET, **options).eval()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
        made.output_weight.mul_(sharpness)
        made.output_bias[END] += end
    return made


def read(network, lengths=(5, 3, 1, 4)):
    source = torch.randint(4, N_SOURCE, (len(lengths), max(lengths)))
    lengths = torch.tensor(lengths)
    source[torch.arange(source.shape[1]) >= lengths[:, None]] = PADDING
    with torch.no_grad():
        return source, lengths, network.encode(source, lengths)


def one_of(memory, row):
    return memory.take(torch.tensor([row]))


@torch.no_grad()
def log_probabilities_of_all(network, memory, ids):
    """Those of all next ids, after each prefix."""
    features = network.decode(torch.tensor([[START, *ids]]), memory)
    log_proba = network.logits(features)[0].log_softmax(dim=-1)
    log_proba[:, [PADDING, UNKNOWN, START]] = -torch.inf
    return log_proba


def log_probabilities(network, memory, ids):
    """Those of all next ids, from the whole prefix."""
    return log_probabilities_of_all(network, memory, ids)[-1]


def greedy(network, memory, limit):
    ids, total = [], 0.0
    while len(ids) < limit:
        log_proba = log_probabilities(network, memory, ids)
        best = int(log_proba.argmax())
        total += float(log_proba[best])
        if best == END:
            return ids, total
        ids.append(best)
    return ids, total


def all_sequences(network, memory, limit):
    """Log-likelihoods of all sequences up to a limit, at which they need no end."""
    prefixes, found = {(): 0.0}, {}
    for n_ids in range(limit):
        longer = {}
        for ids, total in prefixes.items():
            log_proba = log_probabilities(network, memory, ids)
            found[ids] = total + float(log_proba[END]), n_ids + 1
            for token in range(4, N_TARGET):
                longer[*ids, token] = total + float(log_proba[token])
        prefixes = longer
    return found | {ids: (total, limit) for ids, total in prefixes.items()}


@networks
def test_features_step_by_step_are_those_of_the_whole(network):
    made = make(network)
    _, _, memory = read(made)
    target = torch.randint(4, N_TARGET, (4, 6))
    target[:, 0] = START
    with torch.no_grad():
        expected = made.decode(target, memory)
        state = made.start(memory)
        found = [made.step(target[:, at], state) for at in range(6)]
    assert_allclose(torch.stack(found, dim=1), expected, atol=1e-5)


@networks
def test_features_of_reordered_sequences(network):
    made = make(network)
    _, _, memory = read(made)
    target = torch.randint(4, N_TARGET, (6, 5))
    index = torch.tensor([0, 0, 2, 3, 2, 1])
    within = torch.tensor([1, 0, 2, 3, 4, 5])  # both of the same source
    target[:, 0] = target[index.tolist().index(0), 0]
    with torch.no_grad():
        state = made.start(memory)
        made.step(target[:4, 0], state)
        state.reorder(index)
        made.step(target[:, 1], state)
        state.reorder(within, with_memory=False)
        found = made.step(target[:, 2], state)
        prefix = torch.cat([target[:, :2][within], target[:, 2:3]], dim=1)
        expected = made.decode(prefix, memory.take(index))[:, -1]
    assert_allclose(found, expected, atol=1e-5)


@networks
def test_greedy_takes_the_likeliest_id_each_time(network):
    made = make(network, sharpness=2.0, end=4.0)
    _, _, memory = read(made)
    limits, n_ids = [7, 2, 9, 5], set()
    for _ in range(3):  # it likes the end less and less
        found = search(made, memory, limits, beam_size=1, length_penalty=1.0)
        for row, (hypothesis,) in enumerate(found):
            ids, total = greedy(made, one_of(memory, row), limits[row])
            assert hypothesis.ids == ids
            length = len(ids) + (len(ids) < limits[row])
            assert hypothesis.score == pytest.approx(total / length, abs=1e-5)
            n_ids.add(len(ids))
        with torch.no_grad():
            made.output_bias[END] -= 4.0
    assert len(n_ids) > 2


class Scripted:
    """Writes by the odds of each position, whatever stands before."""

    class State:
        def __init__(self):
            self.position = 0

        def reorder(self, index, *, with_memory=True):
            pass

    def __init__(self, odds):
        odds = torch.tensor(odds)
        self.table = torch.full((len(odds), 4 + odds.shape[1] - 1), 1e-30)
        self.table[:, END] = odds[:, 0]
        self.table[:, 4:] = odds[:, 1:]

    def start(self, memory):
        return self.State()

    def step(self, tokens, state):
        state.position += 1
        return self.table[state.position - 1].log().expand(len(tokens), -1)

    def logits(self, features):
        return features.clone()


@pytest.mark.parametrize("beam_size", [1, 2, 3, 5])
def test_hasty_ends_do_not_end_the_search(beam_size):
    # Second to the likeliest id there is always the end: hypotheses that are poor.
    network = Scripted([[0.09, 0.9, 0.01]] * 6 + [[1.0, 0.0, 0.0]])
    memory = Memory(torch.zeros(1, 1, 1), torch.ones(1, 1, dtype=torch.bool))
    ((found,),) = search(network, memory, [7], beam_size=beam_size, length_penalty=1.0)
    assert found.ids == [4] * 6
    expected = 6 * torch.tensor(0.9).log().item() / 7
    assert found.score == pytest.approx(expected, abs=1e-5)


@few_networks
def test_a_wide_beam_finds_the_best_of_all(network):
    made, limit = make(network, end=1.0), 3
    _, _, memory = read(made)
    n_all = sum(3**n for n in range(limit + 1))
    options = {"beam_size": n_all, "n_best": n_all}
    totals = [all_sequences(made, one_of(memory, row), limit) for row in range(4)]
    for penalty in (0.0, 1.0, 0.6):
        limits = [limit] * 4
        found = search(made, memory, limits, length_penalty=penalty, **options)
        for of_row, hypotheses in zip(totals, found, strict=True):
            expected = {ids: total / n**penalty for ids, (total, n) in of_row.items()}
            scores = {tuple(h.ids): h.score for h in hypotheses}
            assert len(hypotheses) == len(scores) == n_all  # each once
            assert scores.keys() == expected.keys()
            assert_allclose(
                [scores[ids] for ids in expected], list(expected.values()), atol=1e-4
            )
            assert hypotheses[0].ids == list(max(expected, key=expected.get))


@few_networks
def test_probabilities_of_all_sequences_sum_to_less_than_one(network):
    made = make(network)
    _, _, memory = read(made)
    n_all = sum(3**n for n in range(4))
    found = search(
        made, memory, [3] * 4, beam_size=n_all, length_penalty=0.0, n_best=n_all
    )
    for row, hypotheses in enumerate(found):
        scores = {tuple(h.ids): h.score for h in hypotheses}
        first = log_probabilities(made, one_of(memory, row), [])
        assert scores[()] == pytest.approx(first[END].item(), abs=1e-5)
        # What is never written has a share as well, at each step.
        assert torch.tensor(list(scores.values())).exp().sum() < 1


@few_networks
def test_a_wider_beam_is_no_worse(network):
    # Of greedy search's own sequence it is not certain; of the best of all it is.
    made = make(network, sharpness=1.0)
    _, _, memory = read(made)
    best = [
        search(made, memory, [4] * 4, beam_size=k, length_penalty=0.0) for k in (1, 200)
    ]
    for (narrow,), (wide,) in zip(*best, strict=True):
        assert wide.score >= narrow.score - 1e-5


@networks
def test_scores_are_of_the_ids(network):
    made = make(network)
    _, _, memory = read(made)
    limits = [7, 5, 9, 6]
    found = search(made, memory, limits, beam_size=4, length_penalty=1.0, n_best=4)
    for row, hypotheses in enumerate(found):
        for score, ids, is_cut in hypotheses:
            assert not is_cut or len(ids) == limits[row]
            whole = ids if is_cut else [*ids, END]
            log_proba = log_probabilities_of_all(made, one_of(memory, row), ids)
            mean = log_proba[range(len(whole)), whole].mean()
            assert score == pytest.approx(float(mean), abs=1e-5)


@few_networks
@pytest.mark.parametrize("beam_size", [1, 3])
def test_limits_of_each(network, beam_size):
    made = make(network, end=-100.0)  # that never ends by itself
    _, _, memory = read(made)
    limits = [4, 1, 7, 2]
    found = search(made, memory, limits, beam_size=beam_size, length_penalty=1.0)
    assert [len(hypothesis.ids) for (hypothesis,) in found] == limits


@few_networks
def test_what_ends_at_once_is_empty(network):
    made = make(network, end=200.0)
    _, _, memory = read(made)
    for beam_size in (1, 3):
        found = search(made, memory, [5] * 4, beam_size=beam_size, length_penalty=1.0)
        assert [hypothesis.ids for (hypothesis,) in found] == [[]] * 4


@few_networks
def test_the_best_come_first(network):
    made = make(network)
    _, _, memory = read(made)
    options = {"beam_size": 5, "length_penalty": 1.0}
    found = search(made, memory, [8] * 4, n_best=5, **options)
    for hypotheses in found:
        scores = [h.score for h in hypotheses]
        assert scores == sorted(scores, reverse=True)
        assert len({tuple(h.ids) for h in hypotheses}) == len(hypotheses) == 5
    for n_best in (1, 3):
        fewer = search(made, memory, [8] * 4, n_best=n_best, **options)
        assert fewer == [hypotheses[:n_best] for hypotheses in found]


@pytest.mark.parametrize(
    ("network", "beam_size"),
    [*[(network, 3) for network in NETWORKS], *[(network, 1) for network in FEW]],
)
def test_other_sequences_and_padding_change_nothing(network, beam_size):
    made = make(network)
    source, lengths, memory = read(made)
    limits = [8, 6, 3, 7]
    options = {"beam_size": beam_size, "length_penalty": 1.0, "n_best": beam_size}
    together = search(made, memory, limits, **options)
    padded = torch.cat([source, torch.zeros(4, 5, dtype=torch.int64)], dim=1)
    with torch.no_grad():
        padded = search(made, made.encode(padded, lengths), limits, **options)
    backwards = search(
        made, memory.take(torch.tensor([3, 2, 1, 0])), limits[::-1], **options
    )
    for row in range(4):
        own = source[row : row + 1, : lengths[row]]
        with torch.no_grad():
            alone = made.encode(own, lengths[row : row + 1])
        (expected,) = search(made, alone, limits[row : row + 1], **options)
        for found in (together[row], padded[row], backwards[3 - row]):
            assert [h.ids for h in found] == [h.ids for h in expected]
            assert_allclose(
                [h.score for h in found], [h.score for h in expected], atol=1e-5
            )


@networks
def test_special_ids_are_not_written(network):
    made = make(network)
    with torch.no_grad():
        made.output_bias[[PADDING, UNKNOWN, START]] += 50.0
    _, _, memory = read(made)
    for beam_size in (1, 4):
        found = search(
            made,
            memory,
            [6] * 4,
            beam_size=beam_size,
            length_penalty=1.0,
            n_best=beam_size,
        )
        ids = {i for hypotheses in found for h in hypotheses for i in h.ids}
        assert ids <= {4, 5, 6}


def test_the_penalty_favours_long_sequences():
    made = make(FEW[1], sharpness=2.0, end=1.0)
    _, _, memory = read(made, lengths=[5] * 8)
    n_ids = [
        sum(
            len(found[0].ids)
            for found in search(
                made, memory, [6] * 8, beam_size=30, length_penalty=length_penalty
            )
        )
        for length_penalty in (0.0, 1.0, 3.0)
    ]
    assert n_ids == sorted(n_ids)
    assert n_ids[0] < n_ids[-1]


def test_a_beam_wider_than_the_vocabulary():
    cls, options = FEW[0]
    made = cls(N_SOURCE, 5, **options).eval()  # a single id, and the end
    _, _, memory = read(made)
    found = search(made, memory, [3] * 4, beam_size=20, length_penalty=0.0, n_best=20)
    for hypotheses in found:
        assert sorted(h.ids for h in hypotheses) == [[], [4], [4, 4], [4, 4, 4]]


def test_no_sequence():
    made = make(FEW[0])
    _, _, memory = read(made)
    nothing = memory.take(torch.empty(0, dtype=torch.int64))
    assert search(made, nothing, [], beam_size=2, length_penalty=1.0) == []
