"""How many threads the libraries use: what OpenMP allows the calling thread.

Their own parameters are of no use where several threads call them: XGBoost keeps the
number in the booster, and LightGBM has one for the whole process, so that a call may
take memory for the number of one thread, and work with that of another.
"""

from functools import cache
from importlib import import_module

from threadpoolctl import ThreadpoolController


def openmp_limit(library, n_threads):
    """Limit the threads of a library, a module, for what the calling thread does."""
    return _openmp_of(library).limit(limits=n_threads)


@cache
def _openmp_of(library):
    import_module(library)  # and with it its library of OpenMP
    return ThreadpoolController().select(user_api="openmp")
