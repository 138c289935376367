"""Windows of documents as a task for the loop, and the outputs of a network."""

import numpy as np
import torch
from torch import nn

from skml.neural._torch._batches import divide, pad
from skml.neural.modules import Dropout

MOST_TOKENS = 4096  # that are computed at once
MOST_TOKENS_OF_THREAD = 1024  # on a CPU, where more do not fit into its caches
NO_TARGET = -100  # where a ragged target ends, or a token has none


def make_inputs(windows, rows, padding, network):
    """What a network is called with, for some windows."""
    device, least = network.device, getattr(network, "least_tokens", 0)
    ids, lengths = pad([windows.ids[row] for row in rows], padding, least)
    mask = torch.arange(ids.shape[1]) < lengths[:, None]
    inputs = {"input_ids": ids.to(device), "attention_mask": mask.long().to(device)}
    if getattr(network.config, "type_vocab_size", 0) > 1:
        segments, _ = pad([windows.segments[row] for row in rows], 0, least)
        inputs["token_type_ids"] = segments.to(device)
    return inputs


def divide_for(network, lengths, most):
    """Positions of windows that are computed at once, of `most` tokens together.

    They have similar lengths, or the same one if the network reads padding.
    """
    parts = divide(lengths, most)
    if not getattr(network, "reads_padding", False):
        return parts
    return [
        rows
        for part in parts
        for rows in np.split(part, np.flatnonzero(np.diff(lengths[part])) + 1)
    ]


class WindowTask:
    """Windows to learn from, each with a target, or one for each of its tokens.

    A window of weight 0, which has no target, is left out: a batch of nothing but such
    has no mean loss. `objective` makes of the network's outputs, targets and weights
    the weighted sum of losses, and that of the weights.
    """

    def __init__(
        self,
        windows,
        targets,
        weights,
        held_out,
        *,
        objective,
        batch_size,
        padding,
        network,
    ):
        self.windows, self.targets = windows, targets
        self.weights = torch.from_numpy(np.asarray(weights, dtype=np.float32))
        self.objective = objective
        self.batch_size = batch_size
        self.padding = padding
        self.network = network
        is_held_out = np.isin(windows.documents, held_out)
        counts = self.weights.numpy() > 0
        self.learned = np.flatnonzero(counts & ~is_held_out)
        self.held_out_batches = list(
            map(self.make_batch, self._divide(np.flatnonzero(counts & is_held_out)))
        )

    def _divide(self, rows, generator=None):
        parts = divide(
            self.windows.lengths[rows], np.inf, generator, n_sequences=self.batch_size
        )
        return [rows[part] for part in parts]

    def batches(self, generator):
        """How many batches an epoch has, and these, made when they are needed."""
        parts = self._divide(self.learned, generator)
        return len(parts), map(self.make_batch, parts)

    def make_batch(self, rows):
        """The parts of a batch; long windows would take much memory at once."""
        parts = divide_for(self.network, self.windows.lengths[rows], MOST_TOKENS)
        return [self.make_part(rows[part]) for part in parts]

    def make_part(self, rows):
        """Inputs, targets and weights."""
        if isinstance(self.targets, list):
            least = getattr(self.network, "least_tokens", 0)
            targets, _ = pad([self.targets[row] for row in rows], NO_TARGET, least)
        else:
            targets = torch.from_numpy(self.targets[rows])
        device = self.network.device
        inputs = make_inputs(self.windows, rows, self.padding, self.network)
        return inputs, targets.to(device), self.weights[rows].to(device)

    def loss(self, network, batch):
        """The weighted sum of the losses, and that of the weights."""
        inputs, targets, weights = batch
        return self.objective(network(**inputs), targets, weights)

    held_out_loss = loss


@torch.inference_mode()
def run_windows(network, windows, padding, compute):
    """Go over all windows, of similar lengths at a time, in float32.

    Yields positions of windows, and what `compute` made of the network and its inputs:
    an array, or a tuple of arrays, with a row for each of them.
    """
    most = MOST_TOKENS
    if network.device.type == "cpu":
        most = min(most, MOST_TOKENS_OF_THREAD * torch.get_num_threads())
    for rows in divide_for(network, windows.lengths, most):
        yield rows, compute(network, make_inputs(windows, rows, padding, network))


def collect(network, windows, padding, compute, *, of_tokens=False):
    """What `compute` returns of all windows; or of all their tokens, in a row."""
    stops = windows.lengths.cumsum()
    found = None
    for rows, values in run_windows(network, windows, padding, compute):
        if found is None:
            shape = (len(windows), *values.shape[1:])
            if of_tokens:
                shape = (stops[-1], *values.shape[2:])
            found = np.empty(shape, dtype=values.dtype)
        if not of_tokens:
            found[rows] = values
            continue
        for row, of_window in zip(rows, values, strict=True):
            n = windows.lengths[row]
            found[stops[row] - n : stops[row]] = of_window[:n]
    return found


def drop_out(network):
    """Let dropout continue after training, for Monte-Carlo samples."""
    network.eval()
    for module in network.modules():
        for child in module.children():
            if isinstance(child, (Dropout, nn.Dropout)):
                # The attention drops out if it is itself in training mode.
                child.training = module.training = True
