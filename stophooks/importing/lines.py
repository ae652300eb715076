"""Scripts whose lines another tool runs one by one, each in a shell of its own, as one script."""

from __future__ import annotations

import re

from stophooks.values import dataclass

# What changes the shell itself, or has a line of its own mean something else beside others.
_STATEFUL = {
    *("cd", "pushd", "popd", "export", "set", "unset", "shopt", "source", ".", "alias", "exit"),
    *("exec", "return", "eval", "trap", "ulimit", "umask", "local", "declare", "readonly", "time"),
    *("if", "for", "while", "until", "case", "select", "function", "wait", "read", "builtin"),
}
_CLOSERS = {"if": "fi", "for": "done", "while": "done", "until": "done", "select": "done"}
_CLOSERS["case"] = "esac"
_INNER = {"then", "else", "elif", "fi", "do", "done", "esac", "}", "{", ")", ";;"}
_GOES_ON = re.compile(r"(\\|\||&&|\{|\(|\bdo|\bthen|\belse|\bin)\s*$")
_QUOTES = re.compile(r"""\\.|'[^']*'|"(?:\\.|[^"\\])*"|(?<!\S)#.*$""", re.DOTALL)
_HEREDOC = re.compile(r"(?<!<)<<(?!<)")
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")
_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """One script in the place of several, and what a person has to know about it."""

    run: str
    note: str | None = None


def script(text: str) -> Script | None:
    """A script that stops at the first line that fails; None where there is nothing to run.

    Each line is a script of its own for the other tool; blank lines and comments are none.
    """
    wanted = [line for line in text.splitlines() if _is_wanted(line)]
    if not wanted:
        return None
    if len(wanted) == 1:
        return Script(run=wanted[0].strip())
    rows = [line.rstrip() for line in text.strip("\n").splitlines()]
    if any(_belongs_to_others(line) for line in wanted):
        return Script(
            run="\n".join(["set -e", *rows]) + "\n",
            note="conclaude would run each of these lines in a shell of its own, though they "
            "belong together; here they are one script, and `set -e` ends it where one fails.",
        )
    made = ["set -e", *(_alone(row.strip()) if _is_wanted(row) else row for row in rows)]
    return Script(
        run="\n".join(made) + "\n",
        note="conclaude runs each line in a shell of its own and stops at the first that fails; "
        "`set -e` and the lines in parentheses do the same.",
    )


def _is_wanted(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _alone(line: str) -> str:
    """A line as it is where `set -e` ends at its failure and it changes nothing, or guarded."""
    bare = _QUOTES.sub(" ", line)
    first = bare.split(maxsplit=1)[0] if bare.strip() else ""
    simple = not re.search(r"[;&!]|\|\|", bare)
    if simple and first not in _STATEFUL and not _ASSIGNMENT.match(line):
        return line
    return f"(\n{line}\n) || exit" if "#" in line else f"({line}) || exit"


def _belongs_to_others(line: str) -> bool:
    """Whether a line is only a part of a command that goes over several."""
    bare = _QUOTES.sub(" ", line)
    words = _WORD.findall(bare)
    first = bare.split(maxsplit=1)[0] if bare.strip() else ""
    closer = _CLOSERS.get(first)
    return (
        "'" in bare
        or '"' in bare
        or first in _INNER
        or bool(closer and closer not in words)
        or bool(_GOES_ON.search(line) or _HEREDOC.search(bare))
        or bare.count("(") != bare.count(")")
        or bare.count("{") != bare.count("}")
    )
