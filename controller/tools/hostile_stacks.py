# SPDX-License-Identifier: Apache-2.0
"""Make stacks with a hostile text in one of their fields."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tools.hostile import TEXTS
from ttctl.model.service import (
    Confinement,
    HealthCheck,
    Mount,
    Network,
    Scratch,
    ServiceSpec,
    Stack,
)

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

SERVICE = ServiceSpec(
    name="vllm",
    image="ttctl/one:1",
    entrypoint=("vllm",),
    command=("serve", "/models/one"),
    environment=(("HOME", "/tmp"),),  # noqa: S108 - a value
    mounts=(Mount(source="${TTCTL_WEIGHTS:?the weights}", target="/models/one"),),
    scratch=(Scratch(target="/cache", size_mib=64),),
    networks=("back",),
    publish=8080,
    health=HealthCheck(
        test=("CMD", "true", "x"), interval_s=1, timeout_s=2, retries=3, start_period_s=4
    ),
    memory_mib=100,
    pids=10,
    tmpfs_mib=16,
    restart="no",
    nodes=1,
)
STACK = Stack(
    name="one",
    model="one",
    port=8000,
    services=(SERVICE,),
    networks=(Network(name="back", internal=True),),
)


def text_of(chance: random.Random) -> str:
    """Return a hostile text, alone, amid others, or with any character in it."""
    one = chance.choice(TEXTS)
    match chance.randrange(4):
        case 0:
            return one
        case 1:
            return one + chance.choice(TEXTS)
        case 2:
            return f"a{one}b"
    return f"{one}{chr(chance.randrange(0x110000))}"


def with_service(**changes: Any) -> Stack:  # noqa: ANN401 - any field's
    """Return the stack with its one service changed."""
    return replace(STACK, services=(replace(SERVICE, **changes),))


FREE: dict[str, Callable[[str], Stack]] = {
    "command": lambda text: with_service(command=("serve", text)),
    "entrypoint": lambda text: with_service(entrypoint=("vllm", text)),
    "environment": lambda text: with_service(environment=(("A", text),)),
    "health": lambda text: with_service(health=replace(SERVICE.health, test=("CMD", "a", text))),
    "health line": lambda text: with_service(
        health=replace(SERVICE.health, test=("CMD-SHELL", text))
    ),
    "experimental": lambda text: replace(STACK, experimental=text),
}
"""Fields that hold any text."""
STRICT: dict[str, Callable[[str], Stack]] = {
    "stack": lambda text: replace(STACK, name=text),
    "contract": lambda text: replace(STACK, contract=text),
    "boards": lambda text: replace(STACK, boards=(text,)),
    "network": lambda text: replace(
        with_service(networks=(text,)), networks=(Network(name=text, internal=True),)
    ),
    "service": lambda text: with_service(name=text),
    "image": lambda text: with_service(image=text),
    "environment name": lambda text: with_service(environment=((text, "1"),)),
    "name of the host": lambda text: with_service(host_names=(text,)),
    "value of the place": lambda text: with_service(place_environment=(("A", text),)),
    "mount source": lambda text: with_service(mounts=(Mount(source=text, target="/x"),)),
    "mount target": lambda text: with_service(mounts=(Mount(source="/x", target=text),)),
    "scratch": lambda text: with_service(scratch=(Scratch(target=text, size_mib=1),)),
    "restart": lambda text: with_service(restart=text),
    "user": lambda text: with_service(confinement=Confinement(user=text)),
    "capability": lambda text: with_service(confinement=Confinement(capabilities=(text,))),
    "group": lambda text: with_service(confinement=Confinement(groups=(text,))),
    "ipc": lambda text: with_service(confinement=Confinement(ipc=text)),  # type: ignore[arg-type]
}
"""Fields that name something."""
