"""Results as tables in Markdown: for the screen, and for the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench import words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.values import Column, Entry, Goal, Machine, Measured, Results, Table

EMPTY = "–"
# By so much the memory of one program differs from run to run.
NOISE_BYTES = 256 * 1024


def goals(rows: Sequence[Measured]) -> str:
    """Every target of these rows, what was measured, and whether it is met."""
    cells = [
        (
            goal.what,
            EMPTY if goal.value is None else words.number(goal.value, goal.kind),
            words.bound(goal),
            words.verdict(goal),
        )
        for goal in _goals(rows)
    ]
    if not cells:
        return "No target was measured."
    return _markdown(("what", "measured", "target", "so it is"), cells)


def _goals(rows: Sequence[Measured]) -> list[Goal]:
    return [goal for row in rows for goal in row.goals]


def table(found: Table, *, floor_bytes: int) -> str:
    """One table: medians, from least to most in brackets, and what is odd at the end."""
    noted = any(entry.note for entry in found.entries)
    head = ["", *(column.title for column in found.columns), *(["note"] if noted else [])]
    lines = [
        (
            entry.name,
            *(_cell(entry, column, floor_bytes) for column in found.columns),
            *([_one_line(entry.note)] if noted else []),
        )
        for entry in found.entries
    ]
    return f"{found.title}:\n\n{_markdown(head, lines)}"


def _cell(entry: Entry, column: Column, floor_bytes: int) -> str:
    figure = entry.figures.get(column.key)
    if figure is None:
        return EMPTY
    if column.kind == "mib" and figure.least <= floor_bytes + NOISE_BYTES:
        return f"≤ {words.number(figure.most, column.kind)}"
    return words.spread(figure, column.kind)


def row(found: Measured, *, floor_bytes: int) -> str:
    """All tables of a row, its targets, and its notes."""
    parts = [table(one, floor_bytes=floor_bytes) for one in found.tables]
    if found.goals:
        parts.append(goals([found]))
    parts += [f"Note: {_one_line(note)}." for note in found.notes]
    return "\n\n".join(parts)


def machine(found: Machine) -> str:
    """What the machine is."""
    cells = [
        ("processor", f"{found.cpu}, {found.cores} cores"),
        ("memory", f"{found.memory_bytes / 2**30:.1f} GiB"),
        ("system", f"{found.system}, {found.kernel}"),
        ("Python, git", f"{found.python}, {found.git or EMPTY}"),
        ("Docker", found.docker or "not there"),
        ("stophooks", found.stophooks),
        *((name, version or "not installed") for name, version in found.peers.items()),
        ("load before it began", f"{found.load:.2f}"),
    ]
    return _markdown(("", ""), cells)


def whole(results: Results) -> str:
    """Everything, for the screen."""
    floor = results.machine.floor_bytes
    parts = [f"## {one.row}: {one.title}\n\n{row(one, floor_bytes=floor)}" for one in results.rows]
    ended = f"{about(results)}\n\n{machine(results.machine)}"
    return "\n\n".join([*parts, f"## Targets\n\n{goals(results.rows)}", ended]) + "\n"


def about(results: Results) -> str:
    """When it was measured, and how."""
    how = "with --quick: few rounds, small sizes" if results.quick else "in full"
    return f"Measured on {results.date} {how}, in {results.took_s / 60:.1f} minutes."


def _markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    rule = ["---"] * len(head)
    return "\n".join(
        "| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in cells) + " |"
        for cells in (head, rule, *lines)
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
