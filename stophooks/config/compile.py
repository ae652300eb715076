"""Make a plan of a valid configuration: defaults merged, units resolved, paths absolute."""

from __future__ import annotations

from stophooks.config import environment, needs, reuse, terms
from stophooks.config.areas import found, rules
from stophooks.config.container import container, size, user
from stophooks.config.document import Path, quoted
from stophooks.config.models import StopSection
from stophooks.config.private import check_place, report, secrets
from stophooks.config.units import MAX_DURATION_S, seconds
from stophooks.models import Command, When, human_duration
from stophooks.plan import MOST_JOBS, Plan
from stophooks.plan import Section as PlanSection
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.config.areas import Found
    from stophooks.config.findings import Findings
    from stophooks.config.models import Config, Section, StopCommand
    from stophooks.events import EventKind
    from stophooks.models import Secret


def compile_plan(config: Config, findings: Findings) -> Plan:
    """The plan of a configuration; of no use if the findings then say `failed`."""
    sections = tuple(_section(one, findings) for one in found(config))
    if "trust" in config.model_fields_set and findings.user_for is None:
        findings.problem(
            ("trust",),
            "only the configuration of a user says whom it trusts",
            hint="write it in ~/.config/stophooks/stophooks.yaml",
            key=True,
        )
    reuse.check_patterns(config.protect, ("protect",), findings)
    return Plan(
        config_path=findings.config_path,
        project_dir=findings.commands_dir,
        sections=sections,
        protect=tuple(config.protect),
        must_trust=config.trust == "required",
        **rules(config, findings),
    )


def _section(one: Found, findings: Findings) -> PlanSection:
    section, where, kind = one.section, one.where, one.kind
    common = environment.resolve(section.default_env, (*where, "default_env"), findings)
    private = secrets(section.default_secrets, (*where, "default_secrets"), findings, on_host=None)
    default_s: float | None = kind.timeout_s
    if "default_timeout" in section.model_fields_set:
        place = (*where, "default_timeout")
        default_s = _timeout(section.default_timeout, place, findings, kind)
    commands = tuple(
        _command(
            command,
            (*where, "commands", index),
            findings,
            kind=kind,
            env=common,
            timeout_s=default_s,
            common_secrets=private,
            skip_unchanged=getattr(section, "skip_unchanged", False),
        )
        for index, command in enumerate(section.commands)
    )
    _unique_names(commands, section, where, findings)
    needs.check(commands, section, where, findings)
    return PlanSection(
        event=kind.name,
        of=one.of,
        commands=commands,
        fail_fast=kind.fail_fast if section.fail_fast is None else section.fail_fast,
        deadline_s=_duration(section.deadline, (*where, "deadline"), findings) or 0.0,
        jobs=MOST_JOBS if isinstance(section.jobs, str) else section.jobs,
        **_memory(section.max_memory, (*where, "max_memory"), findings),
        **_of_checks(section),
    )


def _memory(given: str | float, where: Path, findings: Findings) -> dict[str, Any]:
    """What containers may have together: bytes, or a share of the machine's."""
    if isinstance(given, str) and given.endswith("%"):
        return {"max_memory_share": int(given[:-1]) / 100}
    return {"max_memory_bytes": size(given, where, findings)}


def _of_checks(section: Section) -> dict[str, Any]:
    """What only a section of checks has."""
    if not isinstance(section, StopSection):
        return {}
    return {
        "max_blocks": section.max_blocks,
        "when_busy": section.when_busy,
        "baseline": section.baseline,
    }


def _command(
    given: StopCommand,
    where: Path,
    findings: Findings,
    *,
    kind: EventKind,
    env: dict[str, str],
    timeout_s: float | None,
    common_secrets: dict[str, Secret],
    skip_unchanged: bool,
) -> Command:
    if "timeout" in given.model_fields_set:
        timeout_s = _timeout(given.timeout, (*where, "timeout"), findings, kind)
    _check_length(given, where, findings)
    found = None if given.image is None else container(given, where, findings)
    place = (*where, "secrets")
    own = secrets(given.secrets or [], place, findings, on_host=found is None)
    named = {**common_secrets, **own}
    if found is not None:
        check_place(named, found, place, findings)
    return Command(
        name=given.name or f"{kind.name}[{where[-1]}]",
        description=given.description,
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
        working_dir=findings.directory(given.working_dir, (*where, "working_dir")),
        pin=given.pin,
        severity=terms.severity(given, where, findings, kind),
        when=When(given.when),
        once=terms.once(given, where, findings, kind),
        stop_items=given.on_item_failure == "stop",
        **terms.fan_out(given, where, findings, kind),
        needs=tuple(dict.fromkeys(given.needs or ())),
        exclusive=given.exclusive,
        shell=_shell(given, where, findings),
        user=user(given.user, (*where, "user"), findings) if found is None else None,
        container=found,
        secrets=tuple(named.values()),
        report=report(given.report, found, (*where, "report"), findings),
        skip_unchanged=reuse.skip_unchanged(
            given, where, findings, kind=kind, default=skip_unchanged
        ),
        **reuse.patterns(given, where, findings, kind),
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


def _timeout(text: str | None, where: Path, findings: Findings, kind: EventKind) -> float | None:
    """A time limit of an event's command, within the limits that the event has."""
    limit_s = _duration(text, where, findings)
    if kind.limits_s is not None:
        least_s, most_s = kind.limits_s
        if limit_s is None or not least_s <= limit_s <= most_s:
            bounds = f"from {human_duration(least_s)} to {human_duration(most_s)}"
            shown = "null" if text is None else quoted(text)
            message = f"a time limit of {kind.name} is {bounds}; got {shown}"
            findings.problem(where, message, hint='write one such as "30s"')
    return limit_s


def _shell(given: StopCommand, where: Path, findings: Findings) -> str | None:
    if given.shell is not None:
        if given.run is None:
            findings.problem((*where, "shell"), "only run is given to a shell", key=True)
        if "/" in given.shell and not given.shell.startswith("/"):
            message = f"{quoted(given.shell)} is neither a program's name nor an absolute path"
            findings.problem((*where, "shell"), message)
    return given.shell


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
