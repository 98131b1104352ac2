# SPDX-License-Identifier: Apache-2.0
"""Read and write ttctl.lock; a digest over its values shows any change that ttctl did not make."""

from __future__ import annotations

from dataclasses import asdict
from shlex import quote
from typing import TYPE_CHECKING

from ttctl.adapters.lock_entries import EngineEntry, LockFile, LockHead, WeightsEntry
from ttctl.adapters.lock_glance import SCHEMA, is_sealed, sealed
from ttctl.adapters.toml import parse_toml
from ttctl.adapters.toml_lines import line_of
from ttctl.errors import BadFileError
from ttctl.model.image import BaseImage
from ttctl.model.lock import Lock, LockedEngine, LockedFile, LockedImage, LockedWeights
from ttctl.model.pins import OWN
from ttctl.rules import fingerprint

if TYPE_CHECKING:
    from pathlib import Path

NEWER = frozenset(
    {
        "engine_args",
        "experimental",
        "derived_from",
        "commits",
        "implementation",
        "values",
        "bind",
        "tls",
        "image_uid",
        "services",
        "beside",
    }
)
"""What a lock has only where it is not empty; `contract` only where it is another than `own`."""
NEWER_OF_IMAGE = frozenset({"unvalidated", "yours", "user"})
NEWER_OF_ENGINE = frozenset(
    {"image", "commits", "implementation", "contract", "experimental", "derived_from"}
)
_NEWER = NEWER_OF_IMAGE | NEWER_OF_ENGINE


def lock_text(lock: Lock) -> str:
    """Return the file's text for `lock`; equal locks give equal bytes."""
    import tomlkit  # noqa: PLC0415 - whoever only reads a lock does without

    values = _ordered(asdict(lock))
    head = {"schema": SCHEMA, "digest": f"sha256:{fingerprint.of_json(values)}"}
    return sealed(tomlkit.dumps({**head, **values}))


def read_lock(path: Path) -> Lock | None:
    """Read the lock at `path`; None where there is none.

    Raises:
        BadFileError: It is damaged, was edited, or was written by a newer ttctl.
    """
    if not path.exists():
        return None
    next_step = f"mv {quote(str(path))} {quote(f'{path}.damaged')}"
    found = parse_toml(path, LockHead, next_step=next_step).schema_
    if found != SCHEMA:
        raise BadFileError(
            f"{str(path)!r} has schema {found}; this ttctl reads {SCHEMA}.",
            why="It was written by another version.",
            evidence=_place(path, "schema"),
            next_step="pip install --upgrade ttctl",
        )
    parsed = parse_toml(path, LockFile, next_step=next_step)
    lock = _value(parsed)
    expected = f"sha256:{fingerprint.of_json(_ordered(asdict(lock)))}"
    if expected != parsed.digest:
        why, expectation = "Its digest does not fit its values.", f", expected {expected}"
    elif not is_sealed(path.read_bytes().decode()):
        why, expectation = "Its text is not as ttctl wrote it, though its values are.", ""
    else:
        return lock
    raise BadFileError(
        f"{str(path)!r} was changed by something else than ttctl.",
        why=why,
        evidence=f"{_place(path, 'digest')}: found {parsed.digest}{expectation}",
        next_step=next_step,
    )


def _place(path: Path, key: str) -> str:
    line = line_of(path.read_text(encoding="utf-8"), (key,))
    return f"{path}, line {line}, key {key}"


def _ordered(values: dict[str, object]) -> dict[str, object]:
    """Plain values first, tables last: what stands behind a table's header belongs to it.

    What older locks did not have is left out where it says nothing, so that theirs still fit.
    """
    values = {name: value for name, value in values.items() if value or name not in NEWER}
    if values.get("contract") == OWN:
        del values["contract"]
    plain = {name: value for name, value in values.items() if isinstance(value, str | int)}
    tables = {name: _plain_lists(value) for name, value in values.items() if name not in plain}
    return {**plain, **tables}


def _plain_lists(value: object) -> object:
    if isinstance(value, dict):
        # Of an image and of an engine, too, what no older lock had is left out where it is empty.
        kept = {name: one for name, one in value.items() if one or name not in _NEWER}
        return {name: _plain_lists(one) for name, one in kept.items()}
    if isinstance(value, list | tuple):
        return [_plain_lists(one) for one in value]
    return value


def _value(parsed: LockFile) -> Lock:
    return Lock(
        stack=parsed.stack,
        requested=parsed.requested,
        model=parsed.model,
        device=parsed.device,
        engine=parsed.engine,
        reason=parsed.reason,
        max_model_len=parsed.max_model_len,
        max_num_seqs=parsed.max_num_seqs,
        block_size=parsed.block_size,
        port=parsed.port,
        base=BaseImage(**parsed.base.model_dump()),
        images=tuple(LockedImage(**image.model_dump()) for image in parsed.images),
        weights=_weights(parsed.weights),
        catalog_sha256=parsed.catalog_sha256,
        engine_args=tuple((name, value) for name, value in parsed.engine_args),
        commits=tuple((name, commit) for name, commit in parsed.commits),
        implementation=parsed.implementation,
        contract=parsed.contract,
        experimental=parsed.experimental,
        derived_from=parsed.derived_from,
        values=parsed.values,
        bind=parsed.bind,
        tls=parsed.tls,
        image_uid=parsed.image_uid,
        services=tuple(parsed.services),
        beside=tuple(_engine(one) for one in parsed.beside),
        files_sha256=parsed.files_sha256,
    )


def _engine(entry: EngineEntry) -> LockedEngine:
    return LockedEngine(
        service=entry.service,
        requested=entry.requested,
        model=entry.model,
        device=entry.device,
        engine=entry.engine,
        reason=entry.reason,
        weights=_weights(entry.weights),
        image=entry.image,
        commits=tuple((name, commit) for name, commit in entry.commits),
        implementation=entry.implementation,
        contract=entry.contract,
        experimental=entry.experimental,
        derived_from=entry.derived_from,
    )


def _weights(entry: WeightsEntry) -> LockedWeights:
    return LockedWeights(
        kind=entry.kind,
        repository=entry.repository,
        revision=entry.revision,
        files=tuple(LockedFile(**file.model_dump()) for file in entry.files),
    )
