"""kepler's ``kepler.yaml`` (github.com/maleus-ai/kepler, docs/configuration.md, 2026-11-30).

What its services run is their supervisor's here; their hooks, and what these inherit, become ours.
Hooks of the whole configuration are those of its versions that had such.
"""

from __future__ import annotations

from stophooks.importing import steps
from stophooks.importing.base import Importer, Table, root
from stophooks.importing.tree import Block, Pair, Remark
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.importing.base import Source

_SIGNS = ("services", "kepler")
_SUPERVISOR = "that is for the supervisor's own file, such as compose.yaml or supervisord.conf"
_SERVICE = dict.fromkeys(
    (
        *("command", "run", "depends_on", "restart", "healthcheck", "watch", "if", "limits"),
        *("logs", "groups", "output", "outputs", "no_new_privileges", "restart_policy"),
    ),
    _SUPERVISOR,
) | {
    "inherit_env": "hooks see what stophooks sees, and the service's variables",
    "sys_env": "hooks see what stophooks sees, and the service's variables",
    "user_identity": "HOME and the like are the user's",
}
_KEPLER = "that is about kepler itself"
_MAPPED = ("environment", "env_file", "working_dir", "user", "hooks")


def convert(source: Source) -> Block:
    """The configuration: a service section, and one for each service.

    Raises:
        ForeignFileError: It is not kepler's, or a value has another form than kepler takes.
    """
    whole = root(source, "kepler", _SIGNS)
    kepler = whole.table("kepler")
    hooks = kepler.table("hooks") if "hooks" in kepler else whole.table("hooks")
    services = whole.table("services")
    parts = [
        _pair("service", steps.sections(hooks)),
        _pair(
            "services",
            tuple(Pair(name, _service(services.table(name))) for name in services.values),
        ),
    ]
    reasons = dict.fromkeys(kepler.values, _KEPLER)
    about = kepler.remarks(("hooks",), reasons)
    parts += [Remark(text=f"kepler.{remark.text}") for remark in about]
    parts += whole.remarks(("services", "kepler", "hooks"), {"lua": steps.NO_EXPRESSIONS})
    return Block(tuple(part for part in parts if part is not None))


def _pair(key: str, parts: tuple[Pair | Remark, ...]) -> Pair | Remark | None:
    return Pair(key, Block(parts)) if parts else None


def _service(given: Table) -> Block:
    parts: list[Pair | Remark] = []
    for theirs, ours in (("user", "user"), ("env_file", "env_file"), ("working_dir",) * 2):
        parts += steps.static(given, theirs, ours)
    environment, lost = steps.environment(given)
    parts += [Pair("env", environment)] if environment else []
    parts += lost
    hooks = steps.sections(given.table("hooks"))
    parts += [Pair("hooks", Block(hooks))] if hooks else []
    parts += given.remarks(_MAPPED, _SERVICE)
    return Block(tuple(parts))


IMPORTER = Importer(file="kepler.yaml", convert=convert, tags=frozenset({"!lua"}))
