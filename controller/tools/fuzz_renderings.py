# SPDX-License-Identifier: Apache-2.0
"""Put hostile text into every field of a stack and of a Dockerfile, and read what is rendered.

A text is refused with a `TtctlError`, or comes out of each rendering byte for byte, with everything
beside it as it was. Anything else is an escape.
"""

from __future__ import annotations

import random
import shlex
import traceback
from collections import Counter
from dataclasses import fields, replace
from typing import TYPE_CHECKING

from tools.hostile_stacks import FREE, SERVICE, STACK, STRICT, text_of, with_service
from tools.said import Said, interpolated, said_by_compose
from tools.said_run import said_by_commands
from tools.said_units import said_by_unit
from tools.sample_place import VALUES
from ttctl.adapters import places
from ttctl.adapters.templates import ShippedRecipes
from ttctl.errors import TtctlError
from ttctl.model.image import ImageRecipe
from ttctl.rules.compose import PROXIES, compose_of, config_hash
from ttctl.rules.docker_run import typed_commands
from ttctl.rules.quadlet import unit_files
from ttctl.rules.renderable import check_stack

if TYPE_CHECKING:
    from ttctl.model.service import ServiceSpec, Stack

RECIPES = ShippedRecipes(places.shipped())
TEMPLATE = "FROM {{ parent }} AS one\nRUN --x {{ mounts }} echo a \\\n    b\nFROM one\nUSER 1000\n"
TOGETHER = 12
"""Texts in one stack where each is free text: enough to meet each other."""
OUTCOMES = ("texts refused", "texts byte-exact in every rendering")


def _environment(service: ServiceSpec) -> dict[str, str]:
    """Return what the container gets; of the place's values, what compose makes of them."""
    place = {name: interpolated(value, VALUES) for name, value in service.place_environment}
    return {**dict.fromkeys(PROXIES, ""), **dict(service.environment), **place}


def wanted(stack: Stack) -> Said:
    """Return what has to be said of the stack's one service, made from the stack itself."""
    (service,) = stack.services
    kind, *words = service.health.test
    held = service.confinement
    labels = {
        "dev.ttctl.stack": stack.name,
        "dev.ttctl.service": service.name,
        "dev.ttctl.owner": VALUES["TTCTL_OWNER"],
        "dev.ttctl.config-hash": config_hash(stack, service),
        "dev.ttctl.boards": ",".join(stack.boards),
        "dev.ttctl.contract": stack.contract,
        **({"dev.ttctl.experimental": stack.experimental} if stack.experimental else {}),
    }
    return replace(
        CLEAN,
        health=(
            words[0] if kind == "CMD-SHELL" else f"exec {shlex.join(words)}",
            *CLEAN.health[1:],
        ),
        environment=frozenset(_environment(service).items()),
        host_names=frozenset(f"{one}:host-gateway" for one in service.host_names),
        labels=frozenset(labels.items()),
        networks=frozenset(f"ttctl-{stack.name}-{one}" for one in service.networks),
        words=(*service.entrypoint, *service.command),
        user=held.user,
        kept=frozenset(held.capabilities),
        # A group may be a variable of the .env file.
        groups=frozenset(VALUES.get(one[2:-1], one) for one in held.groups),
    )


def escapes(stack: Stack) -> list[str]:
    """Return where a rendering says something else than the stack.

    Raises:
        TtctlError: The stack is refused.
    """
    check_stack(stack)
    units = unit_files(stack)
    (service,) = stack.services
    lines = [shlex.split(shlex.join(words)) for words in typed_commands(stack, VALUES)]
    unit = units[f"ttctl-{stack.name}-{service.name}.container"]
    said = {
        "compose": said_by_compose(RECIPES.yaml(compose_of(stack)), VALUES),
        "run": said_by_commands(lines, VALUES),
        "quadlet": {service.name: said_by_unit(unit, VALUES)},
    }
    found = [f"{form}: {sorted(one)}" for form, one in said.items() if set(one) != {service.name}]
    if found:
        return found
    first = said["compose"][service.name]
    expected = wanted(stack)
    free = (
        "health", "environment", "labels", "networks", "host_names", "words", "user", "kept",
        "groups",
    )  # fmt: skip
    found += [
        f"{name} is not what was wanted"
        for name in free
        if getattr(first, name) != getattr(expected, name)
    ]
    for form, one in said.items():
        found += [
            f"{form}: {field.name}"
            for field in fields(Said)
            if getattr(one[service.name], field.name) != getattr(first, field.name)
        ]
    return found


def dockerfile_escapes(text: str) -> list[str]:
    """Return whether a Dockerfile has another shape with this text in it.

    Raises:
        TtctlError: The text is refused.
    """
    recipe = ImageRecipe(name="one", description="", parent="", template=TEMPLATE, files=())
    made = RECIPES.render(recipe, {"parent": text, "mounts": "--mount=x"})
    lines = made.split("\n")
    if len(lines) != len(TEMPLATE.split("\n")) or lines[0].split() != ["FROM", text, "AS", "one"]:
        return [f"Dockerfile: {made!r}"]
    return []


def run(*, count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """Return what came of `count` texts, and every escape."""
    chance = random.Random(seed)  # noqa: S311 - mutations, no secrets
    sums: Counter[str] = Counter()
    bad: list[str] = []
    names = [*STRICT, "Dockerfile", *FREE]
    exact: list[str] = []
    for _ in range(count):
        name, text = chance.choice(names), text_of(chance)
        try:
            if name in FREE:
                check_stack(FREE[name](text))
                exact.append(text)
                found = _together(exact) if len(exact) == TOGETHER else []
            else:
                found = (
                    dockerfile_escapes(text)
                    if name == "Dockerfile"
                    else escapes(STRICT[name](text))
                )
            bad += [f"{name} {text!r}: {one}" for one in found]
            sums[OUTCOMES[1]] += 1
        except TtctlError:
            sums[OUTCOMES[0]] += 1
        except Exception:  # noqa: BLE001 - finding them is what this is for
            bad.append(f"{name} {text!r}: {traceback.format_exc()}")
    if len(exact) > 1:
        bad += _together([*exact, "", ""])
    return sums, bad


def _together(texts: list[str]) -> list[str]:
    """Try several texts in one stack, in all its free fields, and empty the list."""
    a, b, *rest = texts
    words = tuple(one for one in texts if one not in {"", ";"})
    stack = with_service(
        entrypoint=("vllm", a) if a else ("vllm",),
        command=words,
        environment=tuple((f"A{number}", one) for number, one in enumerate(texts)),
        health=replace(SERVICE.health, test=("CMD", "x", b) if a else ("CMD-SHELL", b)),
    )
    try:
        return escapes(replace(stack, experimental=rest[0]))
    except TtctlError as refusal:
        # Each was taken alone.
        return [f"refused together: {refusal}"]
    finally:
        texts.clear()


CLEAN = said_by_compose(RECIPES.yaml(compose_of(STACK)), VALUES)["vllm"]
