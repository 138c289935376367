"""What the estimators of the BERT family share: a model, windows, files."""

import os
from numbers import Integral, Real
from os import PathLike
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import HasMethods, Interval, RealNotInt
from skml._folders import check_parent, check_replaceable, replace_folder
from skml.neural._bert_text import (
    KINDS,
    PieceTokenizer,
    cut_into_windows,
    read_texts,
    tell_cut,
)
from skml.neural._codec import read_documents
from skml.neural._network_estimator import PackagesMixin, to_arrays, to_tensors
from skml.neural._storage import ESTIMATOR, check_state, read_json, to_json

CONFIG, WEIGHTS = "config.json", "model.safetensors"
MEMBER = "member-{}.safetensors"  # those after the first
MOST_MEMBERS = 1000
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "chat_template.jinja",
)
FORMAT = 1
TYPES = {  # of fitted attributes that are JSON; [float] is a list of such
    "n_iter_": int,
    "newly_initialized_": [str],
    "_is_multilabel": bool,
    "_is_1d": bool,
    "_fallback": int,
}
PACKAGES = ("torch", "tokenizers", "safetensors", "transformers")
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


class BertMixin(PackagesMixin):
    """A model of the BERT family, loaded by `fit`, applied to windows of documents.

    A subclass has the parameters of `MODEL_CONSTRAINTS`, and `window_overlap` if it
    cuts windows, and the class attributes below. After `fit`, `networks_` holds the
    networks, one for each member of an ensemble.
    """

    _head = "encoder"  # a key of MODELS
    _kinds_taken = ("text", "tokens", "pairs")
    _strategy = "longest_first"  # which text of a pair is cut
    _details = ()  # what it must know of where pieces come from
    _fitted_as_data = ()  # fitted attributes that are JSON as they are
    _fitted_as_arrays = ()  # fitted attributes that are arrays
    _extra = "bert"
    _packages = PACKAGES

    # Reading

    def _read_fit(self, X):
        """The documents that are learned from, at least one."""
        documents, kind = self._read_any(X)
        if not documents:
            raise ValueError(
                f"{type(self).__name__}: X is empty; at least one document is needed."
            )
        self._check_taken(kind)
        self._kind = kind
        return documents

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
        if kind not in (None, self._kind):
            raise ValueError(
                f"{type(self).__name__}: X has {KINDS[kind]}; in fit it had "
                f"{KINDS[self._kind]}."
            )
        return documents

    # Loading

    def _load_tokenizer(self, source):
        """Learn the tokenizer of the model."""
        from skml.neural._torch._pretrained import read_tokenizer

        caller = type(self).__name__
        files, self._special, self._longest = read_tokenizer(source, self.model, caller)
        self._tokenizer = PieceTokenizer(files)

    def _check_max_length(self, network):
        """The largest number of pieces of a window."""
        from skml.neural._torch._pretrained import longest_input

        longest = longest_input(network, self._longest)
        if self.max_length is not None and self.max_length > longest:
            raise ValueError(
                f"{type(self).__name__}: max_length={self.max_length!r}, and the model "
                f"takes {longest} pieces at most. Lower max_length."
            )
        self._n_pieces = self.max_length or int(longest)

    def _overlap(self):
        """How many pieces windows of a long document share; None cuts it off."""
        if self.long_text != "window" or self._kind == "pairs":
            return None
        return self._check_overlap()

    def _check_overlap(self):
        """How many pieces two windows share."""
        if (self.window_overlap or 0) > self._n_pieces // 2:
            raise ValueError(
                f"{type(self).__name__}: window_overlap={self.window_overlap!r} is "
                f"more than half of the {self._n_pieces} pieces of a window. Lower it."
            )
        if self.window_overlap is None:
            return self._n_pieces // 4
        return self.window_overlap

    def _cut(self, documents, overlap=None):
        """Windows of documents; with `overlap`, all of a long one."""
        windows, n_cut = cut_into_windows(
            self._tokenizer,
            documents,
            self._kind,
            max_length=self._n_pieces,
            overlap=overlap,
            strategy=self._strategy,
            details=self._details,
        )
        if n_cut and overlap is None:
            tell_cut(n_cut, self._n_pieces, type(self).__name__, self._kind)
        return windows

    # Applying

    def _on_device(self, network):
        from skml.neural._torch._device import find_device, placed

        return placed(network, find_device(self.device, type(self).__name__))

    def _collect(self, network, windows, compute):
        """What `compute` returns of a network and the inputs of all windows."""
        from skml.neural._torch._device import limit_torch_threads
        from skml.neural._torch._windows import collect

        with limit_torch_threads(self.n_jobs):
            network = self._on_device(network)
            return collect(network, windows, self._special.get("pad", 0), compute)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "networks_")

    # Keeping

    def __getstate__(self):
        """Networks as arrays, which need no GPU; the tokenizer as its files."""
        state = dict(super().__getstate__())
        if "networks_" in state:
            state["_weights"] = list(map(to_arrays, state.pop("networks_")))
            state["_tokenizer"] = state["_tokenizer"].files
        return state

    def __setstate__(self, state):
        state = dict(state)
        members = state.pop("_weights", None)
        super().__setstate__(state)
        if members is not None:
            self._import_packages()
            self._tokenizer = PieceTokenizer(self._tokenizer)
            self.networks_ = [self._rebuild_network(to_tensors(w)) for w in members]

    def _rebuild_network(self, weights):
        from skml.neural._torch._device import preserve_rng_state
        from skml.neural._torch._pretrained import rebuild_network

        with preserve_rng_state():
            return rebuild_network(self._config, self._head, weights)

    def save_pretrained(self, path):
        """Write the network to a folder that transformers reads.

        Of several members, the first is written.

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
        self._write(path, keeps_estimator=False)
        return self

    def save(self, path):
        """Write the fitted estimator to a folder, in files that run no code.

        Parameters
        ----------
        path : str or path-like
            The folder, which is made; a model that is there is replaced. It is also
            one that transformers reads.

        Returns
        -------
        self : object
            The estimator.
        """
        check_is_fitted(self)
        self._write(path, keeps_estimator=True)
        return self

    def _write(self, path, *, keeps_estimator):
        from skml.neural._torch._pretrained import write_model

        path = Path(os.fspath(path)).absolute()  # "." has no name
        members = self.networks_[1:] if keeps_estimator else []
        names = (
            ESTIMATOR,
            CONFIG,
            WEIGHTS,
            *TOKENIZER_FILES,
            *(MEMBER.format(i) for i in range(1, MOST_MEMBERS)),
        )
        check_parent(path)
        check_replaceable(path, names, "a saved model")
        state = self._to_bytes() if keeps_estimator else None

        def write(folder):
            from safetensors.torch import save_file

            write_model(folder, self.networks_[0], self._tokenizer.files)
            for number, network in enumerate(members, 1):
                weights = {n: w.clone() for n, w in network.state_dict().items()}
                save_file(weights, folder / MEMBER.format(number))
            if state is not None:
                (folder / ESTIMATOR).write_bytes(state)

        replace_folder(path, names, write)

    def _to_bytes(self):
        parameters = self.get_params(deep=False)
        if hasattr(parameters["model"], "fit"):
            parameters["model"] = None  # the folder itself, once it is read
        state = {
            "format": FORMAT,
            "class": type(self).__name__,
            "parameters": {k: parameter_to_json(v) for k, v in parameters.items()},
            "n_estimators": len(self.networks_),
            "kind": getattr(self, "_kind", None),
            "n_pieces": self._n_pieces,
            "longest": self._longest,
            "special": self._special,
            "data": {name: getattr(self, name) for name in self._fitted_as_data},
            "arrays": {
                name: array_to_json(getattr(self, name))
                for name in self._fitted_as_arrays
            },
        }
        return to_json(state, type(self).__name__)

    @classmethod
    def load(cls, path):
        """Read an estimator that `save` wrote; no code is run.

        Parameters
        ----------
        path : str or path-like
            The folder.

        Returns
        -------
        estimator : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If the folder is damaged, of another version, or of another estimator.
        """
        path = Path(os.fspath(path))
        cls._import_packages()
        state = read_json(path / ESTIMATOR)
        check_state(state, cls.__name__, FORMAT, path / ESTIMATOR)
        try:
            parameters = state["parameters"].items()
            estimator = cls(**{k: parameter_from_json(v) for k, v in parameters})
            if estimator.model is None:
                estimator.model = str(path)
            estimator._validate_params()
            estimator._set_state(state, path)
        except (
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            OverflowError,
        ) as error:
            raise ValueError(f"{path} is damaged: {error!s:.300}") from None
        return estimator

    def _set_state(self, state, path):
        """Take what was stored, once it is seen to be of the right types."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from skml.neural._torch._device import preserve_rng_state
        from skml.neural._torch._pretrained import (
            check_vocabulary,
            config_to_json,
            longest_input,
            read_network,
        )

        caller = type(self).__name__
        kind, n_estimators = state["kind"], state["n_estimators"]
        if kind not in (None, *self._kinds_taken):
            raise ValueError(f"kind={kind!r:.60}.")
        for name in ("n_estimators", "n_pieces", "longest"):
            if type(state[name]) is not int or state[name] < 1:
                raise ValueError(f"{name}={state[name]!r:.60}.")
        if n_estimators >= MOST_MEMBERS:
            raise ValueError(f"n_estimators={n_estimators}.")
        if kind is not None:
            self._kind = kind
        self._n_pieces, self._longest = state["n_pieces"], state["longest"]
        self._special = {name: int(i) for name, i in state["special"].items()}
        files = {
            name: (path / name).read_text(encoding="utf-8")
            for name in TOKENIZER_FILES
            if (path / name).is_file()
        }
        try:
            self._tokenizer = PieceTokenizer(files)
        except Exception as error:  # the library raises no other type
            raise ValueError(f"tokenizer.json: {error}") from None
        with preserve_rng_state():
            network, new, left = read_network(path, path, self._head, caller)
        if new or left:
            raise ValueError(f"{[*new, *left][0]!r} is missing, or too much.")
        tokenizer = self._tokenizer.backend
        check_vocabulary(tokenizer, network.config.vocab_size)
        ids, longest = self._special.values(), longest_input(network, self._longest)
        if not all(0 <= i < tokenizer.get_vocab_size() for i in ids):
            raise ValueError(f"special={state['special']!r:.60}.")
        if not 8 <= self._n_pieces <= longest:
            raise ValueError(f"n_pieces={self._n_pieces}.")
        self._config = config_to_json(network.config)
        self.networks_ = [network.eval()]
        for number in range(1, n_estimators):
            try:
                weights = load_file(path / MEMBER.format(number))
                self.networks_.append(self._rebuild_network(weights))
            except (SafetensorError, OSError, RuntimeError) as error:
                raise ValueError(f"{MEMBER.format(number)}: {error}") from None
        for name in self._fitted_as_data:
            value = state["data"][name]
            if name in TYPES and not is_of_type(value, TYPES[name]):
                raise ValueError(f"{name}={value!r:.60}.")
            setattr(self, name, value)
        for name in self._fitted_as_arrays:
            setattr(self, name, array_from_json(state["arrays"][name]))
        n_outputs = network.config.num_labels
        if len(getattr(self, "classes_", range(n_outputs))) != n_outputs:
            raise ValueError(f"classes_ has {len(self.classes_)} classes.")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags


def parameter_to_json(value):
    """A parameter as data; JSON has no dict but of str."""
    return {"items": list(value.items())} if isinstance(value, dict) else value


def parameter_from_json(stored):
    return dict(stored["items"]) if isinstance(stored, dict) else stored


def is_of_type(value, expected):
    """Whether a value is of a type, or a list of such."""
    if isinstance(expected, list):
        return type(value) is list and all(type(v) is expected[0] for v in value)
    return type(value) is expected


def array_to_json(array):
    """An array as data: its dtype and its values."""
    array = np.asarray(array)
    if array.dtype.kind == "O" and not all(type(v) is str for v in array.ravel()):
        raise TypeError(
            f"{array.ravel()[0]!r:.80} is no data that a file can hold; keep the model "
            "with pickle."
        )
    return {"dtype": array.dtype.str, "values": array.tolist()}


def array_from_json(stored):
    """The array again; of numbers, bools and str alone."""
    dtype = np.dtype(stored["dtype"])
    if dtype.kind not in "biufUO":
        raise ValueError(f"dtype {dtype!s:.60}.")
    if dtype.kind == "O":
        if not is_of_type(stored["values"], [str]):
            raise ValueError("an object is no str.")
        found = np.empty(len(stored["values"]), dtype=object)
        found[:] = stored["values"]
        return found
    return np.array(stored["values"], dtype=dtype)
