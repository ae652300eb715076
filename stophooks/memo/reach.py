"""What decides a result beside the files that git knows of, and whether any of it was written."""

from __future__ import annotations

import os

from stophooks import inputs
from stophooks.containers import Pull
from stophooks.digests import sha256
from stophooks.errors import StoreError
from stophooks.inputs import UnknownError
from stophooks.store import contents
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from stophooks.inputs import Tree
    from stophooks.memo.image import Question
    from stophooks.models import Command

_WILD = frozenset("*?[")


def image(
    command: Command, environ: Mapping[str, str], home: str, *, asked: Question | None = None
) -> str | None:
    """The engine and the id of the image that a command would run in; None without a container.

    Args:
        command: Whose image it is.
        environ: Names the engine.
        home: Where Docker keeps its configuration.
        asked: The question, where the engine was asked for this image already.

    Raises:
        UnknownError: It cannot be told before the command runs.
    """
    container = command.container
    if container is None:
        return None
    if container.pull is Pull.ALWAYS:
        raise UnknownError("its image is pulled every time (`pull: always`)")
    from stophooks.memo.image import Question  # noqa: PLC0415 -- only who has an image needs it

    found = (asked or Question(container.image, environ, home)).image_id()
    if found is None:
        raise UnknownError("the engine does not tell which image it has")
    return found


def ignored(command: Command, tree: Tree) -> dict[str, str]:
    """What those inputs hold that begin with a name and name no file that git knows of.

    Who writes `.env` or `build/**` means it, ignored or not. The prints of the files by their path
    relative to the project.

    Raises:
        UnknownError: They are too many.
    """
    named = [one for one in command.inputs if not _WILD & set(one.partition("/")[0])]
    if not named:
        return {}
    base = command.project_dir
    # Not by the list of all files, of which there may be very many.
    nothing = inputs.digest(tree, (), (), base=base)
    asked = [one for one in named if inputs.digest(tree, (one,), (), base=base) == nothing]
    if not asked:
        return {}
    try:
        # Also where there is none yet: it would be one of these inputs.
        return {"": " ".join(asked), **contents.protected(command.project_dir, asked)}
    except StoreError as err:
        raise UnknownError("its `inputs` name too many files that git ignores") from err


def scripts(command: Command) -> dict[str, str]:
    """The prints of the project's scripts that a command with `inputs` starts, by their paths."""
    if not command.inputs:
        # They are files like all others, which count.
        return {}
    from stophooks.config.scripts import started  # noqa: PLC0415 -- reads a shell's language

    return {path: contents.print_of(path) for path in dict.fromkeys(started(command))}


def stamps(command: Command, tree: Tree) -> str:
    """A word for when the files were written that a command's `inputs` name; empty without.

    Content may have been other for a while, and the same again: these times are other ones then.

    Raises:
        UnknownError: It cannot be told.
    """
    if not command.inputs:
        return ""
    named = inputs.paths(tree, command.inputs, base=command.project_dir)
    return written((*named, *beside(command, tree)))


def beside(command: Command, tree: Tree) -> list[str]:
    """The absolute paths of the files that `ignored` and `scripts` tell of.

    Raises:
        UnknownError: They are too many.
    """
    known = sorted(path for path in ignored(command, tree) if path)
    there = [os.path.join(command.project_dir, path) for path in known]
    return there + sorted(scripts(command))


def written(paths: Iterable[str]) -> str:
    """A word for when files were written, and those that links lead to."""
    said = sha256()
    for path in paths:
        said.update(os.fsencode(f"{path}\0{' '.join(_stamps(path))}\0"))
    return said.hexdigest()


def check_mounts(command: Command, root: str) -> None:
    """Refuse a directory of this machine that a container sees and nobody looks into.

    Args:
        command: One without `inputs`.
        root: What is looked into, of whose files all count.

    Raises:
        UnknownError: There is one.
    """
    for mount in command.container.mounts if command.container else ():
        if mount.type != "bind" or mount.source is None:
            continue
        source = os.path.realpath(mount.source)
        if source == root or source.startswith(f"{root}/"):
            continue
        raise UnknownError(
            f"what it sees at {mount.target} lies outside of the project; `inputs` would say what "
            "of it counts"
        )


def _stamps(path: str) -> Iterator[str]:
    for look in (os.lstat, os.stat):
        try:
            found = look(path)
        except (OSError, ValueError):
            yield "-"
        else:
            yield f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"
