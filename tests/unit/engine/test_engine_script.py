# SPDX-License-Identifier: Apache-2.0
"""What engine.sh would do, and what it refuses, on machines that are folders of a test.

Each test lays out a machine below `root` (os-release, package sources, /proc) and a PATH of small
fakes. Whatever would change the machine is a tripwire: it only notes that it was called.
"""

import os
import shutil
import socket
import subprocess
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest

ENGINE = Path(__file__).parents[3] / "controller" / "engine"
REAL_TOOLS = [
    *("awk", "basename", "bash", "cat", "cut", "dirname", "env", "flock", "grep", "head", "id"),
    *("ls", "mkdir", "mv", "readlink", "rm", "sleep", "stat", "tail", "timeout", "tr", "true"),
]
TRIPWIRES = ["apt-get", "chmod", "kill", "ln", "setsid", "systemctl", "tee"]
DEAD = "\nCannot connect to the Docker daemon at unix:///var/run/docker.sock. Is it running?"
DENIED = "permission denied while trying to connect to the Docker daemon socket"
ONE_LINE = "deb [arch=amd64 signed-by=/keys/one.gpg] http://mirror.test/debian bookworm main\n"
DEB822 = """\
# a comment
Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By: /keys/one.gpg

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine made of files: `root` is what it holds, `bin` is its PATH."""

    root: Path
    bin: Path
    state: Path
    environment: dict[str, str]

    def fake(self, name: str, body: str) -> None:
        tool = self.bin / name
        tool.unlink(missing_ok=True)
        tool.write_text(f"#!{shutil.which('bash')}\n{textwrap.dedent(body)}\n")
        tool.chmod(0o755)

    def is_a(self, identifier: str, version: str) -> None:
        (self.root / "etc/os-release").write_text(f'ID={identifier}\nVERSION_ID="{version}"\n')

    def has_docker(self, *, answer: str, code: int, plugins: str = "") -> None:
        """Put a client on PATH whose engine gives `answer`, with the named plugins."""
        self.fake(
            "docker",
            f"""
            case $1 in
              version) echo '{answer}'; exit {code} ;;
              context) echo unix:///var/run/docker.sock ;;
              compose | buildx) [[ ' {plugins} ' == *" $1 "* ]] && echo v2 ;;
            esac
            """,
        )

    def has_tools(self) -> None:
        """Put there what makes a base image."""
        self.fake("debootstrap", "")
        self.fake("dpkg-query", "echo installed")

    def is_used_by(self, name: str) -> None:
        """Let a user type the commands for whom sudo asks for a password."""
        self.fake("id", f"if [[ $1 == -u ]]; then echo 1000; else echo {name}; fi")
        self.fake("sudo", "exit 1")

    def has_process(self, pid: int, comm: str) -> None:
        folder = self.root / "proc" / str(pid)
        folder.mkdir(parents=True)
        (folder / "comm").write_text(f"{comm}\n")
        (folder / "cmdline").write_text(f"{comm}\0--host=unix:///elsewhere.sock\0")
        (folder / "stat").write_text(f"{pid} ({comm}) S {' '.join(['0'] * 18)} 4711 0 0\n")

    def runs(
        self, *words: str, real: bool = False, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run engine.sh below `root`, or (`real`) on what the fakes leave of this machine."""
        where = [] if real else ["--root", str(self.root)]
        return self.bash(str(ENGINE / "engine.sh"), *words, *where, **environment)

    def bash(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.bin / "bash"), *words],
            env=self.environment | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def touched(self) -> str:
        """Return what ran into a tripwire."""
        log = self.bin / "tripwire.log"
        return log.read_text() if log.exists() else ""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a Debian 12 machine on which root works and no Docker is installed."""
    made = Machine(
        root=tmp_path / "root",
        bin=tmp_path / "bin",
        state=tmp_path / "state" / "ttctl" / "engine",
        environment={
            "PATH": str(tmp_path / "bin"),
            "HOME": str(tmp_path / "home"),
            "XDG_STATE_HOME": str(tmp_path / "state"),
        },
    )
    made.bin.mkdir()
    (made.root / "etc/apt/sources.list.d").mkdir(parents=True)
    (made.root / "etc/apt/sources.list").write_text(ONE_LINE)
    for tool in REAL_TOOLS:
        found = shutil.which(tool)
        assert found, f"{tool} is needed by engine.sh and is not on this machine"
        (made.bin / tool).symlink_to(found)
    for tool in TRIPWIRES:
        made.fake(tool, f'echo "{tool} $*" >>"${{0%/*}}/tripwire.log"')
    made.fake("id", "if [[ $1 == -u ]]; then echo 0; else echo root; fi")
    made.is_a("debian", "12")
    return made


def commands(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the printed commands without their reasons and the files that they would write."""
    found, inside = [], False
    for line in result.stdout.splitlines():
        if not inside and not line.startswith("#"):
            found.append(line)
        inside = (inside or line.endswith('<<"END"')) and line != "END"
    return [line for line in found if line != "END"]


def installed(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the packages of the one command that would install."""
    (line,) = [
        line for line in commands(result) if " install " in line and "--simulate" not in line
    ]
    return line.split("--no-remove ")[1].split()


def labels(result: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the labels of a refusal, in order."""
    lines = [line for line in result.stderr.splitlines() if not line.startswith(" ")]
    return [line.split(":")[0] for line in lines[-4:]]


EXTRAS = ["iptables", "ca-certificates", "debootstrap"]
KEYRING = "debian-archive-keyring"
"""Ubuntu has none of its own: debootstrap checks the signature of Debian's release by it."""


@pytest.mark.parametrize(
    ("identifier", "version", "packages", "suite"),
    [
        pytest.param(
            "debian",
            "12",
            ["docker.io", *EXTRAS, "docker-compose", "docker-buildx"],
            "trixie",
            id="debian-12",
        ),
        pytest.param(
            "debian",
            "13",
            ["docker-cli", "docker.io", *EXTRAS, "docker-compose", "docker-buildx"],
            None,
            id="debian-13",
        ),
        pytest.param(
            "ubuntu",
            "22.04",
            ["docker.io", *EXTRAS, KEYRING, "docker-compose-v2", "docker-buildx"],
            None,
            id="ubuntu-22.04",
        ),
        pytest.param(
            "ubuntu",
            "24.04",
            ["docker.io", *EXTRAS, KEYRING, "docker-compose-v2", "docker-buildx"],
            None,
            id="ubuntu-24.04",
        ),
    ],
)
def test_a_bare_machine_gets_the_packages_of_its_row_and_then_a_daemon(
    machine: Machine, identifier: str, version: str, packages: list[str], suite: str | None
) -> None:
    machine.is_a(identifier, version)
    result = machine.runs("up", "--dry-run")
    assert result.returncode == 0, result.stderr
    assert installed(result) == packages
    assert ("Suites: trixie" in result.stdout) == (suite == "trixie")
    order = [line.split()[0] for line in commands(result)]
    files = ["tee", "tee"] if suite else []
    assert order == [*files, "tee", "chmod", "env", "env", "env", "rm", "setsid"]
    assert machine.touched() == ""


def test_every_row_of_the_table_is_tried_above_and_says_whether_somebody_ran_it() -> None:
    lines = (ENGINE / "packages.tsv").read_text().splitlines()
    head, *rows = [line.split("\t") for line in lines if not line.startswith("#")]
    assert [row[:2] for row in rows] == [
        ["debian", "12"],
        ["debian", "13"],
        ["ubuntu", "22.04"],
        ["ubuntu", "24.04"],
    ]
    assert {len(row) for row in rows} == {len(head)}
    assert {row[head.index("status")] for row in rows} == {"run", "not run"}


def test_every_printed_command_has_its_reason_in_the_line_before(machine: Machine) -> None:
    lines = machine.runs("up", "--dry-run").stdout.splitlines()
    for command in commands(machine.runs("up", "--dry-run")):
        reason = lines[lines.index(command) - 1]
        assert reason.startswith("# "), f"{command} follows {reason!r}"
        assert reason.endswith(".")


def test_under_systemd_the_unit_is_started_instead_of_the_program(machine: Machine) -> None:
    (machine.root / "run/systemd/system").mkdir(parents=True)
    last = commands(machine.runs("up", "--dry-run"))[-1]
    assert last == "systemctl start docker.service"


def test_install_ends_before_anything_is_started(machine: Machine) -> None:
    result = machine.runs("install", "--dry-run")
    assert "docker.io" in installed(result)
    assert commands(result)[-1] == "rm -f /usr/sbin/policy-rc.d"


def test_a_kernel_with_apparmor_gets_its_parser_too(machine: Machine) -> None:
    parameters = machine.root / "sys/module/apparmor/parameters"
    parameters.mkdir(parents=True)
    (parameters / "enabled").write_text("Y\n")
    assert "apparmor" in installed(machine.runs("up", "--dry-run"))


@pytest.mark.parametrize(
    ("file", "text"),
    [
        pytest.param("sources.list", ONE_LINE, id="one-line"),
        pytest.param("sources.list.d/debian.sources", DEB822, id="deb822"),
        pytest.param(
            "sources.list.d/debian.sources", DEB822.replace("bookworm ", "oldstable "), id="role"
        ),
    ],
)
def test_the_plugins_come_from_this_machines_own_mirror_and_keyring(
    machine: Machine, file: str, text: str
) -> None:
    (machine.root / "etc/apt/sources.list").unlink()
    (machine.root / "etc/apt" / file).write_text(text)
    printed = machine.runs("up", "--dry-run").stdout
    assert "URIs: http://mirror.test/debian\nSuites: trixie\nComponents: main\n" in printed
    assert "Signed-By: /keys/one.gpg\n" in printed
    assert "Package: *\nPin: release n=trixie\nPin-Priority: -10\n" in printed
    assert (
        "Package: docker-compose docker-buildx\nPin: release n=trixie\nPin-Priority: 600" in printed
    )


@pytest.mark.parametrize(
    ("text", "why_not"),
    [
        pytest.param(DEB822.replace("Types", "Enabled: no\nTypes"), "disabled", id="disabled"),
        pytest.param("deb cdrom:[Debian 12]/ bookworm main\n", "a disc", id="disc"),
        pytest.param("deb http://mirror.test/debian bookworm contrib\n", "no main", id="no-main"),
    ],
)
def test_a_source_that_cannot_carry_the_plugins_is_not_taken(
    machine: Machine, text: str, why_not: str
) -> None:
    (machine.root / "etc/apt/sources.list").unlink()
    suffix = "sources" if "Types" in text else "list"
    (machine.root / "etc/apt/sources.list.d" / f"x.{suffix}").write_text(text)
    result = machine.runs("up", "--dry-run")
    assert result.returncode == 4, why_not
    assert "No package source of bookworm was found." in result.stderr


def test_a_machine_that_names_the_suite_already_keeps_its_own_pin_for_the_rest(
    machine: Machine,
) -> None:
    (machine.root / "etc/apt/sources.list").write_text(
        ONE_LINE + ONE_LINE.replace("bookworm", "trixie")
    )
    printed = machine.runs("up", "--dry-run").stdout
    assert "Package: docker-compose docker-buildx\n" in printed
    assert "Package: *" not in printed
    assert "ttctl-trixie.sources" not in printed


def test_an_unknown_distribution_is_told_what_to_install_by_hand(machine: Machine) -> None:
    machine.is_a("fedora", "43")
    result = machine.runs("up")
    assert result.returncode == 4
    assert labels(result) == ["error", "why", "evidence", "next"]
    assert "no packages are known for 'fedora 43'" in result.stderr
    assert "debian 12, debian 13, ubuntu 22.04, ubuntu 24.04" in result.stderr
    assert "next: install Docker Engine" in result.stderr
    assert commands(result) == []


@pytest.mark.parametrize(
    ("sudo", "prefix", "code"),
    [
        pytest.param("exit 1", "sudo", 6, id="no-sudo"),
        pytest.param("exit 0", "sudo -n", 0, id="sudo"),
    ],
)
def test_who_is_not_root_needs_sudo_or_is_told_what_to_type(
    machine: Machine, sudo: str, prefix: str, code: int
) -> None:
    machine.fake("id", "if [[ $1 == -u ]]; then echo 1000; else echo ada; fi")
    machine.fake("sudo", sudo)
    result = machine.runs("up")
    assert result.returncode == code
    changing = [line for line in commands(result) if "--simulate" not in line]
    assert all(line.startswith(f"{prefix} ") for line in changing)
    assert "docker.io" in installed(result)
    assert machine.touched() == ""
    if code:
        assert labels(result) == ["error", "why", "evidence", "next"]
        assert "this needs root, and you are ada" in result.stderr
        assert f"next: sudo {ENGINE}/engine.sh up" in result.stderr


def test_an_engine_that_answers_is_used_untouched_and_nothing_is_run(machine: Machine) -> None:
    machine.has_docker(answer="20.10.24", code=0, plugins="compose buildx")
    machine.has_tools()
    result = machine.runs("up", real=True)
    assert result.returncode == 0, result.stderr
    assert result.stdout == (
        "Docker engine 20.10.24 answers at unix:///var/run/docker.sock: used untouched.\n"
    )
    assert machine.touched() == ""


def test_an_engine_that_lacks_a_plugin_gets_that_plugin_and_nothing_else(machine: Machine) -> None:
    machine.has_docker(answer="20.10.24", code=0, plugins="compose")
    machine.has_tools()
    result = machine.runs("up", "--dry-run")
    assert installed(result) == ["docker-buildx"]
    assert not [line for line in commands(result) if "setsid" in line or "systemctl" in line]


UNTOUCHED = "Docker engine 24.0.9 answers at unix:///var/run/docker.sock: used untouched."


@pytest.mark.parametrize("verb", ["up", "install"])
@pytest.mark.parametrize(
    ("identifier", "version", "packages"),
    [
        pytest.param("debian", "12", ["debootstrap"], id="debian"),
        pytest.param("ubuntu", "24.04", ["debootstrap", KEYRING], id="ubuntu"),
    ],
)
def test_an_engine_that_answers_gets_debootstrap_beside_it_and_stays_untouched(
    machine: Machine, verb: str, identifier: str, version: str, packages: list[str]
) -> None:
    machine.has_docker(answer="24.0.9", code=0, plugins="compose buildx")
    machine.is_a(identifier, version)
    result = machine.runs(verb, "--dry-run")
    assert result.returncode == 0, result.stderr
    assert installed(result) == packages
    assert not [line for line in commands(result) if "setsid" in line or "systemctl" in line]
    assert "trixie" not in result.stdout
    assert (UNTOUCHED in result.stdout) == (verb == "up")


@pytest.mark.parametrize("verb", ["up", "install"])
def test_who_may_install_nothing_is_told_in_one_line_and_goes_on(
    machine: Machine, verb: str
) -> None:
    machine.has_docker(answer="24.0.9", code=0, plugins="compose buildx")
    machine.is_used_by("ada")
    result = machine.runs(verb)
    assert result.returncode == 0
    assert result.stderr == (
        "Not installed, and you may not install it: debootstrap"
        " (needed only where no registry answers).\n"
    )
    assert result.stdout == (f"{UNTOUCHED}\n" if verb == "up" else "")


def test_without_a_row_in_the_table_nobody_looks_for_debootstrap(machine: Machine) -> None:
    machine.has_docker(answer="24.0.9", code=0, plugins="compose buildx")
    machine.is_a("fedora", "43")
    result = machine.runs("up")
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{UNTOUCHED}\n", "")


@pytest.mark.parametrize(
    ("apt", "said"),
    [
        pytest.param("exit 0", "Installed: debootstrap.", id="works"),
        pytest.param("echo 'E: no network'; exit 100", "Not installed: debootstrap", id="fails"),
    ],
)
def test_debootstrap_that_cannot_be_installed_ends_nothing(
    machine: Machine, apt: str, said: str
) -> None:
    machine.fake("apt-get", f'echo "apt-get $*" >>"${{0%/*}}/tripwire.log"; {apt}')
    machine.fake("tee", 'cat >"$1"')  # one that reads nothing would end its pipe by SIGPIPE
    machine.state.mkdir(parents=True)
    result = machine.bash(
        "-c",
        f"""
        set -euo pipefail
        HERE={ENGINE} ROOT='' LOOK_ONLY=no DRY_RUN=no STATE={machine.state} WRITTEN=()
        for part in report machine packages; do source {ENGINE}/lib/$part.sh; done
        POLICY={machine.root}/policy-rc.d
        MACHINE_ID=debian MACHINE_VERSION=12 MACHINE_NAME='debian 12'
        read_row
        MISSING=() TOOLS=(debootstrap) PLUGINS_ARE_MISSING=no
        install_tools
        """,
    )
    assert result.returncode == 0, result.stderr
    assert said in result.stdout + result.stderr
    assert "error:" not in result.stderr
    assert "apt-get" in machine.touched()
    assert "systemctl" not in machine.touched()
    assert not (machine.root / "policy-rc.d").exists()


def test_a_dead_docker_host_is_named_and_no_other_engine_is_started(machine: Machine) -> None:
    machine.has_docker(answer=DEAD, code=1)
    result = machine.runs("up", DOCKER_HOST="tcp://far.test:2375")
    assert result.returncode == 5
    assert labels(result) == ["error", "why", "evidence", "next"]
    assert "error: The engine at tcp://far.test:2375 does not answer." in result.stderr
    assert "unset DOCKER_HOST" in result.stderr
    assert (result.stdout, machine.touched()) == ("", "")


def test_a_docker_context_that_points_elsewhere_counts_like_docker_host(machine: Machine) -> None:
    machine.fake(
        "docker", f"[[ $1 == context ]] && echo ssh://far.test || {{ echo '{DEAD}'; exit 1; }}"
    )
    result = machine.runs("up")
    assert result.returncode == 5
    assert "docker context use default" in result.stderr


def test_a_socket_that_is_closed_to_this_user_names_the_group_to_join(machine: Machine) -> None:
    machine.has_docker(answer=DENIED, code=1, plugins="compose buildx")
    machine.fake("id", "if [[ $1 == -u ]]; then echo 1000; else echo ada; fi")
    result = machine.runs("up")
    assert result.returncode == 6
    assert "next: sudo usermod -aG docker ada && newgrp docker" in result.stderr


def test_an_answer_that_is_not_understood_is_left_alone(machine: Machine) -> None:
    machine.has_docker(answer="client version 1.22 is too old", code=1)
    result = machine.runs("up")
    assert result.returncode == 5
    assert "evidence: client version 1.22 is too old" in result.stderr


def test_no_second_daemon_is_started_beside_one_that_listens_elsewhere(machine: Machine) -> None:
    machine.has_docker(answer=DEAD, code=1, plugins="compose buildx")
    machine.has_process(321, "dockerd")
    result = machine.runs("up")
    assert result.returncode == 5
    assert "A dockerd is running (pid 321)" in result.stderr
    assert "--host=unix:///elsewhere.sock" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("namespace", "known", "code"),
    [
        pytest.param("pid:[1]", "", 5, id="somebody-elses"),
        pytest.param("pid:[1]", "net:[2] b\n", 0, id="made-here-before"),
        pytest.param("pid:[4026531836]", "", 0, id="not-in-a-container"),
    ],
)
def test_a_container_on_the_hosts_network_starts_no_engine_beside_the_hosts(
    machine: Machine, namespace: str, known: str, code: int
) -> None:
    machine.has_docker(answer=DEAD, code=1, plugins="compose buildx")
    lay_record(machine, start=1, boot="b")
    spaces = machine.root / "proc/self/ns"
    spaces.mkdir(parents=True)
    (spaces / "pid").symlink_to(namespace)
    (spaces / "net").symlink_to("net:[2]")
    (machine.root / "proc/net").mkdir()
    (machine.root / "proc/net/dev").write_text("    lo: 0 0\ndocker0: 0 0\n")
    (machine.state / "network").write_text(known)
    result = machine.runs("up", "--dry-run")
    assert result.returncode == code, result.stderr
    assert ("docker0 is here" in result.stderr) == bool(code)


def test_a_daemon_that_still_starts_is_waited_for_up_to_the_limit(machine: Machine) -> None:
    machine.has_docker(answer=DEAD, code=1, plugins="compose buildx")
    machine.has_process(321, "dockerd")
    (machine.root / "run").mkdir()
    (machine.root / "run/docker.pid").write_text("321")
    result = machine.runs("up", "--wait", "0")
    assert result.returncode == 5
    assert "does not answer yet; waiting up to 0 s" in result.stderr


@pytest.mark.parametrize(
    ("version", "code"), [pytest.param("12", 4, id="in-one"), pytest.param("13", 0, id="apart")]
)
def test_a_client_is_added_to_a_foreign_socket_only_where_no_daemon_comes_along(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, version: str, code: int
) -> None:
    machine.is_a("debian", version)
    (machine.root / "var/run").mkdir(parents=True)
    monkeypatch.chdir(machine.root / "var/run")  # a socket's path has room for 108 bytes
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("docker.sock")
        result = machine.runs("up", "--dry-run")
    assert result.returncode == code
    if code == 0:
        assert installed(result) == ["docker-cli", "docker-compose", "docker-buildx", "debootstrap"]


def test_a_rehearsal_that_would_upgrade_something_installed_ends_the_installation(
    machine: Machine,
) -> None:
    machine.fake(
        "apt-get",
        """
        echo 'Inst docker.io (20.10.24 Debian:12 [amd64])'
        echo 'Inst docker-compose [1.29.2-3] (2.26.1-4 Debian:13 [amd64])'
        echo 'Inst libc6 [2.36-9] (2.41-12 Debian:13 [amd64])'
        echo 'Remv python3-compose [1.29.2-3]'
        """,
    )
    result = machine.bash(
        "-c",
        f"""
        LOOK_ONLY=no MISSING=(docker.io docker-compose) ROW_COMPOSE=docker-compose
        MACHINE_NAME='debian 12' APT_LOG=/dev/null
        source {ENGINE}/lib/report.sh
        source {ENGINE}/lib/packages.sh
        refuse_side_effects
        """,
    )
    assert result.returncode == 4
    assert labels(result) == ["error", "why", "evidence", "next"]
    assert "evidence: Inst libc6 [2.36-9]" in result.stderr
    assert "  Remv python3-compose" in result.stderr
    assert "Inst docker-compose" not in result.stderr


def test_stop_without_a_record_does_nothing(machine: Machine) -> None:
    machine.has_docker(answer="20.10.24", code=0, plugins="compose buildx")
    result = machine.runs("stop", real=True)
    assert (result.returncode, machine.touched()) == (0, "")
    assert result.stdout == "Nothing to stop: no engine was started here.\n"


@pytest.mark.parametrize(
    ("comm", "start", "boot"),
    [
        pytest.param("dockerd", 999, "b", id="another-start-time"),
        pytest.param("postgres", 4711, "b", id="another-program"),
        pytest.param("dockerd", 4711, "a", id="before-the-reboot"),
    ],
)
def test_stop_leaves_a_process_alone_that_only_has_the_number_of_ours(
    machine: Machine, comm: str, start: int, boot: str
) -> None:
    machine.has_process(321, comm)
    lay_record(machine, start=start, boot=boot)
    result = machine.runs("stop")
    assert result.returncode == 0
    assert result.stdout.startswith("Nothing to stop: the engine that was started here has ended")


def test_stop_ends_the_process_whose_number_start_time_name_and_boot_are_ours(
    machine: Machine,
) -> None:
    machine.has_process(321, "dockerd")
    lay_record(machine, start=4711, boot="b")
    assert commands(machine.runs("stop", "--dry-run")) == ["kill -TERM 321"]


@pytest.mark.parametrize(
    ("socket_unit", "later_run", "stopped"),
    [
        pytest.param("inactive", "run-1", "stop docker.socket docker.service", id="both-ours"),
        pytest.param("active", "run-1", "stop docker.service", id="the-socket-was-there"),
        pytest.param("inactive", "run-2", "", id="restarted-by-somebody"),
    ],
)
def test_stop_ends_the_run_of_the_unit_that_up_started_and_no_later_one(
    machine: Machine, socket_unit: str, later_run: str, stopped: str
) -> None:
    machine.has_docker(answer="20.10.24", code=0, plugins="compose buildx")
    machine.fake(
        "systemctl",
        """
        here=${0%/*}
        case "$1 ${!#}" in
          'is-active docker.socket') [[ $(<"$here/socket") == active ]] ;;
          'show docker.service') cat "$here/run" ;;
          start* | stop*) echo "$*" >>"$here/tripwire.log" ;;
        esac
        """,
    )
    (machine.bin / "socket").write_text(socket_unit)
    (machine.bin / "run").write_text("run-1")
    machine.state.mkdir(parents=True)
    result = machine.bash(
        "-c",
        f"""
        set -euo pipefail
        ROOT='' LOOK_ONLY=no DRY_RUN=no AS_ROOT=() WAIT_SECONDS=5 STATE={machine.state}
        for part in report machine probe packages daemon; do source {ENGINE}/lib/$part.sh; done
        start_unit
        printf {later_run} >{machine.bin}/run
        stop_engine
        """,
    )
    assert result.returncode == 0, result.stderr
    assert machine.touched().splitlines() == ["start docker.service", *filter(None, [stopped])]


def lay_record(machine: Machine, *, start: int, boot: str) -> None:
    """Remember pid 321 as started by us, on a machine whose boot is called "b"."""
    machine.state.mkdir(parents=True)
    (machine.state / "engine").write_text(
        f"how direct\npid 321\nstart {start}\nboot {boot}\nlog /dev/null\n"
    )
    random = machine.root / "proc/sys/kernel/random"
    random.mkdir(parents=True)
    (random / "boot_id").write_text("b\n")


@pytest.mark.parametrize(
    ("docker", "code"),
    [
        pytest.param({"answer": "1", "code": 0, "plugins": "compose buildx"}, 0, id="whole"),
        pytest.param({"answer": "1", "code": 0, "plugins": "compose"}, 4, id="no-buildx"),
        pytest.param({"answer": DENIED, "code": 1}, 6, id="denied"),
        pytest.param({"answer": DEAD, "code": 1}, 5, id="absent"),
    ],
)
def test_status_says_by_its_exit_code_what_is_wrong(
    machine: Machine, docker: dict[str, str | int], code: int
) -> None:
    machine.has_docker(
        answer=str(docker["answer"]),
        code=int(docker["code"]),
        plugins=str(docker.get("plugins", "")),
    )
    result = machine.runs("status")
    assert result.returncode == code
    assert "debian 12 (in the package table: run)" in result.stdout


@pytest.mark.parametrize(
    "words",
    [
        pytest.param([], id="no-verb"),
        pytest.param(["dance"], id="unknown-verb"),
        pytest.param(["up", "down"], id="two-verbs"),
        pytest.param(["up", "--force"], id="unknown-option"),
        pytest.param(["up", "--wait", "long"], id="no-number"),
        pytest.param(["up", "--wait"], id="no-value"),
    ],
)
def test_a_wrong_word_is_refused_in_four_lines(machine: Machine, words: list[str]) -> None:
    result = machine.runs(*words, real=True)
    assert result.returncode == 2
    assert labels(result) == ["error", "why", "evidence", "next"]


def test_a_second_engine_script_is_turned_away_while_one_is_at_work(machine: Machine) -> None:
    machine.state.mkdir(parents=True)
    descriptor = os.open(machine.state / "lock", os.O_CREAT | os.O_RDWR)
    try:
        subprocess.run(
            [str(machine.bin / "flock"), "--nonblock", str(descriptor)],
            pass_fds=[descriptor],
            check=True,
        )
        result = machine.runs("up", real=True)
    finally:
        os.close(descriptor)
    assert result.returncode == 75
    assert "Another engine.sh is at work." in result.stderr
