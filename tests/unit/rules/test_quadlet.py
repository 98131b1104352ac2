# SPDX-License-Identifier: Apache-2.0
"""Do the units say what only units can: the time to start and end, where nodes come from?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.stacks import CARD, DEMO, ENGINE, HOST_IPC, LLAMA, MADE

from tools.said_units import unit
from ttctl.errors import BadFileError
from ttctl.rules.quadlet import image_name, unit_files

if TYPE_CHECKING:
    from ttctl.model.service import ServiceSpec, Stack

ALL = [pytest.param(stack, id=name) for name, stack in MADE.items()]


def section(stack: Stack, service: ServiceSpec, name: str) -> list[tuple[str, str]]:
    """Return a section of a service's unit."""
    return unit(unit_files(stack)[f"{stack.project}-{service.name}.container"])[name]


@pytest.mark.parametrize("stack", ALL)
def test_systemd_waits_longer_than_the_container_may_take_to_end(stack: Stack) -> None:
    for service in stack.services:
        lines = dict(section(stack, service, "Service"))
        assert int(lines["TimeoutStopSec"]) > service.stop_grace_s >= 120
        assert int(lines["TimeoutStartSec"]) >= service.health.start_period_s
        assert lines["Restart"] == ("always" if service.restart == "unless-stopped" else "no")


def test_nothing_starts_at_boot_and_no_device_service_by_itself() -> None:
    for name, text in unit_files(CARD).items():
        assert "Install" not in unit(text), name
    assert ("Restart", "no") in section(CARD, ENGINE, "Service")


def test_nodes_come_from_the_env_file_at_the_start_and_a_missing_one_ends_it() -> None:
    container = section(CARD, ENGINE, "Container")
    assert [value for key, value in container if key == "AddDevice"] == [
        "${TTCTL_NODE_0}",
        "${TTCTL_NODE_1}",
    ]
    lines = section(CARD, ENGINE, "Service")
    assert ("EnvironmentFile", "%E/containers/systemd/ttctl-with-cards/.env") in lines
    assert ("ExecStartPre", '/usr/bin/test -n "${TTCTL_NODE_1}"') in lines


def test_a_port_is_never_published_on_every_address_for_want_of_a_value() -> None:
    lines = section(LLAMA, LLAMA.services[1], "Service")
    assert lines.index(("Environment", "TTCTL_BIND=127.0.0.1")) < [one for one, _ in lines].index(
        "EnvironmentFile"
    )
    assert ("ExecStartPre", '/usr/bin/test -n "${TTCTL_BIND}"') in lines


def test_no_size_of_shared_memory_is_given_for_the_hosts_own() -> None:
    keys = [key for key, _ in section(HOST_IPC, HOST_IPC.services[0], "Container")]
    assert "ShmSize" not in keys
    assert "ShmSize" in [key for key, _ in section(CARD, ENGINE, "Container")]


def test_the_signs_of_systemd_are_doubled() -> None:
    words = ("50%", "$HOME", "${HOME}", "%n", "a b", "\u2028", '"')
    stack = replace(DEMO, services=(replace(DEMO.services[0], command=words),))
    lines = dict(section(stack, stack.services[0], "Container"))
    assert lines["Exec"] == '50%% $$HOME $${HOME} %%n "a b" "\\U00002028" "\\""'


@pytest.mark.parametrize("word", ["", ";"])
def test_an_argument_that_would_be_dropped_is_refused(word: str) -> None:
    stack = replace(DEMO, services=(replace(DEMO.services[0], command=("a", word, "b")),))
    with pytest.raises(BadFileError, match="A quadlet cannot pass the argument"):
        unit_files(stack)


@pytest.mark.parametrize(
    ("reference", "whole"),
    [
        ("one", "docker.io/library/one"),
        ("ttctl/one:1", "docker.io/ttctl/one:1"),
        ("localhost/one", "localhost/one"),
        ("r.example/a", "r.example/a"),
        ("r:5000/a/b:1", "r:5000/a/b:1"),
    ],
)
def test_a_short_name_of_an_image_is_dockers(reference: str, whole: str) -> None:
    assert image_name(reference) == whole
