"""The engine that a run would use: found, able, with the images that are needed."""

from __future__ import annotations

from stophooks.cli.health import ok, problem, warn
from stophooks.containers import Pull
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stophooks.errors import ExecutorUnavailableError
    from stophooks.executors.docker.about import Info
    from stophooks.executors.docker.survey import Survey
    from stophooks.models import Command
    from stophooks.proofs import Finding

ABOUT = "engine"
# Of containers that were left behind; the rest is counted.
SHOWN = 5


def absent(error: ExecutorUnavailableError, *, needed: bool) -> Finding:
    """There is no engine to be used."""
    if needed:
        return problem(ABOUT, error.reason, error.remedy)
    text = f"{error.reason} No command here needs one."
    return warn(ABOUT, text, error.remedy)


def findings(survey: Survey, commands: Sequence[Command]) -> Iterator[Finding]:
    """What the engine is, can enforce and has."""
    info = survey.info
    where = f"{survey.endpoint.url}, from {survey.endpoint.source}"
    yield ok(ABOUT, _described(survey), where=where)
    able, unable = _abilities(info)
    if unable:
        remedy = "Use an engine with root or cgroup v2, or do not ask for it."
        yield warn(ABOUT, f"it enforces {', '.join(able) or 'nothing'}, not {unable}", remedy)
    else:
        missing = "" if info.has_apparmor else "; it has no AppArmor"
        yield ok(ABOUT, f"it enforces {', '.join(able)}{missing}")
    for refusal in survey.refusals:
        yield problem(ABOUT, f'the command "{refusal.command}": {refusal.reason}', refusal.remedy)
    yield from _images(survey, commands)
    yield from _leftovers(survey)


def _described(survey: Survey) -> str:
    info = survey.info
    name = "Podman" if info.is_podman else "Docker Engine"
    cgroup = f", cgroup v{survey.cgroup_version}" if survey.cgroup_version else ""
    rights = ", rootless" if info.is_rootless else ""
    remapped = ", users are remapped" if info.remaps_users else ""
    return f"{name} {survey.version}, {info.os}/{info.architecture}{cgroup}{rights}{remapped}"


def _abilities(info: Info) -> tuple[list[str], str]:
    """What it enforces, and what it does not of that which every engine should."""
    table = {
        "memory": info.limits_memory,
        "cpus": info.limits_cpus,
        "pids_limit": info.limits_pids,
        "seccomp": info.has_seccomp,
    }
    able = [name for name, is_kept in table.items() if is_kept]
    unable = [name for name, is_kept in table.items() if not is_kept]
    return able + ["AppArmor"] * info.has_apparmor, ", ".join(unable)


def _images(survey: Survey, commands: Sequence[Command]) -> Iterator[Finding]:
    policies: dict[str, Pull] = {}
    for command in commands:
        if command.container is not None:
            policies.setdefault(command.container.image, command.container.pull)
            if command.container.pull is Pull.NEVER:
                policies[command.container.image] = Pull.NEVER
    for image, is_there in survey.images.items():
        policy = policies[image]
        if is_there and policy is Pull.ALWAYS:
            yield ok(ABOUT, f"the image {image} is there, and is pulled again at every run")
        elif is_there:
            yield ok(ABOUT, f"the image {image} is there")
        elif policy is Pull.NEVER:
            text = f"the image {image} is not there, and `pull` is never"
            yield problem(ABOUT, text, f"Get it: docker pull {image}")
        else:
            text = f"the image {image} is not there, and is pulled by the first run"
            yield warn(ABOUT, text, f"Save that run the time: docker pull {image}")


def _leftovers(survey: Survey) -> Iterator[Finding]:
    over = [one for one in survey.leftovers if one.verdict.is_over]
    others = [one for one in survey.leftovers if not one.verdict.is_over]
    for one in over[:SHOWN]:
        text = f"the container {one.name} of run {one.run} was left behind: {one.verdict.why}"
        yield warn(ABOUT, text, "The next run removes it, or now: stophooks reap")
    for one in others[:SHOWN]:
        yield ok(ABOUT, f"the container {one.name} of run {one.run} is kept: {one.verdict.why}")
    if more := max(0, len(over) - SHOWN) + max(0, len(others) - SHOWN):
        yield ok(ABOUT, f"{more} more containers of runs; see: stophooks reap --dry-run")
