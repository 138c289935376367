"""Files with a document a line, read as they are needed."""

import bz2
import codecs
import gzip
import lzma
import os
from pathlib import Path
from typing import Literal

import numpy as np

from skml._typing import FilePath

_OPEN = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_BOM = b"\xef\xbb\xbf"


class LineDocuments:
    """The lines of a text file as documents, read each time they are needed.

    The documents of a large corpus need not be in memory: pass this in place of a list.
    Lines end in a line feed, with or without a carriage return before it; an empty line
    is an empty document. Cross-validation and grid search, which pick documents, take
    them into memory.

    Parameters
    ----------
    path : str or path-like
        The file. It is decompressed if its name ends in .gz, .bz2 or .xz.
    encoding : str, default="utf-8"
        The encoding of the file. A byte order mark is skipped in UTF-8.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not in the encoding.

    Attributes
    ----------
    is_utf8 : bool
        Whether the encoding is UTF-8.

    Raises
    ------
    ValueError
        While the lines are read: if one is not in the encoding, with its number.

    See Also
    --------
    Word2VecTransformer : Learns from such documents; `max_memory` bounds what it holds.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skml.text import LineDocuments, Word2VecTransformer
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "corpus.txt"
    ...     _ = path.write_text("the cat sat on the mat\\nthe dog sat on the log\\n")
    ...     documents = LineDocuments(path)
    ...     n_documents = len(list(documents))
    ...     word2vec = Word2VecTransformer(min_count=2, random_state=0).fit(documents)
    >>> n_documents, word2vec.n_tokens_
    (2, 8)
    """

    def __init__(
        self,
        path: FilePath,
        *,
        encoding: str = "utf-8",
        decode_error: Literal["strict", "ignore", "replace"] = "strict",
    ):
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(
                f"path must be the path of a file; got {path!r:.60} "
                f"({type(path).__name__})."
            )
        if decode_error not in ("strict", "ignore", "replace"):
            raise ValueError(
                "decode_error must be 'strict', 'ignore' or 'replace'; got "
                f"{decode_error!r:.60}."
            )
        # An encoding in which a line feed is two bytes cannot be split into lines.
        try:
            splits = "a\n".encode(encoding).endswith(b"a\n")
            self.is_utf8 = codecs.lookup(encoding).name in ("utf-8", "utf-8-sig")
        except (LookupError, TypeError):
            splits = False
        if not splits:
            raise ValueError(
                "encoding must be the name of an encoding in which ASCII is one byte a "
                f"character, such as 'utf-8' or 'gb18030'; got {encoding!r:.60}."
            )
        self.path = path
        self.encoding = encoding
        self.decode_error = decode_error

    def __repr__(self):
        return f"LineDocuments({str(self.path)!r}, encoding={self.encoding!r})"

    def __iter__(self):
        for number, line in enumerate(self._lines()):
            yield self._decode(line, number)

    def __array__(self, dtype=None, copy=None):
        """All documents in memory, as cross-validation needs them to take some."""
        return np.array(list(self), dtype=object if dtype is None else dtype)

    def _lines(self):
        """Iterate over the lines as bytes, without their ends."""
        path = Path(os.fsdecode(self.path))
        with _OPEN.get(path.suffix.lower(), open)(path, "rb") as file:
            for number, line in enumerate(file):
                if number == 0 and self.is_utf8:
                    line = line.removeprefix(_BOM)
                yield line.removesuffix(b"\n").removesuffix(b"\r")

    def _decode(self, line, number):
        """The text of a line; an error names the file, the line and the byte."""
        try:
            return line.decode(self.encoding, self.decode_error)
        except UnicodeDecodeError as error:
            raise ValueError(
                f"{self.path}, line {number + 1}: byte 0x{line[error.start]:02x} at "
                f"position {error.start} is not {error.encoding} ({error.reason}). "
                "Pass its encoding, or decode_error='replace'."
            ) from error
