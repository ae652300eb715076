"""The steps of kepler's hooks as commands of ours, a section for each event."""

from __future__ import annotations

import re

from stophooks.importing import commands
from stophooks.importing.base import ForeignFileError, Table, shown, wrong
from stophooks.importing.tree import Block, Items, Pair, Remark, Value, note, only_remarks, texts
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NO_EXPRESSIONS = "nothing is computed here, and no text is filled in"
_GATES = ("on_init", "pre_start")
# Where the event itself is no success, so that `if: success` would mean more than the steps.
_BAD = ("post_exit", "post_healthcheck_fail")
_EVENTS = (
    *_GATES,
    *("post_start", "pre_stop", "post_stop", "pre_restart", "post_restart"),
    *("post_exit", "post_healthcheck_success", "post_healthcheck_fail", "pre_cleanup"),
)
# Names of kepler's first versions: of one that means the same, the newer name.
_OLDER = {"on_cleanup": "pre_cleanup"}
_STEP = ("run", "command", "if", "user", "working_dir", "environment", "env_file")
_REASONS = {
    "groups": "a user has the groups that the machine gives it",
    "inherit_env": "a command sees what stophooks sees, and the service's variables",
    "user_identity": "HOME and the like are the user's",
    "no_new_privileges": "it is for commands in containers",
    "output": "no output is kept for other commands",
}
_EXPRESSION = re.compile(r"\$\{\{|^!lua\b")
_CALL = re.compile(r"(always|success|failure)\(\s*\)")
_FIRST_START = re.compile(r"not\s+hook\.initialized")
_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(:-[^{}]*)?\}|\$")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One step: the event it is for, when it runs (None: unless one before failed), what it is.

    ``why`` says why it can be a comment alone.
    """

    event: str
    when: str | None
    given: Table
    why: str | None = None


def sections(hooks: Table) -> tuple[Pair | Remark, ...]:
    """A section for each event that there are steps for, and a remark for each other hook."""
    found = [step for event in hooks.values for step in _steps(hooks, event)]
    parts: list[Pair | Remark] = []
    for event in _EVENTS:
        parts += _section(event, [step for step in found if step.event == event])
    for event in dict.fromkeys(step.event for step in found):
        if event not in _EVENTS:
            bodies = [_command(step, None) for step in found if step.event == event]
            parts.append(Remark(text=f"{event} (no such event):", body=Items(tuple(bodies))))
    return tuple(parts)


def static(given: Table, theirs: str, ours: str) -> Iterator[Pair | Remark]:
    """A text under our name, or a remark where it is to be computed."""
    text = given.text(theirs)
    if text is None:
        return
    if _is_computed(text):
        yield Remark(text=f"{theirs}: {shown(text)} ({NO_EXPRESSIONS})")
    else:
        yield Pair(ours, text)


def environment(given: Table) -> tuple[Block | None, list[Remark]]:
    """The variables of a service or a step, and those that are to be computed."""
    static_ones: dict[str, str] = {}
    lost: list[Remark] = []
    for name, value in _variables(given).items():
        if _is_computed(value):
            lost.append(Remark(text=f"environment: {name}={shown(value)} ({NO_EXPRESSIONS})"))
        elif not name:
            lost.append(Remark(text=f"environment: {shown(value)} (it has no value)"))
        else:
            static_ones[name] = value
    return commands.environment(static_ones, _reference), lost


def _variables(given: Table) -> Mapping[str, str]:
    value = given.values.get("environment")
    if isinstance(value, str) and _is_computed(value):
        return {"": value}
    if isinstance(value, list):
        found = {}
        for text in given.texts("environment"):
            name, equals, rest = text.partition("=")
            found[name if equals else ""] = rest if equals else name
        return found
    table = given.table("environment")
    return {name: table.text(name) or "" for name in table.values}


def _reference(text: str) -> str:
    """A text in which ``${NAME}`` alone stands for a variable, as our configuration has it."""
    return _REFERENCE.sub(
        lambda match: f"${{{match[1]}{match[2] or ':-'}}}" if match[1] else "$$", text
    )


def _is_computed(text: str) -> bool:
    return bool(_EXPRESSION.search(text))


def _steps(hooks: Table, event: str) -> Iterator[_Step]:
    value = hooks.values[event]
    given = [hooks.table(event)] if isinstance(value, dict) else hooks.tables(event)
    name = _OLDER.get(event, event)
    for step in given:
        if "run" not in step and "command" not in step:
            raise ForeignFileError(f"{step.where}: neither run nor command is there")
        yield _judged(name, step)


def _judged(event: str, step: Table) -> _Step:
    """When a step runs, as far as ours can say it."""
    run = [text for text in (step.values.get("run"), *_argv(step)) if isinstance(text, str)]
    if any(_is_computed(text) for text in run):
        return _Step(event=event, when=None, given=step, why=NO_EXPRESSIONS)
    condition: Any = step.values.get("if")
    if condition is None:
        return _Step(event=event, when=None, given=step)
    if isinstance(condition, bool):
        why = None if condition else "it never runs"
        return _Step(event=event, when="always", given=step, why=why)
    if not isinstance(condition, str):
        raise wrong(step.place("if"), "true, false or an expression", condition)
    inner = _bare(condition)
    if call := _CALL.fullmatch(inner):
        return _Step(event=event, when=None if call[1] == "success" else call[1], given=step)
    if event == "pre_start" and _FIRST_START.fullmatch(inner):
        return _Step(event="on_init", when=None, given=step)
    return _Step(event=event, when=None, given=step, why=f"if: {shown(inner)}; {NO_EXPRESSIONS}")


def _bare(condition: str) -> str:
    """An expression without what marks it as one."""
    inner = condition.strip()
    for mark in ("!lua", "return ", "${{"):
        inner = inner.removeprefix(mark).lstrip()
    return inner.removesuffix("$").removesuffix("}}").rstrip()


def _argv(step: Table) -> tuple[str, ...]:
    return step.texts("command")


def _section(event: str, found: list[_Step]) -> Iterator[Pair | Remark]:
    kept = [step for step in found if step.why is None]
    special = any(step.when is not None for step in kept)
    made: list[Block | Remark] = []
    for step in found:
        later = bool(kept) and step is not kept[0]
        asks = later and special and event not in _BAD
        when = step.when or ("success" if asks else None)
        command = _command(step, when if step.why is None else None)
        made.append(
            command
            if step.why is None
            else Remark(text=f"a step ({step.why}):", body=Items((command,)))
        )
    if not kept:
        yield from only_remarks(made)
        return
    before: list[Pair | Remark] = [
        note("kepler sets no limit; without this it would be 30s."),
        Pair("default_timeout", "5m"),
    ]
    if special and event in _GATES:
        before += [note("So that what is to run after a failure does."), commands.NOT_FAIL_FAST]
    if not special and event not in _GATES and kept[1:]:
        before.append(commands.FAIL_FAST)
    if special and event in _BAD and any(step.when is None for step in kept[1:]):
        before.append(Remark(text="a step is skipped after one that failed (each of them runs)"))
    yield Pair(event, commands.section(made, before=before))


def _command(step: _Step, when: str | None) -> Block:
    given = step.given
    argv = _argv(given)
    variables, lost = environment(given)
    values: dict[str, Value] = {
        "run": given.text("run"),
        "command": texts(argv) if argv else None,
        "if": when,
        "env": variables,
    }
    for key in ("user", "working_dir", "env_file"):
        for part in static(given, key, key):
            if isinstance(part, Pair):
                values[key] = part.value
            else:
                lost.append(part)
    return commands.command(values, [*lost, *given.remarks(_STEP, _REASONS)])
