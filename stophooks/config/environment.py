"""The environment of a command: files, lists and objects merged, ``${NAME}`` filled in."""

from __future__ import annotations

import re

from stophooks.config.document import Path, quoted
from stophooks.config.files import FileUnusableError, read_text
from stophooks.models import KIB
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from stophooks.config.findings import Findings

# Linux gives a program no single text longer than this (MAX_ARG_STRLEN, execve(2)), its final
# NUL included.
MAX_TEXT_BYTES = 128 * KIB - 1

_REFERENCE = re.compile(r"\$(?:\$|\{([^{}]*)(\})?)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WITH_DEFAULT = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)
_ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([^=\s]+)\s*=[ \t]*(.*?)\s*", re.DOTALL)
_COMMENT = re.compile(r"\s#.*\Z", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


def resolve(
    given: list[str] | dict[str, Any] | None, where: Path, findings: Findings
) -> dict[str, str]:
    """The variables in an ``env`` or ``default_env`` value, filled in."""
    env: dict[str, str] = {}
    for name, text, place in _assignments(given, where, findings):
        value = _filled_in(text, place, findings)
        if _fits(name, value, place, findings):
            env[name] = value
    return env


def from_file(name: str, where: Path, findings: Findings) -> dict[str, str]:
    """The variables in an ``env_file``, as they are written there."""
    path = findings.followed(name, where)
    if path is None:
        return {}
    findings.read.append(path)
    try:
        text = read_text(path)
    except FileUnusableError as err:
        findings.problem(where, f"{quoted(name)} cannot be used: {err}", hint=err.hint)
        return {}
    env: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _ASSIGNMENT.fullmatch(line)
        value = _unquoted(match[2]) if match else None
        if match is None or value is None:
            hint = "write KEY=VALUE" if match is None else "close the quote on the same line"
            findings.problem(where, f"{quoted(name)}, line {number}: not KEY=VALUE", hint=hint)
        elif _fits(match[1], value, where, findings):
            env[match[1]] = value
    return env


def _assignments(
    given: list[str] | dict[str, Any] | None, where: Path, findings: Findings
) -> Iterator[tuple[str, str, Path]]:
    """Name, text and place of each variable in either form."""
    if isinstance(given, dict):
        for name, value in given.items():
            place = (*where, name)
            # As it is written: `1.10` and `on` are not to become `1.1` and `true`.
            text = value if isinstance(value, str) else findings.document.raw(place, value)
            yield name, text, place
    for index, line in enumerate(given if isinstance(given, list) else ()):
        name, _, text = line.partition("=")
        yield name, text, (*where, index)


def _fits(name: str, value: str, where: Path, findings: Findings) -> bool:
    """Whether a program can be given this variable."""
    if not name or "=" in name or any(char.isspace() for char in name):
        findings.problem(where, f"{quoted(name)} cannot be a variable's name")
        return False
    size = len(f"{name}={value}".encode(errors="surrogateescape"))
    if "\0" in value or size > MAX_TEXT_BYTES:
        what = "contains a NUL character" if "\0" in value else "is longer than 128 KiB"
        findings.problem(where, f"the value of {name} {what}; no program can be given it")
        return False
    return True


def _filled_in(text: str, where: Path, findings: Findings) -> str:
    def replacement(match: re.Match[str]) -> str:
        if match[0] == "$$":
            return "$"
        value = _looked_up(match, findings.environ)
        if isinstance(value, str):
            return value
        findings.problem(where, value[0], hint=value[1])
        return ""

    return _REFERENCE.sub(replacement, text)


def _looked_up(match: re.Match[str], environ: Mapping[str, str]) -> str | tuple[str, str]:
    """The value of ``${NAME}`` or ``${NAME:-default}``, or a message and a hint."""
    parts = _WITH_DEFAULT.fullmatch(match[1])
    if match[2] is None or parts is None:
        return (
            f"{quoted(match[0])} cannot be filled in",
            "write ${NAME}, ${NAME:-default}, or $$ for a dollar sign",
        )
    name, default = parts[1], parts[2]
    value = environ.get(name)
    if value or (value is not None and default is None):
        return value
    if default is not None:
        return default
    return (
        f"the variable {name} is not set on this machine",
        f"set it, or write ${{{name}:-default}}",
    )


def _unquoted(text: str) -> str | None:
    """The value behind ``=`` in a file: quotes and comments off; None if a quote stays open."""
    quote = text[:1]
    if quote not in {'"', "'"}:
        return _COMMENT.sub("", " " + text).strip() if "#" in text else text
    end = _closing(text, quote)
    rest = text[end + 1 :].strip() if end else ""
    if not end or (rest and not rest.startswith("#")):
        return None
    inner = text[1:end]
    if quote == "'":
        return inner
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[0]), inner)


def _closing(text: str, quote: str) -> int:
    """Where the quote that begins a text is closed; 0 if nowhere."""
    pattern = r'"(?:[^"\\]|\\.)*"' if quote == '"' else r"'[^']*'"
    match = re.match(pattern, text)
    return match.end() - 1 if match else 0
