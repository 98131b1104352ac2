# SPDX-License-Identifier: Apache-2.0
"""What is peculiar to a place is seen by a build, and nothing that the build leaves behind has it.

Every value of the place holds one random word and a letter of its own. The search for that word
finds it where it was put on purpose, so that finding nothing means something.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import secrets
import subprocess
import tarfile
import threading
import zipfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING

import certifi
import pytest
from tests.standins.product_images import product_images

from ttctl.cli.console import Console
from ttctl.cli.wiring import wire
from ttctl.model.image import ImageRecipe, ImageSpec
from ttctl.rules.images import SITE_SECRETS, site_mounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ttctl.model.protocols import World

pytestmark = pytest.mark.docker

WORD = f"canary{secrets.token_hex(10)}"
PASSWORDS = {name: WORD + letter for name, letter in (("proxy", "P"), ("index", "I"), ("apt", "A"))}
PLACES = {name: WORD + letter for name, letter in (("folder", "F"), ("ca", "C"), ("host", "H"))}
NOWHERE = "127.0.0.1:9"
PIECE = 4 << 20
SMALL = 64 << 20
"""Layers up to this size are looked into file by file."""

TEMPLATE = """\
FROM {{ parent }} AS build
COPY requirements.txt /requirements.txt
RUN {{ site_mounts }} --mount=type=bind,source=wheelhouse,target=/wheelhouse \\
    (with-site apt-get update || true) \\
    && with-site pip install --no-deps --require-hashes --find-links /wheelhouse --target /made \
--requirement /requirements.txt

FROM {{ parent }}
COPY --from=build /made /made
RUN {{ site_mounts }} \\
    with-site sha256sum /run/secrets/* > /seen && with-site sh -c 'test -n "$https_proxy"'
"""


def forms(word: str) -> tuple[bytes, ...]:
    """Return how a word looks in plain text, in an address and in base64 at each alignment."""
    raw = word.encode()
    percent = "".join(f"%{byte:02x}" for byte in raw)
    # The first and last characters of each alignment depend on what stands around the word.
    shifted = (base64.b64encode(b"\0" * shift + raw)[4:-4] for shift in range(3))
    return (raw, percent.encode(), percent.upper().encode(), *shifted)


FORMS = forms(WORD)
LONGEST = max(map(len, FORMS))


def holds(data: bytes) -> bool:
    """Return whether the word is in `data`, in any form."""
    return any(form in data for form in FORMS)


@dataclass
class Traces:
    """Where the word was found."""

    found: set[str] = field(default_factory=set)
    members: int = 0
    files: int = 0

    def look(self, where: str, data: bytes) -> None:
        if holds(data):
            self.found.add(where)


def docker(*words: str) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def traces_of(image: str) -> Traces:
    """Search everything that the engine would hand on of an image."""
    traces = Traces()
    traces.look("inspect", docker("image", "inspect", image).encode())
    history = docker("history", "--no-trunc", "--format={{json .}}", image)
    traces.look("history", history.encode())
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        with tarfile.open(fileobj=saved.stdout, mode="r|") as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    traces.members += 1
                    _search_member(traces, file, member.size)
    assert saved.returncode == 0
    return traces


def _search_member(traces: Traces, file: IO[bytes], size: int) -> None:
    if size <= SMALL:
        data = file.read()
        traces.look("save", data)
        _search_layer(traces, data)
        return
    rest = b""
    while piece := file.read(PIECE):
        traces.look("save", rest + piece)
        rest = piece[-LONGEST:]


def _search_layer(traces: Traces, data: bytes) -> None:
    """Search the files of a layer, compressed ones as what they hold."""
    with suppress(tarfile.ReadError), tarfile.open(fileobj=io.BytesIO(data)) as layer:
        for member in layer:
            traces.files += 1
            traces.look("name", member.name.encode())
            file = layer.extractfile(member) if member.isfile() else None
            if file is not None:
                traces.look("file", _unpacked(file.read()))


def _unpacked(data: bytes) -> bytes:
    if data.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError):
            return gzip.decompress(data)
    if data.startswith(b"PK\x03\x04"):
        with suppress(zipfile.BadZipFile), zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"".join(archive.read(name) for name in archive.namelist())
    return data


@contextmanager
def command_lines() -> Iterator[set[str]]:
    """Collect the command lines of all processes while the block runs."""
    seen: set[str] = set()
    done = threading.Event()

    def sample() -> None:
        while not done.is_set():
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    seen.add(path.read_bytes().replace(b"\0", b" ").decode("latin-1"))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def write_wheel(folder: Path, name: str, content: str) -> Path:
    """Write a wheel that holds one module."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}.py", content)
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return path


@pytest.fixture
def requirements(tmp_path: Path) -> str:
    """Return the requirements of the image; the wheel lies in a folder that nobody may learn."""
    folder = tmp_path / PLACES["folder"]
    write_wheel(folder, "unwanted", f"PLACE = {PLACES['folder']!r}\n")
    wheel = write_wheel(folder, "wanted", f"MADE = {secrets.token_hex(8)!r}\n")
    return f"wanted==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


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
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    return wire(Console(as_json=False, quiet=True, verbose=False))


@contextmanager
def built(world: World, template: str, *, parent: str, requirements: str = "") -> Iterator[str]:
    """Build an image by the product's own builder; remove it afterwards."""
    recipe = ImageRecipe(
        name="canary", description="", parent=parent, template=template, files=(), wheelhouse=True
    )
    values = {"parent": product_images()[parent], "site_mounts": site_mounts()}
    image = ImageSpec(
        name="canary",
        reference=f"ttctl-test/canary:{secrets.token_hex(4)}",
        fingerprint="0" * 64,
        parent=values["parent"],
        dockerfile=world.recipes.render(recipe, values),
        files=(("requirements.txt", requirements, False),),
        wheelhouse=bool(requirements),
    )
    try:
        world.builder.build(image, world.reporter)
        yield image.reference
    finally:
        subprocess.run(["docker", "rmi", image.reference], capture_output=True, check=False)


def secrets_of(world: World) -> dict[str, str]:
    """Return the secrets that a build of this place gets."""
    return dict(world.builder.place_files(()).secrets)


def test_nothing_of_the_place_is_left_of_a_build_that_used_it(
    world: World, requirements: str, tmp_path: Path
) -> None:
    given = secrets_of(world)
    for name, word in (PASSWORDS | PLACES).items():
        assert any(word in text for text in given.values()) != (name == "folder"), name
    with (
        command_lines() as commands,
        built(world, TEMPLATE, parent="torch", requirements=requirements) as image,
    ):
        seen = docker("run", "--rm", "--network=none", "--entrypoint=cat", image, "/seen")
        traces = traces_of(image)
        kept = docker("run", "--rm", "--network=none", "--entrypoint=ls", image, "/made")
    # The build saw every secret, and took what it needed from the wheelhouse.
    assert sorted(seen.splitlines()) == sorted(
        f"{hashlib.sha256(given[name].encode()).hexdigest()}  /run/secrets/{name}"
        for name in SITE_SECRETS
    )
    assert "wanted.py" in kept.split()
    # And nothing of it is left.
    assert traces.found == set()
    assert traces.members > 10
    assert traces.files > 10
    assert any("buildx build" in command for command in commands)
    assert not [command for command in commands if holds(command.encode("latin-1"))]
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
        assert traces_of(image).found & {"save", "file", "name"}


def test_the_search_finds_a_word_in_the_history_and_in_the_settings(world: World) -> None:
    careless = f"ENV PROXY={PASSWORDS['proxy']}\n"
    with built(world, "FROM {{ parent }}\n" + careless, parent="base") as image:
        assert {"history", "inspect", "save"} <= traces_of(image).found


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
