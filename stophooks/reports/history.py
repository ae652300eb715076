"""A run as an entry of the history, and the history for a person."""

from __future__ import annotations

import time

from stophooks.models import human_duration
from stophooks.reports.clean import line
from stophooks.reports.words import happened, word
from stophooks.typed import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from stophooks.models import Report


def trail(report: Report) -> Iterator[str]:
    """One line for each result, with where and how it ran: what ``--debug`` shows."""
    for result in report.results:
        command, outcome = result.command, result.outcome
        limit = "none" if command.timeout_s is None else human_duration(command.timeout_s)
        place = command.container.workdir if command.container else command.working_dir
        became = f"{word(result).lower()}, {line(happened(result))}"
        facts = [
            f"{report.event}: {line(result.title)}: {became}",
            f"after {human_duration(outcome.duration_s)} (timeout {limit})",
            f"on {line(command.where)} in {line(place or command.project_dir, width=300)}",
            *([f"as {command.user}"] if command.user else []),
            *([f"because {line(outcome.reason)}"] if outcome.reason else []),
            f"$ {line(command.line, width=200)}",
        ]
        yield "; ".join(facts)


def text(entries: Iterable[dict[str, Any]]) -> str:
    """Runs for a person, a line each and one for each command that did not pass."""
    return "\n".join(row for entry in entries for row in _rows(entry))


def _rows(entry: dict[str, Any]) -> Iterator[str]:
    subject = entry.get("subject") or {}
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.get("at") or 0))
    took = human_duration(float(entry.get("duration_s") or 0))
    results = entry.get("results") or []
    failed = [one for one in results if one.get("status") not in {"passed", "skipped"}]
    said = f"{len(failed)} of {len(results)} did not pass"
    if not failed:
        said = "did not pass" if entry.get("problem") or entry.get("left") else "passed"
    about = f"{subject.get('kind', '?')} {line(str(subject.get('id', '?')), width=60)}"
    yield f"{when}  {line(str(entry.get('event')))}  {about}  {said}  {took}"
    for one in failed:
        item = f" [{line(str(one['item']))}]" if one.get("item") else ""
        code = f", exit code {one['exit_code']}" if one.get("exit_code") is not None else ""
        yield f"    {line(str(one.get('name')))}{item}: {one.get('status')}{code}"
    for what in ("reason", "problem"):
        if entry.get(what):
            yield f"    {what}: {line(str(entry[what]), width=400)}"
    for what in ("ended", "removed", "left"):
        if names := entry.get(what):
            yield f"    {what}: {line(', '.join(map(_named, names)), width=400)}"


def _named(one: Any) -> str:
    """A process, or what has a name alone."""
    return f"{one.get('name') or '?'} (pid {one.get('pid')})" if isinstance(one, dict) else str(one)
