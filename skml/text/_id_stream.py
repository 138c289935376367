"""Ids of tokens on their way to one array, in memory or in a temporary file."""

import mmap
import tempfile
from array import array

import numpy as np

# Ids written or read at a time: large enough to amortise a call, small enough to be no
# memory to speak of.
CHUNK = 1 << 17


class IdStream:
    """Collects `n_ids` ids; above a limit of bytes they go to a temporary file."""

    def __init__(self, max_bytes):
        self.n_ids = 0
        self._max_bytes = max_bytes
        self._ids, self._file = array("i"), None

    def __del__(self):
        if self._file is not None:
            self._file.close()

    def write(self, ids):
        """Append ids, an array of 32-bit integers."""
        if len(ids) == 0:
            return
        self.n_ids += len(ids)
        if self._file is None and 4 * self.n_ids <= self._max_bytes:
            self._ids.frombytes(memoryview(ids).cast("B"))
            return
        try:
            if self._file is None:
                # It has no name, and is gone when its mapping is.
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
                self._file.write(self._ids)
                self._ids = array("i")
            self._file.write(ids)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror}: the ids of the tokens are more than max_memory and "
                f"could not be written to a file in {tempfile.gettempdir()}. Make room "
                "there, name another folder in the environment variable TMPDIR, or "
                "raise max_memory",
            ) from error

    def finish(self):
        """All ids, in an array that may be overwritten."""
        if self._file is not None:
            self._file.flush()
            return np.memmap(self._file, dtype=np.int32, mode="r+")
        if not self._ids:
            return np.empty(0, dtype=np.int32)
        return np.frombuffer(self._ids, dtype=np.int32)


def mapping_of(ids):
    """The mapping of a file that an array lies in; None if it lies in memory."""
    while ids is not None and not isinstance(ids, mmap.mmap):
        ids = getattr(ids, "base", None)
    return ids


def release(ids):
    """Let the system take back the memory of ids that lie in a file, until it is read.

    They would count as memory of this process as long as there is enough.
    """
    mapping = mapping_of(ids)
    if mapping is not None and hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
