"""The configuration: found, read, checked and made into a plan.

Nothing outside this package sees what the user wrote, only the plan and the problems.
"""

from __future__ import annotations

from stophooks.config.search import ConfigAmbiguousError, Place, find, locate
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from stophooks.config.foreign import Foreign
    from stophooks.config.frontmatter import TaskFile
    from stophooks.config.loading import Loaded

__all__ = [
    "ConfigAmbiguousError",
    "Place",
    "effective",
    "find",
    "judge",
    "load",
    "load_task",
    "locate",
    "plain_yaml",
    "read_foreign",
    "schema_text",
]


def load(path: str, *, environ: Mapping[str, str], user_for: str | None = None) -> Loaded:
    """The plan in a configuration file, or every problem that keeps it from being one.

    Never raises for what the file contains, or for a file that cannot be read.

    Args:
        path: The file; a relative one is taken from the working directory.
        environ: Where ``${NAME}`` in ``env`` is looked up.
        user_for: The project, where the file is a user's own and not the project's.
    """
    # The libraries behind it cost more than everything else at a stop: only who loads pays.
    from stophooks.config.loading import load as load_file  # noqa: PLC0415 - see above

    return load_file(path, environ=environ, user_for=user_for)


def judge(path: str, text: str, *, environ: Mapping[str, str]) -> Loaded:
    """What `load` would find if a file with this text were at the path; nothing is written."""
    from stophooks.config.loading import judge as judge_text  # noqa: PLC0415 - as above

    return judge_text(path, text, environ=environ)


def read_foreign(path: str, *, parsed: bool, tags: Collection[str] = ()) -> Foreign:
    """What another tool's file says; see `foreign.read`."""
    from stophooks.config.foreign import read  # noqa: PLC0415 - as above

    return read(path, parsed=parsed, tags=tags)


def effective(place: Place, *, environ: Mapping[str, str]) -> Loaded:
    """The plan of a project's configuration and its user's together; see `layers.effective`."""
    from stophooks.config.layers import effective as load_both  # noqa: PLC0415 - as above

    return load_both(place, environ=environ)


def load_task(path: str) -> TaskFile:
    """What a task's file says of itself; see `frontmatter.load_task`."""
    from stophooks.config.frontmatter import load_task as load_file  # noqa: PLC0415 - as above

    return load_file(path)


def schema_text() -> str:
    """The text of ``schema.json``, the configuration's JSON Schema (draft 2020-12)."""
    from stophooks.config.schema import schema_text as read  # noqa: PLC0415 - as above

    return read()


def plain_yaml(text: str) -> Any:
    """The value of a YAML text that is another program's, not a configuration of ours.

    Raises:
        ValueError: It is not one document of plain values.
    """
    from stophooks.config.document import SyntaxProblemError  # noqa: PLC0415 - as above
    from stophooks.config.yamlformat import read_yaml  # noqa: PLC0415 - as above

    try:
        return read_yaml("", text).value
    except SyntaxProblemError as err:
        raise ValueError(str(err)) from err
