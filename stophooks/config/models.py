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
    Jobs,
    Limit,
    Memory,
    MemoryBound,
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


Patterns = Annotated[
    list[
        Annotated[
            str, text("a pattern such as tests/** or *.toml", r"^[^/\x00-\x1f][^\x00-\x1f]*$")
        ]
    ],
    Field(min_length=1, json_schema_extra=expects("a list of patterns")),
]


Names = Annotated[
    list[Annotated[str, text("a name", max_length=200)]],
    Field(min_length=1, json_schema_extra=expects("a list of names")),
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
    description: Text | None = Field(
        None, description="What it is for; `stophooks list` shows it. Default: none."
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
    shell: Annotated[str, text("a shell such as zsh or /bin/dash", r"^\S+$")] | None = Field(
        None,
        description="The shell that `run` is given to, by name or absolute path; it takes a "
        "script behind `-c`. Default: `bash`, else `sh`, on the host, `/bin/sh` in a container.",
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
    severity: Literal["block", "warn"] | None = Field(
        None,
        description="Whether a failure keeps the agent from stopping (`block`) or is only told "
        "(`warn`). Default: `block`, in other events the event's.",
        json_schema_extra=choice("block", "warn"),
    )
    on_failure: Literal["block", "warn", "ignore"] | None = Field(
        None,
        description="What a failure means: `block` keeps what the event is about from happening "
        "(only where it can: see the events), `warn` is told, `ignore` is only recorded. Of this, "
        "`severity` and `continue_on_error` at most one. Default: the event's.",
        json_schema_extra=choice("block", "warn", "ignore"),
    )
    continue_on_error: Flag | None = Field(
        None, description="`true` is short for `on_failure: warn`. Default: `false`."
    )
    when: Literal["success", "failure", "always"] = Field(
        default="always",
        alias="if",
        description="After what it runs: only if the event and the commands before this one went "
        "well (`success`), only if something did not (`failure`), or `always`. Default: `always`.",
        json_schema_extra=choice("success", "failure", "always"),
    )
    for_each: Literal["repos", "resources"] | None = Field(
        None,
        description="Runs once for each of the workspace's repositories, in the repository, or of "
        "the task's resources, instead of once in all. Default: once in all.",
        json_schema_extra=choice("repos", "resources"),
    )
    only: Names | None = Field(
        None, description="The names that `for_each` is restricted to. Default: all."
    )
    repos: Names | None = Field(
        None, description="Short for `for_each: repos` with `only`. Default: none."
    )
    on_item_failure: Literal["stop", "continue"] = Field(
        default="continue",
        description="What happens when it fails for one item: `continue` with the others, or "
        "`stop`. Default: `continue`.",
        json_schema_extra=choice("stop", "continue"),
    )
    once: Flag | None = Field(
        None,
        description="Whether it runs only until it has passed once for the same subject and item; "
        "never for checks of an agent. Default: `true` for `service.on_init`, else `false`.",
    )
    pin: Flag = Field(
        default=True,
        description="Whether a script of the project that this command starts, such as "
        "`./scripts/check.sh`, has to be the one that it was when the agent's session began; if "
        "not, its change is a failure. `false` for a program that the agent works on. "
        "Default: `true`.",
    )
    needs: Names | None = Field(
        None,
        description="Names of commands of the same section that this one waits for, and without "
        "whose success it is not run; also with `jobs: 1`. One that was rightly skipped counts as "
        "a success. Default: none.",
    )
    exclusive: Flag = Field(
        default=False,
        description="Whether nothing else of the section runs while this command does, such as a "
        "formatter that changes files. Default: `false`.",
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
        "as `name:group`; on the host a name or a uid of this machine, which needs root. Default: "
        "the caller, in a container by uid:gid, so that new files in the project belong to the "
        "caller.",
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
    skip_unchanged: Flag | None = Field(
        None,
        description="Whether a check that passed is not run again while what decides its result "
        "is the same: its definition, its image, its environment and its `inputs`. Only for "
        "checks of an agent. Default: the section's `skip_unchanged`.",
    )
    inputs: Patterns | None = Field(
        None,
        description="The files whose content decides the result, for `skip_unchanged`: patterns "
        "as in `protect`. The configuration file always counts. Default: every file of the "
        "repository that git does not ignore, without git every file of the project.",
    )
    files: Patterns | None = Field(
        None,
        description="Runs only if a file that fits was created, edited or deleted since the "
        "agent's session began (by hand: since the last commit): patterns as in `protect`. The "
        "files are told in the file that `STOPHOOKS_FILES` names, each with a NUL behind it, and "
        "stand for an argument `{files}` of `command`. Only for checks of an agent. "
        "Default: it runs whatever changed.",
    )
    exclude: Patterns | None = Field(
        None,
        description="Files that do not count for `files`, patterns as there; alone it means all "
        "others. Default: none.",
    )


class Section(_Strict):
    """The commands of one event, and the rules for all of them together."""

    model_config = ConfigDict(json_schema_extra=expects("a section: an object with commands"))

    commands: list[StopCommand] = Field(
        description="What is run, in this order. Required.",
        json_schema_extra=expects("a list of commands"),
    )
    default_timeout: Timeout = Field(
        None,
        description="`timeout` of commands that have none: `30s`, `5m`, `1.5h`; `null`: no "
        "limit. Default: `5m` for the checks of an agent, `30s` for all other events.",
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
    fail_fast: Flag | None = Field(
        None,
        description="Whether the commands after the first failure are skipped, where a failure can "
        "block after the first that does. "
        "Default: `false`, all run and one answer names every failure; `true` for "
        "`task.pre_start`, `service.on_init` and `service.pre_start`.",
    )
    deadline: Duration = Field(
        default="9m",
        description="Time for all commands together, `30s`, `5m`, `1.5h`; what runs then is "
        "ended. Default: `9m`.",
    )
    jobs: Jobs = Field(
        default=1,
        description="How many commands run at the same time, 1 to 64, or `auto`: whatever is "
        "ready, at most 64, however many processors there are. Results stay in the order of the "
        "commands. Default: `1`, one after the other.",
    )
    max_memory: MemoryBound = Field(
        default="80%",
        description="What the `memory` of containers that run at the same time may add up to: "
        "`4g`, a number of bytes, or a share of this machine's memory such as `50%`. A container "
        "without `memory` counts nothing; one with more than this runs while no other one with "
        "`memory` does. Default: `80%`.",
    )


class StopSection(Section):
    """The checks of an agent, and the rules for all of them together."""

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
    skip_unchanged: Flag = Field(
        default=False,
        description="`skip_unchanged` of commands that do not say it. Default: `false`.",
    )


class CleanupSection(Section):
    """What is done at the end of a session."""

    model_config = ConfigDict(json_schema_extra=expects("a section: an object with commands"))

    commands: list[StopCommand] = Field(
        default=[],
        description="What is run, in this order. Default: the script `.stophooks/on-cleanup`, "
        "where there is one.",
        json_schema_extra=expects("a list of commands"),
    )
    compose: Flag = Field(
        default=True,
        description="Whether a Compose file of the project is brought down where there is neither "
        "a command nor a script. Default: `true`.",
    )
    compat: Literal["clsecure"] | None = Field(
        None,
        description="The program whose variables (`CLSECURE_…`) commands get too. Default: none.",
        json_schema_extra=expects("clsecure"),
    )


class Resource(_Strict):
    """What is done for one resource of a task."""

    model_config = ConfigDict(
        json_schema_extra=expects("a resource: an object with pre_start, post_complete or on_error")
    )

    pre_start: Section | None = Field(
        None,
        description="Runs when a task has locked the resource and is about to start; exit code 75 "
        "means that it is busy. Default: nothing runs.",
    )
    post_complete: Section | None = Field(
        None, description="Runs when the task's program has passed. Default: nothing runs."
    )
    on_error: Section | None = Field(
        None,
        description="Runs when the task has failed or was interrupted. Default: nothing runs.",
    )


class Task(Resource):
    """What is done for every task, and for the resources that tasks share."""

    model_config = ConfigDict(
        json_schema_extra=expects("an object with pre_start, post_complete, on_error or resources")
    )

    hooks_dir: Text = Field(
        default="hooks",
        description="Directory of the resources' scripts, `<resource>/pre_start.sh` and so on, "
        "relative to the configuration file. Default: `hooks`.",
    )
    resources: dict[str, Resource] = Field(
        default={},
        description="What is done for each resource, by its name. Default: nothing.",
        json_schema_extra=expects("an object of resources"),
    )


class Workspace(_Strict):
    """What is done for workspaces: worktrees of several repositories side by side."""

    model_config = ConfigDict(json_schema_extra=expects("an object with post_create or pre_close"))

    post_create: Section | None = Field(
        None,
        description="Runs when a workspace has been made; a failure is told, and the workspace "
        "stays. Default: nothing runs.",
    )
    pre_close: Section | None = Field(
        None,
        description="Runs before a workspace is looked over and closed; a failure keeps it open. "
        "Default: nothing runs.",
    )
    compat: Literal["canopy"] | None = Field(
        None,
        description="The program whose variables (`CANOPY_…`) commands get too. Default: none.",
        json_schema_extra=expects("canopy"),
    )


class ServiceHooks(_Strict):
    """What is done at the moments of a service's life."""

    model_config = ConfigDict(json_schema_extra=expects("an object of sections such as pre_start"))

    on_init: Section | None = Field(
        None,
        description="Runs before the first start, until a start has worked; a failure keeps the "
        "service from starting. Default: nothing runs.",
    )
    pre_start: Section | None = Field(
        None,
        description="Runs before each start; a failure keeps the service from starting. "
        "Default: nothing runs.",
    )
    post_start: Section | None = Field(
        None, description="Runs after each start. Default: nothing runs."
    )
    pre_stop: Section | None = Field(
        None, description="Runs before each stop. Default: nothing runs."
    )
    post_stop: Section | None = Field(
        None, description="Runs after each stop. Default: nothing runs."
    )
    pre_restart: Section | None = Field(
        None, description="Runs before a restart's `pre_stop`. Default: nothing runs."
    )
    post_restart: Section | None = Field(
        None, description="Runs after a restart's `post_start`. Default: nothing runs."
    )
    post_exit: Section | None = Field(
        None, description="Runs when a service has ended by itself. Default: nothing runs."
    )
    post_healthcheck_success: Section | None = Field(
        None, description="Runs when a service has become healthy. Default: nothing runs."
    )
    post_healthcheck_fail: Section | None = Field(
        None, description="Runs when a service has become unhealthy. Default: nothing runs."
    )
    pre_cleanup: Section | None = Field(
        None,
        description="Runs before what a stopped service leaves behind is removed. "
        "Default: nothing runs.",
    )


class ServiceEvents(ServiceHooks):
    """What is done for services in general, and what supervises them."""

    model_config = ConfigDict(
        json_schema_extra=expects("an object with engine, file or sections such as pre_start")
    )

    engine: Literal["compose", "supervisord"] | None = Field(
        None,
        description="What supervises the services. Default: what the project has a file for.",
        json_schema_extra=choice("compose", "supervisord"),
    )
    file: Text | None = Field(
        None,
        description="The supervising program's own file, relative to the configuration file. "
        "Default: `docker-compose.yml`, `docker-compose.yaml`, `compose.yml`, `compose.yaml` or "
        "`supervisord.conf`, whichever is there.",
    )
    project_name: (
        Annotated[str, text("a project's name such as demo", r"^[a-z0-9][a-z0-9_-]*$")] | None
    ) = Field(None, description="The project's name in Compose. Default: Compose's own choice.")


class Service(_Strict):
    """One service: what its hooks on this machine inherit, and the hooks."""

    model_config = ConfigDict(json_schema_extra=expects("a service: an object with hooks"))

    user: User | None = Field(
        None, description="Who its hooks run as, which needs root. Default: the caller."
    )
    env: Env | None = Field(
        None,
        description="Variables of its hooks, over those that its supervisor gives it; as `env` of "
        "a command. Default: none.",
    )
    env_file: Text | None = Field(
        None, description="A file of `KEY=VALUE` lines, under `env`. Default: none."
    )
    working_dir: Text | None = Field(
        None,
        description="Directory that its hooks run in, relative to the configuration file. "
        "Default: the service's own, where its supervisor knows one of this machine, else the "
        "project.",
    )
    hooks: ServiceHooks | None = Field(
        None, description="What is done at its moments. Default: nothing."
    )


class Config(_Strict):
    """Commands that run when a coding agent says that it is done, and at other ends and starts."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-expects": "an object with a section such as stop",
            "anyOf": [
                {"required": [key]}
                for key in (
                    "stop",
                    "subagent_stop",
                    "cleanup",
                    "task",
                    "workspace",
                    "service",
                    "services",
                    "protect",
                    "trust",
                )
            ],
        }
    )

    schema_: Annotated[str, Field(json_schema_extra=expects("a text"))] | None = Field(
        None,
        alias="$schema",
        description="Where an editor finds this schema; not read otherwise. Default: none.",
    )
    stop: StopSection | None = Field(
        None, description="Runs when the agent says that it is done. Default: nothing runs."
    )
    subagent_stop: StopSection | None = Field(
        None,
        description="Runs when one of the agent's helpers says that it is done. "
        "Default: nothing runs.",
    )
    cleanup: CleanupSection | None = Field(
        None,
        description="Runs when a session is over, before what it left running is ended. "
        "Default: a script or a Compose file is looked for.",
    )
    task: Task | None = Field(
        None, description="Runs around tasks and for the resources they share. Default: nothing."
    )
    workspace: Workspace | None = Field(
        None, description="Runs when a workspace was made or is closed. Default: nothing runs."
    )
    service: ServiceEvents | None = Field(
        None,
        description="Runs at the moments of services in general, and says what supervises them. "
        "Default: nothing runs.",
    )
    services: dict[str, Service] = Field(
        default={},
        description="What single services have of their own, by name. Default: nothing.",
        json_schema_extra=expects("an object of services"),
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
