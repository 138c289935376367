"""Where models come from: a folder, a hub, or a fitted estimator; and what fails."""

import os
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import transformers
from huggingface_hub import get_hf_file_metadata, hf_hub_url, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError
from sklearn.exceptions import NotFittedError

from skml._codec import MODEL
from skml._compat.transformers import (
    has_no_connection,
    quiet_hub,
    quiet_progress_bars,
)
from skml._store import read_any_model

CONFIG = "config.json"  # which every model has


@contextmanager
def quietly():
    """Let transformers print nothing: what matters is returned or raised."""
    log = transformers.utils.logging
    before = log.get_verbosity()
    log.set_verbosity(log.CRITICAL)
    try:
        with quiet_progress_bars():
            yield
    finally:
        log.set_verbosity(before)


@contextmanager
def as_source(model, caller):
    """What transformers can read a model from: a folder, or the name of a hub's model.

    An estimator, or one that `save` wrote, writes its model to a folder that is there
    for the while.
    """
    if model is None:
        raise ValueError(
            f"{caller}: model=None; pass the folder of a model, the name of one on a "
            "hub, or a fitted BertPretrainer. None suits all languages, and nothing is "
            "downloaded unasked."
        )
    if not isinstance(model, (str, os.PathLike)):
        model = getattr(model, "estimator", model)  # that of a FrozenEstimator
        if not (hasattr(model, "_fitted") and hasattr(model, "save_pretrained")):
            raise NotFittedError(
                f"{caller}: model is a {type(model).__name__} that is not fitted. "
                "Cross-validation and searches clone it: pass "
                "sklearn.frozen.FrozenEstimator(model), or the folder that "
                "model.save_pretrained wrote."
            )
        with _written(model) as path:
            yield path
        return
    path = Path(os.path.expanduser(model))  # which leaves unknown users alone
    if (path / MODEL).is_file():
        with _written(read_any_model(path)) as path:
            yield path
    elif path.is_dir():
        if not (path / CONFIG).is_file():
            raise ValueError(
                f"{caller}: the folder {str(path)!r} has no config.json: it holds no "
                "model of transformers."
            )
        yield path
    elif isinstance(model, str) and _is_name_on_hub(model):
        yield _find_on_hub(model, caller)
    else:
        raise ValueError(f"{caller}: there is no folder {str(model)!r}.")


@contextmanager
def _written(estimator):
    """The folder in which a fitted estimator is, as transformers reads it."""
    if not hasattr(estimator, "save_pretrained"):
        raise ValueError(
            f"a {type(estimator).__name__} holds no model of transformers."
        )
    with TemporaryDirectory() as folder:
        estimator.save_pretrained(Path(folder) / "model")
        yield Path(folder) / "model"


def _is_name_on_hub(name):
    """Whether it is "name" or "owner/name", and nothing that only a path can be."""
    parts = name.split("/")
    return len(parts) <= 2 and all(parts) and parts[0] not in {".", "..", "~"}


def _find_on_hub(name, caller):
    """The name, or the folder of the cache where the hub is not reached, or lacks it.

    The hub is asked once. Left to themselves, the libraries try for 46 seconds to
    connect before they say that they cannot.
    """
    try:
        with quiet_hub():
            get_hf_file_metadata(hf_hub_url(name, CONFIG))
        return name
    except HFValidationError as error:  # of which the cache says the same
        raise _no_such_model(name, "can be on the hub", error, caller) from None
    except RepositoryNotFoundError as error:
        where, reason = "on the hub, or it is private", error
    except Exception as error:  # of several libraries
        if not has_no_connection(error):
            return name  # transformers tries again, or says what it is
        where, reason = "in the cache of the hub, which cannot be reached", error
    config = try_to_load_from_cache(name, CONFIG)
    if not isinstance(config, str):
        raise _no_such_model(name, where, reason, caller) from None
    return Path(config).parent


def _no_such_model(name, where, error, caller):
    reason = " ".join(str(error).split()).rstrip(".")
    return ValueError(
        f"{caller}: model={name!r} is no folder here, and no model of that name is "
        f"{where}: {reason:.300}. Pass the path of a folder that holds the model, or "
        "check the name: those on the hub are like 'google-bert/bert-base-chinese'."
    )


class Unsuitable(ValueError):
    """The model can be read, and is of no use."""


@contextmanager
def explained(model, source, caller):
    """Turn what transformers raises into an error that says what to do."""
    try:
        with quietly():
            yield
    except MemoryError:
        raise
    except Unsuitable as error:
        raise ValueError(
            f"{caller}: the model {str(model)!r:.200} cannot be used: {error}"
        ) from None
    except Exception as error:  # of many types, of several libraries
        reason = " ".join(str(error).split())
        if isinstance(source, Path):
            raise ValueError(
                f"{caller}: the model in {str(model)!r:.200} cannot be read; it is "
                f"damaged, or of a kind that is not known here: {reason:.300}"
            ) from error
        raise ValueError(
            f"{caller}: model={model!r} is no folder here, and the model of that name "
            f"on the hub could not be read: {reason.rstrip('.'):.300}. Pass the path "
            "of a folder that holds a model."
        ) from error
