"""canopy's ``config.yaml`` (github.com/alexisbeaulieu97/canopy, docs/hooks.md, 2026-11-30).

Its hooks see variables called CANOPY_…, and may hold templates of Go's, which become these
variables where a shell would read them so.
"""

from __future__ import annotations

import posixpath
import re

from stophooks.importing import commands
from stophooks.importing.base import ForeignFileError, Importer, Table, root, shown
from stophooks.importing.tree import Block, Items, Pair, Remark, note, only_remarks, texts
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.importing.base import Source
    from stophooks.importing.tree import Value

_PLACES = "a workspace is where it is made, and repositories are named when it is"
_KEYS = {
    "hooks": "",
    **dict.fromkeys(
        (
            *("projects_root", "workspaces_root", "closed_root", "workspace_naming"),
            *("workspace_close_default", "defaults", "templates", "registry"),
        ),
        _PLACES,
    ),
    "stale_threshold_days": "workspaces do not become stale",
    "parallel_workers": "worktrees are made one after the other",
    "lock_timeout": "there is no such lock",
    "lock_stale_threshold": "there is no such lock",
    "git": "git is asked once",
    "tui": "there is no such screen",
}
# Keys that no other tool here has at the top.
_SIGNS = ("hooks", "projects_root", "workspaces_root", "closed_root", "workspace_naming")
_EVENTS = ("post_create", "pre_close")
_HOOK = ("command", "description", "repos", "shell", "timeout", "continue_on_error")
_VARIABLES = {
    "WorkspaceID": "CANOPY_WORKSPACE_ID",
    "WorkspacePath": "CANOPY_WORKSPACE_PATH",
    "BranchName": "CANOPY_BRANCH",
}
_TEMPLATE = re.compile(r"\{\{\s*\.(WorkspaceID|WorkspacePath|BranchName)\s*\}\}")
# A text whose braces the program that is given it fills in.
_FORMAT = re.compile(r"(?<!\S)--(?:format|template)(?:=|\s+)(?:'[^']*'|\"[^\"]*\")")
# What a shell sees of a line: an escape, a quote, a template, or what begins a text of its own,
# the last of them a comment and a here-document.
_TOKEN = re.compile(rf"\\.|\$?'|\"|\$\(|`|(?<![^\s;&|()])#|<<+|{_TEMPLATE.pattern}", re.DOTALL)
# Shells whose quotes these are, by their names.
_SHELLS = {"sh", "bash", "dash", "zsh", "ksh", "mksh", "ash"}


def convert(source: Source) -> Block:
    """The configuration: a workspace section.

    Raises:
        ForeignFileError: It is not canopy's, or a value has another form than canopy takes.
    """
    whole = root(source, "canopy", _SIGNS)
    hooks = whole.table("hooks")
    parts: list[Pair | Remark] = [Pair("compat", "canopy")]
    for event in _EVENTS:
        parts += _section(event, hooks.tables(event))
    parts += hooks.remarks(_EVENTS, {})
    rest = whole.remarks({"hooks"}, _KEYS)
    if not any(isinstance(part, Pair) and part.key in _EVENTS for part in parts):
        return Block((*(part for part in parts if isinstance(part, Remark)), *rest))
    return Block((Pair("workspace", Block(tuple(parts))), *rest))


def _section(event: str, hooks: tuple[Table, ...]) -> Iterator[Pair | Remark]:
    made = [part for hook in hooks for part in _command(event, hook)]
    if not any(isinstance(part, Block) for part in made):
        yield from only_remarks(made)
        return
    timeouts_s = [hook.whole("timeout") or 0 for hook in hooks]
    before = (commands.FAIL_FAST,)
    yield Pair(event, commands.section(made, before=before, timeouts_s=timeouts_s))


def _command(event: str, hook: Table) -> Iterator[Block | Remark]:
    given = hook.text("command")
    if given is None or not given.strip():
        raise ForeignFileError(f"{hook.where}: command is missing; canopy takes no hook without")
    repos = hook.texts("repos")
    shell = hook.text("shell")
    run = _run(given, shell or "sh")
    values: dict[str, Value] = {
        "description": hook.text("description") or None,
        "run": run or given,
        "shell": shell if shell and commands.is_shell(shell) else None,
        "timeout": commands.limit(hook.whole("timeout")),
        "repos": texts(repos) if repos else None,
        "on_item_failure": "stop" if repos else None,
    }
    if hook.flag("continue_on_error"):
        # What is told, too, ends the others of an event that nothing waits for.
        gate = event == "pre_close"
        values |= {"continue_on_error": True} if gate else {"on_failure": "ignore"}
    remarks = [*hook.remarks(_HOOK, {}), *_lost(hook, values)]
    if run is None:
        why = (
            "a command is no template, and a variable cannot be put in its place: write CANOPY_…, "
            "or repos, which runs it for each"
        )
        body = Items((commands.command(values, remarks),))
        yield Remark(text=f"the template in {shown(given)} ({why}):", body=body)
        return
    if run != given:
        remarks.append(note("The variables stand where canopy would put its own text."))
    yield commands.command(values, remarks)


def _lost(hook: Table, values: dict[str, Value]) -> Iterator[Remark]:
    if hook.text("shell") and values["shell"] is None:
        why = "a program's name or an absolute path; it is given -c and the command"
        yield Remark(text=f"shell: {shown(hook.text('shell'))} ({why})")
    if hook.whole("timeout") and values["timeout"] is None:
        yield Remark(text=f"timeout: {hook.whole('timeout')} (no time, or more than a day)")


def _run(command: str, shell: str) -> str | None:
    """The command with variables for its templates; None where it cannot be made so."""
    known = _TEMPLATE.search(command)
    if "{{" in _TEMPLATE.sub("", _FORMAT.sub(_without_braces, command)):
        return None
    if not known:
        return command
    program = posixpath.basename("".join(shell.split()[:1]))
    made = _filled(command) if program in _SHELLS else None
    # Behind a backslash a template is none to the look at single characters.
    return None if made is None or _TEMPLATE.search(made) else made


def _without_braces(match: re.Match[str]) -> str:
    return match[0].replace("{{", "") if not _TEMPLATE.search(match[0]) else match[0]


def _filled(command: str) -> str | None:
    quote, made, end = "", [], 0
    for match in _TOKEN.finditer(command):
        made.append(command[end : match.start()])
        end = match.end()
        token = match[0]
        if _is_other_text(token, quote):
            return None
        if token.startswith("{{"):
            token = _variable(match[1], quote)
        elif token[0] in "\\$" and quote == "'":
            # There these are themselves, and what follows may be the end.
            quote = "" if token[1] == "'" else quote
        elif token in {"'", '"'} and quote in {"", token}:
            quote = "" if quote else token
        made.append(token)
    made.append(command[end:])
    return "".join(made)


def _is_other_text(token: str, quote: str) -> bool:
    """Whether a text begins whose quotes need more than a look at single characters."""
    if quote == '"':
        return token in {"$(", "`"}
    return not quote and (token in {"$'", "#", "<<"})


def _variable(name: str, quote: str) -> str:
    variable = f"${{{_VARIABLES[name]}}}"
    return {"'": f"'\"{variable}\"'", '"': variable}.get(quote, f'"{variable}"')


IMPORTER = Importer(file="config.yaml", convert=convert)
