"""The command line: which sub-commands there are, and what every exit code means.

0 passed · 1 a check did not pass · 3 could not run (usage, configuration, machine) · 75 busy, try
later · 70 our bug · 128 + n interrupted by signal n. Never 2: an agent would take that for "do not
stop".
"""

from __future__ import annotations

import os
import traceback
from importlib import import_module
from keyword import iskeyword
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

from stophooks import __version__
from stophooks.cli import console
from stophooks.errors import StophooksError

if TYPE_CHECKING:
    from collections.abc import Sequence

COULD_NOT_RUN = 3
# sysexits.h, EX_SOFTWARE.
OUR_BUG = 70
# What typer, like click before it, exits with where the command line makes no sense.
_TYPER_USAGE = 2

# Name to summary; the function lives in the module of the same name, imported only to be called.
# One with sub-commands of its own has them in its module's `app`. What Python keeps for itself has
# an underscore behind it there.
COMMANDS = {
    "init": "Write a stophooks.yaml that fits this project.",
    "validate": "Check configuration files and show every problem at once.",
    "run": "Run the commands of an event by hand or in CI.",
    "fire": "Tell that something happens, and run what is to be run then.",
    "services": "Start, stop and watch the services of Compose or supervisord, with their hooks.",
    "history": "Show what was run, when, for what, and how it went.",
    "workspace": "Make and close worktrees of several repositories side by side.",
    "status": "Show whether the checks passed the last time, and for whom.",
    "list": "Show every command with its effective values.",
    "trust": "Look at what changed in a project's checks, and adopt it.",
    "cleanup": "Clean up behind a session: what it left running goes.",
    "task": "Run a program with the resources that it shares with others.",
    "locks": "Show which resources tasks hold, or clear what dead ones left.",
    "cache": "Forget the results of commands that skip_unchanged reuses.",
    "reap": "Remove the containers that killed runs left behind.",
    "schema": "Print the JSON Schema of the configuration.",
    "doctor": "Look at everything that the checks need; with --probe, try the engine.",
    "import": "Make another tool's configuration into one of ours.",
    "install": "Make a coding agent call stophooks when it wants to stop.",
    "uninstall": "Take stophooks out of a coding agent's settings.",
    "hook": "Answer a coding agent (agents call this; see install).",
}


_CONTEXT = {"help_option_names": ["-h", "--help"]}


class _Commands(TyperGroup):
    """Sub-commands by name and summary; the one that is called is imported, the others are not."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        for name, summary in COMMANDS.items():
            self.add_command(TyperCommand(name, help=summary))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, stub, rest = super().resolve_command(ctx, args)
        return name, stub and _load(str(stub.name)), rest


def _load(name: str) -> Any:
    known = f"{name}_" if iskeyword(name) else name
    module = import_module(f"stophooks.cli.{known}")
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, context_settings=_CONTEXT, help=COMMANDS[name]
    )
    if hasattr(module, "app"):
        app.add_typer(module.app)
    else:
        app.command(name, help=COMMANDS[name])(getattr(module, known))
    return typer.main.get_command(app)


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=False,
    add_completion=False,
    # Rich costs more time than the whole of a short sub-command, and its boxes break in logs.
    rich_markup_mode=None,
    context_settings=_CONTEXT,
    epilog=(
        "Exit codes: 0 passed, 1 a check did not pass, 3 could not run, 75 busy (try later), "
        "70 a bug in stophooks, 129/130/143 interrupted."
    ),
)


def _print_version(wanted: bool) -> None:
    if wanted:
        console.out(f"stophooks {__version__}")
        raise typer.Exit


@app.callback()
def stophooks(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Run a project's checks when a coding agent says that it is done.

    The agent may stop only when they pass.
    """


def main() -> int:
    """Run the command line and return its exit code."""
    console.prepare()
    try:
        code = _exit_code(None)
    except StophooksError as err:
        console.err(f"stophooks: {err}")
        code = COULD_NOT_RUN
    except KeyboardInterrupt:
        code = 130
    except Exception as err:  # noqa: BLE001 -- the one door where our own bugs become a sentence
        console.err(_bug(err))
        code = OUR_BUG
    console.finish()
    return code


def _exit_code(args: Sequence[str] | None) -> int:
    try:
        typer.main.get_command(app)(args, prog_name="stophooks")
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0
        return COULD_NOT_RUN if code == _TYPER_USAGE else code
    return 0


def _bug(err: Exception) -> str:
    said = f"stophooks: this is a bug in stophooks {__version__}: {type(err).__name__}: {err}"
    if os.environ.get("STOPHOOKS_DEBUG"):  # noqa: TID251 -- floor 4
        return f"{''.join(traceback.format_exception(err))}{said}"
    return f"{said}\nRun it again with STOPHOOKS_DEBUG=1 to see where, and report that text."
