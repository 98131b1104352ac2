# SPDX-License-Identifier: Apache-2.0
"""Do our own servers keep to the OpenAPI documents that they serve, whatever is sent to them?

Each program runs as a process, with a stand-in for what computes. schemathesis reads the document
from it and sends what it allows and what it forbids; `SEED` makes a run the same as the last one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from tests.unit.images.direct import test_process as direct
from tests.unit.images.sd import test_process as sd
from tests.unit.images.sd.serving import until
from tests.unit.images.sd.test_processor import weights

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

EXAMPLES, SEED, LIMIT_S = 60, 6, 300
KEY = "a-key-of-this-test"
SCHEMATHESIS = Path(sys.executable).with_name("schemathesis")


def drain(process: subprocess.Popen[str]) -> None:
    """Read its log, which is longer than a pipe holds."""
    assert process.stderr is not None
    threading.Thread(target=process.stderr.read, daemon=True).start()


@contextmanager
def of_direct(folder: Path, port: int, key: Path) -> Iterator[None]:
    with direct.program(folder, port, TTCTL_KEY_FILE=str(key)) as process:
        drain(process)
        yield


@contextmanager
def of_sd(folder: Path, port: int, key: Path) -> Iterator[None]:
    (folder / "weights").mkdir()
    words = ("--weights", str(weights(folder / "weights")), "--largest-side", "64")
    with sd.program(folder, *words, "--port", str(port), TTCTL_KEY_FILE=str(key)) as process:
        drain(process)
        yield


@pytest.mark.parametrize(
    ("program", "further"),
    [
        pytest.param(of_direct, [], id="direct"),
        # Which sizes are drawn depends on the pipeline, and two names of one field may differ: a
        # schema says neither.
        pytest.param(of_sd, ["--exclude-checks=positive_data_acceptance"], id="sd"),
    ],
)
def test_a_server_answers_as_its_document_says(
    program: Callable[[Path, int, Path], AbstractContextManager[None]],
    further: list[str],
    tmp_path: Path,
) -> None:
    key = tmp_path / "key"
    key.write_text(KEY, encoding="utf-8")
    port = sd.free_port()
    with program(tmp_path, port, key):
        until(lambda: sd.healthy(port), "it is healthy")
        done = subprocess.run(
            [str(SCHEMATHESIS), "run", f"http://127.0.0.1:{port}/openapi.json", "--no-color",
             f"--header=Authorization:Bearer {KEY}", f"--max-examples={EXAMPLES}",
             f"--seed={SEED}", "--phases=examples,coverage,fuzzing", "--request-timeout=20",
             "--warnings=off", "--no-shrink", "--continue-on-failure", *further],
            capture_output=True, text=True, timeout=LIMIT_S, check=False, cwd=tmp_path,
            env={**os.environ, "NO_COLOR": "1"},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
