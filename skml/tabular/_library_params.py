"""Parameters that are passed on to a library, and seeds for it."""

from numbers import Integral

from skml._random import make_random_state

LARGEST_SEED = 2**31 - 1


def check_library_params(library_params, known, ours, library):
    """Refuse names that a library does not know, and those that are set here.

    Parameters
    ----------
    library_params : dict or None
        What the user passes on.
    known : collection of str or None
        What the library knows; None if it cannot tell.
    ours : dict of str to str
        The library's names of what has a parameter here, and its name.
    library : str
        The library, for messages.
    """
    for name in library_params or {}:
        if name in ours:
            instead = (
                f"use {ours[name]}" if ours[name] else "it is set by the estimator"
            )
            raise ValueError(f"library_params has {name!r} of {library}; {instead}.")
        if known is not None and name not in known:
            raise ValueError(
                f"library_params has {name!r}, which {library} does not know."
            )


def draw_seed(random_state):
    """An integer for a library: the parameter itself if it is one."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(make_random_state(random_state).randint(LARGEST_SEED))
