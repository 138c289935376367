"""Where and how exactly to compute: devices, precision, threads, random numbers."""

from contextlib import contextmanager, nullcontext

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
    """The type of products: "auto" is bfloat16 where the processor is faster with it.

    The instructions alone do not tell: AVX-512 of Intel multiplies bfloat16 no faster
    than float32, its AMX and AVX-512 of AMD do.
    """
    if precision != "auto":
        return getattr(torch, precision)
    is_fast = False
    if device.type == "cuda":
        is_fast = torch.cuda.is_bf16_supported(including_emulation=False)
    elif device.type == "cpu" and torch.backends.cpu.get_cpu_capability() == "AVX512":
        has = torch.cpu.get_capabilities()
        is_amd = has.get("cpu_name", "").startswith("AMD")
        is_fast = has.get("amx_bf16", False) or (is_amd and has["avx512_bf16"])
    return torch.bfloat16 if is_fast else torch.float32


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
