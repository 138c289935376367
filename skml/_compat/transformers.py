"""The one door to names of transformers and its hub that may change.

What is private there, or undocumented, or differs between versions; each with the
versions it was seen in, and what happens when it is gone. Leaf modules import this.
"""

import warnings
from contextlib import contextmanager
from logging import CRITICAL

import transformers
from torch import nn
from transformers.utils import logging

__all__ = [
    "attention_of",
    "has_no_connection",
    "keep_sparse",
    "last_bert_layer",
    "loading_report",
    "plain_attention",
    "quiet_hub",
    "quiet_progress_bars",
    "register_attention",
]

# Attention


try:  # transformers 5.0 to 5.24: not in its documentation
    from transformers.integrations.sdpa_attention import (
        sdpa_attention_forward as plain_attention,
    )
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS as _MASKS
except ImportError:  # networks then keep the attention of transformers, which is slower
    plain_attention = _MASKS = None


def register_attention(name, forward):
    """Let networks have a custom attention; whether that is possible.

    Seen in transformers 5.0 to 5.24. Without it, networks keep "sdpa".
    """
    register = getattr(transformers, "AttentionInterface", None)
    register_mask = getattr(transformers, "AttentionMaskInterface", None)
    if None in (register, register_mask, plain_attention) or "sdpa" not in _MASKS:
        return False
    register.register(name, forward)
    register_mask.register(name, _MASKS["sdpa"])
    return True


def attention_of(network):
    """The name of the attention that a network computes; None if it does not say.

    Private in transformers 5.0 to 5.24. Without it, all tokens go through all layers.
    """
    return getattr(network.config, "_attn_implementation", None)


# The parts of a layer of BERT, by their paths in transformers 5.0 to 5.24.
_BERT_LAYER = (
    "attention.self.query",
    "attention.self.key",
    "attention.self.value",
    "attention.self.dropout",
    "attention.output",
    "intermediate",
    "output",
)


def last_bert_layer(network):
    """The last layer of a BERT that classifies, which takes hidden states and a mask.

    None for another network, or one whose layer has other parts than were seen in
    transformers 5.0 to 5.24: then all tokens go through it, which takes longer.
    """
    if type(network) is not transformers.BertForSequenceClassification:
        return None
    layers = getattr(getattr(network.base_model, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList) or not len(layers):
        return None
    layer = layers[-1]
    try:
        for path in _BERT_LAYER:
            layer.get_submodule(path)
        has_heads = hasattr(layer.attention.self, "num_attention_heads")
    except AttributeError:
        return None
    names = {name for name, _ in layer.named_children()}
    is_known = has_heads and names == {"attention", "intermediate", "output"}
    return layer if is_known else None


def keep_sparse(body):
    """Let BigBird, which a short text turns to full attention, turn back.

    Its method is undocumented in transformers 5.0 to 5.24. Without it, a long text
    behind a short one has full attention.
    """
    if hasattr(body, "set_attention_type"):
        body.register_forward_pre_hook(
            lambda body, inputs: body.set_attention_type("block_sparse")
        )


# Reading


def loading_report(info):
    """The names of weights that were missing, of other sizes, and too many.

    The keys and their forms are those of transformers 5.0 to 5.24: mismatched ones are
    tuples of a name and two shapes. Another key is a KeyError, which stops the fit.
    """
    mismatched = {name for name, *_ in info["mismatched_keys"]}
    return {*info["missing_keys"], *mismatched}, sorted(info["unexpected_keys"])


@contextmanager
def quiet_progress_bars():
    """Show no progress bars, of transformers and of the hub, which its own turn on.

    Seen in transformers 5.0 to 5.24 and huggingface_hub 1.3 to 2.4. Without a name, the
    bars that it is for are shown.
    """
    from huggingface_hub import utils

    names = (
        "are_progress_bars_disabled",
        "disable_progress_bars",
        "enable_progress_bars",
    )
    are_disabled, disable, enable = (getattr(utils, n, lambda: None) for n in names)
    shows_bars = getattr(logging, "is_progress_bar_enabled", lambda: False)()
    hub_shows_bars = not are_disabled()
    with warnings.catch_warnings(action="ignore"):  # the environment may overrule it
        getattr(logging, "disable_progress_bar", lambda: None)()
    try:
        yield
    finally:
        with warnings.catch_warnings(action="ignore"):
            if shows_bars:
                logging.enable_progress_bar()  # and those of the hub
            (enable if hub_shows_bars else disable)()


# Connections


# Of the HTTP clients of huggingface_hub: httpx in 1.3, httpx2 in 2.4; and its own.
_NO_CONNECTION = {
    "ConnectError",
    "ConnectTimeout",
    "OfflineModeIsEnabled",
    "ProxyError",
}


def has_no_connection(error):
    """Whether the hub was not reached, by an error of its client, whichever that is.

    Of an error with another name, a new client's, the hub is taken to be there, and is
    asked again for as long as it likes.
    """
    return not _NO_CONNECTION.isdisjoint(cls.__name__ for cls in type(error).__mro__)


@contextmanager
def quiet_hub():
    """Let the hub log no attempts to connect; what fails is raised.

    Seen in huggingface_hub 1.3 to 2.4. Without the names, they are logged.
    """
    from huggingface_hub.utils import logging as hub_logging

    before = getattr(hub_logging, "get_verbosity", lambda: None)()
    set_verbosity = getattr(hub_logging, "set_verbosity", lambda level: None)
    set_verbosity(CRITICAL)
    try:
        yield
    finally:
        set_verbosity(before)
