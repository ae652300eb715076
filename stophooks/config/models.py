"""What a person may write in the configuration; the single source of ``schema.json``.

Each description states meaning, unit and default, because editors show it and
``docs/configuration.md`` is made of it. ``x-expects`` are the plain words for a wrong value.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from stophooks.config.fields import (
    ABSOLUTE,
    AbsolutePath,
    Capability,
    Cpus,
    Duration,
    Env,
    Flag,
    Limit,
    Memory,
    PidsLimit,
    SecretName,
    Size,
    Text,
    Timeout,
    User,
    choice,
    expects,
    text,
)
from stophooks.config.known import CONTAINER_KEYS, HOST_KEYS, ULIMITS


class _Strict(BaseModel):
    """No conversions, no unknown keys, no changes afterwards."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Mount(_Strict):
    """One mount of a container."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-expects": "a mount: an object with type, source and target",
            "allOf": [
                {
                    "if": {"properties": {"type": {"const": "bind"}}, "required": ["type"]},
                    "then": {"required": ["source"]},
                },
                {
                    "if": {"properties": {"type": {"const": "tmpfs"}}, "required": ["type"]},
                    "then": {
                        "properties": {
                            "source": {"not": {}, "x-forbids": "has no meaning for a tmpfs"}
                        }
                    },
                },
            ],
        }
    )

    type: Literal["bind", "volume", "tmpfs"] = Field(
        description="What is mounted: `bind` a path of this machine, `volume` a volume of the "
        "engine, `tmpfs` an empty directory in memory. Required.",
        json_schema_extra=choice("bind", "volume", "tmpfs"),
    )
    source: Text | None = Field(
        None,
        description="For `bind`: a path that exists, relative to the configuration file; links "
        "are followed. For `volume`: the volume's name; absent: a new volume for this run. "
        "Never for `tmpfs`.",
    )
    target: AbsolutePath = Field(
        description="Where the container sees it: an absolute path without `..`. Required."
    )
    readonly: Flag = Field(
        default=False, description="Whether the container may only read it. Default: `false`."
    )
    options: list[Text] = Field(
        default=[],
        description="The engine's own options. For `bind` a propagation (`rprivate`, `rslave` …), "
        "for `volume` `nocopy`, for `tmpfs` `size=64m`, `mode=1777`, `exec` and "
        "the like, but never `suid` or `dev`. Default: none.",
        json_schema_extra=expects("a list of texts"),
    )


class Capabilities(_Strict):
    """Linux capabilities, with or without `CAP_`; `drop` counts first, then `add`."""

    model_config = ConfigDict(json_schema_extra=expects("an object with add and drop"))

    add: list[Capability] = Field(
        default=[],
        description="Capabilities that the container gets after `drop`. Default: none.",
        json_schema_extra=expects("a list of capabilities"),
    )
    drop: list[Capability] = Field(
        default=["ALL"],
        description="Capabilities that the container loses; a list given here replaces the "
        "default. Default: `[ALL]`.",
        json_schema_extra=expects("a list of capabilities"),
    )


class UlimitRange(_Strict):
    """A soft and a hard limit."""

    model_config = ConfigDict(json_schema_extra=expects("a number, or an object {soft, hard}"))

    soft: Limit = Field(
        description="The limit in force, in the limit's own unit; -1: none. Required."
    )
    hard: Limit = Field(
        description="How far a process may raise it, in the same unit; -1: no bound. Required."
    )


class Secret(_Strict):
    """One secret of a command: where it is, and how a container gets it."""

    model_config = ConfigDict(
        json_schema_extra=expects("a secret: a variable's name, or an object with name")
    )

    name: SecretName = Field(
        description="What the secret is called: the variable of a host command, the file "
        "`/run/secrets/<name>` of a container. Required."
    )
    from_file: Text | None = Field(
        None,
        description="File whose content is the secret, at most 64 KiB, relative to the "
        "configuration file; read when the run begins. Default: none, the secret is this "
        "machine's environment variable `name`.",
    )
    expose: Literal["file", "env"] | None = Field(
        None,
        description="How a container gets it: as `file`, in memory, mode 0400 and its user's own, "
        "or as `env`, a variable that whoever may ask the engine can read. A host command always "
        "gets a variable. Default: `file`.",
        json_schema_extra=choice("file", "env"),
    )


class Report(_Strict):
    """What a command writes for machines, from which its failing cases are told."""

    model_config = ConfigDict(json_schema_extra=expects("a report: an object with format"))

    format: Literal[
        "junit",
        "ruff-json",
        "mypy-json",
        "eslint-json",
        "jest-json",
        "tsc",
        "go-test-json",
        "cargo-json",
        "sarif",
    ] = Field(
        description="What it is: `junit` (pytest, jest-junit, gotestsum …), `ruff-json`, "
        "`mypy-json`, `eslint-json`, `jest-json` (also vitest), `tsc` (its lines without "
        "`--pretty`), `go-test-json`, `cargo-json`, `sarif`. Required.",
        json_schema_extra=choice(
            "junit",
            "ruff-json",
            "mypy-json",
            "eslint-json",
            "jest-json",
            "tsc",
            "go-test-json",
            "cargo-json",
            "sarif",
        ),
    )
    path: Text | None = Field(
        None,
        description="File that the command writes it to, at most 4 MiB, relative to the "
        "configuration file, in a container to `/workspace`. One that is older than the command's "
        "start is not believed. Default: none, it is the command's standard output.",
    )


Secrets = Annotated[
    list[
        Annotated[
            SecretName | Secret,
            Field(json_schema_extra=expects("a variable's name, or an object with name")),
        ]
    ],
    Field(json_schema_extra=expects("a list of secrets")),
]


class StopCommand(_Strict):
    """One thing to run: on the host, or with `image` in a container of its own."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-expects": "a command: an object with run or command",
            "oneOf": [{"required": ["run"]}, {"required": ["command"]}],
            "dependentRequired": {key: ["image"] for key in CONTAINER_KEYS},
            "dependentSchemas": {
                "image": {
                    "properties": {
                        key: {"not": {}, "x-forbids": words} for key, words in HOST_KEYS.items()
                    }
                }
            },
        }
    )

    name: (
        Annotated[str, text("a name on one line", r"^[^\s\x00-\x1f]([^\x00-\x1f]{0,99})$")] | None
    ) = Field(
        None,
        description="What reports call it; each name once per section, at most 100 characters. "
        "Default: `<event>[<index>]`, such as `stop[0]`.",
    )
    run: Annotated[str, text("a script: a text that is not empty")] | None = Field(
        None,
        description="One script, given whole to one shell: `bash -c` on the host (`sh -c` where "
        "there is no bash), `/bin/sh -c` in a container. Exactly one of `run` and `command`.",
    )
    command: (
        Annotated[
            list[Annotated[str, Field(json_schema_extra=expects("a text"))]],
            Field(
                min_length=1, json_schema_extra=expects("a list of texts: program and arguments")
            ),
        ]
        | None
    ) = Field(
        None,
        description="A program and its arguments, run without a shell. Exactly one of `run` and "
        "`command`.",
    )
    message: Text | None = Field(
        None,
        description="What the agent is told first when the command does not pass. Default: none.",
    )
    show_command: Flag = Field(
        default=True, description="Whether the report shows the command. Default: `true`."
    )
    show_stdout: Flag = Field(
        default=True,
        description="Whether the report of a failure shows standard output. Default: `true`.",
    )
    show_stderr: Flag = Field(
        default=True,
        description="Whether the report of a failure shows standard error. Default: `true`.",
    )
    max_output_lines: (
        Annotated[
            int,
            Field(ge=1, le=10_000, json_schema_extra=expects("a whole number from 1 to 10000")),
        ]
        | None
    ) = Field(
        None,
        description="Most lines of each stream that a report shows, 1 to 10000. Default: as many "
        "as fit into the report.",
    )
    timeout: Timeout = Field(
        None,
        description="Time until the command is ended, a number with one unit: `30s`, `5m`, "
        "`1.5h`, at most `24h`; `null`: no limit. Default: the section's `default_timeout`.",
    )
    env: Env | None = Field(
        None,
        description="Environment variables, an object or a list of `KEY=VALUE`, merged over "
        "`default_env` and `env_file`. `${NAME}` and `${NAME:-default}` are filled in from this "
        "machine's environment, `$$` is a dollar sign. A container gets only these. "
        "Default: none.",
    )
    env_file: Text | None = Field(
        None,
        description="A file of `KEY=VALUE` lines, relative to the configuration file, merged over "
        "`default_env` and under `env`; taken as it is, nothing is filled in. Default: none.",
    )
    working_dir: Text | None = Field(
        None,
        description="Directory a host command runs in, relative to the configuration file. Host "
        "only. Default: the configuration file's directory.",
    )
    inherit_env: Flag = Field(
        default=True,
        description="Whether a host command also gets this machine's environment. `false` leaves "
        "`PATH`, `HOME`, `USER`, `LOGNAME`, `LANG`, `LC_ALL`, `LC_CTYPE`, `TERM`, `TMPDIR`, "
        "`TZ` and `STOPHOOKS_RUNNING`. Both add `STOPHOOKS_COMMAND_ID`, by which all that the "
        "command started is found, `STOPHOOKS_GUARDS`, by which a run inside it is guarded, and "
        "`PWD`. Host only. Default: `true`.",
    )
    keep_children: Flag = Field(
        default=False,
        description="Whether processes that a host command leaves running, such as a daemon that "
        "it starts on purpose, stay when it has passed; what fails, times out or is interrupted "
        "leaves nothing either way. Their output has to go elsewhere: they lose the pipe. Host "
        "only. Default: `false`.",
    )
    secrets: Secrets | None = Field(
        None,
        description="Secrets, added to `default_secrets`: names of this machine's environment "
        "variables, or objects with `name`, `from_file` and `expose`. On the host they are "
        "variables, in a container files under `/run/secrets`. What the command says of them is "
        "masked. One that is missing keeps the command from running. Default: none.",
    )
    report: Report | None = Field(
        None,
        description="What the command writes for machines; its failing cases are then told before "
        "its output. Default: told by the command line where that asks a known tool for it, such "
        "as `ruff check --output-format json` or `pytest --junitxml=report.xml`.",
    )
    severity: Literal["block", "warn"] = Field(
        default="block",
        description="Whether a failure keeps the agent from stopping (`block`) or is only told "
        "(`warn`). Default: `block`.",
        json_schema_extra=choice("block", "warn"),
    )
    pin: Flag = Field(
        default=True,
        description="Whether a script of the project that this command starts, such as "
        "`./scripts/check.sh`, has to be the one that it was when the agent's session began; if "
        "not, its change is a failure. `false` for a program that the agent works on. "
        "Default: `true`.",
    )
    image: Annotated[str, text("an image such as python:3.12-slim", max_length=512)] | None = Field(
        None,
        description="Image with a tag or a digest, such as `python:3.12-slim`; makes the command "
        "run in a container of its own. Default: none, the command runs on the host.",
    )
    pull: Literal["missing", "always", "never"] = Field(
        default="missing",
        description="When the image is fetched from its registry. Default: `missing`.",
        json_schema_extra=choice("missing", "always", "never"),
    )
    workdir: AbsolutePath = Field(
        default="/workspace",
        description="Directory in the container that the command runs in: an absolute path "
        "without `..`. Default: `/workspace`, which is the project.",
    )
    mounts: list[Mount] = Field(
        default=[],
        description="Mounts besides the project. One with the target `/workspace` takes the "
        "project's place. Default: none.",
        json_schema_extra=expects("a list of mounts"),
    )
    workspace: Literal["rw", "ro", "none"] = Field(
        default="rw",
        description="How the project is mounted at `/workspace`: to read and write, to read, or "
        "not at all. Default: `rw`.",
        json_schema_extra=choice("rw", "ro", "none"),
    )
    network: Annotated[
        str,
        text(
            "none, bridge, host, container:<name> or a network's name",
            r"^(container:)?[a-zA-Z0-9][a-zA-Z0-9_.-]*$",
        ),
    ] = Field(
        default="bridge",
        description="`none`, `bridge`, `host`, `container:<name>` or the name of a network. "
        "Default: `bridge`.",
    )
    memory: Memory = Field(
        None,
        description="Most memory, swap included: `512m`, `2g`, or a number of bytes; units of "
        "1024; at least `6m`; `null`: no limit. Default: no limit.",
    )
    cpus: Cpus = Field(
        None,
        description="Most CPUs, such as `1.5`; at least `0.01`; `null`: no limit. "
        "Default: no limit.",
    )
    pids_limit: PidsLimit = Field(
        default=4096,
        description="Most processes and threads at a time, the init process included, from 2; "
        "`null`: no limit. Default: `4096`.",
    )
    shm_size: Size | None = Field(
        None,
        description="Size of `/dev/shm`: `64m`, `1g`, or a number of bytes; units of 1024. "
        "Default: the engine's (64 MiB).",
    )
    user: User | None = Field(
        None,
        description="Who the command runs as: `uid`, `uid:gid`, or a name of the image, alone or "
        "as `name:group`. Default: the caller's own uid:gid, so that new files in the project "
        "belong to the caller.",
    )
    seccomp: Text = Field(
        default="default",
        description="System call filter: `default` (the engine's), `unconfined`, or a profile "
        "file, relative to the configuration file. Default: `default`.",
    )
    apparmor: Annotated[str, text("a profile's name, or unconfined", r"^\S+$")] | None = Field(
        None,
        description="AppArmor profile's name, or `unconfined`. Default: the engine's profile.",
    )
    capabilities: Capabilities = Field(
        default=Capabilities(),
        description="Linux capabilities: `drop` counts first, then `add`. Default: all dropped.",
    )
    read_only: Flag = Field(
        default=False,
        description="Whether the image's own files are read-only; mounts and `tmpfs` are not "
        "touched by it. Default: `false`.",
    )
    tmpfs: Annotated[
        list[Annotated[str, text("a path such as /tmp or /tmp:size=64m", ABSOLUTE)]]
        | dict[str, Annotated[str, Field(json_schema_extra=expects("options such as size=64m"))]],
        Field(json_schema_extra=expects("a list of paths, or an object of paths and options")),
    ] = Field(
        default=[],
        description="Directories in memory: a list of `/path` or `/path:size=64m,exec`, or an "
        "object of paths and options. Without `exec` no program in them can be run. "
        "Default: none.",
    )
    init: Flag = Field(
        default=True,
        description="Whether a small init process is PID 1, so that signals arrive and orphans "
        "are reaped. Default: `true`.",
    )
    no_new_privileges: Flag = Field(
        default=True,
        description="Whether set-uid programs such as sudo gain nothing. Default: `true`.",
    )
    ulimits: dict[
        str,
        Annotated[
            Limit | UlimitRange,
            Field(json_schema_extra=expects("a number, or an object {soft, hard}")),
        ],
    ] = Field(
        default={},
        description="Limits of each process, by name (`nofile`, `nproc`, `core` …): a number, or "
        "`{soft, hard}`; -1: none. Default: the engine's.",
        json_schema_extra=expects(
            "an object of limits", propertyNames={"enum": list(ULIMITS), "x-expects": "a limit"}
        ),
    )
    platform: (
        Annotated[
            str,
            text(
                "a platform such as linux/amd64 or linux/arm64/v8",
                r"^[a-z0-9]+/[a-z0-9_]+(/[a-z0-9_.]+)?$",
            ),
        ]
        | None
    ) = Field(
        None,
        description="Platform of the image: `os/arch` or `os/arch/variant`. "
        "Default: the engine's own.",
    )


class Section(_Strict):
    """The commands of one event, and the rules for all of them together."""

    model_config = ConfigDict(json_schema_extra=expects("a section: an object with commands"))

    commands: list[StopCommand] = Field(
        description="What is run, in this order. Required.",
        json_schema_extra=expects("a list of commands"),
    )
    default_timeout: Timeout = Field(
        default="5m",
        description="`timeout` of commands that have none: `30s`, `5m`, `1.5h`; `null`: no "
        "limit. Default: `5m`.",
    )
    default_env: Env = Field(
        default={},
        description="Environment variables of all commands, an object or a list of `KEY=VALUE`; "
        "`${NAME}` works as in `env`. Default: none.",
    )
    default_secrets: Secrets = Field(
        default=[],
        description="Secrets of all commands, as `secrets` of a command. Default: none.",
        json_schema_extra=expects("a list of secrets"),
    )
    fail_fast: Flag = Field(
        default=False,
        description="Whether the commands after the first one that does not pass are skipped. "
        "Default: `false`: all run, and one answer names every failure.",
    )
    deadline: Duration = Field(
        default="9m",
        description="Time for all commands together, `30s`, `5m`, `1.5h`; what runs then is "
        "ended. Default: `9m`.",
    )
    max_blocks: Annotated[
        int, Field(ge=1, le=100, json_schema_extra=expects("a whole number from 1 to 100"))
    ] = Field(
        default=3,
        description="How many times in a row one session is kept from stopping, 1 to 100; then "
        "the agent may stop, and the person is told that checks did not pass. Default: `3`.",
    )
    when_busy: Literal["wait", "block"] = Field(
        default="wait",
        description="What happens while another run is going on in this project: `wait` for it, "
        "within the `deadline`, or `block` at once. Default: `wait`.",
        json_schema_extra=choice("wait", "block"),
    )
    baseline: Flag = Field(
        default=False,
        description="Whether the commands also run when an agent's session begins, in the "
        "background and for at most half of the `deadline`; a failure that was there then, of the "
        "same command with the same output, is told and does not block. Default: `false`.",
    )


class Config(_Strict):
    """Commands that run when a coding agent says that it is done."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-expects": "an object with the key stop, subagent_stop or both",
            "anyOf": [
                {"required": ["stop"]},
                {"required": ["subagent_stop"]},
                {"required": ["protect"]},
                {"required": ["trust"]},
            ],
        }
    )

    schema_: Annotated[str, Field(json_schema_extra=expects("a text"))] | None = Field(
        None,
        alias="$schema",
        description="Where an editor finds this schema; not read otherwise. Default: none.",
    )
    stop: Section | None = Field(
        None, description="Runs when the agent says that it is done. Default: nothing runs."
    )
    subagent_stop: Section | None = Field(
        None,
        description="Runs when one of the agent's helpers says that it is done. "
        "Default: nothing runs.",
    )
    protect: Annotated[
        list[
            Annotated[
                str, text("a pattern such as tests/** or *.toml", r"^[^/\x00-\x1f][^\x00-\x1f]*$")
            ]
        ],
        Field(json_schema_extra=expects("a list of patterns")),
    ] = Field(
        default=[],
        description="Files of the project that the agent may not change: patterns relative to the "
        "project, in which `*` and `?` stand for anything within a name, `**` for any directories, "
        "and a directory's name for all that is in it. What changed, came or went since the "
        "session began is a failure of its own. Default: none.",
    )
    trust: Literal["required", "assumed"] = Field(
        default="assumed",
        description="Only in the configuration of a user: whether a project's commands run for an "
        "agent only after `stophooks trust` (`required`), or at once (`assumed`). "
        "Default: `assumed`.",
        json_schema_extra=choice("required", "assumed"),
    )
