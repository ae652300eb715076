"""What a command is given in secret, and where it tells machines what failed."""

from __future__ import annotations

import posixpath

from stophooks.config.document import Path, quoted
from stophooks.config.findings import is_inside
from stophooks.models import Expose, ResultFile
from stophooks.models import Secret as FoundSecret
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.config.findings import Findings
    from stophooks.config.models import Report, Secret
    from stophooks.containers import Container

DIRECTORY = "/run/secrets"
WORKSPACE = "/workspace"


def secrets(
    given: list[str | Secret], where: Path, findings: Findings, *, on_host: bool | None
) -> dict[str, FoundSecret]:
    """The secrets in a list by their names; ``on_host`` None for any kind of command."""
    found: dict[str, FoundSecret] = {}
    for index, item in enumerate(given):
        place = (*where, index)
        secret = _secret(item, place, findings, on_host=on_host)
        if secret.name in found:
            findings.problem(place, f"the secret {quoted(secret.name)} is listed twice")
        found[secret.name] = secret
    return found


def _secret(
    given: str | Secret, where: Path, findings: Findings, *, on_host: bool | None
) -> FoundSecret:
    if isinstance(given, str):
        return FoundSecret(name=given)
    if given.expose is not None and on_host:
        findings.problem(
            (*where, "expose"), "is for containers; a host command gets its secrets as variables"
        )
    if given.expose == "env" and not on_host:
        findings.warning(
            (*where, "expose"),
            "whoever may ask the engine can read the secret there, with docker inspect",
        )
    return FoundSecret(
        name=given.name,
        from_file=_file(given.from_file, (*where, "from_file"), findings),
        expose=Expose(given.expose or "file"),
    )


def _file(given: str | None, where: Path, findings: Findings) -> str | None:
    if given is None:
        return None
    if given.startswith("~"):
        findings.problem(where, '"~" is not filled in', hint="write the whole path")
        return None
    path = findings.followed(given, where)
    if path is not None and is_inside(path, findings.project_dir):
        findings.warning(
            where, "the secret lies in the project, where the agent and every command can read it"
        )
    return path


def check_place(
    found: dict[str, FoundSecret], container: Container, where: Path, findings: Findings
) -> None:
    """Refuse secrets as files where something else is mounted over their directory."""
    targets = [mount.target for mount in container.mounts] + [path for path, _ in container.tmpfs]
    is_file = any(secret.expose is Expose.FILE for secret in found.values())
    if is_file and any(is_inside(target, DIRECTORY) for target in targets):
        findings.problem(where, f"something else is mounted at {DIRECTORY} already")


def report(
    given: Report | None, container: Container | None, where: Path, findings: Findings
) -> ResultFile | None:
    """Where the command's machine-readable results are."""
    if given is None:
        return None
    path = given.path
    if path is not None and container is None:
        path = findings.absolute(path)
    elif path is not None and container is not None:
        path = posixpath.normpath(posixpath.join(WORKSPACE, path))
        if not is_inside(path, WORKSPACE) or container.workspace == "none":
            findings.problem(
                (*where, "path"),
                f"{quoted(given.path)} is not in the project, and nothing else of a container is "
                "read",
                hint="write it to a path in /workspace",
            )
    return ResultFile(format=given.format, path=path)
