# SPDX-License-Identifier: Apache-2.0
"""Are containers of other engines than the one that `up` uses seen, and asked for in time?"""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins import machines
from tests.unit.adapters.programs import Programs
from tests.unit.adapters.test_claims import LABELS, inspect, on
from tests.unit.adapters.test_docker_look import answers, world

from ttctl.adapters import podman
from ttctl.adapters.claims import claims

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lease import Claims


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with four boards, on which this user's podman was used."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/me")
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)
    made = machines.tree(tmp_path / "root", "n150x4")
    (made / "run/libpod").mkdir(parents=True)
    (made / "run/user/me/libpod/tmp").mkdir(parents=True)
    return made


def says(programs: Programs, *shown: dict[str, Any], logs: str = "") -> None:
    """Install a podman that has these containers."""
    ids = "\n".join(one["Id"] for one in shown)
    programs.add(
        "podman",
        f"print({{'ps': {ids!r}, 'inspect': {json.dumps(shown, indent=1)!r}, "
        f"'logs': {logs!r}}}[sys.argv[1]])",
    )


def look(root: Path, **environ: str) -> Claims:
    return claims({**os.environ, **environ}, root)


def pod(root: Path, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of it
    found = inspect(7, HostConfig=on(root), **changes)
    return {**found, "Name": found["Name"].lstrip("/")}


def test_a_container_of_podman_holds_what_it_maps(programs: Programs, root: Path) -> None:
    says(programs, pod(root, Config={"Labels": LABELS}))
    [found] = look(root).containers
    assert (found.name, found.phase, found.engine) == ("box-7", "running", "podman")
    assert (found.paths, found.boards) == (("/dev/tenstorrent/1",), ("0a", "0b"))
    assert look(root).note == ""
    assert programs.calls[:2] == [
        ["podman", "ps", "--all", "--quiet", "--no-trunc"],
        ["podman", "inspect", "--type", "container", f"{7:064x}"],
    ]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(["--device", "AT/1:/dev/x:rwm"], id="two words"),
        pytest.param(["--device=AT/1"], id="one word"),
        pytest.param(["-v", "AT/1:/dev/x"], id="a volume"),
        pytest.param(["--mount", "type=bind,src=AT/1,dst=/dev/x"], id="a mount"),
        pytest.param(["--mount=type=bind,source=AT/1,target=/dev/x"], id="a mount in one word"),
    ],
)
def test_without_root_a_device_is_known_by_the_command_that_made_the_container(
    programs: Programs, root: Path, words: list[str]
) -> None:
    typed = [word.replace("AT", f"{root}/dev/tenstorrent") for word in words]
    # What the container itself runs maps nothing.
    command = ["podman", "run", *typed, "image", "ls", f"{root}/dev/tenstorrent/3"]
    shown = inspect(7, Config={"CreateCommand": command})
    says(programs, {**shown, "Name": "box-7"})
    assert look(root).containers[0].paths == ("/dev/tenstorrent/1",)


def test_how_a_lease_ended_is_told_in_dockers_words_and_in_utc(
    programs: Programs, root: Path
) -> None:
    ended = {
        "Status": "stopped",
        "ExitCode": 1,
        "FinishedAt": "2026-01-31T06:00:00.036184314-04:00",
    }
    shown = pod(root, Config={"Labels": LABELS}, State=ended)
    says(programs, shown, logs="TT_FATAL: Device 0 init failed\nbye")
    [found] = look(root).containers
    assert (found.phase, found.finished_at) == ("exited", "2026-01-31T10:00:00.036184Z")
    assert found.fatal == "the Tenstorrent device did not start"


@pytest.mark.parametrize(
    ("body", "limit_s", "why"),
    [
        pytest.param("sys.exit(125)", 30.0, "does not tell its containers", id="fails"),
        pytest.param("print('x{')", 30.0, "its answer is not understood", id="says nonsense"),
        pytest.param(
            "import time; time.sleep(60)", 0.2, "did not answer within 0.2 s", id="does not end"
        ),
    ],
)
def test_a_podman_that_cannot_be_asked_keeps_boards_from_being_free_where_it_is_in_use(  # noqa: PLR0917
    programs: Programs,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    body: str,
    limit_s: float,
    why: str,
) -> None:
    monkeypatch.setattr(podman, "ANSWER_S", limit_s)
    programs.add("podman", body)
    assert why in look(root).closed
    for folder in ("run/libpod", "run/user/me/libpod"):
        (root / folder).rename(root / f"{folder}-gone")
    before = len(programs.calls)
    assert look(root).closed == ""
    assert len(programs.calls) == before


def test_a_container_that_went_between_two_questions_is_asked_for_once_more(
    programs: Programs, root: Path
) -> None:
    calls = str(root.parent / "calls.jsonl")
    programs.add(
        "podman",
        f"asked = pathlib.Path({calls!r}).read_text().count('ps')\n"
        "if sys.argv[1] != 'ps': sys.exit(125)\n"
        "print('' if asked > 1 else 'a' * 64)",
    )
    found = look(root)
    assert (found.containers, found.closed) == ((), "")


@pytest.mark.usefixtures("programs")
def test_without_podman_its_folder_means_nothing(root: Path) -> None:
    assert look(root).closed == ""


@pytest.mark.usefixtures("programs")
def test_a_process_of_another_users_podman_holds_what_it_has_open(root: Path) -> None:
    machines.opened(root, 2, 121)
    group = f"0::/user.slice/user-1000.slice/libpod-{'b' * 64}.scope/container"
    machines.write(root / "proc/121/cgroup", group)
    [found] = look(root).processes
    assert (found.nodes, found.container_id) == (("/dev/tenstorrent/2",), "b" * 64)


def listens(root: Path, path: str) -> None:
    at = root / path
    at.parent.mkdir(parents=True, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as made:
        here = os.open(at.parent, os.O_PATH)
        made.bind(f"/proc/self/fd/{here}/{at.name}")
        os.close(here)


def hosts(programs: Programs, root: Path) -> None:
    """Install a docker whose engine has one container, and which writes down whom it asked."""
    answers(programs, root.parent / "asked", world(inspect(1, HostConfig=on(root))))
    path = root.parent / "bin/docker"
    note = f"open({str(root.parent / 'hosts')!r}, 'a').write(os.environ.get('DOCKER_HOST', '-'))"
    path.write_text(path.read_text().replace("answers = ", f"{note}\nanswers = ", 1))


@pytest.mark.parametrize(
    ("sockets", "named", "asked"),
    [
        pytest.param(["var/run/docker.sock"], "", "-", id="the only one is asked anyway"),
        pytest.param([], "tcp://there:1", "tcp://there:1", id="none is here"),
        pytest.param(
            ["var/run/docker.sock"],
            "tcp://there:1",
            "tcp://there:1unix:///var/run/docker.sock",
            id="root's beside one that is named",
        ),
        pytest.param(
            ["var/run/docker.sock", "run/user/me/docker.sock"],
            "unix:///run/user/me/docker.sock",
            "unix:///run/user/me/docker.sockunix:///var/run/docker.sock",
            id="root's beside this user's",
        ),
    ],
)
def test_every_engine_of_this_host_is_asked(
    programs: Programs, root: Path, sockets: list[str], named: str, asked: str
) -> None:
    for one in sockets:
        listens(root, one)
    hosts(programs, root)
    [found] = look(root, **({"DOCKER_HOST": named} if named else {})).containers
    # It is the same container, whoever tells of it: the engine that `up` uses comes first.
    assert found.engine == "docker"
    assert (root.parent / "hosts").read_text() == asked
