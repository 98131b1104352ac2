# SPDX-License-Identifier: Apache-2.0
"""Is every secret of this user known before anything is packed?"""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters.private_words import PrivateWords, passwords_in

if TYPE_CHECKING:
    from pathlib import Path


def words(tmp_path: Path, environ: dict[str, str] | None = None, **more: str) -> PrivateWords:
    return PrivateWords(environ or {}, home=tmp_path / "ada", stacks=tmp_path / "stacks", **more)


def put(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://u:p%40ss@proxy:1/", {"p%40ss", "p@ss"}),
        ("https://tokentoken@git.example.org/x", {"tokentoken"}),
        ("deb https://u:one@a/ x\nhttps://v:two@b/", {"one", "two"}),
        ("http://u:a/b@proxy", {"a/b"}),
        ("https://example.org/", set()),
    ],
)
def test_passwords_of_addresses_are_found_decoded_too(text: str, found: set[str]) -> None:
    assert set(passwords_in(text)) == found


def test_variables_that_are_named_like_secrets_are_secrets_and_paths_are_not(
    tmp_path: Path,
) -> None:
    environ = {
        "HF_TOKEN": "hub-token",
        "AWS_SECRET_ACCESS_KEY": "aws-secret",
        "HTTPS_PROXY": "http://u:proxy-password@p",
        "SSH_AUTH_SOCK": "/run/agent",
        "TTCTL_TOKEN": "/run/token",
        "PWD": "/somewhere/else",
        "TOKENIZERS_PARALLELISM": "false",
    }
    found = words(tmp_path, environ).read()
    assert set(found.secrets) == {"hub-token", "aws-secret", "proxy-password"}


def test_files_that_hold_secrets_are_read(tmp_path: Path) -> None:
    home, stack = tmp_path / "ada", tmp_path / "stacks" / "llama"
    put(home / ".cache/huggingface/token", "token-of-the-hub\n")
    put(home / ".cache/huggingface/stored_tokens", "[one]\nhf_token = token-of-another\n")
    put(home / ".netrc", "machine x login y password netrc-password\n")
    login = base64.b64encode(b"ada:registry-password").decode()
    put(home / ".docker/config.json", json.dumps({"auths": {"r": {"auth": login}}}))
    put(stack / "secrets/api-key", "k" * 64 + "\n")
    put(stack / "secrets/engine/key", "engine-key-engine-key\n")
    for kind in ("own", "generated"):
        text = f"-----BEGIN PRIVATE KEY-----\n{kind}-words-of-a-key\n-----END PRIVATE KEY-----\n"
        put(stack / f"secrets/{kind}.pem", text)
    put(stack / "rendered/.env", "MY_TOKEN='of-the-env-file'\nPORT=8000\n")
    put(stack / "rendered/site/pip.conf", "index-url = https://u:pip-password@i/\n")
    put(tmp_path / "named", "named-token")
    found = words(tmp_path, token_file=str(tmp_path / "named")).read(["x://u:of-a-setting@h"])
    assert {
        "token-of-the-hub", "token-of-another", "netrc-password", "registry-password", login,
        "k" * 64, "engine-key-engine-key", "of-the-env-file", "pip-password", "named-token",
        "of-a-setting", "own-words-of-a-key", "generated-words-of-a-key",
    } <= set(found.secrets)  # fmt: skip
    assert "8000" not in found.secrets


def test_who_and_where_this_is_is_named(tmp_path: Path) -> None:
    found = dict(words(tmp_path, {"USER": "ada", "HOME": "/h", "HOSTNAME": "tower"}).read().names)
    assert found["ada"] == "USER"
    assert found["tower"] == "HOST"
    assert found["/h"] == found[str(tmp_path / "ada")] == "~"


def test_the_administrators_name_is_nobodys(tmp_path: Path) -> None:
    assert "root" not in dict(words(tmp_path, {"USER": "root"}).read().names)


def test_a_spoiled_file_of_a_tool_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path / "ada/.docker/config.json", '{"auths": [1]}')
    assert words(tmp_path).read().secrets == ()
