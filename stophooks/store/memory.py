"""What is remembered of a session and of its project from one call to the next.

Reading never fails: what cannot be read is not known. Writing that fails is forgotten too, except
where somebody has to know; see each method.
"""

from __future__ import annotations

import os
import time

from stophooks.contexts import suppress
from stophooks.digests import sha256
from stophooks.errors import StoreError
from stophooks.events import STOP_EVENTS
from stophooks.store.facts import Facts
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stophooks.events import Event

# Whatever keeps a store from being used: it, its library, or the memory for either.
UNUSABLE = (StoreError, ImportError, MemoryError)
FAILURES = "failures"
MACHINE = "machine"
UNFINISHED = "unfinished"
BASELINE = "baseline"
PASS = "pass"  # noqa: S105 -- not a secret
STATE = "state"
BY_HAND = "by_hand"
DOUBT = "doubt"


class Memory:
    """The facts of one event's session in one project.

    Args:
        state_dir: Where they are kept.
        event: Whose session; without an id of it only the project's facts are known.
        project_dir: The project; absolute.
    """

    def __init__(self, state_dir: str, event: Event, project_dir: str) -> None:
        self._facts = Facts(state_dir)
        self._event = event
        self._project_dir = os.path.realpath(project_dir)

    @property
    def notes(self) -> list[str]:
        """What a person has to know: files that were set aside."""
        return self._facts.notes

    def failures(self) -> dict[str, Any] | None:
        """What the session was told last.

        ``digest`` of the failures, ``tree`` of the project, ``at`` when, and the ``moment`` of the
        event.
        """
        return _object(self._facts.get(FAILURES, self._gate()))

    def told(self, digest: str, tree: str | None) -> None:
        """Remember what the session is told now."""
        known = {"digest": digest, "tree": tree, "at": time.time(), "moment": self._event.moment}
        self._put(FAILURES, self._gate(), known)

    def told_meanwhile(self, began: float) -> bool:
        """Whether another call was answered about this same event, one that began at ``began``."""
        last = self.failures()
        if last is None:
            return False
        if self._event.moment is not None:
            return bool(last.get("moment") == self._event.moment)
        # An agent that was answered needs its model before it stops again.
        at = last.get("at")
        return isinstance(at, (int, float)) and began < at

    def machine_was_blamed(self) -> bool:
        """Whether the session was kept once because of this machine."""
        return self._facts.get(MACHINE, self._session()) is not None

    def blame_machine(self) -> None:
        """Remember that it is kept now; it will not be again."""
        self._put(MACHINE, self._session(), 1)

    def skipped_unfinished(self) -> int:
        """How many stops in a row were not the end of the work, this one included."""
        count = self._facts.get(UNFINISHED, self._gate())
        count = count + 1 if isinstance(count, int) else 1
        self._put(UNFINISHED, self._gate(), count)
        return count

    def finished(self) -> None:
        """This stop is one."""
        with suppress(*UNUSABLE):
            self._facts.forget(UNFINISHED, self._gate())

    def baseline(self, section: str) -> dict[str, Any] | None:
        """What was known when the session began; see `stophooks.hook.baseline`."""
        return _object(self._facts.get(BASELINE, f"{self._begin()} {section}"))

    def put_baseline(self, section: str, found: dict[str, Any]) -> None:
        """Remember what is known when the session begins; a failure is one of the project."""
        if found.get("failures"):
            self.doubt(section)
        self._put(BASELINE, f"{self._begin()} {section}", found)

    def last_pass(self, section: str) -> dict[str, Any] | None:
        """The last pass in this project: ``tree``, ``terms`` and ``at``."""
        return _object(self._facts.get(PASS, self._of(section)))

    def passed(
        self, section: str, found: dict[str, Any], *, tree: str, terms: str, began: float
    ) -> None:
        """Remember a result that is a pass: of this tree, on these terms.

        Unless something else failed in the project since the call ``began``: which of the two is
        right is not known.
        """
        key = self._of(section)
        known = {"tree": tree, "terms": terms, "at": time.time()}
        with suppress(*UNUSABLE):
            if self._facts.get(DOUBT, key) is not None:
                self._facts.change(DOUBT, key, lambda at: _doubt(at, began))
            if self._facts.get(DOUBT, key) is None:
                self._facts.put_all((PASS, key, known), (STATE, key, found))
            else:
                self._facts.put(STATE, key, found)

    def forget_pass(self, section: str) -> None:
        """Forget that everything passed: not everything has, the last time."""
        with suppress(*UNUSABLE):
            self._facts.forget(PASS, self._of(section))

    def doubt(self, section: str) -> None:
        """Something failed, whoever ran it: no stop goes unchecked until everything has passed."""
        self.forget_pass(section)
        self._put(DOUBT, self._of(section), time.time())

    def is_doubted(self, section: str) -> bool:
        """Whether something failed since everything passed."""
        return self._facts.get(DOUBT, self._of(section)) is not None

    def state(self, section: str) -> dict[str, Any] | None:
        """The last result in this project; see `stophooks.reports.status`."""
        return _object(self._facts.get(STATE, self._of(section)))

    def put_state(self, section: str, found: dict[str, Any]) -> None:
        """Remember a result; one that is not a pass makes an earlier pass unknown."""
        if found.get("result") == "failed":
            self.doubt(section)
        self._put(STATE, self._of(section), found)

    def by_hand(self, section: str) -> dict[str, Any] | None:
        """The last result that somebody got with `stophooks run`, the agent maybe."""
        return _object(self._facts.get(BY_HAND, self._of(section)))

    def put_by_hand(self, section: str, found: dict[str, Any]) -> None:
        """Remember such a result; no stop goes unchecked because of it."""
        self._put(BY_HAND, self._of(section), found)

    def latest(self, section: str) -> dict[str, Any] | None:
        """The last result, whoever asked for it."""
        found = [one for one in (self.state(section), self.by_hand(section)) if one]
        return max(found, key=_moment, default=None)

    def forget_session(self) -> None:
        """Forget what the session was told; what it is held to stays, whoever says it is over."""
        with suppress(*UNUSABLE):
            gates = [self._gate(kind) for kind in STOP_EVENTS]
            self._facts.forget(FAILURES, *gates)
            self._facts.forget(UNFINISHED, *gates)
            self._facts.forget(MACHINE, self._session())

    def reset(self) -> None:
        """Forget what did not pass: everything has."""
        with suppress(*UNUSABLE):
            self._facts.forget(FAILURES, self._gate())

    def close(self) -> None:
        """Close the files."""
        self._facts.close()

    def _put(self, kind: str, key: str, value: Any) -> bool:
        """Whether it is remembered."""
        try:
            self._facts.put(kind, key, value)
        except UNUSABLE:
            return False
        return True

    def _session(self) -> str:
        event = self._event
        if event.session is None:
            return key(event.agent, "project", self._project_dir)
        return key(event.agent, "session", event.session)

    def _gate(self, kind: str | None = None) -> str:
        helper = self._event.helper if kind is None else None
        return key(self._session(), kind or self._event.kind, helper or "")

    def _begin(self) -> str:
        return key(self._session(), self._project_dir)

    def _of(self, section: str) -> str:
        return key("project", self._project_dir, section)


def block_keys(event: Event | None, places: Iterable[str]) -> tuple[str, ...]:
    """Under what blocks are counted: the session, and where none is known the project."""
    name = event.agent if event else "unknown"
    place = next(iter((*(event.directories if event else ()), *places)), "/")
    project = key(name, "project", place)
    if event is None or event.session is None:
        return (project,)
    return (key(name, "session", event.session, event.kind, event.helper or ""), project)


def key(*parts: str) -> str:
    """One short name for what an agent may have named in any length and with any characters."""
    whole = "\0".join(parts).encode("utf-8", "surrogatepass")
    return sha256(whole).hexdigest()


def _doubt(at: Any, began: float) -> float | None:
    """What is left of a doubt where everything has passed since a moment."""
    return at if isinstance(at, (int, float)) and at >= began else None


def _moment(state: dict[str, Any]) -> float:
    at = state.get("at")
    return at if isinstance(at, (int, float)) else 0.0


def _object(found: Any) -> dict[str, Any] | None:
    return found if isinstance(found, dict) else None
