"""The state of a training, in a file from which it can go on; no code is run."""

import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

FORMAT = "skml-checkpoint-1"


def write_checkpoint(path, tensors, notes):
    """Write tensors by name, and notes as JSON; the file is replaced at once."""
    path = Path(path)
    partial = path.with_name(f"{path.name}.partial")
    tensors = {name: t.cpu().clone() for name, t in tensors.items()}  # none is shared
    notes = {"format": FORMAT, "notes": json.dumps(notes)}
    save_file(tensors, partial, metadata=notes)
    os.replace(partial, path)


def read_checkpoint(path, caller):
    """What `write_checkpoint` wrote: tensors and notes."""
    try:
        with safe_open(path, framework="pt") as stored:
            found = stored.metadata() or {}
            tensors = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118
    except (SafetensorError, OSError) as error:
        raise ValueError(
            f"{caller}: the checkpoint {str(path)!r} cannot be read: {error} Delete it "
            "to begin anew."
        ) from None
    if found.get("format") != FORMAT:
        raise ValueError(
            f"{caller}: {str(path)!r} is no checkpoint of this version: its format is "
            f"{found.get('format')!r}, expected {FORMAT!r}. Delete it, or name "
            "another file."
        )
    try:
        notes = json.loads(found["notes"])
        notes["fingerprint"]
    except (KeyError, TypeError, ValueError, RecursionError):
        raise ValueError(
            f"{caller}: the checkpoint {str(path)!r} is damaged: it has no notes that "
            "can be read. Delete it to begin anew."
        ) from None
    return tensors, notes


def flatten(prefix, tensors):
    """Tensors of a dict, with names that begin with the prefix."""
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def unflatten(prefix, tensors):
    """The tensors whose names begin with the prefix."""
    start = f"{prefix}/"
    return {
        name.removeprefix(start): tensor
        for name, tensor in tensors.items()
        if name.startswith(start)
    }


def optimizer_tensors(optimizer):
    """The state of an optimiser, as tensors by name."""
    return {
        f"{number}/{name}": torch.as_tensor(value)
        for number, state in optimizer.state_dict()["state"].items()
        for name, value in state.items()
    }


def load_optimizer(optimizer, tensors):
    """Put the state back."""
    stored = optimizer.state_dict()
    state = {}
    for name, tensor in tensors.items():
        number, _, field = name.partition("/")
        state.setdefault(int(number), {})[field] = tensor
    optimizer.load_state_dict({**stored, "state": state})
