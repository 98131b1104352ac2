# SPDX-License-Identifier: Apache-2.0
"""Start vLLM's server with the Tenstorrent models known to it; arguments are vLLM's own.

vLLM serves a model by a generic implementation, and says nothing, where it does not know the
Tenstorrent one, or where its platform is another. So the models are registered in each process, and
a server ends that knows none, or none of the architecture that it is to serve.

Source: tenstorrent/vllm, vllm/platforms/tt.py and examples/server_example_tt.py at the pins;
tenstorrent/vllm-tt-plugin, src/vllm_tt_plugin/entrypoints.py and platform.py.
"""

import itertools
import json
import os
import runpy
import sys
from importlib.metadata import entry_points
from pathlib import Path

from ttctl_openai import AsOpenAI

PLUGINS = {"vllm.platform_plugins": "tt", "vllm.general_plugins": "tt_model_registry"}
PREFIX = "TT"
"""The platform puts it before the name of an architecture, and registers its own under that."""
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


def check(words: list[str]) -> None:
    """End where vLLM would serve by something else than the card.

    Args:
        words: What the server is started with.
    """
    from vllm.model_executor.models.registry import ModelRegistry
    from vllm.platforms import current_platform

    known = set(ModelRegistry.get_supported_archs())
    if not any(name.startswith(PREFIX) for name in known):
        sys.exit("ttctl: error: vLLM knows no Tenstorrent model: it would serve by another one")
    if (name := current_platform.device_name) != "tt":
        sys.exit(f"ttctl: error: vLLM runs on {name or 'nothing'!r} and not on tt")
    served = [name.removeprefix(PREFIX) for name in _architectures(words)]
    if served and not any(f"{PREFIX}{name}" in known for name in served):
        sys.exit(f"ttctl: error: vLLM knows no Tenstorrent model of {', '.join(served)}")


def _architectures(words: list[str]) -> list[str]:
    """Return what the model to be served says of itself; nothing where it is no folder here."""
    pairs = [word.partition("=") for word in words]
    named = [value for name, sign, value in pairs if name == "--model" and sign]
    named += [value for name, value in itertools.pairwise(words) if name == "--model"]
    file = Path(named[-1], "config.json") if named else None
    if file is None or not file.is_file():
        return []
    found = json.loads(file.read_text(encoding="utf-8")).get("architectures")
    return [str(one) for one in found or ()]


def main() -> None:
    """Read the key, and become the server, whose answers are as OpenAI has them."""
    if sys.argv[1:2] == ["--ttctl-check"]:
        check(sys.argv[2:])
        return
    if file := os.environ.pop(KEY_FILE, ""):
        os.environ["VLLM_API_KEY"] = Path(file).read_text(encoding="utf-8").strip()
    check(sys.argv[1:])
    sys.argv += ["--middleware", f"{AsOpenAI.__module__}.{AsOpenAI.__qualname__}"]
    runpy.run_module("vllm.entrypoints.openai.api_server", run_name="__main__", alter_sys=True)


# Not only where this is the program: a process that vLLM spawns reads this file again.
register()

if __name__ == "__main__":
    main()
