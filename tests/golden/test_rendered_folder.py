# SPDX-License-Identifier: Apache-2.0
"""Is the rendered folder of `demo-llama` on the CPU, byte by byte, the one that was reviewed?

`TTCTL_GOLDEN=write` rewrites it; the difference is what a reviewer reads. Files that are copied
as they stand under images/ are named with their hash, not repeated.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.golden.rendering import Files, rendered

from ttctl.adapters import places

FOLDER = Path(__file__).parent / "demo-llama-cpu"
INDEX = "FILES"


@pytest.fixture(scope="module")
def files() -> Files:
    return {path: one for path, one in rendered().items() if not path.startswith("site/")}


def is_copied(path: str, text: str) -> bool:
    source = places.shipped() / path
    return source.is_file() and source.read_text(encoding="utf-8") == text


def index_of(files: Files) -> str:
    """Return a line for each file: mode, the hash of a copied one, path."""
    lines = []
    for path, (text, executable) in sorted(files.items()):
        mode = "755" if executable else "644"
        digest = hashlib.sha256(text.encode()).hexdigest() if is_copied(path, text) else "below"
        lines.append(f"{mode} {digest:<64} {path}\n")
    return "".join(lines)


def golden_of(files: Files) -> dict[str, str]:
    texts = {path: text for path, (text, _) in files.items() if not is_copied(path, text)}
    return {INDEX: index_of(files), **texts}


def test_every_file_is_the_one_that_was_reviewed(files: Files) -> None:
    texts = golden_of(files)
    if os.environ.get("TTCTL_GOLDEN") == "write":
        for old in FOLDER.rglob("*"):
            if old.is_file():
                old.unlink()
        for path, text in texts.items():
            (FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
            (FOLDER / path).write_text(text, encoding="utf-8", newline="\n")
    found = {
        path.relative_to(FOLDER).as_posix(): path.read_bytes().decode()
        for path in FOLDER.rglob("*")
        if path.is_file()
    }
    assert sorted(found) == sorted(texts)
    for path, text in texts.items():
        assert found[path] == text, f"{path} differs; TTCTL_GOLDEN=write rewrites it"


def written(folder: Path, umask: str, **environ: str) -> dict[str, tuple[int, bytes]]:
    """Render in a process of its own; return mode and bytes of every file."""
    subprocess.run(
        [sys.executable, "-m", "tests.golden.rendering", folder, umask],
        cwd=Path(__file__).parents[2],
        env={"PATH": os.environ["PATH"], **environ},
        check=True,
    )
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mode & 0o777, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_folder_is_the_same_under_every_language_zone_umask_and_hash_seed(
    files: Files, tmp_path: Path
) -> None:
    one = written(
        tmp_path / "one",
        "022",
        LC_ALL="C",
        TZ="UTC",
        PYTHONHASHSEED="1",
        HOME="/nowhere",
    )
    two = written(
        tmp_path / "two",
        "077",
        LC_ALL="tr_TR.UTF-8",
        TZ="Asia/Kathmandu",
        PYTHONHASHSEED="2",
        HOME=str(tmp_path),
        TTCTL_REGISTRY="r.example.org",
        VLLM_PORT="1",
        PYTHONUTF8="0",
    )
    assert one == two
    assert {path: text for path, (_, text) in one.items() if not path.startswith("site/")} == {
        path: text.encode() for path, (text, _) in files.items()
    }


def test_no_path_of_the_machine_that_rendered_it_is_in_the_folder(files: Files) -> None:
    here = str(places.shipped())
    for path, (text, _) in files.items():
        assert here not in text, path
        assert str(Path.home() / ".") not in text or str(Path.home()) == "/root", path
