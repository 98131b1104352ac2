# SPDX-License-Identifier: Apache-2.0
"""What a fault is done to: ttctl with folders of its own, on an engine whose vLLM is a stand-in.

To ttctl nothing is different: the image has the name and the label that it would have given it.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.driver import Stack, Ttctl, free_port
from tests.faults.own_engine import own_engine
from tests.standins.place import real_place
from tests.standins.product_images import product_images
from tests.standins.server_images import processor_image

from ttctl.model.container import FINGERPRINT_LABEL
from ttctl.model.spec import Request
from ttctl.operations.desire import desire

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.faults.own_engine import OwnEngine

MODEL = "demo-llama"
PASSED_ON = ("PATH", "HOME", "USER", "LANG")
NO_HUB = "http://127.0.0.1:9"
SAVE_S = 300
EVERYTHING = os.environ.get("FAULTS") == "whole"
"""Whether everything is done, by `make faults`; else what a CI run has time for."""


@cache
def archive(folder: Path) -> Path:
    """Return an archive of the images that a stack needs; the stand-in is built where it is not.

    To be asked for on the machine's own network, since what is missing is built there.
    """
    path = folder / "images.tar"
    images = (product_images()["gateway"], processor_image())
    subprocess.run(["docker", "save", "--output", str(path), *images], check=True, timeout=SAVE_S)
    return path


def furnish(engine: OwnEngine, images: Path, *, faults: Mapping[str, str] | None = None) -> None:
    """Let the engine have what `up` needs, with the stand-in in vLLM's place.

    Args:
        engine: One that runs.
        images: `archive()`.
        faults: Variables of tests/standins/servers/faults.py that the stand-in has of its own.
    """
    engine.docker("load", "--quiet", "--input", str(images))
    become(engine, faults=faults)


def become(engine: OwnEngine, *, faults: Mapping[str, str] | None = None) -> None:
    """Put the stand-in, with these faults, where ttctl looks for vLLM."""
    lines = [f"FROM {processor_image()}", f"LABEL {FINGERPRINT_LABEL}={real_vllm()[1]}"]
    lines += [f"ENV {name}={value}" for name, value in sorted((faults or {}).items())]
    text = "\n".join(lines).encode()
    engine.docker("build", "--quiet", "--tag", real_vllm()[0], "-", input=text)


@cache
def real_vllm() -> tuple[str, str]:
    """Return the reference and the fingerprint of the image that ttctl would build of vLLM."""
    world = real_place()
    images = desire(world, Request(model=MODEL, name="faults")).images
    (found,) = (one for one in images if one.name == "vllm-cpu")
    return found.reference, found.fingerprint


@contextmanager
def furnished(images: Path, **how: bool) -> Iterator[OwnEngine]:
    """Yield an engine of a test's own with the stand-in; `how` is of `own_engine`."""
    with own_engine(**how) as engine:
        furnish(engine, images)
        yield engine


def ttctl_on(engine: OwnEngine | None, folder: Path) -> Ttctl:
    """Return the program of this checkout with folders of its own; None for the usual engine."""
    for name in ("state", "config", "cache", "work"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    environ = {
        name: value
        for name, value in os.environ.items()
        if name in PASSED_ON or (engine is None and name.startswith("DOCKER_"))
    }
    own = {f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("state", "config", "cache")}
    there = {} if engine is None else {"DOCKER_HOST": engine.host}
    return Ttctl(
        program=Path(sys.executable).with_name("ttctl"),
        home=folder / "work",
        environ={**environ, **own, **there, "TTCTL_HUB_ENDPOINT": NO_HUB},
    )


def through(stack: Stack, folder: Path, script: str, **places: Path) -> Stack:
    """Return the same stack, whose `docker` is a script that may hold it up.

    Args:
        stack: One that nobody has brought up.
        folder: Where the script goes.
        script: Its text, with the real docker and the places in braces.
        places: Files by which the script and the test talk.
    """
    fake = folder / "bin" / "docker"
    fake.parent.mkdir()
    fake.write_text(script.format(docker=shutil.which("docker"), **places))
    fake.chmod(0o755)
    path = f"{fake.parent}:{stack.ttctl.environ['PATH']}"
    ttctl = replace(stack.ttctl, environ={**stack.ttctl.environ, "PATH": path})
    return replace(stack, ttctl=ttctl)


def stack_on(engine: OwnEngine | None, folder: Path, *, name: str = "") -> Stack:
    """Return a stack that nobody has brought up, with folders and a port of its own.

    To be asked for inside the engine's network: the port is to be free there.
    """
    return Stack(
        ttctl=ttctl_on(engine, folder),
        name=name or f"fault-{secrets.token_hex(4)}",
        port=free_port(),
        target=MODEL,
    )
