# SPDX-License-Identifier: Apache-2.0
"""What does the chat page read besides itself: which engines there are, and which roles? Pure."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ttctl.rules.beside import CHAT_SERVICE
from ttctl.rules.gateway_routes import Behind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.service import ServiceDefaults
    from ttctl.model.talk import Role

ENGINES = "engines.json"
ROLES = "roles/"
SUFFIX = ".md"
OPEN = "/"
"""The page itself needs no key: nothing of anybody is in it."""


def engines_json(engines: Sequence[tuple[str, str]]) -> str:
    """Return the list of engines that the page offers models of.

    Args:
        engines: (name of the service, how it is talked to: `rules.talk.speaks`), in the order in
            which the page shows them; those that hold no conversation, an empty word, are left out.
    """
    listed = [
        {"name": name, "base": f"/{name}", "speaks": speaks} for name, speaks in engines if speaks
    ]
    return f"{json.dumps(listed, indent=2)}\n"


def page_files(engines: Sequence[tuple[str, str]], roles: Iterable[Role]) -> dict[str, str]:
    """Return path to text of what is mounted at /etc/ttctl/chat; paths are below that folder."""
    texts = {f"{ROLES}{role.name}{SUFFIX}": f"{role.text.strip()}\n" for role in roles}
    return {ENGINES: engines_json(engines), **texts}


def page_behind(roles: Iterable[Role], *, defaults: ServiceDefaults) -> Behind:
    """Return the page as one of those that the gateway leads to.

    A role whose name holds a dot has a path of its own, since the gateway's identifiers have none.
    """
    dotted = tuple(f"/{ROLES}{role.name}{SUFFIX}" for role in roles if "." in role.name)
    return Behind(
        name=CHAT_SERVICE,
        port=defaults.port,
        paths=(*defaults.paths, *dotted),
        open_paths=(OPEN,),
    )
