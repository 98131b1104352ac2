# SPDX-License-Identifier: Apache-2.0
"""Is it said what a user's own file opens, and is only what it changes recreated?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.rules.stacks import CARD, LLAMA

from ttctl.rules.compose import config_hash
from ttctl.rules.override import judged, laid_over, not_carried, override_of


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"privileged": True}, "privileged"),
        ({"privileged": "true"}, "privileged"),
        ({"devices": ["/dev/tenstorrent"]}, "passes /dev/tenstorrent"),
        ({"devices": ["/dev/tenstorrent/:/dev/tenstorrent"]}, "passes /dev/tenstorrent"),
        ({"volumes": ["/dev/tenstorrent:/dev/tenstorrent"]}, "passes /dev/tenstorrent"),
        ({"volumes": [{"type": "bind", "source": "/dev", "target": "/x"}]}, "passes /dev"),
        ({"volumes": ["/:/host"]}, "passes /"),
        ({"volumes": ["/var/run/docker.sock:/x"]}, "passes /var/run/docker.sock"),
        ({"cap_add": ["all"]}, "every capability"),
        ({"network_mode": "host"}, "the host's own network"),
        ({"pid": "host"}, "the host's own pid"),
        ({"ports": ["9000:9000"]}, "on every address: 9000:9000"),
        ({"ports": ["0.0.0.0:1:2"]}, "on every address"),
        ({"ports": [{"target": 1, "published": "9000"}]}, "on every address: 9000"),
    ],
)
def test_what_is_opened_is_told(body: dict[str, object], words: str) -> None:
    found = override_of("/x", {"services": {"vllm": body}})
    (warning,) = found.warnings
    assert words in warning
    assert warning.endswith("(vllm)")


@pytest.mark.parametrize(
    ("key", "entry"),
    [
        ("devices", "/dev/tenstorrent/1:/dev/tenstorrent/1"),
        ("devices", "/dev//tenstorrent/../tenstorrent/1"),
        ("devices", "/srv/tree/dev/tenstorrent/1:/dev/tenstorrent/1:rwm"),
        ("devices", {"source": "/dev/tenstorrent/by-id/x", "target": "/dev/x"}),
        ("devices", "/srv/link:/dev/tenstorrent/1"),
        ("volumes", "/dev/tenstorrent/1:/x"),
        ("volumes", {"type": "bind", "source": "/dev/tenstorrent/1", "target": "/x"}),
    ],
)
def test_a_node_of_a_board_is_told_apart_from_what_is_only_warned_of(
    key: str, entry: object
) -> None:
    found = override_of("/x", {"services": {"other": {key: [entry]}}})
    assert found.nodes == found.warnings
    (said,) = found.nodes
    assert "a node that no lease knows of (other)" in said
    assert found.every_card == ()


@pytest.mark.parametrize(
    "body",
    [
        {"privileged": True},
        {"devices": ["/dev/tenstorrent/"]},
        {"devices": ["/srv/tree/dev/tenstorrent"]},
        {"devices": ["/dev:/dev"]},
        {"devices": ["${CARD}:/dev/x"]},
        {"volumes": ["/dev/tenstorrent:/x"]},
    ],
)
def test_what_may_open_every_card_is_told_apart_too(body: dict[str, object]) -> None:
    found = override_of("/x", {"services": {"vllm": body}})
    assert len(found.every_card) == 1
    assert found.every_card == found.warnings
    assert found.nodes == ()


@pytest.mark.parametrize(
    "body",
    [
        {"environment": {"A": "1"}, "mem_limit": "1g"},
        {"privileged": False, "cap_add": ["SYS_NICE"]},
        {"devices": ["/dev/dri:/dev/dri"], "volumes": ["./a:/a", "data:/b"]},
        {"ports": ["127.0.0.1:9000:9000", {"target": 1, "host_ip": "127.0.0.1"}]},
        None,
        "no mapping",
        {"devices": "x", "ports": {"a": 1}, "privileged": None},
    ],
)
def test_what_opens_nothing_is_let_be(body: object) -> None:
    assert override_of("/x", {"services": {"vllm": body}}).warnings == ()


def test_only_the_services_that_it_names_are_recreated_and_only_when_it_changes() -> None:
    one = override_of("/x", {"services": {"vllm": {"mem_limit": "1g"}}})
    two = override_of("/x", {"services": {"vllm": {"mem_limit": "2g"}}})

    def hashes(stack: object) -> list[str]:
        assert isinstance(stack, type(LLAMA))
        return [config_hash(stack, service) for service in stack.services]

    plain, first, second = (hashes(laid_over(LLAMA, found)) for found in (None, one, two))
    assert len({plain[0], first[0], second[0]}) == 3
    assert plain[1] == first[1] == second[1]
    assert hashes(laid_over(LLAMA, replace(one, warnings=("x",)))) == first
    assert laid_over(LLAMA, None) is LLAMA


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"restart": "always"}, "sets restart: always"),
        ({"restart": "unless-stopped"}, "sets restart: unless-stopped"),
        ({"restart": "on-failure:3"}, "starts in a loop"),
        ({"stop_grace_period": "10s"}, "gives 10 s to stop"),
        ({"stop_grace_period": "1m30s"}, "gives 90 s to stop"),
        ({"stop_grace_period": None}, "gives 10 s to stop"),
        ({"ports": ["127.0.0.1:9000:8000"]}, "publishes a port of the engine"),
    ],
)
def test_what_harms_an_engine_is_told_where_it_has_boards(
    body: dict[str, object], words: str
) -> None:
    found = override_of("/x", {"services": {"vllm": body}})
    assert found.warnings == ()
    told = judged(CARD, found)
    assert told is not None
    (warning,) = told.warnings
    assert words in warning
    assert judged(CARD, told) == told
    on_processor = judged(LLAMA, found)
    assert on_processor is not None
    assert on_processor.warnings == ()


@pytest.mark.parametrize(
    "body",
    [
        {"restart": "no"},
        {"restart": False},
        {"stop_grace_period": "2m"},
        {"stop_grace_period": "120s"},
        {"stop_grace_period": "soon"},
        {"ports": []},
    ],
)
def test_what_does_an_engine_no_harm_is_let_be(body: dict[str, object]) -> None:
    told = judged(CARD, override_of("/x", {"services": {"vllm": body, "gateway": {"ports": [1]}}}))
    assert told is not None
    assert not [one for one in told.warnings if one.endswith("(vllm)")]


def test_what_only_compose_reads_is_named_by_its_keys_and_never_by_what_a_page_would_obey() -> None:
    odd = {"mem_limit": "1g", "`x`\x1b[2J": 1}
    found = override_of("/x", {"services": {"vllm": odd}, "volumes": {"a": {}}, "version": "3"})
    assert not_carried(found) == (
        "vllm: mem_limit, (a key that compose does not know); beside the services: volumes"
    )
    assert not_carried(override_of("/x", {})) == ""
