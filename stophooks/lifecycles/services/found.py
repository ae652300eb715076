"""Which engine runs the services of a project, and by which file of its own."""

from __future__ import annotations

import os

from stophooks import composefile
from stophooks.lifecycles.services.base import ServicesUnavailableError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.plan import ServiceRules

COMPOSE = "compose"
SUPERVISORD = "supervisord"
# Where supervisord looks first, below a directory (its documentation "Running Supervisor", read
# 2026-11-30); what is a machine's own has to be named.
_SUPERVISORD = ("supervisord.conf", os.path.join("etc", "supervisord.conf"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An engine's word and its files, absolute; the first is the one that people mean."""

    engine: str
    files: tuple[str, ...]


def find(rules: ServiceRules, directory: str) -> Found:
    """The engine that the configuration names, or whose file is in the project.

    Raises:
        ServicesUnavailableError: There is none, or there are two.
    """
    if rules.file is not None:
        return _named(rules, rules.file)
    compose = () if rules.engine == SUPERVISORD else composefile.files(directory)
    supervisord = None if rules.engine == COMPOSE else _supervisord(directory)
    if compose and supervisord:
        raise ServicesUnavailableError(
            f"Both {compose[0]} and {supervisord} are there, and nothing says which one runs the "
            "services. Say it in stophooks.yaml: service.engine."
        )
    if compose:
        return Found(engine=COMPOSE, files=compose)
    if supervisord:
        return Found(engine=SUPERVISORD, files=(supervisord,))
    looked = {
        COMPOSE: ", ".join(composefile.NAMES),
        SUPERVISORD: ", ".join(_SUPERVISORD),
        None: ", ".join((*composefile.NAMES, *_SUPERVISORD)),
    }
    raise ServicesUnavailableError(
        f"No services are described in {directory}: there is none of {looked[rules.engine]}. "
        "Name the file in stophooks.yaml: service.file."
    )


def _named(rules: ServiceRules, file: str) -> Found:
    if not os.path.isfile(file):
        raise ServicesUnavailableError(
            f"service.file: there is no file {file}. Name Compose's or supervisord's own file."
        )
    guessed = SUPERVISORD if file.endswith((".conf", ".ini")) else COMPOSE
    return Found(engine=rules.engine or guessed, files=(file,))


def _supervisord(directory: str) -> str | None:
    paths = (os.path.join(directory, name) for name in _SUPERVISORD)
    return next((path for path in paths if os.path.isfile(path)), None)
