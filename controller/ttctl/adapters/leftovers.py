# SPDX-License-Identifier: Apache-2.0
"""What nothing has a use for any more: our images in the engine, caches and files of this user."""

from __future__ import annotations

import json
import shutil
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import quote as in_address

from ttctl.adapters.docker_look import listed_in, looking, understood
from ttctl.adapters.folder_vitals import strays
from ttctl.adapters.process import run
from ttctl.errors import EngineError, PrivilegeError, TtctlError
from ttctl.model.container import FINGERPRINT_LABEL
from ttctl.model.litter import InUse, OwnImage, StrayFile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

REMOVE_S = 120.0
"""An image of ten gigabytes is gone within seconds; the engine may be at work for others."""
OURS = "ttctl/"
"""What the names of images begin with that ttctl builds."""


class LocalLeftovers:
    """This user's folders, and the engine that the docker command line would talk to."""

    def __init__(self, environ: Mapping[str, str], *, folders: Sequence[Path]) -> None:
        """`folders` are those of state and cache."""
        self._environ = environ
        self._folders = folders

    def images(self) -> tuple[OwnImage, ...]:
        """Return the images that ttctl built, one for each name of ttctl's that they have.

        Raises:
            EngineError: No engine answers.
        """
        filters = in_address(json.dumps({"label": [FINGERPRINT_LABEL]}))
        return tuple(
            OwnImage(
                reference=str(reference),
                image_id=str(one["Id"]),
                size_bytes=int(one["Size"]),
                made_at=int(one["Created"]),
            )
            for one in self._asked(f"/images/json?filters={filters}")
            # Who builds on an image of ours inherits its label: the name tells whose it is.
            for reference in one["RepoTags"] or ()
            if str(reference).startswith(OURS)
        )

    def in_use(self) -> InUse:
        """Return what all containers use, whoever made them.

        Raises:
            EngineError: No engine answers.
        """
        seen = self._asked("/containers/json?all=1")
        return InUse(
            images=frozenset(str(one["ImageID"]) for one in seen),
            folders=frozenset(
                str(mount.get("Source") or "")
                for one in seen
                for mount in one.get("Mounts") or ()
                if mount.get("Type") == "bind"
            ),
        )

    def files(self) -> tuple[StrayFile, ...]:
        """Return temporary files of killed commands in the folders of state and cache."""
        found = (path for folder in self._folders if folder.is_dir() for path in strays(folder))
        return tuple(StrayFile(path=str(path), size_bytes=path.stat().st_size) for path in found)

    def remove_image(self, reference: str) -> None:
        """Remove an image's name, and the image with its last one; never by force.

        Raises:
            EngineError: The engine refuses.
        """
        command = ["docker", "image", "rm", "--", reference]
        done = run(command, timeout_s=REMOVE_S, environ=self._environ)
        if done.returncode != 0:
            raise EngineError(
                f"The image {reference!r} could not be removed.",
                why=done.tail(1),
                evidence=f"docker image rm ended with {done.returncode}.",
                next_step="docker ps --all   # a container may be of it",
            )

    def remove_cache(self, folder: Path) -> None:
        """Remove a cache of engines.

        Raises:
            PrivilegeError: Files in it belong to the container's user.
        """
        try:
            shutil.rmtree(folder)
        except FileNotFoundError:
            return
        except PermissionError as exc:
            raise PrivilegeError(
                f"The cache {folder.name!r} could not be removed.",
                why="An engine wrote it as its own user.",
                evidence=str(exc.filename or folder),
                next_step=f"sudo rm -r {quote(str(folder))}",
            ) from exc
        except OSError as exc:
            raise TtctlError(
                f"The cache {folder.name!r} could not be removed.",
                why=exc.strerror or "the file system refused",
                evidence=str(exc.filename or folder),
                next_step=f"ls -la {quote(str(folder))}",
            ) from exc

    def _asked(self, path: str) -> list[Any]:
        with looking(self._environ) as engine:
            return listed_in(understood(*engine.get(path), self._environ))
