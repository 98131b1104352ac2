# SPDX-License-Identifier: Apache-2.0
"""What a container of a made-up machine finds on its host: caches, weights, hugepages, nodes."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.standins.nodes import made_nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.standins.nodes import MadeNodes

LAUNCHER = 1234
"""Who owns the caches on the host: neither root nor a user of an image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a container finds on the host."""

    folder: Path
    nodes: MadeNodes

    @property
    def cache(self) -> Path:
        return self.folder / "private" / "cache"

    def writable(self, name: str) -> Path:
        """Return a folder of the cache, made as ttctl makes it: everybody's, in a private one."""
        folder = self.cache / name
        if not folder.exists():
            folder.mkdir()
            folder.chmod(0o777)
            os.chown(folder, LAUNCHER, LAUNCHER)
        return folder


@contextmanager
def ground_of(folder: Path, device: str) -> Iterator[Ground]:
    """Lay out caches, weights, hugepages and nodes; take the mount away afterwards."""
    cache = folder / "private" / "cache"
    cache.mkdir(parents=True)
    (folder / "private").chmod(0o700)
    cache.chmod(0o777)
    for path in (folder / "private", cache):
        os.chown(path, LAUNCHER, LAUNCHER)
    _hub(folder / "hub")
    (folder / "spec.json").write_text(json.dumps(spec_of(device)), encoding="utf-8")
    (folder / "hugepages").mkdir()
    with _hugepages(folder / "hugepages"):
        yield Ground(folder=folder, nodes=made_nodes(folder / "machine", device))


def spec_of(device: str) -> dict[str, Any]:
    """Return a model spec with every key that a vLLM image reads."""
    return {
        "model_id": f"id_tt-transformers_tiny_{device}",
        "model_name": "tiny",
        "hf_model_repo": "stand-in/tiny",
        "device_type": device.upper(),
        "impl": {"impl_id": "tt_transformers"},
        "env_vars": {"MESH_DEVICE": device.upper()},
        "cli_args": {"no_auth": True, "service_port": "8000"},
        "device_model_spec": {"vllm_args": {"model": "stand-in/tiny", "max_model_len": "1024"}},
    }


def _hub(folder: Path) -> None:
    """Make a cache of the hub: the files of a snapshot are links to blobs beside it."""
    repository = folder / "models--stand-in--tiny"
    snapshot, blobs = repository / "snapshots/0123", repository / "blobs"
    snapshot.mkdir(parents=True)
    blobs.mkdir()
    (blobs / "abc").write_text("weights", encoding="utf-8")
    (snapshot / "model.safetensors").symlink_to("../../blobs/abc")


@contextmanager
def _hugepages(folder: Path) -> Iterator[None]:
    """Mount a file system of huge pages, where the kernel has those of 1 GiB."""
    words = ["mount", "-t", "hugetlbfs", "-o", "pagesize=1G", "none", str(folder)]
    mounted = subprocess.run(words, capture_output=True, check=False).returncode == 0
    try:
        yield
    finally:
        if mounted:
            with suppress(subprocess.CalledProcessError):
                subprocess.run(["umount", str(folder)], capture_output=True, check=True)
