"""Starting and stopping programs, and supervisord itself where it does not run."""

from __future__ import annotations

import os
import time

from stophooks.contexts import suppress
from stophooks.lifecycles.services import supervisordrpc as rpc
from stophooks.lifecycles.services.base import ServiceActionError
from stophooks.lifecycles.services.supervisordchanges import LIVELY, ProcessState
from stophooks.lifecycles.services.supervisordrpc import AwayError, FaultError, Info, Rpc
from stophooks.lifecycles.services.supervisordstart import launch
from stophooks.lifecycles.services.waiting import pause
from stophooks.store.facts import Facts
from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from stophooks.lifecycles.services.supervisordfile import Described, Program
    from stophooks.process import Stop

# How often supervisord is asked while something is awaited. Seconds.
_LOOK_S = 0.05
# How long programs may take to come up, retries and all. Seconds.
START_S = 600.0
# What a program may take to end beyond what its file allows it. Seconds.
STOP_MARGIN_S = 30.0
# How long programs that supervisord starts by itself may take to be started. Seconds.
AUTOSTART_S = 5.0
# The kind of fact that remembers which supervisord this program has started.
FACT = "supervisord"
_SETTLED = frozenset({ProcessState.RUNNING, ProcessState.EXITED})


class Control:
    """Acts on one supervisord.

    Args:
        supervisord: How it is asked.
        environ: The environment of one that is started here.
        state_dir: Where that is remembered.
    """

    def __init__(self, supervisord: Rpc, *, environ: Mapping[str, str], state_dir: str) -> None:
        self._rpc = supervisord
        self._environ = environ
        self._state_dir = state_dir

    def start(self, described: Described, names: Sequence[str], cancel: Stop) -> None:
        """Start these programs, those first that supervisord would start first.

        Raises:
            ServiceActionError: One or more did not come up.
        """
        programs = _sorted(described, names)
        asked = [spec for program in programs for spec in program.processes]
        self._bring_up(described, asked, cancel)
        problems: dict[str, str] = {}
        for spec in () if cancel.requested else asked:
            try:
                self._rpc.call("startProcess", spec, False)  # noqa: FBT003 - XML-RPC has no names
            except FaultError as err:
                # After a spawn error it tries again, and `_await_start` hears how that ends.
                if err.code not in {rpc.ALREADY_STARTED, rpc.SPAWN_ERROR}:
                    problems[spec] = _refusal(err, described)
        problems |= self._await_start([spec for spec in asked if spec not in problems], cancel)
        if problems and not cancel.requested:
            raise ServiceActionError(
                "; ".join(f"{spec}: {problems[spec]}" for spec in asked if spec in problems)
            )

    def stop(self, described: Described, names: Sequence[str], cancel: Stop) -> None:
        """Stop these programs, the last first.

        Raises:
            ServiceActionError: One or more did not end.
        """
        programs = _sorted(described, names)[::-1]
        specs = [spec for program in programs for spec in program.processes[::-1]]
        wait_s = max((program.stop_wait_s for program in programs), default=0) + STOP_MARGIN_S
        try:
            left = self._end(specs, wait_s, cancel)
        except AwayError:
            return
        if left and not cancel.requested:
            raise ServiceActionError(
                f"{', '.join(left)} did not end within {wait_s:g} s, SIGKILL included"
            )

    def end_idle(self, cancel: Stop) -> tuple[str, ...]:
        """End supervisord if it was started here and none of its programs runs; what was ended.

        Raises:
            ServiceActionError: It did not end.
        """
        try:
            pid = self._rpc.call("getPID")
            is_idle = not any(_is_there(one) for one in self._rpc.infos().values())
            if not is_idle or self._ours() != pid:
                return ()
            self._rpc.call("shutdown")
        except AwayError:
            return ()
        until = time.monotonic() + STOP_MARGIN_S
        while self._answers():
            if time.monotonic() > until or pause(_LOOK_S, cancel):
                raise ServiceActionError(f"supervisord (pid {pid}) did not end")
        with Facts(self._state_dir) as facts:
            facts.forget(FACT, self._key)
        return (f"supervisord (pid {pid})",)

    def _bring_up(self, described: Described, asked: Iterable[str], cancel: Stop) -> None:
        """Have a supervisord that knows these processes as the file describes them now."""
        try:
            before = self._rpc.infos()
        except AwayError:
            launch(described, environ=self._environ, answers=self._answers, cancel=cancel)
            if not cancel.requested:
                with Facts(self._state_dir) as facts:
                    facts.put(FACT, self._key, self._rpc.call("getPID"))
                self._stop_others(described.programs, asked, cancel)
            return
        try:
            ((added, changed, _),) = self._rpc.call("reloadConfig")
        except FaultError as err:
            raise ServiceActionError(
                f"supervisord cannot read {described.path} again: {err}"
            ) from err
        mine = [one for one in described.programs if any(spec in asked for spec in one.processes)]
        groups = dict.fromkeys(group for one in mine for group in one.groups)
        renewed = [
            group
            for group in groups
            if group in added or (group in changed and self._take_out(group, before))
        ]
        for group in renewed:
            with suppress(FaultError):  # somebody else was quicker
                self._rpc.call("addProcessGroup", group)
        others = [one for one in described.programs if set(one.groups) & set(renewed)]
        self._stop_others(others, asked, cancel, before)

    def _take_out(self, group: str, infos: Mapping[str, Info]) -> bool:
        """Take a group out, to be put in again as the file has it now; not while it works."""
        of_it = [one for one in infos.values() if group in {one.spec.split(":")[0], one.spec}]
        if any(one.state in LIVELY or one.pid for one in of_it):
            return False
        try:
            self._rpc.call("removeProcessGroup", group)
        except FaultError:
            return False
        return True

    def _stop_others(
        self,
        programs: Iterable[Program],
        asked: Iterable[str],
        cancel: Stop,
        before: Mapping[str, Info] | None = None,
    ) -> None:
        """Stop what has started by itself and was not asked for, once it has."""
        others = {spec for program in programs if program.autostart for spec in program.processes}
        others -= {*asked, *(spec for spec, one in (before or {}).items() if one.started)}
        until = time.monotonic() + AUTOSTART_S
        while others and time.monotonic() < until:
            infos = self._rpc.infos()
            if all(infos[spec].started for spec in others if spec in infos):
                break
            if pause(_LOOK_S, cancel):
                break
        self._end(sorted(others), STOP_MARGIN_S, cancel)

    def _await_start(self, specs: Sequence[str], cancel: Stop) -> dict[str, str]:
        """Wait until supervisord has made up its mind about each; what is wrong with whom."""
        until = time.monotonic() + START_S
        left = list(specs)
        problems: dict[str, str] = {}
        while left and not cancel.requested:
            infos = self._rpc.infos()
            for spec in list(left):
                state = infos[spec].state if spec in infos else ProcessState.UNKNOWN
                if state not in LIVELY or state in _SETTLED:
                    left.remove(spec)
                if state not in LIVELY | _SETTLED:
                    problems[spec] = _why(infos.get(spec))
            if left and time.monotonic() > until:
                return problems | dict.fromkeys(left, f"is not up after {START_S:g} s")
            if left:
                pause(_LOOK_S, cancel)
        return problems

    def _end(self, specs: Sequence[str], wait_s: float, cancel: Stop) -> list[str]:
        """Stop these and wait for their end; returns who has not ended."""
        until = time.monotonic() + wait_s
        while not cancel.requested:
            infos = self._rpc.infos()
            left = [spec for spec in specs if spec in infos and _is_there(infos[spec])]
            if not left or time.monotonic() > until:
                return left
            for spec in left:
                # Also one that supervisord has started again since.
                if infos[spec].state in LIVELY:
                    with suppress(FaultError):
                        self._rpc.call("stopProcess", spec, False)  # noqa: FBT003 - as above
            pause(_LOOK_S, cancel)
        return []

    def _ours(self) -> int | None:
        """The number of the supervisord that was started here."""
        with Facts(self._state_dir) as facts:
            found: int | None = facts.get(FACT, self._key)
        return found

    @property
    def _key(self) -> str:
        """Which supervisord: there is one at an address."""
        address = str(self._rpc.address)
        return os.path.realpath(address) if os.path.isabs(address) else address

    def _answers(self) -> bool:
        try:
            self._rpc.call("getPID")
        except AwayError:
            return False
        return True


def _sorted(described: Described, names: Sequence[str]) -> list[Program]:
    """These programs, those first that supervisord would start first."""
    return sorted(
        (one for one in described.programs if one.name in names), key=lambda one: one.priority
    )


def _is_there(one: Info) -> bool:
    return one.state in LIVELY or one.state == ProcessState.STOPPING


def _why(one: Info | None) -> str:
    if one is None:
        return "supervisord does not know it"
    if one.state == ProcessState.FATAL:
        return (one.problem or "it ends as soon as it starts").rstrip(".")
    return "it was stopped meanwhile"


def _refusal(err: FaultError, described: Described) -> str:
    if err.code == rpc.BAD_NAME:
        return (
            f"the supervisord that answers at {described.address} does not know it: it was started "
            "with another file"
        )
    return str(err)
