"""Where and how exactly to compute: devices, precision, threads, random numbers."""

from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from copy import deepcopy
from itertools import chain
from pathlib import Path
from threading import RLock
from weakref import WeakKeyDictionary

import torch
from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

from skml._compat.torch import describe_processor, has_fast_bfloat16_on_cuda


def find_device(device, caller):
    """The device of a parameter; "auto" is a GPU if there is one."""
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

    The instructions alone do not decide: AVX-512 of Intel multiplies bfloat16 no faster
    than float32, its AMX and AVX-512 of AMD do.
    """
    if precision != "auto":
        return getattr(torch, precision)
    is_fast = False
    if device.type == "cuda":
        is_fast = has_fast_bfloat16_on_cuda()
    elif device.type == "cpu":
        level, has = describe_processor()
        is_amd = has.get("cpu_name", "").startswith("AMD")
        is_fast = has.get("amx_bf16", False) or (is_amd and has.get("avx512_bf16"))
        is_fast = level == "AVX512" and is_fast
    return torch.bfloat16 if is_fast else torch.float32


def autocast(device, dtype):
    """A context in which products are computed in `dtype`."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype=dtype)


@contextmanager
def limit_torch_threads(n_jobs):
    """Let PyTorch take `n_jobs` threads for a while; then, what it took before.

    PyTorch has two numbers: OpenMP's, of which each thread has its own, and that of
    matrix products, which all threads share. The shared one is put back by the last
    that leaves, so that no product of others is divided, and rounded, in another way.
    """
    with _LOCK:
        if not _limited:  # those of other threads of this package are no user's wish
            _limited.append(torch.get_num_threads())
        before = torch.get_num_threads() if _IS_LIMITED.get() else _limited[0]
        _limited.append(before)
        torch.set_num_threads(effective_n_jobs(n_jobs))
    token = _IS_LIMITED.set(True)
    try:
        yield
    finally:
        _IS_LIMITED.reset(token)
        with _LOCK:
            _limited.pop()
            if _IS_LIMITED.get() or len(_limited) == 1:
                torch.set_num_threads(before)
            else:
                _set_own_threads(before)
            if len(_limited) == 1:
                _limited.clear()


def _set_own_threads(n_threads):
    """Set the number of OpenMP of this thread alone."""
    home = Path(torch.__file__).parent
    for library in ThreadpoolController().select(user_api="openmp").lib_controllers:
        if home in Path(library.filepath).parents:
            library.set_num_threads(n_threads)


# PyTorch draws weights and dropout from generators that all threads share. Who draws,
# puts the numbers that are to come in their place for so long, and nobody else draws.
_LOCK = RLock()
_STREAM = ContextVar("stream", default=None)
_IS_LIMITED = ContextVar("is_limited", default=False)
_limited = []  # numbers of threads: that of the user, and what is to be put back


class Stream:
    """The random numbers of a fit, on the CPU and its device, whatever others draw."""

    def __init__(self, seed, device):
        self.device = device if device.type == "cuda" else None
        places = ["cpu"] if self.device is None else ["cpu", device]
        self.states = [torch.Generator(p).manual_seed(seed).get_state() for p in places]

    def swap(self):
        """Let the numbers to come, and those of PyTorch, change places."""
        before, self.states = self.states, [torch.get_rng_state()]
        torch.set_rng_state(before[0])
        if self.device is not None:
            self.states.append(torch.cuda.get_rng_state(self.device))
            torch.cuda.set_rng_state(before[1], self.device)


@contextmanager
def seeded(seed, device):
    """Let what this thread draws, within `drawing`, depend on the seed alone."""
    token = _STREAM.set(Stream(seed, device))
    try:
        yield
    finally:
        _STREAM.reset(token)


@contextmanager
def drawing():
    """Draw from the stream of this thread, if it is seeded."""
    stream = _STREAM.get()
    if stream is None:
        yield
        return
    with _LOCK:
        stream.swap()
        try:
            yield
        finally:
            stream.swap()


@contextmanager
def preserve_rng_state():
    """Draw random numbers that do not matter; PyTorch's generator stays as it was."""
    with seeded(0, torch.device("cpu")), drawing():
        yield


def placed(network, device):
    """A fitted network on a device: itself, or a copy that is kept as long as it.

    It is not moved, as other threads may be using it where it is.
    """
    wanted = torch.zeros(0, device=device).device
    if all(p.device == wanted for p in network.parameters()):
        return network
    with _LOCK:
        copies = _COPIES.setdefault(network, {})
        if wanted not in copies:
            copies[wanted] = deepcopy(network).to(wanted)
        return copies[wanted]


_COPIES = WeakKeyDictionary()


def share_weights(network):
    """A network with the same weights, whose modes can be changed apart."""
    tensors = chain(network.parameters(), network.buffers())
    return deepcopy(network, {id(tensor): tensor for tensor in tensors})
