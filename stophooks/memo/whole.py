"""What decides the results of a whole section beside the project's files and its environment."""

from __future__ import annotations

from stophooks import jsonvalues
from stophooks.containers import Pull
from stophooks.inputs import UnknownError
from stophooks.memo import reach
from stophooks.memo.base import Beside
from stophooks.store import contents
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.inputs import Tree
    from stophooks.memo.image import Question
    from stophooks.models import Command
    from stophooks.plan import Section

_NOTHING: Mapping[str, Question] = {}


def ask(section: Section, environ: Mapping[str, str], home: str) -> dict[str, Question]:
    """Ask the engine for the image of each command, for `beside` to hear the answers.

    Args:
        section: Whose commands they are.
        environ: Names the engine.
        home: Where Docker keeps its configuration.
    """
    from stophooks.memo.image import Question  # noqa: PLC0415 -- only who has an image needs it

    boxes = [one.container for one in section.commands if one.container is not None]
    names = dict.fromkeys(box.image for box in boxes if box.pull is not Pull.ALWAYS)
    return {name: Question(name, environ, home) for name in names}


def beside(
    section: Section,
    tree: Tree,
    environ: Mapping[str, str],
    home: str,
    *,
    asked: Mapping[str, Question] = _NOTHING,
) -> Beside | None:
    """What it is now; None where it cannot be told, or where a command runs every time.

    Args:
        section: Whose commands they are.
        tree: The project's files now.
        environ: Names the engine.
        home: Where Docker keeps its configuration.
        asked: What `ask` gave, a moment ago; good for once.
    """
    commands = section.commands
    if any(command.keep_children for command in commands):
        return None
    try:
        for command in commands:
            if not command.inputs:
                reach.check_mounts(command, tree.root)
        images = _images(commands, environ, home, asked)
        ignored = [reach.ignored(command, tree) for command in commands]
        secrets = _secrets(commands)
        scripts = [reach.scripts(command) for command in commands]
        # Whether the others were written the tree tells.
        paths = [path for command in commands for path in reach.beside(command, tree)]
    except UnknownError:
        return None
    return Beside(
        terms=jsonvalues.dumps([images, ignored, secrets, scripts], sort_keys=True),
        written=reach.written((*paths, *secrets)),
        is_known_at_start=not images and not any(ignored) and not secrets,
    )


def _images(
    commands: tuple[Command, ...],
    environ: Mapping[str, str],
    home: str,
    asked: Mapping[str, Question],
) -> dict[str, str | None]:
    """The id of each image; each is asked for once."""
    boxed = [command for command in commands if command.container is not None]
    # One that is always pulled is refused, whoever else has an image of that name.
    boxes = {(one.container.image, one.container.pull): one for one in boxed if one.container}
    return {
        name: reach.image(one, environ, home, asked=asked.get(name))
        for (name, _pull), one in boxes.items()
    }


def _secrets(commands: tuple[Command, ...]) -> dict[str, str]:
    places = {one.from_file for command in commands for one in command.secrets}
    return {place: contents.print_of(place) for place in sorted(filter(None, places))}
