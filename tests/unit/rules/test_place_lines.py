# SPDX-License-Identifier: Apache-2.0
"""Is only the number of a node free in a .env file?"""

from __future__ import annotations

import pytest

from ttctl.rules.dotenv import dotenv_text
from ttctl.rules.place_lines import as_started

NAMES = frozenset({"TTCTL_NODE_0", "TTCTL_NODE_1"})
WANTED = dotenv_text(
    {
        "TTCTL_HUGEPAGES": "/dev/hugepages-1G",
        "TTCTL_PORT": "8000",
        "TTCTL_NODE_0": "/dev/tenstorrent/0:/dev/tenstorrent/0",
        "TTCTL_NODE_1": "/dev/tenstorrent/1:/dev/tenstorrent/1",
    }
)


def env(first: str, second: str, pages: str = "/dev/hugepages-1G") -> str:
    return dotenv_text(
        {
            "TTCTL_HUGEPAGES": pages,
            "TTCTL_PORT": "8000",
            "TTCTL_NODE_0": first,
            "TTCTL_NODE_1": second,
        }
    )


def node(number: int, root: str = "") -> str:
    return f"{root}/dev/tenstorrent/{number}:/dev/tenstorrent/{number}"


@pytest.mark.parametrize(
    ("found", "sound"),
    [
        pytest.param(WANTED, True, id="no board was chosen yet"),
        pytest.param(env(node(12), node(3)), True, id="other numbers"),
        pytest.param(env(node(2, "/r"), node(3, "/r"), "/r/dev/hugepages-1G"), True, id="a root"),
        pytest.param(env(node(2, "/r"), node(3)), False, id="two roots"),
        pytest.param(env(node(2), node(3), "/r/dev/hugepages-1G"), False, id="pages elsewhere"),
        pytest.param(env(node(3), node(3)), False, id="one node twice"),
        pytest.param(env("/dev/tenstorrent/2:/dev/tenstorrent/3", node(3)), False, id="two sides"),
        pytest.param(env("/dev/tenstorrent/02:/dev/tenstorrent/02", node(3)), False, id="a zero"),
        pytest.param(env("/dev/null:/dev/null", node(3)), False, id="no node"),
        pytest.param(WANTED + "TTCTL_NODE_2='" + node(2) + "'\n", False, id="one more"),
        pytest.param(WANTED + "TTCTL_NODE_1='" + node(1) + "'\n", False, id="a line twice"),
        pytest.param(WANTED.replace("NODE_1", "NODE_2"), False, id="another name"),
        pytest.param(WANTED.replace("8000", "8001"), False, id="another value"),
        pytest.param("", False, id="empty"),
    ],
)
def test_a_file_is_as_a_start_wrote_it_or_not(found: str, *, sound: bool) -> None:
    assert (as_started(found, WANTED, NAMES) == found) is sound


def test_a_stack_without_nodes_has_no_such_line() -> None:
    plain = dotenv_text({"TTCTL_PORT": "8000"})
    assert as_started(f"{plain}TTCTL_NODE_0='{node(0)}'\n", plain, ()) == plain
