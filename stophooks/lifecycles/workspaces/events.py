"""What the two events of a workspace tell their commands."""

from __future__ import annotations

import os

from stophooks.contexts import suppress
from stophooks.errors import StoreError
from stophooks.occasion import Occasion, Subject
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.lifecycles.workspaces.record import Workspace
    from stophooks.models import Report
    from stophooks.occasion import Fire

POST_CREATE = "workspace.post_create"
PRE_CLOSE = "workspace.pre_close"


def fired(fire: Fire, about: Occasion) -> Report:
    """What became of an event's commands; those that run once are done if it went well.

    Raises:
        StophooksError: Nothing could be run.
    """
    report = fire(about)
    if not report.blocks:
        with suppress(StoreError):  # then they run again
            fire.confirm(about)
    return report


def occasion(event: str, workspace: Workspace, *, planned: bool = False) -> Occasion:
    """An event of a workspace; its items are the repositories that are there, or ``planned``."""
    return Occasion(
        event=event,
        subject=Subject(kind="workspace", id=workspace.id, path=workspace.path),
        items=tuple(item for item in workspace.items if planned or os.path.isdir(item.path or "")),
        root=workspace.path,
        branch=workspace.branch,
    )
