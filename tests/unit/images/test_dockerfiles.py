# SPDX-License-Identifier: Apache-2.0
"""Does every Dockerfile pass hadolint, and keep to what the builder of Docker 20.10 knows?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.unit.fakes import RECIPES

from ttctl.rules.images import git_mount, site_mounts
from ttctl.rules.recipe import FROM_SOURCE

COMMIT = "0123456789abcdef0123456789abcdef01234567"
VALUES = {
    "tt_metal_repository": "https://git.example.org/acme/tt-metal.git",
    "tt_metal_commit": COMMIT,
    "vllm_repository": "https://git.example.org/acme/vllm.git",
    "vllm_commit": COMMIT,
    "ubuntu_version": "22.04",
    "python_version": "3.10",
    "uid": "1000",
}
TOO_NEW = re.compile(r"^#\s*syntax=|<<-?['\"]?[A-Z]|--link\b|--from=\w+://", re.MULTILINE)
PIPED = re.compile(r"\b(curl|wget)\b[^|&;\n]*\|\s*(ba|z|da)?sh\b")


def rendered(name: str) -> str:
    one = RECIPES.recipe(name)
    mounts = {"site_mounts": site_mounts(), "git_mount": git_mount()}
    declared = {value: VALUES[value] for value in one.values}
    return RECIPES.render(one, {"parent": "ttctl/x:1", **mounts, **declared})


@pytest.mark.parametrize("name", RECIPES.names())
def test_a_dockerfile_is_clean_and_is_read_by_the_oldest_builder(name: str) -> None:
    text = rendered(name)
    program = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [str(program), "-"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert not TOO_NEW.search(text)


@pytest.mark.parametrize(
    ("name", "caches"),
    [
        pytest.param("tt-metal-base", ("/var/cache/apt",), id="tt-metal-base"),
        pytest.param(
            "tt-metal",
            ("/root/.cache/ccache", "/root/.cache/uv", "/root/.cache/pip"),
            id="tt-metal",
        ),
        *(
            pytest.param(name, ("/root/.cache/uv", "/root/.cache/pip"), id=name)
            for name in FROM_SOURCE
        ),
    ],
)
def test_what_is_fetched_or_compiled_is_kept_beside_the_image(
    name: str, caches: tuple[str, ...]
) -> None:
    steps = re.split(r"^(?=[A-Z]+ )", rendered(name), flags=re.MULTILINE)
    kept = [re.findall(r"--mount=type=cache,target=([^, ]+)", step) for step in steps]
    assert [tuple(sorted(one)) for one in kept if one] == [tuple(sorted(caches))]


@pytest.mark.parametrize("name", RECIPES.names())
def test_nothing_pipes_a_download_into_a_shell(name: str) -> None:
    one = RECIPES.recipe(name)
    for text in (one.template, *(text for _, text, _ in one.files)):
        assert not PIPED.search(text)


@pytest.mark.parametrize("name", RECIPES.names())
def test_every_step_that_uses_the_network_goes_through_the_places_door(name: str) -> None:
    asking = re.compile(
        r"(?<![\w/-])(apt-get (update|install)|pip install|/opt/ttctl/(fetch|inst))"
    )
    for line in RECIPES.recipe(name).template.splitlines():
        for found in asking.finditer(line):
            before = line[: found.start()].rstrip()
            assert before.endswith("with-site") or "/opt/venv/bin" in before, line
