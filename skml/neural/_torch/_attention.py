"""The attention of models of transformers, as fast as a CPU allows."""

from math import isclose, sqrt

import torch

from skml._compat.transformers import plain_attention, register_attention
from skml.neural.modules import Dropout
from skml.neural.modules._fused import attend, attend_with_weights

NAME = "skml"  # in the registers of transformers


def pool(query, key, value, mask, dropout):
    """Weighted means of values, all of shape (n_sequences, n_heads, n_tokens, size)."""
    if dropout and query.device.type == "cpu":
        # With dropout it is not fused there, and draws each number apart.
        return attend_with_weights(query, key, value, mask, Dropout(dropout))[0]
    return attend(query, key, value, attn_mask=mask, dropout_p=dropout)


def attention_forward(
    module, query, key, value, attention_mask, dropout=0.0, scaling=None, **options
):
    """What transformers calls; what is not plain attention is passed to its own."""
    is_plain = (
        (attention_mask is None or attention_mask.dtype == torch.bool)
        and (scaling is None or isclose(scaling, 1 / sqrt(query.shape[-1])))
        and query.shape[1] == key.shape[1]
        and not getattr(module, "is_causal", True)
        and all(not options.get(name) for name in ("is_causal", "softcap"))
        and options.get("position_bias") is None
    )
    if is_plain:
        found = pool(query, key, value, attention_mask, dropout)
        return found.transpose(1, 2).contiguous(), None
    return plain_attention(
        module,
        query,
        key,
        value,
        attention_mask,
        dropout=dropout,
        scaling=scaling,
        **options,
    )


IS_REGISTERED = register_attention(NAME, attention_forward)


def with_attention(make, *args, **kwargs):
    """Make a network with this attention, or a slower one if it has no other."""
    try:
        network = make(*args, attn_implementation="sdpa", **kwargs)
    except ValueError:
        return make(*args, attn_implementation="eager", **kwargs)
    if IS_REGISTERED:
        # With `output_loading_info`, there is more than the network.
        body = network[0] if isinstance(network, tuple) else network
        body.set_attn_implementation(NAME)
    return network
