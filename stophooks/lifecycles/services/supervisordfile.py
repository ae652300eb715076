"""What a supervisord.conf says about its programs and where supervisord answers.

Read as supervisord 4.2.5 reads it (its options.py, read 2026-11-30), but only the keys that matter
here: supervisord itself tells neither a program's environment nor its user.
"""

from __future__ import annotations

import configparser
import glob
import os
import platform
import shlex

from stophooks.lifecycles.services.base import ServicesUnavailableError
from stophooks.typed import TYPE_CHECKING
from stophooks.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping

PRIORITY = 999
# How long a stopped program may take to end where the file does not say. Seconds.
STOP_WAIT_S = 10
_TRUE = frozenset({"yes", "true", "on", "1"})
_KINDS = ("program:", "fcgi-program:")
# Log files that are none of their own: made up by supervisord, or not there at all.
_NO_FILES = frozenset({"auto", "none", "off", "syslog"})
# What a bare word of `environment` may be made of, besides letters, digits and `_`.
_WORD = "/.+-():"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """One program of the file.

    ``processes`` are its processes as supervisord names them (``web``, ``group:web_00``), all with
    the same rights and directory. ``logs`` are the log files that the file names. ``stop_wait_s``
    is how long it may take to end after its stop signal, in seconds.
    """

    name: str
    processes: tuple[str, ...]
    groups: tuple[str, ...]
    env: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    directory: str | None = None
    priority: tuple[int, int] = (PRIORITY, PRIORITY)
    autostart: bool = True
    restarts: bool = True
    stop_wait_s: int = STOP_WAIT_S
    logs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where supervisord answers: a socket's path, or else a host and a port."""

    path: str | None = None
    host: str = ""
    port: int = 0
    username: str = ""
    password: str = ""

    def __str__(self) -> str:
        """The address for people."""
        return self.path or f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A whole file. ``directory`` is where it is; ``identifier`` what it calls its supervisord."""

    path: str
    directory: str
    programs: tuple[Program, ...]
    address: Address | None
    identifier: str | None = None
    nodaemon: bool = False


def read(path: str, environ: Mapping[str, str]) -> Described:
    """What a file says, with the files that it includes.

    Args:
        path: Its absolute path.
        environ: What ``%(ENV_…)s`` means.

    Raises:
        ServicesUnavailableError: It cannot be read; the text says what is wrong and where.
    """
    reader = _Reader(path, environ)
    return Described(
        path=path,
        directory=reader.directory,
        programs=reader.programs(),
        address=reader.address(),
        identifier=reader.get("supervisord", "identifier"),
        nodaemon=reader.flag("supervisord", "nodaemon", default=False),
    )


class _Reader:
    def __init__(self, path: str, environ: Mapping[str, str]) -> None:
        self.path = path
        self.directory = os.path.dirname(path)
        self._ini = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
        self._names = {"here": self.directory, "host_node_name": platform.node()}
        self._names |= {f"ENV_{name}": value for name, value in environ.items()}
        self._load(path)
        for included in self._included():
            self._load(included)
        if not self._ini.has_section("supervisord"):
            raise self._wrong("it has no [supervisord] section, so it is none of supervisord's")
        self._env = self._pairs("supervisord", "environment", {})
        self._names |= {f"ENV_{name}": value for name, value in self._env.items()}

    def get(
        self, section: str, key: str, names: Mapping[str, str | int] | None = None
    ) -> str | None:
        """A value with everything filled in, or None where it is not there."""
        value = self._ini.get(section, key, fallback=None)
        if value is None or "%" not in value:
            return value
        try:
            return value % {**self._names, **(names or {})}
        except KeyError as err:
            raise self._wrong(
                f"[{section}] {key} needs {err.args[0]}, which is not set here"
            ) from err
        except (ValueError, TypeError) as err:
            raise self._wrong(f"[{section}] {key} is badly formatted ({err})") from err

    def flag(self, section: str, key: str, *, default: bool) -> bool:
        value = self.get(section, key)
        return default if value is None else value.strip().lower() in _TRUE

    def programs(self) -> tuple[Program, ...]:
        """Every program in the order of the file; event listeners are supervisord's own."""
        found = []
        for section in self._ini.sections():
            kind = next((kind for kind in _KINDS if section.startswith(kind)), None)
            if kind is not None:
                found.append(self._program(section, section.removeprefix(kind).strip()))
        return tuple(found)

    def address(self) -> Address | None:
        """Where supervisord answers; None where the file says nothing of it."""
        section = "unix_http_server"
        file = self.get(section, "file") if self._ini.has_section(section) else None
        if file is not None:
            path = os.path.normpath(os.path.join(self.directory, os.path.expanduser(file.strip())))
            username, password = self._login(section)
            return Address(path=path, username=username, password=password)
        section = "inet_http_server"
        port = self.get(section, "port") if self._ini.has_section(section) else None
        if port is None:
            return None
        host, _, number = port.strip().rpartition(":")
        username, password = self._login(section)
        return Address(
            host="localhost" if host in {"", "*"} else host,
            port=self._number(section, "port", number),
            username=username,
            password=password,
        )

    def _login(self, section: str) -> list[str]:
        return [self.get(section, key) or "" for key in ("username", "password")]

    def _program(self, section: str, name: str) -> Program:
        groups = self._groups(name) or (name,)
        places = [self._names_of(section, name, group, number)
                  for group in groups for number in self._numbers(section)]  # fmt: skip
        first = places[0]
        own = self.get(section, "directory", first) or self.get("supervisord", "directory")
        return Program(
            name=name,
            processes=tuple(self._spec(section, place) for place in places),
            groups=groups,
            env=tuple({**self._env, **self._pairs(section, "environment", first)}.items()),
            user=self.get(section, "user", first) or self.get("supervisord", "user"),
            directory=None if own is None else os.path.join(self.directory, own),
            priority=(self._group_priority(groups[0], section), self._priority(section)),
            autostart=self.flag(section, "autostart", default=True),
            # `unexpected`, which is the default, is a restart too.
            restarts=(self.get(section, "autorestart") or "true").lower() in _TRUE | {"unexpected"},
            stop_wait_s=self._whole(section, "stopwaitsecs", STOP_WAIT_S),
            logs=tuple(
                dict.fromkeys(log for place in places for log in self._logs(section, place))
            ),
        )

    def _groups(self, name: str) -> tuple[str, ...]:
        """The groups that gather this program with others."""
        found = []
        for section in self._ini.sections():
            if section.startswith("group:"):
                members = (self.get(section, "programs") or "").split(",")
                if name in {member.strip() for member in members}:
                    found.append(section.removeprefix("group:").strip())
        return tuple(found)

    def _numbers(self, section: str) -> range:
        first = self._whole(section, "numprocs_start", 0)
        return range(first, first + max(1, self._whole(section, "numprocs", 1)))

    def _names_of(self, section: str, name: str, group: str, number: int) -> dict[str, str | int]:
        """What ``%(…)s`` means in a program's keys, for one of its processes."""
        names: dict[str, str | int] = {
            "program_name": name,
            "group_name": group,
            "process_num": number,
            "numprocs": len(self._numbers(section)),
        }
        env = self._pairs(section, "environment", names)
        return names | {f"ENV_{key}": value for key, value in env.items()}

    def _spec(self, section: str, names: Mapping[str, str | int]) -> str:
        process = (self.get(section, "process_name", names) or str(names["program_name"])).strip()
        group = names["group_name"]
        return process if process == group else f"{group}:{process}"

    def _logs(self, section: str, names: Mapping[str, str | int]) -> list[str]:
        named = (self.get(section, f"{stream}_logfile", names) for stream in ("stdout", "stderr"))
        # A relative one is relative to where supervisord was started, which nobody knows.
        return [log for log in named if log and log.lower() not in _NO_FILES and os.path.isabs(log)]

    def _group_priority(self, group: str, section: str) -> int:
        named = f"group:{group}"
        return self._priority(named if self._ini.has_section(named) else section)

    def _priority(self, section: str) -> int:
        return self._whole(section, "priority", PRIORITY)

    def _whole(self, section: str, key: str, default: int) -> int:
        value = self.get(section, key)
        return default if value is None else self._number(section, key, value)

    def _number(self, section: str, key: str, value: str) -> int:
        try:
            return int(value)
        except ValueError as err:
            raise self._wrong(f"[{section}] {key} is no number: {value}") from err

    def _pairs(self, section: str, key: str, names: Mapping[str, str | int]) -> dict[str, str]:
        """``KEY="value",KEY2=value`` as variables."""
        value = self.get(section, key, names) or ""
        try:
            return _variables(value)
        except ValueError as err:
            raise self._wrong(f"[{section}] {key} is no list of KEY=value: {value}") from err

    def _included(self) -> list[str]:
        if not self._ini.has_section("include"):
            return []
        patterns = (self.get("include", "files") or "").split()
        return [
            file
            for pattern in patterns
            for file in sorted(glob.glob(os.path.join(self.directory, pattern)))
        ]

    def _load(self, path: str) -> None:
        """Read one file; what it calls ``%(here)s`` is its own directory."""
        try:
            with open(path, encoding="utf-8") as file:
                self._ini.read_file(file)
        except (OSError, UnicodeDecodeError, configparser.Error) as err:
            lines = str(getattr(err, "strerror", None) or err).splitlines()
            raise ServicesUnavailableError(
                f"{path} cannot be read as a configuration of supervisord: {' '.join(lines)}. "
                "Correct it, or name another one under service.file."
            ) from err
        here = os.path.dirname(path)
        for section in self._ini.sections():
            for key, value in self._ini.items(section):
                if "%(here)s" in value:
                    self._ini.set(section, key, value.replace("%(here)s", here))

    def _wrong(self, what: str) -> ServicesUnavailableError:
        return ServicesUnavailableError(f"{self.path}: {what}. Correct it, and start again.")


def _variables(text: str) -> dict[str, str]:
    """The variables that supervisord makes of a value of ``environment``.

    Raises:
        ValueError: It makes none of it.
    """
    lexer = shlex.shlex(text)
    lexer.wordchars += _WORD
    tokens = list(lexer)
    found = {}
    for index in range(0, len(tokens), 4):
        name, *rest = tokens[index : index + 3]
        if len(rest) != 2 or rest[0] != "=":  # noqa: PLR2004 - the sign and the value
            raise ValueError(text)
        found[name] = rest[1].strip("'\"")
    return found
