# SPDX-License-Identifier: Apache-2.0
"""The containers are held in as the plan says, as seen by the engine and from inside."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

import pytest
from tests.e2e.docker_bench import excepted, failing
from tests.e2e.driver import Stack, docker
from tests.e2e.held_in import CHECKS, inside

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.e2e.driver import Json

pytestmark = pytest.mark.docker

SERVICES = ["vllm", "gateway"]


@pytest.fixture(params=SERVICES)
def container(stack: Stack, request: pytest.FixtureRequest) -> Json:
    """Return what the engine knows of one service's container."""
    return stack.inspect()[request.param]


def reaches(container: Json, address: str, port: int) -> bool:
    opens = f"exec 3<>/dev/tcp/{address}/{port} && echo open"
    return "open" in inside(container, "timeout", "3", "bash", "-c", opens).stdout


@pytest.mark.parametrize("check", CHECKS)
def test_a_container_is_held_in(container: Json, check: Callable[[Json], None]) -> None:
    check(container)


def test_the_checks_of_docker_bench_fail_for_the_written_exceptions_alone(container: Json) -> None:
    service = container["Config"]["Labels"]["dev.ttctl.service"]
    assert failing(container).keys() == excepted(service)


def test_a_container_has_its_whole_grace_time_and_a_patient_health_check(container: Json) -> None:
    assert container["Config"]["StopTimeout"] == 120
    seconds = container["Config"]["Healthcheck"]["StartPeriod"] / 1e9
    assert seconds >= (1800 if "vllm" in container["Name"] else 30)


def test_the_engine_is_not_started_again_by_itself(stack: Stack) -> None:
    containers = stack.inspect()
    assert containers["vllm"]["HostConfig"]["RestartPolicy"]["Name"] == "no"
    assert containers["gateway"]["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"


def test_the_compose_file_says_the_grace_time(stack: Stack) -> None:
    read = docker("compose", "--project-directory", str(stack.folder), "config", "--format=json")
    services = json.loads(read)["services"]
    assert sorted(services) == sorted(SERVICES)
    assert {one["stop_grace_period"] for one in services.values()} == {"2m0s"}


def test_only_the_gateway_publishes_a_port(stack: Stack) -> None:
    containers = stack.inspect()
    assert not containers["vllm"]["HostConfig"]["PortBindings"]
    bindings = containers["gateway"]["HostConfig"]["PortBindings"]
    assert bindings == {"8080/tcp": [{"HostIp": "127.0.0.1", "HostPort": str(stack.port)}]}


def test_the_engines_network_leads_nowhere(stack: Stack) -> None:
    engine = stack.inspect()["vllm"]
    (network,) = engine["NetworkSettings"]["Networks"]
    assert json.loads(docker("network", "inspect", network))[0]["Internal"] is True
    lookup = "import socket; socket.getaddrinfo('example.org', 443)"
    assert "gaierror" in inside(engine, "timeout", "30", "python", "-c", lookup).stderr
    assert not reaches(engine, "1.1.1.1", 53)


def test_the_engine_cannot_reach_this_host_through_a_bridge(stack: Stack) -> None:
    engine = stack.inspect()["vllm"]
    (own,) = engine["NetworkSettings"]["Networks"]
    bridges = {
        config["Gateway"]
        for network in (own, "bridge")
        for config in json.loads(docker("network", "inspect", network))[0]["IPAM"]["Config"]
        if "Gateway" in config
    }
    assert bridges
    with socket.create_server(("", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            """It listens on every address of this host."""
        for address in bridges:
            assert not reaches(engine, address, port), address


def test_the_engine_cannot_use_the_network_that_the_gateway_listens_in(stack: Stack) -> None:
    containers = stack.inspect()
    networks = containers["gateway"]["NetworkSettings"]["Networks"]
    (front,) = [one["IPAddress"] for name, one in networks.items() if name.endswith("_front")]
    with socket.create_connection((front, 8080), timeout=5):
        """This machine reaches it there."""
    assert not reaches(containers["vllm"], front, 8080)


def test_the_gateway_holds_a_hash_and_not_the_key(stack: Stack) -> None:
    keys = inside(stack.inspect()["gateway"], "cat", "/run/secrets/gateway/keys.map").stdout
    assert stack.key not in keys
    assert len(keys.split()[0]) == 64


def test_labels_say_whose_containers_these_are(container: Json, stack: Stack) -> None:
    labels = container["Config"]["Labels"]
    assert labels["dev.ttctl.stack"] == stack.name
    assert labels["dev.ttctl.owner"]
    assert labels["dev.ttctl.config-hash"]
