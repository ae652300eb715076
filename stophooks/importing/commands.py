"""Commands and sections of ours, with their keys in our order."""

from __future__ import annotations

import re
from collections import Counter

from stophooks.importing.tree import Block, Items, Pair, Remark, Value, note
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

# The order in which a person reads them: what it is, what it runs, where, what follows.
_ORDER = (
    *("name", "description", "run", "command", "shell", "message", "show_command", "show_stdout"),
    *("show_stderr", "max_output_lines", "timeout", "if", "once", "for_each", "only", "repos"),
    *(
        "on_item_failure",
        "on_failure",
        "continue_on_error",
        "env",
        "env_file",
        "inherit_env",
        "working_dir",
        "user",
    ),
    *("image", "workdir"),
)
_NAME_LENGTH = 100
_UNNAMEABLE = re.compile(r"[\x00-\x1f]+")
# In ours a dollar sign that is meant is written twice.
_VARIABLE = re.compile(r"\$(?:([A-Za-z_][A-Za-z0-9_]*)|\{([A-Za-z_][A-Za-z0-9_]*)\})|\$")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
# Seconds that a section and a command of it have where nothing is said.
_DEADLINE_S, _TIMEOUT_S = 540, 300


FAIL_FAST, NOT_FAIL_FAST = Pair("fail_fast", True), Pair("fail_fast", False)  # noqa: FBT003 - values

AT_ONCE = Pair("jobs", "auto")


def command(values: Mapping[str, Value], remarks: Iterable[Remark] = ()) -> Block:
    """One command: the values that are not None in our order, then what has no equal."""
    given = {key: value for key, value in values.items() if value is not None}
    pairs = [Pair(key, given[key]) for key in sorted(given, key=_ORDER.index)]
    return Block((*pairs, *remarks))


def section(
    commands: Iterable[Block | Remark],
    *,
    before: Iterable[Pair | Remark] = (),
    timeouts_s: Iterable[int | None] = (),
) -> Block:
    """A section: its rules, then its commands.

    Where the commands' own timeouts in seconds add up to more than a section has, it gets as much.
    """
    known = list(timeouts_s)
    total = sum(_TIMEOUT_S if seconds is None else seconds for seconds in known)
    parts: list[Pair | Remark] = list(before)
    if sum(seconds or 0 for seconds in known) > _DEADLINE_S:
        parts.append(note("Room for the timeouts below; without it all commands together have 9m."))
        parts.append(Pair("deadline", duration(total)))
    return Block((*parts, Pair("commands", Items(tuple(_named(commands))))))


def _named(parts: Iterable[Block | Remark]) -> Iterator[Block | Remark]:
    """The commands with names that our configuration takes, each of them once."""
    taken: Counter[str] = Counter()
    for part in parts:
        if isinstance(part, Block):
            yield Block(tuple(_renamed(one, taken) for one in part.parts))
        else:
            yield part


def _renamed(part: Pair | Remark, taken: Counter[str]) -> Pair | Remark:
    if not isinstance(part, Pair) or part.key != "name":
        return part
    plain = _UNNAMEABLE.sub(" ", str(part.value)).strip()[:_NAME_LENGTH].strip() or "unnamed"
    name = plain
    while taken[name]:
        taken[plain] += 1
        ending = f" ({taken[plain]})"
        name = plain[: _NAME_LENGTH - len(ending)] + ending
    taken[name] += 1
    return Pair("name", name)


def duration(seconds: int) -> str:
    """A number of seconds as our configuration has it."""
    for unit, size in (("h", _HOUR), ("m", _MINUTE)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def limit(seconds: int | None) -> str | None:
    """A timeout in seconds as our configuration has it; None where it is no time, or over a day."""
    return duration(seconds) if seconds is not None and 0 < seconds <= _DAY else None


def is_shell(text: str) -> bool:
    """Whether a text is a shell as our configuration takes one: a name or an absolute path."""
    return len(text.split()) == 1 and ("/" not in text or text.startswith("/"))


def environment(given: Mapping[str, str], write: Callable[[str], str]) -> Block | None:
    """Variables; ``write`` says what the tool fills in as our configuration has it."""
    if not given:
        return None
    return Block(tuple(Pair(name, write(text)) for name, text in given.items()))


def with_variables(text: str) -> str:
    """A text in which ``$NAME`` and ``${NAME}`` stand for variables, empty where there are none."""

    def replaced(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        return f"${{{name}:-}}" if name else "$$"

    return _VARIABLE.sub(replaced, text)
