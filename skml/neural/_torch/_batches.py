"""Batches of sequences of similar length."""

import numpy as np
import torch

from skml.neural._codec import PADDING

NOISE = 0.1  # of lengths by which sequences are sorted, so that batches change


def divide(lengths, batch_size, generator=None):
    """Divide sequences into batches of similar length.

    Parameters
    ----------
    lengths : ndarray of shape (n_sequences,) or (n_sequences, n_sides)
        The numbers of tokens; of pairs, of both sides.
    batch_size : int
        The largest number of tokens of a batch, padding included. A longer sequence is
        a batch of its own.
    generator : Generator, default=None
        Shuffles: sequences of similar length meet others, batches come in random order.
        None leaves them sorted.

    Returns
    -------
    batches : list of ndarray
        Positions of sequences.
    """
    lengths = np.atleast_2d(lengths.T).T.astype(np.float64)
    keys = lengths
    if generator is not None:
        keys = lengths * generator.uniform(1, 1 + NOISE, size=lengths.shape)
        keys += generator.random(size=lengths.shape)
    order = np.lexsort(keys.T)
    batches, first = [], 0
    longest = np.zeros(lengths.shape[1])
    for at, row in enumerate(order):
        longest = np.maximum(longest, lengths[row])
        if (at + 1 - first) * longest.sum() > batch_size and at > first:
            batches.append(order[first:at])
            first, longest = at, lengths[row]
    if len(order) > first:
        batches.append(order[first:])
    if generator is not None:
        batches = [batches[i] for i in generator.permutation(len(batches))]
    return batches


def pad(sequences):
    """Sequences as a tensor, with padding behind, and their lengths."""
    lengths = np.array([len(sequence) for sequence in sequences])
    table = np.full((len(sequences), lengths.max(initial=0)), PADDING, dtype=np.int64)
    for row, sequence in zip(table, sequences, strict=True):
        row[: len(sequence)] = sequence
    return torch.from_numpy(table), torch.from_numpy(lengths)
