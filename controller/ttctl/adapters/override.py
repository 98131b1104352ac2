# SPDX-License-Identifier: Apache-2.0
"""Read the compose.override.yaml that a user put beside a rendered compose.yaml."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING

import yaml

from ttctl.errors import BadFileError
from ttctl.rules.override import override_of

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.override import Override


class _Loader(yaml.SafeLoader):
    """Compose's own tags, `!reset` and `!override`, are read as what stands behind them."""


def _untagged(loader: yaml.SafeLoader, _: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)  # type: ignore[arg-type]


_Loader.add_multi_constructor("!", _untagged)


def read_override(path: Path) -> Override | None:
    """Return what the file at `path` says, None where there is none.

    Raises:
        BadFileError: It is no YAML that compose could read, or no file, which would be passed over.
    """
    if os.path.lexists(path) and not path.is_file():
        raise _no_file(path)
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as exc:
        raise _unreadable(path, str(exc)) from exc
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise _unreadable(path, "It holds no mapping.")
    return override_of(str(path), values)


def _no_file(path: Path) -> BadFileError:
    found = "a folder" if path.is_dir() else "a special file"
    return BadFileError(
        f"{str(path)!r} is no file.",
        why="A file of this name is laid over the stack's own; this would be passed over.",
        evidence=found if path.exists() else "a link that leads nowhere",
        next_step=f"ls -ld {quote(str(path))}",
    )


def _unreadable(path: Path, why: str) -> BadFileError:
    return BadFileError(
        f"{str(path)!r} cannot be read.",
        why="compose lays it over the stack's own file, and it is none that compose could read.",
        evidence=why,
        next_step=f"docker compose --file {quote(str(path))} config --quiet",
    )
