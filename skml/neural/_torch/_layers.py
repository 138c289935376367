"""The layers of an encoder, and which of their weights learn, and how fast."""

from torch import nn


def find_last_layer(network):
    """The linear layer whose outputs are those of the head."""
    body = set(network.base_model.modules())
    return [
        module
        for module in network.modules()
        if isinstance(module, nn.Linear) and module not in body
    ][-1]


def find_layers(network):
    """The layers of an encoder, the lowest first."""
    for module in network.base_model.modules():
        if isinstance(module, nn.ModuleList):
            return list(module)
    raise ValueError(f"{type(network).__name__} has no list of layers.")


def trained_groups(network, *, freeze, layer_decay, head_factor, new=()):
    """The parameters that learn, by the factors of their learning rates.

    The factor falls by `layer_decay` from a layer to that below; the head, and what is
    initialized anew (`new`, names), have that of the head. What is frozen no longer
    asks for gradients.
    """
    layers, depths, depth = find_layers(network), {}, 0
    of_layers = {id(p): n for n, m in enumerate(layers, 1) for p in m.parameters()}
    for parameter in network.base_model.parameters():
        # What comes before the layers belongs to the embeddings, and then the pooler.
        depth = of_layers.get(id(parameter), depth and len(layers) + 1)
        depths[id(parameter)] = depth
    lowest = {"none": 0, "embeddings": 1, "all": len(layers) + 2}.get(freeze)
    lowest = freeze + 1 if lowest is None else lowest
    groups = {}
    for name, parameter in network.named_parameters():
        depth = depths.get(id(parameter))
        if depth is None or name in new:  # the head
            factor = head_factor
        elif depth < lowest:
            parameter.requires_grad_(False)
            continue
        else:
            factor = layer_decay ** (len(layers) + 1 - depth)
        groups.setdefault(factor, []).append(parameter)
    return list(groups.items())
