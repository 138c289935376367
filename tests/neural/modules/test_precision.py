"""All modules under bfloat16 autocast, and pickled."""

import pickle

import pytest
import torch

from skml.neural import modules
from skml.neural.modules import (
    AdditiveAttention,
    DotProductAttention,
    KeyValueCache,
    MultiHeadAttention,
    PositionalEncoding,
    RecurrentDecoder,
    RecurrentEncoder,
    TransformerDecoder,
    TransformerEncoder,
)

N, T, SIZE = 3, 5, 16
MASK = torch.arange(T) < torch.tensor([[5], [2], [0]])
LENGTHS = torch.tensor([5, 2, 3])


def recurrent(cell, attention):
    encoder = RecurrentEncoder(SIZE, SIZE, 2, cell, bidirectional=True)
    decoder = RecurrentDecoder(
        SIZE, SIZE, encoder.output_size, 2, cell, attention=attention
    )
    both = torch.nn.ModuleList([encoder, decoder])

    def run(x, lengths=LENGTHS):
        memory, state = encoder(x, lengths)
        projected = decoder.project_memory(memory) if attention else None
        first, state = decoder(x[:, :2], state, memory, projected_memory=projected)
        rest, _ = decoder(x[:, 2:], state, memory, MASK)
        return torch.cat([first, rest], dim=1)

    return both, run


def transformer(norm_first):
    encoder = TransformerEncoder(2, SIZE, 2, 32, norm_first=norm_first)
    decoder = TransformerDecoder(2, SIZE, 2, 32, norm_first=norm_first)
    both = torch.nn.ModuleList([encoder, decoder])

    def run(x):
        cache = decoder.new_cache(encoder(x, MASK), MASK)
        return torch.cat([decoder(x[:, [t]], cache=cache) for t in range(T)], dim=1)

    return both, run


def multi_head(return_weights):
    attend = MultiHeadAttention(SIZE, 2)

    def run(x):
        found = attend(
            x,
            mask=MASK,
            is_causal=True,
            cache=KeyValueCache(),
            return_weights=return_weights,
        )
        return found[0] if return_weights else found

    return attend, run


def single_head(attend):
    return attend, lambda x: attend(x, x, x, MASK)[0]


CASES = {
    "dot-product": lambda: single_head(DotProductAttention()),
    "additive": lambda: single_head(AdditiveAttention(SIZE, SIZE, SIZE)),
    "multi-head": lambda: multi_head(return_weights=False),
    "multi-head, weights": lambda: multi_head(return_weights=True),
    "positions": lambda: (add := PositionalEncoding(SIZE, kind="learned"), add),
    "transformer": lambda: transformer(norm_first=True),
    "transformer, norm last": lambda: transformer(norm_first=False),
    **{
        f"{cell}, {attention}": lambda c=cell, a=attention: recurrent(c, a)
        for cell in ("gru", "lstm")
        for attention in (None, "additive", "dot-product")
    },
}


def skip_what_pytorch_lacks(case):
    """On processors without AVX-512 there is no LSTM under autocast."""
    if "lstm" in case:
        try:
            with torch.autocast("cpu", dtype=torch.bfloat16):
                torch.nn.LSTM(1, 1)(torch.ones(1, 1))
        except RuntimeError as error:
            pytest.skip(f"PyTorch, on this processor: {error}")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("gradients", [False, True])
def test_half_precision_is_nearly_as_good(case, gradients):
    skip_what_pytorch_lacks(case)
    module, run = CASES[case]()
    x = torch.randn(N, T, SIZE, requires_grad=gradients)
    expected = run(x)
    with (
        torch.set_grad_enabled(gradients),
        torch.autocast("cpu", dtype=torch.bfloat16),
    ):
        found = run(x)
        total = found.float().square().sum()
    assert torch.isfinite(found).all()
    assert (found - expected).abs().max() < 0.1
    if gradients:
        total.backward()
        assert x.grad.dtype == torch.float32
        for gradient in (x.grad, *(p.grad for p in module.parameters())):
            assert gradient is None or torch.isfinite(gradient).all()


@pytest.mark.parametrize("case", ["gru, additive", "lstm, dot-product"])
def test_equal_lengths_in_half_precision(case):
    """Where nothing is packed, PyTorch takes another kernel."""
    skip_what_pytorch_lacks(case)
    _, run = CASES[case]()
    x = torch.randn(N, T, SIZE)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = run(x, lengths=None)
    assert (found - run(x, lengths=None)).abs().max() < 0.1


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_modules_that_are_converted(case, dtype):
    module, run = CASES[case]()
    x = torch.randn(N, T, SIZE)
    expected = run(x)
    module.to(dtype)
    found = run(x.to(dtype))
    assert found.dtype == dtype
    assert (found - expected).abs().max() < 0.1
    if found.requires_grad:
        found.sum().backward()
    for parameter in module.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


@pytest.mark.parametrize("case", CASES)
def test_pickle_keeps_the_parameters(case):
    module, _ = CASES[case]()
    again = pickle.loads(pickle.dumps(module))
    for name, value in module.state_dict().items():
        assert torch.equal(again.state_dict()[name], value)


def test_all_names_are_there():
    assert sorted(modules.__all__) == modules.__all__
    assert all(hasattr(modules, name) for name in modules.__all__)
