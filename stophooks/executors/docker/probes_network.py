"""Probes of what a container may reach: no network, the bridge, the host's own services."""

from __future__ import annotations

from stophooks.executors.docker.probe import (
    Judgement,
    Probe,
    Question,
    asking,
    fails,
    holds,
    kept,
    unknown,
)
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.executors.docker.probe import Bench, Seen

INTERFACES = "cat /proc/net/dev"
# The gateway stands in /proc/net/route in hexadecimal digits, the last byte first.
VISIT = r"""
while read -r _ target gate _; do [ "$target" = 00000000 ] && g=$gate; done </proc/net/route
b=${g#????}; b=${b%??}; c=${g#??}; c=${c%????}
gateway=$(printf '%d.%d.%d.%d' "0x${g#??????}" "0x$b" "0x$c" "0x${g%??????}")
for host in 127.0.0.1 "$gateway"; do
  if command -v nc >/dev/null; then nc -w 2 "$host" "$PORT" </dev/null
  elif command -v python3 >/dev/null; then
    python3 -c 'import socket,sys; socket.create_connection((sys.argv[1],int(sys.argv[2])),2)' \
      "$host" "$PORT"
  elif command -v bash >/dev/null; then bash -c ": </dev/tcp/$host/$PORT"
  else exit 0; fi
  echo "tried $host"
done 2>/dev/null
true
"""


def only_loopback(seen: Seen) -> Judgement:
    """There is no interface but lo."""
    found = _interfaces(seen)
    return kept(found == ["lo"], "only lo", f"interfaces {' '.join(found) or 'none'}")


def has_interface(seen: Seen) -> Judgement:
    """There is an interface besides lo."""
    others = [name for name in _interfaces(seen) if name != "lo"]
    return kept(bool(others), " ".join(others), "only lo")


def _interfaces(seen: Seen) -> list[str]:
    names = (line.split(":")[0].strip() for line in seen.text.splitlines() if ":" in line)
    # The kernel makes these in every network, without use: tunnels that lead nowhere.
    idle = ("tunl", "sit", "ip6tnl", "gre", "erspan", "ip_vti", "ip6_vti", "ip6gre", "dummy")
    return sorted(name for name in names if not name.startswith(idle))


def no_visit(seen: Seen) -> Judgement:
    """Nobody came to the port that only the host's loopback has."""
    if seen.visits:
        return fails("a connection reached the host's 127.0.0.1")
    tried = [line for line in seen.text.splitlines() if line.startswith("tried")]
    return holds("no connection") if tried else unknown("the image has nothing to connect with")


def _visit(bench: Bench) -> Question:
    env = (("PORT", str(bench.port)),)
    return Question(run=VISIT, env=env, options={"network": "bridge", "workspace": "none"})


PROBES = (
    Probe(
        theme="network",
        name="network none",
        expects="`network: none` leaves only loopback",
        ask=asking(INTERFACES, network="none"),
        judge=only_loopback,
    ),
    Probe(
        theme="network",
        name="network bridge",
        expects="`network: bridge` has an interface",
        ask=asking(INTERFACES, network="bridge"),
        judge=has_interface,
    ),
    Probe(
        theme="network",
        name="the host's loopback",
        expects="a service on the host's 127.0.0.1 cannot be reached from the bridge",
        ask=_visit,
        judge=no_visit,
    ),
)
