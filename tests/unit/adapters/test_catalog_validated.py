# SPDX-License-Identifier: Apache-2.0
"""Is a damaged file of the catalog refused where it is damaged: entries, advice, facts of pins?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.catalog_advice import read_advice
from ttctl.adapters.catalog_validated import read_validated, validated_values
from ttctl.adapters.pin_facts import FILE, read_pin_facts
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

HEAD = f"""\
schema = 2
type = "LLM"
release = "0.20.0"
source = "a test"
date = 2026-08-14
sha256 = "{"0" * 64}"
"""
ENTRY = """
[[spec]]
id = "id_a_Small_n150"
model = "acme/Small"
device = "n150"
engine = "vllm"
status = "COMPLETE"
image = "ghcr.io/acme/small:0.9.0"
tt_metal = "55fd115"
vllm = "aa4ae1e"
contract = "vllm-legacy"
recipe = "vllm-fork"
flag = "--override_tt_config"
reason = "why"
weights = "acme/Small"
limits = { max_model_len = 1, max_num_seqs = 1, block_size = 64 }
requirements = [
  { what = "driver", specifier = ">=2.1,<3", strict = true },
]
[spec.arguments]
seed = "1"
[spec.environment]
MESH_DEVICE = "N150"
"""
ADVICE = """\
schema = 1
[[known_bad]]
model = "acme/Small-*"
device = "n150"
engine = "vllm"
reason = "why"
source = "where"
date = "2026-01-01"
firmware = ">=19.0,<20"
[[fallback]]
device = "p150x4"
instead = "p150"
engine = "media"
reason = "why"
source = "where"
date = "2026-01-01"
[[image]]
model = "acme/Small"
engine = "media"
image = "ghcr.io/acme/small:1"
reason = "why"
source = "where"
date = "2026-01-01"
"""


def place(folder: Path, text: str, name: str = "llm.toml") -> Path:
    path = folder / "tenstorrent" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_entry_is_read(tmp_path: Path) -> None:
    (spec,) = validated_values(read_validated(place(tmp_path, HEAD + ENTRY)))
    assert spec.id == "id_a_Small_n150"
    assert spec.requirements[0].specifier == ">=2.1,<3"
    assert BuiltInCatalog(tmp_path).specs() == (spec,)


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("schema = 2", "schema = 3", "schema"),
        ('type = "LLM"', 'type = "ROBOT"', "type"),
        ("0" * 64, "0" * 63, "sha256"),
        ("2026-08-14", '"soon"', "date"),
        ('"id_a_Small_n150"', '"../x"', "spec.0.id"),
        ('model = "acme/Small"', 'model = "acme/../x"', "spec.0.model"),
        ('"vllm"', '"other"', "spec.0.engine"),
        ('"COMPLETE"', '"GOLD"', "spec.0.status"),
        ("small:0.9.0", "small 0.9.0", "spec.0.image"),
        ('"55fd115"', '"main"', "spec.0.tt_metal"),
        ('"aa4ae1e"', '"aa4ae1e\\n"', "spec.0.vllm"),
        ('"vllm-legacy"', '"vllm-old"', "spec.0.contract"),
        ('"vllm-fork"', '"fork"', "spec.0.recipe"),
        ("--override_tt_config", "--x", "spec.0.flag"),
        ('"why"', '"\\u001b[2J"', "spec.0.reason"),
        ("max_num_seqs = 1", "max_num_seqs = -1", "spec.0.limits.max_num_seqs"),
        (">=2.1,<3", "new", "spec.0.requirements.0.specifier"),
        ("seed =", '"a b" =', "spec.0.arguments.a b"),
        ("MESH_DEVICE", "LD_PRELOAD", "spec.0.environment.LD_PRELOAD"),
        ('"N150"', '"a\\nb"', "spec.0.environment.MESH_DEVICE"),
        ("weights =", "color = 1\nweights =", "spec.0.color"),
    ],
)
def test_damage_is_refused_with_its_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = HEAD + ENTRY
    assert old in text
    path = place(tmp_path, text.replace(old, new, 1))
    with pytest.raises(BadFileError) as caught:
        BuiltInCatalog(tmp_path).specs()
    assert f"{path}, line " in caught.value.evidence
    assert f"key {key}" in caught.value.evidence


def test_files_of_two_exports_are_no_catalog(tmp_path: Path) -> None:
    place(tmp_path, HEAD + ENTRY)
    place(tmp_path, HEAD.replace("0" * 64, "1" * 64) + ENTRY.replace("Small", "Other"), "vlm.toml")
    with pytest.raises(BadFileError, match="different exports") as caught:
        BuiltInCatalog(tmp_path).specs()
    assert "llm.toml, vlm.toml" in caught.value.evidence


def test_an_id_names_one_entry(tmp_path: Path) -> None:
    place(tmp_path, HEAD + ENTRY + ENTRY)
    with pytest.raises(BadFileError, match="two entries 'id_a_Small_n150'"):
        BuiltInCatalog(tmp_path).specs()


def test_advice_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "advice.toml"
    path.write_text(ADVICE, encoding="utf-8")
    advice = read_advice(path)
    assert advice.known_bad[0].firmware == ">=19.0,<20"
    assert advice.fallbacks[0].instead == "p150"
    assert advice.images[0].date == "2026-01-01"
    place(tmp_path, HEAD + ENTRY)
    assert BuiltInCatalog(tmp_path).advice() == advice


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('device = "n150"', 'device = "n151"', "known_bad.0.device"),
        ('"acme/Small-*"', '"$(x)"', "known_bad.0.model"),
        ('reason = "why"', 'reason = ""', "known_bad.0.reason"),
        ('source = "where"\n', "", "known_bad.0.source"),
        (">=19.0,<20", "old", "known_bad.0.firmware"),
        ('instead = "p150"', 'instead = ""', "fallback.0.instead"),
        ("small:1", "small", "image.0.image"),
    ],
)
def test_advice_without_its_parts_is_refused(tmp_path: Path, old: str, new: str, key: str) -> None:
    path = tmp_path / "advice.toml"
    assert old in ADVICE
    path.write_text(ADVICE.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadFileError) as caught:
        read_advice(path)
    assert f"key {key}" in caught.value.evidence


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('commit = "5cbc982"', 'commit = "main"'),
        ('full = "5cbc982913907d1645df3693069ad53c4925f37d"', 'full = "5cbc982"'),
        ('flag = "--override_tt_config"', 'flag = "--x"'),
        ('"0.1.0" = 2025-10-19', '"0.1.0" = "soon"'),
    ],
)
def test_facts_of_pins_are_checked(tmp_path: Path, old: str, new: str) -> None:
    shutil.copy(places.catalog() / FILE, tmp_path / FILE)
    facts = read_pin_facts(tmp_path)
    assert facts.tt_metal
    assert facts.vllm[0].torch == "2.5.0+cpu"
    text = (tmp_path / FILE).read_text(encoding="utf-8")
    assert old in text
    (tmp_path / FILE).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadFileError):
        read_pin_facts(tmp_path)
