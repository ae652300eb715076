"""What the doctor found and what the probes showed, as a table and as JSON."""

from __future__ import annotations

import textwrap
from collections import Counter
from json import dumps

from stophooks.models import human_duration
from stophooks.proofs import Level, Verdict
from stophooks.reports.clean import line
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stophooks.proofs import Finding, Proof

# Narrower, words would be cut; wider, the eye loses the line. Columns.
NARROWEST = 60
WIDEST = 120
# The longest word for a finding or a verdict, and the gap behind it.
MARK = 9
DURATION = 8
# So much room, and a probe that holds has its promise beside what was seen.
ROOMY = 70
WORDS = {
    Verdict.HOLDS: "holds",
    Verdict.FAILS: "FAILS",
    Verdict.REFUSED: "refused",
    Verdict.UNKNOWN: "unknown",
}
MARKS = {Level.OK: "ok", Level.WARN: "warn", Level.PROBLEM: "PROBLEM"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """The proofs of one call; ``duration_s`` is less than their sum, for several run at once."""

    image: str
    duration_s: float
    proofs: tuple[Proof, ...]


def text(findings: Sequence[Finding], probed: Probed | None, *, width: int) -> str:
    """Everything for a person, at most ``width`` columns wide where words allow."""
    columns = max(NARROWEST, min(width, WIDEST))
    rows = [*_findings(findings, columns)]
    if probed is not None:
        rows += _proofs(probed, columns)
    rows += ["", _count(findings)]
    if probed is not None:
        rows.append(_tally(probed))
    return "\n".join(rows)


def json(findings: Sequence[Finding], probed: Probed | None, *, version: str) -> str:
    """Everything as one JSON document; durations are seconds, null where there is no value."""
    document = {
        "version": version,
        "ok": is_ok(findings, probed.proofs if probed else ()),
        "findings": [_finding_values(one) for one in findings],
        "probe": _probed_values(probed) if probed else None,
    }
    return dumps(document, indent=2)


def is_ok(findings: Iterable[Finding], proofs: Iterable[Proof]) -> bool:
    """Whether there is no problem, and no probe that does not hold or could not be told."""
    bad = {Verdict.FAILS, Verdict.UNKNOWN}
    has_problem = any(one.level is Level.PROBLEM for one in findings)
    return not has_problem and not any(one.verdict in bad for one in proofs)


def _findings(findings: Sequence[Finding], columns: int) -> Iterator[str]:
    about = None
    for one in findings:
        if one.about != about:
            yield from ([one.about] if about is None else ["", one.about])
            about = one.about
        yield from _wrapped(MARKS[one.level], line(one.text), columns)
        if one.where:
            yield from _wrapped("", f"at {line(one.where)}", columns)
        if one.remedy:
            yield from _wrapped("", f"-> {line(one.remedy)}", columns)


def _wrapped(mark: str, words: str, columns: int) -> list[str]:
    return textwrap.wrap(
        words,
        columns,
        initial_indent=f"  {mark:<{MARK}}",
        subsequent_indent=" " * (MARK + 2),
        # A path or a command is copied as it stands.
        break_long_words=False,
        break_on_hyphens=False,
    )


def _proofs(probed: Probed, columns: int) -> Iterator[str]:
    name_width = max((len(one.name) for one in probed.proofs), default=0)
    room = columns - (2 + MARK + name_width + 2 + DURATION)
    theme = None
    yield from ("", f"probes of this engine, with {line(probed.image)}")
    for one in probed.proofs:
        if one.theme != theme:
            yield from ("", f"  {one.theme}")
            theme = one.theme
        yield from _proof(one, name_width, room)


def _proof(one: Proof, name_width: int, room: int) -> Iterator[str]:
    is_broken = one.verdict in {Verdict.FAILS, Verdict.UNKNOWN}
    said = line(one.expects if is_broken else one.seen)
    if one.verdict is Verdict.HOLDS and room >= ROOMY:
        said = f"{line(one.expects)} ({said})"
    cells = textwrap.wrap(said, room, break_on_hyphens=False) or [""]
    took = f"{one.duration_s:.1f} s"
    head = f"  {WORDS[one.verdict]:<{MARK}}{one.name:<{name_width}}  {cells[0]:<{room}}"
    yield f"{head}{took:>{DURATION}}"
    indent = " " * (2 + MARK + name_width + 2)
    yield from (indent + cell for cell in cells[1:])
    if is_broken:
        yield from textwrap.wrap(
            f"but: {line(one.seen)}",
            len(indent) + room + DURATION,
            initial_indent=indent,
            subsequent_indent=indent,
            break_on_hyphens=False,
        )


def _count(findings: Sequence[Finding]) -> str:
    counts = Counter(one.level for one in findings)
    problems, warnings = counts[Level.PROBLEM], counts[Level.WARN]
    said = f"{problems} problem{'s' * (problems != 1)}" if problems else "No problem"
    return f"{said}, {warnings} warning{'s' * (warnings != 1)}." if warnings else f"{said}."


def _tally(probed: Probed) -> str:
    counts = Counter(one.verdict for one in probed.proofs)
    parts = [f"{counts[Verdict.HOLDS]} of {len(probed.proofs)} probes hold"]
    words = {
        Verdict.FAILS: ("does not hold", "do not hold"),
        Verdict.REFUSED: ("is refused", "are refused"),
        Verdict.UNKNOWN: ("could not be told", "could not be told"),
    }
    for verdict, (one, many) in words.items():
        if amount := counts[verdict]:
            parts.append(f"{amount} {one if amount == 1 else many}")
    return f"{', '.join(parts)}, in {human_duration(probed.duration_s)}."


def _finding_values(one: Finding) -> dict[str, Any]:
    return {
        "level": str(one.level),
        "about": one.about,
        "text": one.text,
        "where": one.where,
        "remedy": one.remedy,
    }


def _probed_values(probed: Probed) -> dict[str, Any]:
    return {
        "image": probed.image,
        "duration_s": round(probed.duration_s, 3),
        "results": [
            {
                "name": one.name,
                "theme": one.theme,
                "expects": one.expects,
                "verdict": str(one.verdict),
                "seen": one.seen,
                "duration_s": round(one.duration_s, 3),
            }
            for one in probed.proofs
        ],
    }
