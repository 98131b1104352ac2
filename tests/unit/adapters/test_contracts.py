# SPDX-License-Identifier: Apache-2.0
"""Is every contract there, held in as little as it needs, and each difference explained?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.contracts import ShippedContracts
from ttctl.errors import BadFileError
from ttctl.model.pins import CONTRACTS
from ttctl.rules.confinement import confinement_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHIPPED = ShippedContracts(places.shipped()).contracts()


def test_there_is_a_table_for_every_contract() -> None:
    assert tuple(SHIPPED) == CONTRACTS


@pytest.mark.parametrize("name", CONTRACTS)
def test_every_difference_has_a_reason_and_a_source(name: str) -> None:
    for one in (*SHIPPED[name].exemptions, *SHIPPED[name].writable):
        assert one.reason, one
        assert one.source, one


LEGACY = ("CHOWN", "FOWNER", "FSETID", "SETGID", "SETUID", "KILL")


@pytest.mark.parametrize(
    ("name", "held"),
    [
        ("vllm-legacy", ("0:0", False, "private", LEGACY)),
        ("vllm-current", ("1000:1000", True, "host", ())),
        ("media", ("1000:1000", True, "host", ())),
        ("media-cpp", ("1000:1000", True, "host", ())),
        ("forge", ("1000:1000", False, "host", ())),
        ("own", ("1000:1000", True, "private", ())),
        ("direct", ("1000:1000", True, "private", ())),
        ("sd", ("1000:1000", True, "private", ())),
    ],
)
def test_a_contract_is_held_in_as_far_as_its_image_allows(
    name: str, held: tuple[str, bool, str, tuple[str, ...]]
) -> None:
    found = confinement_of(SHIPPED[name])
    assert (found.user, found.read_only, found.ipc, found.capabilities) == held
    assert found.memlock
    assert not found.new_privileges


@pytest.mark.parametrize("name", CONTRACTS)
def test_a_device_is_stopped_slowly_and_never_started_again_by_itself(name: str) -> None:
    assert SHIPPED[name].stop_grace_s >= 120
    assert SHIPPED[name].restart == "no"


def test_our_own_images_are_held_but_for_the_card_its_memory_and_one_folder() -> None:
    own = SHIPPED["own"]
    assert [one.what for one in own.exemptions] == ["locked memory", "hugepages", "memory limit"]
    assert [one.target for one in own.writable] == ["/cache"]


@pytest.mark.parametrize("name", ["direct", "sd"])
def test_a_contract_that_is_like_another_says_only_what_differs(name: str) -> None:
    own, found = SHIPPED["own"], SHIPPED[name]
    assert (found.exemptions, found.writable, found.port) == (
        own.exemptions, own.writable, own.port,
    )  # fmt: skip
    assert dict(own.environment).items() < dict(found.environment).items()
    assert "/v1/chat/completions" in own.paths
    assert "/v1/chat/completions" not in found.paths


@pytest.fixture
def damaged(tmp_path: Path) -> Callable[[str, str], ShippedContracts]:
    """Return the reader of a copy in which one text stands in another's place."""

    def changed(old: str, new: str) -> ShippedContracts:
        source = places.shipped() / "compose"
        (tmp_path / "compose" / "launch").mkdir(parents=True)
        text = (source / "contracts.toml").read_text(encoding="utf-8")
        assert old in text
        (tmp_path / "compose" / "contracts.toml").write_text(
            text.replace(old, new, 1), encoding="utf-8"
        )
        for script in (source / "launch").iterdir():
            copy = tmp_path / "compose" / "launch" / script.name
            copy.write_text(script.read_text(encoding="utf-8"), encoding="utf-8")
        return ShippedContracts(tmp_path)

    return changed


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("{cache}/kernels", "{cash}/kernels", "{cash}", id="unknown placeholder"),
        pytest.param("stop_grace_s = 120", "stop_grace_s = 10", "stop_grace_s", id="hasty stop"),
        pytest.param('restart = "no"', 'restart = "always"', "restart", id="restart"),
        pytest.param('what = "user"', 'what = "privileged"', "what", id="unknown exemption"),
        pytest.param("port = 8000", 'port = "8000"', "port", id="text for a number"),
        pytest.param("metal = ", "metall = ", "metall", id="unknown key"),
        pytest.param("[own]", "[owned]", "own", id="missing contract"),
        pytest.param('like = "own"', 'like = "sd"', "sd", id="like one that is like another"),
        pytest.param('script = "server.sh"', 'script = "no.sh"', "no.sh", id="missing script"),
        pytest.param('script = "server.sh"', 'script = "../x.sh"', "script", id="script outside"),
    ],
)
def test_a_damaged_table_is_refused_with_its_key(
    damaged: Callable[[str, str], ShippedContracts], old: str, new: str, said: str
) -> None:
    with pytest.raises(BadFileError) as caught:
        damaged(old, new).contracts()
    assert said in f"{caught.value} {caught.value.evidence}"
    assert caught.value.next_step
