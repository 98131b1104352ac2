# SPDX-License-Identifier: Apache-2.0
"""Which engines of Docker's run here besides the one that this user's command line asks?"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ttctl.adapters.tree import rooted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

NAMING = ("DOCKER_HOST", "DOCKER_CONTEXT")
LEFT_OUT = frozenset({*NAMING, "DOCKER_TLS", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"})


def other_engines(environ: Mapping[str, str], root: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield how docker asks the other engines of this host: a command, and its environment.

    They are root's, and the one that this user runs without root. Where there is one of them, and
    no other engine is named, it is the one that is asked anyway.

    Source: https://docs.docker.com/engine/security/rootless/, where its socket is
    """
    runtime = environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}"
    sockets = ("/var/run/docker.sock", f"{runtime}/docker.sock")
    here = [one for one in sockets if rooted(root, one).is_socket()]
    if len(here) + any(environ.get(name) for name in NAMING) < len(sockets):
        return
    base = {name: value for name, value in environ.items() if name not in LEFT_OUT}
    for socket in here:
        if environ.get("DOCKER_HOST") != f"unix://{socket}":
            yield f"docker --host unix://{socket}", {**base, "DOCKER_HOST": f"unix://{socket}"}
