"""fastText's supervised model, slow and plain: hashes, the tree, steps.

Formulas are those of Joulin et al. 2016, "Bag of tricks for efficient text
classification", arXiv:1607.01759; what the program adds to them (hashes, the order in
which the tree is built) was read off its results.
"""

import numpy as np
from scipy.special import expit, logsumexp, softmax


def signed(value, bits):
    """The integer of so many bits that the lowest bits of a value are."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def hash_of(text):
    """FNV-1a of 32 bits, of bytes in UTF-8 taken as signed."""
    state = 2166136261
    for byte in text.encode("utf-8", "surrogatepass"):
        state = ((state ^ (signed(byte, 8) & 0xFFFFFFFF)) * 16777619) & 0xFFFFFFFF
    return state


def character_buckets(word, lengths, n_buckets):
    """The buckets of the n-grams of the characters of a word, from left to right."""
    marked, (shortest, longest) = f"<{word}>", lengths
    found = []
    for i in range(len(marked)):
        for n in range(1, min(longest, len(marked) - i) + 1):
            is_mark = n == 1 and (i == 0 or i + n == len(marked))
            if n >= shortest and not is_mark:
                found.append(hash_of(marked[i : i + n]) % n_buckets)
    return found


def word_buckets(words, longest, n_buckets):
    """The buckets of the n-grams of two and more words, from left to right."""
    hashes = [signed(hash_of(word), 32) for word in words]
    found = []
    for i, state in enumerate(hashes):
        for j in range(i + 1, min(len(hashes), i + longest)):
            state = (state * 116049371 + hashes[j]) & 0xFFFFFFFFFFFFFFFF
            found.append(state % n_buckets)
    return found


def tree_of(counts):
    """The nodes on the path of each class from the root, and whether it turns right.

    The rarest subtrees are joined first; the classes have descending counts.
    """
    n = len(counts)
    count = [*counts, *[None] * (n - 1)]
    parent = {}
    leaf, joined = n - 1, n
    for node in range(n, 2 * n - 1):
        pair = []
        for _ in range(2):
            is_leaf = leaf >= 0 and (joined == node or count[leaf] < count[joined])
            pair.append(leaf if is_leaf else joined)
            leaf, joined = leaf - is_leaf, joined + (not is_leaf)
        parent[pair[0]], parent[pair[1]] = (node, 0), (node, 1)
        count[node] = count[pair[0]] + count[pair[1]]
    paths = []
    for node in range(n):
        path = []
        while node in parent:
            node, turn = parent[node]
            path.append((node - n, turn))
        paths.append(path[::-1])
    return paths


def loss_of(scores, target, paths=None, is_logistic=False):
    """The loss of a document, given the scores of its outputs.

    `target` is its class; of logistic regressions, all its classes.
    """
    if paths is not None:
        return -sum(
            np.log(expit(scores[node] if turn else -scores[node]))
            for node, turn in paths[target]
        )
    if is_logistic:
        signs = np.where(np.isin(np.arange(len(scores)), target), 1, -1)
        return -np.log(expit(signs * scores)).sum()
    return logsumexp(scores) - scores[target]


def errors_of(scores, target, paths=None, is_logistic=False):
    """The negative derivatives of the loss by the scores."""
    errors = np.zeros(len(scores))
    if paths is not None:
        for node, turn in paths[target]:
            errors[node] = turn - expit(scores[node])
        return errors
    if is_logistic:
        return np.isin(np.arange(len(scores)), target) - expit(scores)
    errors = -softmax(scores)
    errors[target] += 1
    return errors


class Twin:
    """Trains a document after the other, in float64."""

    def __init__(self, inputs, outputs, paths=None, is_logistic=False):
        self.inputs, self.outputs = inputs.astype(float), outputs.astype(float)
        self.rest = paths, is_logistic

    def step(self, rows, target, rate):
        """A step of gradient descent on the loss of a document, which it returns.

        The gradient of the mean is divided among its rows, of which one may stand
        twice.
        """
        x = self.inputs[rows].mean(axis=0)
        scores = self.outputs @ x
        errors = errors_of(scores, target, *self.rest)
        gradient = errors @ self.outputs
        self.outputs += rate * np.outer(errors, x)
        np.add.at(self.inputs, rows, rate * gradient / len(rows))
        return loss_of(scores, target, *self.rest)

    def epoch(self, documents, targets, weights, order, rate, last_rate):
        """An epoch, in which the learning rate falls; returns the mean loss."""
        total = sum_of_weights = 0.0
        for i, d in enumerate(order):
            now = rate - (rate - last_rate) * i / len(order)
            if len(documents[d]):
                loss = self.step(documents[d], targets[d], weights[d] * now)
                total += weights[d] * loss
                sum_of_weights += weights[d]
        return total / sum_of_weights
