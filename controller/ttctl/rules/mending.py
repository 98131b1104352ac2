# SPDX-License-Identifier: Apache-2.0
"""What is typed to put a setting right, or by a user who is root? Pure."""

from __future__ import annotations

import re
from shlex import quote

_FORMS = {
    "http_proxy": "http://HOST:PORT",
    "https_proxy": "http://HOST:PORT",
    "ca_bundle": "FILE",
    "pip_index_url": "https://INDEX/simple",
    "pip_extra_index_urls": "https://INDEX/simple",
    "wheelhouses": "FOLDER",
    "apt_sources": "'deb https://MIRROR/debian SUITE main'",
    "registry": "HOST",
    "git_mirror": "https://MIRROR/",
    "hub_endpoint": "https://HUB",
    "engine_image": "IMAGE",
}
"""The form of a site setting's value."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SUDO = re.compile(r"\bsudo(edit)? (?=\S)")


def set_site(name: str) -> str:
    """Return the command that names another value of a site setting."""
    return f"ttctl config set site.{name} {_FORMS[name]}"


def unset_site(name: str, source: str) -> str:
    """Return the command that takes a site setting away from where it was found."""
    if _VARIABLE.fullmatch(source):
        return f"unset {source}"
    if source.endswith("/ttctl.toml"):
        return f"ttctl config unset site.{name} --project"
    if source.endswith("/ttctl/config.toml"):
        return f"ttctl config unset site.{name}"
    if source.endswith(".toml"):
        return f"ttctl --config {quote(source)} config unset site.{name}"
    return set_site(name)


def without_sudo(command: str) -> str:
    """Return a command as root types it, where sudo need not exist."""
    return _SUDO.sub(lambda found: "${EDITOR:-vi} " if found[1] else "", command)
