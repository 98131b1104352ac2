# SPDX-License-Identifier: Apache-2.0
"""Which variables are kept from other programs?"""

from __future__ import annotations

import pytest

from ttctl.rules.secret_variables import is_secret, without_secrets

KEPT_BACK = {
    "HF_TOKEN": "hf_0123456789",
    "HUGGING_FACE_HUB_TOKEN": "hf_0123456789",
    "OPENAI_API_KEY": "sk-0123456789",
    "GITHUB_TOKEN": "ghp_0123456789",
    "DB_PASSWORD": "pw",
    "DATABASE_URL": "postgres://name:pw@db.example.org/one",
    "PIP_INDEX_URL": "https://name:pw@pypi.example.org/simple",
}
PASSED_ON = {
    "PATH": "/usr/bin",
    "HOME": "/home/name",
    "PWD": "/work",
    "OLDPWD": "work",
    "SSH_AUTH_SOCK": "/run/agent",
    "REGISTRY_CREDENTIALS": "/etc/credentials.json",
    "AWS_SECRET_ACCESS_KEY": "0123456789",
    "DOCKER_AUTH_CONFIG": '{"auths": {}}',
    "DOCKER_HOST": "ssh://name@box.example.org",
    "CONTAINER_HOST": "ssh://name@box.example.org:22/run/podman.sock",
    "https_proxy": "http://name:pw@proxy.example.org:3128",
    "HTTPS_PROXY": "http://name:pw@proxy.example.org:3128",
    "USE_AUTH": "true",
}


def test_secrets_are_kept_back_and_nothing_else_is() -> None:
    assert without_secrets({**KEPT_BACK, **PASSED_ON}) == PASSED_ON


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("HF_TOKEN", "hf_0123456789", True),
        ("hf_token", "hf_0123456789", True),
        ("HF_TOKEN_PATH", "/srv/token", False),
        ("TLS_KEY", "/srv/key.pem", False),
        ("PWD", "work", False),
        ("DATABASE_URL", "postgres://name:pw@db.example.org/one", False),
    ],
)
def test_a_secret_is_known_by_its_name(name: str, value: str, *, found: bool) -> None:
    assert is_secret(name, value) is found
