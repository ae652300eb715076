"""Whatever the file says, loading answers: a plan that survives JSON, or problems in the file."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stophooks.config import load, schema_text
from stophooks.config.models import Config
from stophooks.plan import from_json, to_json

words = st.sampled_from(["a", "tests", "x y", "é😀", "-q", "${HOME}", "$$", "on"])
durations = st.sampled_from(["1s", "0.5s", "5m", "1.5h", "24h"])
sizes = st.sampled_from(["6m", "512m", "1.5g", "1 GiB", 6291456, 2**30, 1e8])
env_names = st.sampled_from(["A", "B_2", "c.d"])
envs = st.one_of(
    st.dictionaries(env_names, st.one_of(words, st.integers(), st.booleans(), st.just(1.10))),
    st.lists(st.builds("{}={}".format, env_names, words)),
)
targets = ["/workspace", "/a", "/b/c", "/tmp"]
mounts = st.lists(
    st.one_of(
        st.fixed_dictionaries(
            {"type": st.just("bind"), "source": st.just(".")},
            optional={"readonly": st.booleans(), "options": st.just(["rslave"])},
        ),
        st.fixed_dictionaries({"type": st.just("volume")}, optional={"source": st.just("cache")}),
        st.just({"type": "tmpfs", "options": ["size=1m"]}),
    ),
    max_size=3,
).map(lambda many: [{**one, "target": targets[i]} for i, one in enumerate(many)])
shared = {
    "message": words,
    "show_command": st.booleans(),
    "show_stdout": st.booleans(),
    "show_stderr": st.booleans(),
    "max_output_lines": st.integers(1, 10_000),
    "timeout": st.none() | durations,
    "env": envs,
    "severity": st.sampled_from(["block", "warn"]),
}
host = {"working_dir": st.just("."), "inherit_env": st.booleans(), "keep_children": st.booleans()}
contained = {
    "pull": st.sampled_from(["missing", "always", "never"]),
    "workdir": st.sampled_from(["/workspace", "/", "/a//b/"]),
    "mounts": mounts,
    "workspace": st.sampled_from(["rw", "ro", "none"]),
    "network": st.sampled_from(["none", "bridge", "host", "container:db", "my_net"]),
    "memory": st.none() | sizes,
    "cpus": st.sampled_from([None, 0.5, 2, "1.5"]),
    "pids_limit": st.none() | st.integers(2, 4096),
    "shm_size": sizes,
    "user": st.sampled_from([0, 1000, "node", "1000:1000", "root"]),
    "seccomp": st.sampled_from(["default", "unconfined"]),
    "apparmor": st.sampled_from(["unconfined", "docker-default"]),
    "capabilities": st.fixed_dictionaries(
        {}, optional={"add": st.just(["CAP_KILL", "kill"]), "drop": st.sampled_from([[], ["ALL"]])}
    ),
    "read_only": st.booleans(),
    "tmpfs": st.sampled_from([[], ["/t:size=1m", "/u"], {"/t": "", "/u": "mode=700,exec"}]),
    "init": st.booleans(),
    "no_new_privileges": st.booleans(),
    "ulimits": st.sampled_from([{}, {"nofile": 10, "core": {"soft": 0, "hard": -1}}]),
    "platform": st.sampled_from(["linux/amd64", "linux/arm64/v8"]),
}
runs = st.one_of(
    st.fixed_dictionaries({"run": words}),
    st.fixed_dictionaries({"command": st.lists(words, min_size=1, max_size=3)}),
)


def joined(parts: tuple[dict[str, Any], dict[str, Any]]) -> dict[str, Any]:
    return {**parts[0], **parts[1]}


commands = st.one_of(
    st.tuples(runs, st.fixed_dictionaries({}, optional={**shared, **host})).map(joined),
    st.tuples(
        runs,
        st.fixed_dictionaries({"image": st.just("a:1")}, optional={**shared, **contained}),
    ).map(joined),
)
sections = st.fixed_dictionaries(
    {"commands": st.lists(commands, max_size=3)},
    optional={
        "default_timeout": st.none() | durations,
        "default_env": envs,
        "fail_fast": st.booleans(),
        "deadline": durations,
        "max_blocks": st.integers(1, 100),
    },
)
configs = st.fixed_dictionaries(
    {"stop": sections}, optional={"subagent_stop": sections, "$schema": words}
)
KEYS = sorted(json.loads(schema_text())["$defs"]["StopCommand"]["properties"])
strange = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**70), 2**70),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=8),
        words,
        durations,
        st.sampled_from(["0", "~/x", "/", "..", "${", "a:1", "5m\n", "/proc", "1e3"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=5)), inner, max_size=3),
    ),
    max_leaves=6,
)


def places(value: Any, where: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    return [where, *(deep for step, item in items for deep in places(item, (*where, step)))]


def replaced(value: Any, where: tuple[Any, ...], other: Any) -> Any:
    if not where:
        return other
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[where[0]] = replaced(value[where[0]], where[1:], other)
    return copy


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A valid configuration with a few of its values replaced, or keys added."""
    value: Any = draw(configs)
    for _ in range(draw(st.integers(1, 3))):
        where = draw(st.sampled_from(places(value)))
        other = draw(strange)
        target = value
        for step in where:
            target = target[step]
        if isinstance(target, dict) and draw(st.booleans()):
            other = {**target, draw(st.sampled_from(KEYS)): other}
        value = replaced(value, where, other)
    return value


def loaded(value: Any, ending: str = "json") -> Any:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"stophooks.{ending}"
        # Every JSON text is a YAML text.
        path.write_text(json.dumps(value, indent=1, ensure_ascii=False), encoding="utf-8")
        return load(str(path), environ={"HOME": "/home/me"})


@pytest.mark.scenario("config-loading: Any plan survives JSON")
@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(configs, st.sampled_from(["json", "yaml"]))
def test_every_valid_configuration_makes_a_plan_that_survives_json(value: Any, ending: str) -> None:
    found = loaded(value, ending)

    assert [item for item in found.problems if not item.warning] == []
    assert from_json(json.loads(json.dumps(to_json(found.plan)))) == found.plan


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated(), st.sampled_from(["json", "yaml"]))
def test_any_other_value_makes_problems_with_places_in_the_file(value: Any, ending: str) -> None:
    lines = json.dumps(value, indent=1, ensure_ascii=False).split("\n")

    found = loaded(value, ending)

    errors = [item for item in found.problems if not item.warning]
    assert (found.plan is None) == bool(errors)
    for item in found.problems:
        assert item.source == lines[item.line - 1]
        assert 1 <= item.column <= len(item.source) + 1
        assert item.message
        assert "None" not in (item.hint or "")
    if found.plan is not None:
        Config.model_validate(value)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["json", "yaml", "toml"]))
def test_any_text_is_answered(text: str, ending: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / f"stophooks.{ending}"
        path.write_bytes(text.encode("utf-8", "replace"))
        found = load(str(path), environ={})

    assert found.plan is None
    assert found.problems
