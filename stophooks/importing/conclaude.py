"""conclaude's ``.conclaude.yaml`` (github.com/connerohnesorge/conclaude, read 2026-11-30)."""

from __future__ import annotations

import re

from stophooks.importing import commands, globs, lines
from stophooks.importing.base import ForeignFileError, Importer, Table, root, shown, wrong
from stophooks.importing.tree import Block, Items, Pair, Remark, note, only_remarks
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.importing.base import Source

_EVENT = "stophooks has no such event"
_TOOLS = "stophooks does not look at single tool calls"
_SECTIONS = {
    "stop": "",
    "subagentStop": "",
    "preToolUse": "",
    "rules": "",
    "notifications": "there are no desktop notifications",
    "permissionRequest": _TOOLS,
    "permissionDenied": _TOOLS,
    "postToolUse": _TOOLS,
    "postToolBatch": _TOOLS,
    **dict.fromkeys(
        (
            *("userPromptSubmit", "userPromptExpansion", "skillStart", "teammateIdle", "setup"),
            *("taskCompleted", "taskCreated", "configChange", "worktreeCreate", "worktreeRemove"),
            *("sessionStart", "sessionEnd", "preCompact", "postCompact", "cwdChanged"),
            *("fileChanged", "elicitation", "elicitationResult", "instructionsLoaded"),
            *("messageDisplay", "stopFailure", "subagentStart", "postToolUseFailure"),
        ),
        _EVENT,
    ),
}
_SIGNS = ("stop", "subagentStop", "preToolUse", "notifications", "rules", "userPromptSubmit")
_STOP = {
    "infinite": "an agent whose checks pass may stop",
    "infiniteMessage": "an agent whose checks pass may stop",
    "rounds": "an agent whose checks pass may stop; max_blocks counts the stops that were refused",
}
_COMMAND = {"notifyPerCommand": "there are no desktop notifications"}
_KNOWN_IN_COMMAND = (
    *("run", "message", "showCommand", "showStdout", "showStderr", "maxOutputLines", "timeout"),
)
_MOST_LINES = 10_000


def convert(source: Source) -> Block:
    """The configuration: its stop sections, and protected files.

    Raises:
        ForeignFileError: It is not conclaude's, or a value has another form than conclaude takes.
    """
    whole = root(source, "conclaude", _SIGNS)
    known = {key for key, reason in _SECTIONS.items() if not reason}
    return Block(
        (
            *_protect(whole),
            *_stop(whole.table("stop")),
            *_subagent_stop(whole.table("subagentStop")),
            *whole.remarks(known, _SECTIONS),
        )
    )


def _stop(stop: Table) -> Iterator[Pair | Remark]:
    given = list(stop.tables("commands"))
    if (script := stop.text("run")) is not None:
        given.insert(0, Table({"run": script}, "stop"))
    remarks = stop.chosen().remarks({"commands", "run"}, _STOP)
    yield from _section("stop", given, remarks)


def _subagent_stop(stop: Table) -> Iterator[Pair | Remark]:
    """Ours run for every helper: what is for some of them only is not to run for all."""
    patterns = stop.table("commands")
    remarks = [*stop.remarks({"commands"}, _STOP)]
    for pattern in patterns.values:
        if pattern != "*" and patterns.tables(pattern):
            only = [command for one in patterns.tables(pattern) for command in _command(one)]
            remarks.append(
                Remark(
                    text=f"commands for subagents called {shown(pattern)} alone (stophooks runs "
                    "subagent_stop for every subagent):",
                    body=Items(tuple(only)),
                )
            )
    yield from _section("subagent_stop", list(patterns.tables("*")), remarks)


def _section(
    key: str, given: list[Table], remarks: Iterator[Remark] | list[Remark]
) -> Iterator[Pair | Remark]:
    made = [command for one in given for command in _command(one)]
    if not any(isinstance(command, Block) for command in made):
        yield from only_remarks(made)
        yield from remarks
        return
    before = (
        *remarks,
        note("conclaude stops at the first failure. Without this the agent hears of all at once."),
        commands.FAIL_FAST,
    )
    timeouts = [_timeout_s(one) for one in given]
    yield Pair(key, commands.section(made, before=before, timeouts_s=timeouts))


def _command(given: Table) -> Iterator[Block | Remark]:
    run = given.text("run")
    if run is None:
        raise ForeignFileError(f"{given.where}: run is missing; conclaude takes no command without")
    made = lines.script(run)
    if made is None:
        yield Remark(text=f"{given.where}.run: {shown(run)} (there is nothing to run)")
        return
    most = given.whole("maxOutputLines")
    values = {
        "run": made.run,
        "message": given.text("message") or None,
        "show_command": given.flag("showCommand"),
        "show_stdout": given.flag("showStdout"),
        "show_stderr": given.flag("showStderr"),
        "max_output_lines": most if most is not None and 1 <= most <= _MOST_LINES else None,
        "timeout": commands.limit(_timeout_s(given)),
    }
    block = commands.command(values, _command_remarks(given, values, run))
    yield Block((*([note(made.note)] if made.note else []), *block.parts))


def _timeout_s(given: Table) -> int | None:
    return given.whole("timeout")


def _command_remarks(given: Table, values: Mapping[str, object], run: str) -> Iterator[Remark]:
    yield from given.chosen().remarks(_KNOWN_IN_COMMAND, _COMMAND)
    for theirs, ours in (("maxOutputLines", "max_output_lines"), ("timeout", "timeout")):
        if theirs in given and values[ours] is None:
            yield Remark(text=f"{theirs}: {given.whole(theirs)} (out of range)")
    for name in dict.fromkeys(re.findall(r"\bCONCLAUDE_[A-Z_]+", run)):
        yield Remark(text=f"the variable {name} (stophooks sets its own, STOPHOOKS_…)")


def _protect(whole: Table) -> Iterator[Pair | Remark]:
    """Files that may not be edited: there each edit is refused, here the stop after it."""
    kept: list[str | Remark] = []
    remarks: list[Remark] = []
    for key in ("preToolUse", "rules"):
        rules = whole.table(key)
        kept += _patterns(rules)
        reasons = dict.fromkeys(rules.values, _TOOLS)
        remarks += [
            Remark(text=f"{key}.{remark.text}")
            for remark in rules.chosen().remarks(("uneditableFiles",), reasons)
        ]
    if any(isinstance(one, str) for one in kept):
        yield note(
            "conclaude refuses each edit of these files; here a change of one is a check that "
            "does not pass when the agent wants to stop."
        )
        yield Pair("protect", Items(tuple(kept)))
    else:
        remarks += [one for one in kept if isinstance(one, Remark)]
    yield from remarks


def _patterns(rules: Table) -> Iterator[str | Remark]:
    given = rules.values.get("uneditableFiles")
    if given is not None and not isinstance(given, list):
        raise wrong(rules.place("uneditableFiles"), "a list", given)
    for index, one in enumerate(given or ()):
        place = f"{rules.place('uneditableFiles')}[{index}]"
        rule = Table({"pattern": one} if isinstance(one, str) else one, place)
        if not isinstance(rule.values, dict):
            raise wrong(place, "a pattern or an object with pattern", one)
        pattern = rule.text("pattern")
        if pattern is None:
            raise ForeignFileError(f"{place}: pattern is missing")
        ours = _glob(pattern)
        yield from ours
        if not ours:
            yield Remark(text=f"uneditableFiles: {shown(pattern)} (protect has no such pattern)")
        yield from rule.remarks(("pattern",), {"message": "protect has one message for all"})


def _glob(pattern: str) -> list[str]:
    """A pattern of conclaude's in ours; none where ours cannot say it.

    Its ``*`` also stands for slashes, so that ``*.lock`` names files at any depth.
    """
    found = globs.expanded(pattern.removeprefix("./"))
    if any(set(one) & set("[]{}!") or one.startswith("/") or not one.strip() for one in found):
        return []
    return [one if "/" in one else f"**/{one}" for one in found]


IMPORTER = Importer(file=".conclaude.yaml", convert=convert)
