"""What sentence-transformers writes beside a model: how it makes vectors of texts."""

import json

from huggingface_hub import hf_hub_download

POOLINGS = {
    "pooling_mode_mean_tokens": "mean",
    "pooling_mode_cls_token": "cls",
    "pooling_mode_max_tokens": "max",
}
FOLLOWED = {"Transformer", "Pooling", "Normalize"}  # modules that are known here


def read_settings(source):
    """The parameters for the same vectors, as far as the files beside a model say.

    These are "pooling", "normalize", "max_length" and, of what there is no parameter
    for, "modules"; none for models of others.
    """
    try:
        return _read_modules(source, _read_json(source, "modules.json") or [])
    except (AttributeError, KeyError, TypeError):  # another program's file of that name
        return {}


def _read_modules(source, modules):
    if not modules:
        return {}
    kinds = [module["type"].rpartition(".")[2] for module in modules]
    settings = {"normalize": "Normalize" in kinds}
    if "Pooling" in kinds:
        folder = modules[kinds.index("Pooling")]["path"]
        settings["pooling"] = _pooling(
            _read_json(source, f"{folder}/config.json") or {}
        )
    longest = (_read_json(source, "sentence_bert_config.json") or {}).get(
        "max_seq_length"
    )
    if longest is not None:
        settings["max_length"] = longest
    if others := [kind for kind in kinds if kind not in FOLLOWED]:
        settings["modules"] = others
    return settings


def _pooling(config):
    """The way of pooling; several are joined by a plus."""
    if "pooling_mode" in config:
        return config["pooling_mode"]
    chosen = [name for name, is_on in config.items() if is_on is True]
    modes = [name for name in chosen if name.startswith("pooling_mode_")]
    return "+".join(POOLINGS.get(name, name) for name in modes) or "mean"


def _read_json(source, name):
    """The content of a file beside a model; None if there is none."""
    try:
        if isinstance(source, str):
            path = hf_hub_download(source, name)
        else:
            path = source / name
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except Exception:  # of many types: not there, no connection, no JSON
        return None
