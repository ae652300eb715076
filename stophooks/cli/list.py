"""``stophooks list``."""

from __future__ import annotations

from stophooks import invocation
from stophooks.cli import console, project
from stophooks.cli.formats import ConfigOption, Format, FormatOption
from stophooks.reports import plan


def list(config: ConfigOption = None, format_: FormatOption = Format.TEXT) -> None:  # noqa: A001 -- a sub-command, its file and its function share the word
    """Show every command with its effective values."""
    whole = project.plan(config)
    render = plan.json if format_ is Format.JSON else plan.text
    console.out(render(whole, invocation.mask(whole)))
