"""An agent's session in a project, as far as its hooks tell of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.program import Finished, Stophooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Calls the hook as Claude Code 2.1.329 does; every session has the same project."""

    stophooks: Stophooks
    place: Path
    name: str = "a29e"

    def start(self) -> Finished:
        return self._call("SessionStart", source="startup")

    def stop(self, *, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> Finished:
        return self._call("Stop", cwd=cwd, env=env, stop_hook_active=False)

    def blocked(self, **env: str) -> str:
        """The reason of a stop that is blocked."""
        answer = self.stop(env=env)
        assert answer.returncode == 2, answer
        return str(json.loads(answer.stdout)["reason"])

    def told(self) -> str:
        """What the person is told at a stop that is allowed."""
        answer = self.stop()
        assert answer.returncode == 0, answer
        return str(json.loads(answer.stdout)["systemMessage"]) if answer.stdout else ""

    def _call(
        self,
        event: str,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        **fields: object,
    ) -> Finished:
        payload = {
            "session_id": self.name,
            "transcript_path": f"/home/dev/.claude/projects/p/{self.name}.jsonl",
            "cwd": str(cwd or self.place),
            "hook_event_name": event,
            **fields,
        }
        return self.stophooks(
            "hook",
            "--agent",
            "claude",
            cwd=cwd or self.place,
            stdin=json.dumps(payload).encode(),
            env=env,
        )
