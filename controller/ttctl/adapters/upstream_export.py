# SPDX-License-Identifier: Apache-2.0
"""What does a catalog file list that upstream published? Every shape since release 0.1.0.

Up to 0.10.1 a file is a flat map by id (`model_specs_output.json`); from 0.11.0 on it is nested by
model, device, engine and implementation (`release_model_spec.json`). One bad entry is set aside
with its reason; only a file that is no catalog is refused.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from ttctl.adapters.strict_json import Twice, json_object
from ttctl.adapters.upstream_entry import listed_entry
from ttctl.adapters.upstream_twice import lost_values
from ttctl.adapters.upstream_values import CONTROL, HarmError, text_of
from ttctl.errors import BadFileError
from ttctl.model.export import BY_IMAGES, Export
from ttctl.model.pins import Quarantined
from ttctl.rules.contract import image_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ttctl.model.export import Listed

WRAPPER = "model_specs"
MARKS = frozenset({"device_model_spec", "docker_image", "tt_metal_commit", "hf_model_repo"})
"""An object with one of these is an entry."""
LEVELS = 4
REPOSITORY = "tenstorrent/tt-inference-server"
PUBLISHED = "its SHA-256, which is that of the published file"
"""Where a release was read of a file that upstream published, whatever it is named."""
_RELEASE = re.compile(r"\d+\.\d+(?:\.\d+)?")
_IN_NAME = re.compile(r"(?:^|[^0-9.])v?(\d+\.\d+\.\d+)(?![0-9]|\.[0-9])")

Path = tuple[str, ...]


def read_export(data: bytes, *, name: str, published: Iterable[tuple[str, str]] = ()) -> Export:
    """Read a catalog file of any release.

    Args:
        data: The file's bytes.
        name: The file's name or address; flat files say their release nowhere else.
        published: (release, SHA-256) of the files that are known; goes before what a file says.

    Raises:
        BadFileError: It is no catalog at all.
    """
    whole = json_object(data, name=name)
    entries = whole.get(WRAPPER) or _without_words(whole)
    found = list(_entries(entries, ()))
    if not any(_is_entry(raw) for _, raw in found):
        raise BadFileError(
            f"{name!r} is no catalog.",
            why="Not one entry of a model was found in it.",
            evidence=_keys_text(whole, name),
            next_step="ttctl models ls",
        )
    sha256 = hashlib.sha256(data).hexdigest()
    release, release_from = _known_release(sha256, name, published) or _named_release(whole, name)
    lost = [
        Quarantined(id=_name_of(path, raw), reason=_twice(key, name))
        for path, raw, key in lost_values(
            whole, entries, wrapper=WRAPPER, below=_entries, within=_holds_entries
        )
    ]
    listed, bad = _sorted_out(found, source=f"{REPOSITORY}, {name.rpartition('/')[2]}")
    if not release:
        release, release_from = _highest(listed), BY_IMAGES
    return Export(
        release=release,
        release_from=release_from,
        sha256=sha256,
        listed=tuple(listed),
        quarantined=(*lost, *bad),
    )


def release_in_name(name: str) -> str:
    """Return the release that a file's name or address has in it, empty where there is none."""
    found = _IN_NAME.findall(name)
    return found[-1] if found else ""


def _sorted_out(
    found: list[tuple[Path, object]], *, source: str
) -> tuple[list[Listed], list[Quarantined]]:
    """Return the entries that can be used, and the others with their reasons."""
    listed: list[Listed] = []
    bad: list[Quarantined] = []
    seen: set[str] = set()
    for path, raw in found:
        try:
            if not isinstance(raw, dict) or not _is_entry(raw):
                raise HarmError("it is no entry of a model")  # noqa: TRY301 - one reason of several
            one = listed_entry(raw, path=path, source=source)
            if one.spec.id in seen:
                raise HarmError("another entry of the file has the same id")  # noqa: TRY301 - one reason of several
            seen.add(one.spec.id)
            listed.append(one)
        except HarmError as exc:
            bad.append(Quarantined(id=_name_of(path, raw), reason=str(exc)))
    return listed, bad


def _entries(value: object, path: Path) -> Iterator[tuple[Path, object]]:
    """Yield every entry with the keys above it, at whatever depth it lies, and what is none."""
    if path and _is_entry(value):
        yield path, value
    elif isinstance(value, dict) and len(path) < LEVELS and _has_objects(value):
        for key, inner in value.items():
            yield from _entries(inner, (*path, key))
    elif path:
        yield path, value


def _holds_entries(value: object, path: Path) -> bool:
    return not _is_entry(value) and len(path) < LEVELS


def _twice(key: str, name: str) -> str:
    return f"the key {_shown(key)!r} stands twice in {_shown(name)}: the last is used"


def _keys_text(whole: dict[str, object], name: str) -> str:
    """Say what stands in a file that is no catalog, and what of it stands twice."""
    text = f"Its keys: {', '.join(_shown(key) for key in list(whole)[:8]) or 'none'}."
    lost = dict.fromkeys(key for key, _ in whole.lost) if isinstance(whole, Twice) else {}
    return " ".join((text, *(f"{_twice(key, name)}." for key in list(lost)[:3])))


def _without_words(whole: dict[str, object]) -> dict[str, object]:
    """Return a flat file without what it says of itself beside its entries."""
    entries = Twice({key: inner for key, inner in whole.items() if isinstance(inner, dict)})
    if isinstance(whole, Twice):
        entries.lost = tuple(one for one in whole.lost if isinstance(one[1], dict))
    return entries


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and not MARKS.isdisjoint(value)


def _has_objects(value: dict[str, object]) -> bool:
    return any(isinstance(inner, dict) for inner in value.values())


def _known_release(
    sha256: str, name: str, published: Iterable[tuple[str, str]]
) -> tuple[str, str] | None:
    """Return the release with this very file; of two that have it, the one that its name says."""
    found = [release for release, digest in published if digest == sha256]
    if not found:
        return None
    named = release_in_name(name)
    return named if named in found else found[0], PUBLISHED


def _named_release(whole: dict[str, object], name: str) -> tuple[str, str]:
    said = text_of(whole.get("release_version")).strip().removeprefix("v")
    named = release_in_name(name)
    if _RELEASE.fullmatch(said):
        return said, f"the file; its name says {named}" if named not in {"", said} else "the file"
    return (named, "the file's name") if named else ("", "")


def _highest(listed: list[Listed]) -> str:
    versions = [image_version(one.image, one.version)[0] for one in listed]
    return ".".join(str(part) for part in max(versions, default=()))


def _name_of(path: Path, raw: object) -> str:
    """Return a name of a bad entry that can be shown."""
    named = raw.get("model_id") if isinstance(raw, dict) else None
    return _shown(text_of(named) or " ".join(path))


def _shown(text: str) -> str:
    return CONTROL.sub("?", text)[:120]
