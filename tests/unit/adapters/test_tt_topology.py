# SPDX-License-Identifier: Apache-2.0
"""Is tt-topology only ever asked to list, kept for a moment, and never waited for too long?"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest
from tests.standins import machines
from tests.unit.adapters.programs import Programs

from ttctl.adapters.tt_topology import RECORDED, TtTopology, parse_listing
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

HANGS = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def tool(folder: Path, *, limit_s: float = 20) -> TtTopology:
    root = folder / "root"
    cache = folder / "cache"
    return TtTopology(dict(os.environ), root=root, cache=cache, limit_s=limit_s, max_age_s=60)


@pytest.mark.parametrize("layout", list(machines.LAYOUTS))
@pytest.mark.parametrize("device", ["t3k", "n150x4"])
def test_each_layout_is_read_and_kept(
    programs: Programs, tmp_path: Path, device: str, layout: str
) -> None:
    programs.add("tt-topology", f"print({machines.listing(device, layout)!r})")
    assert tool(tmp_path).listed(ask=False).topology is None
    for _ in range(2):
        found = tool(tmp_path).listed(ask=True).topology
        assert found is not None
        assert (found.kind, found.source) == (layout, "tt-topology -ls")
    assert tool(tmp_path).listed(ask=False).topology == found
    assert programs.calls == [["tt-topology", "-ls"]]


def test_a_recording_in_a_device_root_takes_the_programs_place(
    programs: Programs, tmp_path: Path
) -> None:
    machines.write(tmp_path / "root" / RECORDED, machines.listing("t3k", "isolated"))
    found = tool(tmp_path).listed(ask=True).topology
    assert found is not None
    assert (found.kind, found.source) == ("isolated", RECORDED)
    machines.write(tmp_path / "root" / RECORDED, "No Tenstorrent devices detected!")
    assert "no listing" in tool(tmp_path).listed(ask=True).note
    assert programs.calls == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("print('No Tenstorrent driver detected!'); sys.exit(1)", "driver", id="none"),
        pytest.param("", "ended with 0: it printed nothing", id="silent"),
        pytest.param("print('configuration')", "no listing", id="something else"),
        pytest.param(HANGS, "did not answer: It was ended after 0.7 s", id="hangs"),
    ],
)
def test_a_failure_is_told(programs: Programs, tmp_path: Path, body: str, said: str) -> None:
    programs.add("tt-topology", body)
    started = time.monotonic()
    limit_s = 1 if body == HANGS else 20
    answered = tool(tmp_path, limit_s=limit_s).listed(ask=True)
    assert answered.topology is None
    assert said in answered.note
    assert body != HANGS or time.monotonic() - started < 1.5


def test_without_the_program_it_is_said(programs: Programs, tmp_path: Path) -> None:
    assert tool(tmp_path).listed(ask=True).note == "tt-topology is not installed"
    assert programs.calls == []


def test_a_layout_that_is_not_known_is_named() -> None:
    found = parse_listing("Configuration: Ring \x1b[31mof\x1b[0m eight", "x")
    assert (found.kind, found.reason) == ("unknown", "it lists 'Ring of eight'")
    with pytest.raises(BadFileError):
        parse_listing("Configuration:", "x")
