"""From documents to windows of pieces, as models of the BERT family read them."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from skml._fitting import warn_user
from skml._validation import check_documents, is_missing
from skml.neural._codec import check_characters, read_documents

NO_CHARACTER = "\U0010ffff"  # of no text
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

    @cached_property
    def lengths(self):
        """The numbers of pieces."""
        return np.array([len(ids) for ids in self.ids], dtype=np.intp)

    def without_encodings(self):
        """The same, without what is only needed to find places in the documents."""
        return replace(self, encodings=None)


def read_texts(X, caller, what="X", *, allow_rows=False):
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
    allow_rows : bool, default=False
        Whether lists may hold texts, such as sentences, rather than tokens.

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
    name = caller if what == "X" else f"{caller}, {what}"
    rows = _rows_of_table(X)
    if rows is None:
        rows = list(check_documents(X, caller=name, allow_rows=True))
        are_pairs = all(isinstance(row, tuple) and len(row) == 2 for row in rows)
        if not rows or not are_pairs:
            return read_documents(rows, caller, what, allow_rows=allow_rows)
    for position, pair in enumerate(rows):
        for which, text in zip(("first", "second"), pair, strict=True):
            _check_text(text, f"{name}: document {position}: the {which} text")
            check_characters(text, position, name)
    return [(str(a), str(b)) for a, b in rows], "pairs"


def _rows_of_table(X):
    """The rows of a table of two columns of text, or None."""
    shape = getattr(X, "shape", ())
    if len(shape) != 2 or shape[1] != 2:
        return None
    if hasattr(X, "columns"):
        X = X.to_numpy() if hasattr(X, "to_numpy") else np.asarray(X)
        return list(map(tuple, X))
    is_text = isinstance(X, np.ndarray) and X.dtype.kind in "OSTU"
    return list(map(tuple, X)) if is_text else None


def _check_text(text, where):
    if is_missing(text):
        raise ValueError(
            f"{where} of the pair is missing ({text!r}); it must be text. Drop the "
            'row, or replace it by "", an empty text.'
        )
    if not isinstance(text, str):
        raise TypeError(
            f"{where} of the pair is {text!r:.60} ({type(text).__name__}); expected a "
            "str."
        )


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
    if kind == "tokens":
        _part_words(tokenizer)
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
    ids = [np.array(encoding.ids, dtype=np.int32) for encoding in kept]
    if type(tokenizer.model).__name__ == "Unigram":
        _unspell(tokenizer, kept, ids)
    return Windows(
        ids,
        [np.array(encoding.type_ids, dtype=np.int64) for encoding in kept],
        np.array(rows, dtype=np.intp),
        kept,
    ), n_cut


def _part_words(tokenizer):
    """Have byte pairs begin each token as a word in text, with a blank."""
    parts = tokenizer.pre_tokenizer
    for part in parts if hasattr(parts, "__getitem__") else [parts]:
        if hasattr(part, "add_prefix_space"):
            part.add_prefix_space = True


def _unspell(tokenizer, encodings, ids):
    """Make the special pieces unknown that texts spell: unigram models find them."""
    added = tokenizer.get_added_tokens_decoder()
    special = [i for i, token in added.items() if token.special]
    for encoding, row in zip(encodings, ids, strict=True):
        is_text = np.array(encoding.special_tokens_mask) == 0
        spelled = is_text & np.isin(row, special)
        if spelled.any():
            row[spelled] = tokenizer.model.tokenize(NO_CHARACTER)[0].id


def tell_cut(n_cut, max_length, caller, kind):
    """Warn that documents were cut."""
    whole = "" if kind == "pairs" else ", or read them whole with long_text='window'"
    warn_user(
        f"{caller}: {n_cut} document(s) have more pieces than max_length="
        f"{max_length!r}, and are cut there. Raise max_length{whole}."
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
