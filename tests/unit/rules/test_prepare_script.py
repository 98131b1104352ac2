# SPDX-License-Identifier: Apache-2.0
"""Does a folder's own script make what `ttctl` makes, and say what nobody can make?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.rules.launching import contract_of, entries, pins_of, stack_of, weights_of
from tests.unit.rules.stacks import LLAMA, MADE

from ttctl.adapters.engine_files import LocalEngineFiles
from ttctl.adapters.store import StateFolder
from ttctl.model.lock import LockedFile
from ttctl.rules.launch import refusal
from ttctl.rules.launch_mounts import cache_folders
from ttctl.rules.launch_values import needs_key
from ttctl.rules.prepare_script import Needs, prepare_script
from ttctl.rules.quadlet import unit_files
from ttctl.rules.run_script import run_script

if TYPE_CHECKING:
    from ttctl.model.spec import ModelSpec

SHELLCHECK = Path(sys.executable).with_name("shellcheck")
STACK, CACHE = "golden", "a-cache"
NODES = ("/dev/null", "/dev/zero", "/dev/full", "/dev/random")
"""Character devices that are everywhere and open to everybody."""


def _one_of_each() -> dict[str, ModelSpec]:
    """Return an entry of each contract, and of those that want a key one more."""
    found: dict[str, ModelSpec] = {}
    for spec in entries():
        contract = contract_of(spec)
        if not refusal(spec, contract):
            key = " with a key" if needs_key(spec, contract) else ""
            found.setdefault(f"{contract.name}{key}", spec)
    legacy, media = found["vllm-legacy"], found["media"]
    found["own"] = replace(legacy, pins=replace(pins_of(legacy), contract="own", image="ttctl/a:1"))
    cpp = replace(pins_of(media), contract="media-cpp", image="r.example.org/media:0.20.0-de59f8a")
    found["media-cpp"] = replace(media, pins=cpp)
    return {name: replace(spec, device="n300") for name, spec in found.items()}


EACH = _one_of_each()
Kept = dict[str, tuple[str, int, str]]


@dataclass(frozen=True, kw_only=True)
class Place:
    """A rendered folder with a script, and the place that its .env names."""

    root: Path

    @property
    def folder(self) -> Path:
        return self.root / "rendered"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def cache(self) -> Path:
        return self.root / "caches" / "engines" / CACHE

    def lay(self, spec: ModelSpec, **changes: str) -> None:
        """Write what a rendered folder has, and bring the weights that nobody here makes."""
        for path in ("launch/refs", "gateway", "../weights", "../pages"):
            (self.folder / path).mkdir(parents=True, exist_ok=True)
        (self.root / "weights" / "config.json").write_text("{}")
        stack = stack_of(spec)
        folders = cache_folders(spec, contract_of(spec))
        text = prepare_script(stack, (Needs(folders=folders, weights=weights_of(spec)),))
        (self.folder / "prepare.sh").write_text(text)
        nodes = dict(enumerate(NODES[: stack.engine.nodes]))
        values = {
            "TTCTL_CACHE": str(self.cache),
            "TTCTL_ENGINE_SECRETS": str(self.state / STACK / "secrets/engine"),
            "TTCTL_HUGEPAGES": str(self.root / "pages"),
            "TTCTL_SECRETS": str(self.state / STACK / "secrets/gateway"),
            "TTCTL_WEIGHTS": str(self.root / "weights"),
            **{f"TTCTL_NODE_{at}": f"{one}:/dev/tenstorrent/{at}" for at, one in nodes.items()},
            **changes,
        }
        lines = (f"{name}='{value}'\n" for name, value in values.items())
        (self.folder / ".env").write_text("".join(lines))

    def run(self, shell: str = "sh", *, exits: int = 0) -> str:
        """Run the script from elsewhere, and return what it says."""
        done = subprocess.run(
            [shell, str(self.folder / "prepare.sh")],
            capture_output=True, text=True, check=False, cwd="/", umask=0o077,
        )  # fmt: skip
        assert done.returncode == exits, done.stdout + done.stderr
        return done.stdout + done.stderr

    def kept(self) -> Kept:
        """Return path to kind, mode and text of what was made; a key's letters are one `k` each."""
        found: Kept = {}
        for root in (self.cache.parent, self.state / STACK / "secrets"):
            for path in (root, *sorted(root.rglob("*"))):
                text = re.sub("[0-9a-f]", "k", path.read_text()) if path.is_file() else ""
                kind = "folder" if path.is_dir() else "file"
                name = path.relative_to(self.root).as_posix()
                found[name] = (kind, path.stat().st_mode & 0o7777, text)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(root=tmp_path)


def by_ttctl(place: Place, spec: ModelSpec) -> Kept:
    """Return what `ttctl up` makes before it starts the containers of an entry."""
    store = StateFolder(place.state)
    files = LocalEngineFiles(place.cache.parent, home=store.home, secrets=store.secrets)
    contract = contract_of(spec)
    store.ensure_key(STACK)
    files.prepare(CACHE, cache_folders(spec, contract), user=None)
    if needs_key(spec, contract):
        files.ensure_key(STACK)
    return place.kept()


@pytest.mark.parametrize("name", EACH)
def test_the_script_makes_the_folders_modes_and_files_that_ttctl_makes(
    tmp_path: Path, name: str
) -> None:
    spec = EACH[name]
    one, two = Place(root=tmp_path / "one"), Place(root=tmp_path / "two")
    one.lay(spec)
    one.run()
    made = one.kept()
    assert made == by_ttctl(two, spec)
    assert made[f"caches/engines/{CACHE}"] == ("folder", 0o777, "")
    assert made["caches/engines"][1] == 0o700


def test_a_second_run_changes_nothing_and_ttctl_takes_the_keys_as_its_own(place: Place) -> None:
    spec = EACH["media with a key"]
    place.lay(spec)
    place.run()
    secrets = place.state / STACK / "secrets"
    before = {path: path.read_bytes() for path in secrets.rglob("*") if path.is_file()}
    assert len(before) == 4
    place.run("bash")
    by_ttctl(place, spec)
    assert {path: path.read_bytes() for path in before} == before
    assert StateFolder(place.state).has_key(STACK)


def test_keys_that_somebody_else_made_are_kept(place: Place) -> None:
    place.lay(EACH["vllm-legacy"], TTCTL_SECRETS="./secrets")
    keys = place.folder / "secrets" / "keys.map"
    keys.parent.mkdir()
    keys.write_text("0123 mine\n")
    place.run()
    assert keys.read_text() == "0123 mine\n"
    assert not (place.folder / "api-key").exists()


def test_two_at_once_leave_one_key_that_fits_its_hash(place: Place) -> None:
    place.lay(EACH["media with a key"])
    words = ["sh", str(place.folder / "prepare.sh")]
    running = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for _ in range(8)]
    assert [one.wait() for one in running] == [0] * 8
    assert StateFolder(place.state).has_key(STACK)
    secrets = place.state / STACK / "secrets"
    key = (secrets / "engine/key").read_text()
    assert (secrets / "gateway/engine.map").read_text() == f"engine {key}"
    assert sorted(path.name for path in secrets.rglob("*") if path.is_file()) == [
        "api-key", "engine.map", "key", "keys.map",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "exits", "said"),
    [
        pytest.param({"TTCTL_NODE_0": "/dev/none7:/x"}, 3, "TTCTL_NODE_0: there is no device "
                     "node /dev/none7", id="a node that is not here"),
        pytest.param({"TTCTL_NODE_0": ""}, 3, "TTCTL_NODE_0 is empty in .env", id="no node"),
        pytest.param({"TTCTL_NODE_0": "/dev/zero:/x"}, 9, "TTCTL_NODE_1: /dev/zero is named twice",
                     id="one node twice"),
        pytest.param({"TTCTL_WEIGHTS": ""}, 8, "hf download", id="weights that nobody named"),
        pytest.param({"TTCTL_WEIGHTS": "/none"}, 8, "config.json", id="no weights"),
        pytest.param({"TTCTL_HUGEPAGES": "/none"}, 3, "no folder of hugepages", id="no hugepages"),
        pytest.param({"TTCTL_CACHE": "/dev/null/cache"}, 6, "cannot be made", id="no cache"),
    ],
)  # fmt: skip
def test_what_the_script_cannot_make_is_named(
    place: Place, changes: dict[str, str], exits: int, said: str
) -> None:
    spec = next(
        one for one in entries() if one.device == "t3k" and pins_of(one).contract == "vllm-legacy"
    )
    place.lay(spec, **changes)
    assert said in place.run(exits=exits)


def test_a_folder_of_nodes_that_is_not_there_is_said_once(place: Place) -> None:
    spec = next(
        one for one in entries() if one.device == "t3k" and pins_of(one).contract == "vllm-legacy"
    )
    gone = {f"TTCTL_NODE_{at}": f"/none/tenstorrent/{at}:/x" for at in range(4)}
    place.lay(spec, **gone)
    said = place.run(exits=3)
    told = "prepare.sh: the folder /none/tenstorrent is not there: is the driver loaded?"
    assert said.count("/none/tenstorrent") == 1
    assert told in said.splitlines()
    assert "ls:" not in said


def test_a_file_that_is_cut_short_or_only_a_link_is_no_weights(place: Place) -> None:
    spec = EACH["vllm-current"]
    place.lay(spec)
    file = place.root / "weights" / "config.json"
    file.write_text("{")
    assert "are not whole" in place.run(exits=8)
    file.unlink()
    (place.root / "blob").write_text("{}")
    file.symlink_to(place.root / "blob")
    assert f"hf download {spec.weights.repository} --revision" in place.run(exits=8)


def test_a_cache_that_the_engines_user_cannot_write_is_found_before_the_start(
    place: Place,
) -> None:
    spec = EACH["vllm-current"]
    place.lay(spec)
    place.run()
    (place.cache / "kernels").chmod(0o755)
    stack = stack_of(spec)
    another = replace(stack.engine.confinement, user=f"{os.getuid() + 4242}:1")
    for held, exits in ((another, 6), (replace(another, user="0:0"), 0)):
        engine = replace(stack.engine, confinement=held)
        text = prepare_script(replace(stack, services=(engine, stack.services[1])))
        (place.folder / "prepare.sh").write_text(text)
        said = place.run(exits=exits)
        assert (f"sudo chmod -R o+rwX '{place.cache}'" in said) is bool(exits)


def test_the_scripts_of_all_contracts_pass_their_linter(place: Place) -> None:
    paths = []
    for number, spec in enumerate((*EACH.values(), *EACH.values())):
        weights = weights_of(spec)
        if number >= len(EACH):
            odd = LockedFile(path="it's a file *", size_bytes=1, sha256="")
            weights = replace(weights, revision="", files=(odd,) if number % 2 else ())
        text = prepare_script(stack_of(spec), (Needs(folders=("a", "b/c"), weights=weights),))
        paths.append(place.root / f"{number}.sh")
        paths[-1].write_text(text)
    words = [SHELLCHECK, "--shell=sh", *paths]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout == ""


def test_scripts_and_units_of_cards_prepare_themselves_and_those_of_the_processor_do_not() -> None:
    for name, stack in MADE.items():
        has = stack is not LLAMA and bool(stack.engine.nodes)
        assert ("sh ./prepare.sh" in run_script(stack)) is has, name
        for unit, text in unit_files(stack).items():
            engine = unit.endswith(f"-{stack.engine.name}.container")
            line = f"/bin/sh %E/containers/systemd/{stack.project}/prepare.sh\n"
            said = f"ExecStartPre={'' if engine else '-'}{line}"
            assert (said in text) is (has and unit.endswith(".container")), unit
