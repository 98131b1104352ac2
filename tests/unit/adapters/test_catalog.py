# SPDX-License-Identifier: Apache-2.0
"""Is the built-in catalog good, and is a bad one refused where it is bad?"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.sources import read_sources
from ttctl.adapters.templates import ShippedRecipes
from ttctl.errors import BadFileError
from ttctl.rules.parsers import told_arguments
from ttctl.rules.resolve import BLOCK_SIZES, resolve
from ttctl.rules.stack import NAME

if TYPE_CHECKING:
    from pathlib import Path

BUILT_IN = BuiltInCatalog(places.catalog())
ENTRY = """\
schema = 1
source = "a test"

[[spec]]
model = "acme/Small-1B"
device = "cpu"
engine = "vllm"
aliases = ["llama"]
status = "EXPERIMENTAL"
image = "vllm-cpu"
memory_mib = 6144

[spec.weights]
kind = "hub"
repository = "acme/Small-1B"
size_mib = 700

[spec.limits]
max_model_len = 4096
max_num_seqs = 8
block_size = 64

[spec.engine_args]
enforce-eager = true
kv-cache-memory-bytes = "1G"

[spec.environment]
OMP_NUM_THREADS = "4"
"""


def catalog(folder: Path, text: str) -> BuiltInCatalog:
    (folder / "a.toml").write_text(text, encoding="utf-8")
    return BuiltInCatalog(folder)


def test_every_entry_of_the_built_in_catalog_names_what_is_shipped() -> None:
    recipes = ShippedRecipes(places.shipped())
    for spec in BUILT_IN.specs():
        if spec.pins is not None:
            assert not spec.image, spec.id
            continue
        assert spec.image in recipes.names(), spec.model
        assert recipes.defaults(spec.image).port, spec.model
        assert spec.source, spec.model
        assert spec.engine == "sd" or spec.limits.block_size in BLOCK_SIZES, spec.model
        if spec.weights.kind == "bundled":
            assert (places.shipped() / "images" / spec.weights.repository / "model").is_dir()


def test_no_model_stands_twice_for_one_device_engine_and_implementation() -> None:
    specs = BUILT_IN.specs()
    counts = Counter((one.model, one.device, one.engine, one.implementation) for one in specs)
    assert set(counts.values()) == {1}
    assert len({one.id for one in specs}) == len(specs)


def test_every_alias_means_one_model_on_each_device() -> None:
    specs = BUILT_IN.specs()
    for device, alias in {(spec.device, alias) for spec in specs for alias in spec.aliases}:
        owners = [one for one in specs if one.device == device and alias in one.aliases]
        assert len(owners) == 1 or sum(one.default for one in owners) == 1, alias
        assert NAME.fullmatch(alias.replace(".", "-")), alias


def test_what_stands_in_offline_is_there_on_the_same_device_and_needs_no_hub() -> None:
    for spec in BUILT_IN.specs():
        if spec.offline_model:
            found = resolve(BUILT_IN.specs(), model=spec.offline_model, device=spec.device)
            assert found.weights.kind == "bundled", spec.model


def test_the_public_hosts_are_read() -> None:
    assert read_sources(places.catalog()).base.release


def test_an_entry_becomes_a_value(tmp_path: Path) -> None:
    (spec,) = catalog(tmp_path, ENTRY).specs()
    assert spec.weights.size_bytes == 700 << 20
    assert spec.engine_args == (("enforce-eager", ""), ("kv-cache-memory-bytes", "1G"))
    assert spec.environment == (("OMP_NUM_THREADS", "4"),)


def test_a_table_among_the_flags_is_an_object_of_vllm(tmp_path: Path) -> None:
    text = ENTRY.replace("enforce-eager = true", 'x-config = { backend = "xgrammar", on = true }')
    (spec,) = catalog(tmp_path, text).specs()
    assert dict(spec.engine_args)["x-config"] == '{"backend":"xgrammar","on":true}'


def test_an_entry_of_the_processor_names_its_parsers(tmp_path: Path) -> None:
    text = ENTRY.replace(
        "memory_mib", 'tool_parser = "hermes"\nreasoning_parser = "qwen3"\nmemory_mib'
    )
    (spec,) = catalog(tmp_path, text).specs()
    assert (spec.tool_parser, spec.reasoning_parser) == ("hermes", "qwen3")


def test_vllm_on_the_processor_has_a_parser_of_tool_calls_for_every_model() -> None:
    for spec in BUILT_IN.specs():
        if (spec.device, spec.engine) == ("cpu", "vllm"):
            told = dict(told_arguments(spec))
            assert told["tool-call-parser"] == "hermes", spec.model
            assert "enable-auto-tool-choice" in told, spec.model


def test_numbers_as_text_are_taken_as_numbers(tmp_path: Path) -> None:
    text = ENTRY.replace("memory_mib = 6144", 'memory_mib = "6144"')
    assert catalog(tmp_path, text).specs()[0].memory_mib == 6144


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        pytest.param('"acme/Small-1B"\ndevice', '"../x"\ndevice', "spec.0.model", id="model path"),
        pytest.param('"acme/Small-1B"\ndevice', '"a\\nb"\ndevice', "spec.0.model", id="model line"),
        pytest.param('engine = "vllm"', 'engine = "x"', "spec.0.engine", id="engine"),
        pytest.param('aliases = ["llama"]', 'aliases = ["a b"]', "spec.0.aliases", id="alias"),
        pytest.param('image = "vllm-cpu"', 'image = "../x"', "spec.0.image", id="image path"),
        pytest.param("memory_mib = 6144", "memory_mib = 1", "spec.0.memory_mib", id="memory"),
        pytest.param("memory_mib = 6144", "memory_mib = true", "spec.0.memory_mib", id="a switch"),
        pytest.param('status = "EX', 'status = "FX', "spec.0.status", id="status"),
        pytest.param('kind = "hub"', 'kind = "ftp"', "spec.0.weights.kind", id="kind of weights"),
        pytest.param("size_mib = 700", "", "spec.0.weights.size_mib", id="missing"),
        pytest.param("size_mib = 700", "size_mib = -1", "spec.0.weights.size_mib", id="negative"),
        pytest.param(
            "size_mib = 700", 'revision = "main"\nsize_mib = 7', "spec.0.weights.revision",
            id="a branch",
        ),
        pytest.param("block_size = 64", "block_size = 48", "spec.0.limits.block_size", id="block"),
        pytest.param(
            "max_model_len = 4096", "max_model_len = 0", "spec.0.limits.max_model_len", id="limit"
        ),
        pytest.param(
            "enforce-eager = true", "enforce-eager = false", "spec.0.engine_args.enforce-eager",
            id="a flag that is off",
        ),
        pytest.param(
            "enforce-eager = true", '"--x y" = true', "spec.0.engine_args.--x y", id="a flag's name"
        ),
        pytest.param('"1G"', '"1G\\n--x"', "spec.0.engine_args.kv-cache", id="a flag's value"),
        pytest.param('"1G"', '"-x"', "spec.0.engine_args.kv-cache", id="a value that is a flag"),
        pytest.param(
            '"1G"', '{ "x y" = "1" }', "spec.0.engine_args.kv-cache", id="an object's key"
        ),
        pytest.param(
            '"1G"', '{ x = "/etc/x" }', "spec.0.engine_args.kv-cache", id="an object's value"
        ),
        pytest.param(
            "memory_mib = 6144", 'memory_mib = 6144\ntool_parser = "/x.py"', "spec.0.tool_parser",
            id="a parser's path",
        ),
        pytest.param("OMP_NUM", "LD_PRELOAD", "spec.0.environment.LD_PRELOAD", id="LD_PRELOAD"),
        pytest.param("OMP_NUM_THREADS", "PATH", "spec.0.environment.PATH", id="PATH"),
        pytest.param("OMP_NUM_THREADS", "PYTHONPATH", "spec.0.environment.PYTH", id="PYTHON"),
        pytest.param('"4"', '"4\\nX=1"', "spec.0.environment.OMP_NUM", id="an environment's line"),
        pytest.param('"4"', '"4\\u0000"', "spec.0.environment.OMP_NUM", id="an environment's nul"),
        pytest.param('image = "vllm', 'color = "red"\nimage = "vllm', "spec.0.color", id="unknown"),
        pytest.param("schema = 1", "schema = 2", "schema", id="newer schema"),
    ],
)  # fmt: skip
def test_damage_is_refused_with_file_line_and_key(
    tmp_path: Path, old: str, new: str, key: str
) -> None:
    assert ENTRY.count(old) == 1
    text = ENTRY.replace(old, new)
    with pytest.raises(BadFileError) as caught:
        catalog(tmp_path, text).specs()
    first = caught.value.evidence.splitlines()[0]
    assert first.startswith(f"{tmp_path / 'a.toml'}, line ")
    assert f"key {key}" in first
    if new:
        changed = ENTRY[: ENTRY.index(old)].count("\n") + 1
        told = int(first.partition("line ")[2].partition(",")[0])
        assert changed <= told <= changed + new.count("\n"), first


def test_a_device_that_does_not_exist_is_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match="does not exist: 'n151'") as caught:
        catalog(tmp_path, ENTRY.replace('"cpu"', '"n151"')).specs()
    assert "n150" in caught.value.evidence


@pytest.mark.parametrize("text", ["", "[[spec]]", "schema = 1", "\x01"], ids=repr)
def test_what_is_no_catalog_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFileError):
        catalog(tmp_path, text).specs()


@pytest.mark.parametrize("other", ["sources.toml", "golden.toml"])
def test_a_folder_without_a_catalog_is_refused(tmp_path: Path, other: str) -> None:
    (tmp_path / other).touch()
    with pytest.raises(BadFileError, match="is empty"):
        BuiltInCatalog(tmp_path).specs()


def test_the_hash_changes_with_any_file_and_its_name_and_not_with_the_public_hosts(
    tmp_path: Path,
) -> None:
    hashes = [catalog(tmp_path, ENTRY).sha256()]
    (tmp_path / "sources.toml").write_text("x", encoding="utf-8")
    assert catalog(tmp_path, ENTRY).sha256() == hashes[0]
    hashes.append(catalog(tmp_path, ENTRY + "\n").sha256())
    (tmp_path / "b.toml").write_text(ENTRY, encoding="utf-8")
    hashes.append(BuiltInCatalog(tmp_path).sha256())
    (tmp_path / "b.toml").rename(tmp_path / "c.toml")
    hashes.append(BuiltInCatalog(tmp_path).sha256())
    assert len(set(hashes)) == 4
