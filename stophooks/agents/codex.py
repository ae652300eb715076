"""OpenAI Codex CLI: its payloads, its answers and its own variables.

Source: openai/codex, codex-rs/hooks, developers.openai.com/codex/hooks.md, and Codex CLI 0.169.0
as measured on 2026-11-21. Its answers have a closed set of keys: one that it does not know makes
it stop, whatever else the answer says.
"""

from __future__ import annotations

from stophooks.agents import base, signs
from stophooks.agents.base import block
from stophooks.agents.base import message as allow
from stophooks.events import SESSION_END, SESSION_START, STOP, SUBAGENT_STOP, Event
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.agents.shape import Settings

__all__ = ["EVENTS", "NAME", "SIGNS", "TITLE", "allow", "block", "parse", "private", "settings"]

NAME = "codex"
TITLE = "Codex CLI"
EVENTS = {
    "Stop": STOP.name,
    "SubagentStop": SUBAGENT_STOP.name,
    "SessionStart": SESSION_START.name,
    "SessionEnd": SESSION_END.name,
}
SIGNS = signs.SIGNS[NAME]
private = SIGNS.private


def parse(payload: Mapping[str, Any], environ: Mapping[str, str]) -> Event:
    """Return what happened; there is no variable for the project, so ``cwd`` says where."""
    del environ
    return base.event((NAME, EVENTS), payload)


def settings() -> Settings:
    """Return where and how its hooks are installed."""
    from stophooks.agents.shape import Settings  # noqa: PLC0415 -- a stop needs none of this

    return Settings(
        programs=("codex",),
        folders=("$CODEX_HOME", "~/.codex"),
        files={"user": "hooks.json", "project": ".codex/hooks.json"},
        # Any other key, `$schema` too, makes it refuse the file.
        root_keys=frozenset({"description", "hooks"}),
        trust_file="config.toml",
        untrusted=untrusted,
        advice="Codex CLI skips a hook, without a word, until you trust it: start `codex` here, "
        "enter /hooks and trust the new ones. Every change of an entry needs that again; "
        "`stophooks doctor` says which are not trusted.",
    )


def untrusted(settings_text: str, path: str, config_text: str) -> tuple[str, ...]:
    """Return the events in a hooks file of which Codex skips a hook, as its configuration is.

    A hook is trusted by a hash of what it is, kept under the place where it stands. How both are
    made was found by comparing with the answers of ``codex app-server`` 0.169.0 (2026-11-21).

    Raises:
        ValueError: The configuration is not TOML.
    """
    import json  # noqa: PLC0415 -- a stop needs none of this
    import tomllib  # noqa: PLC0415 -- the same

    state = tomllib.loads(config_text).get("hooks", {}).get("state", {})
    events = json.loads(settings_text.removeprefix("\ufeff")).get("hooks", {})
    return tuple(
        event
        for event, groups in events.items()
        if not all(
            state.get(f"{path}:{_snake(event)}:{at}:{index}", {}).get("trusted_hash")
            == _hash(_snake(event), group, hook)
            for at, group in enumerate(groups)
            for index, hook in enumerate(group["hooks"])
        )
    )


def _hash(event: str, group: Mapping[str, Any], hook: Mapping[str, Any]) -> str:
    import hashlib  # noqa: PLC0415 -- a stop needs none of this
    import json  # noqa: PLC0415 -- the same

    known = {key: value for key, value in hook.items() if value is not None}
    identity = {"event_name": event, "hooks": [{"async": False, "timeout": 600} | known]}
    if group.get("matcher") is not None:
        identity["matcher"] = group["matcher"]
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "sha256:" + hashlib.sha256(text.encode()).hexdigest()


def _snake(event: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in event).lstrip("_")
