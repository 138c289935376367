"""Files of the boosters' own models, checked before a library reads them.

The libraries believe what such a file says of positions and lengths: a wrong one makes
them read memory that is not theirs, and the interpreter dies.
"""

from typing import NamedTuple

import numpy as np

from skml.tabular._json_values import show

# A tree is walked by functions that call themselves, in the libraries and in Python.
MOST_LEVELS = 1000
LARGEST = 2**31 - 1
NUMBER = r"-?(?:\d{1,40}(?:\.\d{0,40})?(?:[eE][+-]?\d{1,3})?|inf|nan)"


class Expected(NamedTuple):
    """What a model must agree with."""

    objective: str  # the library's name of it
    n_outputs: int  # trees an iteration, or a multiple of them
    n_iter: int
    names: list | None  # of the features, as the library takes them
    n_categories: list  # of each feature; None of a number


def refuse(place, expected, got):
    """Say where a file is wrong."""
    raise ValueError(f"{place}: expected {expected}; got {show(got)}.")


def check_children(left, right, n_nodes, place):
    """Check that nodes are a tree whose root is the first.

    Parameters
    ----------
    left, right : ndarray of int
        The children of each node, -1 for none.
    n_nodes : int
        How many nodes hang together; more than those belong to no tree.
    place : str
        Where they stand, for messages.
    """
    children = np.concatenate([left, right])
    children = children[children != -1]
    wrong = children[(children < 1) | (children >= len(left))]
    if len(wrong):
        refuse(place, f"children from 1 to {len(left) - 1}", int(wrong[0]))
    if len(np.unique(children)) < len(children):
        refuse(place, "nodes that are each the child of one", "a child of two")
    n_reached, level = 0, np.zeros(1, dtype=np.intp)
    for _ in range(MOST_LEVELS):
        n_reached += len(level)
        level = np.concatenate([left[level], right[level]])
        level = level[level != -1]
        if len(level) == 0:
            break
    else:
        refuse(place, f"at most {MOST_LEVELS} levels", "a tree with more")
    if n_reached != n_nodes:
        refuse(place, f"{n_nodes} nodes below the root", n_reached)
