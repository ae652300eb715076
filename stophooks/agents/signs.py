"""By what each agent is known, and which variables are its own: one table of all of them.

A call is told by comparing these signs, and what a command sees is cleared of every agent's
variables, so that they stand together; what else there is to an agent is in its own module.
"""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Signs:
    """By what a call is known as one agent's, the kinds of signs from the best to the worst.

    ``fields`` are those that only its payloads have, ``events`` the names that only it gives, and
    ``transcripts`` a part of the path to its record of a session. ``session`` is the variable
    that holds the session's id, ``variables`` are others that it sets; programs that it starts,
    agents among them, inherit all of these. ``only`` is all that its payload has, where that is
    little. ``reads`` names the agents whose settings it obeys beside its own, and ``alters`` the
    variables that are its own where one of ``variables`` is set, and else a person's. ``started``
    are those that it sets for the programs that its model starts; ``process`` is the variable that
    holds the number of its own process. ``own`` are the variables that are its business and no
    command's, and ``begins`` what the names of others of that kind begin with.
    """

    fields: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    transcripts: str | None = None
    session: str | None = None
    variables: tuple[str, ...] = ()
    only: frozenset[str] | None = None
    reads: tuple[str, ...] = ()
    alters: frozenset[str] = frozenset()
    started: tuple[str, ...] = ()
    process: str | None = None
    own: frozenset[str] = frozenset()
    begins: tuple[str, ...] = ()

    def private(self, name: str) -> bool:
        """Whether an environment variable is the agent's own business and not a command's."""
        return name in self.own or name.startswith(self.begins)


SIGNS: Mapping[str, Signs] = {
    "claude": Signs(
        fields=("session_crons",),
        transcripts="/.claude/projects/",
        session="CLAUDE_CODE_SESSION_ID",
        variables=("CLAUDECODE",),
        process="CLAUDE_PID",
        # Its messaging token would let a check speak as the agent, and with its session's marks a
        # check that starts an agent of its own would be taken for a child of this one. What a
        # person sets for the project's own use of the API (ANTHROPIC_API_KEY) is not of that kind.
        own=frozenset({"AI_AGENT", "CLAUDECODE"}),
        begins=("CLAUDE_",),
    ),
    "codex": Signs(
        fields=("turn_id",),
        transcripts="/.codex/sessions/",
        variables=("CODEX_MANAGED_BY_NPM", "CODEX_MANAGED_PACKAGE_ROOT"),
        started=("CODEX_SANDBOX", "CODEX_SANDBOX_NETWORK_DISABLED", "CODEX_THREAD_ID"),
        # CODEX_HOME is the person's.
        begins=("CODEX_MANAGED_",),
    ),
    "gemini": Signs(
        fields=("prompt_response",),
        events=("AfterAgent",),
        transcripts="/.gemini/",
        session="GEMINI_SESSION_ID",
        variables=("GEMINI_CWD", "GEMINI_PLANS_DIR"),
        started=("GEMINI_CLI",),
        # Its API key is the person's.
        own=frozenset(
            {
                "GEMINI_CLI",
                "GEMINI_CWD",
                "GEMINI_PLANS_DIR",
                "GEMINI_PROJECT_DIR",
                "GEMINI_SESSION_ID",
            }
        ),
    ),
    "qwen": Signs(
        fields=("context_limit", "crons"),
        transcripts="/.qwen/",
        session="QWEN_CODE_SESSION_ID",
        variables=("QWEN_PROJECT_DIR",),
        started=("QWEN_CODE",),
        # With them come those of Gemini and Claude.
        own=frozenset({"QWEN_PROJECT_DIR"}),
        begins=("QWEN_CODE_",),
    ),
    "copilot": Signs(
        fields=("sessionId", "stop_reason"),
        transcripts="/.copilot/",
        variables=("COPILOT_CLI",),
        reads=("claude",),
        # It forbids git to find a bare repository, in which the project's own tests may work.
        alters=frozenset({"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}),
        # Its tokens and models are the person's.
        own=frozenset({"COPILOT_CLI", "COPILOT_HOOK_DIR", "COPILOT_PROJECT_DIR"}),
        begins=("COPILOT_CLI_",),
    ),
    "droid": Signs(
        fields=("tool_execution_count", "session_duration_ms"),
        transcripts="/.factory/sessions/",
        session="session_id",
        variables=("FACTORY_PROJECT_DIR", "DROID_PROJECT_DIR"),
        # Every field of the payload is a variable too.
        alters=frozenset(
            {
                "cwd",
                "elapsed_time",
                "hook_event_name",
                "message_count",
                "message_id",
                "permission_mode",
                "reason",
                "session_duration_ms",
                "session_id",
                "source",
                "stop_hook_active",
                "tool_execution_count",
                "transcript_path",
            }
        ),
        own=frozenset({"DROID_PLUGIN_ROOT", "DROID_PROJECT_DIR", "FACTORY_PROJECT_DIR"}),
    ),
    "cursor": Signs(
        fields=("conversation_id", "cursor_version"),
        transcripts="/.cursor/",
        variables=("CURSOR_VERSION",),
        reads=("claude",),
        started=("CURSOR_AGENT",),
        # Its API key is the person's.
        own=frozenset(
            {
                "CURSOR_PLUGIN_ROOT",
                "CURSOR_PROJECT_DIR",
                "CURSOR_TRACE_ID",
                "CURSOR_USER_EMAIL",
                "CURSOR_VERSION",
            }
        ),
    ),
    "kiro": Signs(
        events=("stop", "agentSpawn"),
        only=frozenset({"cwd", "hook_event_name", "session_id"}),
    ),
    "opencode": Signs(
        events=("session.idle", "session.created", "session.deleted"),
        started=("OPENCODE",),
        own=frozenset({"OPENCODE", "OPENCODE_PID", "OPENCODE_RUN_ID"}),
    ),
}
