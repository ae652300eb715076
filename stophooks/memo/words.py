"""Why a command runs, or does not."""

from __future__ import annotations

import time

from stophooks import inputs
from stophooks.memo.fitting import fitting, place
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stophooks.inputs import Tree
    from stophooks.memo.chosen import Chosen
    from stophooks.models import Command
    from stophooks.store.passes import Pass

# Of names in one reason.
MOST = 3


def unchanged(at: float) -> str:
    """Why a command is not run again."""
    return f"unchanged since it passed {moment(at)}"


def moment(at: float) -> str:
    """When it was, in this machine's zone."""
    return time.strftime("at %Y-%m-%d %H:%M:%S", time.localtime(at))


def fits(chosen: Chosen) -> str:
    """For which files a command runs."""
    count = len(chosen.changed)
    return f"{count} {'file' if count == 1 else 'files'} of its `files` changed: " + listed(
        chosen.changed
    )


def differs(command: Command, last: Pass | None, found: Mapping[str, Any], tree: Tree) -> str:
    """What changed since a command passed, the first cause that there is."""
    if last is None:
        return "it has not passed here yet"
    causes = list(_causes(command, last.parts, found, tree))
    return f"{causes[0] if causes else 'something'} changed since it passed {moment(last.at)}"


def listed(names: Sequence[str]) -> str:
    """The first of the names, and how many more there are."""
    more = len(names) - MOST
    return ", ".join(names[:MOST]) + (f" and {more} more" if more > 0 else "")


def _causes(
    command: Command, before: Mapping[str, Any], now: Mapping[str, Any], tree: Tree
) -> Iterator[str]:
    for name, words in (
        ("version", "the version of stophooks"),
        ("definition", "its definition"),
        ("image", "its image"),
        ("program", "the program that it starts"),
        ("machine", "the machine or its user"),
    ):
        if before.get(name) != now[name]:
            yield words
    for name, words in (("environment", "its environment"), ("secrets", "its secrets")):
        if names := _differing(before.get(name), now[name]):
            yield f"{words} ({listed(names)})"
    if scripts := _differing(before.get("scripts"), now["scripts"]):
        yield f"a script that it starts ({listed(scripts)})"
    if before.get("inputs") != now["inputs"]:
        yield _changed_files(command, before, tree)
    if before.get("configuration") != now["configuration"]:
        yield "the configuration file"
    if before.get("files") != now["files"]:
        yield "the list of files that it is for"


def _differing(before: Any, now: Mapping[str, str]) -> list[str]:
    known = before if isinstance(before, dict) else {}
    return sorted(name for name in {*known, *now} if known.get(name) != now.get(name))


def _changed_files(command: Command, before: Mapping[str, Any], tree: Tree) -> str:
    changes = inputs.changed(str(before.get("tree")), tree)
    if changes is None:
        return "something in the files that it reads"
    paths: Sequence[str] = sorted((*changes.present, *changes.deleted))
    if command.inputs:
        below = place(tree, command.project_dir)
        paths = list(fitting(paths, command.inputs, below=below))
        return listed(paths) or "a file of its `inputs` that git ignores"
    return listed(paths) or "the commit that it stands on"
