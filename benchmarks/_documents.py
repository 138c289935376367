"""A text file, compressed or not, as lists of tokens."""

import bz2
import gzip
import lzma
import sys

_OPENERS = {"xz": lzma.open, "gz": gzip.open, "bz2": bz2.open}


def open_text(path):
    """Open a text file to read it line by line; .xz, .gz and .bz2 as they are."""
    return _opener(path)(path, "rt", encoding="utf-8")


def open_bytes(path):
    """Open a file for its bytes; .xz, .gz and .bz2 as what they hold."""
    return _opener(path)(path, "rb")


def _opener(path):
    return _OPENERS.get(str(path).rpartition(".")[2], open)


def read_token_lists(path, max_tokens=None):
    """Split the lines of a text file at whitespace.

    Parameters
    ----------
    path : str
        One document a line, UTF-8; .xz, .gz and .bz2 are opened as they are.
    max_tokens : int or None, default=None
        Read whole documents until there are so many tokens; None reads all.

    Returns
    -------
    documents : list of list of str
        Without empty documents. Equal tokens are one object, so that a token takes 8
        bytes and not 60, and whoever trains first does not pay for hashing the words.
    n_tokens : int
        Number of tokens in all documents.
    """
    documents, n_tokens = [], 0
    with open_text(path) as lines:
        for line in lines:
            tokens = list(map(sys.intern, line.split()))
            if tokens:
                documents.append(tokens)
                n_tokens += len(tokens)
            if max_tokens is not None and n_tokens >= max_tokens:
                break
    if not documents:
        sys.exit(f"{path} holds no token; it should hold one document a line.")
    return documents, n_tokens
