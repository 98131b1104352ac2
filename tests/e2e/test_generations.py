# SPDX-License-Identifier: Apache-2.0
"""Are states of a stack kept, brought back, and resolved anew without losing what serves?"""

from __future__ import annotations

import json
import re
import secrets
import shutil
import tomllib
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import START_S, Stack, Ttctl, free_port, tree

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker


@pytest.fixture(scope="module")
def made(ttctl: Ttctl) -> Iterator[Stack]:
    """Bring up a stack of this module's own, with two generations."""
    one = Stack(
        ttctl=ttctl, name=f"gens-{secrets.token_hex(4)}", port=free_port(), target="demo-llama"
    )
    try:
        one.up()
        one.up()
        one.up("--max-model-len", "1024")
        yield one
    finally:
        one.remove()
        shutil.rmtree(one.folder.parent, ignore_errors=True)


def history(stack: Stack) -> list[tuple[int, str, bool]]:
    rows = stack.ttctl.run("history", stack.name, "--json").data
    return [(one["number"], one["why"], one["serves"]) for one in rows]


def recipe(folder: Path) -> dict[str, bytes]:
    """Return what a generation keeps of a rendered folder: all but the secrets of builds."""
    return {path: text for path, text in tree(folder).items() if not path.startswith("site/")}


def limit(stack: Stack) -> object:
    return tomllib.loads((stack.folder / "ttctl.lock").read_text())["max_model_len"]


def test_a_change_makes_a_generation_and_a_rollback_brings_the_former_one_back(
    made: Stack,
) -> None:
    assert history(made) == [(2, "up", True), (1, "up", False)]
    first = made.folder.parent / "generations" / "1" / "rendered"
    shown = made.ttctl.run("rollback", made.name, "--dry-run").out
    assert "max_model_len: 1024 -> " in shown
    assert limit(made) == 1024
    made.ttctl.run("rollback", made.name, "--offline", limit_s=START_S)
    assert made.serves()
    assert history(made) == [(3, "rollback to 1", True), (2, "up", False), (1, "up", False)]
    assert recipe(made.folder) == recipe(first)
    assert "nothing was changed" in made.up().out


def test_generations_are_the_users_alone_and_hold_no_secret(made: Stack) -> None:
    folder = made.folder.parent / "generations"
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    folders = [folder, *(path for path in folder.rglob("*") if path.is_dir())]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    kept = b"".join(tree(folder).values())
    assert made.key.encode() not in kept


def test_an_upgrade_that_changes_nothing_does_nothing(made: Stack) -> None:
    before, kept = made.identities(), history(made)
    assert "nothing" in made.ttctl.run("diff", made.name).out
    assert "nothing was changed" in made.ttctl.run("upgrade", made.name).out
    assert (made.identities(), history(made)) == (before, kept)


def test_an_upgrade_that_does_not_start_comes_back_by_itself(made: Stack) -> None:
    kept, rendered = history(made), tree(made.folder)
    bad = {"TTCTL_UP_MAX_MODEL_LEN": "1000000"}
    asked = made.ttctl.run("upgrade", made.name, environ=bad, exits=2)
    assert asked.err.rstrip().endswith(f"ttctl upgrade {made.name} --yes")
    failed = made.ttctl.run("upgrade", made.name, "--yes", environ=bad, exits=1, limit_s=START_S)
    assert "did not become ready: generation" in failed.err
    assert "serves again" in failed.err
    assert re.search("shorter context than --max-model-len asks for", failed.err)
    assert "greater than the derived max_model_len" in failed.err
    assert made.serves()
    assert (history(made), tree(made.folder)) == (kept, rendered)


def test_a_flag_that_the_engine_refuses_leaves_the_way_back(made: Stack) -> None:
    made.up("--max-model-len", "1000000", exits=5)
    # In what generation 3 was asked for, nobody typed a limit: a setting fills it.
    made.ttctl.run("rollback", made.name, "--to", "3", "--json", limit_s=START_S)
    assert made.serves()
    good = {"TTCTL_UP_MAX_MODEL_LEN": "512"}
    ran = made.ttctl.run("upgrade", made.name, "--yes", "--json", environ=good, limit_s=START_S)
    assert json.loads(ran.out)["data"]["changed"] is True
    assert limit(made) == 512
    assert made.serves()
    assert history(made)[0][1:] == ("upgrade", True)
    assert len(history(made)) == 3
