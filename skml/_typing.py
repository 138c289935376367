"""Types of the arguments of public functions and estimators."""

import os
from collections.abc import Iterable, Sequence
from typing import IO, Any

import numpy as np
import scipy.sparse
from numpy.typing import ArrayLike, DTypeLike

__all__ = [
    "ArrayLike",
    "DTypeLike",
    "Documents",
    "FilePath",
    "MatrixLike",
    "RandomState",
    "Sentences",
]

# Texts, lists of tokens, names of files, or files.
Documents = (
    Iterable[str] | Iterable[Sequence[str]] | Iterable[os.PathLike] | Iterable[IO]
)
# Sentences as text or as tokens, or several references of each; or an array of them.
Sentences = Sequence[str] | Sequence[Sequence[Any]] | np.ndarray
FilePath = str | os.PathLike[str]
# Data frames are array-like.
MatrixLike = ArrayLike | scipy.sparse.spmatrix | scipy.sparse.sparray
RandomState = int | np.random.RandomState | None
