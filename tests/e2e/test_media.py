# SPDX-License-Identifier: Apache-2.0
"""Do speech, vectors and images come through the gateway by their documented paths?

The machine is made up, its nodes are real ones that no driver answers for, and the images are
stand-ins that read requests as the media server of their release does. Not yet run on a card.
"""

from __future__ import annotations

import io
import json
import secrets
import shutil
import subprocess
import urllib.error
import urllib.request
import wave
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest
from tests.e2e.driver import Ttctl, docker, tree
from tests.e2e.made_machine import made_machine
from tests.e2e.test_card import part
from tests.e2e.test_cards import LIMIT_S, Cards
from tests.standins.servers.answers import PIXEL

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

WHISPER = "openai/whisper-large-v3"
SPEECHT5 = "microsoft/speecht5_tts"
QWEN = "Qwen/Qwen3-Embedding-8B"
SDXL = "stabilityai/stable-diffusion-xl-base-1.0"
OVER = "diffusers/stable-diffusion-xl-1.0-inpainting-0.1"
MODELS = (WHISPER, SPEECHT5, QWEN, SDXL, OVER)
PATHS = {
    WHISPER: "/v1/audio/transcriptions",
    SPEECHT5: "/v1/audio/speech",
    QWEN: "/v1/embeddings",
    SDXL: "/v1/images/generations",
    OVER: "/v1/images/edits",
}
ASKED = (
    "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:8000/standin/asked')"
    ".read().decode())"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A media server behind its gateway."""

    cards: Cards
    stack: str
    told: dict[str, Any]
    """What `up --json` said."""
    card: str
    """What a second `up` printed for people."""

    @property
    def url(self) -> str:
        return str(self.told["url"])

    @property
    def key(self) -> str:
        return Path(self.told["key_file"]).read_text(encoding="ascii").strip()

    def openai(self, key: str = "") -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=key or self.key, max_retries=0)

    def ask(self, path: str, body: object = None, *, key: str = "") -> tuple[int, bytes]:
        """Return status and body of the gateway's answer."""
        head = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}{path}", data=data, headers=head)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - loopback
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def asked(self) -> list[dict[str, Any]]:
        """Return what reached the server."""
        container = self.cards.engine(self.stack, self.told["engine"])
        found: list[dict[str, Any]] = json.loads(docker("exec", container, "python3", "-c", ASKED))
        return found

    def typed(self, folder: Path) -> bytes:
        """Return what the command that `up` ended with prints."""
        lines = part(self.card, "curl:").replace("curl ", "curl --fail-with-body -sS ", 1)
        done = subprocess.run(
            ["bash", "-euc", lines], cwd=folder, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, (lines, done.stdout, done.stderr)
        return done.stdout


WATCHED = """\
#!/bin/sh
# Notes the arguments that ttctl starts it with.
printf '%s\\n' "$@" >>{notes}
exec {docker} "$@"
"""
TOKEN = f"hf_{secrets.token_hex(16)}"
"""What the hub's tools on this machine are given; no model here needs it."""


def watched(folder: Path) -> Path:
    """Make a folder with a `docker` that notes each call before it is made."""
    folder.mkdir()
    text = WATCHED.format(notes=folder / "calls.txt", docker=shutil.which("docker"))
    (folder / "docker").write_text(text, encoding="utf-8")
    (folder / "docker").chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def one_card(ttctl: Ttctl, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cards]:
    """Give a machine of one n150."""
    folder = tmp_path_factory.mktemp("n150")
    seen = watched(folder / "bin")
    with made_machine(ttctl, folder, MODELS, device="n150") as (made, served):
        path = f"{seen}:{made.environ['PATH']}"
        own = replace(made, environ={**made.environ, "PATH": path, "HF_TOKEN": TOKEN})
        yield Cards(ttctl=own, registry=served, mark=f"e2e-{secrets.token_hex(4)}")


def _served(cards: Cards, stack: str, word: str, model: str, release: str) -> Service:
    """Bring up what a word means, and say what it said."""
    engine = cards.serve(model, "n150", release)
    cards.lay_over(stack, engine)
    told = cards.up(stack, model=word).data
    assert (told["model"], told["device"], told["answers"]) == (model, "n150", True)
    again = cards.ttctl.run("up", word, "--name", cards.name(stack), limit_s=LIMIT_S)
    return Service(cards=cards, stack=stack, told={"engine": engine, **told}, card=again.out)


@pytest.fixture
def service(request: pytest.FixtureRequest, one_card: Cards) -> Iterator[Service]:
    """Bring up what the test's parameter says; take it down afterwards."""
    stack = secrets.token_hex(2)
    try:
        yield _served(one_card, stack, *request.param)
    finally:
        one_card.ttctl.run("down", one_card.name(stack), "--timeout", "1", limit_s=LIMIT_S)


def of(word: str, model: str, release: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("service", [(word, model, release)], indirect=True)


def sound() -> bytes:
    """Return a tenth of a second of silence."""
    heard = io.BytesIO()
    with wave.open(heard, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(b"\0\0" * 1600)
    return heard.getvalue()


def is_shut(service: Service, model: str) -> None:
    """Check that no other path passes, and nobody without the key."""
    for path in {"/v1/chat/completions", "/v1/videos/generations", *PATHS.values()} - {
        PATHS[model]
    }:
        status, body = service.ask(path, {"prompt": "x"})
        assert (status, json.loads(body)["error"]["type"]) == (404, "invalid_request_error"), path
    assert service.ask(PATHS[model], {"prompt": "x"}, key="another")[0] == 401
    assert service.ask("/standin/asked")[0] == 404
    assert service.ask("/health")[0] == 200
    listed = json.loads(service.ask("/v1/models")[1])
    assert [one["id"].rpartition("/")[2] for one in listed["data"]] == [model.rpartition("/")[2]]


@of("whisper", WHISPER, "0.17.0")
def test_speech_is_written_down_for_the_openai_client(service: Service, tmp_path: Path) -> None:
    with service.openai() as client:
        said = client.audio.transcriptions.create(model=WHISPER, file=("speech.wav", sound()))
    assert said.text == "stand-in"
    [asked] = service.asked()
    assert (asked["path"], asked["file"]) == (PATHS[WHISPER], len(sound()))
    with service.openai("another") as client, pytest.raises(openai.AuthenticationError):
        client.audio.transcriptions.create(model=WHISPER, file=("speech.wav", sound()))
    (tmp_path / "speech.wav").write_bytes(sound())
    assert json.loads(service.typed(tmp_path))["text"] == "stand-in"
    is_shut(service, WHISPER)


@of("whisper", WHISPER, "0.17.0")
def test_a_token_is_in_no_argument_of_a_child_no_log_and_no_container(service: Service) -> None:
    environ = service.cards.ttctl.environ
    calls = Path(environ["PATH"].partition(":")[0], "calls.txt").read_text(encoding="utf-8")
    assert "compose" in calls.split()
    assert TOKEN not in calls
    for name in (service.cards.engine(service.stack, each) for each in ("media", "gateway")):
        assert TOKEN not in docker("inspect", name)
        assert TOKEN not in docker("exec", name, "cat", "/proc/1/environ", "/proc/1/cmdline")
        said = subprocess.run(["docker", "logs", name], capture_output=True, text=True, check=True)
        assert TOKEN not in said.stdout + said.stderr
    for folder in ("XDG_STATE_HOME", "XDG_CACHE_HOME"):
        written = tree(Path(environ[folder]))
        assert written
        assert not [name for name, text in written.items() if TOKEN.encode() in text]


@of("speech", SPEECHT5, "0.9.0")
def test_a_text_is_spoken(service: Service, tmp_path: Path) -> None:
    status, heard = service.ask(PATHS[SPEECHT5], {"text": "hello"})
    assert (status, heard[:4]) == (200, b"RIFF")
    # Images before 0.10.0 know another path, which no client need know.
    assert service.asked() == [{"path": "/audio/speech", "text": "hello"}]
    service.typed(tmp_path)
    assert (tmp_path / "speech.wav").read_bytes() == heard
    is_shut(service, SPEECHT5)


@of("embedding", QWEN, "0.2.0")
def test_a_text_becomes_a_vector_for_the_openai_client(service: Service, tmp_path: Path) -> None:
    with service.openai() as client:
        found = client.embeddings.create(model=QWEN, input="hello")
    assert found.data[0].embedding == [0.5, -0.5]
    assert json.loads(service.typed(tmp_path))["object"] == "list"
    is_shut(service, QWEN)


@of("sd", SDXL, "0.11.1")
def test_an_image_is_asked_for_in_the_media_servers_own_shape(
    service: Service, tmp_path: Path
) -> None:
    words = ("image", "--stack", service.cards.name(service.stack), "a red circle", "--json")
    every = ("--negative-prompt", "blue", "-n", "2", "--steps", "20", "--seed", "7")
    drawn = service.cards.ttctl.run(
        *words, *every, "--guidance", "6.5", "-o", str(tmp_path / "out.png")
    ).data
    assert [Path(one["path"]).read_bytes()[:4] for one in drawn["files"]] == [b"\x89PNG"] * 2
    asked = {
        "path": PATHS[SDXL],
        "prompt": "a red circle",
        "negative_prompt": "blue",
        "number_of_images": 2,
        "num_inference_steps": 20,
        "seed": 7,
        "guidance_scale": 6.5,
        "image_return_format": "PNG",
    }
    assert service.asked() == [asked]
    service.cards.ttctl.run(*words, "-o", str(tmp_path / "plain.png"))
    refused = service.cards.ttctl.run(*words, "--steps", "2", exits=2)
    assert "--steps 12" in refused.out
    assert json.loads(service.typed(tmp_path))["images"] == [PIXEL]
    is_shut(service, SDXL)


@of(OVER, OVER, "0.5.0")
def test_a_picture_is_changed_where_a_mask_says(service: Service, tmp_path: Path) -> None:
    for name in ("picture.png", "mask.png"):
        (tmp_path / name).write_bytes(b"a picture")
    assert json.loads(service.typed(tmp_path))["images"] == [PIXEL]
    is_shut(service, OVER)
