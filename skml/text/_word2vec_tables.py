"""What word2vec prepares once per fit: sub-sampling, noise words, the Huffman tree."""

from collections import deque
from dataclasses import dataclass

import numpy as np

from skml.text._alias_table import fill_alias_table

_ONE = float(1 << 32)


def keep_thresholds(counts, subsample, n_counted=None):
    """How likely each word survives sub-sampling, as a threshold for 32-bit numbers.

    A word of relative frequency f is kept with probability
    ``min(1, sqrt(s / f) + s / f)``, as in the original program (Mikolov et al. 2013b
    give ``sqrt(s / f)``). Frequencies are of `n_counted` tokens, by default all counts.
    """
    if subsample == 0:
        return np.full(len(counts), 0xFFFFFFFF, dtype=np.uint32)
    n_counted = counts.sum() if n_counted is None else n_counted
    ratio = subsample * (n_counted / counts)
    probability = np.minimum(np.sqrt(ratio) + ratio, 1.0)
    return np.minimum(probability * _ONE, _ONE - 1).astype(np.uint32)


def noise_weights(counts, exponent):
    """Count to the power of `exponent`, scaled so that the largest is 1."""
    logarithm = exponent * np.log(counts)
    return np.exp(logarithm - logarithm.max())


def alias_table(weights):
    """Table to draw from a discrete distribution in constant time (Vose 1991).

    Draw a position i uniformly and a 32-bit number r. The result is i if r is not above
    the upper half of ``table[i]``, and otherwise the lower half.
    """
    heights = np.asarray(weights, dtype=np.float64) * (len(weights) / np.sum(weights))
    return fill_alias_table(heights)


@dataclass
class HuffmanTree:
    """The path from the root to each word.

    Word w takes the steps ``steps[offsets[w]:offsets[w + 1]]``, from the root on. A
    step is twice the number of an inner node, plus what it should answer: 1 for the
    left branch, 0 for the right one. The most visited node, the root, is the first.
    Seven zeros at the end let whole vectors be read.
    """

    offsets: np.ndarray
    steps: np.ndarray


NO_TREE = HuffmanTree(np.zeros(2, dtype=np.int64), np.zeros(7, dtype=np.int32))


def huffman_tree(counts):
    """Build the tree of the shortest mean path; counts are in descending order."""
    parent, is_left = _merge_rarest(counts.tolist())
    n_words = len(counts)
    root = len(parent) - 1
    # Climb from all the words at once; most have arrived after a dozen levels.
    levels = []
    words, nodes = np.arange(n_words), np.arange(n_words)
    while len(words := words[nodes != root]):
        nodes = nodes[nodes != root]
        levels.append((words, 2 * (root - parent[nodes]) + is_left[nodes]))
        nodes = parent[nodes]
    depth = np.zeros(n_words + 1, dtype=np.int64)
    for level_words, _ in levels:
        depth[level_words + 1] += 1
    offsets = np.cumsum(depth)
    steps = np.zeros(offsets[-1] + 7, dtype=np.int32)
    for level, (level_words, level_steps) in enumerate(levels):
        steps[offsets[level_words + 1] - 1 - level] = level_steps
    return HuffmanTree(offsets, steps)


def _merge_rarest(counts):
    """Join the two rarest subtrees until one is left.

    Words come in descending order and the joined counts ascend by themselves, so that
    two queues do the work of a heap.
    """
    n_words = len(counts)
    counts = counts + [0] * (n_words - 1)
    parent = np.zeros(2 * n_words - 1, dtype=np.int64)
    is_left = np.zeros(2 * n_words - 1, dtype=bool)
    words, joined = deque(range(n_words - 1, -1, -1)), deque()
    for node in range(n_words, 2 * n_words - 1):
        for left in (True, False):
            rarest_is_word = not joined or (
                words and counts[words[0]] < counts[joined[0]]
            )
            child = (words if rarest_is_word else joined).popleft()
            parent[child], is_left[child] = node, left
            counts[node] += counts[child]
        joined.append(node)
    return parent, is_left
