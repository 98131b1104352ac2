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
import secrets
import signal
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import quote

import pytest
from tests.e2e.driver import Stack, Ttctl, finish, free_port, kill, read_until
from tests.faults.leaks import Search, Watch, modes_of
from tests.standins.place import alone
from tests.standins.product_images import product_images
from tests.standins.web import Handler, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


class Mirror(Handler):
    """A mirror and a package index that are there, and have nothing that is needed."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.answer(200, b"")

    do_HEAD = do_GET  # noqa: N815 - the library's name


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
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Yield a machine with its secrets; the stack is removed at the end, whatever became of it."""
    product_images()
    word = f"canary{secrets.token_hex(10)}"
    (tmp_path / "tmp").mkdir()
    with serving(Mirror) as port:
        place = secrets_of(word, tmp_path, f"127.0.0.1:{port}")
        environ = {**alone(tmp_path), **place, "TMPDIR": str(tmp_path / "tmp")}
        program = Path(sys.executable).with_name("ttctl")
        stack = Stack(
            ttctl=Ttctl(program=program, home=tmp_path, environ=environ),
            name=f"leaks-{secrets.token_hex(4)}",
            port=free_port(),
            target="demo-llama",
        )
        try:
            yield Kept(stack=stack, folder=tmp_path, words={"the place's": word})
        finally:
            stack.remove()


def edited(kept: Kept) -> Path:
    """Write the chat page's source to edit, and edit it: its image has to be built in this run."""
    folder = kept.folder / "page"
    kept.run("eject", "chat", *kept.stack.words[:3], "--device", "cpu", "-o", str(folder))
    page = folder / "src" / "index.html"
    text = page.read_text(encoding="utf-8")
    page.write_text(f"{text}<!-- {secrets.token_hex(8)} -->\n", encoding="utf-8")
    return folder


def ask(kept: Kept, path: str, body: object = None) -> None:
    """Ask the gateway with the key, and keep the whole answer."""
    with closing(http.client.HTTPConnection("127.0.0.1", kept.stack.port, timeout=60)) as asked:
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
    label = f"dev.ttctl.stack={kept.stack.name}"
    done.containers(label)
    done.networks(f"com.docker.compose.project=ttctl-{kept.stack.name}")
    for what, text in kept.said.items():
        done.look("output", what, text.encode())
    if image:
        done.image(image)


def go_on(kept: Kept, done: Search) -> str:
    """Do what a stack's life has in it, what fails too; return the image that was built."""
    words = (*kept.stack.words, "--device", "cpu")
    page = edited(kept)
    with_page = ("--with", "chat", "--from", str(page))
    # Killed in the middle, and again from where it was.
    child = kept.stack.start_up("--device", "cpu", *with_page)
    kept.keep("a killed up", "".join(read_until(child, r"Container \S+ +Creat")))
    kill(child, signal.SIGKILL)
    finish(child)
    kept.run("up", *words, *with_page)
    kept.words["the stack's key"] = done.words["the stack's key"] = kept.stack.key
    made = kept.stack.ttctl.run("--json", "config", "key", "new", "ci", "--stack", kept.stack.name)
    kept.words["a named key"] = done.words["a named key"] = made.data["key"]
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
    for verb in ("status", "ps", "plan", "diff", "history", "logs", "doctor", "connect"):
        named = {"plan": words, "connect": ("env", kept.stack.name), "ps": (), "doctor": ()}
        kept.run(verb, *named.get(verb, (kept.stack.name,)), exits=None)
    kept.run("config", "show", "--all")
    archive = kept.folder / "report.tar.gz"
    kept.run("report", kept.stack.name, "-o", str(archive), "--yes")
    done.look("report", str(archive), archive.read_bytes())
    (image,) = {
        one["Config"]["Image"]
        for name, one in kept.stack.inspect().items()
        if name == "chat"
    }
    search(kept, done, image=image)
    return image


def test_no_secret_is_anywhere_but_where_it_belongs(
    kept: Kept, figure: Callable[[str, str, object], None]
) -> None:
    done = Search(kept.words)
    image = ""
    try:
        with Watch() as watch:
            image = go_on(kept, done)
            kept.run("down", kept.stack.name)
            search(kept, done)
    finally:
        if image:
            subprocess.run(["docker", "image", "rm", image], capture_output=True, check=False)
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
