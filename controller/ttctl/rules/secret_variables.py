# SPDX-License-Identifier: Apache-2.0
"""Which variables of an environment hold a secret, and which does another program not get? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(
    r"(?:TOKEN|SECRET|PASSW(?:OR)?D|PASSPHRASE|PWD|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?"
    r"|AUTH|_KEY)$",
    re.IGNORECASE,
)
_NO_SECRET = frozenset({"true", "false", "none", "yes", "no", "0", "1"})
_WORKING_FOLDERS = frozenset({"PWD", "OLDPWD"})
_LOGIN = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
_LOGINS = ("AWS_", "AZURE_", "DOCKER_", "GOOGLE_")
"""How variables begin that docker's own command line and its login helpers for registries read.

Source: awslabs/amazon-ecr-credential-helper, Azure/acr-docker-credential-helper,
GoogleCloudPlatform/docker-credential-gcr, each its README.md; docker/cli, DOCKER_AUTH_CONFIG.
"""


def is_secret(name: str, value: str) -> bool:
    """Return whether a variable's name says that its value is a secret."""
    is_place = value.startswith(("/", "./", "~/", "unix:"))
    named = name not in _WORKING_FOLDERS and _NAME.search(name) is not None
    return named and not is_place and value.lower() not in _NO_SECRET


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """Return what another program gets of an environment: no token, no key, no password.

    What a build is meant to have comes as a file. A proxy keeps its login: nothing is reached
    through it else.
    """
    return {name: value for name, value in environ.items() if not _is_kept_back(name, value)}


def _is_kept_back(name: str, value: str) -> bool:
    if name.startswith(_LOGINS) or name.lower().endswith("_proxy"):
        return False
    return is_secret(name, value) or _LOGIN.search(value) is not None
