# SPDX-License-Identifier: Apache-2.0
"""The rendered folder: the same bytes everywhere, valid, and of use without ttctl."""

from __future__ import annotations

import re
import secrets
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import openai
import pytest
from tests.e2e.driver import LIMIT_S, Stack, docker, free_port, tree

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.docker

TOOLS = Path(sys.executable).parent


@pytest.fixture
def rendered(stack: Stack, tmp_path: Path) -> Path:
    """Render the stack's model to a folder of the test's own."""
    stack.ttctl.run("render", *stack.words, "--output", str(tmp_path / "rendered"))
    return tmp_path / "rendered"


def check(*command: str, cwd: Path | None = None) -> str:
    """Run a command without any of ttctl's own environment."""
    done = subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=900, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_folder_is_the_same_bytes_in_any_locale_time_zone_and_umask(
    stack: Stack, rendered: Path, tmp_path: Path
) -> None:
    elsewhere = {
        "LC_ALL": "tr_TR.UTF-8",
        "LANG": "C",
        "TZ": "Pacific/Kiritimati",
        "PYTHONHASHSEED": "7",
        "COLUMNS": "20",
    }
    other = tmp_path / "other"
    for umask in ("0077", "0000"):
        shutil.rmtree(other, ignore_errors=True)
        words = ["render", *stack.words, "--output", str(other)]
        done = subprocess.run(
            ["sh", "-c", f'umask {umask}; exec "$@"', "sh", str(stack.ttctl.program), *words],
            cwd=tmp_path,
            env={**stack.ttctl.environ, **elsewhere},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert tree(other) == tree(rendered)
        assert {p.relative_to(other): p.stat().st_mode for p in other.rglob("*")} == {
            p.relative_to(rendered): p.stat().st_mode for p in rendered.rglob("*")
        }


def test_up_uses_the_same_folder_that_render_writes(stack: Stack, rendered: Path) -> None:
    assert tree(rendered) == tree(stack.folder)


def test_rendering_again_over_a_folder_changes_nothing(stack: Stack, rendered: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in rendered.rglob("*")}
    stack.ttctl.run("render", *stack.words, "--output", str(rendered))
    assert {path: path.stat().st_mtime_ns for path in rendered.rglob("*")} == before


def test_a_folder_that_ttctl_did_not_render_is_left_alone(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    words = ("render", *stack.words, "--output", str(tmp_path))
    refused = stack.ttctl.run(*words, exits=2)
    assert "is not empty" in refused.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_the_compose_file_fulfils_the_specification(rendered: Path) -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    check(str(TOOLS / "check-jsonschema"), *schema, str(rendered / "compose.yaml"))
    check("docker", "compose", "config", "--quiet", cwd=rendered)


def test_the_dockerfiles_and_scripts_pass_their_linters(rendered: Path) -> None:
    dockerfiles = sorted(str(path) for path in rendered.glob("images/*/Dockerfile"))
    assert len(dockerfiles) == 4
    check(str(TOOLS / "hadolint"), *dockerfiles)
    check(str(TOOLS / "shellcheck"), str(rendered / "build.sh"))


def test_what_belongs_to_the_place_is_for_the_user_alone(rendered: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in (rendered / "site").iterdir()} == {0o600}


def test_the_folder_names_no_state_of_the_user_but_in_its_dotenv(
    stack: Stack, rendered: Path
) -> None:
    home = str(stack.ttctl.home.parent).encode()
    assert [name for name, text in tree(rendered).items() if home in text] == [".env"]


def images_of(folder: Path) -> list[str]:
    """Return the tags that a folder's build.sh looks for."""
    script = (folder / "build.sh").read_text()
    found = re.findall(r"^if ! have '?([^';]+)'?; then$", script, re.MULTILINE)
    assert len(found) == 5
    return found


def test_the_build_script_does_nothing_where_the_images_are_here(rendered: Path) -> None:
    before = docker("image", "inspect", "--format={{.Id}}", *images_of(rendered))
    assert check("sh", "build.sh", cwd=rendered) == ""
    assert docker("image", "inspect", "--format={{.Id}}", *images_of(rendered)) == before


@pytest.fixture
def untagged_gateway(rendered: Path) -> Iterator[str]:
    """Take one image's tag away for the length of a test; the image itself stays."""
    (tag,) = [name for name in images_of(rendered) if "/gateway:" in name]
    kept = f"ttctl-e2e-kept:{secrets.token_hex(4)}"
    docker("tag", tag, kept)
    try:
        docker("rmi", "--no-prune", tag)
        yield tag
    finally:
        made = docker("images", "--quiet", "--no-trunc", tag)
        before = docker("image", "inspect", "--format={{.Id}}", kept)
        docker("tag", kept, tag)
        docker("rmi", "--no-prune", kept)
        if made and made != before:
            docker("rmi", made)


def test_the_build_script_builds_what_is_missing(rendered: Path, untagged_gateway: str) -> None:
    assert not docker("images", "--quiet", untagged_gateway)
    check("sh", "build.sh", cwd=rendered)
    label = '{{index .Config.Labels "dev.ttctl.fingerprint"}}'
    found = docker("image", "inspect", f"--format={label}", untagged_gateway)
    assert found.startswith(untagged_gateway.partition(":")[2])


@pytest.fixture
def elsewhere(rendered: Path, tmp_path: Path) -> Iterator[tuple[Path, str, int]]:
    """Copy the folder to another place, as another project on another port."""
    copy, project, port = tmp_path / "copy", f"e2e-plain-{secrets.token_hex(4)}", free_port()
    shutil.copytree(rendered, copy)
    dotenv = re.sub(r"TTCTL_PORT='\d+'", f"TTCTL_PORT='{port}'", (copy / ".env").read_text())
    (copy / ".env").write_text(re.sub("TTCTL_SECRETS='.*'", "TTCTL_SECRETS='./secrets'", dotenv))
    try:
        yield copy, project, port
    finally:
        docker("compose", "--project-directory", str(copy), "-p", project, "down", "--timeout=10")


def test_a_copy_of_the_folder_serves_with_plain_docker_compose(
    elsewhere: tuple[Path, str, int],
) -> None:
    copy, project, port = elsewhere
    readme = (copy / "README.md").read_text()
    made = re.search(r"^mkdir -p secrets.*?(?=^#)", readme, re.MULTILINE | re.DOTALL)
    assert made, "the README says how to make a key"
    check("sh", "-euc", made[0], cwd=copy)
    check("docker", "compose", "-p", project, "up", "-d", "--wait", cwd=copy)
    key = (copy / "api-key").read_text().strip()
    url = f"http://127.0.0.1:{port}/v1"
    with openai.OpenAI(base_url=url, api_key=key, max_retries=2, timeout=LIMIT_S) as client:
        answer = client.chat.completions.create(
            model="demo-llama",
            messages=[{"role": "user", "content": "What is Tenstorrent?"}],
            temperature=0,
        )
    assert "Tenstorrent" in (answer.choices[0].message.content or "")
