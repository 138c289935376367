"""Masked tokens and next sentences as a task for the loop."""

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from skml.neural._torch._batches import divide, pad
from skml.neural.modules._cross_entropy import cross_entropy_and_hits

SHORT_FRACTION = 0.1  # of chunks that are shorter than they could be, as in BERT
MASKED_FRACTION, RANDOM_FRACTION = 0.8, 0.1  # of chosen tokens; the others stay
SHORTEST = 8  # tokens of a chunk that is shorter on purpose


def cut_chunks(lengths, longest, generator):
    """Cut a document into chunks, between sentences where that is possible.

    Returns of each chunk the first token, the last one plus one, and where the second
    part of a true pair begins: between two sentences, or within the only one.
    """
    chunks, ends = [], np.cumsum(lengths)
    total, start, sentence = int(ends[-1]), 0, 0
    while start < total:
        target = longest
        if longest > SHORTEST and generator.random() < SHORT_FRACTION:
            target = int(generator.integers(SHORTEST, longest))
        # The sentences that end in reach; or a part of one that is too long.
        last = int(np.searchsorted(ends, start + target, side="right"))
        end = int(ends[last - 1]) if last > sentence else start + target
        inner = ends[sentence : last - 1] if last > sentence else ()
        if len(inner):
            split = int(inner[generator.integers(len(inner))])
        else:
            split = int(generator.integers(start + 1, end)) if end - start > 1 else end
        chunks.append((start, end, split))
        start, sentence = end, int(np.searchsorted(ends, end, side="right"))
    return chunks


class Sentences:
    """Documents as tokens of sentences, none of which is empty."""

    def __init__(self, documents):
        self.lengths = [[len(ids) for ids in document] for document in documents]
        self.tokens = [np.concatenate(document) for document in documents]

    def __len__(self):
        return len(self.tokens)

    def chunks(self, rows, longest, generator):
        """Chunks of some documents: a table of document, start, end and split."""
        found = [
            (row, *chunk)
            for row in rows
            for chunk in cut_chunks(self.lengths[row], longest, generator)
        ]
        return np.array(found, dtype=np.intp).reshape(-1, 4)


def draw_others(chunks, generator):
    """For each chunk one of another document; its own, if there is no other."""
    rows = chunks[:, 0]  # ascending
    first = np.searchsorted(rows, rows)
    n_own = np.searchsorted(rows, rows, side="right") - first
    n_others = len(rows) - n_own
    drawn = (generator.random(len(rows)) * n_others).astype(np.intp)
    return np.where(
        n_others > 0, drawn + (drawn >= first) * n_own, np.arange(len(rows))
    )


def choose_tokens(ids, is_special, is_inner, mlm_probability, generator):
    """Choose the tokens that are to be predicted, at least one of each sequence.

    `is_special` is not chosen. `is_inner` marks the tokens of the vocabulary that
    continue a word, so that whole words are chosen; None chooses tokens.
    """
    noise = generator.random(ids.shape)
    rows = np.arange(len(ids))[:, None]
    if is_inner is not None:  # all tokens of a word have the number of its first
        starts = np.where(is_inner[ids] & ~is_special, 0, np.arange(ids.shape[1]))
        noise = noise[rows, np.maximum.accumulate(starts, axis=1)]
    noise[is_special] = np.inf
    n_real = (~is_special).sum(axis=1)
    wanted = np.maximum(1, mlm_probability * n_real)
    # A random rounding, so that the fraction is met on average.
    n_wanted = np.floor(wanted + generator.random(len(ids))).astype(np.intp)
    ordered = np.sort(noise, axis=1)
    last = ordered[rows[:, 0], np.minimum(n_wanted, n_real) - 1]
    return (noise <= last[:, None]) & ~is_special


def corrupt(ids, is_chosen, mask, ordinary, generator):
    """Replace chosen tokens: most by the mask, some by others, and some by nothing."""
    drawn = generator.random(ids.shape)
    found = np.where(is_chosen & (drawn < MASKED_FRACTION), mask, ids)
    is_random = is_chosen & (drawn >= MASKED_FRACTION)
    is_random &= drawn < MASKED_FRACTION + RANDOM_FRACTION
    found[is_random] = generator.choice(ordinary, size=int(is_random.sum()))
    return found


class PretrainingTask:
    """Documents whose masked tokens, and true next sentences, are to be predicted.

    The tokens of the validation set are masked once, by the seed. `ordinary` are the
    ids that are not special, and `is_inner` as in `choose_tokens`.
    """

    def __init__(
        self,
        sentences,
        held_out,
        seed,
        *,
        longest,
        batch_size,
        mlm_probability,
        special,
        ordinary,
        is_inner,
        next_sentence,
        device,
    ):
        self.sentences = sentences
        self.longest = longest - (3 if next_sentence else 2)
        self.batch_size = batch_size
        self.mlm_probability = mlm_probability
        self.special = special
        self.ordinary = ordinary
        self.is_inner = is_inner
        self.next_sentence = next_sentence
        self.device = device
        self.learned = np.setdiff1d(np.arange(len(sentences)), held_out)
        self.figures, self.held_out_figures = Figures(), Figures()
        self.held_out_batches = []
        if len(held_out):
            generator = np.random.default_rng(seed)
            _, batches = self._make(held_out, generator)
            self.held_out_batches = list(batches)

    def batches(self, generator):
        """How many batches an epoch has, and these, masked when they are needed."""
        return self._make(self.learned, generator)

    def _make(self, rows, generator):
        chunks = self.sentences.chunks(rows, self.longest, generator)
        others = draw_others(chunks, generator)
        is_next = generator.random(len(chunks)) < 0.5
        is_next |= others == np.arange(len(chunks))
        parts = divide(
            chunks[:, 2] - chunks[:, 1],
            np.inf,
            generator,
            n_sequences=self.batch_size,
        )

        def make(at):
            pairs = [self._pair(chunks[i], chunks[others[i]], is_next[i]) for i in at]
            return self._mask(pairs, is_next[at], generator)

        return len(parts), map(make, parts)

    def _pair(self, chunk, other, is_next):
        """Both parts of a sequence; the second is empty if there are no pairs."""
        row, start, end, split = chunk
        tokens = self.sentences.tokens[row]
        if not self.next_sentence:
            return tokens[start:end], tokens[:0]
        first, second = tokens[start:split], tokens[split:end]
        if not is_next:  # as much of the end of another chunk
            row, start, end, _ = other
            start = max(start, end - max(len(second), 1))
            second = self.sentences.tokens[row][start:end]
        return first, second

    def _mask(self, pairs, is_next, generator):
        """The tensors of a batch."""
        cls, sep = self.special["cls"], self.special["sep"]
        sequences, segments = [], []
        for first, second in pairs:
            parts = [[cls], first, [sep]]
            if self.next_sentence:
                parts += [second, [sep]]
            sequences.append(np.concatenate(parts))
            segments.append(np.repeat([0, 1], [len(first) + 2, len(second) + 1]))
        ids, lengths = pad(sequences, self.special["pad"])
        ids = ids.numpy()
        is_real = np.arange(ids.shape[1]) < lengths.numpy()[:, None]
        is_special = ~is_real | (ids == cls) | (ids == sep)
        is_chosen = choose_tokens(
            ids, is_special, self.is_inner, self.mlm_probability, generator
        )
        corrupted = corrupt(
            ids, is_chosen, self.special["mask"], self.ordinary, generator
        )
        inputs = {"input_ids": corrupted, "attention_mask": is_real.astype(np.int64)}
        if self.next_sentence:
            inputs["token_type_ids"] = pad(segments, 0)[0].numpy()
        tensors = {
            name: torch.from_numpy(a).to(self.device) for name, a in inputs.items()
        }
        return (
            tensors,
            torch.from_numpy(is_chosen).to(self.device),
            torch.from_numpy(ids[is_chosen]).to(self.device),
            # As in BERT, 0 is a true pair.
            torch.from_numpy(1 - is_next.astype(np.int64)).to(self.device),
        )

    def held_out_loss(self, network, batch):
        return self.loss(network, batch, held_out=True)

    def take_figures(self):
        """Of an epoch, the figures of training, and those of the validation set."""
        held_out = self.held_out_figures.take()
        return [self.figures.take(), held_out if self.held_out_batches else {}]

    def loss(self, network, batch, held_out=False):
        """The mean loss of a sequence times their number, and that number."""
        figures = self.held_out_figures if held_out else self.figures
        inputs, is_chosen, tokens, labels = batch
        body = network.base_model(**inputs)
        # Scores of a whole vocabulary are most of the work: none where nothing is
        # predicted, and few at a time.
        head = network.cls.predictions
        chosen, last = head.transform(body.last_hidden_state[is_chosen]), head.decoder
        total, n_right = cross_entropy_and_hits(chosen, last.weight, last.bias, tokens)
        figures.add("masked", total, n_right, len(tokens))
        loss = total / len(tokens)
        if self.next_sentence:
            scores = network.cls.seq_relationship(body.pooler_output).float()
            of_pairs = cross_entropy(scores, labels, reduction="sum")
            n_right = (scores.argmax(dim=-1) == labels).sum()
            figures.add("next_sentence", of_pairs, n_right, len(labels))
            loss = loss + of_pairs / len(labels)
        return loss * len(labels), len(labels)


class Figures:
    """Sums of losses and right predictions, of both tasks."""

    def __init__(self):
        self.totals = {}

    def add(self, name, loss, n_right, n):
        """Count `n` predictions, and the sum of their losses."""
        total = self.totals.setdefault(name, np.zeros(3))
        total += [loss.item(), n_right.item(), n]

    def take(self):
        """The mean loss and the accuracy by name; then, counting begins anew."""
        found = {}
        for name, (loss, n_right, n) in self.totals.items():
            found[f"{name}_loss"] = float(loss / n)
            found[f"{name}_accuracy"] = float(n_right / n)
        self.totals = {}
        return found
