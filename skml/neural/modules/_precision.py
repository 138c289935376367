"""In what precision products are computed, as autocast says."""

import torch


def prepare_products(x):
    """Numbers, in float32 if autocast made them short, and the type of products."""
    x = x.float() if x.dtype in {torch.bfloat16, torch.float16} else x
    kind = x.device.type
    is_short = torch.is_autocast_enabled(kind)
    return x, torch.get_autocast_dtype(kind) if is_short else x.dtype
