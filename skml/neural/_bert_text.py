"""From documents to windows of pieces, as models of the BERT family read them."""

from dataclasses import dataclass, replace

import numpy as np

from skml._fitting import warn_user
from skml.neural._codec import check_characters, read_documents

KINDS = {
    "text": "text",
    "tokens": "lists of tokens",
    "pairs": "pairs of texts",
}


@dataclass(frozen=True)
class Windows:
    """Documents as the network reads them; a long one may be several windows."""

    ids: list  # of ndarray of int32: the pieces
    segments: list  # of ndarray of int64: 0 for the first text of a pair, else 1
    documents: np.ndarray  # which document each window is of
    encodings: list | None  # what the tokenizer tells of each window

    def __len__(self):
        return len(self.ids)

    def without_encodings(self):
        """The same, without what is only needed to find places in the documents."""
        return replace(self, encodings=None)


def read_texts(X, caller, what="X"):
    """Read documents that are all text, all lists of tokens, or all pairs of texts.

    Pairs are rows of an array or a data frame with two columns, or tuples of two.

    Parameters
    ----------
    X : iterable of str, of list of str or of tuple of two str; or table of two columns
        The documents.
    caller : str
        The name of the estimator, for the messages.
    what : str, default="X"
        The name of the collection, for the messages.

    Returns
    -------
    documents : list
        The documents.
    kind : {"text", "tokens", "pairs", None}
        What they are; None if there is none.

    Raises
    ------
    ValueError, TypeError
        If X is no collection of documents, or mixes kinds.
    """
    pairs, X = _find_pairs(X)
    if pairs is None:
        return read_documents(X, caller, what)
    if what != "X":
        caller = f"{caller}, {what}"
    for position, pair in enumerate(pairs):
        for which, text in zip(("first", "second"), pair, strict=True):
            if not isinstance(text, str):
                raise TypeError(
                    f"{caller}: document {position}: the {which} text of the pair is "
                    f"{text!r:.60} ({type(text).__name__}); expected a str."
                )
            check_characters(text, position, caller)
    return [(str(a), str(b)) for a, b in pairs], "pairs"


def _find_pairs(X):
    """The pairs in X, or None; and X, which may have been an iterator."""
    shape = getattr(X, "shape", ())
    if len(shape) == 2 and shape[1] == 2:
        if hasattr(X, "columns"):
            table = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
            return list(map(tuple, table)), X
        if isinstance(X, np.ndarray) and X.dtype.kind in "OSTU":
            return list(map(tuple, X)), X
    if isinstance(X, (list, tuple)):
        rows = X
    elif hasattr(X, "__next__"):
        rows = X = list(X)
    elif isinstance(X, np.ndarray) and X.ndim == 1 and X.dtype == object:
        rows = X
    else:
        return None, X
    are_pairs = len(rows) > 0 and all(type(r) is tuple and len(r) == 2 for r in rows)
    return (list(rows), X) if are_pairs else (None, X)


def load_tokenizer(stored):
    """A tokenizer from its JSON, set to cut windows and to read text as text."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_str(stored)
    tokenizer.no_padding()
    # Text that spells "[SEP]" is text, and ends no sentence.
    tokenizer.encode_special_tokens = True
    return tokenizer


def cut_into_windows(
    tokenizer, documents, kind, *, max_length, overlap=0, strategy="longest_first"
):
    """Cut documents into windows of at most `max_length` pieces.

    Parameters
    ----------
    tokenizer : Tokenizer
        Of :func:`load_tokenizer`.
    documents : list
        The documents.
    kind : {"text", "tokens", "pairs"}
        What they are.
    max_length : int
        The largest number of pieces, special ones included.
    overlap : int or None, default=0
        How many pieces two windows of a document share. None cuts off what does not
        fit into the first.
    strategy : {"longest_first", "only_second"}, default="longest_first"
        Which text of a pair is cut.

    Returns
    -------
    windows : Windows
        Those of a document follow each other.
    n_cut : int
        How many documents are longer than a window.
    """
    tokenizer.enable_truncation(max_length, stride=overlap or 0, strategy=strategy)
    encodings = tokenizer.encode_batch(documents, is_pretokenized=kind == "tokens")
    kept, rows, n_cut = [], [], 0
    for row, encoding in enumerate(encodings):
        parts = [encoding]
        if encoding.overflowing:
            n_cut += 1
            if overlap is not None:
                parts += encoding.overflowing
        kept += parts
        rows += [row] * len(parts)
    return Windows(
        [np.array(encoding.ids, dtype=np.int32) for encoding in kept],
        [np.array(encoding.type_ids, dtype=np.int64) for encoding in kept],
        np.array(rows, dtype=np.intp),
        kept,
    ), n_cut


def tell_cut(n_cut, max_length, caller):
    """Warn that documents were cut."""
    warn_user(
        f"{caller}: {n_cut} document(s) have more pieces than max_length="
        f"{max_length!r}, and are cut there. Raise max_length, or read them whole with "
        "long_text='window'."
    )


def mean_of_windows(values, windows, n_documents, weights=None):
    """The mean over the windows of each document; of one window, the value itself.

    Parameters
    ----------
    values : ndarray of shape (n_windows, ...)
        What a network says of each window.
    windows : Windows
        The windows.
    n_documents : int
        The number of documents.
    weights : ndarray of shape (n_windows,), default=None
        The weights of the windows.
    """
    if len(windows) == n_documents:
        return values
    if weights is None:
        weights = np.ones(len(windows))
    shares = weights / np.bincount(windows.documents, weights)[windows.documents]
    shares = shares.astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
    found = np.zeros((n_documents, *values.shape[1:]), dtype=values.dtype)
    np.add.at(found, windows.documents, values * shares)
    return found
