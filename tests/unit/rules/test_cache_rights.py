# SPDX-License-Identifier: Apache-2.0
"""Is it known beforehand which folders of a cache a server cannot write?

What images below 0.11.0 do is proven by tests/integration/test_contract_caches.py.
"""

from __future__ import annotations

import pytest

from ttctl.rules.cache_rights import SERVERS, Folder, group_writes, user_writes

FRESH, KEPT = 0o777, 0o2775
"""Permissions of a cache that no server has used yet, and of one that an image has shared."""


def of(uid: int, gid: int, mode: int) -> Folder:
    return Folder(uid=uid, gid=gid, mode=mode)


@pytest.mark.parametrize(
    ("folder", "fresh", "kept"),
    [
        pytest.param(of(1234, 1234, 0o777), True, True, id="as ttctl makes it"),
        pytest.param(of(1234, 1234, 0o755), True, False, id="of the cache's group"),
        pytest.param(of(1234, 1234, 0o775), True, True, id="which may write"),
        pytest.param(of(0, 0, 0o755), False, False, id="made under sudo"),
        pytest.param(of(4321, 4321, 0o777), False, True, id="everybody's, of another user"),
        pytest.param(of(SERVERS[0], SERVERS[0], 0o700), True, True, id="the server's own"),
        pytest.param(of(SERVERS[1], SERVERS[1], 0o700), True, True, id="its other number"),
    ],
)
def test_a_folder_of_a_cache_that_is_shared_by_a_group(
    folder: Folder, *, fresh: bool, kept: bool
) -> None:
    assert group_writes(folder, of(1234, 1234, FRESH)) is fresh
    assert group_writes(folder, of(1234, 1234, KEPT)) is kept


def test_a_server_of_a_known_number_writes_what_is_its_own_or_everybodys() -> None:
    assert user_writes(of(1000, 1000, 0o700), 1000)
    assert user_writes(of(0, 0, 0o777), 1000)
    assert not user_writes(of(0, 1000, 0o775), 1000)
