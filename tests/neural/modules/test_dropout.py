"""Dropout that draws eight numbers at a time."""

import pytest
import torch

from skml.neural.modules import Dropout


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_shares_scales_and_gradients(share):
    torch.manual_seed(0)
    drop = Dropout(share)
    x = torch.full((1001, 99), 3.0, requires_grad=True)
    found = drop(x)
    is_kept = found != 0
    level = round(256 * share)
    scale = 256 / (256 - level)
    torch.testing.assert_close(
        found[is_kept], torch.full_like(found[is_kept], 3 * scale)
    )
    assert abs(is_kept.float().mean().item() - (1 - level / 256)) < 0.005
    # Neither rows nor columns, nor neighbours, drop out together.
    kept = is_kept.float()
    for of_line in (kept.mean(dim=0), kept.mean(dim=1)):
        assert of_line.std() < 0.07
    both = (kept[:, 1:] * kept[:, :-1]).mean().item()
    assert abs(both - (1 - level / 256) ** 2) < 0.01
    found.sum().backward()
    torch.testing.assert_close(x.grad, is_kept * scale)


def test_nothing_drops_out_afterwards():
    x = torch.randn(5, 3)
    assert torch.equal(Dropout(0.5).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)


def test_the_generator_decides():
    x = torch.ones(4, 50)
    torch.manual_seed(3)
    once = Dropout(0.5)(x)
    again = Dropout(0.5)(x)
    torch.manual_seed(3)
    assert torch.equal(Dropout(0.5)(x), once)
    assert not torch.equal(once, again)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_types_stay(dtype):
    assert Dropout(0.5)(torch.ones(3, dtype=dtype)).dtype == dtype
