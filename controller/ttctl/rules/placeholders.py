# SPDX-License-Identifier: Apache-2.0
"""Put values into the texts of a contract, `{cache}/logs`. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"(?<!\$)\{([a-z_]+)\}")
"""`${name}` is a shell's own and is left as it is."""


def names_in(text: str) -> tuple[str, ...]:
    """Return the placeholders of a text, in their order."""
    return tuple(_NAME.findall(text))


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its placeholders' values; a value's own braces are not read again.

    Raises:
        KeyError: A placeholder has no value; the reader of the contracts lets none through.
    """
    return _NAME.sub(lambda found: values[found[1]], text)
