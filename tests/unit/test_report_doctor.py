"""What the doctor says to a person and to a program."""

from __future__ import annotations

import json

import pytest

from stophooks.cli.doctor import exit_code
from stophooks.proofs import Finding, Level, Proof, Verdict
from stophooks.reports import doctor

OK = Finding(level=Level.OK, about="engine", text="Docker Engine 20.10", where="unix:///d.sock")
WARN = Finding(
    level=Level.WARN,
    about="engine",
    text="the image python:3.13-slim is not there, and is pulled by the first run",
    remedy="Save that run the time: docker pull python:3.13-slim",
)
PROBLEM = Finding(
    level=Level.PROBLEM,
    about="agent claude",
    text="the hook's program is not there: /gone/stophooks",
    where="/p/.claude/settings.json",
    remedy="Install it again: stophooks install claude --project",
)


def proof(verdict: Verdict, name: str = "memory limit", theme: str = "limits") -> Proof:
    return Proof(
        theme=theme,
        name=name,
        expects="`memory` is the limit in the container's cgroup",
        verdict=verdict,
        seen="9223372036854771712 bytes, 67108864 asked for",
        duration_s=0.62,
    )


PROOF = Proof(
    theme="limits",
    name="no such",
    expects="the promise",
    verdict=Verdict.HOLDS,
    seen="what was seen",
)
PROBED = doctor.Probed(
    image="busybox:1",
    duration_s=11.34,
    proofs=(
        proof(Verdict.HOLDS),
        proof(Verdict.FAILS, "fork storm"),
        proof(Verdict.REFUSED, "AppArmor", "rights"),
        proof(Verdict.UNKNOWN, "your user", "users"),
    ),
)

FINDINGS_AT_80 = """\
engine
  ok       Docker Engine 20.10
           at unix:///d.sock
  warn     the image python:3.13-slim is not there, and is pulled by the first
           run
           -> Save that run the time: docker pull python:3.13-slim

agent claude
  PROBLEM  the hook's program is not there: /gone/stophooks
           at /p/.claude/settings.json
           -> Install it again: stophooks install claude --project

1 problem, 1 warning."""

PROBES_AT_80 = """\
engine
  ok       Docker Engine 20.10
           at unix:///d.sock

probes of this engine, with busybox:1

  limits
  holds    memory limit  9223372036854771712 bytes, 67108864 asked for     0.6 s
  FAILS    fork storm    `memory` is the limit in the container's cgroup   0.6 s
                         but: 9223372036854771712 bytes, 67108864 asked for

  rights
  refused  AppArmor      9223372036854771712 bytes, 67108864 asked for     0.6 s

  users
  unknown  your user     `memory` is the limit in the container's cgroup   0.6 s
                         but: 9223372036854771712 bytes, 67108864 asked for

No problem.
1 of 4 probes hold, 1 does not hold, 1 is refused, 1 could not be told, in 11.3 s."""


def test_findings_are_grouped_with_place_and_remedy() -> None:
    assert doctor.text((OK, WARN, PROBLEM), None, width=80) == FINDINGS_AT_80


def test_probes_are_a_table() -> None:
    assert doctor.text((OK,), PROBED, width=80) == PROBES_AT_80


def test_a_wide_terminal_shows_the_promise_too() -> None:
    text = doctor.text((), doctor.Probed(image="a", duration_s=1, proofs=(PROOF,)), width=120)

    assert "  holds    no such  the promise (what was seen)" in text


@pytest.mark.parametrize("width", [10, 60, 80, 120, 400])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = doctor.text((OK, WARN, PROBLEM), PROBED, width=width)

    widest = max(len(line) for line in text.splitlines()[:-1])
    assert widest <= max(60, min(width, 120))


def test_words_of_others_cannot_move_the_cursor() -> None:
    finding = Finding(level=Level.OK, about="engine", text="a\x1b[2Jb\nc")

    assert doctor.text((finding,), None, width=80) == "engine\n  ok       ab c\n\nNo problem."


def test_the_document_has_everything() -> None:
    document = json.loads(doctor.json((PROBLEM,), PROBED, version="1.2.3"))

    assert (document["version"], document["ok"]) == ("1.2.3", False)
    assert document["findings"] == [
        {
            "level": "problem",
            "about": "agent claude",
            "text": "the hook's program is not there: /gone/stophooks",
            "where": "/p/.claude/settings.json",
            "remedy": "Install it again: stophooks install claude --project",
        }
    ]
    assert document["probe"]["image"] == "busybox:1"
    assert document["probe"]["duration_s"] == 11.34
    assert document["probe"]["results"][0] == {
        "name": "memory limit",
        "theme": "limits",
        "expects": "`memory` is the limit in the container's cgroup",
        "verdict": "holds",
        "seen": "9223372036854771712 bytes, 67108864 asked for",
        "duration_s": 0.62,
    }


def test_without_probes_the_document_says_null() -> None:
    document = json.loads(doctor.json((OK,), None, version="1.2.3"))

    assert document["ok"] is True
    assert document["probe"] is None


@pytest.mark.scenario("doctor: Exit codes of findings and probes")
@pytest.mark.parametrize(
    ("findings", "verdicts", "wanted", "code"),
    [
        ((OK,), (), False, 0),
        ((OK, WARN), (), False, 0),
        ((OK, PROBLEM), (), False, 3),
        ((OK,), (Verdict.HOLDS, Verdict.REFUSED), True, 0),
        ((OK,), (Verdict.HOLDS, Verdict.UNKNOWN), True, 3),
        ((OK,), (Verdict.HOLDS, Verdict.UNKNOWN, Verdict.FAILS), True, 1),
        ((PROBLEM,), (Verdict.FAILS,), True, 1),
        ((WARN,), (), True, 3),
    ],
)
def test_the_exit_code_tells_the_worst(
    findings: tuple[Finding, ...], verdicts: tuple[Verdict, ...], wanted: bool, code: int
) -> None:
    proofs = [proof(verdict) for verdict in verdicts]

    assert exit_code(findings, proofs, wanted=wanted) == code
