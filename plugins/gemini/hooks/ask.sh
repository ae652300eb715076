#!/bin/sh
# usage: ask.sh AGENT stop|session
#
# Hands the agent's question to `stophooks`. Where that is not on PATH, a session's first stop is
# refused with the reason; to refuse the next ones would only hold the agent, which can seldom mend
# that. The agent alone cannot tell whether it is the first: some forget that they were sent back.
if command -v stophooks >/dev/null 2>&1; then
    exec stophooks hook --agent "$1"
fi
[ "$2" = stop ] || exit 0
why='stophooks is not on PATH, so the checks of this project did not run. Tell the person: install'
why="$why stophooks (for example with pipx, from its checkout), or remove its plugin from $1."
payload=$(cat)
session=$(printf '%s\n' "$payload" | sed -n 's/.*"session_id": *"\([A-Za-z0-9_-]*\)".*/\1/p')
# A line for each session that was refused; without a home there is no place for it.
state=${XDG_STATE_HOME:-${HOME:+$HOME/.local/state}}
refused=${state:+$state/stophooks/refused}
again=no
case $payload in
    *'"stop_hook_active":true'* | *'"stop_hook_active": true'*) again=yes ;;
esac
if [ -n "$session" ] && [ -n "$refused" ]; then
    if grep -qxF -e "$session" "$refused" 2>/dev/null; then
        again=yes
    else
        mkdir -p "${refused%/*}" 2>/dev/null && printf '%s\n' "$session" 2>/dev/null >>"$refused"
    fi
fi
if [ "$again" = yes ]; then
    printf '%s\n' "$why" >&2
    exit 1
fi
printf '{"decision": "block", "reason": "%s"}\n' "$why"
printf '%s\n' "$why" >&2
exit 2
