# SPDX-License-Identifier: Apache-2.0
"""Does a compiled catalog say what the checked files say, and is only a fitting one believed?"""

from __future__ import annotations

import hashlib
import json
import os
import time
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import compiled, places
from ttctl.adapters.catalog import OTHERS, SHIPPED, BuiltInCatalog
from ttctl.adapters.catalog_checks import checked_catalog
from ttctl.adapters.catalog_entries import checked_specs
from ttctl.errors import BadFileError
from ttctl.model.pins import Changed, Issue, Pins, Requirement, Target
from ttctl.model.spec import Limits, ModelSpec, Weights

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


ENTRY = """
[[spec]]
model = "acme/Small-{number}B"
device = "cpu"
engine = "vllm"
aliases = ["small-{number}", "s{number}"]
default = true
description = "A \\"small\\" model, \u00fc"
license = "MIT"
status = "COMPLETE"
image = "vllm-cpu"
memory_mib = 6144
offline_model = "demo-llama"
weights = {{ kind = "hub", repository = "acme/Small", revision = "{revision}", size_mib = 7 }}
limits = {{ max_model_len = 4096, max_num_seqs = 8, block_size = 64 }}
engine_args = {{ enforce-eager = true, kv-cache-memory-bytes = "1G" }}
environment = {{ OMP_NUM_THREADS = "4", HF_X = "" }}
"""
REVISION = "a" * 40
FULL = ModelSpec(
    id="id_x_Small_n150",
    model="acme/Small",
    device="n150",
    engine="media",
    implementation="x",
    type="VIDEO",
    aliases=("small", "tiny"),
    description="A model",
    image="own",
    weights=Weights(kind="hub", repository="acme/Small", revision=REVISION, size_bytes=7),
    limits=Limits(max_model_len=1, max_num_seqs=2, block_size=3),
    engine_args=(("seed", "1"), ("bare", "")),
    environment=(("MESH_DEVICE", "N150"),),
    changed=(Changed(kind="argument", name="a", first="1", latest="2", option=True),),
    memory_mib=1,
    disk_mib=2,
    parameters=3.5,
    status="COMPLETE",
    license="MIT",
    offline_model="demo-llama",
    default=True,
    demo=True,
    source="a test",
    pins=Pins(
        tt_metal="c49bb76",
        vllm="6b4a3a7",
        image="host/owner/name:0.18.0",
        version="0.18.0",
        contract="vllm-current",
        recipe="vllm-empty-plugin",
        flag="--additional-config",
        inferred=("recipe", "flag"),
        reason="why",
        first_release="0.18.0",
    ),
    requirements=(Requirement(what="driver", specifier=">=2.0", strict=True),),
    tool_parser="hermes",
    reasoning_parser="qwen3",
    modalities=("text", "image"),
    start_s=3600,
    warms_up=True,
    targets=(
        Target(
            task="text", shape="128/128", concurrency=1, tier="target",
            ttft_ms=1.5, tput_user=2.5, tput=3.5, tolerance=0.1,
        ),
    ),
    issues=(Issue(workflow="EVALS", task="t", reason="r"),),
    known_bad=("it hangs",),
    suspect=("odd",),
    experimental="nobody validated it",
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalog of two entries that use every field."""
    folder = tmp_path / "files"
    folder.mkdir()
    entries = [ENTRY.format(number=number, revision=REVISION) for number in (1, 2)]
    text = 'schema = 1\nsource = "a test"\n' + "".join(entries)
    (folder / "a.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache/catalog"


def checked(folder: Path) -> tuple[ModelSpec, ...]:
    return checked_specs([folder / "a.toml"])


def kept(cache: Path) -> Path:
    (file,) = cache.iterdir()
    return file


def test_golden_the_shipped_catalog_is_compiled_from_its_own_files() -> None:
    folder = places.catalog()
    catalog = BuiltInCatalog(folder)
    found = (*sorted(folder.glob("*.toml")), *sorted(folder.glob("tenstorrent/*.toml")))
    whole = checked_catalog(path for path in found if path.name not in OTHERS)
    key = compiled.key_of(catalog.sha256())
    text = compiled.text_of(whole.specs, key, advice=whole.advice, origin=whole.origin)
    if os.environ.get("TTCTL_GOLDEN") == "write":
        (folder / SHIPPED).write_text(text, encoding="utf-8")
    assert (folder / SHIPPED).read_text(encoding="utf-8") == text, "make golden writes it anew"
    assert compiled.read_whole(folder / SHIPPED, key) == whole


def test_what_was_checked_once_is_read_compiled_and_is_the_same(folder: Path, cache: Path) -> None:
    first = BuiltInCatalog(folder, cache=cache).specs()
    file = kept(cache)
    assert file.stat().st_mode & 0o777 == 0o600
    # Another name in it, with a digest that fits, shows that it is what is read.
    other = compiled.text_of(first[:1], file.stem)
    file.write_text(other, encoding="utf-8")
    assert BuiltInCatalog(folder, cache=cache).specs() == first[:1]
    assert first == checked(folder)
    assert len(first) == 2


def test_every_field_survives(folder: Path, tmp_path: Path) -> None:
    specs = (FULL, *checked(folder))
    for shape in (FULL, FULL.pins, *FULL.changed, *FULL.requirements, *FULL.targets, *FULL.issues):
        assert shape is not None
        assert all(getattr(shape, name) for name in type(shape).__annotations__)
    file = tmp_path / "one.json"
    file.write_text(compiled.text_of(specs, "key"), encoding="utf-8")
    assert compiled.read(file, "key") == specs


def cut(text: str) -> str:
    return text[: len(text) // 2]


def another_word(text: str) -> str:
    return text.replace('"acme/Small-1B"', '"acme/Smell-1B"')


def another_key(text: str) -> str:
    return text.replace('"key": "', '"key": "0')


def no_entries(text: str) -> str:
    return text.partition("\n")[0]


def wrong_shape(text: str) -> str:
    head = json.loads(text.partition("\n")[0])
    body = '[{"model": 1}]\n'
    fitting = {**head, "sha256": hashlib.sha256(body.encode()).hexdigest()}
    return f"{json.dumps(fitting)}\n{body}"


def nothing(text: str) -> str:
    return text[:0]


def too_deep(text: str) -> str:
    return "[[[[" * len(text)


@pytest.mark.parametrize(
    "damage", [cut, another_word, another_key, no_entries, wrong_shape, nothing, too_deep]
)
def test_a_damaged_or_foreign_one_is_made_anew(
    folder: Path, cache: Path, damage: Callable[[str], str]
) -> None:
    specs = BuiltInCatalog(folder, cache=cache).specs()
    file = kept(cache)
    good = file.read_text(encoding="utf-8")
    file.write_text(damage(good), encoding="utf-8")
    assert BuiltInCatalog(folder, cache=cache).specs() == specs
    assert kept(cache).read_text(encoding="utf-8") == good


@pytest.mark.parametrize("byte", range(0, 900, 37))
def test_no_changed_byte_is_believed(folder: Path, tmp_path: Path, byte: int) -> None:
    specs = checked(folder)
    raw = bytearray(compiled.text_of(specs, "k" * 64).encode())
    raw[byte] ^= 1
    file = tmp_path / "one.json"
    file.write_bytes(raw)
    assert compiled.read(file, "k" * 64) is None


def test_a_changed_file_is_checked_again(folder: Path, cache: Path) -> None:
    before = BuiltInCatalog(folder, cache=cache).specs()
    file = folder / "a.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("6144", "8192"), encoding="utf-8")
    after = BuiltInCatalog(folder, cache=cache).specs()
    assert [spec.memory_mib for spec in (*before, *after)] == [6144, 6144, 8192, 8192]
    file.write_text("schema = 2\n", encoding="utf-8")
    with pytest.raises(BadFileError):
        BuiltInCatalog(folder, cache=cache).specs()


@pytest.mark.parametrize("obstacle", ["a file", "a folder of its name", "read-only"])
def test_a_cache_that_cannot_be_written_costs_only_time(
    folder: Path, cache: Path, obstacle: str
) -> None:
    key = compiled.key_of(BuiltInCatalog(folder).sha256())
    match obstacle:
        case "a file":
            cache.parent.mkdir()
            cache.touch()
        case "a folder of its name":
            (compiled.place(cache, key) / "inner").mkdir(parents=True)
        case _:
            cache.mkdir(parents=True, mode=0o500)
    catalog = BuiltInCatalog(folder, cache=cache)
    assert catalog.specs() == checked(folder)


def test_old_ones_and_what_a_kill_left_are_swept(folder: Path, cache: Path) -> None:
    cache.mkdir(parents=True)
    now = time.time()
    for number in range(12):
        old = cache / f"{number}.json"
        old.touch()
        os.utime(old, (now - 1000 + number, now - 1000 + number))
    stray, fresh = cache / ".ttctl-stray", cache / ".ttctl-fresh"
    for path in (stray, fresh):
        path.touch()
    os.utime(stray, (now - 7200, now - 7200))
    BuiltInCatalog(folder, cache=cache).specs()
    names = {path.name for path in cache.iterdir() if len(path.stem) < 64}
    assert names == {".ttctl-fresh", *(f"{number}.json" for number in range(5, 12))}
    assert len(list(cache.glob("*.json"))) == compiled.KEPT


def test_the_key_follows_the_files() -> None:
    assert compiled.key_of("1" * 64) != compiled.key_of("2" * 64)
