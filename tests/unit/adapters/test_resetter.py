# SPDX-License-Identifier: Apache-2.0
"""Is exactly what was planned told to the tool, and is a tool that hangs ended?"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.standins import machines
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import FakeReporter

from ttctl.adapters import resetter
from ttctl.adapters.resetter import SmiResets
from ttctl.errors import EngineError, PrivilegeError, ToolMissingError, WaitError
from ttctl.model.reset import ResetOrder

NODES = ("/dev/tenstorrent/0", "/dev/tenstorrent/3")
ORDER = ResetOrder(nodes=NODES, galaxy=False)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def smi(programs: Programs, version: str = "6.2.1", then: str = "print('Resetting')") -> None:
    programs.add("tt-smi", f"if '-v' in sys.argv: print({version!r}); sys.exit()\n{then}")


def do(root: Path, order: ResetOrder = ORDER) -> list[str]:
    reporter = FakeReporter()
    SmiResets(dict(os.environ), root=root).reset(order, reporter)
    return reporter.lines


def test_the_hosts_tool_is_told_the_nodes_and_its_output_is_kept(
    programs: Programs, tmp_path: Path
) -> None:
    smi(programs)
    assert do(tmp_path) == ["Resetting"]
    assert programs.calls == [["tt-smi", "-v"], ["tt-smi", "-r", *NODES]]


def test_an_old_tool_is_told_numbers_and_a_galaxy_has_its_own_way(
    programs: Programs, tmp_path: Path
) -> None:
    smi(programs, "3.0.20")
    do(tmp_path)
    do(tmp_path, ResetOrder(nodes=NODES, galaxy=True))
    assert [call[1:] for call in programs.calls if call[1] != "-v"] == [
        ["-r", "0,3"],
        ["-glx_reset"],
    ]


def test_an_images_tool_gets_those_nodes_and_nothing_else(
    programs: Programs, tmp_path: Path
) -> None:
    programs.add("docker", "if sys.argv[-1] == '-v': print('4.2.0')")
    do(tmp_path, ResetOrder(nodes=NODES, galaxy=False, image="acme/vllm:1", root="/made"))
    asked, done, removed = programs.calls
    name = f"ttctl-reset-{os.getpid()}"
    assert asked[-1] == "-v"
    assert done == [
        *("docker", "run", "--rm", "--pull=never", "--network=none", f"--name={name}"),
        "--device=/made/dev/tenstorrent/0:/dev/tenstorrent/0",
        "--device=/made/dev/tenstorrent/3:/dev/tenstorrent/3",
        *("--entrypoint=tt-smi", "acme/vllm:1", "-r", "0,3"),
    ]
    assert removed == ["docker", "rm", "--force", name, f"{name}-version"]


def test_a_tool_that_hangs_before_the_reset_is_told_and_its_container_is_removed(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resetter, "VERSION_S", 1.0)
    programs.add("docker", "import time\nif sys.argv[1] == 'run': time.sleep(60)")
    with pytest.raises(WaitError, match="did not tell its version within 1 s") as caught:
        do(tmp_path, ResetOrder(nodes=NODES, galaxy=False, image="acme/vllm:1"))
    assert "Nothing was reset" in caught.value.why
    assert caught.value.evidence.endswith("acme/vllm:1 -v")
    name = f"ttctl-reset-{os.getpid()}"
    assert programs.calls[1:] == [["docker", "rm", "--force", name, f"{name}-version"]]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Error: No such container: ttctl-reset-1", False),
        ("Error response from daemon: device or resource busy", True),
    ],
)
def test_a_container_that_docker_does_not_remove_is_told(
    programs: Programs, tmp_path: Path, said: str, *, told: bool
) -> None:
    body = f"if sys.argv[1] == 'rm': print({said!r}); sys.exit(1)"
    programs.add("docker", f"{body}\nif sys.argv[-1] == '-v': print('4.2.0')")
    reporter = FakeReporter()
    order = ResetOrder(nodes=NODES, galaxy=False, image="acme/vllm:1")
    SmiResets(dict(os.environ), root=tmp_path).reset(order, reporter)
    step = "docker rm --force ttctl-reset-"
    assert [said in one and step in one for one in reporter.notes] == ([True] if told else [])


def test_an_image_without_the_tool_is_told(programs: Programs, tmp_path: Path) -> None:
    programs.add("docker", "print('exec: \"tt-smi\": executable file not found'); sys.exit(127)")
    with pytest.raises(ToolMissingError, match=r"could not be run in the image 'acme/vllm:1'"):
        do(tmp_path, ResetOrder(nodes=NODES, galaxy=False, image="acme/vllm:1"))


@pytest.mark.usefixtures("programs")
def test_without_the_tool_the_refusal_names_both_ways(tmp_path: Path) -> None:
    with pytest.raises(ToolMissingError, match="tt-smi is not installed") as caught:
        do(tmp_path)
    assert "--image" in caught.value.evidence
    assert caught.value.next_step == "pipx install tt-smi"


def test_a_failed_reset_is_told_with_the_tools_words(programs: Programs, tmp_path: Path) -> None:
    smi(programs, then="print('Error accessing board!'); sys.exit(1)")
    with pytest.raises(EngineError) as caught:
        do(tmp_path)
    assert caught.value.why == "Error accessing board!"
    assert "tt-smi -r /dev/tenstorrent/0" in caught.value.evidence


def state_of(pid: str) -> str:
    """Return how a process is: `Z` for one that ended, nothing for one that is gone."""
    stat = Path(f"/proc/{pid}/stat")
    return stat.read_text().rpartition(")")[2].split()[0] if stat.exists() else ""


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resetter, "LIMIT_S", 1.0)
    pid = tmp_path / "pid"
    smi(
        programs,
        then="import signal, subprocess, time\nsignal.signal(15, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        f"pathlib.Path({str(pid)!r}).write_text(str(child.pid))\ntime.sleep(60)",
    )
    with pytest.raises(WaitError, match="within 1 s"):
        do(tmp_path)
    assert state_of(pid.read_text()) in {"", "Z"}


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("sys/class/dmi/id/sys_vendor", "QEMU", "its firmware names QEMU"),
        ("sys/class/dmi/id/product_name", "VMware7,1", "its firmware names VMware7,1"),
        ("sys/hypervisor/type", "xen", "its hypervisor is xen"),
        ("proc/cpuinfo", "flags\t\t: fpu hypervisor sse", "its processor has the flag hypervisor"),
        ("proc/cpuinfo", "flags\t\t: fpu sse", ""),
        ("sys/class/dmi/id/sys_vendor", "Supermicro", ""),
    ],
)
def test_a_virtual_machine_is_known_by_its_firmware_or_its_processor(
    tmp_path: Path, path: str, text: str, said: str
) -> None:
    machines.write(tmp_path / path, text)
    assert SmiResets({}, root=tmp_path).virtual() == said


def test_stale_files_are_removed_and_one_that_cannot_be_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "dev/hugepages-1G"
    for name in ("device_0_tenstorrent", "device_1_tenstorrent"):
        machines.write(folder / name, "")
    resets = SmiResets({}, root=tmp_path)
    resets.remove_hugepages(["device_0_tenstorrent", "device_9_tenstorrent"])
    assert [path.name for path in folder.iterdir()] == ["device_1_tenstorrent"]
    (folder / "device_2_tenstorrent").mkdir()
    with pytest.raises(PrivilegeError) as caught:
        resets.remove_hugepages(["device_2_tenstorrent"])
    assert caught.value.next_step == "sudo rm /dev/hugepages-1G/device_2_tenstorrent"
