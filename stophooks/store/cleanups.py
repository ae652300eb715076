"""The sessions of a project that are to be cleaned up, and what the last cleanup did.

Reading never fails: what cannot be read is not known.
"""

from __future__ import annotations

import os
import time

from stophooks.process import being
from stophooks.store.facts import Facts
from stophooks.store.memory import UNUSABLE, key
from stophooks.typed import TYPE_CHECKING, Any, Self
from stophooks.values import asdict, dataclass, replace

if TYPE_CHECKING:
    from stophooks.process.being import Being

_SESSIONS, _LAST = "cleanup_sessions", "cleanup"
# More than this many at once in one project are not sessions; the oldest are forgotten.
MAX_SESSIONS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A session whose end is to be followed by a cleanup.

    ``process`` is its agent's, where one is known; ``sure``: it is the agent, and not a program
    that the agent starts for each call.
    """

    agent: str
    session: str
    process: Being | None
    sure: bool = False


class Cleanups:
    """What is known of one project; close it after use.

    Args:
        state_dir: Where it is kept.
        project_dir: The project; absolute.
    """

    def __init__(self, state_dir: str, project_dir: str) -> None:
        self._facts = Facts(state_dir)
        self._key = key("project", os.path.realpath(project_dir))

    def seen(self, known: Known) -> None:
        """Take note of a session that goes on, so that its end is followed by a cleanup."""

        def change(found: Any) -> Any:
            rest = {name: one for name, one in _rows(found).items() if name != _name(known)}
            latest = sorted(rest.items(), key=lambda item: item[1].get("at", 0))
            row = _row(_surer(known, _known(_rows(found).get(_name(known), {}))))
            return dict(latest[-MAX_SESSIONS + 1 :]) | {_name(known): row}

        self._change(change)

    def take(self, agent: str, session: str) -> Known | None:
        """The session of this name, for the first who asks since it was seen last; else None."""
        name = key(agent, session)
        if not self.is_seen(agent, session):
            return None
        return next(iter(self._take(lambda found, _known: found == name)), None)

    def is_seen(self, agent: str, session: str) -> bool:
        """Whether the session goes on, as far as it was seen and not taken since."""
        return key(agent, session) in _rows(self._facts.get(_SESSIONS, self._key))

    def take_dead(self) -> list[Known]:
        """The sessions whose agents have ended without a word, each once."""
        rows = _rows(self._facts.get(_SESSIONS, self._key))
        if not any(_is_dead(_known(row)) for row in rows.values()):
            return []
        return self._take(lambda _found, known: _is_dead(known))

    def process_of(self, session: str) -> Being | None:
        """The agent's process of a session, whichever agent it is."""
        rows = _rows(self._facts.get(_SESSIONS, self._key)).values()
        known = [_known(row) for row in rows if row.get("session") == session]
        return next((one.process for one in known if one), None)

    def is_dead(self, session: str) -> bool:
        """Whether the agent of this session has ended without a word."""
        rows = _rows(self._facts.get(_SESSIONS, self._key)).values()
        return any(row.get("session") == session and _is_dead(_known(row)) for row in rows)

    def last(self) -> dict[str, Any] | None:
        """The last cleanup, as `put_last` was told."""
        found = self._facts.get(_LAST, self._key)
        return found if isinstance(found, dict) else None

    def is_going_on(self) -> bool:
        """Whether the process that does the last cleanup is still there."""
        process = being.parse((self.last() or {}).get("process"))
        return process is not None and being.lives(process) is not False

    def put_last(self, found: dict[str, Any]) -> None:
        """Remember what a cleanup does or did."""
        try:
            self._facts.put(_LAST, self._key, found)
        except UNUSABLE:
            # A cleanup that cannot be written down is still done.
            return

    def close(self) -> None:
        """Close the files."""
        self._facts.close()

    def __enter__(self) -> Self:
        """Return this; its files are closed at the end of the block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the files."""
        self.close()

    def _take(self, wanted: Any) -> list[Known]:
        taken: list[Known] = []

        def change(found: Any) -> Any:
            taken.clear()
            rest = {}
            for name, row in _rows(found).items():
                known = _known(row)
                if known is not None and wanted(name, known):
                    taken.append(known)
                else:
                    rest[name] = row
            return rest

        return taken if self._change(change) else []

    def _change(self, change: Any) -> bool:
        try:
            self._facts.change(_SESSIONS, self._key, change)
        except UNUSABLE:
            return False
        return True


def _name(known: Known) -> str:
    return key(known.agent, known.session)


def _surer(known: Known, before: Known | None) -> Known:
    """The same session, sure of its agent where that made the call before as well."""
    same = before is not None and before.process == known.process is not None
    return replace(known, sure=known.sure or same)


def _row(known: Known) -> dict[str, Any]:
    return asdict(known) | {"at": time.time()}


def _rows(found: Any) -> dict[str, dict[str, Any]]:
    rows = found if isinstance(found, dict) else {}
    return {name: row for name, row in rows.items() if isinstance(row, dict)}


def _known(row: dict[str, Any]) -> Known | None:
    agent, session = row.get("agent"), row.get("session")
    if not isinstance(agent, str) or not isinstance(session, str):
        return None
    process = being.parse(row.get("process"))
    return Known(agent=agent, session=session, process=process, sure=row.get("sure") is True)


def _is_dead(known: Known | None) -> bool:
    if known is None or known.process is None or not known.sure:
        return False
    return being.lives(known.process) is False
