"""Tests of where random numbers come from."""

import pickle

import numpy as np
import pytest

from skml._random import make_random_state


def global_state():
    return pickle.dumps(np.random.get_state())  # noqa: NPY002


def test_none_is_fresh_and_leaves_the_global_generator_alone():
    before = global_state()
    draws = [make_random_state(None).random_sample() for _ in range(2)]
    assert draws[0] != draws[1]
    assert global_state() == before


def test_none_does_not_read_the_global_generator():
    """Seeding the global generator must not make two fits the same."""
    draws = []
    before = np.random.get_state()  # noqa: NPY002
    try:
        for _ in range(2):
            np.random.seed(0)  # noqa: NPY002
            draws.append(make_random_state(None).random_sample())
    finally:
        np.random.set_state(before)  # noqa: NPY002
    assert draws[0] != draws[1]


@pytest.mark.parametrize("seed", [0, np.int64(42), 2**32 - 1])
def test_int(seed):
    before = global_state()
    draws = [make_random_state(seed).random_sample(3).tolist() for _ in range(2)]
    assert draws[0] == draws[1]
    assert draws[0] == np.random.RandomState(seed).random_sample(3).tolist()
    assert global_state() == before


def test_instance_is_used_itself():
    random_state = np.random.RandomState(0)
    assert make_random_state(random_state) is random_state


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0"])
def test_no_seed(seed):
    with pytest.raises(ValueError, match=r"[Ss]eed"):
        make_random_state(seed)
