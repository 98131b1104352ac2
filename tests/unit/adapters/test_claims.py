# SPDX-License-Identifier: Apache-2.0
"""Is every container of the engine seen with all that it may open, and none taken for nobody?"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins import machines
from tests.standins.nodes import as_root, device_file
from tests.unit.adapters.programs import Programs
from tests.unit.adapters.test_docker_look import LIST, answers

from ttctl.adapters.claims import claims

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.lease import Claims, ContainerUse


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return machines.tree(tmp_path / "root", "n150x4")


def inspect(number: int, **changes: Any) -> dict[str, Any]:  # noqa: ANN401 - any part of it
    """Return what the engine says of a container; `HostConfig`, `State` and `Config` are added."""
    found: dict[str, Any] = {
        "Id": f"{number:064x}",
        "Name": f"/box-{number}",
        "Config": {"Labels": None, "Tty": False},
        "HostConfig": {"Privileged": False, "Devices": None},
        "State": {
            "Status": "running",
            "ExitCode": 0,
            "OOMKilled": False,
            "FinishedAt": "0001-01-01T00:00:00Z",
        },
        "Mounts": [],
    }
    for name, value in changes.items():
        found[name] = {**found[name], **value} if isinstance(found[name], dict) else value
    return found


def look(
    programs: Programs, root: Path, *shown: dict[str, Any], logs: str = "", status: int = 200
) -> Claims:
    found = {LIST: (200, json.dumps([{"Id": one["Id"]} for one in shown]))}
    for one in shown:
        found[f"/containers/{one['Id']}/json"] = (200, json.dumps(one))
        found[f"/containers/{one['Id']}/logs"] = (status, logs)
    answers(programs, root.parent / "asked", found)
    return claims(dict(os.environ), root)


def one(programs: Programs, root: Path, **changes: Any) -> ContainerUse:  # noqa: ANN401
    [found] = look(programs, root, inspect(1, **changes)).containers
    return found


def asked(root: Path) -> list[str]:
    return (root.parent / "asked").read_text(encoding="utf-8").splitlines()


def test_all_containers_are_asked_for_whoever_made_them(programs: Programs, root: Path) -> None:
    found = look(programs, root, inspect(1), inspect(2, State={"Status": "created"}))
    assert [(box.name, box.phase) for box in found.containers] == [
        ("box-1", "running"),
        ("box-2", "created"),
    ]
    assert asked(root)[0] == f"{LIST}?all=1"
    assert (found.closed, found.note) == ("", "")


@pytest.mark.parametrize(
    ("host", "paths"),
    [
        pytest.param(
            {"Devices": [{"PathOnHost": "/dev/tenstorrent/2"}]}, ["/dev/tenstorrent/2"], id="node"
        ),
        pytest.param(
            {"Devices": [{"PathOnHost": "/dev/tenstorrent/"}]}, ["/dev/tenstorrent"], id="folder"
        ),
        pytest.param(
            {"Devices": [{"PathOnHost": "/dev/tenstorrent/by-id/wormhole-0a"}]},
            ["/dev/tenstorrent/3"],
            id="a link to a node",
        ),
        pytest.param({"Binds": ["/dev:/dev:ro"]}, ["/dev"], id="bind"),
        pytest.param(
            {"Mounts": [{"Type": "bind", "Source": "/dev/tenstorrent"}]},
            ["/dev/tenstorrent"],
            id="mount",
        ),
    ],
)
def test_devices_and_mounts_are_told_with_their_links_followed(
    programs: Programs, root: Path, host: dict[str, Any], paths: list[str]
) -> None:
    links = root / "dev/tenstorrent/by-id"
    links.mkdir()
    (links / "wormhole-0a").symlink_to("../3")
    there = json.loads(json.dumps(host).replace('"/dev', f'"{root}/dev'))
    assert list(one(programs, root, HostConfig=there).paths) == paths


def test_a_node_of_a_tree_elsewhere_is_the_same_as_that_of_the_machine(
    programs: Programs, root: Path
) -> None:
    host = {"Devices": [{"PathOnHost": f"{root}/dev/tenstorrent/1"}]}
    assert one(programs, root, HostConfig=host).paths == ("/dev/tenstorrent/1",)
    mounts = [{"Type": "bind", "Source": f"{root}/dev"}, {"Type": "volume", "Name": "x"}]
    assert set(one(programs, root, Mounts=mounts).paths) == {"/dev", ""}


def test_privilege_rules_and_requests_are_told(programs: Programs, root: Path) -> None:
    found = one(
        programs,
        root,
        HostConfig={
            **on(root),
            "Privileged": True,
            "DeviceCgroupRules": ["c 235:* rwm"],
            "DeviceRequests": [
                {"Driver": "cdi", "DeviceIDs": ["tenstorrent.com/n150=0"], "Capabilities": None},
                {"Driver": "", "DeviceIDs": None, "Capabilities": [["gpu"]]},
            ],
        },
    )
    assert found.privileged
    assert found.rules == ("c 235:* rwm",)
    assert found.requests == ("cdi tenstorrent.com/n150=0", " gpu")


LABELS = {"dev.ttctl.boards": "0a,0b", "dev.ttctl.stack": "llama", "dev.ttctl.owner": "me"}
FAILED = {"Status": "exited", "ExitCode": 1, "FinishedAt": "2026-01-31T10:00:00.5Z"}
KILLED = {"Status": "exited", "ExitCode": 137, "FinishedAt": "2026-01-31T10:00:00.5Z"}


def frames(*lines: str) -> str:
    """Return lines as the engine frames what a container without a terminal printed."""
    return "".join(f"\x02\x00\x00\x00\x00\x00\x00{chr(len(line) + 1)}{line}\n" for line in lines)


def on(root: Path) -> dict[str, Any]:
    """Return what maps a node of a tree."""
    return {"Devices": [{"PathOnHost": f"{root}/dev/tenstorrent/1"}]}


def test_what_has_no_path_of_another_tree_has_none_of_its_boards(
    programs: Programs, root: Path
) -> None:
    host = {
        "Privileged": True,
        "Devices": [{"PathOnHost": "/dev/tenstorrent/2"}],
        "DeviceCgroupRules": ["c 235:* rwm"],
    }
    found = one(programs, root, Config={"Labels": LABELS}, HostConfig=host)
    assert (found.name, found.boards, found.paths) == ("box-1", (), ())
    assert (found.privileged, found.rules) == (False, ())
    found = one(programs, root, Config={"Labels": LABELS}, HostConfig=on(root))
    assert (found.boards, found.paths) == (("0a", "0b"), ("/dev/tenstorrent/1",))


def test_a_lease_is_told_with_how_its_container_ended(programs: Programs, root: Path) -> None:
    shown = inspect(1, Config={"Labels": LABELS}, State=FAILED, HostConfig=on(root))
    logs = frames("starting", "TT_FATAL: Device 0 init failed", "bye")
    [found] = look(programs, root, shown, logs=logs).containers
    assert (found.stack, found.owner, found.boards) == ("llama", "me", ("0a", "0b"))
    assert (found.exit_code, found.finished_at) == (1, "2026-01-31T10:00:00.5Z")
    assert found.fatal == "the Tenstorrent device did not start"


@pytest.mark.parametrize("label", ["", "x; rm -rf /", "\x1b[2J", "Llama", "a\nb"])
def test_a_label_that_names_no_stack_is_not_shown(
    programs: Programs, root: Path, label: str
) -> None:
    assert one(programs, root, Config={"Labels": {"dev.ttctl.stack": label}}).stack == ""


def test_a_terminals_log_is_read_as_it_is_and_one_that_is_refused_says_nothing(
    programs: Programs, root: Path
) -> None:
    config = {"Labels": LABELS, "Tty": True}
    shown = inspect(1, Config=config, State=FAILED, HostConfig=on(root))
    [found] = look(programs, root, shown, logs="x\r\nTT_THROW @ y\r\n").containers
    assert found.fatal
    [found] = look(programs, root, shown, logs="TT_THROW", status=500).containers
    assert not found.fatal


def test_logs_are_read_only_of_leases_that_failed(programs: Programs, root: Path) -> None:
    look(
        programs,
        root,
        inspect(1, Config={"Labels": LABELS}),
        inspect(2, Config={"Labels": LABELS}, State={"Status": "exited"}),
        inspect(3, State=FAILED),
        # How it was killed says enough.
        inspect(4, Config={"Labels": LABELS}, State=KILLED),
    )
    assert not [path for path in asked(root) if "/logs" in path]


def test_a_flag_that_the_engine_refused_says_nothing_of_a_card(
    programs: Programs, root: Path
) -> None:
    shown = inspect(1, Config={"Labels": LABELS}, State={"Status": "exited", "ExitCode": 2})
    logs = frames("api_server.py: error: unrecognized arguments: --x")
    [found] = look(programs, root, shown, logs=logs).containers
    assert not found.fatal


@pytest.mark.usefixtures("programs")
def test_without_docker_there_are_no_containers_and_it_is_said(root: Path) -> None:
    found = claims(dict(os.environ), root)
    assert (found.containers, found.closed, found.note) == ((), "", "docker is not installed")


@pytest.mark.parametrize(
    ("said", "closed"),
    [
        ("dial unix /var/run/docker.sock: connect: no such file or directory", False),
        ("dial unix /var/run/docker.sock: connect: connection refused", False),
        ("dial unix /var/run/docker.sock: connect: permission denied", True),
        ("it is busy", True),
    ],
)
def test_an_engine_that_may_run_unseen_keeps_boards_from_being_free(
    programs: Programs, root: Path, said: str, *, closed: bool
) -> None:
    programs.add("docker", f"sys.exit({said!r})")
    found = claims(dict(os.environ), root)
    assert (bool(found.closed), bool(found.note)) == (closed, not closed)


@pytest.mark.usefixtures("programs")
def test_processes_are_told_with_their_nodes_and_their_container(root: Path) -> None:
    machines.opened(root, 0, 120)
    machines.opened(root, 1, 120)
    machines.opened(root, 3, 121)
    group = f"0::/system.slice/docker-{'a' * 64}.scope"
    machines.write(root / "proc/121/cgroup", group)
    machines.write(root / "proc/driver/tenstorrent/2/pids", "0")
    first, hidden, inside = claims(dict(os.environ), root).processes
    assert first.name == "pid 120 (python3)"
    assert first.nodes == ("/dev/tenstorrent/0", "/dev/tenstorrent/1")
    assert (first.container_id, first.hidden) == ("", False)
    assert (inside.name, inside.container_id) == ("pid 121 (python3)", "a" * 64)
    assert (hidden.nodes, hidden.hidden) == (("/dev/tenstorrent/2",), True)


@pytest.mark.usefixtures("programs")
def test_a_node_whose_list_is_closed_is_one_of_which_not_everybody_is_seen(root: Path) -> None:
    machines.unreadable_pids(root, 1)
    machines.blind(root, 7)
    assert claims(dict(os.environ), root).blind == ("/dev/tenstorrent/1",)


@as_root
@pytest.mark.usefixtures("programs")
def test_numbers_are_told_of_device_files_only(root: Path) -> None:
    device_file(root / "dev/tenstorrent/2", 235, 2)
    assert claims(dict(os.environ), root).numbers == (("/dev/tenstorrent/2", 235, 2),)
