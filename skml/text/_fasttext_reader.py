"""Numbers from a file of fastText, whose sizes are checked before memory is taken."""

import struct
from contextlib import contextmanager
from math import prod

import numpy as np

# Arrays of compressed files, whose size is not known, begin with so many items.
_ROOM = 1 << 16


class FastTextReader:
    """Reads numbers, names the section that is read, and checks sizes before."""

    def __init__(self, window):
        self.window = window
        self._sections = []

    @contextmanager
    def section(self, name):
        """Name what is read, for errors."""
        self._sections.append(name)
        yield
        self._sections.pop()

    def error(self, problem):
        """An error at the place that was reached."""
        window = self.window
        section = ", ".join(self._sections) or "header"
        where = window.where(window.start)
        return ValueError(f"{window.path}, {section}, {where}: {problem}.")

    def _cut_off(self, n_bytes, n_left):
        return self.error(
            f"expected {n_bytes} bytes, the file has {n_left} more. It was cut off: "
            "fetch it again; or a size in it is wrong"
        )

    def check_room(self, n_bytes):
        """Refuse what is longer than the rest of the file, as far as that is known."""
        n_left = self.window.n_left()
        if n_left is not None and n_bytes > n_left:
            raise self._cut_off(n_bytes, n_left)

    def unpack(self, layout):
        """Some numbers."""
        window = self.window
        if not window.require(layout.size):
            raise self._cut_off(layout.size, window.stop - window.start)
        numbers = layout.unpack_from(window.data, window.start)
        window.start += layout.size
        return numbers

    def flag(self, name):
        """One byte that is 0 or 1."""
        (value,) = self.unpack(struct.Struct("<B"))
        if value > 1:
            raise self.error(f"{name} is {value}; expected 0 or 1")
        return bool(value)

    def array(self, shape, dtype, skipped=range(0)):
        """An array without a range of its rows; it takes memory as the file has bytes.

        That is at once if the size of the file is known, and else step by step.
        """
        dtype = np.dtype(dtype)
        n_columns = prod(shape[1:])
        self.check_room(shape[0] * n_columns * dtype.itemsize)
        n_rows = shape[0] - len(skipped)
        n_items = n_rows * n_columns
        n_now = min(n_items, _ROOM) if self.window.is_compressed else n_items
        array = np.empty(n_now, dtype)
        self._fill(array, 0, skipped.start * n_columns)
        if skipped:
            self._skip(len(skipped) * n_columns * dtype.itemsize)
        self._fill(array, skipped.start * n_columns, n_items)
        array = array.reshape(n_rows, *shape[1:])
        return array.astype(dtype.newbyteorder("="), copy=False)

    def _fill(self, array, start, stop):
        """Read some items of a flat array, which may have to grow for them."""
        while start < stop:
            if start == len(array):
                array.resize(min(stop, 2 * start), refcheck=False)
            end = min(stop, len(array))
            with memoryview(array[start:end].view(np.uint8)) as view:
                n_came = self.window.read_into(view)
                if n_came < len(view):
                    raise self._cut_off((stop - start) * array.itemsize, n_came)
            start = end

    def _skip(self, n_bytes):
        n_came = self.window.skip(n_bytes)
        if n_came < n_bytes:
            raise self._cut_off(n_bytes, n_came)
