# SPDX-License-Identifier: Apache-2.0
"""A disk that is full: no file is torn, the old stack serves on, and space mends all."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import tree
from tests.faults.own_engine import own_engine
from tests.faults.page import ejected, mirrored
from tests.faults.refused import WHOLE, parts, running
from tests.faults.stage import EVERYTHING, furnish, stack_on

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.e2e.driver import Ran, Stack
    from tests.faults.conftest import Figure
    from tests.faults.own_engine import OwnEngine

pytest_plugins = ["tests.faults.page_fixture"]
pytestmark = pytest.mark.docker

PIECE = 1 << 12
ENGINE_MIB = 1500
"""What the images take while they are loaded, and a little more."""


@contextmanager
def disk(folder: Path, mib: int) -> Iterator[Path]:
    """Yield a file system of its own with so much room."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=700", "none", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine permits no mount: {done.stderr}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Leave no room on a file system for the length of the block."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\1" * PIECE * 256)
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"\1" * PIECE)
    try:
        yield
    finally:
        filler.unlink()


def named(engine: OwnEngine) -> set[str]:
    """Return every name of an image, with what it names."""
    words = ("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
    return {one for one in engine.docker(*words).splitlines() if "<none>" not in one}


def fails(stack: Stack, *words: str) -> dict[str, str]:
    """Bring it up, which has to fail for want of room; return what it said."""
    child = stack.ttctl.start("up", *stack.words, *words)
    out, err = child.communicate(timeout=300)
    assert child.returncode in {1, 5}, out + err
    told = parts(err)
    text = " ".join(told.values())
    assert "No space left" in text or "room" in text or "free" in text, text
    return told


def mended(stack: Stack, *words: str, and_: str = "") -> Ran:
    """Bring it up once there is room again: once is enough."""
    ran = stack.up(*words)
    assert stack.serves()
    assert running(stack) == ({**WHOLE, and_: "running"} if and_ else WHOLE)
    assert "nothing was changed" in stack.up(*words).out
    return ran


@pytest.mark.parametrize("place", ["state", "cache"] if EVERYTHING else ["cache"])
def test_a_first_up_without_room_starts_nothing_and_the_next_one_is_whole(
    engine: OwnEngine, tmp_path: Path, place: str
) -> None:
    stack = stack_on(engine, tmp_path)
    # Room for the weights, and for what is kept free beside them.
    with disk(tmp_path / place, 160):
        with full(tmp_path / place):
            fails(stack)
            assert engine.containers() == {}
        mended(stack)
        strays = [name for name in tree(tmp_path / place) if "tmp" in name or "incomplete" in name]
        assert strays == []
        stack.down()


def test_a_change_without_room_leaves_the_old_stack_serving_and_no_file_torn(
    engine: OwnEngine, tmp_path: Path, figure: Figure
) -> None:
    stack = stack_on(engine, tmp_path)
    with disk(tmp_path / "state", 8):
        stack.up()
        before, identities = tree(stack.folder), stack.identities()
        for words in (("--max-model-len", "1024"), ("--max-num-seqs", "4")):
            with full(tmp_path / "state"):
                fails(stack, *words)
                assert tree(stack.folder) == before
                assert stack.identities() == identities
                assert stack.serves()
                # Looking needs no room.
                assert stack.ttctl.run("status", stack.name, "--json").data["state"] == "ready"
        mended(stack, "--max-model-len", "1024")
        figure("R6", "changes on a full disk, files torn", "2, 0")
        stack.down()


def test_a_build_on_a_full_engine_is_told_and_the_old_stack_serves_on(
    images: Path, page_image: Path, tmp_path: Path, figure: Figure
) -> None:
    data = tmp_path / "data"
    with ExitStack() as world:
        world.enter_context(disk(data, ENGINE_MIB))
        engine = world.enter_context(own_engine(data=data))
        world.enter_context(engine.inside())
        furnish(engine, images)
        engine.docker("load", "--quiet", "--input", str(page_image))
        stack = world.enter_context(mirrored(stack_on(engine, tmp_path / "home")))
        stack.up()
        page = ejected(stack, tmp_path / "page")
        (tmp_path / "page" / "src" / "large").write_bytes(b"\1" * (8 << 20))
        dockerfile = tmp_path / "page" / "Dockerfile"
        dockerfile.write_text(dockerfile.read_text() + "COPY src/large /opt/large\n")
        names = named(engine)
        identities = stack.identities()
        with full(data):
            fails(stack, *page)
            assert stack.identities() == identities
            assert stack.serves()
        assert named(engine) == names
        mended(stack, *page, and_="chat")
        figure("R6", "a build on a full engine", "told; the old stack served on")
        engine.clear()
