"""Attention weights as an image."""

from collections.abc import Sequence
from inspect import signature
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skml._typing import ArrayLike, Documents, MatrixLike
from skml.plotting._drawing import make_axes, name_ticks, require_matplotlib, style

MOST_LABELS = 40  # on an axis; of more, every second or third is shown


class AttentionDisplay:
    """Attention weights of queries (rows) for keys (columns).

    For a translator, the target tokens and the source tokens that they attend to; for
    BERT, the tokens of a text; for attention pooling, the samples that are predicted
    and the training samples.

    It is recommended to use :meth:`from_estimator` to create an `AttentionDisplay`. All
    parameters are stored as attributes.

    Read more in the :ref:`User Guide <visualizations>`.

    Parameters
    ----------
    weights : array-like of shape (n_queries, n_keys)
        The attention weights.
    query_labels : sequence of str, default=None
        Names of the rows. None leaves the axis with numbers.
    key_labels : sequence of str, default=None
        Names of the columns. None leaves the axis with numbers.
    query_name : str, default="Query"
        What the rows are.
    key_name : str, default="Key"
        What the columns are.

    Attributes
    ----------
    im_ : matplotlib AxesImage
        Image of the attention weights.
    ax_ : matplotlib Axes
        Axes with the image.
    figure_ : matplotlib Figure
        Figure that contains the image.

    See Also
    --------
    skml.attention.AttentionPoolingRegressor.attention_weights : Weights of training
        samples.
    skml.neural.Seq2SeqTranslator.attention_weights : Weights of source tokens.
    skml.neural.BertTransformer.attention_weights : Weights of each head of each layer.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from skml import AttentionPoolingRegressor
    >>> from skml.plotting import AttentionDisplay
    >>> X, y = load_diabetes(return_X_y=True)
    >>> model = AttentionPoolingRegressor(embedding="identity").fit(X, y)
    >>> display = AttentionDisplay.from_estimator(model, X[:4], top_k=2)
    >>> display.weights.shape
    (4, 7)
    >>> display.ax_.get_xlabel()
    'Training sample'
    """

    def __init__(
        self,
        weights: ArrayLike,
        *,
        query_labels: Sequence[str] | None = None,
        key_labels: Sequence[str] | None = None,
        query_name: str = "Query",
        key_name: str = "Key",
    ):
        self.weights = weights
        self.query_labels = query_labels
        self.key_labels = key_labels
        self.query_name = query_name
        self.key_name = key_name

    def plot(
        self,
        ax: Any = None,
        *,
        cmap: Any = "viridis",
        colorbar: bool = True,
        im_kw: dict | None = None,
    ):
        """Plot visualization.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        cmap : str or matplotlib Colormap, default="viridis"
            Colormap of the weights.
        colorbar : bool, default=True
            Whether a colorbar is added.
        im_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : :class:`~skml.plotting.AttentionDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        ValueError
            If the weights are no matrix, are empty, or there is another number of
            labels.
        ImportError
            If matplotlib is not installed.
        """
        weights = check_weights(self.weights, self.query_labels, self.key_labels)
        ax = make_axes(self, ax)
        from matplotlib.image import AxesImage

        defaults = {"cmap": cmap, "aspect": "auto"}
        if (im_kw or {}).get("norm") is None:  # which has limits of its own
            defaults["vmin"] = 0
        self.im_ = ax.imshow(weights, **style(defaults, im_kw, AxesImage))
        if self.key_labels is not None:
            longest = max((len(str(label)) for label in self.key_labels), default=0)
            turned = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
            name_tokens(ax.xaxis, self.key_labels, turned if longest > 2 else {})
        if self.query_labels is not None:
            name_tokens(ax.yaxis, self.query_labels, {})
        ax.set(xlabel=self.key_name, ylabel=self.query_name)
        if colorbar:
            self.figure_.colorbar(self.im_, ax=ax, label="Attention weight")
        return self

    @classmethod
    def from_estimator(
        cls,
        estimator: BaseEstimator,
        X: Documents | MatrixLike,
        y: Documents | None = None,
        *,
        layer: int | None = None,
        head: int | None = None,
        top_k: int | None = None,
        ax: Any = None,
        cmap: Any = "viridis",
        colorbar: bool = True,
        im_kw: dict | None = None,
    ):
        """Plot the attention weights of a fitted estimator.

        Parameters
        ----------
        estimator : estimator
            A fitted estimator with a method `attention_weights`: a translator such as
            :class:`~skml.neural.Seq2SeqTranslator`,
            :class:`~skml.neural.BertTransformer`, or an estimator of attention pooling
            such as :class:`~skml.attention.AttentionPoolingRegressor`.
        X : iterable of str or of list of str, or table of shape (n_samples, n_features)
            One source or one text, in a list; or the samples to predict.
        y : iterable of str or of list of str, default=None
            The target of a translator, in a list. None is the translation of `X`.
        layer : int, default=None
            The layer of BERT, from 0. None is the last.
        head : int, default=None
            The attention head of BERT, from 0. None is the mean over heads.
        top_k : int, default=None
            For attention pooling, show only the training samples that are among the
            `top_k` of a row of `X`, those with the largest weights first. None shows
            all, in the order of `fit`.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        cmap : str or matplotlib Colormap, default="viridis"
            Colormap of the weights.
        colorbar : bool, default=True
            Whether a colorbar is added.
        im_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.imshow`.

        Returns
        -------
        display : :class:`~skml.plotting.AttentionDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        AttributeError
            If the estimator has no method `attention_weights`.
        NotFittedError
            If it is not fitted.
        ValueError
            If `X` or `y` is not a single text, the model has no such layer or head, or
            a parameter does not fit the estimator.
        ImportError
            If matplotlib is not installed.
        """
        require_matplotlib(cls, "from_estimator")
        if not hasattr(estimator, "attention_weights"):
            raise AttributeError(
                f"{type(estimator).__name__} has no `attention_weights`; expected a "
                "translator such as Seq2SeqTranslator, BertTransformer, or an "
                "estimator of attention pooling. Of a Pipeline, pass the last step, "
                "and X as pipeline[:-1].transform(X)."
            )
        check_is_fitted(estimator)
        options = signature(estimator.attention_weights).parameters
        read = weights_of_tokens if "return_tokens" in options else weights_of_samples
        parts = read(estimator, X, y, layer=layer, head=head, top_k=top_k)
        return cls(**parts).plot(ax, cmap=cmap, colorbar=colorbar, im_kw=im_kw)


def weights_of_tokens(estimator, X, y, *, layer, head, top_k):
    """The parts of a Display of a translator or of BERT."""
    refuse(estimator, top_k=top_k)
    X = single_text("X", X)
    if "y" in signature(estimator.attention_weights).parameters:
        refuse(estimator, layer=layer, head=head)
        y = None if y is None else single_text("y", y)
        (weights,), (tokens,) = estimator.attention_weights(X, y, return_tokens=True)
        return {
            "weights": weights,
            "query_labels": tokens[1],
            "key_labels": tokens[0],
            "query_name": "Target token",
            "key_name": "Source token",
        }
    refuse(estimator, y=y)
    (weights,), (tokens,) = estimator.attention_weights(X, return_tokens=True)
    check_index("layer", layer, len(weights))
    weights = weights[-1 if layer is None else layer]
    check_index("head", head, len(weights))
    return {
        "weights": weights.mean(axis=0) if head is None else weights[head],
        "query_labels": tokens,
        "key_labels": tokens,
        "query_name": "Query token",
        "key_name": "Key token",
    }


def single_text(name, texts):
    """The only text of an iterable, as a collection; a table stays one."""
    if not isinstance(texts, str):
        texts = texts if hasattr(texts, "__len__") else list(texts)
        if len(texts) == 1:
            return texts
    raise ValueError(
        f"AttentionDisplay shows a single text; pass it as a list with one entry, such "
        f"as {name}[:1]."
    )


def check_index(name, value, n):
    """Refuse a layer or a head that the model does not have."""
    known = isinstance(value, Integral) and value in range(-n, n)
    if value is not None and not known:
        raise ValueError(
            f"{name}={value!r}; the model has {n} {name}s: expected an integer from 0 "
            f"to {n - 1}."
        )


def weights_of_samples(estimator, X, y, *, layer, head, top_k):
    """The parts of a Display of attention pooling."""
    refuse(estimator, y=y, layer=layer, head=head)
    weights, labels = estimator.attention_weights(X), None
    if top_k is not None:
        _, largest = estimator.attention_weights(X, top_k=top_k)
        columns = np.unique(largest)
        columns = columns[np.argsort(-weights[:, columns].sum(axis=0), kind="stable")]
        weights, labels = weights[:, columns], columns
    return {
        "weights": weights,
        "key_labels": labels,
        "query_name": "Sample",
        "key_name": "Training sample",
    }


def refuse(estimator, **parameters):
    """Refuse parameters that the estimator cannot honour."""
    for name, value in parameters.items():
        if value is not None:
            raise ValueError(f"{type(estimator).__name__} has no use for {name!r}.")


def check_weights(weights, query_labels, key_labels):
    """The weights as a matrix, for which there are enough labels."""
    weights = np.asarray(weights)
    if weights.ndim != 2:
        raise ValueError(f"weights has {weights.ndim} dimensions; expected 2.")
    if weights.size == 0:
        raise ValueError(
            f"weights has the shape {weights.shape}; expected at least one query and "
            "one key."
        )
    labels = {"query_labels": query_labels, "key_labels": key_labels}
    for (name, given), n in zip(labels.items(), weights.shape, strict=True):
        if given is not None and len(given) != n:
            raise ValueError(f"{name} has {len(given)} entries; expected {n}.")
    return weights


def name_tokens(axis, labels, text_kw):
    """Name the rows or columns, or every second, third, ... of many."""
    step = -(-len(labels) // MOST_LABELS)
    name_ticks(axis, labels, step, **text_kw)
