# SPDX-License-Identifier: Apache-2.0
"""Does a command that is to be typed put right what it is said for?"""

from __future__ import annotations

import pytest

from ttctl.rules.mending import set_site, unset_site, without_sudo


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("SSL_CERT_FILE", "unset SSL_CERT_FILE"),
        ("/w/ttctl.toml", "ttctl config unset site.ca_bundle --project"),
        ("/h/.config/ttctl/config.toml", "ttctl config unset site.ca_bundle"),
        ("/a b/x.toml", "ttctl --config '/a b/x.toml' config unset site.ca_bundle"),
        ("/etc/pip.conf", "ttctl config set site.ca_bundle FILE"),
    ],
)
def test_a_setting_is_taken_away_where_it_was_found(source: str, command: str) -> None:
    assert unset_site("ca_bundle", source) == command


def test_a_setting_is_named_in_its_form() -> None:
    assert set_site("git_mirror") == "ttctl config set site.git_mirror https://MIRROR/"


@pytest.mark.parametrize(
    ("command", "typed"),
    [
        ("sudo systemctl start docker", "systemctl start docker"),
        ("echo '{}' | sudo tee /x && sudo kill -HUP 1", "echo '{}' | tee /x && kill -HUP 1"),
        ("sudoedit /etc/docker/daemon.json", "${EDITOR:-vi} /etc/docker/daemon.json"),
        ("ttctl up llama", "ttctl up llama"),
    ],
)
def test_root_needs_no_sudo(command: str, typed: str) -> None:
    assert without_sudo(command) == typed
