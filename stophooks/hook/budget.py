"""How often in a row a session is kept from stopping, and what happens after that."""

from __future__ import annotations

from stophooks.store import open_store
from stophooks.store.memory import UNUSABLE
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stophooks.agents.base import Agent, Reply

# What agents show a model without cutting it; see reports.reason.
REASON_BYTES = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """An answer and what it used of the budget: ``count`` is None where that is not known."""

    reply: Reply
    count: int | None
    allowed: bool


class Budget:
    """The blocks of one session; ``keys`` are its names, and the first is that of new ones.

    The count is kept on disk and is our own: what an agent says of earlier blocks is not trusted.
    """

    def __init__(self, state_dir: str, keys: Sequence[str], max_blocks: int) -> None:
        self._state_dir = state_dir
        self._keys = keys
        self.max_blocks = max_blocks

    def block(
        self,
        agent: Agent,
        reason: str,
        *,
        instead: str,
        notes: Sequence[str] = (),
        counted: bool = False,
    ) -> Spent:
        """Keep the agent from stopping, unless its session's blocks are used up.

        Args:
            agent: Whose answer it is.
            reason: What the agent reads.
            instead: What the person reads where it may stop.
            notes: What either of them has to know besides.
            counted: Whether this stop was counted by another call.
        """
        try:
            with open_store(self._state_dir) as store:
                key = self._keys[0]
                count = store.blocks(key) if counted else store.record_block(key)
                notes = (*notes, *store.notes)
        except UNUSABLE as err:
            # Whatever keeps us from counting, the reason is what the agent needs.
            said = (*notes, f"Blocks cannot be counted: {err}")
            return Spent(reply=agent.block(bounded(reason, said)), count=None, allowed=False)
        if count > self.max_blocks:
            reply = agent.allow("\n".join((instead, *notes)))
            return Spent(reply=reply, count=count, allowed=True)
        return Spent(reply=agent.block(bounded(reason, notes)), count=count, allowed=False)

    def reset(self) -> list[str]:
        """Forget the blocks so far; what goes wrong is for the person and changes no result."""
        try:
            with open_store(self._state_dir) as store:
                store.reset(*self._keys)
                return store.notes
        except UNUSABLE as err:
            return [f"stophooks: blocks cannot be counted: {err}"]


def bounded(text: str, notes: Sequence[str] = ()) -> str:
    """A text with notes behind it, cut where an agent would cut it."""
    tail = "".join(f"\n\n{note}" for note in notes)
    tail = tail.encode("utf-8", "replace")[: REASON_BYTES // 2].decode("utf-8", "ignore")
    room = REASON_BYTES - len(tail.encode())
    data = text.encode("utf-8", "replace")
    kept = data if len(data) <= room else data[: room - 4] + b" ..."
    return kept.decode("utf-8", "ignore") + tail
