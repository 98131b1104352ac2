# SPDX-License-Identifier: Apache-2.0
"""Does compose itself read the folder of each host of an entry that spans several?"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.unit.operations.test_render_hosts import DEVICES, folder_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.mark.parametrize(("device", "hosts"), DEVICES.items())
def test_compose_reads_each_hosts_folder_by_itself(tmp_path: Path, device: str, hosts: int) -> None:
    for path, text in folder_of(device).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for number in range(1, hosts + 1):
        done = subprocess.run(
            ["docker", "compose", "config", "--format", "json"],
            cwd=tmp_path / f"host-{number}" if number > 1 else tmp_path,
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        services = json.loads(done.stdout)["services"]
        assert services[f"worker-{number - 1}"]["network_mode"] == "host"
        assert ("gateway" in services) is (number == 1)
