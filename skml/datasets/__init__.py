"""Real data that needs no download."""

from skml.datasets._docstrings import load_docstrings

__all__ = ["load_docstrings"]
