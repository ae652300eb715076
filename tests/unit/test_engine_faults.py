"""What an engine says about a start that failed, and the class that a person reads."""

from __future__ import annotations

import pytest

from stophooks.executors.docker import faults
from stophooks.executors.docker.engine import EngineRefusedError

# As Docker 20.10 with runc 1.1 and Podman 4.3 with crun 1.8 say it.
SAID = {
    "crun: setrlimit `RLIMIT_NPROC`: Operation not permitted: OCI permission denied": "ulimits",
    "runc: error setting rlimit type 7: operation not permitted: permission denied": "ulimits",
    'exec: "/no": stat /no: no such file or directory: unknown': "command-not-found",
    "crun: open executable: Permission denied: OCI permission denied": "not-executable",
    "exec /w/plain: exec format error": "exec-format",
    "unable to find user nosuch: no matching entries in passwd file": "user",
    "a sentence that nobody knows": "start",
}


@pytest.mark.parametrize("text", SAID)
def test_a_start_that_failed_has_a_class(text: str) -> None:
    error = faults.start(EngineRefusedError("start", 500, text))

    assert error.fault == SAID[text]
    assert text in error.reason
    assert error.remedy
