"""How many threads the products of matrices take."""

from functools import cache

from joblib import effective_n_jobs
from threadpoolctl import ThreadpoolController


@cache
def _controller():
    return ThreadpoolController()  # looks through all libraries that are loaded


def limit_threads(n_jobs):
    """Let products take `n_jobs` threads for a while; then, what they took before.

    The products of a small step are over before a second thread has begun.

    Parameters
    ----------
    n_jobs : int or None
        As everywhere in scikit-learn.

    Returns
    -------
    limit : context manager
        Holds the limit.
    """
    return _controller().limit(limits=effective_n_jobs(n_jobs), user_api="blas")
