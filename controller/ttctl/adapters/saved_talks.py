# SPDX-License-Identifier: Apache-2.0
"""Conversations that were saved: a JSON file each, in a folder that is the user's alone."""

from __future__ import annotations

import json
from dataclasses import asdict
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ttctl.adapters.files import make_private, write_atomically
from ttctl.errors import BadFileError, UsageError
from ttctl.model.talk import Message, Talk
from ttctl.rules.talk import checked_talk_name, encodable

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = "ttctl.talk/1"
LARGEST_BYTES = 64 << 20
"""More text than any model reads; what is larger was not written here."""

Count = Annotated[int, Field(ge=0)]


class _Message(BaseModel):
    model_config = ConfigDict(strict=True)

    role: Literal["user", "assistant"]
    text: str
    stopped: bool = False


class _Talk(BaseModel):
    """A saved conversation. What a newer ttctl adds is ignored."""

    model_config = ConfigDict(strict=True)

    schema_name: Literal["ttctl.talk/1"] = Field(alias="schema")
    model: str
    system: str = ""
    role: str = ""
    messages: list[_Message]
    max_tokens: int = Field(ge=1)
    temperature: float = Field(ge=0, le=2)
    context_tokens: Count = 0
    prompt_tokens: Count = 0
    completion_tokens: Count = 0


class SavedTalks:
    """The conversations in one folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` is made when the first one is saved."""
        self._folder = folder

    def names(self) -> tuple[str, ...]:
        """Return the names in the order of the alphabet."""
        return tuple(sorted(path.stem for path in self._folder.glob("[!.]*.json")))

    def save(self, name: str, talk: Talk) -> Path:
        """Write one and return its file."""
        path = self._path(name)
        make_private(self._folder)
        body = {"schema": SCHEMA, **asdict(talk)}
        del body["name"]
        write_atomically(
            path, encodable(json.dumps(body, indent=1, ensure_ascii=False)) + "\n", mode=0o600
        )
        return path

    def load(self, name: str) -> Talk:
        """Read one.

        Raises:
            BadFileError: It is damaged.
            UsageError: There is none of this name.
        """
        path = self._path(name)
        try:
            if path.stat().st_size > LARGEST_BYTES:
                raise _damaged(path, f"It is larger than {LARGEST_BYTES >> 20} MiB.")
            raw = path.read_bytes()
        except FileNotFoundError:
            raise self._unknown(name) from None
        except OSError as exc:
            raise _damaged(path, exc.strerror or str(exc)) from exc
        try:
            found = _Talk.model_validate_json(raw)
        except ValidationError as exc:
            first = exc.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise _damaged(path, f"{where}: {first['msg']}" if where else first["msg"]) from exc
        values = found.model_dump(exclude={"schema_name", "messages"})
        said = tuple(Message(**one.model_dump()) for one in found.messages)
        return Talk(name=name, messages=said, **values)

    def _path(self, name: str) -> Path:
        return self._folder / f"{checked_talk_name(name)}.json"

    def _unknown(self, name: str) -> UsageError:
        known = self.names()
        near = get_close_matches(name, known, n=1)
        return UsageError(
            f"There is no conversation {name!r}.",
            why="None was saved under this name.",
            evidence=f"{f'Nearest: {near[0]}. ' if near else ''}"
            f"Known: {', '.join(known) or 'none'}.",
            next_step=f"ttctl chat --load {known[0]}" if known else "ttctl chat",
            mistyped=name,
            meant=near[0] if near else "",
        )


def _damaged(path: Path, why: str) -> BadFileError:
    return BadFileError(
        f"The conversation {path.stem!r} cannot be read.",
        why=why,
        evidence=str(path),
        next_step="ttctl chat",
    )
