# SPDX-License-Identifier: Apache-2.0
"""How is an acceptance run written, so that equal runs are equal bytes and name nobody? Pure.

A file is an envelope: the run, the public key, the signature. What is signed is the run's canonical
JSON; what is written is the envelope's, indented, and anything else than these bytes is refused.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from ttctl.model.acceptance import Signed
from ttctl.rules.acceptance_rows import ran_of, table_in, text_in

if TYPE_CHECKING:
    from ttctl.model.acceptance import Ran

SCHEMA = "ttctl.acceptance/1"
NAMESPACE = "ttctl-acceptance"
"""What a signature is for: one that the same key made for another use does not fit."""
DIGITS = 3


def signed_text(ran: Ran) -> str:
    """Return what is signed: one line of canonical JSON."""
    return _canonical({"run": _row(ran), "schema": SCHEMA})


def file_text(ran: Ran, signed: Signed) -> str:
    """Return the file: the run, the key and the signature."""
    return _file(
        {
            "public_key": signed.public_key,
            "run": _row(ran),
            "schema": SCHEMA,
            "signature": signed.signature,
        }
    )


def read_file(text: str) -> tuple[Ran, Signed]:
    """Return a file's run and its signature, which is not checked here.

    Raises:
        ValueError: It is not byte for byte what `file_text` writes; says what is wrong.
    """
    try:
        found = json.loads(text)
    except RecursionError as exc:
        raise ValueError("it is too deep") from exc
    if not isinstance(found, dict) or found.get("schema") != SCHEMA:
        raise ValueError(f"its schema is not {SCHEMA}")
    signed = Signed(public_key=text_in(found, "public_key"), signature=text_in(found, "signature"))
    ran = ran_of(table_in(found, "run"))
    if file_text(ran, signed) != text:
        raise ValueError("it is not spelled as ttctl writes it")
    return ran, signed


def file_name(ran: Ran) -> str:
    """Return the name of a run's file: day, device and entry."""
    return f"{ran.date}-{ran.device}-{_word(ran.entry)}.json"


def is_named_for(name: str, *, entry: str, device: str) -> bool:
    """Return whether a file of this name is of an entry's run, by the name alone."""
    own = re.escape(f"{device}-{_word(entry)}")
    return re.fullmatch(rf"\d{{4}}-\d{{2}}-\d{{2}}-{own}(?:-\d+)?\.json", name) is not None


def _word(entry: str) -> str:
    return re.sub(r"[^a-z0-9._]+", "-", entry.lower()).strip("-.")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def _file(value: object) -> str:
    return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"


def _row(ran: Ran) -> dict[str, Any]:
    found = _plain(asdict(ran))
    if not isinstance(found, dict):
        raise TypeError(type(found))
    return found


def _plain(value: object) -> object:
    match value:
        case dict():
            return {name: _plain(one) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case float():
            return round(value, DIGITS)
        case _:
            return value
