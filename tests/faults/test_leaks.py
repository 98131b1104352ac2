# SPDX-License-Identifier: Apache-2.0
"""No secret is anywhere but in the file that holds it, whatever was done and whatever went wrong.

Every secret that a machine can have is a word made up for this run. Then a stack is built, brought
up, killed, asked, broken, reported and ended, and each place that it leaves something in is looked
into for these words; a second test puts them there, and they are found.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import secrets
import signal
import ssl
import subprocess
import sys
import tarfile
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.e2e.driver import Stack, Ttctl, finish, free_port, kill, read_until
from tests.faults.leaks import Search, Watch
from tests.faults.own_engine import until
from tests.faults.page import Mirror, ejected
from tests.standins.place import alone
from tests.standins.product_images import product_images
from tests.standins.web import serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults.conftest import Figure
    from tests.faults.own_engine import OwnEngine

pytest_plugins = ["tests.faults.page_fixture"]
pytestmark = pytest.mark.docker

NOWHERE = "127.0.0.1:9"
LIMIT_S = 300
DEFECT = """\
import os, sys
from ttctl.cli import session
def fail(self):
    raise RuntimeError(" ".join(f"{name}={value}" for name, value in os.environ.items()))
session.Session.world = property(fail)
from ttctl.cli.main import main
main()
"""
"""Break in the middle of a verb, and say everything that this process knows."""


@dataclass
class Kept:
    """A machine full of secrets, the stack on it, and everything that was said."""

    stack: Stack
    folder: Path
    words: dict[str, str]
    said: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        return self.stack.ttctl.stacks / self.stack.name

    @property
    def pair(self) -> Path:
        """The key with the certificate, as the gateway's own user reads it."""
        return self.home / "secrets" / "gateway" / "tls.pem"

    @property
    def certificate(self) -> Path:
        (found,) = (self.home / "secrets").rglob("certificate.pem")
        return found

    def run(self, *words: str, exits: int | None = 0, **environ: str) -> str:
        """Run a verb with all that it says of itself, and keep that; `exits` None is any end."""
        ran = subprocess.run(
            [str(self.stack.ttctl.program), "--debug", "--verbose", *words],
            env={**self.stack.ttctl.environ, **environ}, cwd=self.folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        assert exits in {None, ran.returncode}, ran.stdout + ran.stderr
        return self.keep(" ".join(words), ran.stdout + ran.stderr)

    def keep(self, what: str, text: str) -> str:
        self.said[f"{len(self.said)} {what}"] = text
        return text

    def secret_files(self) -> set[Path]:
        """Return the files that are there to hold a secret."""
        own = {*(self.home / "secrets").rglob("*"), *(self.home / "rendered/site").rglob("*")}
        return {path for path in own if path.is_file()}


def secrets_of(word: str, folder: Path, mirror: str) -> dict[str, str]:
    """Return the variables of a place that has every secret there is; each holds the word."""
    proxy = quote(f"{word}/of a+proxy@", safe="")
    (folder / "docker").mkdir()
    login = base64.b64encode(f"me:{word}-registry".encode()).decode("ascii")
    auths = {"auths": {"registry.example.invalid": {"auth": login}}}
    (folder / "docker" / "config.json").write_text(json.dumps(auths), encoding="utf-8")
    (folder / "hf").mkdir()
    (folder / "hf" / "token").write_text(f"hf_{word}OfAFile\n", encoding="utf-8")
    return {
        **dict.fromkeys(
            ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"),
            f"http://me:{proxy}@{NOWHERE}",
        ),
        **dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost"),
        "DOCKER_CONFIG": str(folder / "docker"),
        "HF_HOME": str(folder / "hf"),
        "HF_TOKEN": f"hf_{word}",
        "OPENAI_API_KEY": f"sk-{word}",
        "MY_PASSWORD": f"{word}-mine",
        "TTCTL_API_KEY": f"{word}-shown",
        "TTCTL_HUB_ENDPOINT": f"https://me:{word}-hub@hub.example.invalid",
        "TTCTL_PIP_INDEX_URL": f"http://me:{word}-index@{mirror}/simple",
        "TTCTL_GIT_MIRROR": f"https://public.example.com/=https://me:{word}-git@git.invalid/",
        "TTCTL_APT_SOURCES": f"deb http://me:{word}-apt@{mirror}/debian bookworm main",
    }


@pytest.fixture
def kept(page_image: Path, engine: OwnEngine, tmp_path: Path) -> Iterator[Kept]:
    """Yield a machine with its secrets, and a stack on it that is not up."""
    engine.docker("load", "--quiet", "--input", str(page_image))
    word = f"canary{secrets.token_hex(10)}"
    (tmp_path / "tmp").mkdir()
    with serving(Mirror) as port:
        place = secrets_of(word, tmp_path, f"127.0.0.1:{port}")
        environ = {**alone(tmp_path), **place, "TMPDIR": str(tmp_path / "tmp")}
        environ |= {"DOCKER_HOST": engine.host, "HOME": str(tmp_path)}
        program = Path(sys.executable).with_name("ttctl")
        stack = Stack(
            ttctl=Ttctl(program=program, home=tmp_path, environ=environ),
            name=f"leaks-{secrets.token_hex(4)}",
            port=free_port(),
            target="demo-llama",
        )
        yield Kept(stack=stack, folder=tmp_path, words={"the place's": word})


def ask(kept: Kept, path: str, body: object = None) -> None:
    """Ask the gateway with the key, and keep the whole answer."""
    known = ssl.create_default_context(cafile=str(kept.certificate))
    where = ("127.0.0.1", kept.stack.port)
    with closing(http.client.HTTPSConnection(*where, timeout=60, context=known)) as asked:
        headers = {"Authorization": f"Bearer {kept.stack.key}", "Content-Type": "application/json"}
        text = None if body is None else json.dumps(body)
        asked.request("GET" if body is None else "POST", path, text, headers)
        answer = asked.getresponse()
        assert answer.status in {200, 404}
        kept.keep(f"answer {path}", f"{answer.headers}{answer.read().decode()}")


def search(kept: Kept, done: Search, *, image: str = "") -> None:
    """Look at everything that is there now."""
    holds = kept.secret_files()
    for what in ("state", "cache", "config", "tmp"):
        if (kept.folder / what).exists():
            done.tree("files", kept.folder / what, but=holds)
    done.containers()
    done.networks()
    for what, text in kept.said.items():
        done.look("output", what, text.encode())
    if image:
        done.image(image)


def strange_variables(kept: Kept, watch: Watch) -> set[tuple[str, str]]:
    """Return (program, variable) of those that hold a secret and are not the caller's own.

    A child of the caller's has the variables that the caller gave it, as they are.
    """
    given = {f"{name}={value}".encode() for name, value in kept.stack.ttctl.environ.items()}
    return {
        (command.replace(b"\0", b" ").decode("latin-1")[:80], one.partition(b"=")[0].decode())
        for command, environ in watch.environs
        for one in environ.split(b"\0")
        if one not in given and any(word.encode() in one for word in kept.words.values())
    }


def check_modes(kept: Kept) -> None:
    """Check that what holds a secret is for this user alone."""
    files = kept.secret_files()
    assert kept.stack.key_file in files
    for path in files:
        assert not kept.home.stat().st_mode & 0o077
        # What a container reads as its own user is open, in a folder that is not.
        assert path.stat().st_mode & 0o777 in {0o400, 0o600, 0o444, 0o644}, path
        holds = any(word.encode() in path.read_bytes() for word in kept.words.values())
        assert not (holds and path.stat().st_mode & 0o077) or path == kept.pair, path


def go_on(kept: Kept, done: Search) -> str:
    """Do what a stack's life has in it, what fails too; return the image that was built."""
    words = kept.stack.words
    page = kept.folder / "page"
    with_page = ejected(kept.stack, page)
    # Killed in the middle, and again from where it was.
    with_page = (*with_page, "--tls", "generated")
    child = kept.stack.start_up(*with_page)
    kept.keep("a killed up", "".join(read_until(child, r"Container \S+ +Creat")))
    kill(child, signal.SIGKILL)
    finish(child)
    kept.run("up", *words, *with_page)
    kept.words["the stack's key"] = done.words["the stack's key"] = kept.stack.key
    made = kept.stack.ttctl.run("--json", "config", "key", "new", "ci", "--stack", kept.stack.name)
    kept.words["a named key"] = done.words["a named key"] = made.data["key"]
    text = kept.pair.read_text(encoding="ascii")
    key = text.partition("PRIVATE KEY-----\n")[2].partition("\n-----END")[0].splitlines()
    # A line in the middle: the first one says the same of every key of its kind.
    kept.words["the certificate's key"] = done.words["the certificate's key"] = key[len(key) // 2]
    check_modes(kept)
    search(kept, done)
    kept.run("chat", "--stack", kept.stack.name, "Hi")
    ask(kept, "/v1/completions", {"model": "demo-llama", "prompt": "Hi", "max_tokens": 4})
    for path in ("/gateway/metrics", "/metrics", "/v1/models"):
        ask(kept, path)
    search(kept, done)
    # Nothing of this is a success.
    kept.run("status", kept.stack.name, exits=5, DOCKER_HOST="unix:///nowhere.sock")
    kept.run("models", "pull", "Qwen/Qwen2.5-0.5B-Instruct", "--device", "cpu", exits=8)
    dockerfile = page / "Dockerfile"
    whole = dockerfile.read_text(encoding="utf-8")
    dockerfile.write_text(f"{whole}RUN env; false\n", encoding="utf-8")
    kept.run("up", *words, *with_page, exits=5)
    dockerfile.write_text(whole, encoding="utf-8")
    search(kept, done)
    broken = subprocess.run(
        [sys.executable, "-c", DEFECT, "--debug", "ps"], env=dict(kept.stack.ttctl.environ),
        cwd=kept.folder, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert "ttctl has a defect" in kept.keep("a defect", broken.stdout + broken.stderr)
    assert "Traceback" in broken.stderr
    for verb in ("status", "ps", "plan", "diff", "history", "logs", "doctor", "connect"):
        named = {"plan": words, "connect": ("env", kept.stack.name), "ps": (), "doctor": ()}
        kept.run(verb, *named.get(verb, (kept.stack.name,)), exits=None)
    kept.run("config", "show", "--all")
    archive = kept.folder / "report.tar.gz"
    kept.run("report", kept.stack.name, "-o", str(archive), "--yes")
    done.look("report", str(archive), archive.read_bytes())
    (image,) = {
        one["Config"]["Image"] for name, one in kept.stack.inspect().items() if name == "chat"
    }
    search(kept, done, image=image)
    return image


def test_no_secret_is_anywhere_but_where_it_belongs(
    kept: Kept, engine: OwnEngine, figure: Figure
) -> None:
    done = Search(kept.words, engine)
    with Watch() as watch:
        go_on(kept, done)
        kept.run("down", kept.stack.name)
        search(kept, done)
    assert strange_variables(kept, watch) == set()
    for command in watch.commands:
        done.look("command line", command.decode("latin-1"), command)
    assert done.found == set()
    assert set(done.looked) >= {
        "files", "output", "report", "command line", "container inspect", "container log",
        "container processes", "network inspect", "image inspect", "image history", "image saved",
    }  # fmt: skip
    figure("leaks", "secrets, places found in", f"{len(kept.words)} words, {len(done.found)}")
    figure("leaks", "bytes looked at", sum(done.looked.values()))
    figure("leaks", "looks at the processes", watch.looks)


WRITINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda word: "".join(f"%{byte:02x}" for byte in word.encode()),
    **{
        f"base64 behind {shift}": lambda word, shift=shift: base64.b64encode(  # type: ignore[misc]
            b"x" * shift + word.encode() + b"yz"
        ).decode("ascii")
        for shift in range(3)
    },
}
CARELESS = """\
FROM {image}
LABEL said="{text}"
RUN echo "{text}" > /tmp/said && : {text}
"""


@pytest.mark.parametrize("writing", WRITINGS)
def test_the_search_finds_a_word_however_it_is_written(engine: OwnEngine, writing: str) -> None:
    word = f"canary{secrets.token_hex(10)}"
    done = Search({"planted": word, "another": word[::-1]}, engine)
    done.look("text", "here", f"before {WRITINGS[writing](word)} behind".encode())
    assert done.found == {("text", "here", "planted")}


def test_the_search_finds_a_word_wherever_it_is_put(engine: OwnEngine, tmp_path: Path) -> None:
    word = f"canary{secrets.token_hex(10)}"
    text = WRITINGS["base64 behind 1"](word)
    done = Search({"planted": word}, engine)
    (tmp_path / "state" / text[:60].replace("/", "_")).mkdir(parents=True)
    (tmp_path / "state" / "file").write_text(f"a: {text}\n")
    with tarfile.open(tmp_path / "state" / "packed.tar.gz", "w:gz") as archive:
        archive.add(tmp_path / "state" / "file", "inner")
    with Watch() as watch:
        shell = ("sh", "-c", 'echo "$1" && sleep 600', "sh", text)
        image = product_images()["gateway"]
        engine.docker("network", "create", "--label", f"said={text}", "planted")
        engine.docker(
            "run", "--detach", f"--env=SAID={text}", "--network=planted", "--name=planted",
            "--entrypoint", shell[0], image, *shell[1:],
        )  # fmt: skip
        own = {"SAID": text, "PATH": "/usr/bin:/bin"}
        begun = subprocess.Popen([*shell], env=own, start_new_session=True)
        until(lambda: text in engine.docker("logs", "planted"))
        until(lambda: any(text.encode() in one for one in watch.commands))
        until(lambda: any(text.encode() in one for _, one in watch.environs))
        os.killpg(begun.pid, signal.SIGKILL)
        begun.wait()
    dockerfile = CARELESS.format(image=image, text=text)
    engine.docker("build", "--tag", "planted", "-", input=dockerfile.encode())
    done.containers()
    done.networks()
    done.image("planted")
    done.tree("files", tmp_path / "state")
    for command in watch.commands:
        done.look("command line", "", command)
    for _, environ in watch.environs:
        done.look("variables", "", environ)
    places = {(kind, where) for kind, where, _ in done.found}
    assert {kind for kind, _ in places} == {
        "files", "command line", "variables", "container inspect", "container log",
        "container processes", "network inspect", "image inspect", "image history", "image saved",
    }  # fmt: skip
    names = {where.removeprefix(f"{tmp_path}/state/") for kind, where in places if kind == "files"}
    assert {"file", "packed.tar.gz (unpacked): inner"} <= names
    assert any(where.endswith("tmp/said") for kind, where in places if kind == "image saved")
