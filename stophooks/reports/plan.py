"""What would be run, with every value that is in force."""

from __future__ import annotations

from json import dumps

from stophooks.events import STOP_EVENTS
from stophooks.models import Expose, Severity, When, human_duration, human_size
from stophooks.plan import MOST_JOBS, WAIT, to_json
from stophooks.reports.clean import line
from stophooks.reports.clean import text as clean
from stophooks.secrets.mask import STARS, Mask
from stophooks.secrets.names import is_key
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.containers import Container, Mount
    from stophooks.models import Command, Secret
    from stophooks.plan import Plan, Section

# Of a script; the whole is in the JSON form and in the configuration.
SCRIPT_LINES = 3
# Of which a cpu has this many.
NANO = 1_000_000_000
_FAILURES = {Severity.BLOCK: "", Severity.WARN: ", warns only", Severity.IGNORE: ", may fail"}
MASKED = STARS.decode()
# What is not said in the configuration and left to the engine.
_ENGINES = "the engine's default"


def json(plan: Plan, mask: Mask | None = None) -> str:
    """The whole plan as one JSON document; durations are seconds, sizes are bytes.

    Values of variables whose names are those of secrets are masked, and whatever ``mask`` knows.
    """
    values = (mask or Mask()).values(to_json(plan))
    for command in (one for section in values["sections"] for one in section["commands"]):
        command["env"] = [
            [name, MASKED if is_key(name) else value] for name, value in command["env"]
        ]
    return dumps(values, indent=2)


def text(plan: Plan, mask: Mask | None = None) -> str:
    """The plan for a person, without what ``mask`` knows: a block per command.

    Of a container everything that decides what it can reach and use is said; of the rest what
    was asked for, or differs from the default.
    """
    rows = [*_files(plan)]
    for section in plan.sections:
        rows += ["", *_section(section)]
        for command in section.commands:
            rows += _command(command, is_users=command.source == plan.user_path is not None)
    return (mask or Mask()).text("\n".join(rows))


def _files(plan: Plan) -> Iterator[str]:
    """Which configurations are in it, and what they say of the project as a whole."""
    if plan.config_path == plan.user_path:
        yield f"{plan.config_path} (your own, for every project; this one: {plan.project_dir})"
    else:
        yield f"{plan.config_path} (project {plan.project_dir})"
        if plan.user_path is not None:
            yield f"{plan.user_path} (your own, for every project)"
    if plan.protect:
        yield f"protect: {', '.join(line(pattern, width=300) for pattern in plan.protect)}"
    if plan.must_trust:
        yield "trust: required; commands run for an agent only after stophooks trust"


def _section(section: Section) -> Iterator[str]:
    rules = [f"deadline {human_duration(section.deadline_s)}"]
    rules += [f"max_blocks {section.max_blocks}"] * (section.event in STOP_EVENTS)
    rules += ["fail_fast"] * section.fail_fast
    rules += _jobs(section)
    rules += ["does not wait for another run"] * (section.when_busy != WAIT)
    rules += ["what failed when the session began does not block"] * section.baseline
    count = len(section.commands)
    noun = "command" if count == 1 else "commands"
    of = f" of {line(section.of)}" if section.of else ""
    yield f"{section.event}{of}: {count} {noun}, {', '.join(rules)}"


def _jobs(section: Section) -> Iterator[str]:
    if section.jobs == 1:
        return
    yield "jobs auto" if section.jobs == MOST_JOBS else f"jobs {section.jobs}"
    containers = [one.container for one in section.commands if one.container]
    if any(one.memory_bytes is not None for one in containers):
        share = f"{section.max_memory_share:.0%}"
        most = section.max_memory_bytes
        yield f"max_memory {share if most is None else human_size(most)}"


def _command(command: Command, *, is_users: bool) -> Iterator[str]:
    limit = "no timeout" if command.timeout_s is None else human_duration(command.timeout_s)
    warns = _FAILURES[command.severity]
    origin = ", of your own configuration" if is_users else ""
    yield f"  {line(command.name)}  ({line(command.where)}, {limit}{warns}{origin})"
    body = [row for row in clean(command.line).split("\n") if row.strip()]
    for index, row in enumerate(body[:SCRIPT_LINES]):
        yield f"    {' ' if index else '$'} {line(row, width=120)}"
    if len(body) > SCRIPT_LINES:
        yield f"      ... and {len(body) - SCRIPT_LINES} more lines"
    for pair in _surroundings(command):
        yield from _row(pair)
    if command.container:
        yield from _container(command.container)


def _row(*pairs: tuple[str, object]) -> Iterator[str]:
    """Values that belong together in one line; none where none is given."""
    said = [
        f"{title}: {line(str(value), width=300)}" for title, value in pairs if value is not None
    ]
    if said:
        yield f"    {'; '.join(said)}"


def _surroundings(command: Command) -> Iterator[tuple[str, object]]:
    yield "description", command.description
    yield "runs", ", ".join(_terms(command)) or None
    for title, patterns in (
        ("inputs", command.inputs),
        ("files", command.files),
        ("exclude", command.exclude),
    ):
        yield title, ", ".join(patterns) or None
    yield "message", command.message
    hidden = [
        name
        for name, shown in (
            ("command", command.show_command),
            ("stdout", command.show_stdout),
            ("stderr", command.show_stderr),
        )
        if not shown
    ]
    yield "not shown", ", ".join(hidden) or None
    yield "max_output_lines", command.max_output_lines
    yield "shell", command.shell
    yield "pin", None if command.pin else "no"
    if command.container is None:
        yield "user", command.user
        yield "working_dir", command.working_dir
        yield "inherit_env", None if command.inherit_env else "no"
    # Names only: values are often secrets, and a terminal's scroll-back keeps them.
    yield "env", ", ".join(name for name, _ in command.env) or None
    yield "secrets", ", ".join(_secret(secret, command) for secret in command.secrets) or None
    if command.report is not None:
        yield "report", f"{command.report.format} from {command.report.path or 'standard output'}"


def _terms(command: Command) -> Iterator[str]:
    """Whether and how often it runs, where that is not always and once in all."""
    if command.when is not When.ALWAYS:
        yield f"if {command.when}"
    if command.for_each is not None:
        names = ", ".join(line(name) for name in command.only) or "all"
        yield f"for each {command.for_each} ({names})"
        yield from ["up to the first failure"] * command.stop_items
    yield from ["once"] * command.once
    if command.needs:
        yield f"needs {' and '.join(map(line, command.needs))}"
    yield from ["exclusive"] * command.exclusive
    yield from ["not again while nothing changed"] * command.skip_unchanged


def _secret(secret: Secret, command: Command) -> str:
    source = f"from {secret.from_file}" if secret.from_file else "of this machine's environment"
    is_variable = command.container is None or secret.expose is Expose.ENV
    return f"{secret.name} {source} as {'a variable' if is_variable else 'a file'}"


def _container(container: Container) -> Iterator[str]:
    drop, add = (" ".join(names) or "none" for names in (container.cap_drop, container.cap_add))
    yield from _row(
        ("pull", container.pull),
        ("platform", container.platform),
        ("workdir", container.workdir),
        ("workspace", container.workspace),
        ("network", container.network),
    )
    yield from _row(
        ("user", container.user or "the caller's uid and gid"),
        ("read_only", _yes(is_it=container.read_only)),
        ("no_new_privileges", _yes(is_it=container.no_new_privileges)),
        ("init", _yes(is_it=container.init)),
    )
    yield from _row(
        ("capabilities", f"drop {drop}, add {add}"),
        ("seccomp", _seccomp(container.seccomp)),
        ("apparmor", container.apparmor or _ENGINES),
    )
    yield from _row(("limits", ", ".join(_limits(container)) or None))
    yield from _row(("mounts", ", ".join(map(_mount, container.mounts)) or None))
    yield from _row(("tmpfs", ", ".join(map(_tmpfs, container.tmpfs)) or None))


def _mount(mount: Mount) -> str:
    options = [*(["ro"] * mount.readonly), *mount.options]
    return f"{mount.type} {mount.source or ''} -> {mount.target}".replace("  ", " ") + (
        f" ({', '.join(options)})" if options else ""
    )


def _tmpfs(mount: tuple[str, str]) -> str:
    target, options = mount
    return f"{target} ({options})" if options else target


def _seccomp(profile: str | None) -> str:
    if profile is None:
        return _ENGINES
    return profile if profile == "unconfined" else "a profile of your own"


def _limits(container: Container) -> Iterator[str]:
    for title, size in (
        ("memory", container.memory_bytes),
        ("shm_size", container.shm_size_bytes),
    ):
        if size is not None:
            yield f"{title} {human_size(size)}"
    if container.nano_cpus is not None:
        yield f"cpus {container.nano_cpus / NANO:g}"
    if container.pids_limit is not None:
        yield f"pids_limit {container.pids_limit}"
    for limit in container.ulimits:
        yield f"{limit.name} {limit.soft}:{limit.hard}"


def _yes(*, is_it: bool) -> str:
    return "yes" if is_it else "no"
