"""Fonts for labels whose characters the current font lacks, such as Chinese."""

from functools import lru_cache

from skml._fitting import warn_user

# Fonts with Chinese, Japanese and Korean characters, which are tried first.
FAMILIES = [
    *["Noto Sans CJK SC", "Noto Sans SC", "Noto Sans CJK JP", "Source Han Sans SC"],
    *["Source Han Sans CN", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei"],
    *["Microsoft YaHei", "SimHei", "PingFang SC", "Hiragino Sans GB", "Heiti TC"],
    *["Arial Unicode MS", "Droid Sans Fallback"],
]
WITHOUT_GLYPH = "□"


def with_glyphs(texts):
    """The texts as they can be drawn, and the font families to draw them with.

    The families are those of matplotlib's settings, followed by installed ones that
    have the characters which these lack. What no font has is replaced by a box, and
    warned of.
    """
    texts = [str(text) for text in texts]
    families = current_families()
    missing = {c for c in "".join(texts) if not c.isascii() and c.isprintable()}
    for path in map(path_of, families if missing else []):
        missing -= covered(path, frozenset(missing))
    for family, path in other_fonts() if missing else []:
        if found := covered(path, frozenset(missing)):
            missing -= found
            families.append(family)
        if not missing:
            break
    if missing:
        _warn_of(missing)
        boxes = str.maketrans(dict.fromkeys(missing, WITHOUT_GLYPH))
        texts = [text.translate(boxes) for text in texts]
    return texts, families


def current_families():
    """The font families of matplotlib's settings."""
    from matplotlib import rcParams

    return list(rcParams["font.family"])


def path_of(family):
    """The file of a family that may be generic, such as "sans-serif"."""
    from matplotlib.font_manager import FontProperties, findfont

    return findfont(FontProperties(family=[family]))


def other_fonts():
    """The families that matplotlib knows with their files, the likely ones first."""
    from matplotlib.font_manager import fontManager

    ranks = {family: rank for rank, family in enumerate(FAMILIES)}
    fonts = {
        font.name: font.fname
        for font in fontManager.ttflist
        if not font.name.startswith("Last Resort")  # it has boxes for all characters
    }
    return sorted(fonts.items(), key=lambda item: ranks.get(item[0], len(ranks)))


@lru_cache(maxsize=4096)
def covered(path, characters):
    """Those of the characters for which a font file has a glyph."""
    from matplotlib.ft2font import FT2Font

    try:
        font = FT2Font(path)
    except (OSError, RuntimeError):  # a file that is gone or broken has none
        return frozenset()
    return frozenset(c for c in characters if font.get_char_index(ord(c)))


def _warn_of(missing):
    from matplotlib import get_cachedir

    shown = "".join(sorted(missing)[:10]) + ("..." if len(missing) > 10 else "")
    warn_user(
        f"matplotlib knows no font with the characters {shown!r}, which are drawn as "
        f"boxes. Install one, such as Noto Sans CJK (the package fonts-noto-cjk of "
        f"Debian and Ubuntu), and delete {get_cachedir()}, where matplotlib keeps its "
        "list of fonts."
    )
