"""What a supervisord.conf means, as supervisord reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stophooks.lifecycles.services.base import ServicesUnavailableError
from stophooks.lifecycles.services.supervisordfile import Address, Described, Program, read

if TYPE_CHECKING:
    from pathlib import Path

SERVER = "[unix_http_server]\nfile=%(here)s/s.sock\n[supervisord]\n"


def described(directory: Path, text: str, **environ: str) -> Described:
    path = directory / "supervisord.conf"
    path.write_text(text, encoding="utf-8")
    return read(str(path), environ)


def program(directory: Path, text: str, **environ: str) -> Program:
    (found,) = described(directory, SERVER + text, **environ).programs
    return found


@pytest.mark.scenario("services-supervisord: What hooks inherit")
def test_a_service_has_its_programs_environment_user_and_directory(tmp_path: Path) -> None:
    text = """
environment = SHARED="s",BOTH=outer ; of all
[program:web]
command = serve
directory = %(here)s/%(program_name)s
user = %(ENV_WHO)s
environment = BOTH="a, b",PORT='80',PLAIN=x/y.z:1,FROM="%(ENV_SHARED)s-%(ENV_WHO)s"
"""

    found = program(tmp_path, text, WHO="www-data")

    assert dict(found.env) == {
        "SHARED": "s",
        "BOTH": "a, b",
        "PORT": "80",
        "PLAIN": "x/y.z:1",
        "FROM": "s-www-data",
    }
    assert found.user == "www-data"
    assert found.directory == f"{tmp_path}/web"


def test_what_the_file_does_not_say_is_supervisords_default(tmp_path: Path) -> None:
    found = program(tmp_path, "[program:web]\ncommand=serve\n")

    assert found == Program(name="web", processes=("web",), groups=("web",))


def test_what_is_said_for_all_programs_holds_for_each(tmp_path: Path) -> None:
    found = program(tmp_path, "user=nobody\ndirectory=/srv\n[program:web]\ncommand=serve\n")

    assert (found.user, found.directory) == ("nobody", "/srv")


@pytest.mark.parametrize(
    ("value", "restarts"),
    [("true", True), ("unexpected", True), ("Unexpected", True), ("false", False), ("0", False)],
)
def test_what_is_started_again_is_known(tmp_path: Path, value: str, restarts: bool) -> None:
    found = program(tmp_path, f"[program:web]\ncommand=serve\nautorestart={value}\n")

    assert found.restarts is restarts


@pytest.mark.scenario("services-supervisord: Several processes")
def test_processes_are_named_as_supervisord_names_them(tmp_path: Path) -> None:
    text = """
[program:many]
command = serve %(process_num)s
process_name = %(program_name)s_%(process_num)02d
numprocs = 2
numprocs_start = 8
[program:one]
command = serve
process_name = only
[program:a]
command = serve
[program:b]
command = serve
process_name = %(group_name)s-b
[group:g]
programs = a, b
priority = 5
"""

    found = {one.name: one for one in described(tmp_path, SERVER + text).programs}

    assert found["many"].processes == ("many:many_08", "many:many_09")
    assert found["one"].processes == ("one:only",)
    assert found["a"].processes == ("g:a",)
    assert found["b"].processes == ("g:g-b",)
    assert found["a"].groups == ("g",)
    assert found["a"].priority == (5, 999)
    assert list(found) == ["many", "one", "a", "b"]


def test_log_files_are_those_that_the_file_names(tmp_path: Path) -> None:
    text = """
[program:web]
command = serve
stdout_logfile = %(here)s/%(program_name)s.log
stderr_logfile = NONE
[program:auto]
command = serve
stdout_logfile = AUTO
stderr_logfile = relative.log
"""

    web, auto = described(tmp_path, SERVER + text).programs

    assert web.logs == (f"{tmp_path}/web.log",)
    assert auto.logs == ()


@pytest.mark.scenario("services-supervisord: Included file")
def test_included_files_count_with_a_directory_of_their_own(tmp_path: Path) -> None:
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d/b.conf").write_text("[program:b]\ncommand=x\ndirectory=%(here)s\n")
    (tmp_path / "conf.d/a.conf").write_text("[program:a]\ncommand=x\n")
    text = (
        "[program:z]\ncommand=x\ndirectory=%(here)s\n[include]\nfiles = conf.d/*.conf no/*.conf\n"
    )

    found = described(tmp_path, SERVER + text).programs

    assert [one.name for one in found] == ["z", "a", "b"]
    assert found[0].directory == str(tmp_path)
    assert found[2].directory == f"{tmp_path}/conf.d"


@pytest.mark.scenario("services-supervisord: Event listeners")
def test_event_listeners_are_no_services(tmp_path: Path) -> None:
    text = "[eventlistener:mail]\ncommand=x\nevents=TICK_5\n[fcgi-program:php]\ncommand=x\n"

    found = described(tmp_path, SERVER + text).programs

    assert [one.name for one in found] == ["php"]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("[unix_http_server]\nfile=/run/s.sock ; here\n", Address(path="/run/s.sock")),
        (
            "[unix_http_server]\nfile=/s\nusername=u\npassword=p\n",
            Address(path="/s", username="u", password="p"),
        ),
        ("[inet_http_server]\nport=127.0.0.1:9001\n", Address(host="127.0.0.1", port=9001)),
        ("[inet_http_server]\nport=*:9001\n", Address(host="localhost", port=9001)),
        ("[inet_http_server]\nport=9001\n", Address(host="localhost", port=9001)),
        ("[inet_http_server]\nport=1\n[unix_http_server]\nfile=/s\n", Address(path="/s")),
        ("", None),
    ],
)
def test_the_address_is_the_socket_or_else_the_port(
    tmp_path: Path, text: str, address: Address | None
) -> None:
    assert described(tmp_path, f"[supervisord]\n{text}").address == address


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("[program:x]\ncommand=x\n", "it has no [supervisord] section"),
        ("no section\n", "File contains no section headers"),
        (
            "[supervisord]\n[program:x]\nenvironment=A=%(ENV_NOT_SET)s\n",
            "[program:x] environment needs ENV_NOT_SET, which is not set here",
        ),
        ("[supervisord]\n[program:x]\nuser=%(here\n", "[program:x] user is badly formatted"),
        (
            "[supervisord]\n[program:x]\nenvironment=A=1;B=2,C\n",
            "[program:x] environment is no list of KEY=value: A=1;B=2,C",
        ),
        ("[supervisord]\n[program:x]\nnumprocs=two\n", "[program:x] numprocs is no number: two"),
        ("[supervisord]\nenvironment='\n", "[supervisord] environment is no list"),
    ],
)
@pytest.mark.scenario("services-supervisord: File that supervisord would refuse")
def test_what_is_wrong_with_a_file_is_said_with_its_place(
    tmp_path: Path, text: str, wrong: str
) -> None:
    with pytest.raises(ServicesUnavailableError) as raised:
        described(tmp_path, text)

    assert str(raised.value).startswith(f"{tmp_path}/supervisord.conf")
    assert wrong in str(raised.value)


@pytest.mark.scenario("services-supervisord: File that supervisord would refuse")
def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        ServicesUnavailableError, match=r"gone[.]conf cannot be read .*No such file"
    ):
        read(f"{tmp_path}/gone.conf", {})
