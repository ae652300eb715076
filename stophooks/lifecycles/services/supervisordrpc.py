"""What supervisord is asked, over its own XML-RPC: bounded in time, a connection for each question.

The command line supervisorctl would say the same in words for people, without exit codes.
"""

from __future__ import annotations

import base64
import http.client
import socket
import xmlrpc.client
from xml.parsers.expat import ExpatError

from stophooks.errors import StophooksError
from stophooks.lifecycles.services.base import ServicesUnavailableError
from stophooks.models import MIB
from stophooks.typed import TYPE_CHECKING, Any
from stophooks.values import dataclass

if TYPE_CHECKING:
    from stophooks.lifecycles.services.supervisordfile import Address

# For one answer; supervisord does everything in one thread, and nothing that waits. Seconds.
ANSWER_S = 10.0
_MOST_BYTES = 64 * MIB
_UNAUTHORIZED = 401
_OK = 200
# No socket, nobody behind it, or somebody who goes just now.
_AWAY = (FileNotFoundError, ConnectionRefusedError, ConnectionResetError, BrokenPipeError)
# Faults by their numbers (supervisor/xmlrpc.py, 4.2.5).
UNKNOWN_METHOD = 1
SHUTTING_DOWN = 6
BAD_NAME = 10
SPAWN_ERROR = 50
ALREADY_STARTED = 60


class AwayError(ServicesUnavailableError):
    """Nobody is there: supervisord does not run, or is on its way out."""


class FaultError(StophooksError):
    """supervisord refuses; ``code`` is its number for that."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


class GarbledError(ServicesUnavailableError):
    """The answer holds characters that its own format cannot carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """One process as supervisord knows it now; ``started`` is in whole seconds, 0 for never.

    ``exit_code`` is None where none is known, -1 where a signal ended it.
    """

    spec: str
    name: str
    state: int
    pid: int
    started: int
    exit_code: int | None
    problem: str
    logs: tuple[str, ...]


class _Connection(http.client.HTTPConnection):
    """HTTP over a socket that is a file."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=ANSWER_S)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(ANSWER_S)
        self.sock.connect(self._path)


class Rpc:
    """A supervisord that may or may not run.

    Args:
        address: Where it answers if it runs.
    """

    def __init__(self, address: Address) -> None:
        self.address = address

    def call(self, method: str, *params: Any) -> Any:
        """What it answers to one of the methods of ``supervisor.``.

        Raises:
            AwayError: It does not run.
            FaultError: It refuses.
            ServicesUnavailableError: Somebody is there who does not answer, or not to us.
        """
        return self._call(f"supervisor.{method}", params)

    def infos(self) -> dict[str, Info]:
        """Every process by its name with supervisord."""
        return _infos(self.call("getAllProcessInfo"))

    def snapshot(self, log_bytes: int) -> tuple[dict[str, Info], str | None]:
        """Every process, and the end of supervisord's own log at the same moment.

        supervisord does one thing at a time: nothing happens between the two. The log is None
        where there is none to be read.
        """
        calls = [
            {"methodName": "supervisor.getAllProcessInfo", "params": []},
            {"methodName": "supervisor.readLog", "params": [-log_bytes, 0]},
        ]
        try:
            infos, log = self._call("system.multicall", (calls,))
        except GarbledError:
            return self.infos(), None
        if isinstance(infos, dict):
            raise _fault(infos["faultCode"], infos["faultString"])
        return _infos(infos), log if isinstance(log, str) else None

    def _call(self, method: str, params: tuple[Any, ...]) -> Any:
        body = xmlrpc.client.dumps(params, method).encode("utf-8")
        try:
            answer = self._post(body)
        except PermissionError as err:
            raise ServicesUnavailableError(
                f"This user may not talk to supervisord at {self.address}. Run stophooks as its "
                "owner, or open it with chmod and chown in the file's [unix_http_server]."
            ) from err
        except _AWAY as err:
            raise AwayError(f"supervisord does not run at {self.address}.") from err
        except (OSError, http.client.HTTPException) as err:
            raise ServicesUnavailableError(
                f"supervisord does not answer at {self.address}: {err}. Look whether it hangs."
            ) from err
        try:
            (result,), _ = xmlrpc.client.loads(answer)
        except xmlrpc.client.Fault as err:
            raise _fault(err.faultCode, err.faultString) from err
        except (ExpatError, ValueError, xmlrpc.client.Error) as err:
            raise GarbledError(
                f"What answers at {self.address} says nothing that can be read: {err}. Look "
                "whether it is supervisord."
            ) from err
        return result

    def _post(self, body: bytes) -> bytes:
        address = self.address
        connection = (
            _Connection(address.path)
            if address.path
            else http.client.HTTPConnection(address.host, address.port, timeout=ANSWER_S)
        )
        headers = {"Content-Type": "text/xml"}
        if address.username:
            login = f"{address.username}:{address.password}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        try:
            connection.request("POST", "/RPC2", body, headers)
            response = connection.getresponse()
            answer = response.read(_MOST_BYTES)
        finally:
            connection.close()
        if response.status == _OK:
            return answer
        if response.status == _UNAUTHORIZED:
            raise ServicesUnavailableError(
                f"supervisord at {address} asks for another username and password than the file "
                "has. Start it again with this file, or correct the file."
            )
        raise ServicesUnavailableError(
            f"What answers at {address} is no supervisord with an XML-RPC interface: HTTP "
            f"{response.status}. Add [rpcinterface:supervisor] to the file as its manual says."
        )


def _infos(found: list[dict[str, Any]]) -> dict[str, Info]:
    infos = (_info(one) for one in found)
    return {info.spec: info for info in infos}


def _info(one: dict[str, Any]) -> Info:
    name, group = one["name"], one["group"]
    logs = (one.get("stdout_logfile"), one.get("stderr_logfile"))
    return Info(
        spec=name if name == group else f"{group}:{name}",
        name=name,
        state=one["state"],
        pid=one["pid"],
        started=one["start"],
        exit_code=one["exitstatus"],
        problem=one["spawnerr"],
        logs=tuple(log for log in logs if log),
    )


def _fault(code: int, text: str) -> StophooksError:
    if code == SHUTTING_DOWN:
        return AwayError("supervisord is shutting down.")
    if code == UNKNOWN_METHOD:
        return ServicesUnavailableError(
            "This supervisord has no XML-RPC interface. Add [rpcinterface:supervisor] to its file "
            "as its manual says."
        )
    return FaultError(code, text)
