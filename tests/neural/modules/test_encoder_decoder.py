"""Encoders and decoders of ids, put together."""

import pytest
import torch

from skml.neural.modules import RecurrentEncoderDecoder, TransformerEncoderDecoder
from tests.neural.modules.twins import close, shake

N_SOURCE, N_TARGET = 11, 9
RECURRENT = [
    {"cell": cell, "attention": attention, "hidden_size": 8, "embedding_size": size}
    for cell in ("gru", "lstm")
    for attention in (None, "additive", "dot-product")
    for size in ((6, 8) if cell == "gru" else (6,))
]
MORE = {"n_layers": 2, "bidirectional": False, "hidden_size": 8, "embedding_size": 6}
SMALL = {"model_size": 8, "n_heads": 2, "n_layers": 2, "feed_forward_size": 16}
TRANSFORMERS = [
    {**SMALL, "norm_first": norm_first, "positions": positions}
    for norm_first in (True, False)
    for positions in ("sinusoidal", "learned")
]
NETWORKS = [
    *((RecurrentEncoderDecoder, options) for options in [*RECURRENT, MORE]),
    *((TransformerEncoderDecoder, options) for options in TRANSFORMERS),
]


def name_of(network):
    cls, options = network
    shown = "-".join(str(value) for value in options.values())
    return f"{cls.__name__.removesuffix('EncoderDecoder')}-{shown}"


networks = pytest.mark.parametrize("network", NETWORKS, ids=name_of)
attending = pytest.mark.parametrize(
    "network",
    [network for network in NETWORKS if network[1].get("attention", "") is not None],
    ids=name_of,
)


def make(network, **options):
    cls, own = network
    return shake(cls(N_SOURCE, N_TARGET, **own, **options)).eval()


def data(n_target=6):
    lengths = torch.tensor([5, 2, 1])
    source = torch.randint(4, N_SOURCE, (3, 5))
    source[torch.arange(5) >= lengths[:, None]] = 0
    return source, lengths, torch.randint(4, N_TARGET, (3, n_target))


@networks
@pytest.mark.parametrize("tie_embeddings", [True, False])
def test_shapes(network, tie_embeddings):
    made = make(network, tie_embeddings=tie_embeddings)
    source, lengths, target = data()
    memory = made.encode(source, lengths)
    assert memory.outputs.shape[:2] == (3, 5)
    assert memory.mask.tolist() == [[n > at for at in range(5)] for n in (5, 2, 1)]
    features = made(source, lengths, target)
    assert features.shape == (3, 6, 8)
    assert torch.equal(features, made.decode(target, memory))
    assert made.logits(features).shape == (3, 6, N_TARGET)
    assert made.step(target[:, 0], made.start(memory)).shape == (3, 8)


@networks
def test_tied_embeddings_are_one(network):
    made = make(network)
    assert made.output_weight is made.target_embedding.weight
    n_tied = sum(p.numel() for p in made.parameters())
    untied = make(network, tie_embeddings=False)
    assert untied.output_weight is not untied.target_embedding.weight
    width = made.target_embedding.embedding_dim
    n_saved = N_TARGET * 8
    if width != 8:  # features are mapped to embeddings
        n_saved -= 8 * width + width
    assert sum(p.numel() for p in untied.parameters()) - n_tied == n_saved


@networks
def test_tied_embeddings_stay_one_when_they_learn(network):
    made = make(network).train()
    source, lengths, target = data()
    optimizer = torch.optim.SGD(made.parameters(), lr=0.1)
    made.logits(made(source, lengths, target)).logsumexp(dim=-1).sum().backward()
    optimizer.step()
    assert torch.equal(made.output_weight, made.target_embedding.weight)
    again = make(network)
    again.load_state_dict(made.state_dict())
    assert again.output_weight is again.target_embedding.weight


@networks
def test_padding_of_sources_changes_nothing(network):
    made = make(network)
    source, lengths, target = data()
    expected = made(source, lengths, target)
    wide = torch.cat([source, torch.zeros(3, 4, dtype=torch.int64)], dim=1)
    close(made(wide, lengths, target), expected)
    noise = torch.where(wide == 0, torch.randint(4, N_SOURCE, wide.shape), wide)
    close(made(noise, lengths, target), expected)
    for row, n in enumerate(lengths.tolist()):
        one = slice(row, row + 1)
        alone = made(source[one, :n], lengths[one], target[one])
        close(alone, expected[one])


@networks
def test_padding_of_targets_changes_nothing(network):
    made = make(network)
    source, lengths, target = data()
    expected = made(source, lengths, target)
    wide = torch.cat([target, torch.zeros(3, 4, dtype=torch.int64)], dim=1)
    close(made(source, lengths, wide)[:, :6], expected)


@networks
@pytest.mark.parametrize("at", [1, 4])
def test_later_ids_are_not_seen(network, at):
    made = make(network)
    source, lengths, target = data()
    other = target.clone()
    other[:, at:] = 4 + (other[:, at:] - 3) % (N_TARGET - 4)
    before, after = made(source, lengths, target), made(source, lengths, other)
    close(before[:, :at], after[:, :at], atol=1e-6)
    difference = (before - after).abs().amax(dim=-1)
    assert (difference[:, at:] > 1e-4).all()


@networks
def test_all_of_a_source_is_seen(network):
    made = make(network)
    source, lengths, target = data()
    expected = made(source, lengths, target)
    for at in range(5):
        other = source.clone()
        other[0, at] = 4 + (other[0, at] - 3) % (N_SOURCE - 4)
        found = made(other, lengths, target)
        assert (found[0] - expected[0]).abs().max() > 1e-5
        close(found[1:], expected[1:], atol=1e-6)


@networks
def test_order_of_a_source_matters(network):
    made = make(network)
    source, lengths, target = (
        torch.tensor([[4, 5, 6]]),
        torch.tensor([3]),
        data()[2][:1],
    )
    swapped = torch.tensor([[5, 4, 6]])
    difference = made(source, lengths, target) - made(swapped, lengths, target)
    assert difference.abs().max() > 1e-4


@networks
def test_all_parameters_learn(network):
    made = make(network).train()
    source, lengths, target = data()
    # Behind a norm at the end, the sum of features would be constant.
    made.logits(made(source, lengths, target)).logsumexp(dim=-1).sum().backward()
    idle = [
        name
        for name, p in made.named_parameters()
        if p.grad is None or not p.grad.abs().max() > 0
    ]
    assert idle == []


@networks
def test_dropout_is_of_training_only(network):
    made = make(network, dropout=0.5)
    source, lengths, target = data()
    assert torch.equal(made(source, lengths, target), made(source, lengths, target))
    made.train()
    assert not torch.equal(made(source, lengths, target), made(source, lengths, target))


@attending
def test_attention_weights(network):
    made = make(network)
    source, lengths, target = data()
    memory = made.encode(source, lengths)
    features, weights = made.decode(target, memory, return_weights=True)
    close(features, made.decode(target, memory), atol=1e-6)
    assert weights.shape == (3, 6, 5)
    close(weights.sum(dim=-1), torch.ones(3, 6), atol=1e-6)
    for row, n in enumerate(lengths.tolist()):
        assert (weights[row, :, n:] == 0).all()
        assert (weights[row, :, :n] > 0).all()


def test_without_attention_there_are_no_weights():
    made = make((RecurrentEncoderDecoder, {**MORE, "attention": None}))
    source, lengths, target = data()
    with pytest.raises(ValueError, match="no attention, and so there are no weights"):
        made.decode(target, made.encode(source, lengths), return_weights=True)


def test_memory_of_some_sequences():
    for network in NETWORKS:
        made = make(network)
        source, lengths, target = data()
        index = torch.tensor([2, 0, 0, 1])
        memory = made.encode(source, lengths).take(index)
        expected = made(source, lengths, target)[index]
        close(made.decode(target[index], memory), expected)


# Teacher forcing

recurrent = pytest.mark.parametrize(
    "network",
    [network for network in NETWORKS if network[0] is RecurrentEncoderDecoder],
    ids=name_of,
)


@recurrent
def test_always_forced_is_all_at_once(network):
    made = make(network)
    source, lengths, target = data()
    expected = made(source, lengths, target)
    assert torch.equal(
        made(source, lengths, target, teacher_forcing_ratio=1.0), expected
    )
    # Numbers drawn are below this ratio, which yet takes the other way.
    almost = 1 - 1e-12
    found = made(source, lengths, target, teacher_forcing_ratio=almost)
    close(found, expected)


@recurrent
def test_never_forced_it_reads_what_it_writes(network):
    made = make(network)
    source, lengths, target = data()
    found = made(source, lengths, target, teacher_forcing_ratio=0.0)
    written = made.logits(found).argmax(dim=-1)
    own = torch.cat([target[:, :1], written[:, :-1]], dim=1)
    close(found, made(source, lengths, own))
    # Of the targets it needs no more than the first, and their length.
    blank = torch.cat([target[:, :1], torch.full((3, 5), 4)], dim=1)
    close(made(source, lengths, blank, teacher_forcing_ratio=0.0), found)


@recurrent
def test_sometimes_forced(network):
    made = make(network)
    source, lengths, target = data(n_target=14)
    found = made(source, lengths, target, teacher_forcing_ratio=0.5)
    written = made.logits(found).argmax(dim=-1)
    # Position by position all sequences read the targets, or what was written.
    read, n_forced = target[:, :1], 0
    for at in range(1, 14):
        ways = [
            torch.cat([read, last[:, None]], dim=1)
            for last in (target[:, at], written[:, at - 1])
        ]
        fits = [
            torch.allclose(made(source, lengths, way)[:, at], found[:, at], atol=1e-5)
            for way in ways
        ]
        assert any(fits)
        n_forced += fits[0] and not fits[1]
        read = ways[0] if fits[0] else ways[1]
    assert 0 < n_forced < 13


@recurrent
def test_free_decoding_learns(network):
    made = make(network).train()
    source, lengths, target = data()
    features = made(source, lengths, target, teacher_forcing_ratio=0.0)
    made.logits(features).logsumexp(dim=-1).sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in made.parameters())
