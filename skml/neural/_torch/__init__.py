"""Training and decoding with PyTorch; imported when an estimator needs it."""

__all__ = []
