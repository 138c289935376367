"""Checks that several modules make."""

from numbers import Integral, Real

import torch


def check_sizes(**sizes):
    """Each must be a positive integer."""
    for name, value in sizes.items():
        if isinstance(value, bool) or not isinstance(value, Integral) or value < 1:
            raise ValueError(f"{name}={value!r}; expected a positive integer.")


def check_dropout(dropout):
    """A probability below one."""
    if (
        isinstance(dropout, bool)
        or not isinstance(dropout, Real)
        or not 0 <= dropout < 1
    ):
        raise ValueError(f"dropout={dropout!r}; expected a number in [0, 1).")


def check_choice(name, value, choices):
    """The value must be one of the choices."""
    if value not in choices:
        raise ValueError(
            f"{name}={value!r}; expected one of {', '.join(map(repr, choices))}."
        )


def check_sequences(name, sequences, n_features=None, n_sequences=None):
    """The shape must be (n_sequences, n_positions, n_features); None means any."""
    expected = (n_sequences, None, n_features)
    names = ("n_sequences", "n_positions", "n_features")
    fits = sequences.ndim == 3 and all(
        size in (None, found)
        for size, found in zip(expected, sequences.shape, strict=True)
    )
    if not fits:
        wanted = ", ".join(
            what if size is None else str(size)
            for what, size in zip(names, expected, strict=True)
        )
        raise ValueError(
            f"{name} has the shape {tuple(sequences.shape)}; expected ({wanted})."
        )


def check_mask(mask, n_sequences, n_queries, n_keys):
    """The mask with a dimension for queries, of one if it is the same for all."""
    if mask is None:
        return None
    if mask.dtype != torch.bool:
        raise ValueError(
            f"mask is of dtype {mask.dtype}; expected booleans, where True may be seen."
        )
    by_key, by_pair = (n_sequences, n_keys), (n_sequences, n_queries, n_keys)
    if tuple(mask.shape) not in (by_key, by_pair):
        raise ValueError(
            f"mask has the shape {tuple(mask.shape)}; expected {by_key}, of sequences "
            f"and keys, or {by_pair}, with queries between."
        )
    return mask[:, None] if mask.ndim == 2 else mask
