# SPDX-License-Identifier: Apache-2.0
"""What is another between two states of a stack, and which of them is meant? Pure."""

from __future__ import annotations

from dataclasses import asdict, fields, replace
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

from ttctl.errors import UsageError
from ttctl.model.catalog import FieldMoved
from ttctl.model.generation import Difference, FileMoved
from ttctl.model.spec import Request
from ttctl.rules.place_variables import NODE
from ttctl.rules.tls import is_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ttctl.model.generation import Generation
    from ttctl.model.lock import Lock

Texts = dict[str, str]
LOCK_NAME, COMPOSE, DOTENV, SITE = "ttctl.lock", "compose.yaml", ".env", "site/"
HASHES = ("dev.ttctl.config-hash",)
"""Labels that say that something else changed: nobody reads them in a difference."""
OF_TLS = frozenset({"tls", "tls_key"})
OF_ONE_COMMAND = frozenset(
    {"model", "name", "boards", "task", "unattended", "guesses", "from_settings"}
)
"""Fields of a request that no later one takes over."""
FOLLOWS = frozenset({"files_sha256"})
"""Values of a lock that say no more than the files do."""


def as_kept(files: Mapping[str, str]) -> Texts:
    """Return what makes a state: no secret of a build, and no number that a reset deals anew."""
    kept = {path: text for path, text in files.items() if not path.startswith(SITE)}
    if DOTENV in kept:
        lines = kept[DOTENV].split("\n")
        kept[DOTENV] = "\n".join(one for one in lines if not one.startswith(NODE))
    return kept


def same(one: Mapping[str, str], other: Mapping[str, str]) -> bool:
    """Return whether two folders are one state of a stack."""
    return as_kept(one) == as_kept(other)


def with_nodes(dotenv: str, values: Sequence[str]) -> str:
    """Return a .env file with its nodes where the boards are opened now."""
    lines = dotenv.split("\n")
    at = [index for index, line in enumerate(lines) if line.startswith(NODE)]
    at.sort(key=lambda index: int(lines[index].partition("=")[0].removeprefix(NODE)))
    for index, value in zip(at, values, strict=True):
        lines[index] = f"{lines[index].partition('=')[0]}='{value}'"
    return "\n".join(lines)


def difference(
    stack: str, before: tuple[Lock | None, Texts], after: tuple[Lock, Texts]
) -> Difference:
    """Return what is another in a lock and in the files beside it."""
    old, new = dict(_values(before[0])), dict(_values(after[0]))
    values = tuple(
        FieldMoved(name=name, before=old.get(name, ""), after=new.get(name, ""))
        for name in dict.fromkeys((*old, *new))
        if old.get(name, "") != new.get(name, "")
    )
    one, other = as_kept(before[1]), as_kept(after[1])
    paths = sorted({*one, *other} - {LOCK_NAME})
    files = (_moved(path, one.get(path), other.get(path)) for path in paths)
    return Difference(stack=stack, values=values, files=tuple(file for file in files if file))


def _moved(path: str, one: str | None, other: str | None) -> FileMoved | None:
    if one == other:
        return None
    # The first two lines name the files.
    lines = list(
        unified_diff((one or "").splitlines(), (other or "").splitlines(), n=0, lineterm="")
    )
    moved = [line for line in lines[2:] if line[:1] in {"-", "+"}]
    said = tuple(line for line in moved if not any(word in line for word in HASHES))
    if one is None or other is None:
        return FileMoved(path=path, move="added" if one is None else "removed", lines=said)
    # A hash says that something else is another, and that is said.
    return None if moved and not said else FileMoved(path=path, move="changed", lines=said)


def _values(lock: Lock | None) -> Iterator[tuple[str, str]]:
    if lock is None:
        return
    for name, value in asdict(lock).items():
        if name not in FOLLOWS:
            yield from _flat(name, value)


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield a value's parts by their keys: `images.vllm.reference`, `commits.tt-metal`."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _flat(f"{name}.{key}", one)
    elif isinstance(value, tuple | list) and value and isinstance(value[0], dict):
        for one in value:
            word = next((one[key] for key in ("name", "service", "path") if key in one), "")
            yield from _flat(f"{name}.{word}", {k: v for k, v in one.items() if v != word})
    elif isinstance(value, tuple | list) and value and isinstance(value[0], tuple):
        for key, one in value:
            yield f"{name}.{key}", str(one) or "set"
    elif isinstance(value, tuple | list):
        yield name, ", ".join(map(str, value))
    else:
        yield name, str(value)


def asked_of(lock: Lock) -> Request:
    """Return what a lock tells of its request; limits are left to the catalog."""
    return Request(
        model=lock.requested,
        name=lock.stack,
        device=lock.device,
        port=lock.port,
        engine=lock.engine,
        implementation=lock.implementation or None,
        engine_args=lock.engine_args or None,
        experimental=bool(lock.experimental),
        image_uid=lock.image_uid or None,
        values="latest" if lock.values else None,
        services=lock.services,
        ejected=tuple(one.yours.partition("=")[2] for one in lock.images if one.yours) or None,
        sources=tuple(dict.fromkeys(one.unvalidated for one in lock.images if one.unvalidated)),
    )


def together(request: Request, before: Request) -> Request:
    """Return a request with what an earlier one said, where it says nothing itself."""
    if before.model != request.model:
        return request
    # A key belongs to its certificate.
    left = OF_ONE_COMMAND if request.tls is None else OF_ONE_COMMAND | OF_TLS
    said = {
        one.name: getattr(before, one.name)
        for one in fields(Request)
        if one.name not in left and getattr(request, one.name) == one.default
    }
    taken = tuple(name for name in before.from_settings if name in said)
    settings = tuple(dict.fromkeys((*request.from_settings, *taken)))
    return replace(request, **said, from_settings=settings)


def as_recorded(request: Request) -> Request:
    """Return a request as it is kept: of a file that was copied the lock says all, `own`."""
    return replace(request, tls=None if is_file(request.tls) else request.tls, tls_key=None)


def asked_again(lock: Lock, newest: Generation | None, settings: Mapping[str, object]) -> Request:
    """Return what a stack is made of when it is resolved anew.

    Args:
        lock: The stack's.
        newest: The generation that serves; None where none is kept.
        settings: By the field of a request that a setting fills: what it says now.
    """
    asked = as_recorded(newest.request) if newest is not None else asked_of(lock)
    filled: dict[str, Any] = {
        name: value
        for name, value in settings.items()
        if name in asked.from_settings or getattr(asked, name) is None
    }
    said: dict[str, Any] = {
        "model": lock.requested,
        "name": lock.stack,
        "port": filled.pop("port", None) or asked.port or lock.port,
        "services": lock.services if asked.services is None else asked.services,
        "guesses": False,
    }
    of_settings = tuple(name for name in settings if name in filled or name in asked.from_settings)
    return replace(asked, **filled, **said, from_settings=of_settings)


def meant(stack: str, kept: Sequence[Generation], to: int | None, *, present: int) -> Generation:
    """Return the generation that a rollback leads to.

    Args:
        stack: Its name.
        kept: The oldest first.
        to: The number that was asked for; None for the one before.
        present: The one that the stack's folder holds; 0 for none of them.

    Raises:
        UsageError: There is none.
    """
    numbers = [one.number for one in kept]
    if to is not None:
        found = next((one for one in kept if one.number == to), None)
    else:
        found = next((one for one in reversed(kept) if one.number < (present or 1 << 62)), None)
    if found is not None:
        return found
    known = ", ".join(map(str, numbers)) or "none"
    what = "no generation before this one" if to is None else f"no generation {to}"
    raise UsageError(
        f"The stack {stack!r} has {what}.",
        why="A generation is made when a changed stack becomes ready; the last three are kept.",
        evidence=f"Generations: {known}.",
        next_step=f"ttctl history {stack}",
    )


def newest_of(kept: Iterable[tuple[Generation, Texts]], present: Texts) -> Generation | None:
    """Return the newest generation whose files are the present ones."""
    return next((one for one, files in reversed(list(kept)) if same(files, present)), None)
