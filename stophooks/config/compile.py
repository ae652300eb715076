"""Make a plan of a valid configuration: defaults merged, units resolved, paths absolute."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from stophooks.config import environment
from stophooks.config.container import container
from stophooks.config.document import Path, quoted
from stophooks.config.private import check_place, report, secrets
from stophooks.config.units import seconds
from stophooks.events import EVENTS
from stophooks.models import Command, Severity
from stophooks.plan import Plan
from stophooks.plan import Section as PlanSection

if TYPE_CHECKING:
    from stophooks.config.findings import Findings
    from stophooks.config.models import Config, Section, StopCommand
    from stophooks.models import Secret

# The agents' own limits for a hook are minutes; a day is more than anybody waits for a check.
MAX_DURATION_S = 24 * 3600.0


def compile_plan(config: Config, findings: Findings) -> Plan:
    """The plan of a configuration; of no use if the findings then say `failed`."""
    sections = (
        _section(section, event, findings)
        for event in EVENTS
        if (section := getattr(config, event)) is not None
    )
    if "trust" in config.model_fields_set and findings.user_for is None:
        findings.problem(
            ("trust",),
            "only the configuration of a user says whom it trusts",
            hint="write it in ~/.config/stophooks/stophooks.yaml",
            key=True,
        )
    for index, pattern in enumerate(config.protect):
        if {".", ".."} & set(pattern.split("/")):
            findings.problem(("protect", index), "a pattern has no . or .. in it")
    return Plan(
        config_path=findings.config_path,
        project_dir=findings.commands_dir,
        sections=tuple(sections),
        protect=tuple(config.protect),
        must_trust=config.trust == "required",
    )


def _section(section: Section, event: str, findings: Findings) -> PlanSection:
    where = (event,)
    common = environment.resolve(section.default_env, (*where, "default_env"), findings)
    private = secrets(section.default_secrets, (*where, "default_secrets"), findings, on_host=None)
    default = _duration(section.default_timeout, (*where, "default_timeout"), findings)
    commands = tuple(
        _command(
            command,
            (*where, "commands", index),
            findings,
            env=common,
            timeout_s=default,
            common_secrets=private,
        )
        for index, command in enumerate(section.commands)
    )
    _unique_names(commands, section, where, findings)
    return PlanSection(
        event=event,
        commands=commands,
        fail_fast=section.fail_fast,
        deadline_s=_duration(section.deadline, (*where, "deadline"), findings) or 0.0,
        max_blocks=section.max_blocks,
        when_busy=section.when_busy,
        baseline=section.baseline,
    )


def _command(
    given: StopCommand,
    where: Path,
    findings: Findings,
    *,
    env: dict[str, str],
    timeout_s: float | None,
    common_secrets: dict[str, Secret],
) -> Command:
    if "timeout" in given.model_fields_set:
        timeout_s = _duration(given.timeout, (*where, "timeout"), findings)
    _check_length(given, where, findings)
    found = None if given.image is None else container(given, where, findings)
    place = (*where, "secrets")
    own = secrets(given.secrets or [], place, findings, on_host=found is None)
    named = {**common_secrets, **own}
    if found is not None:
        check_place(named, found, place, findings)
    return Command(
        name=given.name or f"{where[0]}[{where[-1]}]",
        project_dir=findings.commands_dir,
        source=findings.config_path,
        run=given.run,
        argv=None if given.command is None else tuple(given.command),
        message=given.message,
        show_command=given.show_command,
        show_stdout=given.show_stdout,
        show_stderr=given.show_stderr,
        max_output_lines=given.max_output_lines,
        timeout_s=timeout_s,
        env=tuple(_environment(given, where, findings, env).items()),
        inherit_env=given.inherit_env,
        keep_children=given.keep_children,
        working_dir=_working_dir(given.working_dir, (*where, "working_dir"), findings),
        pin=given.pin,
        severity=Severity(given.severity),
        container=found,
        secrets=tuple(named.values()),
        report=report(given.report, found, (*where, "report"), findings),
    )


def _environment(
    given: StopCommand, where: Path, findings: Findings, common: dict[str, str]
) -> dict[str, str]:
    file = given.env_file
    named = {} if file is None else environment.from_file(file, (*where, "env_file"), findings)
    return {**common, **named, **environment.resolve(given.env, (*where, "env"), findings)}


def _duration(text: str | None, where: Path, findings: Findings) -> float | None:
    if text is None:
        return None
    duration_s = seconds(text)
    if duration_s > MAX_DURATION_S:
        findings.problem(where, f"longer than 24h: {quoted(text)}")
    return duration_s


def _working_dir(given: str | None, where: Path, findings: Findings) -> str | None:
    if given is None:
        return None
    path = findings.absolute(given)
    if not os.path.isdir(path):
        what = "is not a directory" if os.path.exists(path) else "does not exist"
        findings.problem(where, f"{quoted(given)} {what}", hint=f"looked for {path}")
    return path


def _check_length(given: StopCommand, where: Path, findings: Findings) -> None:
    """Refuse what no program can be given, as the attempt would look like a failing command."""
    texts = [((*where, "run"), given.run)] if given.run is not None else []
    texts += [((*where, "command", index), text) for index, text in enumerate(given.command or ())]
    for place, text in texts:
        if len(text.encode()) > environment.MAX_TEXT_BYTES:
            findings.problem(
                place, "longer than 128 KiB; no program can be given it", hint="put it into a file"
            )
    if given.command is not None and not given.command[0].strip():
        findings.problem((*where, "command", 0), "the program's name is empty")


def _unique_names(
    commands: tuple[Command, ...], section: Section, where: Path, findings: Findings
) -> None:
    first: dict[str, int] = {}
    for index, command in enumerate(commands):
        earlier = first.setdefault(command.name, index)
        if earlier == index:
            continue
        # The one that names itself is at fault, not the one with the default name.
        named = index if section.commands[index].name is not None else earlier
        findings.problem(
            (*where, "commands", named, "name"),
            f"the name {quoted(command.name)} is used twice: "
            f"by commands[{earlier}] and commands[{index}]",
        )
