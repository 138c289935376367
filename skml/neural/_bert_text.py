"""From documents to windows of tokens, as models of the BERT family read them."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

import numpy as np

from skml._codec import register
from skml._compat.tokenizers import read_specials_as_text, word_starts
from skml._fitting import warn_user
from skml._optional import import_optional
from skml._validation import check_documents, is_missing
from skml.neural._codec import check_characters, read_documents

NO_CHARACTER = "\U0010ffff"  # of no text
MOST_AT_ONCE = 1000  # documents whose encodings are in memory together
TOKENIZER = "tokenizer.json"
TOKENIZER_FILES = (
    TOKENIZER,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
# The special tokens that a model itself puts, as tokenizer_config.json names them.
NAMED = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
KINDS = {
    "text": "text",
    "tokens": "lists of tokens",
    "pairs": "pairs of texts",
}


@dataclass(frozen=True)
class Windows:
    """Documents as the network reads them; a long one may be several windows."""

    ids: list  # of ndarray of int32: the tokens
    segments: list  # of ndarray of int8: 0 for the first text of a pair, else 1
    documents: np.ndarray  # which document each window is of
    details: dict = field(default_factory=dict)  # lists, one entry a window, by name
    overlap: int | None = None  # tokens that two windows of a document share

    def __len__(self):
        return len(self.ids)

    @cached_property
    def lengths(self):
        """The numbers of tokens."""
        return np.array([len(ids) for ids in self.ids], dtype=np.intp)


def read_texts(X, caller, what="X", *, allow_rows=False):
    """Read documents that are all text, all lists of tokens, or all pairs of texts.

    Pairs are rows of an array or a data frame with two columns, or tuples of two. With
    `allow_rows`, lists may hold texts, such as sentences, rather than tokens. Returns
    the documents, and their kind: a key of KINDS, or None if there are none.
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


@register
class SubwordTokenizer:
    """Turns texts into the tokens of a model, words or parts of them.

    `files` are those of a tokenizer by name, "tokenizer.json" among them. Threads may
    share it.
    """

    def __init__(self, files):
        import_optional("tokenizers", extra="bert", caller="A fitted model")
        self.files = files
        self.backend = make_backend(files)
        self._prefixing = word_starts(self.backend)
        self._lock = Lock()  # how to cut is a state of the backend

    def __deepcopy__(self, memo):
        return self  # its lock is not copied, and nothing of it changes

    def __reduce__(self):
        return type(self), (self.files,)

    def to_data(self):
        return {"files": self.files}

    @classmethod
    def from_data(cls, data):
        files = data["files"]
        if TOKENIZER not in files or not files.keys() <= {*TOKENIZER_FILES}:
            raise ValueError("there are no files of a tokenizer")
        if not all(type(content) is str for content in files.values()):
            raise ValueError("a file of the tokenizer is no text")
        try:
            return cls(files)
        except Exception as error:  # the library raises no other type
            raise ValueError(f"{TOKENIZER}: {error!s:.200}") from None

    def encode(self, documents, *, are_words=False, special=True, fast=False, cut=None):
        """Yield the encoding of each document; some are made at a time.

        With `fast`, the positions of tokens in the documents may be left out; `cut` are
        the options of truncation.
        """
        encode = self.backend.encode_batch_fast if fast else self.backend.encode_batch
        for first in range(0, len(documents), MOST_AT_ONCE):
            with self._lock:
                self._prepare(are_words, cut)
                encodings = encode(
                    documents[first : first + MOST_AT_ONCE],
                    is_pretokenized=are_words,
                    add_special_tokens=special,
                )
            yield from encodings

    def _prepare(self, are_words, cut):
        for part, has_prefix in self._prefixing:
            # Byte pairs begin each token as a word in text, with a blank.
            part.add_prefix_space = are_words or has_prefix
        if cut is None:
            self.backend.no_truncation()
        else:
            self.backend.enable_truncation(**cut)

    @cached_property
    def special_ids(self):
        """The ids of the special tokens that no text may spell."""
        added = self.backend.get_added_tokens_decoder()
        return [i for i, token in added.items() if token.special]

    @cached_property
    def unknown_id(self):
        """What a unigram model makes of a character that it does not know."""
        return self.backend.model.tokenize(NO_CHARACTER)[0].id

    @property
    def is_unigram(self):
        return type(self.backend.model).__name__ == "Unigram"


def make_backend(files):
    """A tokenizer of the library tokenizers that reads text as text.

    Text that spells "[SEP]" is text, and ends no sentence. Other special tokens, which
    somebody added to mark text, are read as such.
    """
    from tokenizers import Tokenizer

    stored = files[TOKENIZER]
    backend = Tokenizer.from_str(stored)
    if markers := find_markers(backend, files.get("tokenizer_config.json", "{}")):
        content = json.loads(stored)
        for token in content["added_tokens"]:
            token["special"] &= token["content"] not in markers
        backend = Tokenizer.from_str(json.dumps(content))
    backend.no_padding()
    read_specials_as_text(backend)
    return backend


def find_markers(backend, config):
    """The special tokens that the model itself never puts, but text may have."""
    config = json.loads(config)
    own = {_content(config.get(f"{name}_token")) for name in NAMED}
    own.update(backend.encode("", "").tokens, backend.encode("").tokens)
    own.add(getattr(backend.model, "unk_token", None))
    added = backend.get_added_tokens_decoder().values()
    return {token.content for token in added if token.special} - own


def _content(token):
    """The text of a token of a configuration, where it may have options."""
    return token.get("content") if isinstance(token, dict) else token


def cut_into_windows(
    tokenizer,
    documents,
    kind,
    *,
    max_length,
    overlap=0,
    strategy="longest_first",
    details=(),
):
    """Cut documents into windows of at most `max_length` tokens, special ones included.

    With the overlap None, what does not fit into the first is cut off. `strategy`
    ("longest_first", "only_second") says which text of a pair is cut, and `details`,
    keys of `DETAILS`, what else of each window is kept. Returns the windows, those of
    a document in a row, and how many documents are longer than one.
    """
    encodings = tokenizer.encode(
        documents,
        are_words=kind == "tokens",
        fast=not details,
        cut={"max_length": max_length, "stride": overlap or 0, "strategy": strategy},
    )
    ids, segments, rows, n_cut = [], [], [], 0
    found = {name: [] for name in details}
    for row, encoding in enumerate(encodings):
        n_cut += bool(encoding.overflowing)
        others = [] if overlap is None else encoding.overflowing
        for part in (encoding, *others):
            ids.append(_ids_of(part, tokenizer))
            segments.append(np.array(part.type_ids, dtype=np.int8))
            rows.append(row)
            for name in details:
                found[name].append(DETAILS[name](part))
    rows = np.array(rows, dtype=np.intp)
    return Windows(ids, segments, rows, found, overlap), n_cut


def _ids_of(encoding, tokenizer):
    """The tokens, without special ones that text spells: unigram models find them."""
    ids = np.array(encoding.ids, dtype=np.int32)
    if tokenizer.is_unigram:
        spelled = np.isin(ids, tokenizer.special_ids)
        spelled &= np.array(encoding.special_tokens_mask) == 0
        ids[spelled] = tokenizer.unknown_id
    return ids


def _numbers(values):
    """Numbers as an array, -1 being none."""
    return np.array([-1 if v is None else v for v in values], dtype=np.int32)


# What of an encoding can be kept: encodings themselves are large.
DETAILS = {
    "tokens": lambda encoding: encoding.tokens,
    "word_ids": lambda encoding: _numbers(encoding.word_ids),
    "sequence_ids": lambda encoding: _numbers(encoding.sequence_ids),
    "offsets": lambda encoding: np.array(encoding.offsets, np.int32).reshape(-1, 2),
}


def warn_truncated(n_cut, max_length, caller, kind):
    """Warn that documents were cut."""
    whole = "" if kind == "pairs" else ", or read them whole with long_text='window'"
    warn_user(
        f"{caller}: {n_cut} document(s) have more tokens than max_length="
        f"{max_length!r} and were truncated. Increase max_length{whole}."
    )


def mean_of_windows(values, windows, n_documents, weights=None):
    """The weighted mean over the windows of each document; of one, the value itself."""
    if len(windows) == n_documents:
        return values
    if weights is None:
        weights = np.ones(len(windows))
    weights = weights / np.bincount(windows.documents, weights)[windows.documents]
    weights = weights.astype(values.dtype).reshape(-1, *(1,) * (values.ndim - 1))
    found = np.zeros((n_documents, *values.shape[1:]), dtype=values.dtype)
    np.add.at(found, windows.documents, values * weights)
    return found
