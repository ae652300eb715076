"""What the program finds around it: working directory, environment, home."""

from __future__ import annotations

import os

from stophooks.errors import UsageError


def directory() -> str:
    """The working directory.

    Raises:
        UsageError: It was removed.
    """
    try:
        return os.getcwd()  # noqa: TID251 -- floor 4
    except FileNotFoundError as err:
        raise UsageError("The working directory no longer exists. Change to another one.") from err


def environ() -> dict[str, str]:
    """The environment, as a copy."""
    return dict(os.environ)  # noqa: TID251 -- floor 4


def home() -> str | None:
    """The home directory, or None where there is none."""
    found = os.path.expanduser("~")
    return found if os.path.isabs(found) else None
