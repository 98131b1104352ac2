# SPDX-License-Identifier: Apache-2.0
"""Is what could mean more than itself refused, with the field named?"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from tests.unit.rules.stacks import CARD, ENGINE, HEALTH, LLAMA, MADE

from ttctl.errors import BadFileError
from ttctl.model.service import Card, Confinement, Mount, Scratch, ServiceSpec
from ttctl.rules.renderable import check_stack

ALL = [pytest.param(stack, id=name) for name, stack in MADE.items()]
BAD: dict[str, list[Any]] = {
    "name": ["a b", "", "A", "a\n"],
    "image": ["a b", "$x", "-v", ""],
    "entrypoint": [("\x00",), ("\ud800",), ("\x1b[2J",)],
    "command": [("a\r",), ("x" * 200_000,)],
    "environment": [(("A B", "1"),), (("A", "\x00"),), (("A=B", "1"),), (("A", "1"), ("A", "2"))],
    "mounts": [
        (Mount(source="/dev/tenstorrent", target="/x"),),
        (Mount(source="/dev/", target="/x"),),
        (Mount(source="/", target="/x"),),
        (Mount(source="/a/../..", target="/x"),),
        (Mount(source="${HOME}", target="/x"),),
        (Mount(source="${TTCTL_X:?`x`}", target="/x"),),
        (Mount(source="a", target="/x"),),
        (Mount(source="", target="/x"),),
        (Mount(source="/a:b", target="/x"),),
        (Mount(source="/a", target="/x:rw"),),
        (Mount(source="/a", target="x"),),
        (Mount(source="/a", target="/x,y"),),
        (Mount(source="/a", target="/x/../y"),),
        (Mount(source="/a", target="/x"), Mount(source="/b", target="/x")),
    ],
    "networks": [(), ("other",), ("back", "other")],
    "host_names": [("a b",), ("A",), ("a:b",), ("a", "a")],
    "place_environment": [
        (("A=B", "1"),),
        (("A", "${HOME}"),),
        (("A", "\x00"),),
        (("MESH_DEVICE", "1"),),
    ],
    "publish": [70000, -1],
    "health": [
        replace(HEALTH, test=("CMD",)),
        replace(HEALTH, test=("NONE", "x")),
        replace(HEALTH, test=("CMD-SHELL", "a", "b")),
        replace(HEALTH, retries=0),
    ],
    "memory_mib": [-1, True],
    "shm_mib": [0],
    "pids": [0],
    "tmpfs_mib": [0],
    "stop_grace_s": [119, 10],
    "restart": ["always", "no\n"],
    "confinement": [
        Confinement(user="root"),
        Confinement(user="0:0 --privileged"),
        Confinement(capabilities=("ALL",)),
        Confinement(capabilities=("chown",)),
        Confinement(groups=("video",)),
        Confinement(groups=("${HOME}",)),
        Confinement(ipc="container:x"),  # type: ignore[arg-type]
    ],
    "scratch": [
        (Scratch(target="/tmp", size_mib=1),),  # noqa: S108 - every container has it
        (Scratch(target="/a:exec", size_mib=1),),
        (Scratch(target="/a", size_mib=0),),
    ],
    "nodes": [-1, 2000],
    "first_node": [-1, 2000],
    "card": [
        Card(device="n150", contract="A b"),
        Card(device="n150", contract="own", boards=("a b",)),
        Card(device="n150", contract="own", derived_from="a\x00"),
        Card(device="n150", contract="own", experimental="\x00"),
    ],
}


@pytest.mark.parametrize("stack", ALL)
def test_what_ttctl_makes_passes(stack: Any) -> None:  # noqa: ANN401
    check_stack(stack)


def test_every_field_of_a_service_is_thought_of() -> None:
    assert set(BAD) | {"inputs"} == {field.name for field in fields(ServiceSpec)}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in BAD.items() for value in values]
)
def test_a_bad_field_is_refused(field: str, value: object) -> None:
    bad: Any = replace(ENGINE, **{field: value})
    with pytest.raises(BadFileError) as caught:
        check_stack(replace(CARD, services=(bad,)))
    assert caught.value.why
    assert caught.value.next_step


def test_on_the_hosts_network_is_no_network_of_the_stack_no_port_and_no_other_name() -> None:
    alone = replace(ENGINE, networks=(), confinement=Confinement(host_network=True))
    check_stack(replace(CARD, services=(alone,)))
    for changes in ({"networks": ("back",)}, {"publish": 80}, {"host_names": ("vllm",)}):
        bad: Any = replace(alone, **changes)
        with pytest.raises(BadFileError):
            check_stack(replace(CARD, services=(bad,)))


def test_only_an_engine_on_a_card_may_have_no_limit_of_memory() -> None:
    check_stack(replace(CARD, services=(replace(ENGINE, memory_mib=0),)))
    bad = replace(LLAMA.services[0], memory_mib=0)
    with pytest.raises(BadFileError):
        check_stack(replace(LLAMA, services=(bad, *LLAMA.services[1:])))


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "a/b"}, {"name": ""}, {"port": 0}, {"port": 65536}, {"contract": "own\n"},
        {"boards": ("a,b",)}, {"boards": ("a", "a")}, {"experimental": "\x00"},
        {"services": (ENGINE, ENGINE)}, {"networks": ()},
        {"networks": (replace(LLAMA.networks[0], name="a b"),)},
    ],
)  # fmt: skip
def test_a_bad_field_of_the_stack_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(BadFileError):
        check_stack(replace(CARD, **changes))
