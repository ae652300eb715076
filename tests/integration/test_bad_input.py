from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings

from stophooks.values import dataclass
from tests import hostile
from tests.hostile import CASES, ENDINGS, GROWN_BYTES, MOST_BYTES, MOST_S, Case, judge
from tests.integration.test_hook_answers import PASSES, place, project, reason, stop
from tests.running import paced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.program import Finished, Stophooks

__all__ = ["place"]

LARGEST = 256 * 1024
HEAD = "stop:\n  commands:\n"
NOBODY = 65534


def filled(unit: str, before: str = "", after: str = "") -> str:
    return before + unit * ((LARGEST - len(before) - len(after)) // len(unit.encode())) + after


BOMBS = {
    "yaml": {
        "lists": filled("[],", "[", "]"),
        "scalars": filled("a,", "[", "]"),
        "brackets": filled("["),
        "objects": filled("{a: "),
        "dashes": filled("-\n"),
        "commands": filled("    - run: x\n", HEAD),
        "wrong commands": filled("    - rum: x\n", HEAD),
        "keys": HEAD + "    - run: x\n" + "".join(f"      k{i}: 1\n" for i in range(9000)),
        "anchors": "".join(f"a{i}: &a{i} x\n" for i in range(15000)),
        "aliases": "a: &b0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"b{i}: &b{i} [{','.join([f'*b{i - 1}'] * 9)}]\n" for i in range(1, 40)),
        "merges": "a: &a0 {x: 1}\n"
        + "".join(f"b{i}: &a{i + 1} {{<<: [*a{i}, *a{i}], k{i}: 1}}\n" for i in range(60)),
        "wide merges": f"a: &a {{{','.join(f'k{i}: 1' for i in range(3000))}}}\n"
        + "".join(f"b{i}:\n  <<: *a\n" for i in range(2000)),
        "repeated keys": filled("a:\n"),
        "questions": filled("? a\n"),
        "digits": filled("9", "a: "),
        "one text": filled("x", HEAD + "    - run: "),
        "references": filled("${", HEAD + "    - {run: x, env: {A: '", "'}}"),
        "variables": filled("${B}", HEAD + "    - {run: x, env: {A: '", "'}}"),
        "durations": filled("1s ", HEAD + "    - {run: x, timeout: '", "x'}"),
        "capabilities": HEAD + "    - {run: x, image: 'a:1', capabilities: {add: ["
        f"{','.join(f'NET_ADMIM{i}' for i in range(9000))}]}}}}",
        "limits": HEAD + "    - {run: x, image: 'a:1', ulimits: {"
        f"{','.join(f'nofile{i}: 1' for i in range(9000))}}}}}",
        "images": HEAD + "".join(f"    - {{run: x, image: a{i}}}\n" for i in range(3000)),
        "python": "a: !!python/object/apply:os.system [exit]\n",
    },
    "json": {
        "lists": filled("[],", "[", "[]]"),
        "numbers": filled("1,", "[", "1]"),
        "brackets": filled("["),
        "objects": filled('{"a":1},', "[", "{}]"),
        "repeated keys": filled('"a":1,', "{", '"a":1}'),
        "surrogates": filled("\\ud800", '{"a":"', '"}'),
        "digits": filled("9", '{"a":', "}"),
        "infinite": '{"stop": 1e999999}',
    },
    "toml": {
        "lists": filled("[],", "a=[", "]"),
        "numbers": filled("1,", "a=[", "1]"),
        "brackets": filled("[", "a="),
        "tables": "".join(f"[t{i}]\n" for i in range(25000)),
        "arrays of tables": filled("[[a]]\n"),
        "dotted keys": filled("a.", "", "b=1"),
        "quoted dotted keys": filled('"a".', "", "b=1"),
        "long quoted keys": filled(f'"{"a" * 66}".', "", "b=1"),
        "literal dotted keys": filled("'a' . ", "[", "b]"),
        "nearly dotted keys": filled("a." * 60 + "a=1\n"),
        "escaped quotes": filled('\\"', 'a="', '"'),
        "inline tables": filled("{a=1},", "a=[", "]"),
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What all calls of a test took together in CPU time, and the largest of them in memory."""

    seconds: float
    peak_bytes: int


def used() -> Used:
    found = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Used(seconds=found.ru_utime + found.ru_stime, peak_bytes=found.ru_maxrss * 1024)


@pytest.fixture(scope="module")
def module_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.mark.scenario("bounds: Generated and changed configurations are answered")
@pytest.mark.scenario("bounds: Generated and changed payloads are answered")
@settings(
    max_examples=1000,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
@given(case=CASES)
def test_a_thousand_hostile_inputs_are_answered(case: Case, module_directory: Path) -> None:
    assert judge(case, module_directory).verdict in {"plan", "problems", "event", "refused"}


@pytest.mark.scenario("bounds: Bombs are refused")
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind in ENDINGS for name in BOMBS[kind]]
)
def test_a_bomb_is_answered(module_directory: Path, kind: str, name: str) -> None:
    data = BOMBS[kind][name].encode()
    assert len(data) <= LARGEST

    judged = judge(Case(kind=kind, data=data), module_directory)

    assert judged.verdict == "problems"


@pytest.mark.scenario("bounds: Payload bombs are refused")
@pytest.mark.parametrize(
    "unit", ["[],", "{},", '{"a":1},', "1.5,", '"é",', "[[[],[]],[]],", "12345,"]
)
def test_a_payload_bomb_is_answered(module_directory: Path, unit: str) -> None:
    times = (2 * 1024 * 1024 - 100) // len(unit.encode())
    data = ('{"session_id": "s", "a": [' + unit * times + "1]}").encode()

    assert judge(Case(kind="payload", data=data), module_directory).verdict == "event"


@pytest.mark.parametrize("data", [b"[" * 2_000_000, b'{"a":' * 400_000, b"x" * 5_000_000, b"}" * 9])
def test_a_payload_that_is_none_is_refused(module_directory: Path, data: bytes) -> None:
    assert judge(Case(kind="payload", data=data), module_directory).verdict == "refused"


@pytest.mark.scenario("bounds: Payload bombs are refused")
def test_a_payload_that_seems_to_end_all_the_time_is_read_once(
    stophooks: Stophooks, place: Path
) -> None:
    # Each piece of a pipe ends like an object.
    stdin = b'{"a":"' + b"}" * 2_000_000 + b'"}'
    project(place, PASSES)
    before = used()

    answer = stop(stophooks, place, stdin)

    assert answer.returncode == 0
    assert used().seconds - before.seconds < paced(MOST_S)


def odd_file(path: Path, kind: str) -> None:
    """Put something else where the configuration is looked for."""
    path.unlink()
    match kind:
        case "a directory":
            path.mkdir()
        case "a FIFO":
            os.mkfifo(path)
        case "a socket":
            with socket.socket(socket.AF_UNIX) as made:
                made.bind(str(path))
        case "a device":
            path.symlink_to("/dev/zero")
        case "a loop":
            path.symlink_to(path.name)
        case "10 MB":
            path.write_bytes(b"#" * 10_000_000)
        case _:
            path.write_bytes(b"a: &a [x]\n" + b"b: [" + b"*a," * 80_000 + b"]\n")


@pytest.mark.scenario("bounds: Anything that is no file is refused")
@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("a directory", "it is a directory, not a regular file"),
        ("a FIFO", "it is a FIFO, not a regular file"),
        ("a socket", "it cannot be read: No such device or address"),
        ("a device", "it is a device, not a regular file"),
        ("a loop", "it cannot be read: Too many levels of symbolic links"),
        ("10 MB", "it is larger than 256 KiB"),
        ("a bomb", "more than 10,000 values"),
    ],
)
def test_what_is_no_configuration_is_refused_by_every_door(
    stophooks: Stophooks, place: Path, kind: str, words: str
) -> None:
    odd_file(place / "stophooks.yaml", kind)
    before = used()

    validate = stophooks("validate", cwd=place)
    run = stophooks("run", cwd=place)
    blocked = stop(stophooks, place)

    assert (validate.returncode, run.returncode) == (3, 3)
    assert words in validate.stdout + validate.stderr
    assert words in run.stderr
    assert words in reason(blocked)
    assert not any("Traceback" in one.stdout + one.stderr for one in (validate, run, blocked))
    assert used().seconds - before.seconds < paced(5 * MOST_S)
    # A program that is started counts as its own, for a moment, what this process has.
    own_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert used().peak_bytes <= max(MOST_BYTES, own_bytes)


@pytest.fixture
def as_nobody(stophooks: Stophooks, place: Path, tmp_path: Path) -> Iterator[Stophooks]:
    """The program, run by a user who may not read what is not permitted; root may."""
    if os.getuid() != 0:
        yield stophooks
        return
    for directory in (stophooks.home, stophooks.state):
        os.chown(directory, NOBODY, NOBODY)
    reachable = [one for one in (place, *place.parents) if str(one).startswith("/tmp/")]
    before = {one: one.stat().st_mode for one in reachable}
    for one in reachable:
        one.chmod(0o755)
    setpriv = shutil.which("setpriv")
    assert setpriv is not None
    program = tmp_path / "as-nobody"
    program.write_text(
        f"#!/bin/sh\nexec {setpriv} --reuid={NOBODY} --regid={NOBODY} --clear-groups "
        f'{sys.executable} "$@"\n'
    )
    program.chmod(0o755)
    yield type(stophooks)(
        home=stophooks.home, state=stophooks.state, token=stophooks.token, python=str(program)
    )
    for one, mode in before.items():
        one.chmod(mode)


def refused(answers: list[Finished], words: str) -> None:
    validate, run, blocked = answers
    assert (validate.returncode, run.returncode) == (3, 3)
    assert words in validate.stdout + validate.stderr
    assert words in run.stderr
    assert words in reason(blocked)


@pytest.mark.scenario("bounds: Anything that is no file is refused")
def test_a_configuration_without_permission_is_refused_by_every_door(
    as_nobody: Stophooks, place: Path
) -> None:
    (place / "stophooks.yaml").chmod(0)

    answers = [
        as_nobody("validate", cwd=place),
        as_nobody("run", cwd=place),
        stop(as_nobody, place),
    ]

    refused(answers, "it cannot be read: no permission")


def test_a_case_that_takes_too_long_is_noticed(
    module_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile, "MOST_S", 0.0)

    with pytest.raises(AssertionError, match=r"\d s"):
        judge(Case(kind="json", data=json.dumps([1] * 1000).encode()), module_directory)


def test_a_case_that_takes_too_much_is_noticed(
    module_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hostile, "MOST_BYTES", hostile.BASE_BYTES)
    data = b"[" + b"1," * (GROWN_BYTES // 3) + b"1]"

    with pytest.raises(AssertionError, match="bytes"):
        judge(Case(kind="json", data=data), module_directory)
