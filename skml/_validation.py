"""The one door for text input: what a collection of documents may look like."""

from os import PathLike

import numpy as np
from scipy import sparse

_EXPECTED = "an iterable of documents, each a str or a list of str tokens"


def check_documents(X, *, caller, input="content"):
    """Check a collection of documents, and iterate over it once.

    The container is checked at once; each document when it is reached, so that a
    generator is consumed a single time and never held in memory.

    Parameters
    ----------
    X : iterable of str, or iterable of list of str
        The documents. Tokens inside a list are checked where they are counted.
    caller : str
        The name of the estimator, for the messages.
    input : {"content", "filename", "file"}, default="content"
        What a document is: text or tokens, the path of a file, an open file.

    Returns
    -------
    documents : iterator
        Yields the documents in order; raises at the first that is none.

    Raises
    ------
    ValueError
        If X is a single string, has more than one dimension, or holds a missing
        value.
    TypeError
        If X is no iterable of documents, or a document is of another type.
    """
    _check_container(X, caller)
    check_one = {
        "content": _check_content,
        "filename": _check_filename,
        "file": _check_file,
    }[input]
    return _checked(X, check_one, caller)


def _check_container(X, caller):
    kind = type(X).__name__
    if isinstance(X, (str, bytes, bytearray)):
        raise ValueError(
            f"{caller} expects {_EXPECTED}; got a single {kind}. "
            "Put one document into a list: [document]."
        )
    if isinstance(X, (dict, set, frozenset)):
        raise TypeError(
            f"{caller} expects {_EXPECTED}; got a {kind}, "
            "which has no order of documents. Pass a list."
        )
    if sparse.issparse(X):
        raise TypeError(f"{caller} expects {_EXPECTED}; got a sparse matrix.")
    n_dimensions = getattr(X, "ndim", None)
    if n_dimensions is None and hasattr(X, "columns"):
        n_dimensions = 2
    if n_dimensions is not None and n_dimensions != 1:
        raise ValueError(
            f"{caller} expects {_EXPECTED}, in one dimension; got a {kind} with "
            f"{n_dimensions} dimension(s). Select the column that holds the text."
        )
    if not hasattr(X, "__iter__"):
        raise TypeError(f"{caller} expects {_EXPECTED}; got {X!r:.60} ({kind}).")


def _checked(X, check_one, caller):
    for position, document in enumerate(X):
        problem = check_one(document)
        if problem is not None:
            error = ValueError if is_missing(document) else TypeError
            raise error(f"{caller}: document {position} is {problem}")
        yield document


def _check_content(document):
    if isinstance(document, (str, list, tuple)):
        return None
    # A polars Series of lists hands out its rows as Series.
    is_array = isinstance(document, np.ndarray) or hasattr(document, "to_list")
    if is_array and getattr(document, "ndim", 1) == 1:
        return None
    if is_missing(document):
        return (
            f"missing ({document!r}); every document must be text. "
            'Drop the row, or replace it by "", an empty document.'
        )
    if isinstance(document, (bytes, bytearray)):
        return "bytes; decode it first: document.decode(encoding)."
    return _wrong(document, "a str or a list of str tokens")


def _check_filename(document):
    if isinstance(document, (str, PathLike)):
        return None
    return _wrong(document, 'the path of a file (input="filename")')


def _check_file(document):
    if hasattr(document, "read"):
        return None
    return _wrong(document, 'an open file (input="file")')


def _wrong(document, expected):
    return f"{document!r:.60} ({type(document).__name__}); expected {expected}."


def is_missing(value):
    """Whether a scalar stands for a missing value: None, NaN, pandas' NA or NaT."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))
