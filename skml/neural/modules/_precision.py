"""In what precision products are computed, as autocast says."""

import torch


def prepare_products(x):
    """Numbers in full precision, and the type for products of them.

    Parameters
    ----------
    x : Tensor
        The numbers. Those that autocast made short become float32.

    Returns
    -------
    x : Tensor
        The numbers.
    dtype : torch.dtype
        That of autocast, where it is on; else that of the numbers.
    """
    x = x.float() if x.dtype in {torch.bfloat16, torch.float16} else x
    kind = x.device.type
    is_short = torch.is_autocast_enabled(kind)
    return x, torch.get_autocast_dtype(kind) if is_short else x.dtype
