# SPDX-License-Identifier: Apache-2.0
"""Are an image's layers told with their sizes, of our platform, or not at all?"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import at

from ttctl.adapters.registry_layers import BuildxRegistry
from ttctl.model.prebuilt import Layer
from ttctl.model.site import Site

if TYPE_CHECKING:
    from pathlib import Path

NAMES = tuple(f"sha256:{letter * 64}" for letter in "ab")
IMAGE = f"r.example.org/acme/vllm@sha256:{'1' * 64}"
CHILD = f"sha256:{'2' * 64}"
MANIFEST = {"layers": [{"size": 5}, {"size": 7}]}
CONFIG = {"config": {}, "rootfs": {"diff_ids": list(NAMES)}}
FOUND = (Layer(name=NAMES[0], size_bytes=5), Layer(name=NAMES[1], size_bytes=7))
LIST = {
    "manifests": [
        {"digest": f"sha256:{'3' * 64}", "platform": {"os": "linux", "architecture": "arm64"}},
        {"digest": CHILD, "platform": {"os": "linux", "architecture": "amd64"}},
    ]
}


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    return Programs(tmp_path, monkeypatch)


def answers(programs: Programs, raw: Any, image: Any, child: Any = None) -> None:  # noqa: ANN401
    said = {"raw": json.dumps(raw), "image": json.dumps(image), "child": json.dumps(child)}
    programs.add(
        "docker",
        f"said = {said!r}\n"
        "what = 'image' if '--raw' not in sys.argv else"
        f" 'child' if sys.argv[-1].endswith({CHILD!r}) else 'raw'\n"
        "print(said[what])",
    )


def test_a_layer_has_the_size_of_what_is_sent_and_the_name_that_the_engine_gives_it(
    programs: Programs,
) -> None:
    answers(programs, MANIFEST, CONFIG)
    assert BuildxRegistry().layers(IMAGE, Site()) == FOUND


def test_of_a_list_of_images_ours_is_asked_for_by_its_own_digest(programs: Programs) -> None:
    answers(programs, LIST, {"linux/amd64": CONFIG, "linux/arm64": {}}, MANIFEST)
    assert BuildxRegistry().layers(IMAGE, Site()) == FOUND
    assert f"r.example.org/acme/vllm@{CHILD}" in {call[-1] for call in programs.calls}


@pytest.mark.parametrize(
    ("raw", "image"),
    [
        pytest.param({"layers": [{"size": 5}]}, CONFIG, id="fewer sizes than layers"),
        pytest.param({"layers": [{"size": 5}, {}]}, CONFIG, id="a layer without a size"),
        pytest.param({"layers": [{"size": 5}, {"size": "7"}]}, CONFIG, id="a size that is none"),
        pytest.param({"layers": 3}, CONFIG, id="layers that are none"),
        pytest.param(MANIFEST, {"config": {}}, id="a configuration without layers"),
        pytest.param(MANIFEST, {"rootfs": []}, id="a configuration of another shape"),
        pytest.param(MANIFEST, None, id="no configuration"),
        pytest.param({"manifests": LIST["manifests"][:1]}, CONFIG, id="none for our platform"),
        pytest.param({}, {}, id="nothing"),
    ],
)
def test_what_is_not_told_whole_is_not_told(programs: Programs, raw: object, image: object) -> None:
    answers(programs, raw, image)
    assert BuildxRegistry().layers(IMAGE, Site()) == ()


@pytest.mark.parametrize("site", [Site(), Site(registry=at("mirror.example.org"))])
def test_a_registry_that_refuses_is_left_to_the_pull(programs: Programs, site: Site) -> None:
    programs.add("docker", "print('401 Unauthorized'); sys.exit(1)")
    assert BuildxRegistry().layers(IMAGE, site) == ()
