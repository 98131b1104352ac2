# SPDX-License-Identifier: Apache-2.0
"""Write controller/catalog/tenstorrent from an export that upstream published.

`make catalog FROM=EXPORT`. Other exports in its folder are its history: they say with what an
image was first validated. So does `vllm_args_as_first_validated.json` beside it, which goes first.
Nothing is written unless it reads back equal.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tools.catalog_text import file_text
from ttctl.adapters import places
from ttctl.adapters.catalog_validated import read_validated, validated_values
from ttctl.adapters.files import write_atomically
from ttctl.adapters.pin_facts import read_pin_facts
from ttctl.adapters.upstream_export import PUBLISHED, read_export, release_in_name
from ttctl.errors import BadFileError, TtctlError
from ttctl.model.pin_facts import FirstValidated
from ttctl.model.spec import MODEL_TYPES
from ttctl.rules.first_validated import earliest
from ttctl.rules.validated import validated_specs
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ttctl.model.export import Export
    from ttctl.model.spec import ModelSpec

FOLDER = places.catalog() / "tenstorrent"
FIRST = "vllm_args_as_first_validated.json"
SHAPES = ("model_specs_output*.json", "release_model_spec*.json")
MARK = b'"device_model_spec"'
"""Every entry of every release has it."""


def first_in(path: Path) -> dict[str, FirstValidated]:
    """Read the file of first validations, by entry; nothing where there is none."""
    if not path.is_file():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: FirstValidated(
            image=one["image"],
            release=one["first_release_with_image"],
            arguments=tuple((key, _text(value)) for key, value in one["vllm_args"].items()),
            environment=tuple(sorted((k, _text(v)) for k, v in one["env_vars"].items())),
        )
        for name, one in found.items()
    }


def exports_in(folder: Path) -> list[Path]:
    """Return the exports of a folder and of the folders in it, whatever they are named."""
    files = sorted({*folder.glob("*.json"), *folder.glob("*/*.json")})
    return [path for path in files if path.is_file() and _is_export(path)]


def history(folder: Path, *, up_to: str) -> list[tuple[str, Export]]:
    """Read the exports of a folder, the oldest release first, none newer than `up_to`."""
    facts = read_pin_facts(places.catalog())
    past: list[tuple[str, Export]] = []
    for path in exports_in(folder):
        name = path.relative_to(folder).as_posix()
        one = _read(path.read_bytes(), name, facts.exports)
        # What an unknown file says of itself may be one release behind its tag.
        named = "" if one.release_from == PUBLISHED else release_in_name(name)
        past.append((named or one.release, one))
    past = [pair for pair in past if numbers(pair[0]) <= numbers(up_to)]
    return sorted(past, key=lambda pair: numbers(pair[0]))


def specs_from(path: Path) -> tuple[Export, tuple[ModelSpec, ...]]:
    """Return an export, and its entries as validated with all that its folder knows."""
    facts = read_pin_facts(places.catalog())
    export = _read(path.read_bytes(), path.name, facts.exports)
    past = [(name, one.listed) for name, one in history(path.parent, up_to=export.release)]
    first = earliest([*past, (export.release, export.listed)], but=first_in(path.parent / FIRST))
    specs = validated_specs(export, facts=facts, first=first)
    source = f"tenstorrent/tt-inference-server:{_published_name(export.release)}@v{export.release}"
    return export, tuple(replace(spec, source=source) for spec in specs)


def texts(export: Export, specs: tuple[ModelSpec, ...], *, date: str) -> dict[str, str]:
    """Return each file's text by its name, one file for each type of model."""
    raw: Mapping[str, Mapping[str, object]] = {one.spec.id: one.raw for one in export.listed}
    return {
        f"{kind.lower().replace('_', '-')}.toml": file_text(
            kind, own, raw, release=export.release, date=date, sha256=export.sha256
        )
        for kind in MODEL_TYPES
        if (own := [spec for spec in specs if spec.type == kind])
    }


def write(found: dict[str, str], specs: tuple[ModelSpec, ...], folder: Path) -> None:
    """Write the files where they read back as `specs`.

    Raises:
        BadFileError: They do not.
    """
    with tempfile.TemporaryDirectory() as temporary:
        back: list[ModelSpec] = []
        for name, text in found.items():
            path = Path(temporary) / name
            path.write_text(text, encoding="utf-8")
            back.extend(validated_values(read_validated(path)))
    wanted = {spec.id: spec for spec in specs}
    odd = [one.id for one in back if wanted.pop(one.id, None) != one]
    if odd or wanted:
        raise BadFileError(
            "The catalog does not read back as it was written.",
            why="A value of the export has no place in our own schema.",
            evidence=", ".join([*odd, *wanted][:5]),
            next_step="git diff controller/catalog",
        )
    for name, text in found.items():
        write_atomically(folder / name, text, mode=0o644)
    for path in folder.glob("*.toml"):
        if path.name not in found:
            path.unlink()


@lru_cache(maxsize=256)
def _read(data: bytes, name: str, published: tuple[tuple[str, str], ...]) -> Export:
    return read_export(data, name=name, published=published)


def _is_export(path: Path) -> bool:
    return any(path.match(shape) for shape in SHAPES) or MARK in path.read_bytes()


def _published_name(release: str) -> str:
    flat = numbers(release) < (0, 11)
    return "model_specs_output.json" if flat else "release_model_spec.json"


def _text(value: object) -> str:
    return "" if value is True else value if isinstance(value, str) else json.dumps(value)


def main(words: list[str]) -> int:
    """Write the catalog; say what is in it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("export", type=Path)
    parser.add_argument("--date", default="", help="day of the release, where pins.toml lacks it")
    parser.add_argument("--out", type=Path, default=FOLDER)
    asked = parser.parse_args(words)
    if not asked.export.is_file():
        parser.error(f"{asked.export} is no file")
    try:
        export, specs = specs_from(asked.export)
        days = dict(read_pin_facts(places.catalog()).releases)
        date = asked.date or days.get(export.release, "")
        if not date:
            parser.error(f"the day of release {export.release} is not in pins.toml: say --date")
        write(texts(export, specs, date=date), specs, asked.out)
    except TtctlError as error:
        print(f"error:    {error.message}\nwhy:      {error.why}\nevidence: {error.evidence}")
        return error.exit_code
    print(f"{len(specs)} entries of release {export.release} ({export.release_from}), {date}")
    for one in export.quarantined:
        print(f"set aside: {one.id}: {one.reason}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
