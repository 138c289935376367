"""Networks that read padding: texts of other lengths would change their outputs."""

import torch
from torch.nn.functional import pad

TOLERANCE = 1e-4  # of the largest output; rounding is a hundred times smaller
SHORT, LONG = 5, 8  # pieces of the text that is tried, without and with padding
SHORTEST = 2  # pieces of an empty text


def note_padding(network):
    """Note at a network whether texts may be padded, and how short one may be.

    Some families have no mask (FNet), or one that not all of their layers heed
    (ConvBERT, Funnel, Nystromformer, YOSO).
    """
    kind = getattr(network.config, "attention_type", None)
    if kind == "block_sparse":  # or not, by the length of the longest text
        keep_sparse(network.base_model)
    network.reads_padding = kind == "block_sparse" or reads_padding(network)
    network.least_pieces = 0
    if network.reads_padding and not takes(network, SHORTEST):
        network.least_pieces = SHORT


def keep_sparse(body):
    """Let BigBird, which a short text turns to full attention, turn back."""
    body.register_forward_pre_hook(
        lambda body, inputs: body.set_attention_type("block_sparse")
    )


def reads_padding(network):
    """Try whether the outputs for a text are others with padding behind it."""
    alone, among = (outputs(network, SHORT, n) for n in (SHORT, LONG))
    difference = (alone - among[:, : alone.shape[1]]).abs().max()
    return bool(difference > TOLERANCE * alone.abs().max())


def takes(network, n_pieces):
    """Whether a network computes anything of so short a text."""
    try:
        outputs(network, n_pieces, n_pieces)
    except (IndexError, RuntimeError):  # Funnel, of which pooling leaves nothing
        return False
    return True


@torch.inference_mode()
def outputs(network, n_pieces, length):
    """The vectors of a text, padded to a length."""
    body, padding = network.base_model, network.config.pad_token_id or 0
    ids = torch.arange(n_pieces + 1, device=network.device)
    ids = ids[ids != padding][None, :n_pieces]
    ids, mask = (
        pad(values, (0, length - n_pieces), value=value)
        for values, value in ((ids, padding), (torch.ones_like(ids), 0))
    )
    was_training = body.training
    body.eval()
    try:
        return body(input_ids=ids, attention_mask=mask).last_hidden_state
    finally:
        body.train(was_training)
