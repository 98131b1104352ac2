# SPDX-License-Identifier: Apache-2.0
"""The image of `sd` is built over a tree of each time, draws in its container, and ends well.

The trees are stand-ins; nothing here was run on a card.
"""

from __future__ import annotations

import base64
import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import pytest
from tests.integration.test_recipes import Workshop, _workshop, labels, run
from tests.standins.diffusion_trees import index_of
from tests.standins.metal_tools import metal_tools
from tests.standins.place import real_place
from tests.standins.traces import docker
from tests.unit.images.sd.test_png import read

from ttctl.errors import BuildError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.image import ImageSpec

pytestmark = pytest.mark.docker

ASK = """\
import json, sys, urllib.error, urllib.request
path, *body = sys.argv[1:]
data = body[0].encode() if body else None
try:
    with urllib.request.urlopen(f"http://127.0.0.1:8000{path}", data, timeout=60) as answer:
        print(answer.read().decode())
except urllib.error.HTTPError as error:
    print(error.read().decode())
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder, world = tmp_path_factory.mktemp("mirror"), real_place()
    with metal_tools() as tools:
        yield from _workshop(folder, world, tools)


def ask(container: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - as it came
    words = [] if body is None else [json.dumps(body)]
    return json.loads(docker("exec", container, "python", "-c", ASK, path, *words))


class Started:
    """A container of the image, held in as a service is."""

    def __init__(self, image: ImageSpec, weights: Path, device: str) -> None:
        self.name = docker(
            "run", "--detach", "--network=none", "--read-only", "--user=1000:1000", "--init",
            "--cap-drop=ALL", "--security-opt=no-new-privileges:true", "--tmpfs=/tmp:mode=1777",
            f"--volume={weights}:/models/w:ro", f"--env=MESH_DEVICE={device}", image.reference,
            "--weights", "/models/w", "--name", "acme/w", "--port", "8000",
        ).strip()  # fmt: skip

    def __enter__(self) -> Self:
        end = time.monotonic() + 60
        while not self.is_ready():
            assert time.monotonic() < end, docker("logs", self.name)
            time.sleep(0.2)
        return self

    def is_ready(self) -> bool:
        try:
            return bool(ask(self.name, "/health") == {"status": "ready"})
        except (AssertionError, ValueError):
            return False

    def __exit__(self, *_: object) -> None:
        subprocess.run(["docker", "rm", "-f", self.name], capture_output=True, check=False)


@pytest.mark.parametrize("era", ["sd-now", "sd-then"])
def test_a_tree_of_each_time_is_built_and_verified(workshop: Workshop, era: str) -> None:
    image = workshop.make(workshop.specs("sd", metal=era))
    said = run(image, entrypoint="/recipe/verify")
    assert said.endswith("verify: ok\n")
    home = "models." if era == "sd-now" else "models.experimental."
    assert said.startswith(f"sd35 {home}tt_dit.pipelines.stable_diffusion_35_large.")
    found = labels(image)
    assert found["dev.ttctl.pin.tt-metal"] == workshop.metal.commits[era]
    assert found["dev.ttctl.derived"] == "true"


LARGE, XL = "StableDiffusion3Pipeline", "StableDiffusionXLPipeline"


@pytest.mark.parametrize(
    ("era", "kind", "device", "opened"),
    [
        pytest.param("sd-now", LARGE, "T3K", "open (2, 4) 32768 25000000", id="large, now"),
        pytest.param("sd-then", LARGE, "TG", "open (4, 8) 32768 25000000", id="large, then"),
        pytest.param("sd-now", XL, "N150", "open (1, 1) 30000 34000000", id="xl"),
    ],
)
def test_it_draws_in_its_container_and_gives_the_mesh_back(
    workshop: Workshop, tmp_path: Path, *, era: str, kind: str, device: str, opened: str
) -> None:
    image = workshop.make(workshop.specs("sd", metal=era))
    (tmp_path / "model_index.json").write_text(index_of(kind), encoding="utf-8")
    tmp_path.chmod(0o755)
    with Started(image, tmp_path, device) as started:
        body = {"prompt": "my-secret-prompt", "seed": 9, "steps": 3}
        (found,) = ask(started.name, "/v1/images/generations", body)["data"]
        assert read(base64.b64decode(found["b64_json"])) == (1024, 1024, b"\x09" * 3 * 1024**2)
        refused = ask(started.name, "/v1/images/generations", body | {"size": "512x512"})
        assert refused["error"]["param"] == "size"
        docker("stop", "--time=60", started.name)
        (state,) = json.loads(docker("inspect", started.name))
        logged = subprocess.run(
            ["docker", "logs", started.name], capture_output=True, text=True, check=True
        )
    assert state["State"]["ExitCode"] == 0
    said = logged.stdout.splitlines()
    assert opened in said
    assert any(line.startswith("close ") for line in said)
    assert "my-secret-prompt" not in logged.stdout + logged.stderr


@pytest.mark.parametrize(
    ("era", "says"),
    [
        pytest.param("plain", "it has no Stable Diffusion pipeline", id="none"),
        pytest.param(
            "sd-first",
            "it has no Stable Diffusion pipeline; models/experimental/stable_diffusion_35_large/tt/"
            "fun_pipeline.py is of an earlier time",
            id="too early",
        ),
    ],
)
def test_a_tree_without_the_pipelines_is_refused_with_a_sentence(
    workshop: Workshop, era: str, says: str
) -> None:
    with pytest.raises(BuildError) as caught:
        workshop.make(workshop.specs("sd", metal=era))
    assert caught.value.why == (f"the source tree is not one that the recipe sd builds: {says}")


def test_an_image_whose_environment_lacks_what_a_pipeline_imports_is_not_verified(
    workshop: Workshop,
) -> None:
    image = workshop.make(workshop.specs("sd", metal="sd-now"))
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--user=1000:1000",
         f"--volume={Path(__file__).parents[2] / 'images/sd'}:/recipe:ro",
         "--env=PYTHONPATH=/opt/ttctl-sd", "--workdir=/", "--entrypoint=/recipe/verify",
         image.reference],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "what a pipeline imports is not in tt-metal's environment" in done.stderr
