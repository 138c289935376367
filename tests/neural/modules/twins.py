"""What comparisons with PyTorch's own modules share."""

import torch
from numpy.testing import assert_allclose


def close(left, right, atol=1e-5):
    """Two tensors are nearly equal."""
    assert_allclose(left.detach(), right.detach(), atol=atol)


def copy_attention(attention, twin):
    """Copy the weights of multi-head attention into PyTorch's module."""
    maps = attention.query_map, attention.key_map, attention.value_map
    with torch.no_grad():
        twin.in_proj_weight.copy_(torch.cat([linear.weight for linear in maps]))
        twin.in_proj_bias.copy_(torch.cat([linear.bias for linear in maps]))
    twin.out_proj.load_state_dict(attention.output_map.state_dict())


def copy_modules(*pairs):
    """Copy the weights of modules that have the same names for them."""
    for ours, theirs in pairs:
        theirs.load_state_dict(ours.state_dict())


def shake(module):
    """Make biases and norms differ from what they begin with, as training does."""
    with torch.no_grad():
        for parameter in module.parameters():
            parameter += 0.1 * torch.randn_like(parameter)
    return module
