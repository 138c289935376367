"""Caches of keys and values."""

import pytest
import torch

from skml.neural.modules import KeyValueCache, TransformerCache


def pair(n_new, n_sequences=2):
    return torch.randn(n_sequences, 3, n_new, 4), torch.randn(n_sequences, 3, n_new, 4)


@pytest.mark.parametrize("gradients", [False, True])
def test_what_is_appended_comes_back(gradients):
    """Over more positions than there is room for at first."""
    parts = [pair(n) for n in (1, 4, 0, 20, 1, 1, 50)]
    cache = KeyValueCache()
    assert len(cache) == 0
    assert cache.keys is None
    assert cache.values is None
    with torch.set_grad_enabled(gradients):
        for n_seen in range(1, len(parts) + 1):
            found = cache.append(*parts[n_seen - 1])
            for i, whole in enumerate(found):
                expected = torch.cat([part[i] for part in parts[:n_seen]], dim=2)
                assert torch.equal(whole, expected)
    assert len(cache) == 77
    assert torch.equal(cache.keys, found[0])
    assert torch.equal(cache.values, found[1])


def test_appending_seldom_copies():
    cache, places = KeyValueCache(), set()
    with torch.no_grad():
        for _ in range(1000):
            keys, _ = cache.append(*pair(1))
            places.add(keys.data_ptr())
    assert len(places) <= 8


def test_what_it_began_with_is_not_written_to():
    keys, values = pair(3)
    cache = KeyValueCache(keys, values)
    before = keys.clone()
    with torch.no_grad():
        cache.append(*pair(1))
    assert len(cache) == 4
    assert torch.equal(cache.keys[:, :, :3], before)
    assert torch.equal(keys, before)


def test_gradients_flow_to_all_positions():
    """Also if an earlier result is used after later positions are appended."""
    parts = [[x.requires_grad_() for x in pair(1)] for _ in range(3)]
    cache, total = KeyValueCache(), 0
    for part in parts:
        keys, values = cache.append(*part)
        total = total + (keys * values).sum()
    total.backward()
    for n_later, (keys, values) in zip((3, 2, 1), parts, strict=True):
        assert torch.equal(keys.grad, n_later * values)


def test_reorder():
    keys, values = pair(5)
    index = torch.tensor([1, 1, 0])
    cache = KeyValueCache()
    with torch.no_grad():
        cache.append(keys, values)
        cache.reorder(index)
        assert torch.equal(cache.keys, keys[index])
        assert torch.equal(cache.values, values[index])
        more, _ = cache.append(*pair(1, n_sequences=3))
    assert torch.equal(more[:, :, :5], keys[index])
    assert len(cache) == 6


def test_reorder_of_an_empty_cache():
    cache = KeyValueCache()
    cache.reorder(torch.tensor([0, 0]))
    assert len(cache) == 0


def test_nothing_is_appended_to_a_fixed_one():
    cache = KeyValueCache(*pair(2), is_fixed=True)
    with pytest.raises(ValueError, match="cache is fixed; nothing can be appended"):
        cache.append(*pair(1))


@pytest.mark.parametrize(
    ("keys", "values", "found"),
    [
        ((2, 3, 1, 4), None, r"\(2, 3, 1, 4\) and values None"),
        (None, (2, 3, 1, 4), r"None and values \(2, 3, 1, 4\)"),
        ((2, 3, 1, 4), (2, 3, 2, 4), r"\(2, 3, 1, 4\) and values \(2, 3, 2, 4\)"),
        ((2, 3, 4), (2, 3, 4), r"\(2, 3, 4\) and values \(2, 3, 4\)"),
    ],
)
def test_keys_and_values_must_fit(keys, values, found):
    keys, values = (None if x is None else torch.rand(x) for x in (keys, values))
    with pytest.raises(ValueError, match=rf"keys have the shape {found}; expected \(n"):
        KeyValueCache(keys, values)


def test_new_keys_must_fit():
    cache = KeyValueCache(*pair(2))
    message = (
        r"New keys have the shape \(1, 3, 1, 4\), and those in the cache "
        r"\(2, 3, 2, 4\); only the third may differ"
    )
    with pytest.raises(ValueError, match=message):
        cache.append(*pair(1, n_sequences=1))


@pytest.mark.parametrize("with_memory", [False, True])
def test_reorder_of_a_transformer_cache(with_memory):
    mask = torch.tensor([[True, True], [True, False]])
    own, memory = KeyValueCache(*pair(3)), KeyValueCache(*pair(2), is_fixed=True)
    keys, memory_keys = own.keys, memory.keys
    cache = TransformerCache([(own, memory)], mask)
    assert len(cache) == 3
    index = torch.tensor([1, 0])
    cache.reorder(index, with_memory=with_memory)
    assert torch.equal(own.keys, keys[index])
    kept = index if with_memory else slice(None)
    assert torch.equal(memory.keys, memory_keys[kept])
    assert torch.equal(cache.memory_mask, mask[kept])
