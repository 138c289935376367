"""Find the likeliest sequences: greedily, or with a beam."""

from typing import NamedTuple

import torch

from skml.neural._codec import END, PADDING, START, UNKNOWN

NEVER = [PADDING, UNKNOWN, START]  # ids that are not written


class Hypothesis(NamedTuple):
    """A sequence, and how likely it is."""

    score: float  # the log-likelihood, divided by a power of the length
    ids: list
    is_cut: bool  # at its limit, before it ended


@torch.inference_mode()
def search(network, memory, limits, *, beam_size, length_penalty, n_best=1):
    """Write sequences for what an encoder found; the best hypotheses of each first.

    A sequence has at most so many ids as its limit says, the end not counted. With a
    beam of one the search is greedy. Log-likelihoods are divided by lengths to the
    power of `length_penalty`.
    """
    beams = _Beams(network, memory, limits, beam_size, length_penalty)
    while beams.rows:
        beams.advance()
    return [found[:n_best] for found in beams.finished]


class _Beams:
    """The hypotheses of all sequences that are not finished."""

    def __init__(self, network, memory, limits, beam_size, length_penalty):
        self.network, self.limits = network, limits
        self.k, self.length_penalty = beam_size, length_penalty
        n, device = len(limits), memory.outputs.device
        self.rows = list(range(n))  # which sequence each group of k beams belongs to
        self.finished = [[] for _ in range(n)]
        self.state = network.start(memory)
        if beam_size > 1:
            index = torch.arange(n, device=device).repeat_interleave(beam_size)
            self.state.reorder(index)
        self.ids = torch.full((n, beam_size, 1), START, device=device)
        # All beams are the same at first: only one of them counts.
        self.totals = torch.full((n, beam_size), -torch.inf, device=device)
        self.totals[:, 0] = 0

    def advance(self):
        """Write one more id of each hypothesis."""
        features = self.network.step(self.ids[:, :, -1].flatten(), self.state)
        log_proba = self.network.logits(features).float().log_softmax(dim=-1)
        log_proba[:, NEVER] = -torch.inf
        log_proba = log_proba.view(*self.totals.shape, -1)
        n_ids = log_proba.shape[-1]
        # Twice as many as needed: half of them, at most, end.
        count = min(2 * self.k, self.k * n_ids)
        totals, at = (self.totals[:, :, None] + log_proba).flatten(1).topk(count)
        parents, ids = at // n_ids, at % n_ids
        ends = (ids == END) & torch.isfinite(totals)
        self._finish_ended(totals, parents, ends)
        totals = totals.masked_fill(ends, -torch.inf)
        totals, best = totals.topk(self.k)
        self._go_on(totals, parents.gather(1, best), ids.gather(1, best))

    def _finish_ended(self, totals, parents, ends):
        """Hypotheses among the best k that end."""
        for group, rank in ends[:, : self.k].nonzero().tolist():
            ids = self.ids[group, parents[group, rank], 1:].tolist()
            self._finish(self.rows[group], totals[group, rank].item(), ids, ended=True)

    def _finish(self, row, total, ids, *, ended):
        """Keep a hypothesis, the best first."""
        score = self._score(total, len(ids) + ended)
        found = self.finished[row]
        found.append(Hypothesis(score, ids, is_cut=not ended))
        found.sort(key=lambda hypothesis: -hypothesis.score)

    def _score(self, total, length):
        return total / max(1, length) ** self.length_penalty

    def _is_done(self, row, best_total, length):
        """Whether enough is finished, and the best of it beats what goes on, as it is.

        What goes on may still become better, on average over its ids; that it does is
        rare, and to be sure would take until the limit.
        """
        found = self.finished[row]
        if len(found) < self.k:
            return False
        return self._score(best_total, length) <= found[0].score

    def _go_on(self, totals, parents, ids):
        self.ids = torch.cat(
            [
                self.ids.gather(1, parents[:, :, None].expand_as(self.ids)),
                ids[:, :, None],
            ],
            dim=2,
        )
        self.totals = totals
        length, kept = self.ids.shape[2] - 1, []
        best_totals = self.totals[:, 0].tolist()
        for group, row in enumerate(self.rows):
            is_done = self._is_done(row, best_totals[group], length)
            if not is_done and length >= self.limits[row]:
                self._cut(group, row)
                is_done = True
            if not is_done:
                kept.append(group)
        if len(kept) < len(self.rows):
            self._keep(kept, parents)
        elif self.k > 1:
            self._reorder(parents, with_memory=False)

    def _cut(self, group, row):
        """Take the hypotheses of a sequence that reached its limit as they are."""
        for total, ids in zip(self.totals[group], self.ids[group], strict=True):
            if torch.isfinite(total):
                self._finish(row, total.item(), ids[1:].tolist(), ended=False)

    def _keep(self, groups, parents):
        """Go on with some of the sequences only."""
        self.rows = [self.rows[group] for group in groups]
        if not groups:
            return
        index = torch.tensor(groups, device=self.ids.device)
        self.ids, self.totals = self.ids[index], self.totals[index]
        self._reorder(parents[index], index, with_memory=True)

    def _reorder(self, parents, groups=None, *, with_memory):
        if groups is None:
            groups = torch.arange(len(parents), device=parents.device)
        index = (groups[:, None] * self.k + parents).flatten()
        self.state.reorder(index, with_memory=with_memory)
