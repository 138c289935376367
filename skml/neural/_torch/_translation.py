"""Pairs of sequences as a task for the loop, and what a trained network says."""

import numpy as np
import torch

from skml.neural._codec import PADDING
from skml.neural._torch._batches import divide, pad
from skml.neural._torch._device import placed
from skml.neural._torch._search import search
from skml.neural._translation_pairs import lengths_of


class TranslationTask:
    """Pairs of sequences of ids, with their ends, to learn from."""

    def __init__(
        self,
        sources,
        targets,
        held_out,
        *,
        batch_size,
        label_smoothing,
        device,
        decode_options,
    ):
        self.sources, self.targets = sources, targets
        self.batch_size = batch_size
        self.label_smoothing = label_smoothing
        self.device = device
        self.decode_options = decode_options
        self.learned = np.setdiff1d(np.arange(len(sources)), held_out)
        self.lengths = lengths_of(sources, targets)
        parts = divide(self.lengths[held_out], batch_size)
        self.held_out_batches = [self.make_batch(held_out[part]) for part in parts]

    def batches(self, generator):
        """How many batches an epoch has, and these, made when they are needed."""
        parts = divide(self.lengths[self.learned], self.batch_size, generator)
        return len(parts), (self.make_batch(self.learned[part]) for part in parts)

    def make_batch(self, rows):
        """Source ids and lengths, target ids."""
        source, lengths = pad([self.sources[row] for row in rows])
        target, _ = pad([self.targets[row] for row in rows])
        return source.to(self.device), lengths, target.to(self.device)

    def loss(self, network, batch, *, is_training=True):
        """The sum of the losses of all target ids, and how many they are."""
        source, lengths, target = batch
        options = self.decode_options if is_training else {}
        features = network(source, lengths, target[:, :-1], **options)
        expected = target[:, 1:]
        is_real = expected != PADDING
        # Scores of all ids are most of the work: none is computed for padding.
        loss = network.loss(
            features[is_real],
            expected[is_real],
            label_smoothing=self.label_smoothing if is_training else 0.0,
        )
        return loss, int(is_real.sum())

    def held_out_loss(self, network, batch):
        return self.loss(network, batch, is_training=False)


class Translator:
    """A trained network that writes, scores and shows its attention, in float32."""

    def __init__(self, network, batch_size, device):
        self.network = placed(network, device)
        self.batch_size = batch_size
        self.device = device

    def translate(self, sources, max_length, ratio, **options):
        """The best hypotheses of each source; `options` as in `search`.

        Those of a source with n ids have `max_length`, and ``ratio * n + 10``, at most.
        """
        found = [None] * len(sources)
        lengths = np.array([len(source) for source in sources], dtype=np.intp)
        size = max(1, self.batch_size // options["beam_size"])
        for rows in divide(lengths, size):
            source, of_rows = pad([sources[row] for row in rows])
            with torch.inference_mode():
                memory = self.network.encode(source.to(self.device), of_rows)
                limits = [
                    min(max_length, int(ratio * n) + 10) for n in of_rows.tolist()
                ]
                hypotheses = search(self.network, memory, limits, **options)
            for row, of_row in zip(rows, hypotheses, strict=True):
                found[row] = of_row
        return found

    def log_likelihood(self, sources, targets):
        """The log-probability of each target, its end included."""
        found = np.empty(len(sources))
        for rows, batch in self._pairs(sources, targets):
            source, lengths, target = batch
            with torch.inference_mode():
                features = self.network(source, lengths, target[:, :-1])
                logits = self.network.logits(features)
                wanted = target[:, 1:, None]
                log_proba = logits.log_softmax(dim=-1).gather(2, wanted)
                log_proba = log_proba.masked_fill(wanted == PADDING, 0).sum(dim=(1, 2))
            found[rows] = log_proba.cpu().numpy()
        return found

    def attention_weights(self, sources, targets):
        """Of each pair, the weights of source ids before each target id."""
        found = [None] * len(sources)
        for rows, batch in self._pairs(sources, targets):
            source, lengths, target = batch
            with torch.inference_mode():
                memory = self.network.encode(source, lengths)
                _, weights = self.network.decode(
                    target[:, :-1], memory, return_weights=True
                )
            for row, of_row in zip(rows, weights.cpu().numpy(), strict=True):
                found[row] = of_row[: len(targets[row]) - 1, : len(sources[row])]
        return found

    def _pairs(self, sources, targets):
        for rows in divide(lengths_of(sources, targets), self.batch_size):
            source, lengths = pad([sources[row] for row in rows])
            target, _ = pad([targets[row] for row in rows])
            yield rows, (source.to(self.device), lengths, target.to(self.device))
