"""Batches of sequences of similar length."""

import numpy as np
import torch

from skml.neural._codec import PADDING

NOISE = 0.1  # of lengths by which sequences are sorted, so that batches change


def divide(lengths, batch_size, generator=None, *, n_sequences=np.inf):
    """Divide sequences into batches of similar length; returns their positions.

    `lengths` may have a column for each side of pairs. A batch has at most `batch_size`
    tokens, padding included, and `n_sequences`; a longer sequence is one of its own. A
    generator shuffles: sequences of similar length meet others, and batches come in
    random order. Without one they are sorted.
    """
    lengths = np.atleast_2d(lengths.T).T.astype(np.float64)
    keys = lengths
    if generator is not None:
        keys = lengths * generator.uniform(1, 1 + NOISE, size=lengths.shape)
        keys += generator.random(size=lengths.shape)
        keys[:, 1:] = np.floor(keys[:, 1:])  # else no ties are left to the other side
    order = np.lexsort(keys.T)
    batches, first = [], 0
    longest = np.zeros(lengths.shape[1])
    for at, row in enumerate(order):
        longest = np.maximum(longest, lengths[row])
        n = at + 1 - first
        if at > first and (n * longest.sum() > batch_size or n > n_sequences):
            batches.append(order[first:at])
            first, longest = at, lengths[row]
    if len(order) > first:
        batches.append(order[first:])
    if generator is not None:
        batches = [batches[i] for i in generator.permutation(len(batches))]
    return batches


def pad(sequences, padding=PADDING, least=0):
    """Sequences as a tensor of `least` columns or more, padding behind, and lengths."""
    lengths = np.array([len(sequence) for sequence in sequences])
    shape = (len(sequences), lengths.max(initial=least))
    table = np.full(shape, padding, dtype=np.int64)
    for row, sequence in zip(table, sequences, strict=True):
        row[: len(sequence)] = sequence
    return torch.from_numpy(table), torch.from_numpy(lengths)
