"""The hook in the agents' settings: there, whole, and with time enough."""

from __future__ import annotations

import os
import shlex
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from stophooks.agents import INSTALLABLE, settings
from stophooks.cli.health import ok, problem, warn
from stophooks.cli.install import MARGIN_S
from stophooks.cli.scope import target
from stophooks.errors import StophooksError
from stophooks.models import human_duration
from stophooks.plan import DEFAULT_DEADLINE_S
from stophooks.store import textfile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.cli.scope import Target
    from stophooks.models import Finding
    from stophooks.plan import Plan

SCOPES = ("user", "project", "local")


def findings(plan: Plan | None, *, directory: str, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Every agent's settings files in every scope."""
    for agent in INSTALLABLE:
        yield from _agent(agent, plan, directory, environ)


def _agent(
    agent: str, plan: Plan | None, directory: str, environ: Mapping[str, str]
) -> Iterator[Finding]:
    about = f"agent {agent}"
    installed: dict[str, str] = {}
    unclear = False
    for scope in SCOPES:
        try:
            meant = target(agent, **{one: one == scope for one in SCOPES}, directory=directory)
            text = textfile.read(meant.path).text
            entries = settings.entries(text, meant.agent.EVENTS, agent=agent)
            is_disabled = text is not None and settings.is_disabled(text)
        except settings.SettingsError as err:
            unclear = True
            text = f"the settings cannot be read by {agent} either: {err}"
            yield problem(about, text, "Mend the file.", where=meant.path)
            continue
        except StophooksError as err:
            unclear = True
            yield warn(about, str(err), f"See `stophooks install {agent} --{scope}`.")
            continue
        if is_disabled:
            text = "`disableAllHooks` is true, so no hook runs"
            yield problem(about, text, "Remove it, or set it to false.", where=meant.path)
        if entries and meant.path not in installed.values():
            installed[scope] = meant.path
            yield from _entries(about, meant, entries, plan, environ)
    yield from _altogether(about, agent, installed, unclear=unclear)


def _altogether(
    about: str, agent: str, installed: dict[str, str], *, unclear: bool
) -> Iterator[Finding]:
    if not installed and not unclear:
        text = "the hook is in none of its settings files, so it stops without asking"
        yield warn(about, text, f"Install it: stophooks install {agent}")
    if len(installed) > 1:
        text = f"the hook is installed more than once ({', '.join(installed)})"
        remedy = f"Leave one: stophooks uninstall {agent} --{list(installed)[-1]}"
        yield warn(about, text, remedy)


def _entries(
    about: str,
    meant: Target,
    entries: dict[str, Any],
    plan: Plan | None,
    environ: Mapping[str, str],
) -> Iterator[Finding]:
    again = f"Install it again: stophooks install {meant.agent.NAME} --{meant.scope}"
    missing = [event for event in meant.agent.EVENTS if event not in entries]
    found = list(_programs(about, meant, entries, environ, again))
    for event, kind in meant.agent.EVENTS.items():
        if event in entries:
            limit = entries[event].get("timeout")
            found += [
                replace(one, where=meant.path)
                for one in _timeout(about, event, limit, _deadline_s(plan, kind), again)
            ]
    if missing:
        text = f"the hook is not called at {', '.join(missing)}"
        found.append(warn(about, text, again, where=meant.path))
    yield from found
    if not found:
        events = ", ".join(f"{name} {entries[name].get('timeout')} s" for name in entries)
        text = f"the hook is installed in the {meant.scope} settings ({events})"
        yield ok(about, text, where=meant.path)


def _programs(
    about: str, meant: Target, entries: dict[str, Any], environ: Mapping[str, str], again: str
) -> Iterator[Finding]:
    commands = {str(entry.get("command")) for entry in entries.values()}
    for command in sorted(commands):
        # Before it may stand what sets variables, behind it are our three words.
        program = shlex.split(command)[-4]
        if "$" in program or program.startswith("~"):
            continue
        if shutil.which(program, path=environ.get("PATH", os.defpath)) is None:
            text = f"the hook's program is not there: {program}"
            yield problem(about, text, again, where=meant.path)


def _timeout(
    about: str, event: str, limit: object, deadline_s: float, again: str
) -> Iterator[Finding]:
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        text = f"{event} has no limit of its own, and the agent's own may be below the deadline"
        yield warn(about, text, again)
        return
    said = f"{event} is ended by the agent after {human_duration(limit)}"
    ours = f"the deadline of {human_duration(deadline_s)}"
    if limit <= deadline_s:
        text = f"{said}, before {ours}: the agent would then stop unchecked"
        yield problem(about, text, again)
    elif limit < deadline_s + MARGIN_S:
        yield warn(about, f"{said}, soon after {ours}", again)


def _deadline_s(plan: Plan | None, kind: str) -> float:
    section = plan.section(kind) if plan else None
    return section.deadline_s if section else DEFAULT_DEADLINE_S
