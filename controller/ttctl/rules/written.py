# SPDX-License-Identifier: Apache-2.0
"""What does a compose file that ttctl wrote say of its services? Pure.

It is ttctl's own text, of which the form is known; what it says is not believed beyond that.
"""

from __future__ import annotations

import re

from ttctl.model.container import BOARDS_LABEL

_SERVICE = re.compile(r"  ([a-z0-9][a-z0-9_.-]*):")
_IMAGE = re.compile(r'    image: "([^"]+)"')
_BOARDS = re.compile(rf'      "{re.escape(BOARDS_LABEL)}": "([^"]+)"')


def images_of(compose: str) -> tuple[str, ...]:
    """Return the images of the services, each once, in their order."""
    found = (_IMAGE.fullmatch(line) for line in compose.split("\n"))
    return tuple(dict.fromkeys(one[1].replace("$$", "$") for one in found if one))


def boards_of(compose: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the boards that each service leases; nothing for services without any."""
    found: list[tuple[str, tuple[str, ...]]] = []
    service = ""
    for line in compose.split("\n"):
        if named := _SERVICE.fullmatch(line):
            service = named[1]
        elif leased := _BOARDS.fullmatch(line):
            found.append((service, tuple(leased[1].split(","))))
    return tuple(found)
