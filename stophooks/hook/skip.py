"""Whether a stop needs no check: it is none, or there is nothing new to check."""

from __future__ import annotations

import time

from stophooks import __version__, jsonvalues
from stophooks.memo.base import VOLATILE, Beside
from stophooks.store.memory import key
from stophooks.typed import TYPE_CHECKING
from stophooks.values import asdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.events import Event
    from stophooks.inputs import Tree
    from stophooks.memo.image import Question
    from stophooks.plan import Section
    from stophooks.store.memory import Memory

# An agent that is never done, because of a server that it has started, is checked all the same
# after so many stops in a row.
MOST_UNFINISHED = 3


def unfinished(event: Event, memory: Memory) -> str | None:
    """Why this stop is not the end of the agent's work, or None."""
    if event.unfinished is None:
        memory.finished()
        return None
    return event.unfinished if memory.skipped_unfinished() <= MOST_UNFINISHED else None


def unchanged(
    section: str, memory: Memory, *, start: str | None, tree: str | None, terms: str | None
) -> str | None:
    """Why a run could only say what is known, or None.

    A project that did not pass the last time, for whoever asked, or was never checked, is always
    checked.

    Args:
        section: Which one would be run.
        memory: What is known.
        start: The project's content when the session began, or None where that is not known, or
            does not tell whether anything has changed since.
        tree: The project's content now, or None where that cannot be told.
        terms: See `terms`; None where they cannot be told.
    """
    state = memory.state(section)
    if tree is None or terms is None or state is None or state.get("result") != "passed":
        return None
    if memory.is_doubted(section):
        return None
    last = memory.last_pass(section)
    if last is not None and (last.get("tree"), last.get("terms")) == (tree, terms):
        return f"nothing changed since everything passed{_at(last.get('at'))}"
    if start == tree:
        return "nothing changed since this session began"
    return None


def ask(section: Section, environ: Mapping[str, str]) -> Mapping[str, Question]:
    """Ask the engine what `beside` needs to know of it, beside everything else."""
    if not any(command.container for command in section.commands):
        return {}
    from stophooks.invocation import home  # noqa: PLC0415 -- most sections need none of it
    from stophooks.memo.whole import ask as of_section  # noqa: PLC0415 -- the same

    return of_section(section, environ, home() or "/")


def beside(
    section: Section,
    tree: Tree | None,
    environ: Mapping[str, str],
    asked: Mapping[str, Question],
) -> Beside | None:
    """What besides the project's files and the environment decides a result; None: not known.

    A command that runs every time makes it unknown. ``asked`` is what `ask` gave, good for once.
    """
    if not any(
        command.container or command.inputs or command.keep_children or command.secrets
        for command in section.commands
    ):
        return Beside()
    if tree is None:
        return None
    from stophooks.invocation import home  # noqa: PLC0415 -- most sections need none of it
    from stophooks.memo.whole import beside as of_section  # noqa: PLC0415 -- the same

    return of_section(section, tree, environ, home() or "/", asked=asked)


def terms(section: Section, environ: Mapping[str, str], *, start: str | None, known: Beside) -> str:
    """What besides the project's files decides a result: the commands and what is around them.

    Where a command runs for the files that changed since the session began, so does ``start``.
    """
    kept = {name: value for name, value in environ.items() if name not in VOLATILE}
    since = [start] if any(command.files for command in section.commands) else []
    decides = [__version__, asdict(section), kept, known.terms, *since]
    return key(jsonvalues.dumps(decides, sort_keys=True))


def _at(moment: object) -> str:
    if not isinstance(moment, (int, float)):
        return ""
    return time.strftime(" at %Y-%m-%d %H:%M", time.localtime(moment))
