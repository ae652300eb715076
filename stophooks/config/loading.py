"""From a file's name to its plan, or to its problems."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stophooks.config.document import MAX_PROBLEMS, Document, SyntaxProblemError, located
from stophooks.config.files import FileUnusableError, read_text
from stophooks.config.parse import parse
from stophooks.models import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A plan and the warnings about it, or no plan and the problems that prevent one."""

    plan: Plan | None
    problems: tuple[Problem, ...]


def load(path: str, *, environ: Mapping[str, str]) -> Loaded:
    """See `stophooks.config.load`."""
    try:
        text = read_text(path)
    except FileUnusableError as err:
        return _refused(_unreadable(path, err))
    try:
        document = parse(path, text)
    except SyntaxProblemError as err:
        problem = located(path, text, err.span, err.message, where=err.where, hint=err.hint)
        return _refused(problem)
    return _understood(document, environ)


def _understood(document: Document, environ: Mapping[str, str]) -> Loaded:
    # After the file is known to be readable: these two cost most of a load.
    from stophooks.config.check import check  # noqa: PLC0415 - see above

    problems = check(document)
    if problems:
        return _refused(*problems)
    from stophooks.config.compile import compile_plan  # noqa: PLC0415 - see above
    from stophooks.config.findings import Findings  # noqa: PLC0415 - see above
    from stophooks.config.models import Config  # noqa: PLC0415 - see above

    config = Config.model_validate(document.value)
    findings = Findings(document=document, environ=environ)
    plan = compile_plan(config, findings)
    found = sorted(findings.problems, key=lambda problem: (problem.line, problem.column))
    if findings.failed:
        return _refused(*found)
    return Loaded(plan=plan, problems=tuple(found))


def _refused(*problems: Problem) -> Loaded:
    return Loaded(plan=None, problems=problems[:MAX_PROBLEMS])


def _unreadable(path: str, err: FileUnusableError) -> Problem:
    """A problem of the file itself: line 0, as there is no line to show."""
    name = os.path.basename(path)
    message = f"{name} cannot be used: {err}"
    return Problem(path=path, line=0, column=0, where="", message=message, hint=err.hint)
