"""The figures' style, `src.figures.style`, as style sheet and SVG markers; lighter on a dark page."""

import colorsys
from collections.abc import Mapping
from typing import Any

from src.figures.style import Stroke, style_named
from src.report.data import css_name

DARKNESS_KEPT = 0.55
"""On a dark page a colour keeps this share of what it lacks to white, so that colours stay in order."""
SHADES = 64
_DASHES = {"-": "none", "--": "7 3", "-.": "7 2.5 1.5 2.5", ":": "1.5 2.5"}
_SHAPES = {
    "o": "M-2.4 0A2.4 2.4 0 1 1 2.4 0A2.4 2.4 0 1 1-2.4 0Z",
    "s": "M-2.1-2.1H2.1V2.1H-2.1Z",
    "D": "M0-2.8L2.8 0L0 2.8L-2.8 0Z",
    "^": "M0-2.8L2.7 2H-2.7Z",
    "v": "M0 2.8L2.7-2H-2.7Z",
    "P": "M-1-2.8H1V-1H2.8V1H1V2.8H-1V1H-2.8V-1H-1Z",
    "X": "M-2.4-2.4L0-.8L2.4-2.4L.8 0L2.4 2.4L0 .8L-2.4 2.4L-.8 0Z",
}


def strokes() -> Mapping[str, Stroke]:
    """Colour, line and marker of every slot, in the default style."""
    return style_named("default").strokes


def style_sheet() -> str:
    """Colours as variables for a light and a dark page, and a class for each slot."""
    light = "".join(f"--c-{css_name(slot)}: {stroke.colour};" for slot, stroke in strokes().items())
    dark = "".join(f"--c-{css_name(slot)}: {on_dark(stroke.colour)};" for slot, stroke in strokes().items())
    rules = "\n".join(_rules(css_name(slot), stroke) for slot, stroke in strokes().items())
    return f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n{rules}"


def markers() -> str:
    """An SVG marker for each slot."""
    return "".join(_marker(css_name(slot), stroke) for slot, stroke in strokes().items())


def on_dark(colour: str) -> str:
    """The colour, made light enough for a dark page.

    >>> on_dark("#222222"), on_dark("#ffffff")
    ('#858585', '#ffffff')
    """
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    rgb = colorsys.hls_to_rgb(hue, 1 - DARKNESS_KEPT * (1 - lightness), saturation)
    return "#" + "".join(f"{round(255 * part):02x}" for part in rgb)


def heat_colours() -> list[str]:
    """SHADES colours of the style's colour map, lowest first."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    colour_map = colormaps[style_named("default").colour_map]
    return [to_hex(colour_map(i / (SHADES - 1))) for i in range(SHADES)]


def _rules(name: str, stroke: Stroke) -> str:
    return (
        f".s-{name} {{ stroke: var(--c-{name}); }} .band.s-{name} {{ fill: var(--c-{name}); }} "
        f".line.s-{name} {{ stroke-dasharray: {_dash(stroke.line)}; marker: url(#m-{name}); }}"
    )


def _dash(line: Any) -> str:
    return _DASHES[line] if isinstance(line, str) else " ".join(f"{1.6 * part:g}" for part in line[1])


def _marker(name: str, stroke: Stroke) -> str:
    fill = "var(--paper)" if stroke.hollow else f"var(--c-{name})"
    edge = f' stroke="var(--c-{name})" stroke-width="1.1"' if stroke.hollow else ""
    return (
        f'<marker id="m-{name}" viewBox="-4 -4 8 8" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse">'
        f'<path d="{_SHAPES[stroke.marker]}" fill="{fill}"{edge}/></marker>'
    )
