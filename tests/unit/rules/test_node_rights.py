# SPDX-License-Identifier: Apache-2.0
"""Is a node's mode held against who opens it inside of the container, group by group?"""

from __future__ import annotations

import pytest

from ttctl.model.health import NodeVitals
from ttctl.rules.fit_host import of_rights
from ttctl.rules.node_rights import groups_to_add, opener_of, refused_nodes

NODE = "/dev/tenstorrent/0"
USUAL = ("vllm-current", "media", "media-cpp", "forge", "own")
DROPPING = ("vllm-legacy", "multihost")


def node(mode: int, *, uid: int = 0, gid: int = 985) -> NodeVitals:
    return NodeVitals(node=NODE, mode=mode, uid=uid, gid=gid)


OPEN = ("ok", ())
CLOSED = ("blocked", ())
BY_GROUP = ("ok", ("985",))

TABLE = [
    # (mode, group is the user's own, kept groups, dropped groups)
    pytest.param(0o666, False, OPEN, OPEN, id="0666"),
    pytest.param(0o666, True, OPEN, OPEN, id="0666, own group"),
    pytest.param(0o660, False, BY_GROUP, CLOSED, id="0660"),
    pytest.param(0o660, True, OPEN, CLOSED, id="0660, own group"),
    pytest.param(0o600, False, CLOSED, CLOSED, id="0600"),
    pytest.param(0o600, True, CLOSED, CLOSED, id="0600, own group"),
    pytest.param(0o640, False, CLOSED, CLOSED, id="0640: reading alone does not do"),
    pytest.param(0o606, True, CLOSED, OPEN, id="0606: the own group is kept out"),
]


def said(one: NodeVitals, contract: str) -> tuple[str, tuple[str, ...]]:
    who = opener_of(contract)
    found = of_rights([NODE], [one], who)
    return (found[0].verdict if found else "ok", groups_to_add([one], who))


@pytest.mark.parametrize(("mode", "member", "kept", "dropped"), TABLE)
@pytest.mark.parametrize("contract", [*USUAL, *DROPPING])
def test_a_group_is_added_where_it_opens_the_node_and_the_image_keeps_it(
    contract: str,
    mode: int,
    *,
    member: bool,
    kept: tuple[str, tuple[str, ...]],
    dropped: tuple[str, tuple[str, ...]],
) -> None:
    one = node(mode, gid=1000 if member else 985)
    assert said(one, contract) == (dropped if contract in DROPPING else kept)


def test_the_owner_of_a_node_opens_it_and_needs_no_group() -> None:
    assert said(node(0o600, uid=1000), "vllm-current") == OPEN
    assert said(node(0o600, uid=1000), "vllm-legacy") == CLOSED
    assert said(node(0o060, uid=1000), "vllm-current") == CLOSED


def test_the_user_of_an_image_of_ours_may_be_another() -> None:
    who = opener_of("own", uid=2001)
    assert refused_nodes([node(0o600, uid=2001)], who) == ()
    assert refused_nodes([node(0o600, uid=1000)], who) != ()


def test_who_loses_the_group_is_told_so_with_what_to_type() -> None:
    (found,) = of_rights([NODE], [node(0o660)], opener_of("vllm-legacy"))
    assert "drops groups" in found.summary
    assert found.next_step.startswith(f"sudo chmod 0666 {NODE}")
    assert "udev-50-tenstorrent.rules" in found.next_step
    (closed,) = of_rights([NODE], [node(0o600)], opener_of("vllm-legacy"))
    assert "drops groups" not in closed.summary


def test_a_group_that_is_added_is_said_and_other_nodes_do_not_count() -> None:
    who = opener_of("vllm-current")
    (found,) = of_rights([NODE], [node(0o660)], who)
    assert (found.verdict, "985" in found.summary) == ("ok", True)
    assert of_rights(["/dev/tenstorrent/1"], [node(0o600)], who) == []
    (unknown,) = of_rights([NODE], None, who)
    assert unknown.verdict == "unknown"
