# SPDX-License-Identifier: Apache-2.0
"""Are the caches of engines listed with their true sizes, whole and by folder?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ttctl.adapters.engine_files import LocalEngineFiles
from ttctl.model.engine_files import EngineCache

if TYPE_CHECKING:
    from pathlib import Path


def files(root: Path) -> LocalEngineFiles:
    return LocalEngineFiles(
        root, home=lambda name: root / "x" / name, secrets=lambda name: root / "y" / name
    )


def fill(path: Path, size: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_a_machine_without_caches_has_none(tmp_path: Path) -> None:
    assert files(tmp_path / "none").caches() == ()
    assert files(tmp_path).caches("other") == ()


def test_a_cache_has_the_sizes_of_its_folders_the_largest_first(tmp_path: Path) -> None:
    fill(tmp_path / "Small-1B/kernels/abc/one.elf", 20)
    tensor = fill(tmp_path / "Small-1B/tt_metal_cache/cache_x/N150/w.bin", 300)
    os.link(tensor, tensor.with_name("twice.bin"))
    fill(tmp_path / "Small-1B/marker", 1)
    fill(tmp_path / "Other/marker", 5)
    assert files(tmp_path).caches("Small-1B") == (
        EngineCache(
            name="Small-1B",
            path=tmp_path / "Small-1B",
            size_bytes=321,
            parts=(("tt_metal_cache", 300), ("kernels", 20), (".", 1)),
        ),
    )
    assert [one.name for one in files(tmp_path).caches()] == ["Other", "Small-1B"]
