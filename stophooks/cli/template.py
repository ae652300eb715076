"""The text of the configuration that `init` writes: what was found, and examples to uncomment."""

from __future__ import annotations

from string import Template

from stophooks.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stophooks.cli.detect import Check, Project

SCHEMA = ".stophooks/schema.json"

_HEAD = f"""\
# yaml-language-server: $schema=./{SCHEMA}
#
# What has to pass before a coding agent may stop. By hand: `stophooks run`.
# Every key and its default: `stophooks schema`; every value in force: `stophooks list`.

stop:
  # Without a timeout of its own a command is ended, with all it started, after this time.
  default_timeout: 5m
  # A check that passed is not run again while nothing that it depends on changed; what counts is
  # in docs/reuse.md. `inputs: [src/**]` names the files of one check, `stophooks run --no-cache`
  # runs all.
  skip_unchanged: true
  commands:
"""

_NOTHING_FOUND = """\
    # No build file was recognised here: put your own checks in the place of this one.
    - name: example
      run: echo "replace me with a check that fails while the work is not done"
"""

# Two hash signs are words, one is an example: remove "# " to use it.
_EXAMPLES = Template("""
    ## Examples, from simple to complete. Remove the "# " in front of every line of one to use it.

    ## 1. One line on the host.
    # - name: whitespace
    #   run: git diff --check
    #   message: Remove the whitespace errors and the conflict markers named below.

    ## 2. A script: one shell runs all of it. A failure is told to the agent but does not block.
    # - name: todo
    #   severity: warn
    #   timeout: 30s
    #   run: |
    #     set -eu
    #     found=$$(grep -rIn --exclude-dir=.git --exclude=stophooks.yaml FIXME . || true)
    #     printf '%s' "$$found"
    #     test -z "$$found"

    ## 3. In a throwaway container without network, with limits. The project is at /workspace.
    # - name: isolated
    #   image: $image
    #   run: ls -la
    #   network: none
    #   memory: 512m
    #   cpus: 1
    #   timeout: 2m

    ## 4. A container with everything said.
    # - name: complete
    #   image: $image
    #   pull: missing
    #   run: id && ls -la /workspace /reference /cache
    #   workdir: /workspace
    #   workspace: ro
    #   env:
    #     CI: "true"
    #     LOG_LEVEL: $${LOG_LEVEL:-info}
    #   mounts:
    #     - {type: bind, source: ., target: /reference, readonly: true}
    #     - {type: tmpfs, target: /cache}
    #   network: none
    #   memory: 1g
    #   cpus: 1
    #   pids_limit: 256
    #   user: "1000:1000"
    #   read_only: true
    #   tmpfs: [/tmp]
    #   capabilities:
    #     drop: [ALL]
    #   seccomp: default
    #   timeout: 5m
    #   max_output_lines: 200
""")


def render(project: Project) -> str:
    """The whole text of stophooks.yaml for a project."""
    body = "\n".join(_check(check) for check in project.checks) or _NOTHING_FOUND
    return _HEAD + body + _EXAMPLES.substitute(image=project.image)


def _check(check: Check) -> str:
    return "".join(f"{row}\n" for row in _rows(check))


def _rows(check: Check) -> Iterator[str]:
    yield f"    - name: {check.name}"
    yield f"      run: {check.run}"
    if check.env:
        yield "      env:"
        yield from (f'        {name}: "{value}"' for name, value in check.env)
