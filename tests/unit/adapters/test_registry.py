# SPDX-License-Identifier: Apache-2.0
"""Is a registry that lacks an image told from one that nobody reaches?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import at

from ttctl.adapters.registry_layers import BuildxRegistry
from ttctl.errors import BadFileError, PrivilegeError
from ttctl.model.site import Site

if TYPE_CHECKING:
    from pathlib import Path

IMAGE = "r.example.org/acme/vllm:0.9.0-a-b"
DIGEST = f"sha256:{'a' * 64}"


def says(manifest: object, image: object = None) -> str:
    return f"print('WARNING: x'); print({json.dumps({'manifest': manifest, 'image': image})!r})"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def test_an_image_that_is_there_is_pulled_by_its_digest(programs: Programs) -> None:
    programs.add("docker", says({"digest": DIGEST}))
    found = BuildxRegistry().find(IMAGE, Site())
    assert (found.state, found.digest) == ("there", DIGEST)
    assert found.pulled_as == f"r.example.org/acme/vllm@{DIGEST}"


@pytest.mark.parametrize(
    ("image", "user"),
    [
        pytest.param({"config": {"User": "container_app_user"}}, "container_app_user", id="one"),
        pytest.param({"config": {}}, "root", id="one that names none"),
        pytest.param(
            {"linux/arm64": {"config": {}}, "linux/amd64": {"config": {"User": "15863:15863"}}},
            "15863",
            id="of a list, that of our platform",
        ),
        pytest.param({"linux/arm64": {"config": {}}}, "", id="none for our platform"),
        pytest.param(None, "", id="no configuration came along"),
        pytest.param({"config": "x"}, "", id="a configuration that is none"),
    ],
)
def test_whom_an_image_starts_as_is_read_with_its_digest(
    programs: Programs, image: object, user: str
) -> None:
    programs.add("docker", says({"digest": DIGEST}, image))
    found = BuildxRegistry().find(IMAGE, Site())
    assert (found.state, found.user) == ("there", user)
    assert len(programs.calls) == 1


def test_a_mirror_is_asked_in_place_of_the_public_registry(programs: Programs) -> None:
    programs.add("docker", says({"digest": DIGEST}))
    found = BuildxRegistry().find(IMAGE, Site(registry=at("mirror.example.org:5000/hub")))
    assert found.pulled_as == f"mirror.example.org:5000/hub/acme/vllm@{DIGEST}"
    assert programs.calls[0][-1] == "mirror.example.org:5000/hub/acme/vllm:0.9.0-a-b"


@pytest.mark.parametrize(
    ("said", "state", "why"),
    [
        pytest.param("ERROR: r.example.org/acme/vllm: not found", "absent", "no such", id="absent"),
        pytest.param("error: 403 denied: denied", "absent", "no such", id="one that hides it"),
        pytest.param("dial tcp: no route to host", "silent", "no route", id="no network"),
    ],
)
def test_an_image_that_is_not_had_says_why(
    programs: Programs, said: str, state: str, why: str
) -> None:
    programs.add("docker", f"print({said!r}); sys.exit(1)")
    found = BuildxRegistry().find(IMAGE, Site())
    assert (found.state, found.digest) == (state, "")
    assert why in found.why


def test_a_mirror_that_asks_for_a_login_is_told_so(programs: Programs) -> None:
    programs.add("docker", "print('401 Unauthorized'); sys.exit(1)")
    with pytest.raises(PrivilegeError, match=r"mirror\.example\.org"):
        BuildxRegistry().find(IMAGE, Site(registry=at("mirror.example.org")))


def test_an_offline_place_asks_nobody(programs: Programs) -> None:
    programs.add("docker")
    found = BuildxRegistry().find(IMAGE, Site(offline=at("1")))
    assert (found.state, programs.calls) == ("unasked", [])


def test_an_entry_without_an_image_asks_nobody(programs: Programs) -> None:
    programs.add("docker")
    assert BuildxRegistry().find("", Site()).why == "the entry names no prebuilt image"
    assert programs.calls == []


def test_a_mirror_that_is_none_is_refused(programs: Programs) -> None:
    programs.add("docker")
    with pytest.raises(BadFileError, match="'registry'"):
        BuildxRegistry().find(IMAGE, Site(registry=at("https://x y/")))
