"""From a file's name to its plan, or to its problems."""

from __future__ import annotations

import os

from stophooks.config.document import MAX_FOUND, MAX_PROBLEMS, Document, SyntaxProblemError, located
from stophooks.config.files import FileUnusableError, read_text
from stophooks.config.parse import parse
from stophooks.models import Problem
from stophooks.secrets.mask import Mask
from stophooks.secrets.names import keys_in
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass, replace

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from stophooks.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A plan and the warnings about it, or no plan and the problems that prevent one.

    ``files`` are all that was read for it, as absolute paths; the configuration is the first.
    """

    plan: Plan | None
    problems: tuple[Problem, ...]
    files: tuple[str, ...] = ()


def load(path: str, *, environ: Mapping[str, str], user_for: str | None = None) -> Loaded:
    """See `stophooks.config.load`."""
    loaded = _load(path, environ, user_for)
    problems = _masked(loaded.problems, environ) if loaded.problems else ()
    return replace(loaded, problems=problems, files=(os.path.abspath(path), *loaded.files))


def judge(path: str, text: str, *, environ: Mapping[str, str]) -> Loaded:
    """See `stophooks.config.judge`."""
    loaded = _read(path, text, environ, None)
    return replace(loaded, problems=_masked(loaded.problems, environ))


def _masked(problems: tuple[Problem, ...], environ: Mapping[str, str]) -> tuple[Problem, ...]:
    """The problems without secrets: they show lines of the file and values of the environment."""
    mask = Mask(found=keys_in(environ))
    return tuple(
        replace(
            problem,
            message=mask.text(problem.message),
            hint=mask.values(problem.hint),
            source=mask.values(problem.source),
        )
        for problem in problems
    )


def _load(path: str, environ: Mapping[str, str], user_for: str | None) -> Loaded:
    try:
        text = read_text(path)
    except FileUnusableError as err:
        return _refused(_unreadable(path, err))
    return _read(path, text, environ, user_for)


def _read(path: str, text: str, environ: Mapping[str, str], user_for: str | None) -> Loaded:
    try:
        document = parse(path, text)
    except SyntaxProblemError as err:
        problem = located(path, text, err.span, err.message, where=err.where, hint=err.hint)
        return _refused(problem)
    return _understood(document, environ, user_for)


def _understood(document: Document, environ: Mapping[str, str], user_for: str | None) -> Loaded:
    # After the file is known to be readable: these two cost most of a load.
    from stophooks.config.check import check  # noqa: PLC0415 - see above

    problems = check(document)
    if len(problems) >= MAX_FOUND:
        return _refused(*problems)
    from stophooks.config.compile import compile_plan  # noqa: PLC0415 - see above
    from stophooks.config.findings import Findings  # noqa: PLC0415 - see above
    from stophooks.config.models import Config  # noqa: PLC0415 - see above
    from stophooks.config.sound import Sound, sound  # noqa: PLC0415 - see above

    part = sound(document.value) if problems else Sound(value=document.value)
    if part is None:
        return _refused(*problems)
    findings = Findings(document=document, environ=environ, sound=part, user_for=user_for)
    plan = compile_plan(Config.model_validate(part.value), findings)
    files = tuple(dict.fromkeys(findings.read))
    if problems or findings.failed:
        return replace(_refused(*problems, *findings.problems), files=files)
    return Loaded(plan=plan, problems=_in_order(findings.problems), files=files)


def _refused(*problems: Problem) -> Loaded:
    """No plan, and the first problems in the order of the file; the last tells of the others."""
    found = _in_order(problems)
    if len(found) > MAX_PROBLEMS:
        # Warnings can wait, as they prevent nothing.
        shown = sorted(found, key=lambda problem: problem.warning)[:MAX_PROBLEMS]
        least = "at least " if len(problems) >= MAX_FOUND else ""
        message = f"only the first {MAX_PROBLEMS} of {least}{len(found)} are shown"
        found = (*_in_order(shown), _of_file(problems[0].path, message))
    return Loaded(plan=None, problems=found)


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """In the order of the file, each once."""
    once = {(problem.where, problem.message): problem for problem in problems}
    return tuple(sorted(once.values(), key=lambda problem: (problem.line, problem.column)))


def _unreadable(path: str, err: FileUnusableError) -> Problem:
    name = os.path.basename(path)
    return _of_file(path, f"{name} cannot be used: {err}", hint=err.hint)


def _of_file(path: str, message: str, *, hint: str | None = None) -> Problem:
    """A problem of the file itself: line 0, as there is no line to show."""
    return Problem(path=path, line=0, column=0, where="", message=message, hint=hint)
