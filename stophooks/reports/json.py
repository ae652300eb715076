"""A report as one JSON document with a stable shape, for a program."""

from __future__ import annotations

from json import dumps

from stophooks.reports.clean import line, lines, text
from stophooks.reports.kept import went_well
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stophooks.models import Cases, Report, Result, Tail


def render(report: Report) -> str:
    """The report as JSON text; streams are cleaned text, ``cut_bytes`` tells what is not in it."""
    return dumps(values(report), indent=2)


def values(report: Report) -> dict[str, Any]:
    """The report as JSON-ready values. Durations are seconds; null where there is no value."""
    return {
        "event": report.event,
        "project": report.project_dir,
        "subject": report.subject and {"kind": report.subject.kind, "id": report.subject.id},
        "run": report.run_id,
        "passed": went_well(report),
        "duration_s": round(report.duration_s, 3),
        "results": [_result(result) for result in report.results],
    }


def _result(result: Result) -> dict[str, Any]:
    command, outcome = result.command, result.outcome
    return {
        "name": command.name,
        "item": result.item and {"kind": result.item.kind, "name": result.item.name},
        "where": command.where,
        "status": str(outcome.status),
        "started": outcome.started,
        "severity": str(command.severity),
        "exit_code": outcome.exit_code,
        "signal": outcome.signal,
        "duration_s": round(outcome.duration_s, 3),
        "reason": outcome.reason,
        "remedy": outcome.remedy,
        "fault": outcome.fault,
        "oom": outcome.oom,
        "notes": list(outcome.notes),
        "log_path": outcome.log_path,
        "cases": _cases(outcome.cases),
        "stdout": _stream(outcome.stdout),
        "stderr": _stream(outcome.stderr),
    }


def _cases(cases: Cases | None) -> dict[str, Any] | None:
    if cases is None:
        return None
    return {
        "format": cases.format,
        "total": cases.total,
        "first": [
            {
                "file": case.file and line(case.file),
                "line": case.line,
                "name": case.name and line(case.name),
                "message": text(case.message),
            }
            for case in cases.first
        ],
    }


def _stream(stream: Tail) -> dict[str, Any]:
    shown = lines(stream)
    gap = (f"... {shown.cut_bytes} bytes left out ...",) if shown.cut_bytes else ()
    return {
        "text": "\n".join((*shown.head, *gap, *shown.tail)),
        "total_bytes": stream.total_bytes,
        "cut_bytes": stream.cut_bytes,
    }
