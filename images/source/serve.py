# SPDX-License-Identifier: Apache-2.0
"""Start vLLM's server with the Tenstorrent models known to it; arguments are vLLM's own.

vLLM serves a model by a generic implementation, and says nothing, where it does not know the
Tenstorrent one. So the models are registered in each process, and a server that knows none ends.

Source: tenstorrent/vllm, vllm/platforms/tt.py and examples/server_example_tt.py at the pins.
"""

import os
import runpy
import sys
from importlib.metadata import entry_points
from pathlib import Path

PLUGINS = {"vllm.platform_plugins": "tt", "vllm.general_plugins": "tt_model_registry"}
KEY_FILE = "TTCTL_KEY_FILE"
"""Names the file that holds the key; its text never stands among the arguments."""


def register() -> None:
    """Make the Tenstorrent models known: by the plugin, the platform, or the fork's example."""
    if any(entry_points(group=group, name=name) for group, name in PLUGINS.items()):
        _refuse_hidden_plugins()
        from vllm.plugins import load_general_plugins

        load_general_plugins()
        return
    try:
        from vllm.platforms.tt import register_tt_models
    except ImportError:
        # The first pins had it among their examples.
        sys.path.insert(0, "/opt/vllm/examples")
        from offline_inference_tt import register_tt_models
    register_tt_models()


def _refuse_hidden_plugins() -> None:
    chosen = os.environ.get("VLLM_PLUGINS")
    hidden = [] if chosen is None else sorted(set(PLUGINS.values()) - set(chosen.split(",")))
    if hidden:
        sys.exit(f"ttctl: error: VLLM_PLUGINS hides what serves on a card: {', '.join(hidden)}")


def check() -> None:
    """End where vLLM knows no Tenstorrent model."""
    from vllm.model_executor.models.registry import ModelRegistry

    if not any(name.startswith("TT") for name in ModelRegistry.get_supported_archs()):
        sys.exit("ttctl: error: vLLM knows no Tenstorrent model: it would serve by another one")


def main() -> None:
    """Read the key, and become the server."""
    if sys.argv[1:] == ["--ttctl-check"]:
        check()
        return
    if file := os.environ.pop(KEY_FILE, ""):
        os.environ["VLLM_API_KEY"] = Path(file).read_text(encoding="utf-8").strip()
    check()
    runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__", alter_sys=True)


# Not only where this is the program: a process that vLLM spawns reads this file again.
register()

if __name__ == "__main__":
    main()
