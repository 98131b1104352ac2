# SPDX-License-Identifier: Apache-2.0
"""Is everything that a start needs looked at before it, with what helps where it is missing?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins import machines
from tests.unit.listed import VLLM, nested, raw

from ttctl.errors import OfflineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.unit.cli.conftest import Typed

    Change = Callable[[Path], object]

MODEL = "acme/Small-1B"
MODPROBE = "sudo modprobe tenstorrent"
UPDATE = "sudo apt-get install --only-upgrade tenstorrent-dkms"
FLASH = "tt-flash --version   # then flash a bundle that is wanted"
MESH = "tt-topology -l mesh"


def demands(mode: str, **versions: str) -> dict[str, Any]:
    """Return what an entry asks of firmware or driver, `kmd` to upstream."""
    return {
        "system_requirements": {
            what: {"specifier": specifier, "mode": mode} for what, specifier in versions.items()
        }
    }


def driver(version: str) -> Change:
    return lambda root: machines.write(root / "sys/module/tenstorrent/version", version)


def unloaded(root: Path) -> None:
    """Leave the cards on the bus, and nothing of the driver."""
    for name in ("sys/class", "sys/module", "dev", "proc/driver"):
        shutil.rmtree(root / name)


def pages(count: int, where: str = "") -> Change:
    """Let no IOMMU translate, and mount so many hugepages there."""

    def change(root: Path) -> None:
        for folder in (root / "sys/bus/pci/devices").iterdir():
            machines.write(folder / "iommu_group/type", "identity")
        kernel = root / "sys/kernel/mm/hugepages/hugepages-1048576kB"
        machines.write(kernel / "nr_hugepages", str(count))
        if where:
            machines.write(root / "proc/mounts", f"none {where} hugetlbfs rw,pagesize=1024M 0 0")

    return change


def unseen(root: Path) -> None:
    """Let another user's process have, perhaps, a node open."""
    machines.unreadable_pids(root, 0)
    machines.blind(root, 77)


def layout(name: str) -> Change:
    return lambda root: machines.write(root / "tt-topology.txt", machines.listing("t3k", name))


def nothing(_: Path) -> None:
    """Leave the machine as it is."""


NEW_DRIVER, NEW_FIRMWARE = {"kmd": ">=2.11"}, {"firmware": ">=19.14"}
OLD = dict.fromkeys(range(4), "18.9.0.0")
SILENT = dict.fromkeys(range(4), "N/A")


@pytest.mark.parametrize(
    ("change", "firmware", "entry", "verdict", "subject", "code", "step"),
    [
        pytest.param(nothing, {}, {}, "ok", "boards", 0, "", id="well"),
        pytest.param(
            nothing, {}, {"min_disk_gb": 10**6}, "blocked", "disk", 7, "df -h", id="disk"
        ),
        pytest.param(
            nothing, {}, {"min_ram_gb": 10**6}, "blocked", "memory", 7,
            "ttctl models ls --fits", id="memory",
        ),
        pytest.param(
            pages(0), {}, {}, "blocked", "pages", 7,
            "sudo systemctl restart tenstorrent-hugepages.service", id="no hugepages",
        ),
        pytest.param(
            pages(16, "/mnt/huge"), {}, {}, "blocked", "pages", 7,
            r"sudo systemctl restart 'dev-hugepages\x2d1G.mount'", id="mounted elsewhere",
        ),
        pytest.param(
            pages(3, "/dev/hugepages-1G"), {}, {}, "warning", "pages", 0,
            "sudo systemctl restart tenstorrent-hugepages.service", id="too few hugepages",
        ),
        pytest.param(
            pages(16, "/dev/hugepages-1G"), {}, {}, "ok", "pages", 0, "", id="hugepages"
        ),
        pytest.param(nothing, {}, {}, "ok", "pages", 0, "", id="an IOMMU in their place"),
        pytest.param(unloaded, {}, {}, "blocked", "driver", 3, MODPROBE, id="no driver"),
        pytest.param(driver("1.20.1"), {}, {}, "blocked", "driver", 7, UPDATE, id="an old driver"),
        pytest.param(
            nothing, {}, demands("STRICT", **NEW_DRIVER), "blocked", "driver", 7, UPDATE,
            id="a newer driver must be",
        ),
        pytest.param(
            nothing, {}, demands("SUGGESTED", **NEW_DRIVER), "warning", "driver", 0, UPDATE,
            id="a newer driver should be",
        ),
        pytest.param(
            nothing, {}, demands("STRICT", **NEW_FIRMWARE), "blocked", "firmware", 7, FLASH,
            id="newer firmware must be",
        ),
        pytest.param(
            nothing, OLD, demands("SUGGESTED", **NEW_FIRMWARE), "warning", "firmware", 0, FLASH,
            id="newer firmware should be",
        ),
        pytest.param(
            nothing, {1: "18.9.0.0"}, {}, "blocked", "firmware", 7,
            "tt-flash --version   # then flash the same bundle on every card", id="mixed firmware",
        ),
        pytest.param(
            nothing, SILENT, demands("STRICT", **NEW_FIRMWARE), "unknown", "firmware", 0,
            "tt-smi -s", id="firmware that is not told",
        ),
        pytest.param(layout("mesh"), {}, {}, "ok", "topology", 0, "", id="meshed"),
        pytest.param(layout("isolated"), {}, {}, "blocked", "topology", 7, MESH, id="isolated"),
        pytest.param(
            layout("unknown"), {}, {}, "unknown", "topology", 0, "ttctl devices check",
            id="wiring not known",
        ),
        pytest.param(
            lambda root: machines.opened(root, 0, 120), {}, {}, "blocked", "boards", 75,
            "ps -o pid,user,etime,args -p 120", id="held",
        ),
        pytest.param(
            unseen, {}, {}, "warning", "boards", 6, "sudo fuser -v /dev/tenstorrent/0",
            id="perhaps held",
        ),
        pytest.param(
            lambda root: (root / "dev/tenstorrent/1").chmod(0o600), {}, {}, "blocked", "rights", 7,
            "sudo chmod 0666 /dev/tenstorrent/1", id="a node that is closed",
        ),
        pytest.param(
            nothing, {}, {"hf_weights_repo": "meta-llama/Llama-3.1-8B"}, "warning", "weights", 0,
            "hf auth login", id="gated weights",
        ),
    ],
)  # fmt: skip
def test_each_cause_has_a_verdict_a_code_and_a_step(
    typed: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *,
    change: Change, firmware: dict[int, str], entry: dict[str, Any],
    verdict: str, subject: str, code: int, step: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hub"))
    root = machines.tree(tmp_path / "root", "t3k", firmware=firmware)
    machines.write(root / "proc/meminfo", "MemTotal: 527000000 kB")
    change(root)
    file = tmp_path / "catalog.json"
    file.write_bytes(nested(small(**entry)))
    for verb in ("plan {}", "up {} --dry-run"):
        line = verb.format(f"{MODEL} --device t3k --catalog {file}")
        found, out, err = typed(line)
        # No hub answers here.
        assert found == (code or OfflineError.exit_code), out + err
        lines = out.splitlines()
        [at] = [at for at, one in enumerate(lines) if one.split()[:2] == [verdict, subject]]
        assert (f"next: {step}" in "".join(lines[at + 1 : at + 2])) == bool(step)
        assert ("it would not start here" in err) == (code in {3, 7})
        assert ("`up` would refuse:" in err) == (code not in {3, 7})
        steps = " ".join(f"next: {step}".split())
        assert code not in {3, 7, 75} or steps in " ".join(err.split())


def small(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """Return an entry for a t3k that asks for little."""
    plain = {
        "device_type": "T3K", "min_disk_gb": 1, "min_ram_gb": 1, "system_requirements": None,
        "docker_image": f"{VLLM}:0.9.0-55fd115-aa4ae1e",
    }  # fmt: skip
    made = raw(**(plain | changes))
    made["device_model_spec"]["device"] = "T3K"
    return made


@pytest.mark.parametrize(
    ("change", "firmware", "name", "verdict", "code", "step"),
    [
        pytest.param(nothing, {}, "driver", "ok", 0, "", id="well"),
        pytest.param(
            pages(0), {}, "transfers", "failed", 1,
            "sudo systemctl restart tenstorrent-hugepages.service", id="no hugepages",
        ),
        pytest.param(
            pages(16, "/mnt/huge"), {}, "transfers", "failed", 1,
            r"sudo systemctl restart 'dev-hugepages\x2d1G.mount'", id="mounted elsewhere",
        ),
        pytest.param(unloaded, {}, "driver", "failed", 1, MODPROBE, id="no driver"),
        pytest.param(driver("1.20.1"), {}, "driver", "failed", 1, UPDATE, id="an old driver"),
        pytest.param(
            nothing, {1: "18.9.0.0"}, "firmware", "failed", 1,
            "tt-flash --version   # then flash the same bundle on every card", id="mixed firmware",
        ),
        pytest.param(nothing, SILENT, "firmware", "warning", 0, "tt-smi -s", id="none is told"),
        pytest.param(layout("isolated"), {}, "topology", "failed", 1, MESH, id="isolated"),
        pytest.param(
            layout("unknown"), {}, "topology", "warning", 0, "tt-topology -ls", id="not wired known"
        ),
        pytest.param(
            lambda root: machines.opened(root, 0, 120), {}, "holders", "warning", 0,
            "ps -o pid,user,etime,args -p 120", id="held",
        ),
        pytest.param(
            unseen, {}, "holders", "warning", 0, "sudo fuser -v /dev/tenstorrent/0",
            id="perhaps held",
        ),
        pytest.param(
            lambda root: (root / "dev/tenstorrent/1").chmod(0o600), {}, "rights", "failed", 1,
            "sudo chmod 0666 /dev/tenstorrent/1", id="a node that is closed",
        ),
    ],
)  # fmt: skip
def test_a_check_of_the_boards_says_the_same(
    typed: Typed, tmp_path: Path, *, change: Change, firmware: dict[int, str],
    name: str, verdict: str, code: int, step: str,
) -> None:  # fmt: skip
    root = machines.tree(tmp_path / "root", "t3k", firmware=firmware)
    change(root)
    found, out, err = typed("devices check")
    assert found == code, out + err
    lines = out.splitlines()
    [at] = [at for at, one in enumerate(lines) if one.split()[:2] == [verdict, name]]
    assert not step or any(step in one for one in lines[at : at + 6])


def test_what_is_offered_in_place_would_itself_start(typed: Typed, tmp_path: Path) -> None:
    root = machines.tree(tmp_path / "root", "t3k")
    machines.write(root / "proc/meminfo", "MemTotal: 527000000 kB")
    (root / "dev/tenstorrent/0").chmod(0o600)
    code, _, err = typed("plan Qwen3-8B --device t3k")
    assert code == 7
    _, found, offered = err.rpartition("in its place: ttctl ")
    assert not found or typed(offered)[0] == OfflineError.exit_code


def test_a_pin_that_is_known_not_to_work_is_refused_and_can_be_tried(
    typed: Typed, tmp_path: Path
) -> None:
    root = machines.tree(tmp_path / "root", "p300x2")
    machines.write(root / "proc/meminfo", "MemTotal: 527000000 kB")
    line = "plan Llama-3.3-70B-Instruct --device p300x2"
    code, out, err = typed(line)
    assert (code, out) == (7, "")
    assert "is known not to work" in err
    _, out, _ = typed(f"{line} --experimental")
    assert any(one.split()[:2] == ["warning", "known-bad"] for one in out.splitlines())


def test_without_the_driver_the_first_thing_is_to_load_it(typed: Typed, tmp_path: Path) -> None:
    unloaded(machines.tree(tmp_path / "root", "t3k"))
    code, _, err = typed("plan Qwen3-8B")
    assert code == 3
    # Whoever is root already is not told to type sudo.
    assert MODPROBE.removeprefix("sudo ") in err.rpartition("next:")[2]
