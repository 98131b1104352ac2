# SPDX-License-Identifier: Apache-2.0
"""Is everything gathered that can be had, whatever else breaks, and nothing private with it?"""

from __future__ import annotations

import base64
import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from tests.unit.fakes import KEY, Scene, at, container

from ttctl.errors import BadFileError, EngineError, UsageError
from ttctl.model.report import Piece, Private
from ttctl.model.site import Site
from ttctl.model.spec import Request
from ttctl.operations import report
from ttctl.operations.up import up
from ttctl.rules.report_parts import MOST_LOG_BYTES, MOST_PART_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.operations.report import Gathered

FILE = Path("r.tar.gz")
CANARIES = {
    "env file": "canary of the env file/1",
    "log": "canary+of=a log?2",
    "setting": "canary:of@a-setting-3",
    "token file": "hf_canaryOfTheTokenFile4",
    "key file": "c5" * 32,
}


class Place:
    """A place that remembers what was written."""

    def __init__(self, *secrets: str) -> None:
        self.known = Private(secrets=secrets, names=(("/srv/lovelace", "~"), ("lovelace", "USER")))
        self.refuses: Exception | None = None
        self.found: object = ()
        self.written: list[tuple[Path, Sequence[Piece], bool]] = []

    def versions(self) -> dict[str, str]:
        return {"ttctl": "1.2.3"}

    def settings(self) -> object:
        if self.refuses:
            raise self.refuses
        return self.found

    def private(self) -> Private:
        return self.known

    def check(self, file: Path, *, force: bool) -> None:
        raise AssertionError((file, force))

    def write(self, file: Path, pieces: Sequence[Piece], *, force: bool) -> int:
        self.written.append((file, pieces, force))
        return 7


@pytest.fixture
def scene() -> Scene:
    """One stack, `llama`, that is up."""
    scene = Scene()
    up(scene.world, Request(model="llama"))
    scene.taken()
    return scene


def gathered(scene: Scene, place: Place | None = None, word: str | None = None) -> Gathered:
    return report.gather(scene.world, scene.world, place or Place(), word)


def texts(found: Gathered) -> dict[str, str]:
    return {one.name: one.text for one in found.pieces}


def test_a_stack_that_is_up_is_told_of_from_every_side(scene: Scene) -> None:
    for state in scene.engine.states.values():
        scene.engine.logs[state.container_id] = ("a line", "another")
    found = gathered(scene)
    own = texts(found)
    assert {
        "README.txt", "report.json", "versions.json", "settings.json", "doctor.json",
        "devices.json", "starts.json", "ps.json", "stacks/llama/status.json",
        "stacks/llama/causes.json", "stacks/llama/plan.json", "stacks/llama/ttctl.lock",
        "stacks/llama/rendered/compose.yaml", "stacks/llama/rendered/.env",
        "stacks/llama/logs/vllm.log", "stacks/llama/logs/gateway.log",
    } <= own.keys()  # fmt: skip
    assert found.failed == ()
    assert "tt-smi.json" not in own
    assert own["stacks/llama/logs/vllm.log"] == "a line\nanother\n"
    assert json.loads(own["versions.json"])["ttctl"] == "1.2.3"
    assert json.loads(own["stacks/llama/status.json"])["state"] == "ready"
    assert json.loads(own["stacks/llama/plan.json"])["refusal"] == ""
    assert json.loads(own["doctor.json"])["failed"] == 0
    assert list(own) == sorted(own)
    assert scene.taken() == []


def test_the_same_machine_gives_the_same_files(scene: Scene) -> None:
    assert gathered(scene) == gathered(scene)


def test_what_holds_the_places_passwords_is_left_out(scene: Scene) -> None:
    folder = str(scene.store.folder("llama"))
    scene.store.rendered[folder]["site/pip.conf"] = ("index-url = https://u:p@i/", False)
    assert not [name for name in texts(gathered(scene)) if "/site/" in name]


def test_without_any_stack_the_plan_is_of_what_up_would_bring() -> None:
    found = gathered(Scene())
    assert found.stacks == ()
    assert json.loads(texts(found)["plan.json"])["plan"]["stack"] == "llama"
    assert not [name for name in texts(found) if name.startswith("stacks/")]


def test_a_model_that_has_no_stack_yet_is_planned_for(scene: Scene) -> None:
    found = gathered(scene, word="demo-llama")
    assert json.loads(texts(found)["plan.json"])["plan"]["stack"] == "demo-llama"


def test_a_word_that_is_neither_is_refused_with_what_is_near(scene: Scene) -> None:
    with pytest.raises(UsageError, match="no stack and no model 'lama'") as caught:
        gathered(scene, word="lama")
    assert (caught.value.meant, caught.value.evidence) == ("llama", "Stacks: llama.")


def test_an_engine_that_cannot_be_asked_is_said_so_and_the_rest_is_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def refused(stack: str | None) -> tuple[()]:
        asked.append(stack)
        raise EngineError("No container engine answers.", why="It is off.")

    monkeypatch.setattr(scene.engine, "containers", refused)
    found = gathered(scene)
    failed = {one.name: one.why for one in found.failed}
    for name in ("ps.json", "stacks/llama/status.json", "stacks/llama/causes.json"):
        assert failed[name] == "No container engine answers. It is off."
    own = texts(found)
    assert {"stacks/llama/ttctl.lock", "versions.json", "doctor.json"} <= own.keys()
    assert "Not had:\n  ps.json: No container engine answers." in own["README.txt"]
    assert "stopped" not in own["report.json"]


def test_an_engine_that_hangs_is_told_from_one_that_is_not_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = threading.Event()
    monkeypatch.setattr(scene.engine, "containers", lambda _: end.wait(30) and ())
    place, bounds = Place(), report.Bounds(limit_s=2, engine_s=0.1)
    found = report.gather(scene.world, scene.world, place, None, bounds=bounds)
    end.set()
    failed = {one.name: one.why for one in found.failed}
    assert failed["ps.json"] == "It hangs: it did not end within 0.1 s."
    assert "stacks/llama/ttctl.lock" in texts(found)


def test_a_spoiled_lock_is_packed_as_it_lies_there(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoiled(_: str) -> None:
        raise BadFileError("The lock is damaged.", evidence="line 3")

    monkeypatch.setattr(scene.store, "lock", spoiled)
    folder = str(scene.store.folder("llama"))
    scene.store.rendered[folder]["ttctl.lock"] = ("{ damaged", False)
    found = gathered(scene)
    assert texts(found)["stacks/llama/ttctl.lock"] == "{ damaged"
    assert [(one.name, one.why) for one in found.failed] == [
        ("stacks/llama/plan.json", "The lock is damaged. line 3")
    ]
    assert json.loads(texts(found)["stacks/llama/status.json"])["state"] != "stopped"


def test_a_folder_that_cannot_be_read_ends_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(_: Path) -> dict[str, str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(scene.store, "read_folder", refused)
    failed = {one.name: one.why for one in gathered(scene).failed}
    assert failed["stacks/llama/rendered"] == "PermissionError: [Errno 13] Permission denied"


def test_a_container_that_prints_without_an_end_gives_the_end_of_its_log(scene: Scene) -> None:
    state = next(one for one in scene.engine.states.values() if one.service == "vllm")
    scene.engine.logs[state.container_id] = (*["x" * 1_000_000] * 50, *["y" * 4000] * 1200, "end")
    found = gathered(scene)
    (log,) = (one for one in found.pieces if one.name.endswith("logs/vllm.log"))
    assert len(log.text) <= MOST_LOG_BYTES
    assert log.text.endswith("\nend\n")
    assert log.cut_bytes > 0
    assert "left out)" in texts(found)["README.txt"]


def test_the_whole_is_no_larger_than_it_may_be(scene: Scene) -> None:
    folder = str(scene.store.folder("llama"))
    for number in range(3):
        text = "a line of a file that somebody laid there\n" * 5_000
        scene.store.rendered[folder][f"huge-{number}"] = (text, False)
    bounds = report.Bounds(most_bytes=300_000)
    found = report.gather(scene.world, scene.world, Place(), None, bounds=bounds)
    huge = [one for one in found.pieces if "huge" in one.name]
    assert [one.cut_bytes > 0 for one in huge] == [True] * 3
    own = [one for one in found.pieces if one.name not in {"README.txt", "report.json"}]
    assert 200_000 < sum(len(one.text.encode()) for one in own) <= 300_000


def test_a_huge_file_is_cut_before_it_is_cleaned(scene: Scene) -> None:
    folder = str(scene.store.folder("llama"))
    text = f"{'x' * 100}\n" * (MOST_PART_BYTES // 100)
    scene.store.rendered[folder]["huge"] = (text + "the last line\n", False)
    (huge,) = (one for one in gathered(scene).pieces if one.name.endswith("/huge"))
    assert len(huge.text) <= MOST_PART_BYTES
    assert len(huge.text) + huge.cut_bytes == len(text) + len("the last line\n")


def test_settings_that_cannot_be_read_are_named_with_why(scene: Scene) -> None:
    place = Place("the-password")
    place.refuses = BadFileError("It is wrong.", evidence="x = 'the-password'")
    (failed,) = gathered(scene, place).failed
    assert (failed.name, failed.why) == ("settings.json", "It is wrong. x = '***'")


def test_a_container_of_another_user_is_listed_and_its_log_is_not_read(scene: Scene) -> None:
    other = container("vllm", stack="theirs", owner="f" * 16, container_id="e" * 64)
    scene.engine.states["theirs"] = other
    scene.engine.logs["e" * 64] = ("their line",)
    found = gathered(scene)
    assert found.stacks == ("llama",)
    assert "theirs" in texts(found)["ps.json"]
    assert "their line" not in "".join(texts(found).values())


def test_no_secret_of_any_place_is_in_the_archive_in_any_writing(scene: Scene) -> None:
    secrets = CANARIES
    everything = " ".join(secrets.values())
    folder = str(scene.store.folder("llama"))
    scene.store.rendered[folder][".env"] = (f"A_TOKEN='{secrets['env file']}'\n", False)
    coded = base64.b64encode(everything.encode()).decode()
    odd = f"{json.dumps(everything)} {quote(everything)} {coded}\n"
    scene.store.rendered[folder]["odd.txt"] = (odd, False)
    proxy = f"http://u:{quote(secrets['setting'], safe='')}@proxy.example.org:3128"
    scene.site = Site(https_proxy=at(proxy, "/srv/lovelace/config.toml"))
    scene.vitals.the_engine = replace(scene.vitals.the_engine, version="", error=everything)
    for one in scene.engine.states.values():
        scene.engine.logs[one.container_id] = (
            f"Traceback: {secrets['log']} {everything} {json.dumps({'a': everything})}",
            f"token {base64.b64encode(b'ada:' + everything.encode()).decode()}",
        )
    place = Place(*secrets.values(), KEY)
    place.found = [{"key": "site.https_proxy", "value": proxy, "source": "/srv/lovelace/x"}]
    found = gathered(scene, place)
    written = "\0".join(one.name + one.why + one.text for one in found.pieces)
    for name, secret in (*secrets.items(), ("key", KEY)):
        for writing in writings(secret):
            assert writing not in written, (name, writing)
    assert "lovelace" not in written
    assert "logs/vllm.log" in written


def writings(secret: str) -> set[str]:
    """Return a secret plain, for JSON, for URLs, and the whole letters of its base64."""
    raw = secret.encode()
    coded = {base64.b64encode(b"\0" * pad + raw).decode()[(0, 2, 3)[pad] :] for pad in range(3)}
    coded = {one.rstrip("=")[:-1] for one in coded}
    urls = {quote(secret), quote(secret, safe=""), quote(secret, safe="").lower()}
    return {secret, json.dumps(secret)[1:-1], *urls, *coded}


def test_what_is_written_is_what_was_listed(scene: Scene) -> None:
    place, found = Place(), gathered(scene)
    planned = found.report(FILE)
    made = report.write(found, place, FILE, force=True)
    assert place.written == [(FILE, found.pieces, True)]
    assert (planned.written, made.written, made.size_bytes) == (False, True, 7)
    assert made.parts == planned.parts
    assert report.listing(made)[0].startswith("README.txt  ")


def test_what_one_part_gives_away_is_taken_out_of_all(scene: Scene) -> None:
    token = "hf_0123456789abcdefgh"  # noqa: S105 - made up
    for one in scene.engine.states.values():
        coded = base64.b64encode(f"xy{token}".encode()).decode()
        line = f"token {token}" if one.service == "vllm" else f"{coded} %20{token}%20"
        scene.engine.logs[one.container_id] = (line,)
    written = "".join(texts(gathered(scene)).values())
    assert token not in written
    assert base64.b64encode(token[1:].encode()).decode()[:-4] not in written
