"""Networks that read padding: texts of other lengths would change their outputs."""

import torch
from torch.nn.functional import pad

from skml._compat.transformers import keep_sparse
from skml.neural._torch._device import limit_torch_threads

TOLERANCE = 1e-4  # of the largest output; rounding is a hundred times smaller
SHORT, LONG = 5, 8  # tokens of the text that is tried, without and with padding
SHORTEST = 2  # tokens of an empty text


def note_padding(network):
    """Note at a network whether texts may be padded, and how short one may be.

    Some families have no mask (FNet), or one that not all of their layers use
    (ConvBERT, Funnel, Nystromformer, YOSO).
    """
    kind = getattr(network.config, "attention_type", None)
    if kind == "block_sparse":  # or not, by the length of the longest text
        keep_sparse(network.base_model)
    network.reads_padding = kind == "block_sparse" or reads_padding(network)
    network.least_tokens = 0
    if network.reads_padding and not takes(network, SHORTEST):
        network.least_tokens = SHORT


def reads_padding(network):
    """Try whether the outputs for a text are others with padding behind it."""
    alone, among = outputs(network, SHORT, SHORT), outputs(network, SHORT, LONG)
    difference = (alone - among[:, : alone.shape[1]]).abs().max()
    return bool(difference > TOLERANCE * alone.abs().max())


def takes(network, n_tokens):
    """Whether a network computes anything of so short a text."""
    try:
        outputs(network, n_tokens, n_tokens)
    except (IndexError, RuntimeError):  # Funnel, of which pooling leaves nothing
        return False
    return True


@torch.inference_mode()
def outputs(network, n_tokens, length):
    """The vectors of a text, padded to a length."""
    body, padding = network.base_model, network.config.pad_token_id or 0
    ids = torch.arange(n_tokens + 1, device=network.device)
    ids = ids[ids != padding][None, :n_tokens]
    ids, mask = (
        pad(values, (0, length - n_tokens), value=value)
        for values, value in ((ids, padding), (torch.ones_like(ids), 0))
    )
    was_training = body.training
    body.eval()
    try:
        with limit_torch_threads(1):  # more would wait for each other
            return body(input_ids=ids, attention_mask=mask).last_hidden_state
    finally:
        body.train(was_training)
