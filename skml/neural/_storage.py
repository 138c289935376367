"""JSON of fitted estimators: read and written; no code runs."""

import json
import os

import numpy as np

ESTIMATOR = "estimator.json"


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
