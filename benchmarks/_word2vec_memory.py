"""Peak memory of one fit, in a process of its own."""

import ctypes
import gc
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from _documents import read_token_lists
from _machine import limit_blas
from _word2vec_models import TRAIN

# Rows of the model are padded to a cache line of 16 floats.
_LINE = 16
# A Python integer, with what the allocator rounds up.
_INT = 32
_WARM_UP = [["one", "two", "three"] * 10]


def measure_peak(library, path, max_tokens, setting):
    """Train in a fresh process.

    Returns
    -------
    record : dict
        Bytes: ``before``, resident when libraries and corpus are loaded; ``peak``,
        resident at most above that during the fit; ``tokens``, ``model`` and
        ``dictionaries``, what a fit by this package has to hold.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_peak, library, path, max_tokens, setting).result()


def _peak(library, path, max_tokens, setting):
    limit_blas()
    # What is loaded or set up on first use is no part of a fit.
    TRAIN[library](_WARM_UP, setting)
    documents, n_tokens = read_token_lists(path, max_tokens)
    _forget_peak()
    before = _status("VmRSS")
    trained = TRAIN[library](documents, setting)
    peak = _status("VmHWM")
    return {
        "before": before,
        "peak": peak - before,
        **necessary_bytes(documents, n_tokens, len(trained.words), setting.size),
    }


def necessary_bytes(documents, n_tokens, n_words, size):
    """What a fit has to hold besides the corpus, by arithmetic."""
    distinct = Counter(token for document in documents for token in document)
    index = dict(zip(distinct, range(len(distinct)), strict=True))
    padded = -(-size // _LINE) * _LINE
    return {
        "tokens": 4 * n_tokens,
        "model": 2 * n_words * padded * 4,
        # Word to id for all words, their list, and word to row for those kept.
        "dictionaries": sys.getsizeof(index)
        + sys.getsizeof(list(index))
        + _INT * len(index)
        + sys.getsizeof({i: i for i in range(n_words)})
        + _INT * n_words,
    }


def _forget_peak():
    """Let the peak start from what is resident now."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def _status(name):
    """A line of this process's status, in bytes; Linux only."""
    with open("/proc/self/status", encoding="ascii") as lines:
        kilobytes = next(line.split()[1] for line in lines if line.startswith(name))
    return int(kilobytes) * 1024
