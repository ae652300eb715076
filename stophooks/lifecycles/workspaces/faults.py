"""Why a workspace was not made, or not removed."""

from __future__ import annotations

from stophooks.errors import StophooksError


class GitError(StophooksError):
    """git could not be run, or refused."""


class NotDoneError(StophooksError):
    """The work was begun or looked at, and something in a repository is in its way."""


class StoppedError(StophooksError):
    """A signal came; the text says what there is now."""


class BusyError(StophooksError):
    """Somebody else is making or closing the workspace now."""
