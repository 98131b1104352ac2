# SPDX-License-Identifier: Apache-2.0
"""Do the compose file, the script, the units and what is typed by hand say the same of a stack?"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck as Slow
from hypothesis import given, settings
from tests.unit.fakes import RECIPES
from tests.unit.rules.launching import contract_of, entries, parts_of
from tests.unit.rules.stacks import MADE, stacks

from tools.said import Said, said_by_compose
from tools.said_run import said_by_commands, told
from tools.said_units import said_by_unit, unit
from tools.sample_place import FOLDER, VALUES
from ttctl.rules.compose import compose_of
from ttctl.rules.device_stack import host_stacks
from ttctl.rules.docker_run import network_name, typed_commands
from ttctl.rules.quadlet import unit_files
from ttctl.rules.renderable import check_stack
from ttctl.rules.run_script import run_script, stop_script

if TYPE_CHECKING:
    from ttctl.model.service import Stack

HOSTS = {
    f"{spec.device}-{number}": stack
    for spec in entries()
    if contract_of(spec).name == "multihost"
    for number, stack in enumerate(host_stacks(spec, contract_of(spec), parts_of(spec)), start=1)
}
"""What runs on each host of the entries that span several."""
ALL = [pytest.param(stack, id=name) for name, stack in {**MADE, **HOSTS}.items()]


def by_compose(stack: Stack) -> dict[str, Said]:
    return said_by_compose(RECIPES.yaml(compose_of(stack)), VALUES)


def by_script(stack: Stack) -> dict[str, Said]:
    return said_by_commands(told(run_script(stack), VALUES, folder=FOLDER), VALUES)


def by_hand(stack: Stack) -> dict[str, Said]:
    text = "\0".join(shlex.join(command) for command in typed_commands(stack, VALUES))
    return said_by_commands([shlex.split(line) for line in text.split("\0")], VALUES)


def by_units(stack: Stack) -> dict[str, Said]:
    units = unit_files(stack)
    return {
        service.name: said_by_unit(units[f"{stack.project}-{service.name}.container"], VALUES)
        for service in stack.services
    }


@pytest.mark.parametrize("stack", ALL)
def test_every_rendering_says_the_same_of_every_container(stack: Stack) -> None:
    check_stack(stack)
    expected = by_compose(stack)
    assert list(expected) == [service.name for service in stack.services]
    assert by_hand(stack) == expected
    assert by_units(stack) == expected
    assert by_script(stack) == expected


@settings(max_examples=40, deadline=None, suppress_health_check=[Slow.too_slow])
@given(stack=stacks())
def test_renderings_agree_on_any_stack(stack: Stack) -> None:
    check_stack(stack)
    expected = by_compose(stack)
    assert by_hand(stack) == expected
    assert by_units(stack) == expected


@settings(max_examples=8, deadline=None, suppress_health_check=[Slow.too_slow])
@given(stack=stacks())
def test_what_a_shell_makes_of_the_script_agrees_on_any_stack(stack: Stack) -> None:
    assert by_script(stack) == by_compose(stack)


@pytest.mark.parametrize("stack", ALL)
def test_what_is_said_is_what_was_wanted(stack: Stack) -> None:
    """Agreeing is not enough: each of them is held against the stack itself."""
    for service in stack.services:
        said = by_compose(stack)[service.name]
        assert said.stop_s == service.stop_grace_s >= 120
        assert said.dropped == ("ALL",)
        assert said.swap == said.memory == f"{service.memory_mib}m"
        assert said.devices == tuple(VALUES[f"TTCTL_NODE_{n}"] for n in range(service.nodes))
        assert said.words == (*service.entrypoint, *service.command)
        assert dict(service.environment).items() <= dict(said.environment).items()
        assert said.user == service.confinement.user
        assert said.kept == set(service.confinement.capabilities)
        assert said.ports == (
            {f"127.0.0.1:8000:{service.publish}/tcp"} if service.publish else frozenset()
        )


@pytest.mark.parametrize("stack", ALL)
def test_networks_agree(stack: Stack) -> None:
    created = {
        command[-1]: "--internal" in command
        for command in told(run_script(stack), VALUES, folder=FOLDER)
        if command[1:3] == ["network", "create"]
    }
    units = {
        name.removesuffix(".network"): ("Internal", "true") in unit(text)["Network"]
        for name, text in unit_files(stack).items()
        if name.endswith(".network")
    }
    wanted = {network_name(stack, one.name): one.internal for one in stack.networks}
    assert created == units == wanted


@pytest.mark.parametrize("stack", ALL)
def test_the_door_is_stopped_first_and_each_has_its_whole_time(stack: Stack) -> None:
    known = stop_script(stack).replace("container inspect", "inspect")
    stops = [command for command in told(known, VALUES) if command[1] == "stop"]
    assert [(command[3], command[4]) for command in stops] == [
        (str(one.stop_grace_s), f"{stack.project}-{one.name}-1") for one in reversed(stack.services)
    ]
