"""Where and how exactly to compute: devices, precision, threads, random numbers."""

from contextlib import contextmanager, nullcontext
from functools import cache
from time import perf_counter

import torch
from joblib import effective_n_jobs


def find_device(device, caller):
    """The device of a parameter; "auto" is a GPU if there is one.

    Raises
    ------
    ValueError
        If there is no such device.
    """
    if device == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        has_mps = torch.backends.mps.is_available()
        return torch.device("mps" if has_mps else "cpu")
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).tolist()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{caller}: device={device!r} cannot be used here: {reason} "
            "Use device='auto' or 'cpu'."
        ) from None
    return found


def find_dtype(precision, device):
    """The type of products: "auto" is bfloat16 where it is the faster one."""
    if precision != "auto":
        return getattr(torch, precision)
    if device.type == "cuda":
        has_fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if has_fast else torch.float32
    is_fast = device.type == "cpu" and is_bfloat16_fast()
    return torch.bfloat16 if is_fast else torch.float32


@cache
def is_bfloat16_fast():
    """Whether this processor multiplies bfloat16 clearly faster than float32.

    Some have the instructions, at half the speed: only a measurement tells.
    """
    if not torch.cpu._is_avx512_bf16_supported():
        return False
    small, full = map(_seconds_of_product, (torch.bfloat16, torch.float32))
    return 1.2 * small < full


def _seconds_of_product(dtype, n_rows=256, n_times=10):
    """The shortest of several times that a product of matrices takes."""
    one = torch.ones(n_rows, n_rows, dtype=dtype)
    seconds = []
    for _ in range(n_times):
        start = perf_counter()
        one @ one
        seconds.append(perf_counter() - start)
    return min(seconds)


def autocast(device, dtype):
    """A context in which products are computed in `dtype`."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)


@contextmanager
def limit_threads(n_jobs):
    """Let PyTorch take `n_jobs` threads for a while; then, what it took before."""
    before, wanted = torch.get_num_threads(), effective_n_jobs(n_jobs)
    torch.set_num_threads(wanted)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def apart():
    """Draw random numbers for a while; then, PyTorch's generator is as it was."""
    with torch.random.fork_rng(devices=[]):
        yield


@contextmanager
def seeded(seed, device):
    """Seed PyTorch's generators for a while; then, they are as they were."""
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield
