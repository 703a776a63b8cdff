"""The command line: simulate, fit, generate, evaluate, report, tune. Commands import what they need when they run."""

from __future__ import annotations

from typing import Annotated

import typer

from agentsynth.cli.judging import evaluate, report
from agentsynth.cli.making import fit, generate, simulate
from agentsynth.cli.tuning import tune

__all__ = ["app", "main"]

app = typer.Typer(
    name="agentsynth",
    help="Learn from a small table, and compose synthetic tables that mimic it or are steered to a scenario.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

for command in (simulate, fit, generate, evaluate, report, tune):
    app.command()(command)


def main() -> None:
    """Run the command line; exit code 2 where the input cannot be used, 1 where the fault is ours."""
    from agentsynth.stages.running import run

    run(app)


@app.callback(invoke_without_command=True)
def _app(
    version: Annotated[bool, typer.Option("--version", help="Show the version and stop.", is_eager=True)] = False,
) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"agentsynth {installed('agentsynth')}")
        raise typer.Exit
