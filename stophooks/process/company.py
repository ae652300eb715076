"""The commands that run at the same time, and whose an orphan is that this process was given.

Its tag (`stophooks.process.tag`) tells where commands run beside each other, else its session or
its environment; while one command runs alone, every orphan is its. An orphan that none of these
tell, as no tag could be given or its limit was changed on purpose, is let be while several run: no
command's end touches another one's processes. It is ended with the last of them.
"""

from __future__ import annotations

from stophooks import threads
from stophooks.typed import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from stophooks.process.table import Entry


class Member(Protocol):
    """One command's processes, by their signs; ``leader`` is 0 until it has started."""

    token: bytes
    tag: int | None
    leader: int


M = TypeVar("M", bound=Member)
T = TypeVar("T")


class Company(Generic[M]):
    """The commands of this process that run now, and those that were allowed to leave somebody.

    ``founded`` counts them all; ``several`` says whether those that run have had others beside
    them; ``leaders`` are the first processes of those that run, until they are waited for.
    """

    def __init__(self) -> None:
        self.founded = 0
        self.several = False
        self.leaders: dict[int, M] = {}
        self._lock = threads.Lock()
        self._members: list[M] = []
        self._others: frozenset[Entry] = frozenset()
        self._kept_tokens: set[bytes] = set()
        self._kept_tags: set[int] = set()
        self._kept: set[tuple[int, int]] = set()

    def join(self, one: M, look: Callable[[], frozenset[Entry]]) -> frozenset[Entry]:
        """Take in a command that is about to start; returns the children that are no command's.

        Args:
            one: The command.
            look: Tells the children of this process.
        """
        with self._lock:
            self.several = bool(self._members)
            if not self.several:
                self._others = look()
            self._members.append(one)
            self.founded += 1
            return self._others

    def undisturbed(self, do: Callable[[bool], T]) -> T:
        """What ``do`` gives, which is told whether no command runs; none is taken in meanwhile."""
        with self._lock:
            return do(not self._members)

    def lead(self, one: M) -> None:
        """Take note that a command's first process is there."""
        with self._lock:
            self.leaders[one.leader] = one

    def lead_no_more(self, one: M) -> None:
        """Take note that it was waited for; its number may be another one's by now."""
        with self._lock:
            if self.leaders.get(one.leader) is one:
                del self.leaders[one.leader]

    def keep(self, one: M, left: Iterable[Entry]) -> None:
        """Let be what a command has left, and whatever that starts."""
        with self._lock:
            self._kept_tokens.add(one.token)
            self._kept.update((entry.pid, entry.started) for entry in left)
            if one.tag is not None:
                self._kept_tags.add(one.tag)

    def leave(self, one: M, looked: int) -> bool:
        """Whether a command may go, and has: the last of several looks first who is left of all.

        Args:
            one: The command.
            looked: What `founded` was when it looked; if others came since, it has to again.
        """
        with self._lock:
            if self.several and self._members == [one] and looked != self.founded:
                return False
            self._members.remove(one)
            return True

    def is_of(self, one: M, orphan: Entry, *, token: bytes, origin: int | None) -> bool:
        """Whether an orphan is a command's; ``origin`` is its tag."""
        with self._lock:
            alone = self._members == [one]
            tags = {member.tag for member in self._members}
            is_kept = (
                origin in self._kept_tags
                or (orphan.pid, orphan.started) in self._kept
                or any(_bears(token, kept) for kept in self._kept_tokens)
            )
        if is_kept:
            return False
        if origin is not None:
            # Of a command that has ended it is nobody's, until one is alone.
            return origin == one.tag if origin in tags else alone
        return alone or orphan.session == one.leader or _bears(token, one.token)


def _bears(token: bytes, command: bytes) -> bool:
    """Whether it is this command's token, or that of a command inside it."""
    return token == command or token.startswith(command + b".")
