"""Figures inside a page: single panels of `agentsynth.plots` as SVG elements whose colours and fonts are the page's."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as Xml

from agentsynth.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 3.7
"""Inches of a panel; at a phone's width its text then has about the size that it was drawn for."""
_PIXELS: Final = 1.6  # most CSS pixels per point, so that a panel on a wide card is not blown up

# Colours of the figures that have another value in the dark.
_COLOURS: Final = {
    style.INK: "ink",
    style.GREY: "muted",
    style.PALE: "pale",
    "#9A9A9A": "axis",
    "#E6E6E6": "grid",
    "#FFFFFF": "paper",
    style.REAL: "real",
    style.REAL_FILL: "real-fill",
    style.SYNTHETIC: "synthetic",
    style.SYNTHETIC_FILL: "synthetic-fill",
    style.GREEN: "green",
    "#5C3A00": "brown",
}
_VARIABLES: Final = {colour.lower(): f"var(--{name})" for colour, name in _COLOURS.items()}
_SVG: Final = "{http://www.w3.org/2000/svg}"
_LINK: Final = "{http://www.w3.org/1999/xlink}href"
_FAMILY: Final = re.compile(r"font-family: [^;]*;? ?")
_SHORTHAND: Final = re.compile(r"font: (?:(?P<weight>bold|\d+) )?(?P<size>[\d.]+)px [^;]*")
_UPRIGHT: Final = re.compile(r"rotate\(-?0 [^)]*\)")
_PLACES: Final = {"d", "x", "y", "width", "height", "transform"}
_NUMBER: Final = re.compile(r"-?\d+\.\d{3,}")


def panel_svg(
    draw: Callable[[Axes], None],
    name: str,
    label: str,
    *,
    height: float = 2.0,
    width: float = WIDTH,
    colours: dict[str, str] | None = None,
) -> str:
    """Draw one panel and return it as an SVG element: no request, no script, no id that another panel has.

    Args:
        draw: draws into empty axes.
        name: tells the figure from the others of the page.
        label: what is to be seen, for those who cannot see it.
        height: inches.
        width: inches.
        colours: further colours (`#rrggbb`) that are the page's, with the names of their variables.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    with style.look():
        figure: Figure = style.matplotlib_module("matplotlib.figure").Figure(figsize=(width, height))
        figure.set_layout_engine("constrained", w_pad=0.03, h_pad=0.03)
        axes = figure.add_subplot()
        draw(axes)
        axes.set_title("")  # the page's own headings name what is drawn
        return svg(figure, name, label, colours or {})


def svg(figure: Figure, name: str, label: str, colours: dict[str, str]) -> str:
    """Return a figure as an SVG element; the same figure and name give the same text. See `panel_svg`."""
    figure.patch.set_visible(False)
    for axes in figure.axes:
        axes.patch.set_visible(False)
    buffer = io.BytesIO()
    # Text stays text; ids are hashed with the figure's name, as all figures of a page share one space of ids.
    settings = {"svg.fonttype": "none", "svg.hashsalt": name}
    with style.matplotlib_module("matplotlib").rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    root = Xml.fromstring(buffer.getvalue())  # noqa: S314  # written by matplotlib a line above
    variables = _VARIABLES | {colour.lower(): f"var(--{variable}, {colour})" for colour, variable in colours.items()}
    _tidy(root, variables)
    points = float(root.attrib["viewBox"].split()[2])
    root.attrib |= {"class": "figure", "role": "img", "aria-label": label}
    root.attrib["style"] = f"max-width:{points * _PIXELS:.0f}px"
    for size in ("width", "height", "version"):
        root.attrib.pop(size, None)
    return _text(root)


def _tidy(root: Xml.Element, variables: dict[str, str]) -> None:
    """Take out what a page does not need, and hand over colours and fonts to it."""
    for parent in root.iter():
        for child in list(parent):
            if child.tag in (f"{_SVG}metadata", f"{_SVG}style"):
                parent.remove(child)
    linked = {element.attrib[_LINK].removeprefix("#") for element in root.iter() if _LINK in element.attrib}
    for element in root.iter():
        if element.tag != f"{_SVG}clipPath" and element.attrib.get("id") not in linked:
            element.attrib.pop("id", None)
        if element.tag != f"{_SVG}text":
            element.text = None
        element.tail = None
        _tidy_attributes(element.attrib, variables)


def _tidy_attributes(attributes: dict[str, str], variables: dict[str, str]) -> None:
    if _LINK in attributes:
        attributes["href"] = attributes.pop(_LINK)
    if _UPRIGHT.fullmatch(attributes.get("transform", "")):
        del attributes["transform"]
    for place in _PLACES & set(attributes):
        attributes[place] = _NUMBER.sub(_rounded, " ".join(attributes[place].split()))
    if "style" in attributes:
        attributes["style"] = _styled(attributes["style"], variables)


def _rounded(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def _styled(text: str, variables: dict[str, str]) -> str:
    """Return a style with the page's variables for colours, and without a font: the page has its own.

    >>> _styled("font: bold 8px 'DejaVu Sans', sans-serif; fill: #262626", _VARIABLES)
    'font-weight:bold;font-size:8px;fill:var(--ink)'
    """
    font = _SHORTHAND.search(text)
    if font:
        weight = f"font-weight: {font['weight']}; " if font["weight"] else ""
        text = f"{text[: font.start()]}{weight}font-size: {font['size']}px{text[font.end() :]}"
    text = re.sub(r"#[0-9a-f]{6}\b", lambda colour: variables.get(colour[0], colour[0]), _FAMILY.sub("", text))
    return re.sub(r"([:;]) ", r"\1", text)


def _text(root: Xml.Element) -> str:
    """Return an element as HTML wants it: tags without the prefix of their namespace."""
    for element in root.iter():
        element.tag = element.tag.removeprefix(_SVG)
    return Xml.tostring(root, encoding="unicode")
