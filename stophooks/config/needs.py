"""What commands of one section need of each other: it has to be there, to end and to count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stophooks.config.document import quoted
from stophooks.config.suggestions import word_meant
from stophooks.models import Severity, When

if TYPE_CHECKING:
    from stophooks.config.document import Path
    from stophooks.config.findings import Findings
    from stophooks.config.models import Section
    from stophooks.models import Command

_WEIGHT = {Severity.BLOCK: 2, Severity.WARN: 1, Severity.IGNORE: 0}
_MEANS = {Severity.WARN: "only warned of", Severity.IGNORE: "ignored"}
# So many names fit into a hint.
_FEW = 8


def check(commands: tuple[Command, ...], section: Section, where: Path, findings: Findings) -> None:
    """Tell every need that cannot be met, or that could hide that something was not checked."""
    if any(place[: len(where)] == where for place in findings.sound.mended):
        # A name may have been taken out with what was wrong about it.
        return
    _Needs(commands, section, where, findings).check()


class _Needs:
    def __init__(
        self, commands: tuple[Command, ...], section: Section, where: Path, findings: Findings
    ) -> None:
        self._commands = commands
        self._section = section
        self._where = where
        self._findings = findings
        self._places = {command.name: index for index, command in enumerate(commands)}

    def check(self) -> None:
        is_sound = True
        for index, command in enumerate(self._commands):
            for name in command.needs:
                if name == command.name:
                    self._problem(index, name, f"{quoted(name)} needs itself")
                    is_sound = False
                elif name not in self._places:
                    self._unknown(index, name)
                    is_sound = False
                else:
                    self._check_weight(index, self._commands[self._places[name]])
        if is_sound:
            self._check_cycles()

    def _problem(self, index: int, name: str, message: str, *, hint: str | None = None) -> None:
        written = (self._section.commands[index].needs or []).index(name)
        place = (*self._where, "commands", index, "needs", written)
        self._findings.problem(place, message, hint=hint)

    def _unknown(self, index: int, name: str) -> None:
        others = [one for one in self._places if self._places[one] != index]
        meant = word_meant(name, others)
        listed = ", ".join(map(quoted, others[:_FEW])) + " ..." * (len(others) > _FEW)
        self._problem(
            index,
            name,
            f"no command of this section is called {quoted(name)}{meant}",
            hint=None if meant or not others else f"its other commands are {listed}",
        )

    def _check_weight(self, index: int, need: Command) -> None:
        """A need's failure leaves the command out, so that it has to count for as much."""
        command = self._commands[index]
        if _WEIGHT[need.severity] < _WEIGHT[command.severity]:
            self._problem(
                index,
                need.name,
                f"a failure of {quoted(need.name)} is {_MEANS[need.severity]}, and would leave out "
                f"{quoted(command.name)}, whose own counts for more",
                hint="let a failure of both mean the same, or take the need out",
            )

    def _check_cycles(self) -> None:
        """Tell each way back once, at a need that is part of its circle."""
        done: set[int] = set()
        for start in range(len(self._commands)):
            if start in done:
                continue
            # Without recursion: a section may have thousands of commands.
            path, ways = [start], [iter(self._waits_for(start))]
            while ways:
                following = next(ways[-1], None)
                if following is None:
                    done.add(path.pop())
                    ways.pop()
                elif following in path:
                    self._circle(path[path.index(following) :])
                elif following not in done:
                    path.append(following)
                    ways.append(iter(self._waits_for(following)))

    def _waits_for(self, index: int) -> list[int]:
        """Those it needs and, with `if`, all that stand before it."""
        command = self._commands[index]
        named = [self._places[name] for name in command.needs]
        before = () if command.when is When.ALWAYS else range(index)
        return [*named, *(one for one in before if one not in named)]

    def _circle(self, circle: list[int]) -> None:
        # `if` only looks back, so that one need at least looks forward.
        pairs = list(zip(circle, [*circle[1:], circle[0]], strict=True))
        needing = [
            at for at, (one, other) in enumerate(pairs) if self._name(other) in self._of(one)
        ]
        turned = [*circle[needing[0] :], *circle[: needing[0]]]
        names = [self._name(index) for index in (*turned, turned[0])]
        waiting = [
            self._name(one) for one, other in pairs if self._name(other) not in self._of(one)
        ]
        self._problem(
            turned[0],
            names[1],
            f"these commands wait for each other: {' -> '.join(names)}",
            hint=f"{quoted(waiting[0])} waits for all before it, by its `if`" if waiting else None,
        )

    def _name(self, index: int) -> str:
        return self._commands[index].name

    def _of(self, index: int) -> tuple[str, ...]:
        return self._commands[index].needs
