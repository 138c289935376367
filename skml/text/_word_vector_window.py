"""The bytes of a file, compressed or not, a few megabytes at a time."""

import os
import re
import zlib
from importlib import import_module

CHUNK = 1 << 21
# Bytes of a compressed file that are read at a time.
_PIECE = 1 << 14
# What a program that decompresses xz may ask for; at its highest level it needs half.
_XZ_MEMORY = 1 << 27
# So many blanks may stand at the end of a file.
_MOST_BLANKS = 1 << 20


class _Gunzip:
    """zlib's decompressor with the attributes that those of bz2 and lzma have."""

    def __init__(self):
        self._stream = zlib.decompressobj(wbits=31)

    @property
    def eof(self):
        return self._stream.eof

    @property
    def unused_data(self):
        return self._stream.unused_data

    @property
    def needs_input(self):
        return not self._stream.unconsumed_tail

    def decompress(self, data, max_length):
        return self._stream.decompress(self._stream.unconsumed_tail + data, max_length)


def _compression(magic):
    """What makes decompressors, and their error; None for a file that is plain."""
    if magic.startswith(b"\x1f\x8b"):
        return _Gunzip, zlib.error
    if re.match(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", magic):
        return import_module("bz2").BZ2Decompressor, OSError
    if magic.startswith(b"\xfd7zXZ\0"):
        lzma = import_module("lzma")
        # The file says how much memory it wants, and may lie.
        return lambda: lzma.LZMADecompressor(lzma.FORMAT_XZ, _XZ_MEMORY), lzma.LZMAError
    return None


class _Decompressed:
    """A compressed file to read from: one stream, or several behind each other."""

    def __init__(self, path, file, new, error):
        self._path, self._file = path, file
        self._new, self._error = new, error
        self._stream = new()

    def readinto(self, view):
        data = self._read(len(view))
        view[: len(data)] = data
        return len(data)

    def _read(self, size):
        """Some bytes, at most `size`; none at the end of the last stream."""
        data = None
        while not data:
            if self._stream.eof:
                rest = self._next_stream()
                if not rest:
                    return b""
                self._stream = self._new()
            elif self._stream.needs_input:
                rest = self._file.read(_PIECE)
            else:
                rest = b""
            was_hungry = self._stream.needs_input
            try:
                data = self._stream.decompress(rest, size)
            except self._error as error:
                raise self._damage(error) from error
            if was_hungry and not rest and not data:
                raise self._damage("they end too early")
        return data

    def _next_stream(self):
        """What follows a stream; zeros may fill it up."""
        rest = self._stream.unused_data or self._file.read(_PIECE)
        while rest and not (rest := rest.lstrip(b"\0")):
            rest = self._file.read(_PIECE)
        return rest

    def _damage(self, error):
        return ValueError(
            f"{self._path}: the compressed data are damaged before byte offset "
            f"{self._file.tell()}: {error}. Fetch the file again."
        )


class Window:
    """What is in memory of a file, decompressed: ``data[start:stop]``."""

    def __init__(self, path, file):
        self.path = path
        size = os.fstat(file.fileno()).st_size
        compression = _compression(file.read(10))
        file.seek(0)
        self.is_compressed = compression is not None
        self.size = None if self.is_compressed else size
        self._source = _Decompressed(path, file, *compression) if compression else file
        # A byte is kept free for a newline that a last line may lack, and another so
        # that the end of a small file is seen at once.
        n_bytes = 4 * _PIECE if self.is_compressed else size + 2
        self.data = bytearray(min(n_bytes, CHUNK))
        self.start = self.stop = 0
        self._before = 0
        self._is_whole = False
        self.fill()

    def where(self, start):
        """The place in the file of ``data[start]``."""
        place = f"byte offset {self._before + start}"
        return place + " (decompressed)" if self.is_compressed else place

    def fill(self):
        """Keep what is left and read on; return whether there was more."""
        if self._is_whole:
            return False
        left = self.stop - self.start
        self.data[:left] = self.data[self.start : self.stop]
        self._before += self.start
        self.start, self.stop = 0, left
        if self._before + left and (len(self.data) < CHUNK or 2 * left > CHUNK):
            self.data.extend(bytes(len(self.data)))
        with memoryview(self.data) as view:
            while self.stop < len(view) - 1 and not self._is_whole:
                with view[self.stop : -1] as free:
                    n_bytes = self._source.readinto(free)
                self.stop += n_bytes
                self._is_whole = n_bytes == 0
        return self.stop > left

    def require(self, n_bytes):
        """Read on until so many bytes are in memory; return whether there are."""
        while self.stop - self.start < n_bytes:
            if not self.fill():
                return False
        return True

    def read_into(self, view):
        """Fill a view of bytes with what comes next; return how many bytes came."""
        n_bytes = min(len(view), self.stop - self.start)
        view[:n_bytes] = self.data[self.start : self.start + n_bytes]
        self.start += n_bytes
        while n_bytes < len(view) and not self._is_whole:
            # A part at a time, so that Ctrl-C is heard in between.
            with view[n_bytes : n_bytes + CHUNK] as free:
                n_more = self._source.readinto(free)
            self._is_whole = n_more == 0
            self._before += n_more
            n_bytes += n_more
        return n_bytes

    def skip(self, n_bytes):
        """Leave out what comes next; return how many bytes came."""
        n_in_memory = min(n_bytes, self.stop - self.start)
        if self.is_compressed:
            scratch, n_skipped = bytearray(min(n_bytes, CHUNK)), 0
            while n_skipped < n_bytes:
                with memoryview(scratch)[: n_bytes - n_skipped] as view:
                    n_came = self.read_into(view)
                n_skipped += n_came
                if n_came < len(scratch):
                    break
            return n_skipped
        self.start += n_in_memory
        n_behind = min(n_bytes - n_in_memory, self.n_left())
        self._source.seek(n_behind, os.SEEK_CUR)
        self._before += n_behind
        return n_in_memory + n_behind

    def n_left(self):
        """How many bytes follow; None if that is not known before they are read."""
        return None if self.is_compressed else self.size - self._before - self.start

    def end_line(self):
        """End a last line that has no newline; return whether there was one."""
        if self.start == self.stop or self.data[self.stop - 1] == ord("\n"):
            return False
        self.data[self.stop] = ord("\n")
        self.stop += 1
        return True

    def is_blank(self, blanks):
        """Whether nothing is left but a few blanks, which are then skipped."""
        if self.start < self.stop and self.data[self.start] not in blanks:
            return False
        while self.stop - self.start <= _MOST_BLANKS:
            if self.data[self.start : self.stop].strip(blanks):
                return False
            if not self.fill():
                self.start = self.stop
                return True
        return False
