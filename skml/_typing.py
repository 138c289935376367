"""Types of the arguments of public functions and estimators."""

import os
from collections.abc import Iterable, Sequence

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike

__all__ = ["ArrayLike", "Documents", "FilePath", "MatrixLike", "RandomState"]

# Texts, or lists of tokens.
Documents = Iterable[str] | Iterable[Sequence[str]]
FilePath = str | os.PathLike[str]
# Data frames are array-like.
MatrixLike = ArrayLike | scipy.sparse.spmatrix | scipy.sparse.sparray
RandomState = int | np.random.RandomState | None
