# SPDX-License-Identifier: Apache-2.0
"""Does each start script end as the image's own program, with its key from a file?"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from ttctl.adapters import places

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = places.shipped() / "compose" / "launch" / "server.sh"
KEY = "/run/secrets/engine/key"
SERVER = '#!/bin/bash\necho "$$ ${API_KEY:-none} ${OPENAI_API_KEY:-none} $PWD $*"\n'
RUN = "uvicorn --lifespan on main:app --port 8000\necho not reached\n"
RUN_NEWER = 'if [ "$1" != "--skip-venv" ]; then echo with its own; fi\n' + RUN


def program(path: Path, text: str = SERVER) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Return a folder with what the script finds in an image of the media server."""
    env = tmp_path / "env"
    program(env / "bin" / "activate", f'PATH="{env}/bin:$PATH"\n')
    program(env / "bin" / "uvicorn")
    program(tmp_path / "metal" / "server" / "run_uvicorn.sh", RUN)
    program(tmp_path / "metal" / "server" / "cpp_server" / "build" / "tt_media_server_cpp")
    return tmp_path


def started(image: Path, *, key: str = "", **environ: str) -> tuple[int, list[str]]:
    """Run the script; return its process id and what was printed."""
    script = image / "start"
    secret = image / "key"
    script.write_text(SCRIPT.read_text(encoding="utf-8").replace(KEY, str(secret)))
    if key:
        secret.write_text(key, encoding="utf-8")
    process = subprocess.Popen(
        ["/bin/bash", script],
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHON_ENV_DIR": f"{image}/env",
            "TT_METAL_HOME": f"{image}/metal",
            **environ,
        },
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate(timeout=20)
    assert process.returncode == 0, out
    return process.pid, out.split()


def test_the_server_takes_the_place_of_the_shell_so_that_a_stop_reaches_it(image: Path) -> None:
    pid, said = started(image)
    assert said == [
        str(pid), "none", "none", f"{image}/metal/server",
        "--lifespan", "on", "main:app", "--port", "8000",
    ]  # fmt: skip


def test_the_key_comes_from_a_file(image: Path) -> None:
    _, said = started(image, key="a-key\n")
    assert said[1:3] == ["a-key", "a-key"]


def test_the_cpp_server_is_started_where_the_environment_asks_for_it(image: Path) -> None:
    pid, said = started(image, SERVER_MODE="cpp")
    assert said == [str(pid), "none", "none", f"{image}/metal/server/cpp_server", "-p", "8000"]


def test_a_forge_image_has_its_own_environment(image: Path) -> None:
    server = image / "app" / "server"
    program(server / "venv-worker" / "bin" / "activate", f'PATH="{image}/env/bin:$PATH"\n')
    program(server / "run_uvicorn.sh", RUN_NEWER)
    pid, said = started(image, APP_DIR=f"{image}/app")
    assert said[0] == str(pid)
    assert said[3] == str(server)


@pytest.mark.parametrize("key", ["the key of it", ""])
def test_a_server_over_several_hosts_is_the_images_entrypoint_with_its_key_and_its_words(
    tmp_path: Path, key: str
) -> None:
    entrypoint = "/usr/local/bin/multihost_entrypoint.sh"
    program(tmp_path / "entrypoint", '#!/bin/bash\necho "$$|${VLLM_API_KEY-none}|$*"\n')
    text = (SCRIPT.parent / "multihost.sh").read_text(encoding="utf-8")
    assert text.count(KEY) == text.count(entrypoint) == 1
    text = text.replace(KEY, str(tmp_path / "key"))
    (tmp_path / "start").write_text(text.replace(entrypoint, str(tmp_path / "entrypoint")))
    if key:
        (tmp_path / "key").write_text(key + "\n", encoding="utf-8")
    process = subprocess.Popen(
        ["/bin/bash", tmp_path / "start", "python", "--model", "a b"],
        env={"PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        text=True,
    )
    out, _ = process.communicate(timeout=20)
    assert out == f"{process.pid}|{key or 'none'}|python --model a b\n"
