"""A command as it runs on one occasion: where, and with what it is told about it."""

from __future__ import annotations

import posixpath

from stophooks.models import KIB
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.containers import Container
    from stophooks.models import Command, Item
    from stophooks.occasion.base import Occasion, Prior

PREFIX = "STOPHOOKS_"
WORKSPACE = "/workspace"
# Longer values are no names of anything; bytes.
_MAX_BYTES = 32 * KIB
# Kinds of items and subjects that are directories of their own, in which their commands run.
_PLACES = frozenset({"repo", "workspace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What is the same for all commands of a run; the paths are absolute or empty."""

    run_id: str
    project_dir: str
    config_path: str


def bind(
    command: Command, occasion: Occasion, run: Run, *, item: Item | None, prior: Prior
) -> Command:
    """The command with its place and its variables for this occasion.

    Values travel as variables alone: no text of the command is touched. In a container a path is
    told as the container sees it, and one that it does not see is not told.
    """
    place = item.path if item is not None and item.kind in _PLACES else None
    subject = occasion.subject
    root = place or occasion.root or (subject.path if subject.kind in _PLACES else None)
    root = root or command.project_dir
    bound = replace(command, project_dir=root, user=_user(command, occasion))
    if command.container is None:
        directory = command.working_dir or (None if place else occasion.working_dir)
        bound = replace(bound, working_dir=directory)
    facts = dict(_facts(bound, occasion, run, item, prior))
    aliases = {name: facts[ours] for ours, name in occasion.aliases if ours in facts}
    told = {PREFIX + name: value for name, value in facts.items()}
    return replace(
        bound, env=tuple({**dict(occasion.env), **dict(command.env), **aliases, **told}.items())
    )


def _user(command: Command, occasion: Occasion) -> str | None:
    return None if command.container is not None else command.user or occasion.user


def _facts(
    command: Command, occasion: Occasion, run: Run, item: Item | None, prior: Prior
) -> Iterator[tuple[str, str]]:
    """What there is to tell, by name."""
    subject = occasion.subject
    texts = {
        "EVENT": occasion.event,
        "RUN_ID": run.run_id,
        "COMMAND": command.name,
        "SUBJECT_KIND": subject.kind,
        "SUBJECT_ID": subject.id,
        "PRIOR_STATUS": str(prior),
        "BRANCH": occasion.branch,
        "ITEM_KIND": item.kind if item else None,
        "ITEM_NAME": item.name if item else None,
        "EXIT_CODE": occasion.exit_code,
        "SIGNAL": occasion.signal,
        "REASON": occasion.reason,
        "CLEANUP_LEVEL": occasion.cleanup_level,
        "SESSION": occasion.session,
    }
    paths = {
        "PROJECT_DIR": run.project_dir,
        "CONFIG": run.config_path,
        "SUBJECT_PATH": subject.path,
        "ITEM_PATH": item.path if item else None,
    }
    for name, path in paths.items():
        texts[name] = path and (path if command.container is None else inside(path, command))
    for name, value in texts.items():
        if value not in {None, ""} and _fits(str(value), command.container):
            yield name, str(value)


def _fits(text: str, container: Container | None) -> bool:
    """Whether a program can be given this: agents and programs name things as they like."""
    try:
        data = text.encode("utf-8", "strict" if container else "surrogateescape")
    except UnicodeEncodeError:
        return False
    return b"\0" not in data and len(data) <= _MAX_BYTES


def inside(path: str, command: Command) -> str | None:
    """A path of this machine as the command's container sees it, or None where it does not."""
    for source, target in _seen(command.project_dir, command.container):
        if path == source or path.startswith(source.rstrip("/") + "/"):
            return posixpath.normpath(f"{target}/{path[len(source) :]}")
    return None


def _seen(project_dir: str, container: Container | None) -> Iterator[tuple[str, str]]:
    if container is None:
        return
    if container.workspace != "none":
        yield project_dir, WORKSPACE
    for mount in container.mounts:
        if mount.type == "bind" and mount.source is not None:
            yield mount.source, mount.target
