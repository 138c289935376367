"""A map of words by the similarity of their vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted

from skml._estimator import unwrap
from skml._typing import ArrayLike
from skml.plotting._drawing import (
    STYLES,
    check_count,
    make_axes,
    require_matplotlib,
    show_legend,
    style,
)
from skml.plotting._fonts import with_glyphs
from skml.text import WordVectors


class WordVectorsDisplay:
    """Map of words, where words with similar vectors are close to each other.

    Labels do not overlap: a word for which there is no place has a point without a
    label. The first words are labelled first.

    It is recommended to use :meth:`from_estimator` to create a `WordVectorsDisplay`.
    All parameters are stored as attributes.

    Read more in the :ref:`User Guide <visualizations>`.

    Parameters
    ----------
    words : sequence of str of length n_words
        The words.
    positions : array-like of shape (n_words, 2)
        The positions of the words on the map.
    groups : sequence of str of length n_words, default=None
        The name of the group of each word. Each group has its own color and marker.

    Attributes
    ----------
    points_ : list of matplotlib PathCollection
        The points of each group.
    text_ : list of matplotlib Text
        The label of each word. Those for which there is no place are invisible once the
        figure is drawn.
    ax_ : matplotlib Axes
        Axes with the map.
    figure_ : matplotlib Figure
        Figure that contains the map.

    See Also
    --------
    skml.text.WordVectors.most_similar : The words that are most similar to some.

    Examples
    --------
    >>> from skml.plotting import WordVectorsDisplay
    >>> from skml.text import WordVectors
    >>> vectors = WordVectors(
    ...     [[2, 0, 1], [2, 1, 1], [0, 3, 1]], ["king", "queen", "cat"]
    ... )
    >>> display = WordVectorsDisplay.from_estimator(vectors)
    >>> display.positions.shape
    (3, 2)
    >>> [label.get_text() for label in display.text_]
    ['king', 'queen', 'cat']
    """

    def __init__(
        self,
        words: Sequence[str],
        positions: ArrayLike,
        *,
        groups: Sequence[str] | None = None,
    ):
        self.words = words
        self.positions = positions
        self.groups = groups

    def plot(
        self,
        ax: Any = None,
        *,
        scatter_kw: dict | None = None,
        text_kw: dict | None = None,
    ):
        """Plot visualization.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        scatter_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`.
        text_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.annotate` for the labels.

        Returns
        -------
        display : :class:`~skml.plotting.WordVectorsDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        ValueError
            If the numbers of words, positions and groups differ.
        ImportError
            If matplotlib is not installed.
        """
        positions = self._check()
        ax = make_axes(self, ax)
        from matplotlib.text import Text

        from skml.plotting._label_placement import label_points

        self._plot_points(ax, positions, scatter_kw)
        labels, family = with_glyphs(self.words)
        defaults = {"family": family, "fontsize": "small", "parse_math": False}
        options = style(defaults, text_kw, Text)
        self.text_ = label_points(ax, positions, labels, **options)
        # Only distances have a meaning, and they the same in both directions.
        ax.set(xticks=[], yticks=[])
        ax.set_aspect("equal", adjustable="datalim")
        ax.margins(0.1)
        return self

    def _check(self):
        """The positions as an array, one for each word."""
        positions = np.asarray(self.positions, dtype=float)
        n_words = len(self.words)
        if positions.shape != (n_words, 2):
            raise ValueError(
                f"positions has the shape {positions.shape}; expected ({n_words}, 2)."
            )
        if self.groups is not None and len(self.groups) != n_words:
            raise ValueError(
                f"groups has {len(self.groups)} entries; expected {n_words}."
            )
        return positions

    def _plot_points(self, ax, positions, scatter_kw):
        from matplotlib.collections import PathCollection

        names = [None] * len(self.words) if self.groups is None else list(self.groups)
        distinct = list(dict.fromkeys(names))
        self.points_ = []
        for i, name in enumerate(distinct):
            rows = [row for row, other in enumerate(names) if other == name]
            defaults = {"s": 16, "color": f"C{i}", "zorder": 2}
            defaults["marker"] = STYLES[i % len(STYLES)]["marker"]
            if "c" in (scatter_kw or {}):  # another name of the color
                del defaults["color"]
            options = style(defaults, scatter_kw, PathCollection)
            self.points_.append(ax.scatter(*positions[rows].T, **options))
        if self.groups is not None:
            show_legend(ax, self.points_, distinct)

    @classmethod
    def from_estimator(
        cls,
        estimator: WordVectors | BaseEstimator,
        words: Sequence[str] | dict[str, Sequence[str]] | None = None,
        *,
        max_words: int = 50,
        projection: BaseEstimator | None = None,
        ax: Any = None,
        scatter_kw: dict | None = None,
        text_kw: dict | None = None,
    ):
        """Plot word vectors, or those of a fitted estimator.

        Vectors are scaled to unit length and projected to two dimensions. Close words
        on the map can be far apart in the space of the vectors, as most dimensions are
        lost; :meth:`~skml.text.WordVectors.most_similar` compares in all.

        Parameters
        ----------
        estimator : WordVectors, or estimator
            Word vectors; or a fitted estimator with `word_vectors_`, such as
            :class:`~skml.text.Word2VecTransformer` or
            :class:`~skml.text.FastTextClassifier`, or a pipeline that ends in one.
        words : sequence of str, or dict of str to sequence of str, default=None
            The words; or the words of groups by name, which have a color and a marker
            each. None is the first `max_words` words: in vectors that were learned
            here, the most frequent ones.
        max_words : int, default=50
            The number of words if `words` is None, at least 2.
        projection : transformer, default=None
            Has a method `fit_transform` that returns two columns, such as
            :class:`~sklearn.manifold.TSNE`. None is
            :class:`~sklearn.decomposition.PCA`.
        ax : matplotlib Axes, default=None
            Axes to plot on. If None, a new figure and axes are created.
        scatter_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.scatter`.
        text_kw : dict, default=None
            Keyword arguments of `matplotlib.axes.Axes.annotate` for the labels.

        Returns
        -------
        display : :class:`~skml.plotting.WordVectorsDisplay`
            The display, with the attributes of the plot.

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        AttributeError
            If it has no `word_vectors_`.
        KeyError
            If a word has no vector.
        TypeError
            If `words`, or those of a group, are a single str.
        ValueError
            If there are fewer than two words, or the vectors have one dimension and
            `projection` is None.
        ImportError
            If matplotlib is not installed.
        """
        require_matplotlib(cls, "from_estimator")
        check_count("max_words", max_words, minimum=2)
        vectors = find_word_vectors(estimator)
        words = vectors.words[:max_words] if words is None else words
        words, groups = flatten(words)
        if len(words) < 2:
            raise ValueError(f"Expected at least two words; got {len(words)}.")
        positions = project(scale_to_unit(vectors[words]), projection)
        display = cls(words, positions, groups=groups)
        return display.plot(ax, scatter_kw=scatter_kw, text_kw=text_kw)


def find_word_vectors(estimator):
    """Word vectors, or those of a fitted estimator."""
    if isinstance(estimator, WordVectors):
        return estimator
    name = type(estimator).__name__
    estimator = unwrap(estimator, lambda inner: hasattr(inner, "word_vectors_"))
    check_is_fitted(estimator)
    if not hasattr(estimator, "word_vectors_"):
        raise AttributeError(
            f"{name} has no `word_vectors_`; expected WordVectors, or a fitted "
            "estimator such as Word2VecTransformer. Of a Pipeline, pass the step that "
            "has word vectors."
        )
    return estimator.word_vectors_


def flatten(words):
    """The words in one list, and the group of each, or None."""
    groups = words if isinstance(words, dict) else {None: words}
    for group, several in groups.items():
        if isinstance(several, str):
            name = "words" if group is None else f"words[{group!r}]"
            raise TypeError(f"{name} is the str {several!r}; expected a list of str.")
    if groups is not words:
        return list(words), None
    pairs = [(word, group) for group, several in words.items() for word in several]
    return [word for word, _ in pairs], [group for _, group in pairs]


def project(vectors, projection):
    """The positions of vectors on the map."""
    if projection is not None:
        return projection.fit_transform(vectors)
    if vectors.shape[1] < 2:
        raise ValueError(
            "The word vectors have 1 dimension; expected at least 2, or pass a "
            "projection that returns two columns."
        )
    with np.errstate(invalid="ignore"):  # equal vectors have no variance to explain
        return PCA(n_components=2, svd_solver="full").fit_transform(vectors)


def scale_to_unit(vectors):
    """Vectors of unit length; zero vectors stay as they are."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths == 0, 1, lengths)
