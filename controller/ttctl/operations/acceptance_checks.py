# SPDX-License-Identifier: Apache-2.0
"""Are the running containers what was meant, and does the gateway let in whom it should?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ttctl.model.acceptance import Check, Looked
from ttctl.model.acceptance_kit import Question
from ttctl.model.pins import OWN
from ttctl.rules.acceptance_seen import env_values, looked_at, missing
from ttctl.rules.acceptance_trials import trials
from ttctl.rules.domains import domains_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ttctl.model.acceptance import Outcome
    from ttctl.model.acceptance_kit import Answer, Client, Seen
    from ttctl.model.device import System
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.operations.desire import Desired

DOOR_S = 20.0
OK = 200
REFUSED = frozenset({401, 403})
WRONG_KEY = "0" * 64
LISTS_MODELS = frozenset({"vllm-legacy", "vllm-current", OWN})
"""Contracts whose server lists its models; the others tell whether they are ready."""


def checked_contract(
    world: World, desired: Desired, shown: dict[str, Seen], *, system: System
) -> tuple[Looked, ...]:
    """Hold every container against what was wanted of it."""
    stack = desired.stack
    folder = world.store.folder(stack.name)
    values = env_values(world.folders.read_folder(folder).get(".env", ""))
    found: list[Looked] = []
    with world.reporter.step("Look at the containers"):
        for service in stack.services:
            if service.name not in shown:
                found.append(missing(service))
                continue
            seen = shown[service.name]
            found += looked_at(stack, service, seen, values=values, folder=str(folder))
            if service.nodes:
                found.append(_own_nodes(stack, seen, system))
    return tuple(found)


def checked_door(world: World, desired: Desired, client: Client, *, key: str) -> tuple[Looked, ...]:
    """Ask the gateway with the right key, with a wrong one, and with none."""
    stack = desired.stack

    def asks(name: str, question: Question, good: Callable[[Answer], bool], used: str) -> Looked:
        answer = client.ask(question, key=used, limit_s=DOOR_S)
        return _door(name, answer, good=good(answer))

    lists = stack.contract in LISTS_MODELS
    path = "/v1/models" if lists else "/tt-liveness"
    own = next((one.questions[0] for one in trials(desired.spec)), Question(path=path))
    with world.reporter.step("Ask the gateway"):
        return (
            asks("healthy", Question(path="/health"), lambda one: one.status == OK, ""),
            asks(
                "models" if lists else "liveness",
                Question(path=path),
                lambda one: _lists(one, stack.model) if lists else _is_ready(one),
                key,
            ),
            asks("a wrong key is refused", own, lambda one: one.status in REFUSED, WRONG_KEY),
            asks("no key is refused", own, lambda one: one.status in REFUSED, ""),
        )


def _own_nodes(stack: Stack, seen: Seen, system: System) -> Looked:
    """Return whether every device that a container has is one of a leased board."""
    leased = set(stack.boards)
    nodes = {
        node
        for domain in domains_of(system)
        if leased & {domain.key, *domain.names, *domain.boards}
        for node in domain.nodes
    }
    has = {one.partition(":")[0] for one in seen.nodes}
    outcome: Outcome = "passed" if has and has <= nodes else "failed"
    said = "" if outcome == "passed" else f"has {sorted(has)}, leased are {sorted(nodes)}"
    check = Check(name=f"{seen.service}: nodes of leased boards", part="contract", outcome=outcome)
    return Looked(check=check, detail=said)


def _door(name: str, answer: Answer, *, good: bool) -> Looked:
    outcome: Outcome = "passed" if good else "failed"
    check = Check(name=name, part="door", outcome=outcome, seconds=answer.seconds)
    return Looked(check=check, detail="" if good else answer.problem or f"HTTP {answer.status}")


def _lists(answer: Answer, model: str) -> bool:
    found = _object(answer).get("data")
    names = [one.get("id") for one in found] if isinstance(found, list) else []
    return answer.status == OK and model in names


def _is_ready(answer: Answer) -> bool:
    return answer.status == OK and _object(answer).get("model_ready") is True


def _object(answer: Answer) -> dict[str, object]:
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
