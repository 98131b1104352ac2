# SPDX-License-Identifier: Apache-2.0
"""A step of a build clones from the place's git mirror, by the address of the public host."""

from __future__ import annotations

import secrets
import subprocess
from typing import TYPE_CHECKING

import pytest
from tests.standins.authority import Authority
from tests.standins.git_server import git_server, publish
from tests.standins.place import alone, bridge_address, built, real_place, run, settle
from tests.standins.product_images import product_images
from tests.standins.traces import docker, traces_of

from ttctl.adapters.git import head
from ttctl.errors import BuildError
from ttctl.model.image import ImageSpec
from ttctl.model.site import Site, Sourced
from ttctl.rules.images import site_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.docker

PUBLIC = "https://public.example.com/"
REPOSITORY = f"{PUBLIC}tenstorrent/one.git"
WORD = f"canary{secrets.token_hex(10)}"
CLONE = """\
FROM GIT AS source
RUN {{ site_mounts }} {{ git_mount }} \\
    with-site git clone --quiet --depth=1 REPOSITORY /source \\
    && git -C /source rev-parse HEAD > /commit && : NUMBER

FROM {{ parent }}
COPY --from=source /commit /commit
"""


@pytest.fixture(scope="module")
def with_git() -> Iterator[str]:
    """Return an image with git, made at the real place."""
    base = product_images()["base"]
    reference = f"ttctl-test/git:{secrets.token_hex(4)}"
    recipe = (
        f"FROM {base}\nRUN {site_mounts()} with-site apt-get update"
        " && with-site apt-get install -y --no-install-recommends git\n"
    )
    image = ImageSpec(
        name="git", reference=reference, fingerprint="0", parent=base, dockerfile=recipe, files=()
    )
    world = real_place()
    world.builder.build(image, world.reporter)
    yield reference
    subprocess.run(["docker", "rmi", reference], capture_output=True, check=False)


def fresh(image: str) -> str:
    """Return the recipe with a word of its own: else the engine takes an earlier build's layer."""
    recipe = CLONE.replace("GIT", image, 1).replace("REPOSITORY", REPOSITORY)
    return recipe.replace("NUMBER", secrets.token_hex(8))


def test_a_build_clones_from_the_mirror_with_its_login_and_leaves_no_trace_of_it(
    with_git: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit = publish(tmp_path / "tenstorrent", "one")
    address, authority = bridge_address(), Authority(tmp_path)
    with git_server(
        tmp_path, address=address, tls=authority.server(address), login=f"me:{WORD}"
    ) as (port, asked):
        mirror = f"https://me:{WORD}@{address}:{port}/"
        place = {
            "TTCTL_CA_BUNDLE": str(authority.bundle),
            "TTCTL_GIT_MIRROR": f"{PUBLIC}={mirror}",
        }
        here = settle(monkeypatch, tmp_path, place)
        with built(here, fresh(with_git), parent="base") as image:
            cloned = docker("run", "--rm", "--network=none", "--entrypoint=cat", image, "/commit")
            traces = traces_of(image, WORD)
        assert cloned.strip() == commit
        # What the build clones is what was asked for before it.
        site = Site(
            ca_bundle=Sourced(value=str(authority.bundle), source="test"),
            git_mirror=(Sourced(value=f"{PUBLIC}={mirror}", source="test"),),
        )
        assert head(REPOSITORY, "main", site) == commit
        wrong = {**place, "TTCTL_GIT_MIRROR": f"{PUBLIC}={mirror.replace(WORD, 'wrong')}"}
        there = settle(monkeypatch, tmp_path, wrong)
        with pytest.raises(BuildError) as refused:  # noqa: SIM117
            with built(there, fresh(with_git), parent="base"):
                pass
    assert traces.found == set()
    assert any("git-upload-pack" in one for one in asked)
    assert "refuses the name or the password" in refused.value.why, refused.value.evidence
    logs = "".join(log.read_text() for log in (tmp_path / "state").rglob("*.log"))
    assert WORD not in logs
    # Without the mirror the made-up host leads nowhere.
    nowhere = settle(monkeypatch, tmp_path, {"https_proxy": "http://127.0.0.1:9"})
    with pytest.raises(BuildError):  # noqa: SIM117
        with built(nowhere, fresh(with_git), parent="base"):
            pass


def test_the_hosts_own_mirror_is_found_and_shown_with_its_file_and_without_its_password(
    tmp_path: Path,
) -> None:
    mine = tmp_path / "gitconfig"
    mine.write_text(
        f'[url "https://me:{WORD}@mirror.example.org/"]\n\tinsteadOf = {PUBLIC}\n', encoding="utf-8"
    )
    place = {**alone(tmp_path), "GIT_CONFIG_GLOBAL": str(mine), "GIT_CONFIG_NOSYSTEM": "1"}
    shown = run("config", "site", environ=place).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("git_mirror")]
    assert line.split()[1:] == ["https://***@mirror.example.org/", str(mine)]
    assert WORD not in shown
    other = {**place, "TTCTL_GIT_MIRROR": "https://other.example.org/"}
    shown = run("config", "site", environ=other).stdout
    (line,) = [line for line in shown.splitlines() if line.startswith("git_mirror")]
    assert line.split()[1:] == ["https://other.example.org/", "TTCTL_GIT_MIRROR"]
