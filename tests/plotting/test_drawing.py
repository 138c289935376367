"""What all Displays share: optional matplotlib, pyplot's state, fonts."""

import warnings

import matplotlib.pyplot as plt
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager

import skml.plotting
from skml import _optional
from skml.plotting import AttentionDisplay, WordVectorsDisplay
from skml.plotting._fonts import covered

DISPLAYS = [getattr(skml.plotting, name) for name in skml.plotting.__all__]


@pytest.fixture
def known_fonts(monkeypatch):
    """matplotlib with its own fonts alone; those added are forgotten."""
    manager = font_manager.fontManager
    own = [font for font in manager.ttflist if "mpl-data" in font.fname]
    monkeypatch.setattr(manager, "ttflist", own)


def add_font(path, family, characters):
    """Let matplotlib know a font with some characters, which are all squares."""
    pen = TTGlyphPen(None)
    pen.moveTo((0, 0))
    for corner in [(0, 500), (500, 500), (500, 0)]:
        pen.lineTo(corner)
    pen.closePath()
    names = [".notdef", *(f"uni{ord(c):04X}" for c in characters)]
    font = FontBuilder(1000, isTTF=True)
    font.setupGlyphOrder(names)
    font.setupCharacterMap({ord(c): f"uni{ord(c):04X}" for c in characters})
    font.setupGlyf(dict.fromkeys(names, pen.glyph()))
    font.setupHorizontalMetrics(dict.fromkeys(names, (600, 0)))
    font.setupHorizontalHeader(ascent=800, descent=-200)
    font.setupNameTable({"familyName": family, "styleName": "Regular"})
    font.setupOS2()
    font.setupPost()
    font.save(path)
    font_manager.fontManager.addfont(str(path))


@pytest.mark.parametrize("cls", DISPLAYS)
def test_missing_matplotlib_is_named_with_its_extra(cls, monkeypatch):
    def import_module(name):
        raise ModuleNotFoundError(name="matplotlib")

    monkeypatch.setattr(_optional, "import_module", import_module)
    arguments = [None, None] if cls is AttentionDisplay else [None]
    message = rf'{cls.__name__}.from_estimator needs.*pip install "skml\[plot\]"'
    with pytest.raises(ImportError, match=message):
        cls.from_estimator(*arguments)


def test_axes_that_are_given_leave_no_other_figure():
    fig, axes = plt.subplots(1, 2)
    AttentionDisplay([[1.0]]).plot(axes[0])
    WordVectorsDisplay(["a", "b"], [[0, 0], [1, 1]]).plot(axes[1])
    assert plt.get_fignums() == [fig.number]
    AttentionDisplay([[1.0]]).plot()
    assert len(plt.get_fignums()) == 2


def test_a_font_with_the_characters_is_found(known_fonts, tmp_path):
    add_font(tmp_path / "half.ttf", "Half a Font", "猫")
    add_font(tmp_path / "font.ttf", "SimHei", "坐垫")
    display = WordVectorsDisplay(["猫", "坐垫", "cat"], [[0, 0], [1, 1], [2, 0]])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display.plot().figure_.canvas.draw()
    families = display.text_[0].get_fontfamily()
    assert families == [*plt.rcParams["font.family"], "SimHei", "Half a Font"]
    assert [text.get_text() for text in display.text_] == display.words


def test_without_a_font_there_is_one_warning(known_fonts):
    tokens = ["猫", "坐", "cat"]
    display = AttentionDisplay([[1, 2, 3]], key_labels=tokens)
    with pytest.warns(UserWarning, match="characters '坐猫'.*fonts-noto-cjk") as caught:
        display.plot().figure_.canvas.draw()
    assert len(caught) == 1
    assert caught[0].filename == __file__
    shown = [label.get_text() for label in display.ax_.get_xticklabels()]
    assert shown == ["□", "□", "cat"]
    assert display.key_labels == tokens


def test_the_font_of_the_settings_comes_first(known_fonts, tmp_path):
    add_font(tmp_path / "own.ttf", "My Font", "猫")
    with plt.rc_context({"font.family": ["My Font"]}):
        display = WordVectorsDisplay(["猫", "猫"], [[0, 0], [1, 1]]).plot()
    assert display.text_[0].get_fontfamily() == ["My Font"]


def test_a_font_that_is_gone_has_no_characters(tmp_path):
    assert covered(str(tmp_path / "gone.ttf"), frozenset("猫")) == frozenset()
