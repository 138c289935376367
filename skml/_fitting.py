"""Warnings of fits."""

import sys
import warnings


def warn_user(message):
    """Warn, at the line that called this package."""
    frame, level = sys._getframe(), 1
    while frame.f_back and _package_of(frame) in {"skml", "sklearn"}:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, UserWarning, stacklevel=level)


def _package_of(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0]
