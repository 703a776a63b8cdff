from __future__ import annotations

import io

import pytest

from agentsynth.progress import bar, silent


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with silent("rows", 3) as advance:
        advance()
        advance(2)
    assert capsys.readouterr() == ("", "")


def test_a_bar_shows_nothing_where_no_one_looks(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("rows", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_a_bar_counts_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    with bar("rows", 3) as advance:
        advance(3)
        assert "rows" in terminal.getvalue()
        assert "0/3" in terminal.getvalue()
    assert terminal.getvalue().endswith("\r")
