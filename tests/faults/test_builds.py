# SPDX-License-Identifier: Apache-2.0
"""A build that fails or is killed moves no tag, says where, and goes on from there."""

from __future__ import annotations

import re
import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import finish, kill, read_until
from tests.faults.own_engine import until
from tests.faults.page import ejected, mirrored
from tests.faults.refused import WHOLE, refused, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure, Rounds
    from tests.faults.own_engine import OwnEngine

pytest_plugins = ["tests.faults.page_fixture"]
pytestmark = pytest.mark.docker

STEPS = 3


def tags(engine: OwnEngine) -> set[str]:
    """Return every name of an image, with what it names."""
    return set(engine.docker("images", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}")
               .splitlines())  # fmt: skip


class Page:
    """A page of which each of three further steps can be made to fail or to take for ever."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self.words = ejected(stack, folder)
        self._file = folder / "Dockerfile"
        self._text = self._file.read_text(encoding="utf-8")
        self._mark = secrets.token_hex(6)
        self.waits = f"sleep {600 + secrets.randbelow(10**6)}"
        """A command line of this test's own."""

    def write(self, at: int = STEPS, then: str = "") -> None:
        """Let step `at` do `then`; those before it are the same every time."""
        lines = [f'RUN echo "canary {self._mark} {one}"' for one in range(STEPS)]
        if then:
            lines[at] = f'RUN echo "canary {self._mark} {at}" && {then}'
        self._file.write_text(self._text + "\n".join(lines) + "\n", encoding="utf-8")

    def cached(self, said: str) -> set[int]:
        """Return which of the three steps a build took from the cache."""
        pattern = rf'(#\d+) \[[^]]*\] RUN echo "canary {self._mark} (\d)"'
        steps = dict(re.findall(pattern, said))
        return {int(step) for key, step in steps.items() if re.search(rf"{key} CACHED", said)}


@pytest.fixture
def placed(stack: Stack) -> Iterator[Stack]:
    """Yield a stack that is not up, at a place where something can be built."""
    with mirrored(stack) as there:
        yield there


@pytest.fixture
def page(page_image: Path, engine: OwnEngine, placed: Stack, tmp_path: Path) -> Page:
    """Return a page of which nothing was built yet, beside a stack that serves."""
    engine.docker("load", "--quiet", "--input", str(page_image))
    placed.up()
    return Page(placed, tmp_path / "page")


def check_untouched(stack: Stack, engine: OwnEngine, before: set[str]) -> None:
    """Check that the build that came to nothing left nothing, and that the old stack serves."""
    assert tags(engine) == before
    assert stack.serves()
    assert running(stack) == WHOLE
    assert set(engine.containers()) == {one["Name"][1:] for one in stack.inspect().values()}


def test_a_step_that_fails_is_told_with_its_log_and_the_next_build_goes_on_there(
    page: Page, engine: OwnEngine, placed: Stack, rounds: Rounds, figure: Figure
) -> None:
    before, words = tags(engine), ("--verbose", *page.words)
    count = rounds(fast=2, whole=STEPS)
    for at in range(STEPS - count, STEPS):
        page.write(at, "echo canary-of-the-end && exit 7")
        told = refused(placed, *words, exits=5)
        assert "chat" in told["error"]
        assert "canary-of-the-end" in told["evidence"]
        log = Path(told["next"].removeprefix("less ").strip())
        assert "canary-of-the-end" in log.read_text(encoding="utf-8")
        check_untouched(placed, engine, before)
    page.write()
    said = placed.up(*words)
    assert page.cached(said.err) >= set(range(STEPS - 1))
    assert running(placed) == {**WHOLE, "chat": "running"}
    figure("R11", "steps of a build that failed, told, without a tag", f"{count} of {count}")


def test_a_build_that_is_killed_moves_no_tag_and_the_next_one_goes_on(
    page: Page, engine: OwnEngine, placed: Stack, rounds: Rounds, figure: Figure
) -> None:
    before = tags(engine)
    count = rounds(fast=1, whole=STEPS)
    for at in range(STEPS - count, STEPS):
        page.write(at, f"echo now-it-waits && {page.waits}")
        child = placed.start_up(*page.words)
        read_until(child, r"now-it-waits$")
        kill(child, signal.SIGKILL)
        finish(child)
        # BuildKit ends a step that nobody waits for.
        until(lambda: not any(one.startswith(page.waits) for one in _commands()))
        check_untouched(placed, engine, before)
    page.write()
    said = placed.up("--verbose", *page.words)
    assert page.cached(said.err) >= set(range(STEPS - 1))
    assert running(placed) == {**WHOLE, "chat": "running"}
    figure("R11", "builds killed at a step, without a tag", f"{count} of {count}")


def _commands() -> list[str]:
    texts = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            texts.append(path.read_bytes().replace(b"\0", b" ").decode("latin-1"))
        except OSError:
            continue
    return texts
