# SPDX-License-Identifier: Apache-2.0
"""Is it said what a user's own file opens, and is only what it changes recreated?"""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.rules.stacks import LLAMA

from ttctl.rules.compose import config_hash
from ttctl.rules.override import laid_over, override_of


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
    "body",
    [
        {"environment": {"A": "1"}, "mem_limit": "1g"},
        {"privileged": False, "cap_add": ["SYS_NICE"]},
        {"devices": ["/dev/tenstorrent/3:/dev/tenstorrent/3"], "volumes": ["./a:/a", "data:/b"]},
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
