# SPDX-License-Identifier: Apache-2.0
"""Is an image that fails its recipe's `verify` thrown away, with the sentence that says why?"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from tests.unit.adapters.programs import Programs
from tests.unit.fakes import FakeReporter

from ttctl.adapters.image_check import check_image
from ttctl.errors import BuildError
from ttctl.model.image import ImageSpec
from ttctl.rules.image_check import CHECK_S, why_not_verified

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = "#!/bin/bash\necho 'verify: ok'\n"
IMAGE = ImageSpec(
    name="vllm-fork",
    reference="ttctl/vllm-fork:1",
    fingerprint="f" * 64,
    parent="ttctl/tt-metal:1",
    dockerfile="FROM ttctl/tt-metal:1\nUSER 1000:1000\n",
    files=(),
    verify=SCRIPT,
)
RUNS = """
if sys.argv[1] == "run":
    (bound,) = [word for word in sys.argv if word.startswith("--volume=")]
    path = bound.removeprefix("--volume=").removesuffix(":/verify:ro")
    assert os.stat(path).st_mode & 0o777 == 0o644
    pathlib.Path({seen!r}).write_text(pathlib.Path(path).read_text())
    {body}
elif sys.argv[1] == "ps":
    print("c0ffee")
"""


class Place:
    """A machine whose docker does what a test says."""

    def __init__(self, folder: Path, programs: Programs) -> None:
        self.folder, self.programs = folder, programs

    def check(self, body: str, *, cancel: threading.Event | None = None) -> FakeReporter:
        reporter = FakeReporter()
        self.programs.add("docker", RUNS.format(seen=str(self.folder / "seen"), body=body))
        check_image(IMAGE, reporter, logs=self.folder / "log", cancel=cancel)
        return reporter


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    return Place(tmp_path, Programs(tmp_path, monkeypatch))


def test_an_image_that_is_what_its_recipe_says_keeps_its_name(place: Place) -> None:
    place.check("print('verify: ok')")
    (words,) = place.programs.calls
    assert (place.folder / "seen").read_text() == SCRIPT
    assert words[:3] == ["docker", "run", "--rm"]
    for held in ("--network=none", "--read-only", "--cap-drop=ALL", "--tmpfs=/tmp:mode=1777"):
        assert held in words
    assert not [word for word in words if word.startswith(("--device", "--user", "--privileged"))]
    after = words[words.index(IMAGE.reference) + 1 :]
    assert after == ["--kill-after=10", str(CHECK_S), "bash", "/verify"]


def test_an_image_that_fails_loses_its_name_and_the_sentence_is_verifys_own(place: Place) -> None:
    with pytest.raises(BuildError) as caught:
        place.check("print('verify: the user may write'); sys.exit(1)")
    assert caught.value.why == "the user may write"
    assert caught.value.next_step == f"less {place.folder / 'log'}"
    assert place.programs.calls[-1] == ["docker", "image", "rm", "--force", IMAGE.reference]
    assert ["docker", "rm", "-f", "c0ffee"] in place.programs.calls


def test_a_name_that_cannot_be_taken_away_is_told(tmp_path: Path, place: Place) -> None:
    reporter = FakeReporter()
    refuses = RUNS.format(seen=str(tmp_path / "seen"), body="sys.exit(1)")
    place.programs.add("docker", f"{refuses}\nelif sys.argv[1] == 'image':\n    sys.exit(1)\n")
    with pytest.raises(BuildError, match="not what its recipe promises"):
        check_image(IMAGE, reporter, logs=tmp_path / "log")
    (note,) = reporter.notes
    assert note.startswith("vllm-fork has its name still")
    assert f"docker image rm --force {IMAGE.reference}" in note


def test_a_check_that_is_ended_leaves_no_image_that_looks_whole(place: Place) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(BuildError):
        place.check("import time; time.sleep(60)", cancel=stop)
    assert place.programs.calls[-1] == ["docker", "image", "rm", "--force", IMAGE.reference]


@pytest.mark.parametrize(
    ("lines", "code", "why"),
    [
        ((), 124, f"verify did not end within {CHECK_S} s."),
        ((), 1, "verify ended with 1."),
        (("Traceback", "AssertionError: no tt", ""), 1, "AssertionError: no tt"),
        (("verify: runs as root",), 1, "runs as root"),
    ],
)
def test_what_verify_said_is_told_in_one_sentence(
    lines: tuple[str, ...], code: int, why: str
) -> None:
    assert why_not_verified(lines, code) == why
