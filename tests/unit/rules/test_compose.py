# SPDX-License-Identifier: Apache-2.0
"""Is every container held in, is only the gateway reachable, and is every change seen?"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from tests.unit.fakes import DEMO_MODEL, HUB_MODEL, RECIPES, Scene

from ttctl.model.container import CONFIG_LABEL
from ttctl.model.service import Card, Confinement, HealthCheck, Mount, Scratch, ServiceSpec, Stack
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.compose import PROXIES, compose_of, config_hash

HEALTH = HealthCheck(test=("CMD", "true"), interval_s=2, timeout_s=3, retries=4, start_period_s=5)
SERVICE = ServiceSpec(
    name="one",
    image="ttctl/one:1",
    networks=("back",),
    health=HEALTH,
    memory_mib=100,
    pids=10,
    tmpfs_mib=16,
    restart="no",
)


def of(request: Request) -> Stack:
    return desire(Scene().world, request).stack


STACKS = [
    pytest.param(of(Request(model="llama")), id="llama"),
    pytest.param(of(Request(model="demo-llama", port=8123)), id="demo-llama"),
]


def services(stack: Stack) -> dict[str, dict[str, Any]]:
    found: Any = compose_of(stack)["services"]
    return dict(found)


@pytest.mark.parametrize("stack", STACKS)
def test_every_service_is_held_in(stack: Stack) -> None:
    for name, body in services(stack).items():
        assert body["read_only"] is True, name
        assert body["cap_drop"] == ["ALL"], name
        assert "cap_add" not in body, name
        assert "privileged" not in body, name
        assert "devices" not in body, name
        assert body["security_opt"] == ["no-new-privileges:true"], name
        assert body["user"] == "1000:1000", name
        assert body["ipc"] == "private", name
        assert 0 < body["pids_limit"] <= 4096, name
        assert body["mem_limit"] == body["memswap_limit"] != "0m", name
        assert body["stop_grace_period"] == "120s", name
        assert body["logging"] == {
            "driver": "json-file",
            "options": {"max-size": "10m", "max-file": "3"},
        }, name
        assert body["healthcheck"]["test"], name
        assert all("nosuid" in one and "size=" in one for one in body["tmpfs"]), name
        assert body["pull_policy"] == "never", name


@pytest.mark.parametrize("stack", STACKS)
def test_every_mount_is_read_only_and_never_made_by_the_engine(stack: Stack) -> None:
    for body in services(stack).values():
        for mount in body["volumes"]:
            assert mount["type"] == "bind"
            assert mount["read_only"] is True
            assert mount["bind"] == {"create_host_path": False}


@pytest.mark.parametrize("stack", STACKS)
def test_only_the_gateway_publishes_and_only_on_loopback(stack: Stack) -> None:
    published = {name: body["ports"] for name, body in services(stack).items() if "ports" in body}
    assert list(published) == ["gateway"]
    (port,) = published["gateway"]
    assert port["host_ip"] == "${TTCTL_BIND:-127.0.0.1}"
    assert all("network_mode" not in body for body in services(stack).values())


@pytest.mark.parametrize("stack", STACKS)
def test_the_engine_reaches_nothing_outside_of_the_stack(stack: Stack) -> None:
    networks: Any = compose_of(stack)["networks"]
    assert services(stack)["vllm"]["networks"] == ["back"]
    assert networks["back"]["internal"] is True
    assert networks["front"]["internal"] is False


@pytest.mark.parametrize("stack", STACKS)
def test_an_engine_never_comes_back_by_itself(stack: Stack) -> None:
    assert services(stack)["vllm"]["restart"] == "no"


def test_a_dollar_in_any_literal_is_doubled() -> None:
    evil = "${HOME}$x"
    service = replace(
        SERVICE,
        image=evil,
        entrypoint=(evil,),
        command=("run", evil),
        environment=(("NAME", evil),),
        health=replace(HEALTH, test=("CMD", evil)),
        mounts=(Mount(source="./x", target=evil),),
    )
    body = services(stack_of_one(service))["one"]
    doubled = "$${HOME}$$x"
    assert body["image"] == doubled
    assert body["entrypoint"] == [doubled]
    assert body["command"] == ["run", doubled]
    assert body["environment"] == {"NAME": doubled} | dict.fromkeys(PROXIES, "")
    assert body["healthcheck"]["test"] == ["CMD", doubled]
    assert body["volumes"][0]["target"] == doubled


def test_a_folder_in_memory_is_its_users_own_where_the_image_has_a_folder_of_that_name() -> None:
    scratch = (Scratch(target="/home/container_app_user/logs", size_mib=1, executable=True),)
    held = Confinement(user="1000:1001")
    body = services(stack_of_one(replace(SERVICE, scratch=scratch, confinement=held)))["one"]
    plain, own = body["tmpfs"]
    assert plain == "/tmp:size=16m,mode=1777,nosuid,nodev"  # noqa: S108 - inside a container
    assert own.partition(":") == (
        scratch[0].target,
        ":",
        "exec,size=1m,mode=1777,nosuid,nodev,uid=1000,gid=1001",
    )


def test_a_container_on_the_hosts_network_and_among_its_processes_says_so() -> None:
    held = Confinement(host_network=True, host_processes=True)
    place = (("ETH", "${TTCTL_INTERFACE:?the interface}"),)
    service = replace(SERVICE, networks=(), confinement=held, place_environment=place)
    body = services(stack_of_one(service))["one"]
    assert (body["network_mode"], body["pid"]) == ("host", "host")
    assert "networks" not in body
    assert body["environment"]["ETH"] == "${TTCTL_INTERFACE:?the interface}"


def test_a_container_finds_the_host_by_the_names_that_it_is_given() -> None:
    body = services(stack_of_one(replace(SERVICE, host_names=("vllm",))))["one"]
    assert body["extra_hosts"] == ["vllm:host-gateway"]


def stack_of_one(service: ServiceSpec, **changes: Any) -> Stack:  # noqa: ANN401
    plain = Stack(name="s", model="m", port=8000, services=(service,), networks=())
    return replace(plain, **changes)


CHANGES: dict[str, Any] = {
    "name": None,
    "image": "ttctl/one:2",
    "entrypoint": ("vllm",),
    "command": ("serve",),
    "environment": (("A", "1"),),
    "place_environment": (("A", "${TTCTL_A:?a}"),),
    "mounts": (Mount(source="./a", target="/a"),),
    "networks": ("front",),
    "host_names": ("vllm",),
    "publish": 8080,
    "health": replace(HEALTH, retries=9),
    "memory_mib": 101,
    "shm_mib": 65,
    "pids": 11,
    "tmpfs_mib": 17,
    "confinement": Confinement(user="0:0"),
    "scratch": (Scratch(target="/cache", size_mib=1),),
    "nodes": 1,
    "first_node": None,
    "card": None,
    "stop_grace_s": 121,
    "restart": "unless-stopped",
    "inputs": (("weights", "0" * 64),),
}


def test_every_field_of_a_service_is_thought_of_here() -> None:
    assert set(CHANGES) == {field.name for field in fields(ServiceSpec)}


def test_a_containers_hash_changes_with_the_boards_and_the_nodes_that_it_opens() -> None:
    engine = replace(SERVICE, nodes=1)
    beside = replace(engine, card=Card(device="n150", contract="own", boards=("b",)))
    found = [engine, replace(engine, first_node=1), beside]
    assert len({config_hash(stack_of_one(one), one) for one in found}) == len(found)


@pytest.mark.parametrize("name", [name for name, value in CHANGES.items() if value is not None])
def test_a_containers_hash_changes_with_each_of_its_settings(name: str) -> None:
    changed = replace(SERVICE, **{name: CHANGES[name]})
    assert config_hash(stack_of_one(changed), changed) != config_hash(
        stack_of_one(SERVICE), SERVICE
    )


@pytest.mark.parametrize(
    ("service", "changes"),
    [
        pytest.param(SERVICE, {"port": 8001}, id="the port of a stack, for what does not publish"),
        pytest.param(SERVICE, {"model": "other"}, id="the model's name"),
        pytest.param(
            SERVICE, {"services": (SERVICE, replace(SERVICE, name="two"))}, id="another service"
        ),
    ],
)
def test_a_containers_hash_does_not_change_with_what_is_not_its_own(
    service: ServiceSpec, changes: dict[str, Any]
) -> None:
    before = config_hash(stack_of_one(service), service)
    assert config_hash(stack_of_one(service, **changes), service) == before


def test_the_hash_of_what_publishes_changes_with_the_port() -> None:
    door = replace(SERVICE, publish=8080)
    before = config_hash(stack_of_one(door), door)
    assert config_hash(stack_of_one(door, port=8001), door) != before


def test_each_container_carries_its_hash() -> None:
    stack = stack_of_one(SERVICE)
    assert services(stack)["one"]["labels"][CONFIG_LABEL] == config_hash(stack, SERVICE)


def test_the_memory_limit_is_the_catalogs() -> None:
    for spec in (HUB_MODEL, DEMO_MODEL):
        body = services(of(Request(model=spec.model)))["vllm"]
        assert body["mem_limit"] == f"{spec.memory_mib}m"


def test_the_gateways_hash_changes_with_its_configuration() -> None:
    stack = of(Request(model="llama"))
    gateway = next(service for service in stack.services if service.name == "gateway")
    other = replace(gateway, inputs=(("haproxy.cfg", "0" * 64),))
    assert config_hash(stack, other) != config_hash(stack, gateway)


def test_the_compose_file_reads_back_as_it_is() -> None:
    text = RECIPES.yaml(compose_of(of(Request(model="llama"))))
    assert text.startswith("name: ttctl-llama\n")
