from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from agentsynth.errors import InputError
from agentsynth.plots import save_figure, style


@style.styled
def small_figure(title: str = "Title") -> Figure:
    figure = style.new_figure(4, 2, title, "subtitle", "footnote")
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1])
    style.quiet(axes)
    return figure


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_does_not_import_matplotlib_and_drawing_says_what_is_missing() -> None:
    said = run(
        "import sys; sys.modules['matplotlib'] = None\n"
        "import agentsynth, agentsynth.plots as plots\n"
        "from types import SimpleNamespace\n"
        "import numpy as np\n"
        "tables = np.zeros((1, 2, 1, 1))\n"
        "policy = SimpleNamespace(tables=tables, visits=tables, levels=[1], gap_edges=[0], table_names=['x'])\n"
        "try: plots.learned_response(policy)\n"
        "except ImportError as error: print(type(error).__name__, error)\n"
    )
    assert said.startswith("MissingPackageError")
    assert 'pip install "agentsynth[pipeline]"' in said


def test_pyplot_is_never_imported() -> None:
    said = run(
        "import sys, tempfile\n"
        "from agentsynth.plots import style, save_figure\n"
        "with style.look(): figure = style.new_figure(3, 2, 'x')\n"
        "save_figure(figure, tempfile.mkdtemp() + '/x.png')\n"
        "print('matplotlib' in sys.modules, 'matplotlib.pyplot' in sys.modules)\n"
    )
    assert said.split() == ["True", "False"]


def test_a_package_that_matplotlib_itself_lacks_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'pyparsing'", name="pyparsing")

    monkeypatch.setattr("importlib.import_module", fail)
    with pytest.raises(ModuleNotFoundError, match="pyparsing"):
        style.matplotlib_module("matplotlib.figure")


def test_the_callers_settings_do_not_change() -> None:
    with mpl.rc_context({"font.size": 33.0, "axes.grid": False}):
        before = dict(mpl.rcParams)
        small_figure()
        assert dict(mpl.rcParams) == before


def test_the_callers_settings_do_not_show(tmp_path: Path) -> None:
    save_figure(small_figure(), tmp_path / "plain.png")
    with mpl.rc_context({"font.size": 33.0, "figure.facecolor": "black", "savefig.dpi": 20, "lines.linewidth": 9}):
        save_figure(small_figure(), tmp_path / "odd.png")
    assert (tmp_path / "plain.png").read_bytes() == (tmp_path / "odd.png").read_bytes()


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_the_same_figure_gives_the_same_bytes(tmp_path: Path, ending: str) -> None:
    paths = [save_figure(small_figure(), tmp_path / f"{name}.{ending}") for name in "ab"]
    contents = [path.read_bytes() for path in paths]
    assert contents[0] == contents[1]
    assert mpl.__version__.encode() not in contents[0]


def test_png_has_the_agreed_resolution(tmp_path: Path) -> None:
    content = save_figure(small_figure(), tmp_path / "x.png").read_bytes()
    width = int.from_bytes(content[16:20], "big")
    assert content.startswith(b"\x89PNG")
    assert width == 4 * style.DPI


def test_folders_are_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "figure.png"
    assert save_figure(small_figure(), path) == path
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "figure.png"
    path.write_text("old")
    figure = small_figure()

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(figure, "savefig", fail)
    with pytest.raises(OSError, match="disk full"):
        save_figure(figure, path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"end with \.png, \.svg, \.pdf; found '\.xlsx'"):
        save_figure(small_figure(), tmp_path / "x.xlsx")


def test_dollars_and_unknown_letters_are_drawn_as_text(tmp_path: Path) -> None:
    save_figure(small_figure("price $ per $x_{$ \U00020000"), tmp_path / "x.png")


def test_real_and_synthetic_differ_in_lightness_too() -> None:
    def luminance(colour: str) -> float:
        red, green, blue = to_rgb(colour)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    assert abs(luminance(style.REAL) - luminance(style.SYNTHETIC)) > 0.05


@pytest.mark.parametrize("width", [3, 8, 20, 21])
def test_shortened_text_fits(width: int) -> None:
    text = "abcdefghijklmnopqrstuvwxyz"
    short = style.shorten(text, width)
    assert len(short) <= width
    assert short[0] == "a"
    assert "…" in short


def test_short_text_stays_and_becomes_one_line() -> None:
    assert style.shorten("two\n lines") == "two lines"
    assert style.shorten("x" * 24) == "x" * 24


def test_factor_axis_is_symmetric_about_one_and_holds_every_factor() -> None:
    with style.look():
        axes = style.new_figure(4, 2, "x").add_subplot()
        style.factor_axis(axes, "x", [0.2, float("nan"), 1.3])
    low, high = axes.get_xlim()
    assert low < 0.2
    assert low * high == pytest.approx(1)
    assert axes.get_xscale() == "log"
