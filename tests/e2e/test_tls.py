# SPDX-License-Identifier: Apache-2.0
"""Does an encrypted stack work with everything that is typed and printed?"""

from __future__ import annotations

import json
import re
import secrets
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from tests.e2e.driver import LIMIT_S, Stack, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.driver import Ttctl

pytestmark = pytest.mark.docker

SHORT = ("--max-tokens", "8")
MODELS = """
import os, urllib.request
url, key = os.environ["OPENAI_BASE_URL"] + "/models", os.environ["OPENAI_API_KEY"]
asked = urllib.request.Request(url, headers={"Authorization": "Bearer " + key})
print(urllib.request.urlopen(asked, timeout=20).read().decode())
"""


@pytest.fixture
def encrypted(ttctl: Ttctl) -> Iterator[Stack]:
    name = f"tls-{secrets.token_hex(4)}"
    one = Stack(ttctl=ttctl, name=name, port=free_port(), target="demo-llama")
    try:
        yield one
    finally:
        one.ttctl.run("down", name, "--volumes", limit_s=300)


def shell(stack: Stack, text: str) -> str:
    """Run what was printed, as a user pastes it."""
    done = subprocess.run(
        ["sh", "-c", text],
        cwd=stack.ttctl.home,
        env=dict(stack.ttctl.environ),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_printed_of_an_encrypted_stack_works_as_it_stands(encrypted: Stack) -> None:
    url = f"https://127.0.0.1:{encrypted.port}"
    card = encrypted.up("--tls", "generated").out
    assert f"base URL   {url}/v1" in card

    (line,) = re.findall(r"^curl:\n((?:  .*\n)+)", card, flags=re.MULTILINE)
    assert json.loads(shell(encrypted, line))["choices"]

    state = encrypted.ttctl.run("status", encrypted.name, "--json").data
    assert (state["state"], state["url"], state["tls"]) == ("ready", url, "generated")
    # A first look on a busy machine may come before the engine has answered.
    looks = encrypted.ttctl.run("status", encrypted.name, "--live", "--json", "--count", "8").out
    sources = json.loads(looks.splitlines()[-1])["data"]["sources"]
    assert [one["state"] for one in sources if one["name"].startswith("gateway")] == ["ok"]
    talk = ("chat", "--stack", encrypted.name, *SHORT, "What is Tenstorrent?")
    assert encrypted.ttctl.run(*talk).out.strip()

    program = encrypted.ttctl.run("connect", "curl", encrypted.name).out
    assert json.loads(shell(encrypted, program))["choices"]
    variables = encrypted.ttctl.run("connect", "env", encrypted.name).out
    program = f"{shlex.quote(sys.executable)} -c {shlex.quote(MODELS)}"
    assert json.loads(shell(encrypted, f"{variables}\n{program}"))["data"]

    again = encrypted.up("--json").data
    assert (again["changed"], again["tls"]) == (False, "generated")
