"""A map of words: positions, groups, and labels that do not overlap."""

import warnings
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from numpy.testing import assert_allclose
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, Normalizer

from skml.plotting import WordVectorsDisplay
from skml.text import TfidfWeighter, Word2VecTransformer, WordVectors

RNG = np.random.default_rng(0)
WORDS = [f"word{i}" for i in range(50)]
VECTORS = WordVectors(RNG.normal(size=(50, 5)), WORDS)


def boxes(display):
    """Of the labels that are drawn, in pixels."""
    display.figure_.draw_without_rendering()
    return [t.get_window_extent() for t in display.text_ if t.get_visible()]


def assert_apart(display):
    drawn = boxes(display)
    assert not any(a.overlaps(b) for a, b in combinations(drawn, 2))
    points = display.ax_.transData.transform(display.positions)
    assert not any(box.contains(*point) for box in drawn for point in points)
    frame = display.ax_.get_window_extent()
    assert all(
        frame.contains(box.x0, box.y0) and frame.contains(box.x1, box.y1)
        for box in drawn
    )
    return len(drawn)


def test_projection_is_that_of_principal_components():
    display = WordVectorsDisplay.from_estimator(VECTORS, WORDS[:10])
    unit = VECTORS.vectors[:10] / np.linalg.norm(VECTORS.vectors[:10], axis=1)[:, None]
    centered = unit - unit.mean(axis=0)
    values, axes = np.linalg.eigh(centered.T @ centered)
    expected = centered @ axes[:, [-1, -2]]
    assert values[-1] > values[-2]
    assert_allclose(np.abs(display.positions), np.abs(expected), atol=1e-5)
    assert_allclose(display.points_[0].get_offsets(), display.positions)
    assert display.words == WORDS[:10]


def test_labels_do_not_overlap():
    display = WordVectorsDisplay.from_estimator(VECTORS, max_words=50)
    n_drawn = assert_apart(display)
    assert 10 < n_drawn < 50
    assert len(display.text_) == 50
    assert display.text_[0].get_visible()
    display.figure_.set_size_inches(12, 9)
    assert assert_apart(display) > n_drawn


def test_all_labels_are_drawn_where_there_is_room():
    display = WordVectorsDisplay(WORDS[:4], [[0, 0], [0, 1], [1, 0], [1, 1]]).plot()
    assert assert_apart(display) == 4


def test_of_many_words_in_one_place_the_first_are_labelled():
    words = ["longer than the frame is wide" * 5, *WORDS[:30]]
    display = WordVectorsDisplay(words, [[0, 0], *[[1, 1]] * 30]).plot()
    n_drawn = assert_apart(display)
    visible = [text.get_visible() for text in display.text_]
    assert 2 <= n_drawn <= 8
    assert visible == [False, *[True] * n_drawn, *[False] * (30 - n_drawn)]


def test_groups_have_a_color_and_a_marker_each():
    groups = {"a": WORDS[:3], "b": WORDS[3:8]}
    display = WordVectorsDisplay.from_estimator(VECTORS, groups)
    assert display.words == WORDS[:8]
    assert [len(points.get_offsets()) for points in display.points_] == [3, 5]
    colors = [tuple(points.get_facecolor()[0]) for points in display.points_]
    shapes = [len(points.get_paths()[0].vertices) for points in display.points_]
    assert len(set(colors)) == len(set(shapes)) == 2
    legend = display.ax_.get_legend().get_texts()
    assert [text.get_text() for text in legend] == ["a", "b"]


def test_of_fitted_estimators():
    model = Word2VecTransformer(vector_size=4, min_count=1, subsample=0, random_state=0)
    texts = ["red green blue", "green red"] * 5
    display = WordVectorsDisplay.from_estimator(model.fit(texts), max_words=2)
    assert display.words == model.word_vectors_.words[:2]
    pipeline = make_pipeline(FunctionTransformer(), model).fit(texts)
    assert len(WordVectorsDisplay.from_estimator(pipeline).words) == 3


def test_a_given_projection_and_style():
    class Projection:
        def fit_transform(self, X):
            return X[:, :2]

    fig, ax = plt.subplots()
    display = WordVectorsDisplay.from_estimator(
        VECTORS,
        ["word1", "word2"],
        projection=Projection(),
        ax=ax,
        scatter_kw={"color": "black"},
        text_kw={"size": 20},
    )
    assert display.ax_ is ax
    assert display.figure_ is fig
    unit = VECTORS["word1"] / np.linalg.norm(VECTORS["word1"])
    assert_allclose(display.positions[0], unit[:2], rtol=1e-6)
    assert display.text_[0].get_fontsize() == 20


def test_a_dollar_is_no_formula():
    display = WordVectorsDisplay(["$\\a$", "b"], [[0, 0], [1, 1]]).plot()
    assert len(boxes(display)) == 2


def test_zero_vectors_are_in_the_center():
    vectors = WordVectors([[0, 0], [0, 1], [0, 2]], ["a", "b", "c"])
    display = WordVectorsDisplay.from_estimator(vectors)
    assert np.isfinite(display.positions).all()


def test_what_cannot_be_drawn():
    with pytest.raises(AttributeError, match="TfidfWeighter has no `word_vectors_`"):
        WordVectorsDisplay.from_estimator(TfidfWeighter().fit(["a few words"]))
    pipeline = make_pipeline(TfidfWeighter(), Normalizer()).fit(["a few words"])
    with pytest.raises(AttributeError, match="pass the step that has word vectors"):
        WordVectorsDisplay.from_estimator(pipeline)
    with pytest.raises(NotFittedError, match="Word2VecTransformer"):
        WordVectorsDisplay.from_estimator(Word2VecTransformer())
    with pytest.raises(KeyError, match="'unheard-of'"):
        WordVectorsDisplay.from_estimator(VECTORS, ["word1", "unheard-of"])
    with pytest.raises(ValueError, match="at least two words; got 1"):
        WordVectorsDisplay.from_estimator(VECTORS, ["word1"])
    with pytest.raises(ValueError, match=r"shape \(1, 2\); expected \(2, 2\)"):
        WordVectorsDisplay(["a", "b"], [[0, 0]]).plot()
    with pytest.raises(ValueError, match="groups has 1 entries; expected 2"):
        WordVectorsDisplay(["a", "b"], [[0, 0], [1, 1]], groups=["x"]).plot()
    for words, name in [("word1", "words"), ({"a": "word1"}, r"words\['a'\]")]:
        with pytest.raises(TypeError, match=f"{name} is the str 'word1'; expected"):
            WordVectorsDisplay.from_estimator(VECTORS, words)
    with pytest.raises(ValueError, match="max_words=1; expected an integer of at le"):
        WordVectorsDisplay.from_estimator(VECTORS, max_words=1)
    with pytest.raises(ValueError, match="word vectors have 1 dimension; expected"):
        WordVectorsDisplay.from_estimator(WordVectors([[1], [2]], ["a", "b"]))


def test_equal_vectors_do_not_warn():
    vectors = WordVectors([[1, 2], [1, 2], [1, 2]], ["a", "b", "c"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display = WordVectorsDisplay.from_estimator(vectors)
        display.figure_.draw_without_rendering()
    assert_allclose(display.positions, 0, atol=1e-6)


def test_colors_by_value():
    display = WordVectorsDisplay(["a", "b"], [[0, 0], [1, 1]])
    display.plot(scatter_kw={"c": [1.0, 2.0]})
    assert_allclose(display.points_[0].get_array(), [1, 2])
