"""Whether a command line itself asks a known tool for output that a machine can read."""

from __future__ import annotations

import posixpath
import re
import shlex

from stophooks.models import ResultFile
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.models import Command

# With one of these it takes a shell to know what is run, with what, and where its output goes.
_SHELL = re.compile(r"[;&|<>`$(){}*?\[\]~#!\\\n]")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_PYTHON = re.compile(r"^python3(\.\d+)?$")
# Programs that run what follows them.
_PREFIXES = (
    ("python", "-m"),
    ("uv", "run"),
    ("poetry", "run"),
    ("pdm", "run"),
    ("pipx", "run"),
    ("uvx",),
    ("npx",),
    ("bunx",),
    ("pnpm", "exec"),
    ("yarn", "exec"),
    ("time",),
    ("nice",),
)
# Tool, what its arguments begin with, the options that ask, what they have to say, the format.
_ON_STDOUT: tuple[tuple[str, tuple[str, ...], tuple[str, ...], str | None, str], ...] = (
    ("ruff", ("check",), ("--output-format",), "json", "ruff-json"),
    ("mypy", (), ("--output", "-O"), "json", "mypy-json"),
    ("eslint", (), ("--format", "-f"), "json", "eslint-json"),
    ("jest", (), ("--json",), None, "jest-json"),
    ("vitest", (), ("--reporter",), "json", "jest-json"),
    ("go", ("test",), ("-json", "--json"), None, "go-test-json"),
    ("cargo", (), ("--message-format",), "json", "cargo-json"),
    ("tsc", (), ("--pretty",), "false", "tsc"),
)
_OUTPUT_FILES = {
    "ruff-json": ("--output-file", "-o"),
    "eslint-json": ("--output-file", "-o"),
    "jest-json": ("--outputFile", "--outputFile.json"),
}
_JUNIT = ("--junitxml", "--junit-xml")
_PYTEST = ("pytest", "py.test")


def asked(command: Command) -> ResultFile | None:
    """What the command line says about its results; None where it says nothing for certain."""
    words = _words(command)
    if not words:
        return None
    program, rest = posixpath.basename(words[0]), words[1:]
    if program in _PYTEST:
        path = _value(rest, _JUNIT)
        return ResultFile(format="junit", path=_absolute(command, path)) if path else None
    for tool, first, options, wanted, name in _ON_STDOUT:
        if program != tool or tuple(rest[: len(first)]) != first:
            continue
        given = _value(rest, options, alone=wanted is None)
        if given is None or (wanted is not None and given != wanted):
            continue
        path = _value(rest, _OUTPUT_FILES.get(name, ()))
        return ResultFile(format=name, path=_absolute(command, path) if path else None)
    return None


def _words(command: Command) -> list[str]:
    """The one program that is run, and its arguments; none where a shell decides about it."""
    if command.argv is not None:
        words = list(command.argv)
    else:
        script = (command.run or "").strip()
        if _SHELL.search(script):
            return []
        try:
            words = shlex.split(script)
        except ValueError:
            return []
    while words and (_VARIABLE.match(words[0]) or words[0] == "exec"):
        words = words[1:]
    return _without_prefix(words)


def _without_prefix(words: list[str]) -> list[str]:
    for prefix in _PREFIXES:
        program = _PYTHON.sub("python", posixpath.basename(words[0])) if words else ""
        if (program, *words[1 : len(prefix)]) == prefix:
            return _without_prefix(words[len(prefix) :])
    return words


def _value(words: Sequence[str], options: Sequence[str], *, alone: bool = False) -> str | None:
    """What the last of these options says; an option that needs nothing says an empty text."""
    found = None
    for index, word in enumerate(words):
        if word == "--":
            break
        name, equals, value = word.partition("=")
        if name in options:
            after = words[index + 1] if index + 1 < len(words) else None
            found = value if equals else "" if alone else after
    return found


def _absolute(command: Command, path: str) -> str:
    if command.container is not None:
        return posixpath.normpath(posixpath.join(command.container.workdir, path))
    return posixpath.normpath(posixpath.join(command.working_dir or command.project_dir, path))
