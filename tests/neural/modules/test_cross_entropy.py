"""The cross-entropy of a linear layer, against PyTorch's and finite differences."""

import pytest
import torch
from torch.nn.functional import cross_entropy, linear
from torch.testing import assert_close

from skml.neural.modules import _cross_entropy, linear_cross_entropy


def make(n_rows=13, dtype=torch.float64):
    torch.manual_seed(0)
    x, weight, bias = (
        torch.randn(*shape, dtype=dtype, requires_grad=True)
        for shape in ((n_rows, 4), (7, 4), (7,))
    )
    return x, weight, bias, torch.randint(7, (n_rows,))


@pytest.mark.parametrize("rows", [1, 5, 512])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_values_and_gradients_are_those_of_torch(monkeypatch, smoothing, rows):
    monkeypatch.setattr(_cross_entropy, "ROWS", rows)
    *inputs, classes = make()
    found = linear_cross_entropy(*inputs, classes, label_smoothing=smoothing)
    expected = cross_entropy(
        linear(*inputs), classes, reduction="sum", label_smoothing=smoothing
    )
    assert_close(found, expected)
    for ours, theirs in zip(
        torch.autograd.grad(3 * found, inputs),
        torch.autograd.grad(3 * expected, inputs),
        strict=True,
    ):
        assert_close(ours, theirs)


def test_derivatives_are_finite_differences():
    *inputs, classes = make(5)

    def loss(*inputs):
        return linear_cross_entropy(*inputs, classes, label_smoothing=0.1)

    assert torch.autograd.gradcheck(loss, inputs)


def test_bfloat16_is_near():
    *inputs, classes = make(dtype=torch.float32)
    exact = linear_cross_entropy(*inputs, classes)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = linear_cross_entropy(inputs[0].bfloat16(), *inputs[1:], classes)
    assert found.dtype == torch.float32
    assert_close(found, exact, rtol=0.02, atol=0)


def test_no_rows():
    *inputs, classes = make(0)
    assert linear_cross_entropy(*inputs, classes) == 0


@pytest.mark.parametrize("rows", [1, 512])
def test_hits_are_classes_of_the_best_score(monkeypatch, rows):
    monkeypatch.setattr(_cross_entropy, "ROWS", rows)
    *inputs, classes = make(200)
    loss, n_right = _cross_entropy.cross_entropy_and_hits(*inputs, classes)
    assert_close(loss, linear_cross_entropy(*inputs, classes))
    expected = (linear(*inputs).argmax(dim=1) == classes).sum()
    assert n_right == expected
    assert 0 < expected < 200
    assert not n_right.requires_grad


def test_hits_of_several_best_scores_count_in_part():
    x, weight, bias = torch.ones(6, 1), torch.tensor([[1.0], [0], [1]]), torch.zeros(3)
    classes = torch.tensor([0, 0, 0, 1, 1, 2])
    _, n_right = _cross_entropy.cross_entropy_and_hits(x, weight, bias, classes)
    assert n_right == 2.0  # four in halves
