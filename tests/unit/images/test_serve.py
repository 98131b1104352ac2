# SPDX-License-Identifier: Apache-2.0
"""Does our entrypoint serve by the Tenstorrent models alone, with vLLM as it was at each time?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.standins.source_trees import TREES

SERVE = Path(__file__).parents[3] / "images/source/serve.py"
ENTRY_POINTS = """\
[vllm.general_plugins]
tt_model_registry = vllm_tt_plugin.entrypoints:register_tt_models
[vllm.platform_plugins]
tt = vllm_tt_plugin.entrypoints:platform_plugin
"""
FOLDERS = ("plugins/vllm-tt-plugin/src/", "src/", "bundled-vllm/", "examples/", "")
"""Of a tree: what an installation puts where Python looks."""
ERAS = [name for name in TREES if name != "vllm-first-fork"]
"""The first looks for its examples at a fixed place: built for real in tests/integration."""


class Installed:
    """A tree as its recipe installs it, without a card."""

    def __init__(self, folder: Path, era: str) -> None:
        self.folder, self.era = folder, era
        for path, text in TREES[era].items():
            found = next(one for one in FOLDERS if path.startswith(one))
            self.write(path.removeprefix(found), text)
        self.write("ttnn.py", "")
        if "plugin" in era:
            self.write("vllm_tt_plugin-0.dist-info/METADATA", "Name: vllm-tt-plugin\nVersion: 0\n")
            self.write("vllm_tt_plugin-0.dist-info/entry_points.txt", ENTRY_POINTS)

    def write(self, path: str, text: str) -> None:
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def serve(self, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
        target = {"VLLM_TARGET_DEVICE": "tt"} if self.era.startswith("vllm-fork") else {}
        given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.folder), **target, **environ}
        return subprocess.run(
            [sys.executable, "-S", str(SERVE), *words],
            capture_output=True,
            text=True,
            check=False,
            env=given,
            cwd=self.folder,
        )


@pytest.fixture(params=ERAS)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Installed:
    return Installed(tmp_path / "site", request.param)


def model(folder: Path, *architectures: str) -> str:
    path = folder / "Some-1B"
    path.mkdir()
    (path / "config.json").write_text(json.dumps({"architectures": list(architectures)}))
    return str(path)


def test_the_server_knows_the_tenstorrent_models_and_has_the_key_of_the_file(
    installed: Installed, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("a-secret\n")
    words = ("--model", model(tmp_path, "LlamaForCausalLM"))
    done = installed.serve(*words, TTCTL_KEY_FILE=str(key))
    assert done.returncode == 0, done.stderr
    said = done.stdout.splitlines()
    assert said[0] == f"serving {' '.join(words)} --middleware ttctl_openai.AsOpenAI"
    assert "TTLlamaForCausalLM" in said[1].split()
    assert said[2] == f"key {len('a-secret')}"
    assert installed.serve("--ttctl-check").returncode == 0


def test_a_tree_that_registers_no_tenstorrent_model_neither_serves_nor_verifies(
    installed: Installed,
) -> None:
    for path in installed.folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("TTLlamaForCausalLM", "LlamaForCausalLM"), encoding="utf-8")
    for words in (("--model", "x"), ("--ttctl-check",)):
        done = installed.serve(*words)
        assert (done.returncode, done.stdout) == (1, "")
        assert "vLLM knows no Tenstorrent model" in done.stderr


def test_a_server_whose_platform_is_another_does_not_start(installed: Installed) -> None:
    # As the plugin leaves it where tt-metal's library does not load.
    (installed.folder / "ttnn.py").write_text("raise ImportError\n")
    done = installed.serve("--model", "x", VLLM_TARGET_DEVICE="empty")
    assert (done.returncode, done.stdout) == (1, "")
    assert "vLLM runs on 'nothing' and not on tt" in done.stderr


@pytest.mark.parametrize("form", ["apart", "together"])
def test_a_model_without_a_tenstorrent_implementation_is_not_served_by_another(
    installed: Installed, tmp_path: Path, form: str
) -> None:
    path = model(tmp_path, "OtherForCausalLM")
    words = ("--model", path) if form == "apart" else (f"--model={path}",)
    done = installed.serve(*words)
    assert (done.returncode, done.stdout) == (1, "")
    assert "vLLM knows no Tenstorrent model of OtherForCausalLM" in done.stderr


@pytest.mark.parametrize(
    "architectures",
    [
        pytest.param(("TTLlamaForCausalLM",), id="named with its prefix"),
        pytest.param(("OtherForCausalLM", "LlamaForCausalLM"), id="one of several"),
        pytest.param((), id="none is named"),
    ],
)
def test_a_model_that_says_so_otherwise_is_served(
    installed: Installed, tmp_path: Path, architectures: tuple[str, ...]
) -> None:
    done = installed.serve("--model", model(tmp_path, *architectures))
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("era", [era for era in ERAS if "plugin" in era])
def test_plugins_that_are_hidden_are_told(era: str, tmp_path: Path) -> None:
    done = Installed(tmp_path / "site", era).serve("--model", "x", VLLM_PLUGINS="tt")
    assert (done.returncode, done.stdout) == (1, "")
    assert "VLLM_PLUGINS hides what serves on a card: tt_model_registry" in done.stderr
