"""The one door to PyTorch's names that are private, or that versions differ in."""

from inspect import unwrap

import torch

_adamw_step = unwrap(torch.optim.AdamW.step)


class AdamW(torch.optim.AdamW):
    """PyTorch's AdamW, without the import of its compiler.

    Methods of optimisers are wrapped (seen in 2.6, 2.13 and 2.14) so that
    ``torch.compile`` leaves them alone, and the wrappers import ``torch._dynamo``,
    which takes seconds. What they wrap computes the same; methods without a wrapper
    stay as they are. In 2.6 the compiler is imported all the same.
    """

    add_param_group = unwrap(torch.optim.AdamW.add_param_group)
    load_state_dict = unwrap(torch.optim.AdamW.load_state_dict)
    state_dict = unwrap(torch.optim.AdamW.state_dict)
    zero_grad = unwrap(torch.optim.AdamW.zero_grad)

    def step(self):
        """Change the weights by their gradients."""
        with torch.no_grad():
            _adamw_step(self)


def divide_all(tensors, divisor):
    """Divide tensors in place, at once.

    ``torch._foreach_div_`` is private (seen in 2.6 to 2.15); without it they are
    divided one by one, to the same numbers.
    """
    divide = getattr(torch, "_foreach_div_", None)
    if divide is not None and tensors:
        divide(tensors, divisor)
        return
    for tensor in tensors:
        tensor.div_(divisor)


def describe_processor():
    """The instructions that PyTorch uses on this CPU, and what the CPU has.

    `torch.backends.cpu.get_cpu_capability` was seen in 2.6 to 2.15, and
    `torch.cpu.get_capabilities` in 2.13 to 2.15, not in 2.6. Without them nothing is
    known, and products are computed in float32.

    Returns
    -------
    level : str
        As "AVX512"; "" if it is not known.
    features : dict of str to bool or str
        As "amx_bf16", and the "cpu_name".
    """
    level = getattr(torch.backends.cpu, "get_cpu_capability", str)
    features = getattr(torch.cpu, "get_capabilities", dict)
    return level(), features()


def has_fast_bfloat16_on_cuda():
    """Whether the GPU multiplies bfloat16 itself.

    The keyword `including_emulation` is of 2.5 and later; without it, emulation counts.
    """
    try:
        return torch.cuda.is_bf16_supported(including_emulation=False)
    except TypeError:
        return torch.cuda.is_bf16_supported()
