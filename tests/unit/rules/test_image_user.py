# SPDX-License-Identifier: Apache-2.0
"""Does an image's own configuration say whose files its server writes, else upstream's release?"""

from __future__ import annotations

import pytest
from tests.unit.rules.launching import contracts

from ttctl.errors import EngineError
from ttctl.rules.confinement import confinement_of, run_as
from ttctl.rules.image_user import config_user, server_uid

IMAGE = "registry.example.org/vllm:0.13.0"


@pytest.mark.parametrize(
    ("user", "found"),
    [
        pytest.param(None, "root", id="none is named"),
        pytest.param("", "root", id="an empty one"),
        pytest.param("0", "root", id="root by its number"),
        pytest.param("0:0", "root", id="root with its group"),
        pytest.param("container_app_user", "container_app_user", id="a name"),
        pytest.param("15863:15863", "15863", id="a number with a group"),
    ],
)
def test_an_image_starts_as_the_user_of_its_configuration(user: str | None, found: str) -> None:
    assert config_user({} if user is None else {"User": user}) == found


@pytest.mark.parametrize(
    ("contract", "user", "uid"),
    [
        pytest.param("vllm-legacy", "", 15863, id="a release up to 0.10 that nobody asked"),
        pytest.param("vllm-legacy", "root", 15863, id="one that starts as root"),
        pytest.param("vllm-current", "", 1000, id="a release from 0.11 that nobody asked"),
        pytest.param("vllm-current", "container_app_user", 1000, id="upstream's name"),
        pytest.param("vllm-current", "15863", 15863, id="a build of another number"),
        pytest.param("media", "root", 1000, id="an entrypoint that ours replaces"),
        pytest.param("media", "2001", 2001, id="a media build of another number"),
        pytest.param("forge", "container_app_user", 1000, id="forge"),
        pytest.param("multihost", "container_app_user", 1000, id="several hosts"),
    ],
)
def test_the_image_decides_whose_files_its_server_writes_and_else_the_release(
    contract: str, user: str, uid: int
) -> None:
    assert server_uid(contracts()[contract], image=IMAGE, user=user) == uid


@pytest.mark.parametrize(
    ("contract", "user"),
    [
        pytest.param("vllm-current", "root", id="root where a user is expected"),
        pytest.param("forge", "root", id="root in forge"),
        pytest.param("vllm-legacy", "container_app_user", id="no root where one has to be"),
        pytest.param("vllm-legacy", "15863", id="a number where root has to be"),
        pytest.param("vllm-current", "somebody", id="a name that nobody knows"),
        pytest.param("vllm-current", "999", id="a number of the system's"),
        pytest.param("vllm-current", "\u0661\u0660\u0660\u0660", id="digits of another script"),
    ],
)
def test_a_user_that_the_contract_does_not_know_is_refused(contract: str, user: str) -> None:
    with pytest.raises(EngineError, match="starts as the user") as caught:
        server_uid(contracts()[contract], image=IMAGE, user=user)
    assert contracts()[contract].users[0][0] in caught.value.evidence
    assert IMAGE in caught.value.next_step


def test_another_user_is_an_exemption_with_its_reason() -> None:
    held = confinement_of(run_as(contracts()["vllm-current"], 15863))
    (said,) = (one for one in held.exemptions if one.what == "user")
    assert (held.user, said.reason) == (
        "15863:15863",
        "the image's own configuration names this user",
    )


def test_what_has_to_start_as_root_does_so_whoever_its_server_becomes() -> None:
    legacy = contracts()["vllm-legacy"]
    assert run_as(legacy, 15863) == legacy
