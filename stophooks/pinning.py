"""What the configurations of a project ask for now, as something to hold a session to."""

from __future__ import annotations

from stophooks import config
from stophooks.errors import StoreError
from stophooks.models import Severity
from stophooks.store import contents
from stophooks.store.pin import Pin
from stophooks.typed import TYPE_CHECKING
from stophooks.values import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from stophooks.config.loading import Loaded
    from stophooks.plan import Plan


def pin_of(session: str, place: config.Place, environ: Mapping[str, str]) -> Pin:
    """The pin of a session that begins now, with what the configurations at a place ask for."""
    from stophooks.lifecycles.cleanup import script  # noqa: PLC0415 -- only a session's first call

    loaded = config.effective(place, environ=environ)
    pin = Pin(
        session=session,
        project_dir=place.project_dir,
        plan=loaded.plan,
        files={path: contents.print_of(path) for path in loaded.files},
        on_cleanup=script.kept(place.project_dir),
    )
    if loaded.plan is None:
        return replace(pin, refusal=_refusal(loaded))
    from stophooks.config.scripts import scripts  # noqa: PLC0415 -- only a session's first call

    started = scripts(loaded.plan)
    return replace(
        pin,
        scripts={path: contents.print_of(path) for path in started},
        warns=tuple(
            path
            for path, commands in started.items()
            if all(command.severity is Severity.WARN for command in commands)
        ),
        protected=protected(loaded.plan),
    )


def protected(plan: Plan) -> dict[str, str] | None:
    """The prints of the files that an agent may not change; None where they are too many."""
    try:
        return contents.protected(plan.project_dir, plan.protect)
    except StoreError:
        return None


def _refusal(loaded: Loaded) -> str | None:
    errors = [problem for problem in loaded.problems if not problem.warning]
    if not errors:
        return None
    from stophooks.reports.problems import text  # noqa: PLC0415 -- only a bad configuration pays

    head = "stophooks could not run the checks: the configuration has problems.\n\n"
    return head + text(errors)
