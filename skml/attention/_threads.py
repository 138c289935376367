"""How many threads the products of matrices take."""

from contextlib import contextmanager
from functools import cache
from threading import Lock

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController

_LOCK = Lock()
_limits = []  # of the fits that run now; the first one knows what the user had


@cache
def _controller():
    return ThreadpoolController()  # looks through all libraries that are loaded


@contextmanager
def limit_blas_threads(n_jobs):
    """Let products take `n_jobs` threads for a while; then, what they took before.

    The products of a small step are over before a second thread has begun. The limit is
    that of the whole process: the last fit that ends restores it.
    """
    limits = effective_n_jobs(n_jobs)
    with _LOCK:
        _limits.append(_controller().limit(limits=limits, user_api="blas"))
    try:
        yield
    finally:
        with _LOCK:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
