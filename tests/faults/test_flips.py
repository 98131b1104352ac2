# SPDX-License-Identifier: Apache-2.0
"""A byte of a lock or of a cache that became another is refused, or put right and said.

Each byte of a lock is flipped in tests/unit/adapters/test_lock_file.py; here `up` meets some.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from tests.e2e.driver import stamps, tree
from tests.faults.refused import WHOLE, refused, running
from tests.faults.stage import ttctl_on
from tests.standins.exports import entry, export

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.e2e.driver import Stack, Ttctl
    from tests.faults.conftest import Figure, Rounds

pytestmark = pytest.mark.docker

SEED = 7
NEWER = b"schema = 1"


def flipped(whole: bytes, at: int) -> bytes:
    return whole[:at] + bytes([whole[at] ^ 0x01]) + whole[at + 1 :]


SPOILED: dict[str, Callable[[bytes], bytes]] = {
    "cut in half": lambda whole: whole[: len(whole) // 2],
    "without its last line": lambda whole: whole[: whole.rstrip(b"\n").rfind(b"\n") + 1],
    "empty": lambda _: b"",
    "not a text": lambda _: bytes(range(256)),
    "of a newer schema": lambda whole: whole.replace(NEWER, NEWER + b"99", 1),
}


def check_refused(stack: Stack, lock: Path, spoiled: bytes) -> None:
    """Bring it up with a spoiled lock: it is refused, and nothing at all is changed."""
    before, identities = stamps(stack.folder), stack.identities()
    told = refused(stack, exits=9)
    assert str(lock) in " ".join(told.values())
    assert lock.read_bytes() == spoiled
    assert stamps(stack.folder) == before
    assert stack.identities() == identities


def test_a_lock_with_a_flipped_byte_is_refused_and_nothing_is_pinned_anew(
    stack: Stack, rounds: Rounds, figure: Figure
) -> None:
    stack.up()
    lock = stack.folder / "ttctl.lock"
    whole = lock.read_bytes()
    count = rounds(fast=3, whole=200)
    chance = random.Random(SEED)  # noqa: S311 - places, no secrets
    for at in sorted(chance.sample(range(len(whole)), count)):
        spoiled = flipped(whole, at)
        lock.write_bytes(spoiled)
        check_refused(stack, lock, spoiled)
    lock.write_bytes(whole)
    figure("R7", "flipped bytes of a lock that `up` refuses", f"{count} of {count}")
    assert "nothing was changed" in stack.up().out


def test_a_lock_that_is_cut_or_of_another_kind_is_refused_and_the_stack_serves_on(
    stack: Stack,
) -> None:
    stack.up()
    lock = stack.folder / "ttctl.lock"
    whole = lock.read_bytes()
    for how, spoil in SPOILED.items():
        spoiled = spoil(whole)
        assert spoiled != whole, how
        lock.write_bytes(spoiled)
        check_refused(stack, lock, spoiled)
    assert stack.serves()
    # What the refusal says to type is the way out.
    lock.rename(lock.with_name("ttctl.lock.damaged"))
    stack.up()
    assert lock.read_bytes() == whole
    assert running(stack) == WHOLE


def test_weights_with_a_flipped_byte_are_never_started_on(
    stack: Stack, rounds: Rounds, figure: Figure
) -> None:
    stack.up()
    stack.down()
    cache = stack.ttctl.stacks.parents[2] / "cache" / "ttctl" / "weights"
    (file,) = (path for path in cache.rglob("*.safetensors") if not path.is_symlink())
    whole = file.read_bytes()
    count = rounds(fast=1, whole=20)
    chance = random.Random(SEED)  # noqa: S311 - places, no secrets
    for at in chance.sample(range(len(whole)), count):
        mode = file.stat().st_mode & 0o777
        file.chmod(0o644)
        file.write_bytes(flipped(whole, at))
        file.chmod(mode)
        ran = stack.up()
        # It was seen, fetched again, and said.
        assert file.read_bytes() == whole
        assert "etch weights" in ran.err
        assert stack.serves()
        stack.down()
    figure("R8", "flipped bytes of the weights that were put right", f"{count} of {count}")
    assert {name for name in tree(cache) if "incomplete" in name} == set()


FETCHED = "acme/Fetched-1B"
"""A model that only the fetched catalog has."""


def catalog(ttctl: Ttctl) -> tuple[Any, bool, str]:
    """Return what `models ls` shows, whether that is the fetched catalog, and what is said."""
    ran = ttctl.run("models", "ls", "--json")
    return ran.data, FETCHED in {one["model"] for one in ran.data}, ran.err


@pytest.mark.parametrize("kept", ["exports", "records", "current", "compiled"])
def test_a_stored_catalog_with_a_flipped_byte_is_never_read(
    kept: str, tmp_path: Path, rounds: Rounds, figure: Figure
) -> None:
    ttctl = ttctl_on(None, tmp_path)
    mine = tmp_path / "mine.json"
    mine.write_bytes(export(entry(FETCHED, "N150")))
    ttctl.run("models", "refresh", str(mine))
    whole, fetched, said = catalog(ttctl)
    assert (fetched, "set aside" in said) == (True, False)
    count = rounds(fast=2, whole=50)
    chance = random.Random(SEED)  # noqa: S311 - places, no secrets
    for _ in range(count):
        file = stored(tmp_path, kept)
        before = file.read_bytes()
        # The last byte of a record is its line's end, which means nothing.
        file.write_bytes(flipped(before, chance.randrange(len(before) - 1)))
        found, fetched, said = catalog(ttctl)
        if fetched:
            # Made anew of what it was made of, or a blank between two words became none.
            assert found == whole
        else:
            assert "set aside" in said.lower()
            assert "The built-in catalog is used." in said
            ttctl.run("models", "refresh", str(mine))
        found, _, said = catalog(ttctl)
        assert (found, "set aside" in said) == (whole, False)
    figure("R8", f"flipped bytes of a catalog's {kept}: never read", f"{count} of {count}")


def stored(folder: Path, kept: str) -> Path:
    """Return the one file that is kept of the catalog in use."""
    if kept == "compiled":
        marked = FETCHED.encode()
        found = [one for one in (folder / "cache").rglob("*.json") if marked in one.read_bytes()]
    else:
        found = [
            one for one in (folder / "state").rglob("*") if kept in {one.name, one.parent.name}
        ]
        found = [one for one in found if one.is_file()]
    (file,) = found
    return file
