# SPDX-License-Identifier: Apache-2.0
"""Stacks to render: those of the catalog's shape, one with cards, and any that can be made."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import strategies as st
from tests.unit.fakes import Scene

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
from ttctl.model.spec import Request
from ttctl.operations.desire import desire


def of(request: Request) -> Stack:
    """Return the stack of a request in a plain scene."""
    return desire(Scene().world, request).stack


LLAMA = of(Request(model="llama"))
DEMO = of(Request(model="demo-llama", port=8123))
HEALTH = HealthCheck(
    test=("CMD-SHELL", 'curl -f "http://127.0.0.1:8000/health" | grep -q "$OK" # 100%'),
    interval_s=5,
    timeout_s=60,
    retries=3,
    start_period_s=6400,
)
ENGINE = ServiceSpec(
    name="vllm",
    image="ghcr.io/acme/vllm-tt-metal:0.10.0-e95ffa5-48eba14",
    command=("--model", "acme/Small-1B", "--override_tt_config", '{"a": "$b", "c": {}}'),
    environment=(
        ("MESH_DEVICE", "N300"),
        ("TT_CACHE_PATH", "/home/container_app_user/cache_root/100% of $it"),
    ),
    mounts=(
        Mount(
            source="${TTCTL_CACHE}/kernels",
            target="/home/container_app_user/cache_root",
            read_only=False,
        ),
        Mount(source="${TTCTL_WEIGHTS:?the folder that holds the weights}", target="/weights"),
        Mount(source="./wrapper", target="/ttctl/wrapper"),
        Mount(source="/dev/hugepages-1G", target="/dev/hugepages-1G", read_only=False),
    ),
    networks=("back",),
    health=HEALTH,
    memory_mib=65536,
    shm_mib=32768,
    pids=4096,
    tmpfs_mib=512,
    restart="no",
    nodes=2,
    scratch=(Scratch(target="/home/container_app_user/.cache", size_mib=2048, executable=True),),
    confinement=Confinement(
        user="0:0",
        read_only=False,
        capabilities=("CHOWN", "SETUID", "SETGID"),
        new_privileges=True,
        ipc="private",
        memlock=True,
        groups=("${TTCTL_GROUP}",),
    ),
)
CARD = replace(
    LLAMA,
    name="with-cards",
    device="n300",
    contract="vllm-legacy",
    boards=("0000:03:00.0", "0123456789abcdef"),
    experimental="nobody tried it: $5 says 100% no",
    services=(ENGINE, *LLAMA.services[1:]),
)
HOST_IPC = replace(
    CARD,
    name="host-ipc",
    contract="vllm-current",
    services=(
        replace(ENGINE, confinement=Confinement(ipc="host", memlock=True, groups=("44", "1001"))),
        *LLAMA.services[1:],
    ),
)
MADE = {"llama": LLAMA, "demo-llama": DEMO, "with-cards": CARD, "host-ipc": HOST_IPC}

_PLAIN = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t")
TEXT = st.text(_PLAIN, max_size=40) | st.sampled_from(
    [one for one in TEXTS if one.isprintable() and len(one) < 5000]
)
WORD = TEXT.filter(lambda text: text not in {"", ";"})
"""What a quadlet can pass on, too."""
NAME = st.from_regex(r"[a-z0-9][a-z0-9-]{0,12}", fullmatch=True)
PATH = st.from_regex(r"(/[A-Za-z0-9][A-Za-z0-9._+@-]{0,9}){1,3}", fullmatch=True).filter(
    lambda path: path != "/tmp"  # noqa: S108 - every container has it
)
SOURCE = (
    st.sampled_from(
        ["./gateway", "${TTCTL_WEIGHTS:?the weights}", "${TTCTL_CACHE}/a b", "${TTCTL_CACHE}"]
    )
    | PATH
)
SMALL = st.integers(min_value=1, max_value=1 << 20)
VARIABLE = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True)


@st.composite
def healths(draw: st.DrawFn) -> HealthCheck:
    """Draw a health check of either kind."""
    test = draw(
        st.tuples(st.just("CMD-SHELL"), WORD)
        | st.lists(WORD, min_size=1, max_size=3).map(lambda words: ("CMD", *words))
    )
    return HealthCheck(
        test=test,
        interval_s=draw(SMALL),
        timeout_s=draw(SMALL),
        retries=draw(SMALL),
        start_period_s=draw(SMALL),
    )


CONFINEMENTS = st.builds(
    Confinement,
    user=st.sampled_from(["1000:1000", "0:0", "15863:15863"]),
    read_only=st.booleans(),
    capabilities=st.lists(st.sampled_from(["CHOWN", "SETUID", "SYS_NICE"]), unique=True).map(tuple),
    new_privileges=st.booleans(),
    ipc=st.sampled_from(["private", "host"]),
    memlock=st.booleans(),
    groups=st.sampled_from([(), ("44",), ("${TTCTL_GROUP}", "7")]),
    host_network=st.booleans(),
    host_processes=st.booleans(),
)
PLACES = st.sampled_from(
    [(), (("NCCL_SOCKET_IFNAME", "${TTCTL_INTERFACE:?the interface}"), ("TWO", "a $$ ${PWD}"))]
)


@st.composite
def services(draw: st.DrawFn, name: str) -> ServiceSpec:
    """Draw a service of any shape that a launch rule may give it."""
    targets = draw(st.lists(PATH, unique=True, max_size=4))
    cut = draw(st.integers(min_value=0, max_value=len(targets)))
    held = draw(CONFINEMENTS)
    networks = draw(st.sampled_from([("back",), ("front",), ("back", "front")]))
    publish = draw(st.none() | st.integers(min_value=1, max_value=65535))
    host_names = draw(st.sampled_from([(), ("vllm",), ("vllm", "media")]))
    return ServiceSpec(
        name=name,
        image=draw(st.sampled_from(["ttctl/one:1", "one", "r.example:5000/a/b@sha256:0", "a.b/c"])),
        entrypoint=tuple(draw(st.lists(WORD, max_size=2))),
        command=tuple(draw(st.lists(WORD, max_size=4))),
        environment=tuple(draw(st.dictionaries(VARIABLE, TEXT, max_size=4)).items()),
        place_environment=draw(PLACES),
        mounts=tuple(
            Mount(source=draw(SOURCE), target=one, read_only=draw(st.booleans()))
            for one in targets[:cut]
        ),
        scratch=tuple(
            Scratch(target=one, size_mib=draw(SMALL), executable=draw(st.booleans()))
            for one in targets[cut:]
        ),
        networks=() if held.host_network else networks,
        host_names=() if held.host_network else host_names,
        publish=None if held.host_network else publish,
        health=draw(healths()),
        memory_mib=draw(SMALL),
        shm_mib=draw(SMALL),
        pids=draw(SMALL),
        tmpfs_mib=draw(SMALL),
        stop_grace_s=draw(st.integers(min_value=120, max_value=900)),
        restart=draw(st.sampled_from(["no", "unless-stopped"])),
        confinement=held,
        nodes=draw(st.integers(min_value=0, max_value=2)),
    )


@st.composite
def stacks(draw: st.DrawFn) -> Stack:
    """Draw a stack."""
    names = draw(st.lists(NAME, min_size=1, max_size=2, unique=True))
    return Stack(
        name=draw(NAME),
        model="m",
        port=8000,
        services=tuple(draw(services(name)) for name in names),
        networks=(Network(name="front", internal=False), Network(name="back", internal=True)),
        experimental=draw(TEXT),
        contract="own",
        boards=draw(st.sampled_from([(), ("0000:03:00.0",), ("a", "b")])),
    )
