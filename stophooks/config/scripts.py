"""The scripts of a project that its commands start, found by their names in the commands."""

from __future__ import annotations

import os
import posixpath
import re
import shlex

from stophooks.events import STOP_EVENTS
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stophooks.models import Command
    from stophooks.plan import Plan

# Programs that are given a script as their first argument that is no option.
_INTERPRETERS = re.compile(
    r"(ba|da|k|z)?sh|python[0-9.]*|pypy[0-9.]*|node|bun|deno|ruby|perl|php|source|\."
)
# Words behind which a command begins, as at the start of a line.
_LEADING = frozenset(
    {"!", "{", "do", "else", "elif", "exec", "if", "then", "time", "until", "while"}
    | {"builtin", "command", "env", "nice", "nohup", "poetry", "run", "sudo", "timeout", "uv"}
)
_LOOSE = re.compile(r"[;&|()<>]+|[^\s;&|()<>'\"]+")
# Behind it is what the command writes; what is behind `<` may be its script.
_WRITES = re.compile(r"&?>+[&|]?")
_OPERATOR = re.compile(r"[;&|()<>]+")
# What may stand between such a word and the command: `FOO=1`, and the `5m` of a timeout.
_BETWEEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=|[0-9.]+[smhd]?\Z")
# Options behind which no script is named: what runs is their own argument.
_INLINE = ("-c", "-m", "-e", "-p", "--eval", "--print")
_WORKSPACE = "/workspace"


def scripts(plan: Plan) -> dict[str, tuple[Command, ...]]:
    """The files that checks with ``pin`` start, each with those checks; absolute paths.

    Files of the project, and of the directory of the configuration that the check stands in.
    """
    found: dict[str, tuple[Command, ...]] = {}
    for section in plan.sections:
        for command in section.commands if section.event in STOP_EVENTS else ():
            for path in dict.fromkeys(started(command) if command.pin else ()):
                found[path] = (*found.get(path, ()), command)
    return found


def started(command: Command) -> Iterator[str]:
    """The files that one command starts, as `scripts` has them."""
    homes = {os.path.realpath(command.project_dir)}
    homes |= {os.path.realpath(os.path.dirname(command.source))} if command.source else set()
    for word in _named(command):
        path = _on_host(word, command)
        real = os.path.realpath(path or "/")
        if path and os.path.isfile(real) and any(_is_inside(real, home) for home in homes):
            yield path


def _is_inside(path: str, directory: str) -> bool:
    return path.startswith(directory.rstrip("/") + "/")


def _named(command: Command) -> Iterator[str]:
    if command.argv is not None:
        yield from _of_words(command.argv)
        return
    text = (command.run or "").replace("\\\n", " ")
    for line in text.split("\n"):
        for words in _simple_commands(line):
            yield from _of_words(words)


def _simple_commands(line: str) -> Iterator[list[str]]:
    """The words of each command in a line of a shell's script, as well as words tell."""
    words: list[str] = []
    is_written = False
    for word in _words(line):
        if word.startswith("#"):
            break
        if _WRITES.fullmatch(word):
            is_written = True
        elif _OPERATOR.fullmatch(word):
            yield words
            words = []
        elif not is_written:
            words.append(word)
        is_written = is_written and _WRITES.fullmatch(word) is not None
    yield words


def _words(line: str) -> list[str]:
    reader = shlex.shlex(line, posix=True, punctuation_chars=True)
    reader.whitespace_split = True
    reader.commenters = ""
    try:
        return list(reader)
    except ValueError:  # a quote that is closed in another line
        return _LOOSE.findall(line)


def _of_words(words: Sequence[str]) -> Iterator[str]:
    """The script that one command starts, if it is one."""
    rest = list(words)
    while rest and (rest[0] in _LEADING or _BETWEEN.match(rest[0])):
        rest.pop(0)
    if not rest:
        return
    if "/" in rest[0]:
        yield rest[0]
    if _INTERPRETERS.fullmatch(posixpath.basename(rest[0])):
        yield from _arguments(rest[1:])


def _arguments(words: Iterable[str]) -> Iterator[str]:
    for word in words:
        if word in _INLINE:
            return
        if not word.startswith("-"):
            yield word
            return


def _on_host(word: str, command: Command) -> str | None:
    """Where this machine has a file that a command names; of a container's only the project's."""
    if command.container is None:
        base = command.working_dir or command.project_dir
        return os.path.normpath(os.path.join(base, word))
    inside = posixpath.normpath(posixpath.join(command.container.workdir, word))
    if command.container.workspace == "none" or not _is_inside(inside, _WORKSPACE):
        return None
    return os.path.join(command.project_dir, inside.removeprefix(_WORKSPACE + "/"))
