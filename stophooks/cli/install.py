"""``stophooks install``: an agent asks us from now on whether it may stop."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from stophooks import config, invocation
from stophooks.agents import AGENTS, INSTALLABLE, settings
from stophooks.agents.shape import USER
from stophooks.cli import console, found, program
from stophooks.cli.difference import difference
from stophooks.cli.each import each
from stophooks.cli.entry import Wanted, present, shown, wanted
from stophooks.cli.scope import (
    BACKUP_SUFFIX,
    AgentsArgument,
    DryRunOption,
    LocalOption,
    ProjectOption,
    Target,
    UserOption,
    check_names,
    scope_named,
    target,
)
from stophooks.errors import StophooksError, UsageError
from stophooks.store import textfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.plan import Plan
    from stophooks.store.textfile import TextFile


def install(
    agents: AgentsArgument = None,
    *,
    every: Annotated[
        bool, typer.Option("--all", help="Every agent that is found on this machine.")
    ] = False,
    user: UserOption = False,
    project: ProjectOption = False,
    local: LocalOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Make agents ask, when they want to stop, whether the checks pass."""
    check_names(agents, every=every)
    scope = scope_named(user=user, project=project, local=local)
    names = _found(scope) if every else agents or []
    each(names, lambda name: _install(target(name, scope), dry_run=dry_run))


def _found(scope: str) -> list[str]:
    """Return the agents that are here and have such a file; say of each why or why not."""
    names = []
    for sign in found.signs(invocation.environ(), invocation.home()):
        fits = scope in INSTALLABLE[sign.agent].settings().files
        verdict = "found" if sign.found else "not found"
        lacks = "" if fits or not sign.found else f", but it has no settings for --{scope}"
        console.out(f"{sign.agent}: {verdict} ({sign.because}){lacks}")
        if sign.found and fits:
            names.append(sign.agent)
    if not names:
        raise UsageError(
            f"no agent to install into was found. Name one of {', '.join(INSTALLABLE)}."
        )
    return names


def _install(meant: Target, *, dry_run: bool) -> None:
    file = textfile.read(meant.path)
    try:
        new = wanted(meant, file.text, _plan(meant))
    except settings.SettingsError as err:
        others = " or ".join(f"--{one}" for one in meant.agent.settings().files)
        raise UsageError(
            f"{meant.path} cannot be added to: {err}. Nothing was changed. Mend the file, or put "
            f"the hook into another one with {others}."
        ) from err
    for event, needed in new.kept.items():
        limit = shown(new.limits[event])
        console.err(f"{event}: the timeout of {limit} that is there stays; {needed} s would do.")
    if new.text == file.text:
        console.out(f"Already installed in {meant.path}; nothing was changed.")
    elif dry_run:
        console.out(difference(meant.path, file.text, new.text))
    else:
        _write(meant, file, new)
    if dry_run or new.text != file.text:
        for remark in _remarks(meant, new):
            console.err(remark)


def _write(meant: Target, file: TextFile, new: Wanted) -> None:
    backup = file.path + BACKUP_SUFFIX
    is_plugin = meant.agent.settings().copied is not None
    keeps = file.text is not None and not (new.present and os.path.lexists(backup))
    if keeps and file.text is not None and not is_plugin:
        textfile.write(backup, file.text, like=file.path)
    textfile.write(file.path, new.text)
    console.out(f"{'Updated' if new.present else 'Installed'} in {meant.path}:")
    for event, limit in new.limits.items():
        console.out(f"  {event}: {new.command} (timeout {shown(limit)})")
    if keeps and not is_plugin:
        console.out(f"Before it was as in {backup}.")


def _remarks(meant: Target, new: Wanted) -> Iterator[str]:
    if meant.scope == "project" and not program.is_by_name(new.command):
        yield (
            f"`{settings.PROGRAM}` is not on PATH outside this virtual environment, so the entry "
            "has a path that only this machine knows."
        )
    shape = meant.agent.settings()
    if shape.copied is None and settings.is_disabled(new.text, meant.agent):
        yield f"`{shape.switch}` is true in {meant.path}: no hook runs."
    yield from _second_hooks(meant)
    if shape.advice:
        yield shape.advice
    if meant.place.project_path is None and meant.scope != USER:
        yield "There is no configuration yet: `stophooks init` writes one."


def _second_hooks(meant: Target) -> Iterator[str]:
    """What is to know where our hook is in other settings that the agent obeys too."""
    own = meant.agent.NAME
    for scope in meant.agent.settings().files:
        path = _installed_path(own, scope)
        if path not in {None, meant.path}:
            yield (
                f"The hook is in {path} too, so {meant.agent.TITLE} asks twice at a stop. "
                f"Leave one: `stophooks uninstall {own} --{scope}` takes that one out."
            )
    for name in AGENTS[own].SIGNS.reads:
        other = INSTALLABLE[name]
        for scope in other.settings().files:
            if path := _installed_path(name, scope):
                yield (
                    f"{meant.agent.TITLE} may also run the hook in {path}, which is "
                    f"{other.TITLE}'s: only one of the two calls at a stop runs the checks."
                )


def _installed_path(agent: str, scope: str) -> str | None:
    try:
        meant = target(agent, scope)
        text = textfile.read(meant.path).text
        return meant.path if text and present(meant, text) else None
    except StophooksError:
        # Whoever installs into that agent is told; here it is only that nothing of ours runs.
        return None


def _plan(meant: Target) -> Plan | None:
    loaded = config.effective(meant.place, environ=invocation.environ())
    if loaded.plan is None and loaded.problems:
        console.err(
            f"{meant.place.project_path or meant.place.user_path} has problems, so the default "
            "deadline is taken. See them with `stophooks validate`, then install again."
        )
    return loaded.plan
