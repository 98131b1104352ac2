# SPDX-License-Identifier: Apache-2.0
"""Are the images that ttctl built told from those that only stand on one, by a real engine?"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.leftovers import LocalLeftovers
from ttctl.errors import EngineError
from ttctl.model.container import FINGERPRINT_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

LIMIT_S = 60
LONG_AGO = "2020-01-31T12:00:00Z"


def docker(*words: str, stdin: bytes | None = None) -> str:
    done = subprocess.run(
        ["docker", *words], input=stdin, capture_output=True, check=True, timeout=LIMIT_S
    )
    return done.stdout.decode().strip()


def member(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    found = tarfile.TarInfo(name)
    found.size = len(data)
    archive.addfile(found, io.BytesIO(data))


def made(reference: str, *, label: bool) -> None:
    """Load an image of one empty layer that says it was made long ago."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        member(archive, "name", reference.encode())
    blob = layer.getvalue()
    f"sha256:{hashlib.sha256(blob).hexdigest()}"
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": LONG_AGO,
            "config": {
                "Cmd": ["/x"],
                "Labels": {FINGERPRINT_LABEL: "f" * 64} if label else {},
            },
            "rootfs": {
                "type": "layers",
                "diff_ids": [f"sha256:{hashlib.sha256(blob).hexdigest()}"],
            },
        }
    ).encode()
    manifest = [{"Config": "config.json", "RepoTags": [reference], "Layers": ["layer.tar"]}]
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        member(archive, "config.json", config)
        member(archive, "layer.tar", blob)
        member(archive, "manifest.json", json.dumps(manifest).encode())
    docker("image", "load", stdin=whole.getvalue())


@pytest.fixture
def mark() -> Iterator[str]:
    """Give a word for the names of a test's own images, which are removed."""
    word = f"litter-{secrets.token_hex(4)}"
    yield word
    for container in docker("ps", "--all", "--quiet", "--filter", f"name={word}").split():
        docker("rm", "--force", container)
    for reference in (f"ttctl/{word}:1", f"ttctl/{word}:2", f"mine/{word}:1"):
        subprocess.run(
            ["docker", "image", "rm", reference], capture_output=True, check=False, timeout=LIMIT_S
        )


def test_only_what_ttctl_built_is_shown_and_only_what_nobody_uses_is_removed(mark: str) -> None:
    made(f"ttctl/{mark}:1", label=True)
    made(f"ttctl/{mark}:2", label=False)
    made(f"mine/{mark}:1", label=True)
    place = LocalLeftovers(os.environ, folders=())
    (own,) = [one for one in place.images() if mark in one.reference]
    assert own.reference == f"ttctl/{mark}:1"
    assert own.made_at == 1580472000
    assert own.image_id not in place.in_use().images
    container = docker("create", "--name", mark, own.reference)
    assert own.image_id in place.in_use().images
    with pytest.raises(EngineError, match="could not be removed"):
        place.remove_image(own.reference)
    docker("rm", container)
    place.remove_image(own.reference)
    assert [one for one in place.images() if mark in one.reference] == []
