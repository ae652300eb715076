"""What an engine says about itself, as far as this machine's own clock may judge it."""

from __future__ import annotations

import os
from typing import Any

import pytest

from stophooks.executors.docker.about import describe


@pytest.mark.parametrize(
    ("said", "is_ours"),
    [
        ({"KernelVersion": os.uname().release}, True),
        # Docker Desktop: the same socket, another machine.
        ({"KernelVersion": "6.12.5-linuxkit"}, False),
        ({}, False),
    ],
)
def test_an_engine_of_another_kernel_is_told_from_one_of_this_machine(
    said: dict[str, Any], is_ours: bool
) -> None:
    info = describe({}, {"OSType": "linux", **said})

    assert info.has_our_kernel is is_ours
