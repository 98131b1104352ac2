# SPDX-License-Identifier: Apache-2.0
"""Write a value as YAML that every reader takes for the same value."""

from __future__ import annotations

import re

import yaml

from ttctl.errors import BadFileError

TEXT = "tag:yaml.org,2002:str"


def yaml_of(value: dict[str, object]) -> str:
    """Write `value` as YAML; every string that YAML could misread is quoted.

    Raises:
        BadFileError: The text does not read back as the same value.
    """
    try:
        text = yaml.dump(value, Dumper=_PlainDumper, sort_keys=False, width=100)
        same = yaml.safe_load(text) == value
    except (yaml.YAMLError, UnicodeError) as exc:
        raise _unwritable(str(exc)) from exc
    if not same:
        raise _unwritable("The text reads back as another value.")
    return text


def _unwritable(why: str) -> BadFileError:
    return BadFileError(
        "The compose file does not read back as it was meant.",
        why="A value is not what YAML can hold.",
        evidence=why,
        next_step="ttctl config site",
    )


class _PlainDumper(yaml.SafeDumper):
    """Lists indented under their key, no anchors, strings quoted unless they are plain words."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, FBT001, FBT002
        super().increase_indent(flow, indentless=False)

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    text.encode()  # half a character, as of a path that is no UTF-8, is refused
    # One letter: `y` and `n` are switches to other readers of YAML 1.1.
    word = re.fullmatch(r"[A-Za-z][A-Za-z_-]+", text)
    plain = word and dumper.resolve(yaml.ScalarNode, text, (True, False)) == TEXT  # type: ignore[no-untyped-call]
    return dumper.represent_scalar(TEXT, text, style=None if plain else '"')


_PlainDumper.add_representer(str, _represent_text)
