"""Fitted networks in folders: JSON, and weights as safetensors; no code runs."""

import json
import os
from pathlib import Path

import numpy as np

from skml._folders import check_parent, check_replaceable, write_files
from skml._optional import import_optional
from skml.neural._codec import VOCABULARIES
from skml.neural._network_estimator import CURVES

FORMAT = 2
ESTIMATOR, SOURCE, TARGET = "estimator.json", "source.json", "target.json"
WEIGHTS = "network.safetensors"
FILES = (ESTIMATOR, SOURCE, TARGET, WEIGHTS)
SIZES = ("n_source", "n_target")
MOST_POSITIONS = 2**17  # of a network that is read
KINDS = ("text", "tokens")
RATIO = "max_length_ratio_"
NUMBERS = ("n_iter_", *CURVES)


def save_folder(estimator, path):
    """Write a fitted translator to a folder, which appears, or is replaced, at once.

    Raises
    ------
    TypeError
        If a parameter is no data, such as a `RandomState`.
    ValueError
        If the folder holds other files.
    """
    import_optional("safetensors", extra="neural", caller=type(estimator).__name__)
    from safetensors.torch import save

    path = Path(os.fspath(path)).absolute()  # "." has no name to put others beside
    check_parent(path)
    check_replaceable(path, FILES, "a saved model")
    state = {
        "format": FORMAT,
        "class": type(estimator).__name__,
        "parameters": estimator.get_params(deep=False),
        "kinds": estimator._kinds,
        "architecture": estimator._architecture,
        "cut_by": estimator._cut_by,
        RATIO: estimator.max_length_ratio_,
        "n_iter_": estimator.n_iter_,
        **{name: getattr(estimator, name).tolist() for name in CURVES},
    }
    network = estimator.network_.state_dict()
    weights = {name: w.detach().cpu().contiguous() for name, w in network.items()}
    files = {
        ESTIMATOR: to_json(state, type(estimator).__name__),
        SOURCE: to_json(estimator.source_vocabulary_.to_json(), SOURCE),
        TARGET: to_json(estimator.target_vocabulary_.to_json(), TARGET),
        WEIGHTS: save(weights),
    }
    write_files(path, FILES, files)


def load_folder(cls, path):
    """Read what `save_folder` wrote, from a folder that may come from anybody.

    Raises
    ------
    ValueError
        If a file is missing or damaged, or is of another class or version.
    """
    import_optional("safetensors", extra="neural", caller=cls.__name__)
    from safetensors import SafetensorError
    from safetensors.torch import load

    path = Path(os.fspath(path))
    state = read_json(path / ESTIMATOR)
    estimator = _make_estimator(cls, state, path / ESTIMATOR)
    sides = ((SOURCE, "source"), (TARGET, "target"))
    for (name, side), kind in zip(sides, estimator._kinds, strict=True):
        setattr(estimator, f"{side}_vocabulary_", _read_vocabulary(path / name, kind))
    try:
        weights = load(_read(path / WEIGHTS))
        _check_architecture(estimator, weights, path / ESTIMATOR)
        estimator.network_ = estimator._rebuild_network(weights)
    except (SafetensorError, RuntimeError, TypeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{path / WEIGHTS} is damaged: {reason:.300}") from None
    return estimator


def _make_estimator(cls, state, where):
    """An estimator with the parameters that are stored, checked."""
    check_state(state, cls.__name__, FORMAT, where)
    try:
        estimator = cls(**state["parameters"])
        estimator._validate_params()
        estimator._check_parameters()
        kinds = state["kinds"]
        numbers = {name: state[name] for name in NUMBERS}
        architecture, cut_by = state["architecture"], state["cut_by"]
        ratio = state[RATIO]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{where} is damaged: {error!s:.200}") from None
    curves = (numbers["loss_curve_"], numbers["validation_loss_curve_"])
    if type(numbers["n_iter_"]) is not int or not all(map(_is_curve, curves)):
        raise ValueError(f"{where} is damaged: n_iter_, or a loss curve, is no number.")
    if type(ratio) is not float or not 2 <= ratio < float("inf"):
        raise ValueError(f"{where} is damaged: {RATIO}={ratio!r:.60}.")
    if kinds not in [[a, b] for a in KINDS for b in KINDS]:
        raise ValueError(f"{where} is damaged: kinds={kinds!r:.60}.")
    estimator._kinds, estimator._architecture = tuple(kinds), architecture
    estimator._cut_by, estimator.max_length_ratio_ = cut_by, ratio
    curves = {name: np.array(numbers[name], dtype=np.float64) for name in CURVES}
    vars(estimator).update(numbers | curves)
    return estimator


def check_state(state, name, version, where):
    """What is stored must be of this class and version.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(state, dict) or state.get("format") != version:
        raise ValueError(f"{where} is not of this version; save the model again.")
    if state.get("class") != name:
        raise ValueError(
            f"{where} is of {state.get('class')!r:.60}; load it with that class, not "
            f"with {name}."
        )


def _is_curve(value):
    return type(value) is list and all(type(loss) is float for loss in value)


def _check_architecture(estimator, weights, where):
    """See to it that a network is made of no other size than the weights have."""
    import torch

    sizes = len(estimator.source_vocabulary_), len(estimator.target_vocabulary_)
    expected = {
        **estimator._describe_network(*sizes),
        **dict(zip(SIZES, sizes, strict=True)),
    }
    found = estimator._architecture
    longest = max((n for w in weights.values() for n in w.shape), default=0)
    limits = {"n_layers": len(weights), "max_length": MOST_POSITIONS}
    for name, value in expected.items():
        given = found.get(name) if isinstance(found, dict) else None
        is_alike = type(given) is type(value) or name == "attention"
        is_size = type(given) is int
        if not is_alike or (is_size and not 0 < given <= limits.get(name, longest)):
            raise ValueError(f"{where} is damaged: {name}={given!r:.60}.")
    if found.keys() != expected.keys() or any(found[n] != expected[n] for n in SIZES):
        raise ValueError(f"{where} is damaged: sizes do not fit the vocabularies.")
    try:
        with torch.device("meta"):  # takes no memory
            network = estimator._make_network()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} is damaged: {error!s:.200}") from None
    wanted = {name: (w.shape, w.dtype) for name, w in network.state_dict().items()}
    if wanted != {name: (w.shape, w.dtype) for name, w in weights.items()}:
        raise ValueError(f"{where} is damaged: sizes or types do not fit {WEIGHTS}.")


def _read_vocabulary(where, kind):
    """A vocabulary of text, or of lists of tokens."""
    stored = read_json(where)
    try:
        vocabulary = VOCABULARIES[stored["name"]].from_json(stored)
    except Exception as error:  # the library tokenizers raises no other type
        raise ValueError(f"{where} is damaged: {error!s:.200}") from None
    if (vocabulary.name == "tokens") != (kind == "tokens"):
        raise ValueError(
            f"{where} is damaged: it is of {vocabulary.name!r}, and {ESTIMATOR} says "
            f"{kind!r}."
        )
    return vocabulary


def _read(where):
    if not where.is_file():
        raise ValueError(f"{where} is missing; pass a folder that save wrote.")
    return where.read_bytes()


def read_json(where):
    content = _read(where)
    try:
        return json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # also numbers of too many digits
        raise ValueError(f"{where} is damaged: {error!s:.200}") from None


def to_json(value, caller):
    def refuse(value):
        if isinstance(value, np.generic):
            return value.item()
        if isinstance(value, os.PathLike):
            return os.fspath(value)
        raise TypeError(
            f"{caller}: {value!r:.80} ({type(value).__name__}) is no data that a file "
            "can hold; pass a number, or keep the model with pickle."
        )

    return json.dumps(value, ensure_ascii=False, default=refuse).encode()
