"""The one door for text input: what a collection of documents may look like."""

import re
from os import PathLike

import numpy as np
from scipy import sparse

# Between the words of a sentence that is written without blanks.
_CHINESE_MARKS = frozenset("，。！？；：、")
# More letters than a word has: Chinese and Japanese; Thai, Lao, Burmese and Khmer.
_UNSPACED = re.compile(
    "[\u3040-\u30ff\u3400-\u9fff]{6}|[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]{16}"
)
# So many lists of one length, most of them without a text, are no rows of a table.
_ENOUGH_ROWS = 100
_EXPECTED = "an iterable of documents, each a str or a list of str tokens"


def check_documents(X, *, caller, input="content", allow_rows=False, known=()):
    """Check a collection of documents, and iterate over it once.

    The container is checked at once; each document when it is reached, so that a
    generator is consumed a single time and never held in memory. Tokens inside a list
    are checked where they are counted. Unless `allow_rows`, an error follows behind the
    last document if all are lists of one text, as the rows of a table are; tokens that
    are `known` are no texts, whatever they look like.
    """
    _check_container(X, caller)
    check_one = {
        "content": _check_content,
        "filename": _check_filename,
        "file": _check_file,
    }[input]
    documents = _checked(X, check_one, caller)
    if input != "content" or allow_rows:
        return documents
    return _refuse_rows(documents, caller, known)


def _check_container(X, caller):
    kind = type(X).__name__
    if isinstance(X, (str, bytes, bytearray)):
        received = "string" if kind == "str" else kind
        raise ValueError(
            f"{caller} expects {_EXPECTED}; got a single {kind}. Iterable over raw "
            f"text documents expected, {received} object received. "
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
        if type(document) is not str and type(document) is not list:
            document = _without_arrow(document)
        problem = check_one(document)
        if problem is not None:
            error = ValueError if is_missing(document) else TypeError
            if check_one is _check_file:
                error = AttributeError  # as that of the method that is missing
            raise error(f"{caller}: document {position} is {problem}")
        yield document


def _without_arrow(document):
    """A scalar, or an array of tokens, of pyarrow as a Python object."""
    for convert in ("as_py", "to_pylist"):
        if hasattr(document, convert):
            return getattr(document, convert)()
    return document


def _refuse_rows(documents, caller, known):
    """Hand on documents, unless all of them are the rows of a table of texts.

    Ready tokens have no blanks, as a rule. [[text], [text]] would be documents of one
    token each that no other text has.
    """
    first, n_rows, n_texts = None, 0, 0
    for document in documents:
        yield document
        first = document if first is None else first
        if isinstance(document, str) or not 0 < len(document) == len(first):
            yield from documents
            return
        n_rows += 1
        n_texts += sum(
            _is_text(token, len(document)) and token not in known for token in document
        )
        if n_rows == _ENOUGH_ROWS and 2 * n_texts < n_rows * len(first):
            yield from documents
            return
    if n_rows == 1 and not any(_has_words(token, len(first)) for token in first):
        # One long token by itself may well be one that nobody has seen before.
        return
    if 2 * n_texts < max(1, n_rows * len(first or "")):
        return
    raise ValueError(
        f"{caller}: every document is a list of {_count_texts(len(first))}, such as "
        f"{list(first)!r:.60}, as are the rows of a table; a list is a document of "
        "ready tokens. Pass the texts themselves: [row[0] for row in X], or the column "
        "of the frame. If these are tokens with blanks in them, replace the blanks."
    )


def _is_text(token, n_columns):
    """Whether a token is a sentence: words, three of them where it has neighbours."""
    if _has_words(token, n_columns):
        return True
    if not isinstance(token, str):
        return False
    # By itself, a long word is a text as well, and so is one with a mark behind it.
    is_alone = n_columns == 1 and len(token) > 1
    return is_alone and (token[-1] in _CHINESE_MARKS or bool(_UNSPACED.search(token)))


def _has_words(token, n_columns):
    """Whether blanks, or the marks of Chinese, stand between words of a token."""
    if not isinstance(token, str):
        return False
    n_words = len(token.split())
    return n_words > min(n_columns, 2) or not _CHINESE_MARKS.isdisjoint(token[:-1])


def _count_texts(n_texts):
    return "one text" if n_texts == 1 else f"{n_texts} texts"


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
    kind = type(document).__name__
    expected = f"an open file (input=\"file\"); '{kind}' object has no attribute 'read'"
    return _wrong(document, expected)


def _wrong(document, expected):
    return f"{document!r:.60} ({type(document).__name__}); expected {expected}."


def is_missing(value):
    """Whether a scalar stands for a missing value: None, NaN, pandas' NA or NaT."""
    if value is None or type(value).__name__ in {"NAType", "NaTType"}:
        return True
    return isinstance(value, (float, np.floating)) and bool(np.isnan(value))


def uses_early_stopping(early_stopping, n_samples):
    """Whether to stop early; "auto" does if there are more than 10 000 samples."""
    return n_samples > 10_000 if early_stopping == "auto" else early_stopping
