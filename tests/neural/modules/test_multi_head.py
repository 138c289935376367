"""Attention in several heads: against torch and the functions on arrays."""

import pytest
import torch
from numpy.testing import assert_allclose

from skml.attention import multi_head_attention
from skml.neural.modules import KeyValueCache, MultiHeadAttention
from tests.neural.modules.twins import close, copy_attention, shake

SIZE, N_HEADS = 8, 2


@pytest.fixture
def attend():
    """With biases that are not zeros, as after training."""
    return shake(MultiHeadAttention(SIZE, N_HEADS))


def copy_to_torch(attend):
    """PyTorch's own module, with the same weights."""
    twin = torch.nn.MultiheadAttention(SIZE, N_HEADS, batch_first=True)
    copy_attention(attend, twin)
    return twin


def random_mask(*shape):
    mask = torch.rand(shape) < 0.6
    mask[..., 0] = True
    return mask


@pytest.mark.parametrize("n_mask_dimensions", [None, 2, 3])
@pytest.mark.parametrize("return_weights", [False, True])
def test_it_is_that_of_torch(attend, n_mask_dimensions, return_weights):
    queries, keys, values = (torch.randn(3, n, SIZE) for n in (4, 5, 5))
    mask = options = None
    if n_mask_dimensions == 2:
        mask = random_mask(3, 5)
        options = {"key_padding_mask": ~mask}
    elif n_mask_dimensions == 3:
        mask = random_mask(3, 4, 5)
        options = {"attn_mask": ~mask.repeat_interleave(N_HEADS, dim=0)}
    expected, expected_weights = copy_to_torch(attend)(
        queries, keys, values, average_attn_weights=False, **(options or {})
    )
    found = attend(queries, keys, values, mask, return_weights=return_weights)
    if return_weights:
        found, weights = found
        close(weights, expected_weights)
    close(found, expected)


@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("padded", [False, True])
def test_causal_attention_is_that_of_torch(attend, return_weights, padded):
    x = torch.randn(2, 5, SIZE)
    later = torch.ones(5, 5, dtype=torch.bool).triu(1)
    mask = torch.tensor([[True] * 5, [True] * 3 + [False] * 2]) if padded else None
    expected, _ = copy_to_torch(attend)(
        x, x, x, attn_mask=later, key_padding_mask=None if mask is None else ~mask
    )
    found = attend(x, mask=mask, is_causal=True, return_weights=return_weights)
    close(found[0] if return_weights else found, expected)


def test_it_is_that_of_arrays_where_nothing_is_seen(attend):
    queries, keys = torch.randn(2, 3, SIZE), torch.randn(2, 4, SIZE)
    mask = random_mask(2, 3, 4)
    mask[0, 1] = False
    arrays = {name: value.numpy() for name, value in attend.state_dict().items()}
    projections = {
        f"{name}_{ours}": arrays[f"{name}_map.{theirs}"].T
        for name in ("query", "key", "value", "output")
        for ours, theirs in (("weights", "weight"), ("bias", "bias"))
    }
    expected, expected_weights = multi_head_attention(
        queries.numpy(),
        keys.numpy(),
        keys.numpy(),
        n_heads=N_HEADS,
        mask=mask[:, None].numpy(),
        return_weights=True,
        **projections,
    )
    with torch.no_grad():
        found, weights = attend(queries, keys, mask=mask, return_weights=True)
        fast = attend(queries, keys, mask=mask)
    assert_allclose(weights, expected_weights, atol=1e-6)
    assert_allclose(found, expected, atol=1e-5)
    assert_allclose(fast, expected, atol=1e-5)


@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("is_causal", [False, True])
def test_who_sees_nothing_finds_zeros(return_weights, is_causal):
    attend = MultiHeadAttention(SIZE, N_HEADS)
    x = torch.randn(2, 4, SIZE, requires_grad=True)
    mask = torch.ones(2, 4, 4, dtype=torch.bool)
    mask[0, 2] = mask[1] = False
    with torch.autograd.set_detect_anomaly(True):
        found = attend(x, mask=mask, is_causal=is_causal, return_weights=return_weights)
        found = found[0] if return_weights else found
        (found**2).sum().backward()
    # Biases begin as zeros.
    assert (found[0, 2] == 0).all()
    assert (found[1] == 0).all()
    assert (found[0, 3] != 0).all()
    for gradient in (x.grad, *(p.grad for p in attend.parameters())):
        assert torch.isfinite(gradient).all()
    assert (x.grad[1] == 0).all()
    assert (x.grad[0] != 0).all()


def test_who_sees_nothing_finds_zeros_whatever_the_kernel(monkeypatch):
    """Kernels differ in what they make of a row of minus infinities."""

    def with_nan(queries, keys, values, attn_mask, dropout_p):
        scores = queries @ keys.mT / queries.shape[-1] ** 0.5
        return torch.softmax(scores.where(attn_mask, -torch.inf), dim=-1) @ values

    mask = torch.tensor([[True, False, True], [False, False, False]])
    attend, x = MultiHeadAttention(SIZE, N_HEADS), torch.randn(2, 3, SIZE)
    expected = attend(x, mask=mask)
    name = "torch.nn.functional.scaled_dot_product_attention"
    monkeypatch.setattr(name, with_nan)
    found = attend(x, mask=mask)
    close(found, expected)
    found.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in attend.parameters())


@pytest.mark.parametrize("return_weights", [False, True])
def test_no_position_sees_a_later_one(attend, return_weights):
    x = torch.randn(2, 6, SIZE)
    changed = x.clone()
    changed[:, 4:] = torch.randn(2, 2, SIZE)
    options = {"is_causal": True, "return_weights": return_weights}
    before, after = attend(x, **options), attend(changed, **options)
    if return_weights:
        before, after = before[0], after[0]
    close(before[:, :4], after[:, :4], atol=1e-6)
    assert (before[:, 4:] - after[:, 4:]).abs().max() > 0.1


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("return_weights", [False, True])
def test_gradients_are_finite_differences(masked, return_weights):
    attend = MultiHeadAttention(4, 2).double()
    x = torch.randn(2, 3, 4, dtype=torch.float64, requires_grad=True)
    memory = torch.randn(2, 2, 4, dtype=torch.float64, requires_grad=True)
    mask = torch.tensor([[True, True], [False, False]]) if masked else None
    names = [name for name, _ in attend.named_parameters()]

    def run(x, memory, *parameters):
        return torch.func.functional_call(
            attend,
            dict(zip(names, parameters, strict=True)),
            (x, memory),
            {"mask": mask, "return_weights": return_weights},
        )

    assert torch.autograd.gradcheck(
        run, (x, memory, *attend.parameters()), fast_mode=True
    )


@pytest.mark.parametrize("gradients", [False, True])
@pytest.mark.parametrize("return_weights", [False, True])
@pytest.mark.parametrize("steps", [[1] * 7, [3, 1, 2, 1], [7]])
def test_a_cache_changes_nothing(attend, steps, return_weights, gradients):
    x = torch.randn(2, 7, SIZE)
    mask = random_mask(2, 7)
    with torch.set_grad_enabled(gradients):
        expected = attend(x, mask=mask, is_causal=True)
        cache, found, start = KeyValueCache(), [], 0
        for n_new in steps:
            end = start + n_new
            step = attend(
                x[:, start:end],
                mask=mask[:, :end],
                is_causal=True,
                cache=cache,
                return_weights=return_weights,
            )
            found.append(step[0] if return_weights else step)
            start = end
    assert len(cache) == 7
    close(torch.cat(found, dim=1), expected)


def test_gradients_with_a_cache_are_those_without(attend):
    x = torch.randn(2, 4, SIZE)
    attend(x, is_causal=True).square().sum().backward()
    expected = [p.grad.clone() for p in attend.parameters()]
    attend.zero_grad()
    cache = KeyValueCache()
    steps = [attend(x[:, [t]], is_causal=True, cache=cache) for t in range(4)]
    torch.cat(steps, dim=1).square().sum().backward()
    for parameter, gradient in zip(attend.parameters(), expected, strict=True):
        assert_allclose(parameter.grad, gradient, atol=1e-4)


def test_a_projected_memory_is_as_good_as_keys(attend):
    queries, memory = torch.randn(2, 3, SIZE), torch.randn(2, 5, SIZE)
    mask = random_mask(2, 5)
    cache = attend.project(memory)
    assert cache.is_fixed
    for _ in range(2):
        found = attend(queries, cache=cache, mask=mask)
        close(found, attend(queries, memory, mask=mask), atol=1e-6)
    assert len(cache) == 5


def test_reordered_sequences_go_on(attend):
    x, index = torch.randn(2, 4, SIZE), torch.tensor([1, 0, 1])
    expected = attend(x[index], is_causal=True)[:, 3:]
    cache = KeyValueCache()
    with torch.no_grad():
        attend(x[:, :3], is_causal=True, cache=cache)
        cache.reorder(index)
        close(attend(x[index, 3:], is_causal=True, cache=cache), expected)


@pytest.mark.parametrize("return_weights", [False, True])
def test_dropout_is_for_training(return_weights):
    attend = MultiHeadAttention(SIZE, N_HEADS, dropout=0.5)
    x = torch.randn(2, 5, SIZE)

    def run():
        found = attend(x, return_weights=return_weights)
        return found[0] if return_weights else found

    assert not torch.equal(run(), run())
    attend.eval()
    assert torch.equal(run(), run())


def test_weights_begin_as_those_of_glorot_and_bengio():
    attend = MultiHeadAttention(64, 4)
    for name, parameter in attend.named_parameters():
        bound = (6 / 128) ** 0.5 if name.endswith("weight") else 0
        assert abs(float(parameter.detach().abs().max()) - bound) < 0.01


def test_heads_must_divide_the_features():
    with pytest.raises(ValueError, match="n_heads=3 does not divide model_size=8"):
        MultiHeadAttention(8, 3)


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((0, 1), "model_size=0; expected a positive integer"),
        ((8, 0), "n_heads=0; expected a positive integer"),
        ((8, 2, 1.5), r"dropout=1.5; expected a number in \[0, 1\)"),
    ],
)
def test_wrong_parameters(sizes, message):
    with pytest.raises(ValueError, match=message):
        MultiHeadAttention(*sizes)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        ([(2, 3, 4)], r"queries has the shape \(2, 3, 4\); expected \(n_.*, 8\)"),
        ([(2, 3, 8), (2, 3, 4)], r"keys has the shape \(2, 3, 4\); expected \(n_.*, 8"),
        ([(2, 3, 8), (2, 3, 8), (1, 3, 8)], r"values has the shape .*; expected \(2, "),
        ([(2, 3, 8), (2, 3, 8), (2, 4, 8)], "There are 4 values for 3 keys"),
        ([(2, 3, 8), (1, 3, 8)], "queries of 2 sequences, and keys of 1"),
    ],
)
def test_wrong_shapes(attend, shapes, message):
    with pytest.raises(ValueError, match=message):
        attend(*(torch.rand(shape) for shape in shapes))


def test_wrong_masks(attend):
    x = torch.rand(2, 3, SIZE)
    with pytest.raises(ValueError, match=r"mask has the shape \(3, 3\); expected \(2"):
        attend(x, mask=torch.ones(3, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match=r"mask is of dtype torch\.int64"):
        attend(x, mask=torch.ones(2, 3, dtype=torch.int64))


def test_keys_beside_a_fixed_cache(attend):
    x = torch.rand(2, 3, SIZE)
    with pytest.raises(ValueError, match="cache is fixed; expected neither keys nor"):
        attend(x, x, cache=attend.project(x))
    with pytest.raises(ValueError, match="queries of 1 sequences, and keys of 2"):
        attend(x[:1], cache=attend.project(x))
