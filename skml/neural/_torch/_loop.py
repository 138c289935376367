"""The one loop that trains all networks, in small steps."""

from math import cos, pi, sqrt
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import numpy as np
import torch

from skml._compat.torch import AdamW, divide_all
from skml.neural._torch._checkpoint import (
    flatten,
    load_optimizer,
    optimizer_tensors,
    read_checkpoint,
    unflatten,
    write_checkpoint,
)
from skml.neural._torch._device import autocast, drawing, seeded

LONGEST_WARMUP = 0.5  # fraction of the steps of a training


class TrainingOptions(NamedTuple):
    """How to train."""

    max_iter: int  # epochs
    learning_rate: float  # the peak
    lr_schedule: str  # "constant", "cosine", "inverse-sqrt" or "linear"
    warmup_steps: int | float  # at most half of all; a float is a fraction of all
    weight_decay: float
    max_grad_norm: float  # longer gradients are shortened; infinity leaves them
    betas: tuple  # of Adam
    dtype: torch.dtype  # of products
    device: torch.device
    n_iter_no_change: int  # epochs without improvement, after which it stops
    tol: float
    max_train_time: float  # seconds
    n_averaged_checkpoints: int  # last epochs whose weights are averaged
    checkpoint: str | None
    fingerprint: str | None  # of data and parameters, for the checkpoint
    caller: str


def find_obstacle(network, task, device, dtype):
    """Why a network cannot be trained with products of this type; None if it can.

    PyTorch lacks some products on some processors, and some networks fix a type of
    their own: only a trial shows. Random generators stay as they were.
    """
    if dtype == torch.float32:
        return None
    _, batches = task.batches(np.random.default_rng(0))
    part = parts_of(next(batches))[0]
    try:
        with seeded(0, device), drawing(), autocast(device, dtype):
            loss, _ = task.loss(network.train(), part)
        loss.backward()
        with autocast(device, dtype), torch.inference_mode():
            task.held_out_loss(network.eval(), part)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        return " ".join(str(error).split())
    finally:
        network.zero_grad(set_to_none=True)
        if hasattr(task, "take_figures"):
            task.take_figures()  # of the trial
    return None


def schedule(kind, step, warmup_steps, progress):
    """The fraction of the peak learning rate, at a step, counted from 0.

    It rises from zero in the warm-up; then it stays, or falls: to zero along half a
    cosine or a line with the progress, from 0 to 1; or with the root of the steps.
    """
    rising = min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
    if kind == "cosine":
        return rising * (0.5 + 0.5 * cos(pi * min(progress, 1.0)))
    if kind == "inverse-sqrt":
        return rising * sqrt(max(warmup_steps, 1) / max(step + 1, warmup_steps, 1))
    if kind == "linear":
        return rising * (1.0 - min(progress, 1.0))
    return rising


class NetworkTraining:
    """Trains a network on a task, in place.

    A task has ``batches(generator)``, the number of batches of an epoch, and an
    iterator over them; ``loss(network, batch)``, the sum of the losses of a batch, and
    of how many units it is; and ``held_out_batches``, a list, perhaps empty, and
    ``held_out_loss``, as `loss`. A batch that is a list has parts: it is too large to
    be computed at once. A task that reports more of an epoch than a loss has
    ``take_figures()``, too, whose data `figures` collects.

    `groups` are those of the optimiser, as `group_by_decay` makes them; a group may
    have a "learning_rate_factor", by which its learning rate is multiplied.
    """

    def __init__(self, network, task, options, seed, groups=None):
        self.network = network
        self.task = task
        self.options = options
        self.generator = np.random.default_rng(seed)
        self.optimizer = AdamW(
            groups or group_by_decay(network.parameters(), options.weight_decay),
            lr=options.learning_rate,
            betas=options.betas,
            fused=options.device.type in {"cpu", "cuda"},
        )
        self.n_steps, self.n_batches, self.elapsed = 0, 1, 0.0
        self.n_without_gain = 0
        self.losses, self.held_out_losses, self.figures = [], [], []
        self.recent, self.best, self.best_loss, self.best_epoch = [], None, np.inf, 0
        self.is_diverged = self.is_stopped = False

    def run(self, report):
        """Train until it is enough, or a report says so; returns the best weights."""
        self._resume()
        self.start = monotonic() - self.elapsed
        while not self._is_over():
            loss = self._run_epoch()
            self.is_diverged = not (np.isfinite(loss) and self._end_epoch(loss))
            self.is_stopped = not self.is_diverged and report()
            if self.is_diverged or self.is_stopped:
                break
        return self.best

    # An epoch

    def _run_epoch(self):
        self.network.train()
        self.n_batches, batches = self.task.batches(self.generator)
        total, n_units = 0.0, 0
        for batch in batches:
            loss, n = self._step(batch)
            self.last_batch = batch
            total, n_units = total + loss, n_units + n
            if not np.isfinite(total) or self._is_late():
                break
        return total / n_units

    def _step(self, batch):
        self._set_rate()
        parts, options = parts_of(batch), self.options
        total, n_units = 0.0, 0
        for part in parts:  # their gradients add up; only one of them is in memory
            with drawing(), autocast(options.device, options.dtype):
                loss, n = self.task.loss(self.network, part)
            (loss / n if len(parts) == 1 else loss).backward()
            total, n_units = total + loss.item(), n_units + n
        self._update_weights(1 if len(parts) == 1 else n_units)
        return total, n_units

    def _update_weights(self, divisor):
        """Take a step along the gradients, divided by a number that is known now."""
        parameters = list(self.network.parameters())
        if divisor > 1:
            divide_all([p.grad for p in parameters if p.grad is not None], divisor)
        torch.nn.utils.clip_grad_norm_(parameters, self.options.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.n_steps += 1

    def _set_rate(self):
        options = self.options
        n_planned = options.max_iter * self.n_batches
        spent = (monotonic() - self.start) / options.max_train_time
        progress = max(self.n_steps / n_planned, spent)
        done = max((self.n_steps + 1) / n_planned, spent)
        warmup_steps = options.warmup_steps
        is_fraction = isinstance(warmup_steps, float)
        fraction = warmup_steps if is_fraction else LONGEST_WARMUP
        most = round(fraction / done * (self.n_steps + 1))
        # A longer one would never let the rate be what it is to be.
        warmup_steps = most if is_fraction else min(warmup_steps, most)
        factor = schedule(options.lr_schedule, self.n_steps, warmup_steps, progress)
        for group in self.optimizer.param_groups:
            own = group.get("learning_rate_factor", 1.0)
            group["lr"] = options.learning_rate * factor * own

    def _end_epoch(self, training_loss):
        """Judge the weights after an epoch; returns whether they make sense."""
        self.recent.append(copy_weights(self.network))
        del self.recent[: -self.options.n_averaged_checkpoints]
        weights = average(self.recent)
        has_held_out = len(self.task.held_out_batches) > 0
        # The loss of a step is that before it; the last step may have been too long.
        loss = self._evaluate(
            weights, self.task.held_out_batches if has_held_out else [self.last_batch]
        )
        if not np.isfinite(loss):
            return False
        self.losses.append(training_loss)
        if has_held_out:
            self.held_out_losses.append(loss)
        if hasattr(self.task, "take_figures"):
            self.figures.append(self.task.take_figures())
        if not has_held_out or loss < self.best_loss - self.options.tol:
            self.best, self.best_loss, self.n_without_gain = weights, loss, 0
            self.best_epoch = len(self.losses) - 1
        else:
            self.n_without_gain += 1
        self._write_checkpoint()
        return True

    @torch.inference_mode()
    def _evaluate(self, weights, batches):
        """The mean loss of a unit of some batches."""
        self.network.eval()
        self.network.load_state_dict(weights)
        parts = [part for batch in batches for part in parts_of(batch)]
        with autocast(self.options.device, self.options.dtype):
            found = [self.task.held_out_loss(self.network, part) for part in parts]
        self.network.load_state_dict(self.recent[-1])
        return sum(loss.item() for loss, _ in found) / sum(n for _, n in found)

    def _is_over(self):
        n_epochs, options = len(self.losses), self.options
        if n_epochs == 0:
            return False
        is_stuck = self.n_without_gain >= options.n_iter_no_change
        return n_epochs >= options.max_iter or is_stuck or self._is_late()

    def _is_late(self):
        return monotonic() - self.start >= self.options.max_train_time

    # To go on later

    def _write_checkpoint(self):
        if self.options.checkpoint is None:
            return
        tensors = {
            **flatten("network", self.network.state_dict()),
            **flatten("best", self.best),
            **flatten("optimizer", optimizer_tensors(self.optimizer)),
        }
        with drawing():
            tensors["generator"] = torch.get_rng_state()
            if self.options.device.type == "cuda":
                state = torch.cuda.get_rng_state(self.options.device)
                tensors["device-generator"] = state
        for number, weights in enumerate(self.recent):
            tensors.update(flatten(f"recent-{number}", weights))
        notes = {
            "fingerprint": self.options.fingerprint,
            "generator": self.generator.bit_generator.state,
            "n_recent": len(self.recent),
            **{name: getattr(self, name) for name in NOTED},
            "elapsed": monotonic() - self.start,
        }
        write_checkpoint(self.options.checkpoint, tensors, notes)

    def _resume(self):
        path, caller = self.options.checkpoint, self.options.caller
        if path is None or not Path(path).exists():
            return
        tensors, notes = read_checkpoint(path, caller)
        if notes.get("fingerprint") != self.options.fingerprint:
            raise ValueError(
                f"{caller}: the checkpoint {str(path)!r} is of a fit with other data "
                "or parameters. Delete it, or name another file."
            )
        try:
            self._take(tensors, notes)
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError) as error:
            reason = " ".join(str(error).split())
            raise ValueError(
                f"{caller}: the checkpoint {str(path)!r} is damaged: {reason:.200} "
                "Delete it to begin anew."
            ) from None

    def _take(self, tensors, notes):
        """Go on from what a checkpoint holds."""
        sets = [
            unflatten(f"recent-{i}", tensors) for i in range(int(notes["n_recent"]))
        ]
        sets += [unflatten("best", tensors), unflatten("network", tensors)]
        for weights in sets:
            self.network.load_state_dict(weights)  # names and shapes are checked
        *self.recent, self.best, _ = sets
        load_optimizer(self.optimizer, unflatten("optimizer", tensors))
        with drawing():
            torch.set_rng_state(tensors["generator"])
            if self.options.device.type == "cuda":
                state = tensors["device-generator"]
                torch.cuda.set_rng_state(state, self.options.device)
        self.generator.bit_generator.state = notes["generator"]
        for name, kind in NOTED.items():
            value = notes[name]
            if type(value) is not kind:
                raise TypeError(f"{name} is {value!r:.60}.")
            setattr(self, name, value)
        for curve in (self.losses, self.held_out_losses):
            if not all(type(loss) is float for loss in curve):
                raise TypeError("a loss is no number.")
        n_epochs, n_told = len(self.losses), len(self.figures)
        if not 0 <= self.best_epoch < n_epochs or n_told not in {0, n_epochs}:
            raise ValueError("epochs are missing.")


# Attributes of a training that a checkpoint keeps as they are.
NOTED = {
    "losses": list,
    "held_out_losses": list,
    "figures": list,
    "best_epoch": int,
    "n_steps": int,
    "n_batches": int,
    "n_without_gain": int,
    "best_loss": float,
    "elapsed": float,
}


def parts_of(batch):
    """What of a batch is computed at once: a list has parts, anything else is one."""
    return batch if isinstance(batch, list) else [batch]


def group_by_decay(parameters, weight_decay, **options):
    """Parameters that decay, matrices, and those that do not: biases and norms."""
    groups = {True: [], False: []}
    for parameter in parameters:
        groups[parameter.ndim > 1].append(parameter)
    return [
        {"params": groups[True], "weight_decay": weight_decay, **options},
        {"params": groups[False], "weight_decay": 0.0, **options},
    ]


def copy_weights(network):
    """The weights of a network, apart from it."""
    return {name: w.detach().clone() for name, w in network.state_dict().items()}


def average(weights):
    """The mean of several sets of weights."""
    if len(weights) == 1:
        return weights[0]
    return {
        name: torch.stack([w[name].float() for w in weights])
        .mean(dim=0)
        .to(first.dtype)
        for name, first in weights[0].items()
    }
