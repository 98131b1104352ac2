# SPDX-License-Identifier: Apache-2.0
"""Models that are here already are taken by the program itself, wherever they are named from."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.standins.fake_hub import FakeHub, git_blob_id
from tests.standins.place import alone, run

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

MODEL = "Qwen/Qwen2.5-0.5B-Instruct"
NAME = "Qwen2.5-0.5B-Instruct"
FILES = {
    "config.json": b"{}",
    "tokenizer.json": b'{"a": 1}',
    "model.safetensors": bytes(range(256)) * 500,
}
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def hub() -> Iterator[FakeHub]:
    with FakeHub() as one:
        one.add(MODEL, FILES, large={"model.safetensors"})
        yield one


@pytest.fixture
def place(tmp_path: Path, hub: FakeHub) -> dict[str, str]:
    own = {"HF_HOME": str(tmp_path / "hf"), "TTCTL_BASE_IMAGE": "registry.example.org/base:1"}
    return {**alone(tmp_path), **own, "HF_ENDPOINT": hub.url, "HOME": str(tmp_path)}


def folder_with(root: Path) -> Path:
    folder = root / NAME
    folder.mkdir(parents=True)
    for path, body in FILES.items():
        (folder / path).write_bytes(body)
    return folder


def ttctl(place: dict[str, str], *words: str) -> Any:  # noqa: ANN401 - whatever the verb answers
    done: subprocess.CompletedProcess[str] = run("--json", *words, environ=place)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)["data"]


PULL = ("models", "pull", MODEL, "--device", "cpu")


@pytest.mark.parametrize("how", ["flag", "variable", "setting", "home"])
def test_a_folder_of_models_is_named_in_the_houses_ways_and_mounted_from_where_it_lies(
    hub: FakeHub, place: dict[str, str], tmp_path: Path, how: str
) -> None:
    root = tmp_path / ("models" if how == "home" else "mine")
    folder = folder_with(root)
    words = (*PULL, "--models-dir", str(root)) if how == "flag" else PULL
    if how == "variable":
        place["TTCTL_MODELS_DIR"] = f"/nowhere:{root}"
    if how == "setting":
        ttctl(place, "config", "set", "site.models_dir", str(root))
    got = ttctl(place, *words)
    assert got["folder"] == str(folder)
    assert got["fetched_bytes"] == 0
    assert got["unproven"] == []
    assert "; its weights are read in ~/" in got["reason"]
    assert hub.sent() == 0
    assert sorted(one.name for one in folder.iterdir()) == sorted(FILES)
    listed = ttctl(place, *words[:1], "ls", "--size", *words[5:])
    (row,) = [one for one in listed if one["keeper"] == "folder"]
    assert (row["repository"], row["folder"]) == (MODEL, str(folder))


def test_a_cache_that_other_tools_filled_is_used_and_left_as_it_was(
    hub: FakeHub, place: dict[str, str], tmp_path: Path
) -> None:
    home = tmp_path / "hf/hub" / f"models--{MODEL.replace('/', '--')}"
    snapshot = home / "snapshots" / hub.repositories[MODEL].commit
    for path, body in FILES.items():
        large = path == "model.safetensors"
        name = hashlib.sha256(body).hexdigest() if large else git_blob_id(body)
        (home / "blobs").mkdir(parents=True, exist_ok=True)
        (home / "blobs" / name).write_bytes(body)
        snapshot.mkdir(parents=True, exist_ok=True)
        (snapshot / path).symlink_to(os.path.relpath(home / "blobs" / name, snapshot))
    planned = ttctl(place, *PULL, "--dry-run")
    assert "0.1 MB of it from ~/hf/hub" in planned["steps"][0]["reason"]
    assert "0 bytes to fetch" in planned["steps"][0]["reason"]
    got = ttctl(place, *PULL)
    assert got["fetched_bytes"] == hub.sent() == 0
    assert (Path(got["folder"]) / "model.safetensors").samefile(snapshot / "model.safetensors")
    ttctl(place, "models", "rm", MODEL, "--yes")
    assert (snapshot / "model.safetensors").read_bytes() == FILES["model.safetensors"]
    assert ttctl(place, *PULL)["fetched_bytes"] == 0


@pytest.mark.parametrize("share", [True, False], ids=["shared", "switched off"])
def test_what_was_pulled_stays_in_the_cache_of_other_tools_and_a_setting_keeps_it_out(
    hub: FakeHub, place: dict[str, str], tmp_path: Path, *, share: bool
) -> None:
    if not share:
        ttctl(place, "config", "set", "weights.share", "false")
    done = run(*PULL, environ=place)
    assert done.returncode == 0, done.stderr
    note = "other tools find it in ~/hf/hub, too"
    assert (note in done.stderr) == share
    home = tmp_path / "hf/hub" / f"models--{MODEL.replace('/', '--')}"
    snapshot = home / "snapshots" / hub.repositories[MODEL].commit
    assert snapshot.exists() == share
    (row,) = ttctl(place, "models", "rm", MODEL, "--dry-run")
    assert row["shared_bytes"] == (row["size_bytes"] if share else 0)
    done = run("models", "rm", MODEL, "--yes", environ=place)
    said = "Removed 0.0 MB.\n0.1 MB stay: the hub's cache has those files, too.\n"
    assert done.stdout == (said if share else "Removed 0.1 MB.\n")
    if share:
        assert {one.name: one.read_bytes() for one in snapshot.iterdir()} == FILES
    assert ttctl(place, *PULL)["fetched_bytes"] == (0 if share else row["size_bytes"])


def test_without_a_hub_a_folder_is_locked_by_what_it_holds_and_its_change_is_found(
    place: dict[str, str], tmp_path: Path
) -> None:
    place["HF_ENDPOINT"] = NOWHERE
    folder = folder_with(tmp_path / "models")
    got = ttctl(place, *PULL)
    assert (got["folder"], got["revision"]) == (str(folder), "")
    assert got["unproven"] == sorted(FILES)
    ttctl(place, "lock", MODEL, "--device", "cpu")
    assert ttctl(place, *PULL)["changed"] is False
    (folder / "config.json").write_bytes(b"[]")
    done = run("--json", *PULL, environ=place)
    assert done.returncode == 9, done.stdout
    assert "is not what was locked" in json.loads(done.stdout)["error"]["what"]


def test_a_folder_that_is_not_there_is_refused_by_its_flag(place: dict[str, str]) -> None:
    done = run("--json", *PULL, "--models-dir", "/nowhere", environ=place)
    assert done.returncode == 2
    assert "/nowhere" in json.loads(done.stdout)["error"]["what"]
