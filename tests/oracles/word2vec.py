"""word2vec, slow and plain: written from its definition, in float64."""

import heapq
from itertools import pairwise

import numpy as np
from scipy.special import expit, log_expit

_64_BITS = (1 << 64) - 1


class SplitMix64:
    """The generator of Steele, Lea & Flood (2014), figure 15."""

    def __init__(self, state):
        self.state = int(state)

    def draw(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & _64_BITS
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _64_BITS
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _64_BITS
        return z ^ (z >> 31)


def loss_of_pair(x, outputs, labels, weights):
    """``-log sigma(x . o)`` where the label is 1, ``-log sigma(-x . o)`` where 0."""
    signs = np.where(labels == 1, 1.0, -1.0)
    return -np.sum(weights * log_expit(signs * (outputs @ x)))


def gradients_of_pair(x, outputs, labels, weights):
    """Derivatives of `loss_of_pair` by x and by the outputs."""
    errors = weights * (expit(outputs @ x) - labels)
    return errors @ outputs, np.outer(errors, x)


def draw_noise(table, random):
    """Draw from an alias table: thresholds in the upper halves, aliases in the lower"""
    number = random.draw()
    position = (number >> 32) * len(table) >> 32
    threshold, alias = divmod(int(table[position]), 1 << 32)
    return position if number % (1 << 32) <= threshold else alias


class Twin:
    """Takes the arguments of `Trainer`, trains the same way.

    `inputs` and `outputs` are copied to float64, without the padding.
    """

    def __init__(
        self,
        inputs,
        outputs,
        *,
        vector_size,
        keep,
        noise,
        path_offsets,
        path_steps,
        skip_gram,
        n_negatives,
        window,
        shrink_window,
        n_inputs_together=0,
        fixed=b"",
        part_offsets=None,
        parts=None,
    ):
        self.inputs = inputs[:, :vector_size].astype(np.float64)
        self.outputs = outputs[:, :vector_size].astype(np.float64)
        self.keep, self.noise, self.skip_gram = keep, noise, skip_gram
        paths = np.split(path_steps[: path_offsets[-1]], path_offsets[1:-1])
        self.nodes = [path // 2 for path in paths]
        self.labels = [(path % 2).astype(np.float64) for path in paths]
        self.n_negatives, self.window = n_negatives, window
        self.shrink_window, self.n_inputs_together = shrink_window, n_inputs_together
        self.fixed = np.flatnonzero(np.frombuffer(fixed, dtype=np.uint8))
        self.parts = None
        if parts is not None:
            self.parts = [parts[start:end] for start, end in pairwise(part_offsets)]

    def train(self, ids, offsets, start, stop, *, rate, rate_decay, random_state):
        """Train on ``ids[start:stop]``.

        Returns
        -------
        loss : float
            The sum over the pairs.
        n_pairs : int
            How many there were.
        random_state : list of int
            The states of the generators after the last token.
        """
        thinning, windows = map(SplitMix64, random_state)
        loss, n_pairs, n_passed = 0.0, 0, 0
        documents = list(self.thin_out(ids, offsets, start, stop, thinning))
        means = Means(self, [word for words, _ in documents for word in words])
        for words, positions in documents:
            places = range(n_passed, n_passed + len(words))
            inputs = words if self.parts is None else list(places)
            for t, position in enumerate(positions):
                means.move_to(places[t])
                contexts = self.choose_contexts(inputs, t, windows)
                if not contexts:
                    continue
                targets = self.find_targets(words[t], windows)
                rate_here = rate - rate_decay * (position - start)
                together = self.n_inputs_together or len(contexts)
                for i in range(0, len(contexts), together):
                    some = contexts[i : i + together]
                    loss += self.step(some, targets, rate_here, means.vectors)
                n_pairs += len(contexts) if self.skip_gram else 1
            n_passed += len(words)
        means.move_to(n_passed + self.window)
        return loss, n_pairs, [thinning.state, windows.state]

    def thin_out(self, ids, offsets, start, stop, random):
        """What sub-sampling leaves of each document: words, and where they stood."""
        for begin, end in pairwise(offsets):
            positions = range(max(begin, start), min(end, stop))
            kept = [i for i in positions if random.draw() >> 32 <= self.keep[ids[i]]]
            yield [int(ids[i]) for i in kept], kept

    def choose_contexts(self, words, t, random):
        reach = self.window
        if self.shrink_window:
            reach -= (random.draw() >> 32) * self.window >> 32
        return words[max(0, t - reach) : t] + words[t + 1 : t + 1 + reach]

    def find_targets(self, word, random):
        """Rows of the output matrix, their labels, and whether they count."""
        if len(self.noise) == 0:
            nodes = self.nodes[word]
            return nodes, self.labels[word], np.ones(len(nodes))
        drawn = [draw_noise(self.noise, random) for _ in range(self.n_negatives)]
        rows = np.array([word, *drawn])
        labels = np.array([1.0, *np.zeros(self.n_negatives)])
        weights = np.array([1.0, *(float(noise != word) for noise in drawn)])
        return rows, labels, weights

    def step(self, contexts, targets, rate, inputs=None):
        """Descend the gradient at the vectors as they were before; return the loss."""
        rows, labels, weights = targets
        inputs = self.inputs if inputs is None else inputs
        outputs = self.outputs[rows]
        if self.skip_gram:
            pairs = [(inputs[context].copy(), [context]) for context in contexts]
        else:
            # The whole gradient of the mean goes to each of its words.
            pairs = [(inputs[contexts].mean(axis=0), contexts)]
        loss, kept = 0.0, self.inputs[self.fixed]
        for x, moved in pairs:
            loss += loss_of_pair(x, outputs, labels, weights)
            by_x, by_outputs = gradients_of_pair(x, outputs, labels, weights)
            np.add.at(self.outputs, rows, -rate * by_outputs)
            np.add.at(inputs, moved, -rate * by_x)
        self.inputs[self.fixed] = kept
        return loss


class Means:
    """The input vector of each word of a stream, where it is the mean of several rows.

    It is made when the word comes in reach of a window, and trained in place of the
    rows; they learn what changed when it is out of reach, and in between if there are
    more than 1024 // (2 * window + 1) words to go.
    """

    def __init__(self, twin, words):
        self.twin, self.words = twin, words
        self.stay = max(1, 1024 // (2 * twin.window + 1))
        self.vectors = None
        if twin.parts is not None:
            self.vectors = np.full((len(words), twin.inputs.shape[1]), np.nan)
            self.before = self.vectors.copy()
        self.first = self.last = 0

    def move_to(self, place):
        """Let the word in the middle of the window be another one."""
        if self.vectors is None:
            return
        twin = self.twin
        while self.first < min(place - twin.window, len(self.words)):
            self.spread(self.first)
            self.first += 1
        for i in reversed(range(self.first, min(self.last, len(self.words)))):
            if (place + twin.window - i) % self.stay == 0:
                self.spread(i)
                self.compose(i)
        while self.last < min(place + twin.window + 1, len(self.words)):
            self.compose(self.last)
            self.last += 1

    def compose(self, i):
        rows = self.twin.inputs[self.twin.parts[self.words[i]]]
        self.vectors[i] = self.before[i] = rows.mean(axis=0)

    def spread(self, i):
        change = self.vectors[i] - self.before[i]
        np.add.at(self.twin.inputs, self.twin.parts[self.words[i]], change)
        self.vectors[i] = np.nan


def shortest_total_length(counts):
    """Sum of count times code length of an optimal prefix code (Huffman 1952)."""
    heap = [int(count) for count in counts]
    heapq.heapify(heap)
    total = 0
    while len(heap) > 1:
        joined = heapq.heappop(heap) + heapq.heappop(heap)
        total += joined
        heapq.heappush(heap, joined)
    return total


def two_groups(n_documents=400, n_tokens=15, seed=0):
    """Documents of words a0 to a7 alone, or b0 to b7 alone; and which it is."""
    rng = np.random.default_rng(seed)
    groups = rng.integers(2, size=n_documents)
    numbers = rng.integers(8, size=(n_documents, n_tokens))
    return [
        [f"{'ab'[group]}{number}" for number in row]
        for group, row in zip(groups, numbers, strict=True)
    ], groups
