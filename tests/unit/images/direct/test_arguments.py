# SPDX-License-Identifier: Apache-2.0
"""Does the program read its command line, and what its image says of the back end?"""

from __future__ import annotations

import pytest

from ttctl_direct.arguments import BACKEND, arguments_of

LEAST = ["--weights", "/models/m", "--name", "m"]


@pytest.mark.parametrize(
    ("said", "words", "expected"),
    [
        pytest.param(None, [], "tenstorrent", id="nothing is said"),
        pytest.param("", [], "tenstorrent", id="an empty variable"),
        pytest.param("cpu", [], "cpu", id="the image says it"),
        pytest.param("cpu", ["--backend", "tenstorrent"], "tenstorrent", id="the flag wins"),
    ],
)
def test_the_image_says_the_back_end_and_the_flag_wins(
    monkeypatch: pytest.MonkeyPatch, said: str | None, words: list[str], expected: str
) -> None:
    monkeypatch.delenv(BACKEND, raising=False)
    if said is not None:
        monkeypatch.setenv(BACKEND, said)
    assert arguments_of([*LEAST, *words]).backend == expected


def test_a_back_end_that_is_not_there_is_refused_wherever_it_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(BACKEND, "gpu")
    with pytest.raises(SystemExit) as caught:
        arguments_of(LEAST)
    assert caught.value.code == 2
    assert "TTCTL_DIRECT_BACKEND is 'gpu'; there are tenstorrent and cpu" in capsys.readouterr().err
