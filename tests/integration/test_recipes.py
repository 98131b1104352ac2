# SPDX-License-Identifier: Apache-2.0
"""Every recipe builds and verifies a tree of its own time, and refuses those of the others.

The trees are small stand-ins with the entry points of the real ones, from a git mirror of the
test's own; nothing here was compiled for a card.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.standins.diffusion_trees import diffusion_trees
from tests.standins.git_server import git_server, publish
from tests.standins.metal_tools import metal_tools
from tests.standins.place import bridge_address, real_place
from tests.standins.source_trees import (
    OWNER,
    PUBLIC,
    TREES,
    metal,
    publish_trees,
    with_generator,
)
from tests.standins.traces import docker
from tests.unit.fakes import FakeReporter

from ttctl.adapters import places
from ttctl.adapters.builder import BuildxBuilder
from ttctl.adapters.local_source import local_source
from ttctl.adapters.sources import read_sources
from ttctl.errors import BuildError
from ttctl.model.container import UNVALIDATED_LABEL
from ttctl.model.site import Sourced
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.image_check import CHECK_LABEL
from ttctl.rules.images import specs_for
from ttctl.rules.recipe import FROM_SOURCE, PYTHONS
from ttctl.rules.site_files import site_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.standins.source_trees import Repository

    from ttctl.model.image import BaseImage, ImageSpec, LocalSource
    from ttctl.model.protocols import World
    from ttctl.model.site import SiteFiles

pytestmark = pytest.mark.docker

IMAGES = Path(__file__).parents[2] / "images"
GENERATORS = {
    "generator-text": "prefill_forward_text decode_forward_text",
    "generator-plain": "prefill_forward decode_forward",
    "generator-mixed": "prefill_forward_text decode_forward",
}
"""tt-metal with a Generator API, and how it names its two steps."""
GENERATOR = "models/tt_transformers/tt/generator.py"
COMMON = "models/tt_transformers/tt/common.py"


@dataclass
class Workshop:
    """The product's builder at a place with a git mirror, and what it built."""

    world: World
    base: BaseImage
    builder: BuildxBuilder
    metal: Repository
    vllm: Repository
    plugin: Repository
    asked: list[str]
    mirror: Path
    built: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    """What the last chain's builds printed."""

    def specs(
        self,
        image: str,
        *,
        metal: str = "plain",
        vllm: str = "",
        sources: Sequence[LocalSource] = (),
        **values: str,
    ) -> tuple[ImageSpec, ...]:
        recipes = {name: self.world.recipes.recipe(name) for name in self.world.recipes.names()}
        # The plugin's own repository is where its recipe looks; other trees come from the fork's.
        fork = self.plugin if vllm in self.plugin.commits else self.vllm
        given = {
            "tt_metal_repository": self.metal.address,
            "tt_metal_commit": self.metal.commits.get(metal, metal),
            "vllm_repository": fork.address,
            "vllm_commit": fork.commits.get(vllm, vllm),
            "ubuntu_version": "22.04",
            "python_version": PYTHONS["22.04"],
            "uid": "1000",
            **values,
        }
        return specs_for(
            recipes,
            (image,),
            base=self.base,
            render=self.world.recipes.render,
            values=given,
            sources=sources,
        )

    def make(self, specs: tuple[ImageSpec, ...]) -> ImageSpec:
        """Build what of a chain is not here, as the product's plan does; return the last."""
        self.lines = []
        for spec in specs[1:]:
            here = subprocess.run(
                ["docker", "image", "inspect", spec.reference], capture_output=True, check=False
            )
            if here.returncode == 0:
                continue
            reporter = FakeReporter()
            try:
                self.builder.build(spec, reporter)
            finally:
                self.lines += reporter.lines
            self.built.add(spec.reference)
        return specs[-1]


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    folder, world = tmp_path_factory.mktemp("mirror"), real_place()
    with metal_tools() as tools:
        yield from _workshop(folder, world, tools)


def _workshop(folder: Path, world: World, tools: str) -> Iterator[Workshop]:
    umd = publish(folder / OWNER, "tt-umd")
    trees = {name: metal(tools, bake=name == "bake") for name in ("plain", "bake")}
    trees |= diffusion_trees(trees["plain"])
    trees |= {one: with_generator(trees["plain"], one.rpartition("-")[2]) for one in GENERATORS}
    trees["no-step"] = with_generator(trees["plain"], "text") | {
        GENERATOR: "class Generator: pass\n"
    }
    trees["no-loader"] = with_generator(trees["plain"], "text") | {COMMON: ""}
    metal_repository = publish_trees(
        folder,
        "tt-metal",
        trees,
        submodules={"tt_metal/third_party/umd": (f"{PUBLIC}{OWNER}/tt-umd.git", umd)},
    )
    alone = "vllm-standalone-plugin"
    forks = {name: files for name, files in TREES.items() if name != alone}
    address = bridge_address()
    with git_server(folder, address=address) as (port, asked):
        mirror = f"{PUBLIC}=http://{address}:{port}/"
        site = replace(world.site, git_mirror=(Sourced(value=mirror, source="test"),))
        # No wheel of torch's is needed here, and its index may not be in reach.
        shipped = read_sources(places.catalog())
        index = {"torch-cpu": f"http://{address}:{port}/no-index"}

        def files(indexes: Sequence[str]) -> SiteFiles:
            further = tuple(Sourced(value=one, source="test") for one in indexes)
            return site_files(replace(site, pip_extra_index_urls=further))

        made = Workshop(
            world=world,
            base=desire(world, Request(model="demo-llama", name="product-images")).base,
            builder=BuildxBuilder(
                shipped.model_copy(update={"index": index}), files, keep_logs=folder / "log"
            ),
            metal=metal_repository,
            vllm=publish_trees(folder, "vllm", forks),
            plugin=publish_trees(folder, "vllm-tt-plugin", {alone: TREES[alone]}),
            asked=asked,
            mirror=folder,
        )
        yield made
    for reference in sorted(made.built):
        subprocess.run(["docker", "rmi", "-f", reference], capture_output=True, check=False)


def run(image: ImageSpec, *words: str, user: int = 1000, entrypoint: str) -> str:
    return docker(
        "run", "--rm", "--network=none", "--read-only", f"--user={user}:{user}", "--cap-drop=ALL",
        "--security-opt=no-new-privileges:true", "--tmpfs=/tmp:mode=1777",
        f"--volume={IMAGES / image.name}:/recipe:ro", f"--entrypoint={entrypoint}",
        image.reference, *words,
    )  # fmt: skip


def labels(image: ImageSpec) -> dict[str, str]:
    (found,) = json.loads(docker("image", "inspect", image.reference))
    config: dict[str, str] = found["Config"]["Labels"]
    return config


@pytest.mark.parametrize("era", ["plain", "bake"])
def test_tt_metal_is_compiled_in_the_image_that_its_own_tree_makes(
    workshop: Workshop, era: str
) -> None:
    specs = workshop.specs("tt-metal", metal=era)
    image = workshop.make(specs)
    made_by = run(specs[1], "/made-by", entrypoint="/bin/cat")
    assert made_by == f"{era} 22.04\n"
    assert labels(specs[1])["dev.ttctl.fingerprint"] == specs[1].fingerprint
    assert run(image, entrypoint="/recipe/verify").endswith("verify: ok\n")
    assert labels(image)["dev.ttctl.pin.tt-metal"] == workshop.metal.commits[era]
    assert any("compiling tt-metal: tt-umd" in line for line in workshop.lines)


@pytest.mark.parametrize("era", [*FROM_SOURCE, "vllm-first-fork"])
def test_each_recipe_builds_a_tree_of_its_time_and_serves_by_the_tenstorrent_models(
    workshop: Workshop, era: str, tmp_path: Path
) -> None:
    recipe = era.replace("first-", "")
    specs = workshop.specs(recipe, vllm=era)
    image = workshop.make(specs)
    for spec in specs[1:]:
        assert spec.verify
        workshop.builder.check(spec, FakeReporter())
    assert run(image, entrypoint="/recipe/verify").endswith("verify: ok\n")
    found = labels(image)
    source = workshop.plugin if era in workshop.plugin.commits else workshop.vllm
    assert found["org.opencontainers.image.revision"] == source.commits[era]
    assert found["dev.ttctl.pin.tt-metal"] == workshop.metal.commits["plain"]
    key = tmp_path / "key"
    key.write_text("a-secret\n")
    key.chmod(0o444)
    said = docker(
        "run", "--rm", "--network=none", "--read-only", "--tmpfs=/tmp:mode=1777",
        f"--volume={key}:/run/key:ro", "--env=TTCTL_KEY_FILE=/run/key", image.reference,
        "--model", "acme/Small-1B",
    ).splitlines()  # fmt: skip
    assert said[0] == "serving --model acme/Small-1B --middleware ttctl_openai.AsOpenAI"
    assert "TTLlamaForCausalLM" in said[1].split()
    assert said[2] == f"key {len('a-secret')}"


SENTENCES = {
    "vllm-fork": {
        "vllm-fork-plugin": "it has plugins/vllm-tt-plugin, so the platform comes from there",
        "vllm-empty-plugin": "it has no requirements/tt.txt",
        "vllm-standalone-plugin": "it has no requirements/tt.txt",
    },
    "vllm-fork-plugin": {
        "vllm-fork": "it has no plugins/vllm-tt-plugin/pyproject.toml",
        "vllm-empty-plugin": "it has no requirements/tt.txt",
        "vllm-standalone-plugin": "it has no requirements/tt.txt",
    },
    "vllm-empty-plugin": {
        "vllm-fork": "it has no plugins/vllm-tt-plugin/pyproject.toml",
        "vllm-fork-plugin": "its plugins/vllm-tt-plugin has no extra named runtime",
        "vllm-standalone-plugin": "it has no setup.py",
    },
    "vllm-standalone-plugin": {
        "vllm-fork": "it has no docs/install-vllm-tt.sh",
        "vllm-fork-plugin": "it has no docs/install-vllm-tt.sh",
        "vllm-empty-plugin": "it has no docs/install-vllm-tt.sh",
    },
}


@pytest.mark.parametrize(
    ("recipe", "era"), [(recipe, era) for recipe, eras in SENTENCES.items() for era in eras]
)
def test_a_recipe_refuses_a_tree_of_another_time_with_a_sentence(
    workshop: Workshop, recipe: str, era: str
) -> None:
    with pytest.raises(BuildError) as caught:
        workshop.make(workshop.specs(recipe, vllm=era))
    assert caught.value.why == (
        f"the source tree is not one that the recipe {recipe} builds: {SENTENCES[recipe][era]}"
    )


def test_a_tree_that_is_not_tt_metals_is_refused_before_anything_is_built(
    workshop: Workshop,
) -> None:
    commit = workshop.vllm.commits["vllm-fork"]
    address = {"tt_metal_repository": workshop.vllm.address}
    with pytest.raises(BuildError) as caught:
        workshop.make(workshop.specs("tt-metal", metal=commit, **address))
    assert caught.value.why.endswith("builds: it has no dockerfile/Dockerfile")


@pytest.mark.parametrize(
    ("commit", "why"),
    [
        pytest.param("5cbc982", "5cbc982 is no full commit of 40 hex digits", id="short"),
        pytest.param("0" * 40, f"the commit {'0' * 40} cannot be fetched from", id="unknown"),
    ],
)
def test_a_commit_that_is_not_there_is_named(workshop: Workshop, commit: str, why: str) -> None:
    with pytest.raises(BuildError) as caught:
        workshop.make(workshop.specs("vllm-fork", vllm=commit))
    assert caught.value.why.startswith(why)


def test_another_vllm_pin_does_not_build_tt_metal_again(workshop: Workshop) -> None:
    first = workshop.specs("vllm-fork", vllm="vllm-fork")
    workshop.make(first)
    second = workshop.specs("vllm-fork", vllm="vllm-first-fork")
    assert [one.reference for one in first[:-1]] == [one.reference for one in second[:-1]]
    assert first[-1].reference != second[-1].reference
    subprocess.run(["docker", "rmi", "-f", second[-1].reference], capture_output=True, check=False)
    workshop.make(second)
    log = "\n".join(workshop.lines)
    assert "/opt/ttctl/install /opt/vllm" in log
    assert "build-metal" not in log
    assert "compiling tt-metal" not in log


def test_the_user_id_is_the_one_that_was_asked_for(workshop: Workshop) -> None:
    image = workshop.make(workshop.specs("vllm-fork", vllm="vllm-fork", uid="15863"))
    assert run(image, user=15863, entrypoint="/recipe/verify").endswith("verify: ok\n")
    (found,) = json.loads(docker("image", "inspect", image.reference))
    assert found["Config"]["User"] == "15863:15863"
    with pytest.raises(BuildError) as caught:
        workshop.make(workshop.specs("vllm-fork", vllm="vllm-fork", uid="999"))
    assert caught.value.why == "the user id 999 is not one of 1000 to 59999"


def test_a_checkout_of_the_users_is_built_in_place_of_the_commit(
    workshop: Workshop, tmp_path: Path
) -> None:
    mine = publish_trees(tmp_path, "mine", {"vllm-fork": TREES["vllm-fork"]})
    checkout = tmp_path / "checkout"
    subprocess.run(
        ["git", "clone", "--quiet", str(tmp_path / OWNER / "mine.git"), str(checkout)], check=True
    )
    (checkout / "vllm/platforms/tt.py").write_text(
        TREES["vllm-fork"]["vllm/platforms/tt.py"].replace("TTLlama", "TTMine")
    )
    local = local_source("vllm", checkout)
    specs = workshop.specs("vllm-fork", vllm=local.commit, sources=[local])
    image = workshop.make(specs)
    assert mine.commits["vllm-fork"] not in labels(image).values()
    assert labels(image)["dev.ttctl.pin.vllm"] == local.commit
    assert labels(image)[UNVALIDATED_LABEL] == "vllm"
    said = docker("run", "--rm", "--network=none", image.reference, "--model", "x")
    assert "TTMineForCausalLM" in said


@pytest.mark.parametrize("era", FROM_SOURCE)
def test_an_image_that_registers_no_tenstorrent_model_fails_its_verification(
    workshop: Workshop, tmp_path: Path, era: str
) -> None:
    tree = {
        name: text.replace("TTLlamaForCausalLM", "LlamaForCausalLM")
        for name, text in TREES[era].items()
    }
    publish_trees(tmp_path, "mine", {era: tree})
    checkout = tmp_path / "checkout"
    subprocess.run(
        ["git", "clone", "--quiet", str(tmp_path / OWNER / "mine.git"), str(checkout)], check=True
    )
    local = local_source("vllm", checkout)
    image = workshop.make(workshop.specs(era, vllm=local.commit, sources=[local]))
    reporter = FakeReporter()
    with pytest.raises(BuildError) as caught:
        workshop.builder.check(image, reporter)
    assert caught.value.why == "the Tenstorrent models are not known to vLLM"
    assert any("vLLM knows no Tenstorrent model" in line for line in reporter.lines)
    assert docker("image", "ls", "--quiet", image.reference) == ""
    marked = f"--filter=label={CHECK_LABEL}={image.fingerprint}"
    assert docker("ps", "--all", "--quiet", marked) == ""


def test_a_checkout_of_tt_metal_is_built_with_what_its_submodules_hold(
    workshop: Workshop, tmp_path: Path
) -> None:
    mirror = workshop.mirror.as_uri()
    checkout = tmp_path / "checkout"
    mine = ("-c", "protocol.file.allow=always", "-c", f"url.{mirror}/.insteadOf={PUBLIC}")
    for words in (
        (*mine, "clone", "--quiet", "--branch=plain", workshop.metal.address, str(checkout)),
        ("-C", str(checkout), *mine, "submodule", "--quiet", "update", "--init"),
    ):
        subprocess.run(["git", *words], check=True, capture_output=True)
    (checkout / "tt_metal/third_party/umd/README").write_text("my own umd\n")
    local = local_source("tt-metal", checkout)
    image = workshop.make(workshop.specs("tt-metal", metal=local.commit, sources=[local]))
    assert run(image, entrypoint="/recipe/verify").endswith("verify: ok\n")
    assert any("compiling tt-metal: my own umd" in line for line in workshop.lines)
    over = workshop.make(
        workshop.specs("vllm-fork", metal=local.commit, vllm="vllm-fork", sources=[local])
    )
    assert labels(over)[UNVALIDATED_LABEL] == labels(image)[UNVALIDATED_LABEL] == "tt-metal"


def test_a_server_that_would_not_know_the_tenstorrent_models_does_not_start(
    workshop: Workshop,
) -> None:
    image = workshop.make(workshop.specs("vllm-empty-plugin", vllm="vllm-empty-plugin"))
    done = subprocess.run(
        ["docker", "run", "--rm", "--network=none", "--env=VLLM_PLUGINS=tt", image.reference],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "VLLM_PLUGINS hides what serves on a card: tt_model_registry" in done.stderr


@pytest.mark.parametrize("era", GENERATORS)
def test_direct_stands_on_tt_metal_alone_under_either_name_of_its_steps(
    workshop: Workshop, era: str
) -> None:
    image = workshop.make(workshop.specs("direct", metal=era))
    said = run(image, entrypoint="/recipe/verify")
    assert said == f"generator: {GENERATORS[era]}\nverify: ok\n"
    found = labels(image)
    assert found["dev.ttctl.pin.tt-metal"] == workshop.metal.commits[era]
    assert (found["dev.ttctl.recipe"], found["dev.ttctl.derived"]) == ("direct", "true")
    assert "dev.ttctl.pin.vllm" not in found


@pytest.mark.parametrize(
    ("era", "why"),
    [
        ("plain", f"it has no {GENERATOR}"),
        ("no-step", f"its {GENERATOR} has no prefill_forward, and no prefill_forward_text"),
        ("no-loader", f"its {COMMON} has no create_tt_model"),
    ],
)
def test_direct_refuses_a_tt_metal_without_the_generator_api(
    workshop: Workshop, era: str, why: str
) -> None:
    with pytest.raises(BuildError) as caught:
        workshop.make(workshop.specs("direct", metal=era))
    assert caught.value.why == f"the source tree is not one that the recipe direct builds: {why}"
