"""Parameters that are passed on to a library, and seeds for it."""

from collections import Counter
from numbers import Integral

import numpy as np

from skml._random import make_random_state

LARGEST_SEED = 2**31 - 1


def check_library_params(estimator, known, ours, library):
    """Refuse names that a library does not know, and those that are set here.

    `known` is None if it has no list; `ours` has our names by those of the library.
    """
    for name in estimator.library_params or {}:
        if name in ours:
            own = ours[name].split(" and ")
            has_own = all(hasattr(estimator, parameter) for parameter in own)
            instead = f"use {ours[name]}" if has_own else "it is set by the estimator"
            raise ValueError(f"library_params has {name!r} of {library}; {instead}.")
        if known is not None and name not in known:
            raise ValueError(
                f"library_params has {name!r}, which {library} does not know."
            )


def native_names(names, refused, generic):
    """Names of columns as a library takes them; None if they have none.

    A column gets a generic name if its own is empty, not printable, that of several
    columns, or has one of the `refused` characters.
    """
    if names is None:
        return None
    counts = Counter(names)
    taken = [
        counts[name] == 1
        and name != ""
        and name.isprintable()
        and not set(refused) & set(name)
        for name in names
    ]
    known = {name for name, is_taken in zip(names, taken, strict=True) if is_taken}
    result = list(names)
    for j in np.flatnonzero(np.logical_not(taken)).tolist():
        result[j] = f"{generic}{j}"
        while result[j] in known:
            result[j] += "_"
    return result


def draw_seed(random_state):
    """An integer for a library: the parameter itself if it is one."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(make_random_state(random_state).randint(LARGEST_SEED))
