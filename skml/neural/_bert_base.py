"""What the estimators of the BERT family share: a model, windows, files."""

import os
from copy import copy
from numbers import Integral, Real
from os import PathLike
from pathlib import Path
from typing import Self

from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import HasMethods, Interval, RealNotInt
from skml._estimator import BaseLearner
from skml._folders import check_replaceable, replace_folder
from skml._store import write_model
from skml._typing import FilePath
from skml.neural._bert_fitted import BertReader
from skml.neural._bert_text import (
    KINDS,
    TOKENIZER_FILES,
    SubwordTokenizer,
    cut_into_windows,
    read_texts,
    warn_truncated,
)
from skml.neural._codec import read_documents
from skml.neural._network_estimator import PackagesMixin

MODEL_FILES = ("config.json", "model.safetensors", *TOKENIZER_FILES)
THIS_FOLDER = ""  # stands for the model of a saved estimator, in what is saved
MODEL_CONSTRAINTS = {
    "model": [str, PathLike, HasMethods("save_pretrained"), HasMethods("fit"), None],
    "max_length": [Interval(Integral, 8, None, closed="left"), None],
    "device": [str],
    "n_jobs": [Integral, None],
}
WINDOW_CONSTRAINTS = {
    "window_overlap": [Interval(Integral, 0, None, closed="left"), None],
}
TRAINING_CONSTRAINTS = {
    "dropout": [Interval(Real, 0, 1, closed="left"), None],
    "warmup_steps": [
        Interval(Integral, 0, None, closed="left"),
        Interval(RealNotInt, 0, 1, closed="left"),
    ],
}


class BaseBert(PackagesMixin, BaseLearner):
    """A model of the BERT family, loaded by `fit`, applied to windows of documents.

    A subclass has the parameters of `MODEL_CONSTRAINTS`, and `window_overlap` if it
    cuts windows, and the class attributes below.
    """

    _kinds_taken = ("text", "tokens", "pairs")
    _strategy = "longest_first"  # which text of a pair is cut
    _details = ()  # what it must know of where tokens come from
    _predicts_tokens = False  # or else texts
    _extra = "bert"
    _packages = ("torch", "tokenizers", "transformers")

    # Reading

    def _read_fit(self, X):
        """The documents that are learned from, at least one, and of which kind."""
        documents, kind = self._read_any(X)
        if not documents:
            raise ValueError(
                f"{type(self).__name__}: X is empty; at least one document is needed."
            )
        self._check_taken(kind)
        return documents, kind

    def _read_any(self, X):
        # Where no pair is taken, a tuple of two words is a document.
        read = read_texts if "pairs" in self._kinds_taken else read_documents
        return read(X, type(self).__name__)

    def _check_taken(self, kind):
        if kind not in self._kinds_taken:
            taken = " or ".join(KINDS[name] for name in self._kinds_taken)
            raise ValueError(
                f"{type(self).__name__}: document 0 of X is one of {KINDS[kind]}; "
                f"expected {taken}."
            )

    def _read(self, X):
        """Documents after `fit`, of the same kind as then."""
        documents, kind = self._read_any(X)
        known = self._fitted.reader.kind
        if kind not in (None, known):
            raise ValueError(
                f"{type(self).__name__}: X has {KINDS[kind]}; in fit it had "
                f"{KINDS[known]}."
            )
        return documents

    # Loading

    def _read_tokenizer(self, source):
        """The tokenizer of a model, its special ids, and the length it is made for."""
        from skml.neural._torch._pretrained import read_tokenizer

        files, *others = read_tokenizer(source, self.model, type(self).__name__)
        return SubwordTokenizer(files), *others

    def _make_reader(self, tokenizer, special_ids, longest, network, kind=None):
        """How the network reads documents of a kind."""
        from skml.neural._torch._pretrained import longest_input

        n_most = longest_input(network, longest)
        if self.max_length is not None and self.max_length > n_most:
            raise ValueError(
                f"{type(self).__name__}: max_length={self.max_length!r}, and the model "
                f"takes {n_most} tokens at most. Lower max_length."
            )
        return BertReader(
            tokenizer=tokenizer,
            special_ids=special_ids,
            longest=longest,
            max_length=int(self.max_length or n_most),
            kind=kind,
        )

    def _overlap(self, reader):
        """How many tokens windows of a long document share; None cuts it off."""
        if self.long_text != "window" or reader.kind == "pairs":
            return None
        return self._check_overlap(reader)

    def _check_overlap(self, reader):
        """How many tokens two windows share."""
        if (self.window_overlap or 0) > reader.max_length // 2:
            raise ValueError(
                f"{type(self).__name__}: window_overlap={self.window_overlap!r} is "
                f"more than half of the {reader.max_length} tokens of a window. Lower "
                "it."
            )
        if self.window_overlap is None:
            return reader.max_length // 4
        return self.window_overlap

    def _cut(self, reader, documents):
        """Windows of documents."""
        overlap = self._overlap(reader)
        windows, n_cut = cut_into_windows(
            reader.tokenizer,
            documents,
            reader.kind,
            max_length=reader.max_length,
            overlap=overlap,
            strategy=self._strategy,
            details=self._details,
        )
        if n_cut and overlap is None:
            warn_truncated(n_cut, reader.max_length, type(self).__name__, reader.kind)
        return windows

    # Applying

    def _on_device(self, network):
        from skml.neural._torch._device import find_device, placed

        return placed(network, find_device(self.device, type(self).__name__))

    def _collect(self, network, windows, compute):
        """What `compute` returns of a network and all windows, or of their tokens."""
        from skml.neural._torch._device import limit_torch_threads
        from skml.neural._torch._windows import collect

        with limit_torch_threads(self.n_jobs):
            return collect(
                self._on_device(network),
                windows,
                self._fitted.reader.padding,
                compute,
                of_tokens=self._predicts_tokens,
            )

    # Keeping

    def save(self, path: FilePath) -> Self:
        """Write the fitted estimator to a folder of data; no code runs on loading.

        Parameters
        ----------
        path : str or path-like
            The folder, which is made; a model that is there is replaced once all is
            written. It can be the `model` of another estimator. If `model` is an
            estimator, the folder takes its place, which holds what became of it.

        Returns
        -------
        self : object
            The estimator.

        Raises
        ------
        TypeError
            If a parameter is no data, such as a function or a `RandomState`; nothing is
            written then.
        ValueError
            If the folder holds other files.
        sklearn.exceptions.NotFittedError
            If the estimator is not fitted.
        """
        check_is_fitted(self)
        kept = self
        if hasattr(self.model, "fit"):
            kept = copy(self)
            kept.model = THIS_FOLDER
        write_model(path, kept)
        return self

    @classmethod
    def load(cls, path: FilePath) -> Self:
        """Read an estimator that `save` wrote; no code in the folder runs.

        Parameters
        ----------
        path : str or path-like
            The folder.

        Returns
        -------
        estimator : object
            The fitted estimator, whose predictions equal those of the saved one.

        Raises
        ------
        ValueError
            If a file is missing or damaged, or is of another class or version.
        ImportError
            If PyTorch or transformers is not installed.
        """
        cls._import_packages()
        estimator = super().load(path)
        if estimator.model == THIS_FOLDER:
            estimator.model = os.fspath(path)
        return estimator

    def save_pretrained(self, path: FilePath) -> Self:
        """Write the network to a folder that transformers reads.

        Of an ensemble, the first network is written.

        Parameters
        ----------
        path : str or path-like
            The folder, which is made; a model that is there is replaced.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        from skml.neural._torch._pretrained import write_pretrained

        path = Path(os.fspath(path)).absolute()  # "." has no name
        check_replaceable(path, MODEL_FILES)
        network, files = self._fitted.network, self._fitted.reader.tokenizer.files
        replace_folder(
            path, MODEL_FILES, lambda folder: write_pretrained(folder, network, files)
        )
        return self

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
