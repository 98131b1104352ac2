# SPDX-License-Identifier: Apache-2.0
"""Does a build get exactly its files, no secret in its words, and a failure its evidence?"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import FakeReporter

from ttctl.adapters.builder import BuildxBuilder
from ttctl.adapters.sources import BaseEntry, CatalogEntry, Sources
from ttctl.errors import BadFileError, BuildError
from ttctl.model.image import BaseImage, ImageSpec
from ttctl.model.site import Site, SiteFiles, Sourced
from ttctl.rules.images import SITE_SECRETS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SOURCES = Sources(
    schema=1,
    base=BaseEntry(distribution="debian", release="bookworm", image="r.example.org/debian:b"),
    index={"torch-cpu": "https://torch.example.org/whl"},
    catalog=CatalogEntry(
        host="https://raw.example.org/",
        repository="acme/server",
        newest="HEAD",
        tag="refs/tags/v{release}",
        file="new.json",
        older_file="old.json",
        older_below="0.11.0",
    ),
)
IMAGE = ImageSpec(
    name="torch",
    reference="ttctl/torch:1",
    fingerprint="f" * 64,
    parent="ttctl/base:1",
    dockerfile="FROM ttctl/base:1\n",
    files=(("requirements.txt", "torch==2.9.0\n", False), ("bin/run", "#!/bin/sh\n", True)),
    wheelhouse=True,
    index="torch-cpu",
)
SECRET = "http://me:hidden@proxy.example.org"  # noqa: S105 - a stand-in
COPY = """
import shutil
context = sys.argv[-1]
for word in sys.argv:
    if word.startswith("--secret="):
        source = word.partition("src=")[2]
        assert os.path.isfile(source), source
        assert os.stat(source).st_mode & 0o777 == 0o600
assert os.stat(os.path.dirname(source)).st_mode & 0o777 == 0o700
shutil.copytree(context, {seen!r}, dirs_exist_ok=True)
shutil.copytree(os.path.dirname(source), {secrets!r}, dirs_exist_ok=True)
"""


class Place:
    """A place with a proxy, a bundle and maybe wheels."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder = folder
        self.programs = programs
        self.wheels = folder / "wheels"
        self.wheels.mkdir()
        self.indexes: list[Sequence[str]] = []
        self.bundle = folder / "ca.pem"
        self.bundle.write_bytes(b"# caf\xe9\n-----BEGIN CERTIFICATE-----\n")
        programs.add(
            "docker",
            COPY.format(seen=str(folder / "context"), secrets=str(folder / "secrets")),
        )
        self.builder = BuildxBuilder(SOURCES, self.files, keep_logs=folder / "log")

    def files(self, indexes: Sequence[str]) -> SiteFiles:
        self.indexes.append(indexes)
        return SiteFiles(
            secrets=(("site.env", f"http_proxy='{SECRET}'\n"), ("pip.conf", "[global]\n")),
            ca_bundle=str(self.bundle),
            wheelhouses=(str(self.wheels),),
        )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Place(tmp_path, Programs(tmp_path, monkeypatch))


def test_a_build_gets_exactly_its_files_with_their_modes(place: Place) -> None:
    result = place.builder.build(IMAGE, FakeReporter())
    context = place.folder / "context"
    found = {
        path.relative_to(context).as_posix(): (path.stat().st_mode & 0o777, path.read_text())
        for path in context.rglob("*")
        if path.is_file()
    }
    assert found == {
        "Dockerfile": (0o644, "FROM ttctl/base:1\n"),
        "requirements.txt": (0o644, "torch==2.9.0\n"),
        "bin/run": (0o755, "#!/bin/sh\n"),
    }
    assert result.reference == "ttctl/torch:1"


def test_no_secret_is_a_word_of_the_command(place: Place) -> None:
    place.builder.build(IMAGE, FakeReporter())
    (words,) = place.programs.calls
    assert "hidden" not in " ".join(words)
    assert (place.folder / "secrets/site.env").read_text() == f"http_proxy='{SECRET}'\n"
    assert {path.name for path in (place.folder / "secrets").iterdir()} == set(SITE_SECRETS)
    assert (place.folder / "secrets/ca.pem").read_bytes() == place.bundle.read_bytes()


@pytest.mark.parametrize("code", [0, 1])
def test_neither_context_nor_secrets_are_left_behind(place: Place, code: int) -> None:
    place.programs.add("docker", f"sys.exit({code})")
    if code:
        with pytest.raises(BuildError):
            place.builder.build(IMAGE, FakeReporter())
    else:
        place.builder.build(IMAGE, FakeReporter())
    assert not list(place.folder.glob("ttctl-build-*"))


def test_wheels_that_are_here_go_into_the_build_and_no_further_index_is_asked(
    place: Place,
) -> None:
    (place.wheels / "torch").mkdir()
    for name in ("torch-2.9.0-cp311.whl", "torch-2.8.0-cp311.whl", "torch/torch-2.9.0-cp312.whl"):
        (place.wheels / name).write_bytes(b"wheel")
    place.builder.build(IMAGE, FakeReporter())
    wheelhouse = place.folder / "context/wheelhouse"
    assert sorted(path.name for path in wheelhouse.iterdir()) == [
        "torch-2.9.0-cp311.whl",
        "torch-2.9.0-cp312.whl",
    ]
    assert place.indexes[-1] == []


def test_without_wheels_the_further_index_is_asked(place: Place) -> None:
    place.builder.build(IMAGE, FakeReporter())
    assert place.indexes[-1] == ["https://torch.example.org/whl"]
    assert list((place.folder / "context/wheelhouse").iterdir()) == []


@pytest.mark.parametrize(
    ("wheels", "asked"),
    [
        pytest.param(["numpy-2.3.5-cp311.whl"], True, id="only another wheel"),
        pytest.param(["torch-2.9.0-cp311.whl"], True, id="another local version"),
        pytest.param(["torch-2.9.0+cpu-cp311.whl"], False, id="all of the index"),
        pytest.param(["torch-2.9.0%2Bcpu-cp311.whl", "numpy-2.3.5-cp311.whl"], False, id="all"),
    ],
)
def test_the_further_index_is_left_out_only_when_all_that_only_it_has_is_here(
    place: Place, wheels: list[str], *, asked: bool
) -> None:
    text = "numpy==2.3.5 --hash=sha256:0\ntorch==2.9.0+cpu --hash=sha256:1\n"
    image = replace(IMAGE, files=(("requirements.txt", text, False),))
    for name in wheels:
        (place.wheels / name).write_bytes(b"wheel")
    expected = ["https://torch.example.org/whl"] if asked else []
    place.builder.build(image, FakeReporter())
    assert place.indexes[-1] == expected
    place.builder.place_files((image,))
    assert place.indexes[-1] == expected


BUILDX = r"""
print("#1 [internal] load build definition from Dockerfile")
print("#5 [build 1/2] FROM ttctl/base:1")
print("#5 CACHED")
print("#6 [build 2/2] RUN pip install --requirement /requirements.txt")
print("#6 0.512 ERROR: Could not find a version that satisfies the requirement torch==2.9.0")
print("#6 0.513 ERROR: No matching distribution found for torch==2.9.0")
print("#6 ERROR: process \"/bin/sh -c pip\" did not complete successfully: exit code: 1")
print("------")
print("ERROR: failed to solve: process \"/bin/sh -c pip\" did not complete: exit code: 1")
sys.exit(1)
"""


def test_a_build_that_fails_shows_the_lines_that_say_why(place: Place) -> None:
    place.programs.add("docker", BUILDX)
    reporter = FakeReporter()
    with pytest.raises(BuildError, match="'torch' could not be built") as caught:
        place.builder.build(IMAGE, reporter)
    assert caught.value.exit_code == 5
    assert caught.value.why.startswith("failed to solve")
    assert "No matching distribution found for torch==2.9.0" in caught.value.evidence
    assert len(caught.value.evidence.splitlines()) <= 6
    assert caught.value.next_step == f"less {place.folder / 'log'}"
    assert "#6 0.512 ERROR" in "\n".join(reporter.lines)


def test_a_build_tells_real_counts_of_steps(place: Place) -> None:
    lines = [
        "#5 [build 1/3] FROM a",
        "#6 [stage-1 1/2] FROM a",
        "#5 DONE 0.1s",
        "#6 CACHED",
        "#7 [build 2/3] RUN x",
        "#7 DONE 1.0s",
    ]
    place.programs.add("docker", f"print({chr(10).join(lines)!r})")
    reporter = FakeReporter()
    result = place.builder.build(IMAGE, reporter)
    assert reporter.counts == [(1, 5, "steps"), (2, 5, "steps"), (3, 5, "steps")]
    assert not result.cached


@pytest.mark.parametrize(
    ("line", "cached"),
    [("#5 CACHED", True), ("#5 DONE 0.1s", False), ("", False)],
    ids=["all from the cache", "made", "nothing said"],
)
def test_a_build_from_the_cache_is_told(place: Place, line: str, cached: bool) -> None:  # noqa: FBT001
    place.programs.add("docker", f"print('#5 [1/1] FROM a'); print({line!r})")
    assert place.builder.build(IMAGE, FakeReporter()).cached == cached


def test_a_bundle_that_is_gone_is_a_refusal(place: Place) -> None:
    place.bundle.unlink()
    with pytest.raises(BadFileError, match="cannot be used"):
        place.builder.build(IMAGE, FakeReporter())
    with pytest.raises(BadFileError, match="cannot be used") as caught:
        place.builder.place_files((IMAGE,))
    assert "`ca_bundle`" in caught.value.why
    assert place.programs.calls == []


def test_a_base_is_not_obtained_with_a_bundle_that_is_gone(place: Place) -> None:
    site = Site(ca_bundle=Sourced(value="/missing.pem", source="SSL_CERT_FILE"))
    base = BaseImage(origin="registry", reference="a:1", source="b", reason="c")
    with pytest.raises(BadFileError, match="cannot be used"):
        place.builder.obtain_base(base, site, FakeReporter())
    assert place.programs.calls == []


def test_a_build_by_hand_gets_the_secrets_and_the_wheels(place: Place) -> None:
    (place.wheels / "torch-2.9.0-cp311.whl").write_bytes(b"wheel")
    files = place.builder.place_files((IMAGE,))
    texts = dict(files.secrets)
    assert set(texts) == set(SITE_SECRETS)
    assert texts["site.env"] == f"http_proxy='{SECRET}'\n"
    assert texts["sources.list"] == ""
    assert texts["ca.pem"].endswith("-----BEGIN CERTIFICATE-----\n")
    assert files.wheels == (str(place.wheels / "torch-2.9.0-cp311.whl"),)
    assert place.indexes[-1] == []


@pytest.mark.parametrize(
    ("line", "why", "step"),
    [
        pytest.param(
            "SSLError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] unable to get local issuer')",
            "ca_bundle",
            "export TTCTL_CA_BUNDLE=/path/to/ca.pem",
            id="pip does not trust",
        ),
        pytest.param(
            "fatal: unable to access: server certificate verification failed",
            "ca_bundle",
            "export TTCTL_CA_BUNDLE=/path/to/ca.pem",
            id="git does not trust",
        ),
        pytest.param(
            "WARNING: 401 Error, Credentials not correct for https://index.example.org",
            "refuses the name or the password",
            "ttctl config site",
            id="an index refuses",
        ),
        pytest.param(
            "User for index.example.org: ERROR: Exception:",
            "refuses the name or the password",
            "ttctl config site",
            id="an index asks",
        ),
        pytest.param(
            "Tunnel connection failed: 407 Proxy Authentication Required",
            "refuses the name or the password",
            "ttctl config site",
            id="a proxy asks",
        ),
    ],
)
def test_a_build_that_fails_of_the_place_names_what_to_set(
    place: Place, line: str, why: str, step: str
) -> None:
    place.programs.add("docker", f"print({f'#6 0.5 {line}'!r}); sys.exit(1)")
    with pytest.raises(BuildError) as failed:
        place.builder.build(IMAGE, FakeReporter())
    assert why in failed.value.why
    assert failed.value.next_step == step


def test_what_a_build_prints_of_a_login_is_shown_nowhere(place: Place) -> None:
    line = "#6 0.5 ERROR: https://me:canary@index.example.org/simple is broken"
    place.programs.add("docker", f"print({line!r}); print({f'ERROR: {line}'!r}); sys.exit(1)")
    reporter = FakeReporter()
    with pytest.raises(BuildError) as failed:
        place.builder.build(IMAGE, reporter)
    assert "https://***@index.example.org/simple" in failed.value.evidence
    assert "canary" not in repr((vars(failed.value), reporter.lines))


TREE = ImageSpec(
    name="tt-metal-base",
    reference="ttctl/tt-metal-base:1",
    fingerprint="f" * 64,
    parent="ttctl/base:1",
    dockerfile="FROM ttctl/base:1 AS tree\nFROM scratch\nARG UBUNTU_VERSION=22.04\n",
    files=(("source/README", "none\n", False),),
    tree=True,
    takes_source=True,
)
LAY_OUT = """
import pathlib
out = [word for word in sys.argv if word.startswith("--output=")]
if out:
    tree = pathlib.Path(out[0].partition("dest=")[2]) / "dockerfile"
    tree.mkdir(parents=True)
    (tree / {file!r}).touch()
with open({log!r}, "a") as log:
    log.write(" ".join(sys.argv[1:]) + " " + os.environ.get("http_proxy", "") + chr(10))
"""


@pytest.mark.parametrize(
    ("file", "second"),
    [
        pytest.param("Dockerfile", "buildx build", id="a Dockerfile alone"),
        pytest.param("docker-bake.hcl", "buildx bake", id="a bake file"),
    ],
)
def test_a_tree_is_laid_out_and_then_built_by_what_it_holds(
    place: Place, file: str, second: str
) -> None:
    log = place.folder / "asked"
    place.programs.add("docker", LAY_OUT.format(file=file, log=str(log)))
    place.programs.add("env", 'os.execvp("docker", sys.argv[sys.argv.index("docker"):])')
    place.builder.build(TREE, FakeReporter())
    first, then = log.read_text().splitlines()
    assert "--output=type=local" in first
    assert then.startswith(second)
    # The place's proxy is in the environment, where no other user sees it.
    assert then.endswith(SECRET)
    assert SECRET not in then.removesuffix(SECRET)


TELL = """
with open({log!r}, "a") as log:
    log.write(json.dumps(dict(os.environ)) + chr(10))
"""


@pytest.mark.parametrize("image", [IMAGE, TREE], ids=["a recipe", "a tree"])
def test_what_builds_gets_no_token_of_the_callers_environment(
    place: Place, monkeypatch: pytest.MonkeyPatch, image: ImageSpec
) -> None:
    log = place.folder / "environ"
    lay_out = LAY_OUT.format(file="docker-bake.hcl", log=str(place.folder / "asked"))
    place.programs.add("docker", (lay_out if image.tree else "") + TELL.format(log=str(log)))
    place.programs.add("env", 'os.execvp("docker", sys.argv[sys.argv.index("docker"):])')
    monkeypatch.setenv("HF_TOKEN", "hf_0123456789")
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_0123456789")
    monkeypatch.setenv("DOCKER_CONFIG", "/srv/docker")
    place.builder.build(image, FakeReporter())
    for line in log.read_text().splitlines():
        found = json.loads(line)
        assert found["DOCKER_CONFIG"] == "/srv/docker"
        assert {"HF_TOKEN", "GITHUB_TOKEN"}.isdisjoint(found)
