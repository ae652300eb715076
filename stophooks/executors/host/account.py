"""Whom a command runs as: from `user` to numbers, and what that user's programs expect."""

from __future__ import annotations

import os
import pwd

from stophooks.errors import ExecutorUnavailableError
from stophooks.process.identity import Identity
from stophooks.values import dataclass

# The fault of a user that is not there, or that this process cannot become.
FAULT = "user"
# Variables that name what is the caller's alone: that person's session, agent and files.
CALLERS_OWN = (
    "DBUS_SESSION_BUS_ADDRESS",
    "KRB5CCNAME",
    "MAIL",
    "SSH_AUTH_SOCK",
    "XAUTHORITY",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)
# The highest number that is somebody: the next one means "leave it as it is" to setuid(2).
HIGHEST_ID = 2**32 - 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of this machine.

    ``identity`` is what a process has to become; None where it is the caller's already.
    """

    name: str
    home: str
    shell: str
    identity: Identity | None

    @property
    def callers_own(self) -> tuple[str, ...]:
        """Variables that this user is not to have from the caller; none where they are the same."""
        return CALLERS_OWN if self.identity else ()

    def variables(self) -> dict[str, str]:
        """What a log-in would set for this user."""
        return {"HOME": self.home, "USER": self.name, "LOGNAME": self.name, "SHELL": self.shell}


def find(user: str, source: str | None = None) -> Account:
    """The account that ``user`` (``name``, ``uid``, ``uid:gid``) means on this machine.

    A name or a uid has all its groups; ``uid:gid`` has this one group, and needs no account.

    Args:
        user: As the configuration has it.
        source: The configuration's path, for the remedy.

    Raises:
        ExecutorUnavailableError: There is no such user or group, or only root could become it.
    """
    named, has_group, group = user.partition(":")
    entry = _entry(named)
    if entry is None and not (has_group and _is_number(named)):
        raise _unknown(user, f"user {named or '(empty)'}", source)
    uid = entry.pw_uid if entry else int(named)
    gid = _group(user, group, source) if has_group else entry.pw_gid if entry else 0
    groups = (gid,) if has_group or not entry else _groups(entry)
    identity = Identity(uid=uid, gid=gid, groups=groups)
    return Account(
        name=entry.pw_name if entry else named,
        home=entry.pw_dir if entry else "/",
        shell=(entry.pw_shell if entry else "") or "/bin/sh",
        identity=_reachable(user, identity, source),
    )


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and int(text) <= HIGHEST_ID


def _entry(named: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(int(named)) if _is_number(named) else pwd.getpwnam(named)
    except (KeyError, ValueError, OSError):  # OSError: the directory service did not answer
        return None


def _groups(entry: pwd.struct_passwd) -> tuple[int, ...]:
    return tuple(os.getgrouplist(entry.pw_name, entry.pw_gid))


def _group(user: str, group: str, source: str | None) -> int:
    import grp  # noqa: PLC0415 - only a command that names a group needs it

    if _is_number(group):
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except (KeyError, ValueError, OSError):
        raise _unknown(user, f"group {group or '(empty)'}", source) from None


def _reachable(user: str, identity: Identity, source: str | None) -> Identity | None:
    """What is to become of the process; None for nothing."""
    if os.geteuid() == 0:
        return identity
    if identity.uid == os.geteuid() and identity.gid == os.getegid():
        return None
    raise ExecutorUnavailableError(
        f"The command is to run as user {user}, and on this machine only root starts a command as "
        f"somebody else: this is user {_own_name()}.",
        remedy=f"Start stophooks as root, or remove `user` from {_place(source)}.",
        fault=FAULT,
    )


def refused(user: str, why: str, source: str | None) -> ExecutorUnavailableError:
    """The system did not let this process, which is root here, become that user."""
    return ExecutorUnavailableError(
        f"The command is to run as user {user}, and this machine refuses to become it: {why}.",
        remedy="Give stophooks the capabilities SETUID and SETGID (a container may lack them, or "
        f"know fewer users), or remove `user` from {_place(source)}.",
        fault=FAULT,
    )


def _unknown(user: str, what: str, source: str | None) -> ExecutorUnavailableError:
    return ExecutorUnavailableError(
        f"The command is to run as user {user}, and there is no {what} on this machine.",
        remedy=f"Create it, or correct `user` in {_place(source)}.",
        fault=FAULT,
    )


def _own_name() -> str:
    entry = _entry(str(os.geteuid()))
    return entry.pw_name if entry else str(os.geteuid())


def _place(source: str | None) -> str:
    return source or "the configuration"
