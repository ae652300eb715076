"""The same run over each way to an engine."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from stophooks.containers import Container
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.models import Command, Expose, Secret
from stophooks.secrets.vault import Vault
from tests.integration.docker.conftest import BUSYBOX, STRANGER, text
from tests.integration.docker.elsewhere import Elsewhere, certificates

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.docker.conftest import Case

SCRIPT = "cat /run/secrets/KEY; echo err >&2; head -c 1000000 /dev/zero | tr '\\0' x; exit 7"
# A user whom the image does not know, so its table of users is read; and which modules that took.
ALONE = f"""
import os, sys
from stophooks.executors.base import Cancellation
from stophooks.executors.docker import DockerExecutor
from stophooks.containers import Container
from stophooks.models import Command

class Sink:
    def write(self, stream, data): pass
    def note(self, text): pass

executor = DockerExecutor(os.environ, {STRANGER}, {STRANGER}, sys.argv[1], "alone")
container = Container(image="{BUSYBOX}", network="none", workspace="none", workdir="/")
command = Command(name="x", project_dir=sys.argv[1], run="exit 3", container=container)
outcome = executor.run(command, timeout_s=30, sink=Sink(), cancel=Cancellation())
executor.close()
print(outcome.exit_code, *sorted({{"docker", "requests", "http.client", "ssl"}} & set(sys.modules)))
"""


@pytest.mark.scenario("docker-executor: An engine on another machine runs the same")
@pytest.mark.parametrize("has_tls", [False, True], ids=["plain", "tls"])
def test_an_engine_behind_a_port_runs_the_same(
    case: Case, tmp_path: Path, *, has_tls: bool
) -> None:
    environ: dict[str, str] = {}
    if has_tls:
        certificates(tmp_path)
        environ = {"DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(tmp_path)}
    container = Container(image=BUSYBOX, network="none")
    secret = Secret(name="KEY", expose=Expose.FILE)
    command = Command(
        name="x", project_dir=str(case.project), run=SCRIPT, container=container, secrets=(secret,)
    )
    vault = Vault({"KEY": "geheimnis-1234"}, [command])
    with Elsewhere(tmp_path if has_tls else None) as there:
        environ["DOCKER_HOST"] = f"tcp://127.0.0.1:{there.port}"
        executor = DockerExecutor(
            environ, STRANGER, STRANGER, str(case.home), case.run_id, vault=vault
        )
        outcome = executor.run(command, timeout_s=30, sink=case.recorder, cancel=Cancellation())
        executor.close()

    assert there.taken
    assert (outcome.exit_code, outcome.reason) == (7, None)
    assert outcome.stderr.head == b"err\n"
    assert text(outcome).startswith("***xxx")
    assert outcome.stdout.total_bytes == 1000000 + len("***")
    assert case.containers() == 0


@pytest.mark.scenario("docker-executor: A local engine is spoken to without docker-py")
def test_a_run_on_a_local_engine_imports_no_client_library(case: Case) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALONE, case.project],
        capture_output=True,
        text=True,
        check=True,
        env={**case.environ, "PATH": "/usr/bin:/bin"},
    )

    assert done.stdout.split() == ["3"]
