# SPDX-License-Identifier: Apache-2.0
"""Faults that are really done: on engines of the tests' own, in a fast part and in whole."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from tests.faults.crowd import shared_out
from tests.faults.own_engine import OwnEngine, own_engine
from tests.faults.stage import EVERYTHING, archive, furnish, furnished, stack_on
from tests.faults.victims import uninterrupted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.e2e.driver import Stack
    from tests.faults.victims import Victim

AT_ONCE = 4
"""Stacks that are brought up beside each other: most of a start is the wait for a health check."""


class Rounds(Protocol):
    """How often something is done."""

    def __call__(self, *, fast: int, whole: int) -> int: ...


class Figure(Protocol):
    """Writes down what was measured."""

    def __call__(self, scenario: str, what: str, value: object) -> None: ...


@pytest.fixture(scope="session")
def rounds() -> Rounds:
    """Return how often to do it: the whole with `make faults`, else what a CI run has time for."""

    def chosen(*, fast: int, whole: int) -> int:
        if not EVERYTHING:
            return fast
        return min(whole, int(os.environ.get("FAULTS_ROUNDS") or whole))

    return chosen


@pytest.fixture
def figure(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Figure:
    """Return what writes a figure down: at the end of the run, and for docs/faults.md."""

    def write(scenario: str, what: str, value: object) -> None:
        record_property(f"{scenario}: {what}", value)
        if table := os.environ.get("FAULTS_TABLE"):
            row = {"scenario": scenario, "what": what, "value": value, "test": request.node.nodeid}
            with Path(table).open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")

    return write


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the archive of what engines of the tests' own begin with."""
    return archive(tmp_path_factory.mktemp("images"))


@pytest.fixture(scope="session")
def quiet(images: Path) -> Iterator[OwnEngine]:
    """Yield the engine that nothing is done to: kills and races share it."""
    with furnished(images) as engine:
        yield engine


@pytest.fixture(scope="session")
def victims(quiet: OwnEngine, tmp_path_factory: pytest.TempPathFactory) -> list[Victim]:
    """Return stacks whose `up` may be disturbed, several at once, with what each leaves if not."""
    with quiet.inside():
        quiet.clear()
        folders = [tmp_path_factory.mktemp("victim") for _ in range(AT_ONCE)]
        stacks = [stack_on(quiet, folder) for folder in folders]
        return shared_out(lambda _, stack: uninterrupted(stack), stacks, folders)


@pytest.fixture
def engine(quiet: OwnEngine) -> Iterator[OwnEngine]:
    """Be on the network of the quiet engine, which holds nothing before and after."""
    with quiet.inside():
        quiet.clear()
        yield quiet
        quiet.clear()


@pytest.fixture
def broken(request: pytest.FixtureRequest, images: Path) -> Iterator[OwnEngine]:
    """Be on the network of an engine that the test may do anything to.

    Parametrized indirectly: words for `own_engine`, such as {"live_restore": True}.
    """
    with own_engine(**getattr(request, "param", {})) as engine, engine.inside():
        furnish(engine, images)
        yield engine


@pytest.fixture
def stack(engine: OwnEngine, tmp_path: Path) -> Stack:
    """Return a stack on the quiet engine that is not up."""
    return stack_on(engine, tmp_path)
