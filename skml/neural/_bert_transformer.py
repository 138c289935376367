"""Vectors of texts, by a model of the BERT family as it is."""

from collections.abc import Iterator, Sequence
from numbers import Integral
from typing import Literal, Self

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)
from sklearn.utils.validation import check_is_fitted

from skml._compat.sklearn import StrOptions, _fit_context
from skml._fitting import warn_user
from skml._typing import Documents, FilePath, MatrixLike
from skml.neural._bert_base import (
    MODEL_CONSTRAINTS,
    WINDOW_CONSTRAINTS,
    BaseBert,
)
from skml.neural._bert_fitted import BertFitted, BertNetwork
from skml.neural._bert_text import cut_into_windows, mean_of_windows


class BertTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseBert):
    r"""One vector per text, from a model of the BERT family.

    The model is used as it is; `fit` loads it, and learns nothing from the texts.

    Parameters
    ----------
    model : str, path-like or fitted estimator, default=None
        The model: a folder as transformers writes it, the name of a model on a hub,
        which is downloaded, or a fitted :class:`BertPretrainer` or other estimator of
        the family, within a search in a :class:`~sklearn.frozen.FrozenEstimator`. None
        is refused by `fit`.
    pooling : {"mean", "cls", "max"}, default="mean"
        How the vectors of a text's tokens, special ones included, become one: their
        mean [1]_, that of the first, [CLS], or the maximum in each dimension.
    layers : int or list of int, default=-1
        Which layer is read: 0 are the embeddings, -1 is the last. Of several, the mean.
    normalize : bool, default=False
        Whether vectors are scaled to unit length.
    max_length : int, default=None
        The largest number of tokens, special ones included. None takes as many as the
        model can.
    long_text : {"truncate", "window"}, default="truncate"
        How a longer text is read: cut off, with a warning; or in overlapping windows,
        whose vectors are pooled: their maximum for ``pooling="max"``, else their mean,
        weighted by the number of tokens. Pairs are always cut off, the longer text
        first.
    window_overlap : int, default=None
        The number of tokens that two windows share; half of them at most. None is a
        quarter.
    device : str, default="auto"
        Where the network computes: "cpu", "cuda", ...; "auto" is a GPU if there is
        one.
    n_jobs : int, default=None
        The number of threads. None is one, unless in a `joblib.parallel_config`.

    Attributes
    ----------
    network_ : PreTrainedModel
        The network of transformers.

    See Also
    --------
    BertClassifier : Trains the network, too.
    EmbeddingTransformer : Vectors of words, pooled; far faster.

    References
    ----------
    .. [1] N. Reimers, I. Gurevych, "Sentence-BERT: Sentence Embeddings using Siamese
       BERT-Networks", EMNLP 2019.

    Examples
    --------
    A small model, pre-trained on the spot; mostly you will name the folder of one:

    >>> from skml import BertPretrainer, BertTransformer
    >>> texts = ["a fine day", "a dull day", "what a fine film", "a dull, dull film"]
    >>> small = BertPretrainer(
    ...     vocabulary_size=80, hidden_size=16, n_layers=1, n_heads=2, max_iter=1,
    ...     random_state=0,
    ... ).fit(texts)
    >>> BertTransformer(small).fit_transform(texts).shape
    (4, 16)
    """

    _fitted_class = BertFitted
    _parameter_constraints = {
        **MODEL_CONSTRAINTS,
        **WINDOW_CONSTRAINTS,
        "pooling": [StrOptions({"mean", "cls", "max"})],
        "layers": [Integral, list, tuple],
        "normalize": ["boolean"],
        "long_text": [StrOptions({"truncate", "window"})],
    }

    def __init__(
        self,
        model: FilePath | BaseEstimator | None = None,
        *,
        pooling: Literal["mean", "cls", "max"] = "mean",
        layers: int | Sequence[int] = -1,
        normalize: bool = False,
        max_length: int | None = None,
        long_text: Literal["truncate", "window"] = "truncate",
        window_overlap: int | None = None,
        device: str = "auto",
        n_jobs: int | None = None,
    ):
        self.model = model
        self.pooling = pooling
        self.layers = layers
        self.normalize = normalize
        self.max_length = max_length
        self.long_text = long_text
        self.window_overlap = window_overlap
        self.device = device
        self.n_jobs = n_jobs

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Documents | MatrixLike, y: None = None) -> Self:
        """Load the model, and see whether the texts can be read.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, lists of words, or pairs of texts: tuples, or the rows of an
            array or data frame with two columns.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If a document is missing, or the model cannot be read, takes fewer tokens
            than `max_length` or has no such layers.
        TypeError
            If X is no collection of documents.
        ImportError
            If PyTorch or transformers is not installed.
        """
        self._import_packages()
        _, kind = self._read_fit(X)
        from skml.neural._torch._device import find_device, preserve_rng_state
        from skml.neural._torch._pretrained import read_network
        from skml.neural._torch._sentence_transformers import read_settings
        from skml.neural._torch._sources import as_source

        name = type(self).__name__
        find_device(self.device, name)
        with as_source(self.model, name) as source, preserve_rng_state():
            tokenizer = self._read_tokenizer(source)
            network, *_ = read_network(source, self.model, BertFitted.head, name)
            settings = read_settings(source)
        reader = self._make_reader(*tokenizer, network, kind)
        self._overlap(reader)
        self._check_layers(network)
        self._warn_of_settings(settings, reader.max_length)
        network = BertNetwork.of(network.eval(), BertFitted.head)
        self._publish(BertFitted(reader=reader, networks=[network]))
        return self

    @property
    def network_(self):
        """The network of transformers."""
        return self._fitted.network

    def _warn_of_settings(self, settings, max_length):
        """Warn where sentence-transformers would make other vectors of this model."""
        own = {
            "pooling": self.pooling,
            "normalize": bool(self.normalize),
            "max_length": max_length,
        }
        missing = [
            f"{name}={value!r}"
            for name, value in settings.items()
            if value != own.get(name)
        ]
        if missing:
            warn_user(
                f"{type(self).__name__}: sentence-transformers would make other "
                f"vectors of {str(self.model)!r:.200}: the files for it are not "
                f"used here: they say {', '.join(missing)}. Pass that for the same "
                "vectors, as far as there is such a parameter."
            )

    def fit_transform(self, X: Documents | MatrixLike, y: None = None) -> np.ndarray:
        """Load the model, and turn texts into vectors.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, as for `fit`. A generator is consumed once.
        y : None
            Ignored.

        Returns
        -------
        vectors : ndarray of shape (n_samples, hidden_size), float32
            The vectors.
        """
        # Both `fit` and `transform` go over the texts.
        return super().fit_transform(list(X) if isinstance(X, Iterator) else X)

    def _check_layers(self, network):
        n_layers = network.config.num_hidden_layers
        for layer in self._read_layers():
            is_int = isinstance(layer, Integral) and not isinstance(layer, bool)
            if not is_int or not -n_layers - 1 <= layer <= n_layers:
                raise ValueError(
                    f"{type(self).__name__}: layers={self.layers!r:.60}; the model has "
                    f"{n_layers} layers, from 0, the embeddings, to {n_layers}."
                )

    def _read_layers(self):
        layers = self.layers
        if isinstance(layers, (list, tuple)) and not layers:
            raise ValueError(
                f"{type(self).__name__}: layers={layers!r}; name at least one."
            )
        return layers if isinstance(layers, (list, tuple)) else [layers]

    @property
    def _n_features_out(self):
        return self.network_.config.hidden_size

    def transform(self, X: Documents | MatrixLike) -> np.ndarray:
        """Turn texts into vectors.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`.

        Returns
        -------
        vectors : ndarray of shape (n_samples, hidden_size), float32
            The vectors.
        """
        check_is_fitted(self)
        documents = self._read(X)
        if not documents:
            return np.empty((0, self._n_features_out), dtype=np.float32)
        windows = self._cut(self._fitted.reader, documents)

        def compute(network, inputs):
            hidden = self._hidden(network, inputs)
            return pool(hidden, inputs["attention_mask"], self.pooling).cpu().numpy()

        vectors = self._collect(self.network_, windows, compute)
        if self.pooling == "max":
            found = np.full_like(vectors[: len(documents)], -np.inf)
            np.maximum.at(found, windows.documents, vectors)
        else:
            found = mean_of_windows(vectors, windows, len(documents), windows.lengths)
        if self.normalize:
            lengths = np.linalg.norm(found, axis=1, keepdims=True)
            found = found / np.maximum(lengths, np.finfo(np.float32).tiny)
        return found

    def _hidden(self, network, inputs):
        """The vectors of all tokens."""
        layers = self._read_layers()
        if list(layers) == [-1]:
            return network(**inputs).last_hidden_state
        found = network(**inputs, output_hidden_states=True).hidden_states
        return sum(found[layer] for layer in layers) / len(layers)

    def token_vectors(self, X: Documents | MatrixLike, *, return_tokens: bool = False):
        """Turn the tokens of texts into vectors; what is too long is cut off.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`.
        return_tokens : bool, default=False
            Whether the tokens are returned as well.

        Returns
        -------
        vectors : list of ndarray of shape (n_tokens, hidden_size), float32
            The vectors of the tokens of each text, special ones included.
        tokens : list of list of str
            The tokens of each text. Only if `return_tokens`.
        """
        return self._of_tokens(X, self._vectors_of_tokens, return_tokens)

    def _vectors_of_tokens(self, network, inputs):
        return self._hidden(network, inputs).cpu().numpy(), (0,)

    def attention_weights(
        self, X: Documents | MatrixLike, *, return_tokens: bool = False
    ):
        """Return how much each token attends to each, in each head of each layer.

        Parameters
        ----------
        X : iterable of str, of list of str or of tuple of two str; or table
            The texts, of the kind of `fit`; what is too long is cut off.
        return_tokens : bool, default=False
            Whether the tokens are returned as well.

        Returns
        -------
        weights : list of ndarray of shape (n_layers, n_heads, n_tokens, n_tokens)
            The attention weights of each text. Those of a token (the last axis but
            one) sum to one.
        tokens : list of list of str
            The tokens of each text. Only if `return_tokens`.
        """
        return self._of_tokens(X, _attention, return_tokens, prepare=_with_weights)

    def _of_tokens(self, X, compute, return_tokens, prepare=lambda network: network):
        """What `compute` returns of each text, cut to its tokens along some axes."""
        from skml.neural._torch._device import limit_torch_threads
        from skml.neural._torch._windows import run_windows

        check_is_fitted(self)
        documents = self._read(X)
        if not documents:
            return ([], []) if return_tokens else []
        reader = self._fitted.reader
        windows, _ = cut_into_windows(
            reader.tokenizer,
            documents,
            reader.kind,
            max_length=reader.max_length,
            overlap=None,
            details=("tokens",) if return_tokens else (),
        )
        found = [None] * len(documents)
        with limit_torch_threads(self.n_jobs):
            network = prepare(self._on_device(self.network_))
            found_of = run_windows(network, windows, reader.padding, compute)
            for rows, (values, axes) in found_of:
                for row, of_row in zip(rows, values, strict=True):
                    n = len(windows.ids[row])
                    for axis in axes:
                        of_row = of_row.take(range(n), axis=axis)
                    found[row] = of_row
        if return_tokens:
            return found, windows.details["tokens"]
        return found


def pool(hidden, mask, pooling):
    """One vector a window from those of its tokens; the mask is 0 for padding."""
    if pooling == "cls":
        return hidden[:, 0]
    mask = mask[:, :, None]
    if pooling == "max":
        return hidden.masked_fill(mask == 0, -float("inf")).amax(dim=1)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1)


def _with_weights(network):
    """A network that computes in the one way that returns weights of attention."""
    from skml.neural._torch._device import share_weights

    network = share_weights(network)  # the fitted one stays as it is
    network.set_attn_implementation("eager")
    return network


def _attention(network, inputs):
    """The weights of all layers."""
    import torch

    layers = network(**inputs, output_attentions=True).get("attentions") or [None]
    n = inputs["input_ids"].shape[1]
    shapes = {None if layer is None else tuple(layer.shape) for layer in layers}
    shape = shapes.pop()
    is_full = not shapes and shape is not None and shape[2:] == (n, n)
    if is_full:
        found = torch.stack(tuple(layers), dim=1)
        sums = found.sum(dim=-1)
        is_full = torch.allclose(sums, torch.ones_like(sums), atol=1e-3)
    if not is_full:
        raise ValueError(
            f"attention_weights: a {network.config.model_type!r} has no weights of all "
            "tokens for each token, in each head of each layer. Take another family, "
            "such as BERT or RoBERTa."
        )
    return found.cpu().numpy(), (-2, -1)
