"""Labels of points that do not overlap. Imports matplotlib."""

from matplotlib.artist import Artist
from matplotlib.transforms import Bbox

# Where a label may stand: its alignment, and the direction from the point.
SIDES = [
    *[("left", "center", 1, 0), ("right", "center", -1, 0)],
    *[("center", "bottom", 0, 1), ("center", "top", 0, -1)],
    *[("left", "bottom", 0.7, 0.7), ("right", "bottom", -0.7, 0.7)],
    *[("left", "top", 0.7, -0.7), ("right", "top", -0.7, -0.7)],
]
DISTANCE = 5  # points between a label and its point
RADIUS = 3  # points around a point that labels leave free


def label_points(ax, points, labels, **text_kw):
    """Label points, so that no label overlaps another, a point or the frame.

    Labels for which there is no place are not drawn. Places are found when the figure
    is drawn, as they depend on its size.
    """
    texts = [
        ax.annotate(label, point, xytext=(0, 0), textcoords="offset points", **text_kw)
        for label, point in zip(labels, points, strict=True)
    ]
    for text in texts:
        text.set_in_layout(False)
    ax.add_artist(LabelPlacement(texts))
    return texts


class LabelPlacement(Artist):
    """Draws nothing, but moves or hides labels before they are drawn."""

    zorder = 0

    def __init__(self, texts):
        super().__init__()
        self.texts = texts
        self.set_in_layout(False)

    def draw(self, renderer):
        radius = renderer.points_to_pixels(RADIUS)
        occupied = [square_at(position_of(text), radius) for text in self.texts]
        for i, text in enumerate(self.texts):
            # A point may touch its own label.
            others = occupied[:i] + occupied[i + 1 :]
            box = place(text, self.axes.bbox, others, renderer)
            text.set_visible(box is not None)
            if box is not None:
                occupied.append(box)


def position_of(text):
    """The pixel of the point that a text labels."""
    return text.axes.transData.transform(text.xy)


def square_at(position, radius):
    return Bbox([position - radius, position + radius])


def place(text, frame, occupied, renderer):
    """Put a text at the first free side of its point; its box, or None."""
    text.set_visible(True)
    for horizontal, vertical, right, up in SIDES:
        text.set(ha=horizontal, va=vertical)
        text.set_position((DISTANCE * right, DISTANCE * up))
        box = text.get_window_extent(renderer)
        inside = box.x0 >= frame.x0 and box.x1 <= frame.x1
        inside = inside and box.y0 >= frame.y0 and box.y1 <= frame.y1
        if inside and not box.count_overlaps(occupied):
            return box
    return None
