"""What there is on the machine that a test could have left behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import psutil

from stophooks.values import dataclass
from tests.program import TOKEN

if TYPE_CHECKING:
    from pathlib import Path

    import docker

LABEL = "stophooks.run"
ANONYMOUS = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Everything on this machine that can be told to belong to one test.

    Other people's containers, and those of another test run on the same engine, are not ours.
    """

    token: str
    directory: Path
    client: docker.DockerClient | None

    def look(self) -> set[str]:
        """One line for each thing that is there now."""
        return self._processes() | self._engine()

    def _processes(self) -> set[str]:
        descendants = {child.pid for child in psutil.Process().children(recursive=True)}
        return {
            f"process {process.pid}: {' '.join(process.info['cmdline'] or ['?'])}"
            for process in psutil.process_iter(["cmdline", "status"])
            if process.info["status"] != psutil.STATUS_ZOMBIE
            and process.pid != psutil.Process().pid
            and (process.pid in descendants or self._is_ours(process))
        }

    def _is_ours(self, process: psutil.Process) -> bool:
        """Whether it carries this test's mark, or stands in its directory (``env -i``)."""
        try:
            if process.environ().get(TOKEN) == self.token:
                return True
            return process.cwd().startswith(str(self.directory))
        except (psutil.Error, OSError):
            return False

    def _engine(self) -> set[str]:
        if self.client is None:
            return set()
        api = self.client.api
        containers = api.containers(all=True, filters={"label": LABEL})
        volumes = api.volumes(filters={"dangling": True})["Volumes"] or []
        return (
            {
                f"container {one['Names']}: {one['Command']}"
                for one in containers
                if self._mounts_ours(one.get("Mounts", []))
            }
            | {f"volume {one['Name']}" for one in volumes if ANONYMOUS.fullmatch(one["Name"])}
            | {f"network {one['Name']}" for one in api.networks()}
        )

    def _mounts_ours(self, mounts: list[dict[str, str]]) -> bool:
        """Whether no mount says that it is another test run's."""
        sources = [one["Source"] for one in mounts if one.get("Type") == "bind"]
        # tmp_path is <run>/<test>; every test of one run shares the directory above it.
        return not sources or any(one.startswith(str(self.directory.parent)) for one in sources)
