"""What agents were seen to send to their hooks (2026-11-21), with shortened ids and paths."""

from __future__ import annotations

import json
from typing import Any

# Claude Code 2.1.329 ends its payload with a newline, the others do not.
CLAUDE_STOP = (
    b'{"session_id":"a29","transcript_path":"/home/dev/.claude/projects/-srv-app/a29.jsonl",'
    b'"cwd":"/srv/app","prompt_id":"a1a","permission_mode":"default","effort":{"level":"medium"},'
    b'"hook_event_name":"Stop","stop_hook_active":false,"last_assistant_message":"All done.",'
    b'"background_tasks":[],"session_crons":[]}\n'
)
CLAUDE_SUBAGENT_STOP = (
    b'{"session_id":"a29","transcript_path":"/home/dev/.claude/projects/-srv-app/a29.jsonl",'
    b'"cwd":"/srv/app","prompt_id":"a1a","permission_mode":"default","agent_id":"a5d",'
    b'"agent_type":"general-purpose","hook_event_name":"SubagentStop","stop_hook_active":false,'
    b'"agent_transcript_path":"/home/dev/.claude/projects/-srv-app/a29/subagents/agent-a5d.jsonl",'
    b'"last_assistant_message":"All done.","background_tasks":[],"session_crons":[]}\n'
)
CLAUDE_SESSION_END = (
    b'{"session_id":"a29","transcript_path":"/home/dev/.claude/projects/-srv-app/a29.jsonl",'
    b'"cwd":"/srv/app","prompt_id":"a1a","hook_event_name":"SessionEnd","reason":"other"}\n'
)
# Codex CLI 0.169.0.
CODEX_STOP = (
    b'{"session_id":"01a","turn_id":"01b","transcript_path":"/home/dev/.codex/sessions/2026/11/21/'
    b'rollout-01a.jsonl","cwd":"/srv/app","hook_event_name":"Stop","model":"fake-model",'
    b'"permission_mode":"bypassPermissions","stop_hook_active":false,'
    b'"last_assistant_message":"All done."}'
)
CODEX_SUBAGENT_STOP = (
    b'{"session_id":"01a","turn_id":"01c","transcript_path":"/home/dev/.codex/sessions/2026/11/21/'
    b'rollout-01a.jsonl","agent_transcript_path":"/home/dev/.codex/sessions/2026/11/21/'
    b'rollout-01d.jsonl","cwd":"/srv/app","hook_event_name":"SubagentStop","model":"fake-model",'
    b'"permission_mode":"default","stop_hook_active":false,"agent_id":"01d",'
    b'"agent_type":"default","last_assistant_message":"All done."}'
)
CODEX_SESSION_END = (
    b'{"session_id":"01a","transcript_path":"/home/dev/.codex/sessions/2026/11/21/rollout-01a.jsonl"'
    b',"cwd":"/srv/app","hook_event_name":"SessionEnd","reason":"other"}'
)
# Gemini CLI 0.61.0.
GEMINI_STOP = (
    b'{"session_id":"2b1","transcript_path":"/home/dev/.gemini/tmp/app/chats/session-2b1.jsonl",'
    b'"cwd":"/srv/app","hook_event_name":"AfterAgent","timestamp":"2026-11-21T01:30:17.299Z",'
    b'"prompt":"hi","prompt_response":"All done.","stop_hook_active":false}'
)
GEMINI_SESSION_END = (
    b'{"session_id":"2b1","transcript_path":"/home/dev/.gemini/tmp/app/chats/session-2b1.jsonl",'
    b'"cwd":"/srv/app","hook_event_name":"SessionEnd","timestamp":"2026-11-21T01:30:18.299Z",'
    b'"reason":"exit"}'
)
# Qwen Code 0.24.4.
QWEN_STOP = (
    b'{"session_id":"1a7","transcript_path":"/home/dev/.qwen/projects/-srv-app/chats/1a7.jsonl",'
    b'"cwd":"/srv/app","hook_event_name":"Stop","timestamp":"2026-11-21T01:30:17.299Z",'
    b'"permission_mode":"yolo","prompt_id":"1a7########0","stop_hook_active":false,'
    b'"last_assistant_message":"All done.","background_tasks":[],"crons":[],"context_usage":5e-05,'
    b'"context_limit":200000,"input_tokens":10}'
)
# Copilot CLI 1.0.102, in both spellings, and for a helper.
COPILOT_STOP = (
    b'{"sessionId":"784","timestamp":1795228031807,"cwd":"/srv/app","transcriptPath":'
    b'"/home/dev/.copilot/session-state/784/events.jsonl","stopReason":"end_turn",'
    b'"stop_hook_active":false}'
)
COPILOT_CAPITAL_STOP = (
    b'{"hook_event_name":"Stop","session_id":"784","timestamp":"2026-11-21T01:30:17.299Z",'
    b'"cwd":"/srv/app","transcript_path":"/home/dev/.copilot/session-state/784/events.jsonl",'
    b'"stop_reason":"end_turn","stop_hook_active":false}'
)
COPILOT_HELPERS_AGENT_STOP = (
    b'{"sessionId":"785","timestamp":1795228031807,"cwd":"/srv/app","transcriptPath":'
    b'"/home/dev/.copilot/session-state/785/events.jsonl","stopReason":"end_turn",'
    b'"stop_hook_active":false,"agentId":"785","agentType":"task","parentAgentId":"784"}'
)
COPILOT_SUBAGENT_STOP = (
    b'{"sessionId":"784","timestamp":1795228031807,"cwd":"/srv/app","transcriptPath":'
    b'"/home/dev/.copilot/session-state/784/events.jsonl","agentName":"task","agentId":"785",'
    b'"agentType":"task","parentAgentId":"784","stopReason":"end_turn","response":"All done."}'
)
COPILOT_SESSION_END = (
    b'{"sessionId":"784","timestamp":1795228031807,"cwd":"/srv/app","reason":"complete"}'
)
# Factory droid 0.225.2.
DROID_STOP = (
    b'{"session_id":"c18","transcript_path":"/home/dev/.factory/sessions/-srv-app/c18.jsonl",'
    b'"cwd":"/srv/app","permission_mode":"auto-high","hook_event_name":"Stop","message_id":"db0",'
    b'"stop_hook_active":false,"tool_execution_count":0,"elapsed_time":0}'
)
DROID_SESSION_END = (
    b'{"session_id":"c18","transcript_path":"/home/dev/.factory/sessions/-srv-app/c18.jsonl",'
    b'"cwd":"/srv/app","permission_mode":"auto-high","hook_event_name":"SessionEnd",'
    b'"reason":"other","session_duration_ms":900,"message_count":2}'
)
# From here on as documented: these agents were not run.
CURSOR_STOP = (
    b'\xef\xbb\xbf{"conversation_id":"c00","generation_id":"g00","model":"default",'
    b'"hook_event_name":"stop","cursor_version":"3.7.21","workspace_roots":["/srv/app"],'
    b'"user_email":"dev@example.com","status":"completed","loop_count":0}'
)
KIRO_STOP = b'{"hook_event_name":"stop","cwd":"/srv/app","session_id":"k1r"}'
KIRO_CAPITAL_STOP = b'{"hook_event_name":"Stop","cwd":"/srv/app","session_id":"k1r"}'
KIRO_SPAWN = b'{"hook_event_name":"agentSpawn","cwd":"/srv/app"}'
# As our plugin sends it.
OPENCODE_IDLE = b'{"hook_event_name":"session.idle","session_id":"ses_1","cwd":"/srv/app"}'


def fields(data: bytes) -> dict[str, Any]:
    """The object in a payload."""
    found: dict[str, Any] = json.loads(data.decode("utf-8-sig"))
    return found
