"""PQ Index over the (p, q) grid as an image."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from src.figures.spec import HeatPanel
from src.figures.style import Style

BAR_WIDTH, BAR_GAP = 0.10, 0.10


def draw_heat(panel: HeatPanel, ax: Axes, style: Style, bar: bool) -> None:
    """Rows p from 0.1 at the top, columns q from 1.0; `bar` puts the colour bar beside the panel."""
    image = ax.imshow(
        panel.values, cmap=style.colour_map, vmin=panel.limits[0], vmax=panel.limits[1], aspect="auto",
        interpolation="nearest",
    )  # fmt: skip
    ax.set_title(panel.title, fontsize=style.font)
    ax.set_xticks(range(0, len(panel.q), 2), [f"{q:.1f}" for q in panel.q[::2]])
    ax.set_yticks(range(0, len(panel.p), 3), [f"{p:.1f}" for p in panel.p[::3]])
    ax.tick_params(labelsize=style.small_font)
    ax.set_xlabel("q", fontsize=style.font)
    ax.set_ylabel("p", fontsize=style.font)
    if bar and isinstance(ax.figure, Figure):
        box, inches = ax.get_position(), ax.figure.get_size_inches()[0]
        beside = ax.figure.add_axes((box.x1 + BAR_GAP / inches, box.y0, BAR_WIDTH / inches, box.height))
        ax.figure.colorbar(image, cax=beside).ax.tick_params(labelsize=style.small_font)
