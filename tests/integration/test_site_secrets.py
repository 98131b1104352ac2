# SPDX-License-Identifier: Apache-2.0
"""What is peculiar to a place is seen by a build, and nothing that the build leaves behind has it.

Every value of the place holds one random word and a letter of its own. The search for that word
finds it where it was put on purpose, so that finding nothing means something.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest
from tests.standins.index import pinned, write_wheel
from tests.standins.place import built
from tests.standins.product_images import product_images
from tests.standins.traces import Traces, command_lines, docker, traces_of

from ttctl.cli.session import Flags, Session
from ttctl.rules.images import SITE_SECRETS, site_mounts

if TYPE_CHECKING:
    from ttctl.model.protocols import World

pytestmark = pytest.mark.docker

WORD = f"canary{secrets.token_hex(10)}"
PASSWORDS = {
    name: WORD + letter
    for name, letter in (("proxy", "P"), ("index", "I"), ("apt", "A"), ("git", "G"))
}
PLACES = {name: WORD + letter for name, letter in (("folder", "F"), ("ca", "C"), ("host", "H"))}
NOWHERE = "127.0.0.1:9"
TEMPLATE = """\
FROM {{ parent }} AS build
COPY requirements.txt /requirements.txt
RUN {{ site_mounts }} --mount=type=bind,source=wheelhouse,target=/wheelhouse \\
    (with-site apt-get update || true) \\
    && with-site pip install --no-deps --require-hashes --find-links /wheelhouse --target /made \
--requirement /requirements.txt

FROM {{ parent }}
COPY --from=build /made /made
RUN {{ site_mounts }} {{ git_mount }} \\
    with-site sha256sum /run/secrets/* /etc/gitconfig > /seen \\
    && with-site sh -c 'test -n "$https_proxy"'
"""


@pytest.fixture
def requirements(tmp_path: Path) -> str:
    """Return the requirements of the image; the wheel lies in a folder that nobody may learn."""
    folder = tmp_path / PLACES["folder"]
    write_wheel(folder, "unwanted", f"PLACE = {PLACES['folder']!r}\n")
    wheel = write_wheel(folder, "wanted", f"MADE = {secrets.token_hex(8)!r}\n")
    return pinned(wheel)


@pytest.fixture
def world(tmp_path: Path, requirements: str, monkeypatch: pytest.MonkeyPatch) -> World:
    """Wire the product in a place whose every setting holds the word."""
    product_images()
    assert requirements, "the wheelhouse is there before the place is looked at"
    ca = tmp_path / "ca.pem"
    ca.write_text(f"# {PLACES['ca']}\n" + Path(certifi.where()).read_text())
    proxy = f"http://user:{PASSWORDS['proxy']}@{NOWHERE}"
    index = f"https://user:{PASSWORDS['index']}@{NOWHERE}"
    deb = f"deb http://user:{PASSWORDS['apt']}@{NOWHERE}/{PLACES['host']} bookworm main"
    place = {
        **dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), proxy),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), f"{PLACES['host']}.example.org"),
        **dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT"), str(ca)),
        "PIP_INDEX_URL": f"{index}/{PLACES['host']}/simple",
        "PIP_EXTRA_INDEX_URL": f"{index}/{PLACES['host']}/more",
        "PIP_TRUSTED_HOST": f"{PLACES['host']}.example.org",
        "PIP_FIND_LINKS": str(tmp_path / PLACES["folder"]),
        "PIP_CONFIG_FILE": "/dev/null",
        "TTCTL_APT_SOURCES": deb,
        "TTCTL_GIT_MIRROR": f"https://user:{PASSWORDS['git']}@{PLACES['host']}.example.org/",
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    return Session(Flags(quiet=True)).world


def secrets_of(world: World) -> dict[str, str]:
    """Return the secrets that a build of this place gets."""
    return dict(world.builder.place_files(()).secrets)


def test_nothing_of_the_place_is_left_of_a_build_that_used_it(
    world: World, requirements: str, tmp_path: Path
) -> None:
    given = secrets_of(world)
    for name, word in (PASSWORDS | PLACES).items():
        header = base64.b64encode(f"user:{word}".encode()).decode("ascii")
        there = [text for text in given.values() if word in text or header in text]
        assert bool(there) != (name == "folder"), name
    with (
        command_lines() as commands,
        built(world, TEMPLATE, parent="torch", requirements=requirements) as image,
    ):
        seen = docker("run", "--rm", "--network=none", "--entrypoint=cat", image, "/seen")
        traces = traces_of(image, WORD)
        kept = docker("run", "--rm", "--network=none", "--entrypoint=ls", image, "/made")
    # The build saw every secret, and took what it needed from the wheelhouse.
    assert sorted(seen.splitlines()) == sorted(
        f"{hashlib.sha256(given[name].encode()).hexdigest()}  "
        + ("/etc/gitconfig" if name == "gitconfig" else f"/run/secrets/{name}")
        for name in SITE_SECRETS
    )
    assert "wanted.py" in kept.split()
    # And nothing of it is left.
    assert traces.found == set()
    assert traces.members > 10
    assert traces.files > 10
    assert any("buildx build" in command for command in commands)
    assert not [command for command in commands if Traces(WORD).holds(command.encode("latin-1"))]
    (log,) = (tmp_path / "state").rglob("*.log")
    text = log.read_text()
    assert "wanted" in text
    assert not [name for name, word in PASSWORDS.items() if word in text]


LEAKS = {
    "plain": "cat /run/secrets/pip.conf > /leak",
    "base64": "base64 -w0 /run/secrets/site.env > /leak",
    "compressed": "gzip -c /run/secrets/ca.pem > /leak",
    "name": 'touch "/$(grep -o "canary[0-9a-f]*C" /run/secrets/ca.pem)"',
}


@pytest.mark.parametrize("leak", LEAKS)
def test_the_search_finds_what_a_careless_recipe_would_leave(world: World, leak: str) -> None:
    # The random comment keeps the engine from taking an earlier run's layer.
    fresh = f"RUN {site_mounts()} : {secrets.token_hex(8)}; {LEAKS[leak]}\n"
    with built(world, "FROM {{ parent }}\n" + fresh, parent="base") as image:
        assert traces_of(image, WORD).found & {"save", "file", "name"}


def test_the_search_finds_a_word_in_the_history_and_in_the_settings(world: World) -> None:
    careless = f"ENV PROXY={PASSWORDS['proxy']}\n"
    with built(world, "FROM {{ parent }}\n" + careless, parent="base") as image:
        assert {"history", "inspect", "save"} <= traces_of(image, WORD).found


def test_a_failed_build_says_no_password(world: World) -> None:
    failing = (
        f"RUN {site_mounts()} : {secrets.token_hex(8)}; with-site apt-get -o Acquire::Retries=0 "
        "install -y no-such-package; with-site apt-get update -o APT::Update::Error-Mode=any\n"
    )
    with pytest.raises(Exception, match="could not be built") as failed:  # noqa: SIM117
        with built(world, "FROM {{ parent }}\n" + failing, parent="base"):
            pass
    said = json.dumps({name: str(value) for name, value in vars(failed.value).items()})
    assert not [name for name, word in PASSWORDS.items() if word in said]
