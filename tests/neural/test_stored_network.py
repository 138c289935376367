"""A network as a value: data that comes back as it was, or is refused."""

import pickle

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal
from torch import nn

from skml._codec import register
from skml.neural._stored_network import StoredNetwork


@register
class TwoLayers(StoredNetwork):
    """The second layer is of bfloat16, and has a buffer that is not stored."""

    @staticmethod
    def make(architecture):
        first = nn.Linear(architecture["size"], 2)
        second = nn.Linear(2, 3, dtype=torch.bfloat16)
        second.register_buffer("positions", torch.arange(3.0), persistent=False)
        return nn.Sequential(first, nn.Dropout(0.5), second)

    @staticmethod
    def check(architecture, weights):
        if architecture["size"] > 100:
            raise ValueError("the size is large")


@pytest.fixture
def network():
    architecture = {"size": 4}
    return TwoLayers(architecture, TwoLayers.make(architecture).eval())


def there_and_back(network):
    return TwoLayers.from_data(network.to_data())


def pickled(network):
    return pickle.loads(pickle.dumps(network))


@pytest.mark.parametrize("again", [there_and_back, pickled])
def test_a_network_comes_back_as_it_was(network, again):
    before = torch.get_rng_state()
    other = again(network)
    assert torch.equal(torch.get_rng_state(), before)
    assert other.architecture == network.architecture
    assert not any(module.training for module in other.module.modules())
    assert_array_equal(other.module[2].positions, [0, 1, 2])
    pairs = zip(
        network.module.state_dict().items(),
        other.module.state_dict().items(),
        strict=True,
    )
    for (name, weights), (same_name, same) in pairs:
        assert name == same_name
        assert weights.dtype == same.dtype
        assert torch.equal(weights, same)
        assert weights.data_ptr() != same.data_ptr()


def test_the_weights_are_arrays_of_the_same_bits(network):
    data = network.to_data()
    assert data["dtypes"] == {"2.weight": "bfloat16", "2.bias": "bfloat16"}
    assert {str(w.dtype) for w in data["weights"].values()} == {"float32", "int16"}
    expected = network.module[2].bias.detach().view(torch.int16)
    assert_array_equal(data["weights"]["2.bias"], expected)


LIES = {
    "architecture": (lambda d: d.update(architecture=[4]), "architecture is a list"),
    "size": (lambda d: d.update(architecture={"size": 5}), r"0\.weight are \(\(2, 4\)"),
    "negative": (lambda d: d.update(architecture={"size": -1}), "architecture is wro"),
    "text": (lambda d: d.update(architecture={"size": 0.5}), "architecture is wrong"),
    "large": (lambda d: d.update(architecture={"size": 2**40}), "the size is large"),
    "missing": (lambda d: d["weights"].pop("0.bias"), r"0\.bias are None; expected"),
    "more": (lambda d: d["weights"].update(x=np.zeros(2)), r"x are \(\(2,\)"),
    "float64": (
        lambda d: d["weights"].update({"0.bias": np.zeros(2)}),
        "torch.float64",
    ),
    "dtype": (lambda d: d["dtypes"].update({"2.bias": "int32"}), "are 'int32'"),
    "no dtype": (lambda d: d["dtypes"].clear(), "torch.int16"),
}


@pytest.mark.parametrize("lie", LIES)
def test_data_that_lies_is_refused(network, lie):
    change, message = LIES[lie]
    data = network.to_data()
    change(data)
    with pytest.raises(ValueError, match=message):
        TwoLayers.from_data(data)
