# SPDX-License-Identifier: Apache-2.0
"""Does `make catalog` write what an export says, and nothing that does not read back equal?"""

from __future__ import annotations

import json
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.unit.listed import VLLM, nested, raw

from tools.catalog import FIRST, exports_in, history, main, specs_from, texts, write
from ttctl.adapters.catalog import BuiltInCatalog
from ttctl.adapters.catalog_validated import read_validated, validated_values
from ttctl.errors import BadFileError

if TYPE_CHECKING:
    from pathlib import Path

LLM = raw(
    model_id="id_llm", model_type="LLM", hf_model_repo="acme/Other", hf_weights_repo="acme/Small-1B"
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    folder = tmp_path / "exports"
    folder.mkdir()
    file = folder / "release_model_spec.v0.20.0.json"
    file.write_bytes(nested(raw(), LLM))
    return file


def written(export: Path, out: Path) -> dict[str, str]:
    assert main([str(export), "--out", str(out)]) == 0
    return {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}


def test_one_file_for_each_type_and_the_same_bytes_again(export: Path, tmp_path: Path) -> None:
    first = written(export, tmp_path / "one")
    assert set(first) == {"llm.toml", "vlm.toml"}
    assert written(export, tmp_path / "two") == first
    head = tomllib.loads(first["vlm.toml"])
    assert (head["release"], str(head["date"])) == ("0.20.0", "2026-08-14")
    assert head["source"].endswith(":release_model_spec.json@v0.20.0")
    assert head["spec"][0]["upstream"] == {"has_builtin_warmup": True}


def test_what_is_written_is_a_catalog_of_its_own(export: Path, tmp_path: Path) -> None:
    folder = tmp_path / "catalog"
    written(export, folder / "tenstorrent")
    catalog = BuiltInCatalog(folder)
    _, specs = specs_from(export)
    assert sorted(catalog.specs(), key=lambda one: one.id) == sorted(specs, key=lambda one: one.id)
    assert catalog.origin().release == "0.20.0"


def test_other_exports_beside_it_say_what_was_first(export: Path) -> None:
    older = raw()
    older["device_model_spec"]["vllm_args"]["override_tt_config"] = '{"trace_region_size": 7}'
    (export.parent / "release_model_spec.v0.12.0.json").write_bytes(nested(older, release="0.12.0"))
    newer = raw()
    newer["device_model_spec"]["vllm_args"] = {}
    (export.parent / "release_model_spec.v0.30.0.json").write_bytes(nested(newer, release="0.30.0"))
    _, specs = specs_from(export)
    (one,) = [spec for spec in specs if spec.type == "VLM"]
    assert one.pins is not None
    assert one.pins.first_release == "0.12.0"
    assert dict(one.engine_args)["override_tt_config"] == '{"trace_region_size": 7}'
    assert [(change.name, change.first, change.latest) for change in one.changed] == [
        ("trace_region_size", "7", "30000000")
    ]


def test_exports_beside_it_are_found_whatever_they_are_named(export: Path) -> None:
    older = raw()
    older["device_model_spec"]["vllm_args"]["override_tt_config"] = '{"trace_region_size": 7}'
    folder = export.parent / "v0.12.0"
    folder.mkdir()
    (folder / "export.json").write_bytes(nested(older, release="0.11.1"))
    (export.parent / "snapshot.json").write_text('{"device_info": []}', encoding="utf-8")
    assert exports_in(export.parent) == [export, folder / "export.json"]
    assert [release for release, _ in history(export.parent, up_to="0.20.0")] == [
        "0.12.0", "0.20.0",
    ]  # fmt: skip
    _, specs = specs_from(export)
    (one,) = [spec for spec in specs if spec.type == "VLM"]
    assert one.pins is not None
    assert one.pins.first_release == "0.12.0"


def test_the_file_of_first_validations_goes_before_the_exports(export: Path) -> None:
    said: dict[str, Any] = {
        "image": f"{VLLM}:0.9.0-55fd115-aa4ae1e",
        "first_release_with_image": "0.9.0",
        "tt_flag": "override_tt_config",
        "vllm_args": {"max_model_len": "1024", "on": True, "override_tt_config": "{}"},
        "env_vars": {"MESH_DEVICE": "N150", "N": 1},
    }
    (export.parent / FIRST).write_text(json.dumps({raw()["model_id"]: said}), encoding="utf-8")
    _, specs = specs_from(export)
    (one,) = [spec for spec in specs if spec.type == "VLM"]
    assert one.engine_args == (("max_model_len", "1024"), ("on", ""), ("override_tt_config", "{}"))
    assert one.environment == (("MESH_DEVICE", "N150"), ("N", "1"))
    assert one.limits.max_model_len == 1024


def test_a_release_whose_day_is_not_known_needs_it_said(
    export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = export.with_name("new.json")
    file.write_bytes(nested(raw(), release="0.99.0"))
    with pytest.raises(SystemExit):
        main([str(file), "--out", str(tmp_path / "out")])
    assert "say --date" in capsys.readouterr().err
    assert main([str(file), "--date", "2027-01-01", "--out", str(tmp_path / "out")]) == 0


def test_what_does_not_read_back_equal_is_not_written(export: Path, tmp_path: Path) -> None:
    found, specs = specs_from(export)
    text = texts(found, specs, date="2026-08-14")
    wrong = tuple(replace(spec, parameters=7) for spec in specs)
    out = tmp_path / "out"
    with pytest.raises(BadFileError, match="does not read back"):
        write(text, wrong, out)
    with pytest.raises(BadFileError, match="does not read back"):
        write(text, (*specs, replace(specs[0], id="more")), out)
    assert not out.exists()


def test_a_file_that_is_not_there_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([str(tmp_path / "none.json")])
    assert "is no file" in capsys.readouterr().err


def test_a_bad_export_is_told_in_four_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bad.json"
    file.write_bytes(b"<html>")
    assert main([str(file)]) == 9
    assert "is no catalog" in capsys.readouterr().out


def test_an_entry_that_is_set_aside_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "release_model_spec.v0.20.0.json"
    file.write_bytes(nested(raw(), {**LLM, "docker_image": "$(x)"}))
    assert main([str(file), "--out", str(tmp_path / "out")]) == 0
    assert "set aside: id_llm: image" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    ['a "quoted" word', "it's", "both ' and \"", "back\\slash", "ünicode 漢", '{"tt": {"a": "b"}}'],
)
def test_any_text_survives_the_file(tmp_path: Path, text: str) -> None:
    entry = raw(env_vars={"A": text})
    file = tmp_path / "release_model_spec.v0.20.0.json"
    file.write_bytes(nested(entry))
    files = written(file, tmp_path / "out")
    (spec,) = validated_values(read_validated(tmp_path / "out" / "vlm.toml"))
    assert spec.environment == (("A", text),)
    assert tomllib.loads(files["vlm.toml"])["spec"][0]["environment"] == {"A": text}
