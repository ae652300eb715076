"""Probes of what a container may do, and as whom: system calls, capabilities, users."""

from __future__ import annotations

import json

from stophooks.executors.docker.probe import (
    Judgement,
    Probe,
    asking,
    fails,
    fields,
    kept,
    quoted,
    unknown,
)
from stophooks.models import Status
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from stophooks.executors.docker.probe import Seen

STATUS = "cat /proc/self/status"
NO_CAPABILITY = "0" * 16
# Bit 0 of linux/capability.h.
CHOWN = 1
FILTERED = "2"  # SECCOMP_MODE_FILTER in proc_pid_status(5)
NO_MKDIR = json.dumps(
    {
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}],
    }
)
# No image is likely to know these numbers.
STRANGER = 43210


def filtered(seen: Seen) -> Judgement:
    """System calls are filtered."""
    return _field(seen, "Seccomp", FILTERED)


def unfiltered(seen: Seen) -> Judgement:
    """System calls are not filtered."""
    return _field(seen, "Seccomp", "0")


def no_new_privileges(seen: Seen) -> Judgement:
    """No program can gain rights."""
    return _field(seen, "NoNewPrivs", "1")


def _field(seen: Seen, name: str, wanted: str) -> Judgement:
    found = fields(seen.text).get(name)
    if found is None:
        return unknown(f"the kernel tells nothing about {name}")
    return kept(found == wanted, f"{name} {wanted}", f"{name} is {found}, not {wanted}")


def own_profile(seen: Seen) -> Judgement:
    """What the profile forbids does not work, and the rest does."""
    if b"touched" not in seen.stdout:
        return unknown(f"no file could be made: {quoted(seen.stderr)}")
    if b"made" in seen.stdout:
        return fails("mkdir worked, and the profile forbids it")
    return filtered(seen)


def no_capabilities(seen: Seen) -> Judgement:
    """No set has a bit."""
    found = _capabilities(seen)
    some = [f"{name} {value}" for name, value in found.items() if int(value, 16)]
    return kept(bool(found) and not some, "none", " ".join(some) or "no set was shown")


def one_capability(seen: Seen) -> Judgement:
    """The bounding set has the one that was added."""
    bound = _capabilities(seen).get("CapBnd", "0")
    return kept(int(bound, 16) == CHOWN, "only CHOWN", f"CapBnd {bound}")


def _capabilities(seen: Seen) -> dict[str, str]:
    return {name: value for name, value in fields(seen.text).items() if name.startswith("Cap")}


def apparmor(seen: Seen) -> Judgement:
    """The profile is in force."""
    return kept(
        seen.text.strip() == "docker-default (enforce)",
        "docker-default",
        f"profile {quoted(seen.stdout)}",
    )


def caller(seen: Seen) -> Judgement:
    """The ids inside are those of the caller."""
    return _ids(seen, *seen.bench.inside)


def stranger(seen: Seen) -> Judgement:
    """The ids inside are those that were asked for."""
    return _ids(seen, STRANGER, STRANGER + 1)


def _ids(seen: Seen, uid: int, gid: int) -> Judgement:
    found = fields(seen.text)
    ids = (*found.get("Uid", "").split()[:1], *found.get("Gid", "").split()[:1])
    return kept(ids == (str(uid), str(gid)), f"{uid}:{gid}", f"{':'.join(ids)}, not {uid}:{gid}")


def owned(seen: Seen) -> Judgement:
    """The caller owns, on the host, what was made inside."""
    made = seen.files.get("made")
    if made is None:
        return fails("the file is not on the host")
    bench = seen.bench
    return kept(
        (made.uid, made.gid) == (bench.uid, bench.gid),
        f"{made.uid}:{made.gid}",
        f"it belongs to {made.uid}:{made.gid}, not {bench.uid}:{bench.gid}",
    )


def home(seen: Seen) -> Judgement:
    """A file could be made in the home directory."""
    done = seen.outcome.status is Status.PASSED
    return kept(done, seen.text.strip(), f"not writable: {quoted(seen.stderr)}")


RIGHTS = (
    Probe(
        theme="rights",
        name="seccomp default",
        expects="the engine's own profile filters system calls",
        ask=asking(STATUS),
        judge=filtered,
    ),
    Probe(
        theme="rights",
        name="seccomp of your own",
        expects="a profile that forbids mkdir forbids it",
        ask=asking(
            f"touch /made/f && echo touched; mkdir /made/d && echo made; {STATUS}",
            seccomp=NO_MKDIR,
            tmpfs=(("/made", ""),),
        ),
        judge=own_profile,
    ),
    Probe(
        theme="rights",
        name="seccomp unconfined",
        expects="`seccomp: unconfined` filters nothing",
        ask=asking(STATUS, seccomp="unconfined"),
        judge=unfiltered,
    ),
    Probe(
        theme="rights",
        name="AppArmor",
        expects="`apparmor: docker-default` is in force",
        ask=asking("cat /proc/self/attr/current", apparmor="docker-default"),
        judge=apparmor,
    ),
    Probe(
        theme="rights",
        name="no new privileges",
        expects="no program can gain rights",
        ask=asking(STATUS),
        judge=no_new_privileges,
    ),
    Probe(
        theme="rights",
        name="no capabilities",
        expects="without `capabilities` there is none, for root neither",
        ask=asking(STATUS, user="0:0"),
        judge=no_capabilities,
    ),
    Probe(
        theme="rights",
        name="one capability",
        expects="`capabilities: {add: [CHOWN]}` is the only one",
        ask=asking(STATUS, cap_add=("CHOWN",)),
        judge=one_capability,
    ),
)
USERS = (
    Probe(
        theme="users",
        name="your user",
        expects="the command runs as you",
        ask=asking(STATUS),
        judge=caller,
    ),
    Probe(
        theme="users",
        name="your files",
        expects="what it makes in the project belongs to you on the host",
        ask=asking("echo made >/workspace/made"),
        judge=owned,
    ),
    Probe(
        theme="users",
        name="another user",
        expects="`user` is the user and group inside",
        ask=asking(STATUS, user=f"{STRANGER}:{STRANGER + 1}", workspace="none", workdir="/"),
        judge=stranger,
    ),
    Probe(
        theme="users",
        name="home of a stranger",
        expects="a user whom the image does not know can write to HOME",
        ask=asking(
            'echo x >"$HOME/f" && echo "$HOME"',
            user=f"{STRANGER}:{STRANGER}",
            workspace="none",
            workdir="/",
        ),
        judge=home,
    ),
)
PROBES = (*RIGHTS, *USERS)
