"""What all Displays share: axes, styles, and names that need other fonts."""

from numbers import Integral

from skml._optional import import_optional
from skml.plotting._fonts import with_glyphs

# Lines that differ without color, too.
STYLES = [
    {"linestyle": linestyle, "marker": marker}
    for linestyle, marker in zip(
        ["-", "--", "-.", ":", (0, (5, 1))], ["o", "s", "^", "D", "v"], strict=True
    )
]
MOST_MARKERS = 30  # points of a line, above which markers would run together


def require_matplotlib(cls, method):
    """Import matplotlib, or raise which extra installs it."""
    caller = f"{cls.__name__}.{method}"
    return import_optional("matplotlib.pyplot", extra="plot", caller=caller)


def make_axes(display, ax):
    """Let a Display have the axes, or those of a new figure."""
    pyplot = require_matplotlib(type(display), "plot")
    if ax is None:
        _, ax = pyplot.subplots(layout="constrained")
    display.ax_, display.figure_ = ax, ax.figure
    return ax


def check_count(name, value, minimum=1):
    """Refuse what is no integer of at least `minimum`; None is no limit."""
    if value is None or (isinstance(value, Integral) and value >= minimum):
        return
    raise ValueError(f"{name}={value!r}; expected an integer of at least {minimum}.")


def style(defaults, given, artist):
    """Keyword arguments of an artist: the defaults, and what the caller changes."""
    from matplotlib.cbook import normalize_kwargs

    return {**defaults, **normalize_kwargs(given, artist)}


def line_style(position, n_points):
    """Linestyle and marker of one of several lines."""
    chosen = dict(STYLES[position % len(STYLES)])
    return chosen if n_points <= MOST_MARKERS else {**chosen, "marker": ""}


def count_on_axis(axis):
    """Put ticks at integers only."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(
        MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True, min_n_ticks=1)
    )


def name_of_score(scoring):
    """The name of an axis, for the parameter `scoring` of an estimator."""
    if not isinstance(scoring, str):
        return "Score"
    if scoring.startswith("neg_"):
        scoring = scoring.replace("neg_", "negative ", 1)
    return scoring.replace("_", " ").capitalize()


def name_ticks(axis, labels, step=1, **text_kw):
    """Name the positions 0, 1, ... of an axis, or every `step`-th of them."""
    labels, family = with_glyphs(labels)
    positions = range(0, len(labels), step)
    # A dollar is a character, and no sign of a formula.
    text_kw = {"family": family, "parse_math": False, **text_kw}
    axis.set_ticks(positions, labels[::step], **text_kw)


def show_legend(ax, handles, labels, **options):
    """A legend, whose labels may need another font."""
    labels, family = with_glyphs(labels)
    legend = ax.legend(handles, labels, prop={"family": family}, **options)
    for text in legend.get_texts():
        text.set_parse_math(False)
    return legend
