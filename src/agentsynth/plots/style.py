"""The look that all figures share, and how they are written."""

from __future__ import annotations

import importlib
import math
import textwrap
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec

import numpy as np
import numpy.typing as npt

from agentsynth.errors import InputError, MissingPackageError
from agentsynth.files import whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

P = ParamSpec("P")

# Okabe & Ito, "Color Universal Design" (2008): distinct under protan-, deuter- and tritanopia.
BLUE: Final = "#0072B2"
ORANGE: Final = "#E69F00"
GREEN: Final = "#009E73"
VERMILLION: Final = "#D55E00"
SKY: Final = "#56B4E9"
PURPLE: Final = "#CC79A7"
INK: Final = "#262626"
GREY: Final = "#6B6B6B"
PALE: Final = "#D9D9D9"

REAL: Final = BLUE
SYNTHETIC: Final = VERMILLION
REAL_FILL: Final = "#C7E0EE"
SYNTHETIC_FILL: Final = "#F7D9C6"

DPI: Final = 130

_LOOK: Final[dict[str, Any]] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#9A9A9A",
    "axes.grid": True,
    "axes.labelcolor": GREY,
    "axes.labelsize": 8,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlepad": 6,
    "figure.constrained_layout.hspace": 0.06,
    "figure.constrained_layout.wspace": 0.05,
    "figure.facecolor": "white",
    "font.size": 8.5,
    "grid.color": "#E6E6E6",
    "grid.linewidth": 0.7,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "lines.solid_capstyle": "round",
    "savefig.facecolor": "white",
    "svg.hashsalt": "agentsynth",
    "text.color": INK,
    # Names come from users' tables: "$" in them is a dollar, not the beginning of a formula.
    "text.parse_math": False,
    "xtick.color": "#9A9A9A",
    "xtick.labelcolor": GREY,
    "xtick.labelsize": 8,
    "ytick.color": "#9A9A9A",
    "ytick.labelcolor": GREY,
    "ytick.labelsize": 8,
}

# Drawn with where the machine has them, for names in scripts that matplotlib's own font lacks.
_FALLBACK_FONTS: Final = (
    "Noto Sans",
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Microsoft YaHei",
    "Yu Gothic",
    "PingFang SC",
    "Hiragino Sans",
    "Arial Unicode MS",
)

# Nothing that changes from run to run may stand in the file: same figure, same bytes.
_METADATA: Final[dict[str, dict[str, None]]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def matplotlib_module(name: str) -> Any:
    """Import a module of matplotlib.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "matplotlib":
            raise
        message = 'figures need matplotlib, which is not installed. Install it: pip install "agentsynth[pipeline]"'
        raise MissingPackageError(message) from error


@contextmanager
def look() -> Iterator[None]:
    """Draw in the shared look within the block; the caller's matplotlib settings neither matter nor change."""
    installed = set(matplotlib_module("matplotlib.font_manager").fontManager.get_font_names())
    fonts = ["DejaVu Sans", *(font for font in _FALLBACK_FONTS if font in installed)]
    with matplotlib_module("matplotlib.style").context(["default", {**_LOOK, "font.family": fonts}]):
        yield


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Make a function that returns a figure draw in the shared look."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with look():
            return draw(*args, **kwargs)

    return drawn


def new_figure(width: float, height: float, title: str, subtitle: str = "", footnote: str = "") -> Figure:
    """Return a figure with its title lines at the top left and a footnote at the bottom left, drawn by Agg.

    Args:
        width: inches.
        height: inches left for the panels; the lines of text come on top of it.
        title: the bold first line.
        subtitle: a quieter line below it.
        footnote: small print, broken into lines where it is long.
    """
    small = textwrap.fill(footnote, int(16 * width))
    top, bottom = (0.72 if subtitle else 0.5), 0.16 * len(small.splitlines()) + 0.1
    whole = height + top + bottom
    figure: Figure = matplotlib_module("matplotlib.figure").Figure(figsize=(width, whole))
    matplotlib_module("matplotlib.backends.backend_agg").FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained", rect=(0.006, bottom / whole, 0.988, height / whole))
    figure.text(0.15 / width, 1 - 0.12 / whole, title, va="top", fontsize=13, fontweight="bold")
    figure.text(0.15 / width, 1 - 0.41 / whole, subtitle, va="top", fontsize=9, color=GREY)
    figure.text(0.15 / width, 0.08 / whole, small, va="bottom", fontsize=7.5, color=GREY)
    return figure


def save_figure(figure: Figure, path: str | Path) -> Path:
    """Write a figure, whole or not at all; the same figure gives the same bytes.

    Args:
        figure: what one of the functions of `agentsynth.plots` returned.
        path: file to write; its ending (.png, .svg, .pdf) is the format. Folders are made.

    Returns:
        The path.

    Raises:
        InputError: the ending is none of these, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix.lower() not in _METADATA:
        raise InputError(f"cannot write {path}: figures end with {', '.join(_METADATA)}; found {path.suffix!r}.")
    with whole_file(path) as temporary, look(), warnings.catch_warnings():
        # A box in place of a letter that no installed font has is all there is to say about it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        figure.savefig(temporary, dpi=DPI, metadata=_METADATA[path.suffix.lower()])
    return path


def finished(figure: Figure, path: str | Path | None) -> Figure:
    """Write the figure where a path is given, and return it."""
    if path is not None:
        save_figure(figure, path)
    return figure


def quiet(axes: Axes, grid: str = "y") -> None:
    """Keep the grid lines of one direction ("x", "y", "both", "none") and no tick marks.

    The sizes are repeated here because matplotlib makes ticks when it draws, by then out of the shared look.
    """
    axes.tick_params(length=0, labelsize=8, labelcolor=GREY, grid_color="#E6E6E6", grid_linewidth=0.7)
    axes.grid(grid == "both")
    if grid in ("x", "y"):
        axes.grid(True, axis="x" if grid == "x" else "y")


def few_ticks(axis: Axis, most: int, *, whole: bool = False) -> None:
    """Let a linear axis have at most about so many ticks, at whole numbers only where asked."""
    locator = matplotlib_module("matplotlib.ticker").MaxNLocator
    axis.set_major_locator(locator(most, steps=[1, 2, 2.5, 5, 10], integer=whole, min_n_ticks=1 if whole else 2))


def factor_axis(axes: Axes, which: Literal["x", "y"], factors: npt.ArrayLike) -> None:
    """Make an axis one of factors: logarithmic, the neutral 1 in the middle, wide enough for 0.5 to 2 and `factors`."""
    sizes = np.abs(np.log2(np.asarray(factors, dtype=float)))
    reach = float(np.max(sizes, initial=1.0, where=np.isfinite(sizes))) + 0.3
    ticks = [0.1, 0.25, 0.5, 0.7, 1, 1.4, 2, 4, 10]
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}scale": "log"})
    axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
    axis.set_ticks([], minor=True)
    axes.set(**{f"{which}lim": (2.0**-reach, 2.0**reach)})


def shorten(text: object, width: int = 24) -> str:
    """Return `text` on one line of at most `width` characters, its middle left out where it is longer.

    >>> shorten("Strongly agree that the service was good", 20)
    'Strongly a…was good'
    """
    line = " ".join(str(text).split())
    if len(line) <= width:
        return line
    tail = (width - 1) // 2
    return f"{line[: width - 1 - tail].rstrip()}…{line[-tail:].lstrip()}"


def compact(value: float, _position: float | None = None) -> str:
    """Return a number as short as a tick label should be; usable as a matplotlib tick formatter.

    Below 10,000 a number is written out, as it may be a year.

    >>> [compact(x) for x in (0, 0.05, 12, 1985, 15_000, 2_000_000, -3.5e9, 4e-7)]
    ['0', '0.05', '12', '1985', '15k', '2M', '-3.5G', '4e-07']
    """
    if abs(value) < 10_000:
        return f"{value:.4g}"
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if size <= abs(value) < 1000 * size:
            return f"{value / size:.4g}{unit}"
    return f"{value:.4g}" if math.isfinite(value) else ""


def percent(share: float, _position: float | None = None) -> str:
    """Return a share as a percentage; usable as a matplotlib tick formatter.

    >>> [percent(x) for x in (0, 0.004, 0.025, 0.5)]
    ['0 %', '0.4 %', '2.5 %', '50 %']
    """
    value = 100 * share
    return f"{value:.0f} %" if value == 0 or abs(value) >= 10 or value == round(value) else f"{value:.2g} %"
