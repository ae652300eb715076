"""What Compose prints as a log becomes lines of services."""

from __future__ import annotations

from stophooks.executors.docker.observed import Seen
from stophooks.lifecycles.services.base import LogLine
from stophooks.lifecycles.services.composelog import Lines
from stophooks.models import Stream

WEB = Seen(
    id="1", service="web", name="demo_web_1", state="running", exit_code=0, started_ns=1,
    finished_ns=0,
)  # fmt: skip
NAMED = Seen(
    id="2", service="db", name="postgres", state="running", exit_code=0, started_ns=1,
    finished_ns=0,
)  # fmt: skip
ONE = (
    b"Attaching to demo_web_1, postgres\n"
    b"web_1     | 2026-11-30T07:54:31.998309385Z hello | there\n"
    b"postgres  | 2026-11-30T07:54:32.000000000Z \n"
    b"demo_web_1 exited with code 0\n"
)
TWO = b"\x1b[2Kweb-1  | 2026-11-30T07:54:33.000000000Z again\r\n"


def test_lines_are_those_of_the_services_with_their_times() -> None:
    found: list[LogLine] = []
    lines = Lines("demo", found.append)
    lines.begin([WEB, NAMED])

    for at in range(0, len(ONE), 7):
        lines.take(Stream.STDOUT, ONE[at : at + 7])
    lines.take(Stream.STDERR, b"web_1 | 2026-11-30T07:54:31.998309385Z a message of Compose\n")
    lines.take(Stream.STDOUT, TWO)

    assert found == [
        LogLine(service="web", text="hello | there", at=1796025271.998309),
        LogLine(service="db", text="", at=1796025272.0),
        LogLine(service="web", text="again", at=1796025273.0),
    ]


def test_what_is_told_again_is_not_given_again() -> None:
    found: list[LogLine] = []
    lines = Lines("demo", found.append)
    for _ in range(2):
        lines.begin([WEB, NAMED])
        lines.take(Stream.STDOUT, ONE)
        lines.end()
    lines.begin([WEB, NAMED])
    lines.take(Stream.STDOUT, ONE + b"web_1 | 2026-11-30T08:00:00.000000000Z no end")
    lines.end()

    assert [one.text for one in found] == ["hello | there", "", "no end"]
