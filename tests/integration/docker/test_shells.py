"""Which program of an image reads a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks.models import Status
from tests.integration.docker.conftest import BUSYBOX, PYTHON, text

if TYPE_CHECKING:
    from tests.integration.docker.conftest import Case


@pytest.mark.parametrize(
    ("shell", "script", "said"),
    [
        (None, "echo $0", "/bin/sh\n"),
        ("/bin/ash", "echo $0", "/bin/ash\n"),
        ("python3", "print(__name__)", "__main__\n"),
    ],
)
@pytest.mark.scenario("docker-executor: A command names its shell")
def test_a_command_names_its_shell(case: Case, shell: str | None, script: str, said: str) -> None:
    image = PYTHON if shell == "python3" else BUSYBOX

    outcome = case.run(script, shell=shell, image=image)

    assert text(outcome) == said


@pytest.mark.parametrize("init", [True, False])
@pytest.mark.scenario("docker-executor: A named shell is not in the image")
def test_a_named_shell_that_the_image_has_not_is_named(case: Case, init: bool) -> None:
    outcome = case.run("echo ran", shell="zsh", init=init)

    assert outcome.status is Status.UNAVAILABLE
    assert outcome.fault == "command-not-found"
    assert "zsh" in (outcome.reason or "")
    assert text(outcome) == ""
