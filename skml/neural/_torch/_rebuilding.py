"""Networks of transformers from data of unknown origin."""

import json
import math

from transformers import AutoConfig

from skml.neural._torch._attention import with_attention
from skml.neural._torch._pretrained import MODELS, check_encoder, check_head
from skml.neural._torch._sources import quietly

MOST_LAYERS = 1000  # and blocks, groups and so on, of a network that is read
MOST_LABELS = 2**20
_COUNTED = ("layer", "block", "group", "repeat", "expert")


def config_to_json(config):
    """A configuration as data."""
    return json.loads(config.to_json_string(use_diff=False))


def make_network(config, head):
    """A network with random weights; no code beside a configuration is run.

    Raises
    ------
    ValueError
        If the configuration cannot be used.
    """
    own = dict(config)
    try:
        with quietly():
            made = AutoConfig.for_model(own.pop("model_type"), **own)
            check_encoder(made)
            check_head(made, head)
            return with_attention(MODELS[head].from_config, made)
    except MemoryError:
        raise
    except Exception as error:  # of many types
        reason = " ".join(str(error).split())
        raise ValueError(f"the configuration cannot be used: {reason:.200}") from error


def check_counts(value, name=""):
    """No number of layers, blocks and the like is beyond what networks have."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in {"id2label", "label2id"}:  # whose keys are a user's
                check_counts(part, str(key))
    elif isinstance(value, (list, tuple)):
        for part in value:
            check_counts(part, name)
    elif isinstance(value, (int, float)):
        most = MOST_LAYERS if any(part in name for part in _COUNTED) else math.inf
        most = MOST_LABELS if name == "num_labels" else most
        if not abs(value) <= most:
            raise ValueError(f"{name!r:.60} is {value!r:.60}")
