"""A result on its way to a report."""

from __future__ import annotations

from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from stophooks.models import Cases, Result
    from stophooks.secrets.mask import Mask


def without_secrets(result: Result, mask: Mask) -> Result:
    """The result without secrets in any of its texts that are shown; output has none already."""
    command, outcome = result.command, result.outcome
    return replace(
        result,
        command=replace(
            command,
            run=mask.values(command.run),
            argv=None if command.argv is None else tuple(map(mask.text, command.argv)),
            message=mask.values(command.message),
        ),
        outcome=replace(
            outcome,
            reason=mask.values(outcome.reason),
            remedy=mask.values(outcome.remedy),
            notes=tuple(map(mask.text, outcome.notes)),
            cases=_masked_cases(outcome.cases, mask),
        ),
    )


def _masked_cases(cases: Cases | None, mask: Mask) -> Cases | None:
    if cases is None:
        return None
    first = (
        replace(
            case,
            file=mask.values(case.file),
            name=mask.values(case.name),
            message=mask.text(case.message),
        )
        for case in cases.first
    )
    return replace(cases, first=tuple(first))
