# SPDX-License-Identifier: Apache-2.0
"""What a caller's shell may hold that no container, no file and no build may learn."""

from __future__ import annotations

import secrets

WORD = f"canary{secrets.token_hex(10)}"

OF_THE_SHELL = {
    "TT_METAL_HOME": f"/{WORD}/metal",
    "TT_METAL_CACHE": f"/{WORD}/cache",
    "TT_METAL_VISIBLE_DEVICES": f"{WORD}-devices",
    "ARCH_NAME": f"{WORD}-arch",
    "MESH_DEVICE": f"{WORD}-mesh",
    "VLLM_LOGGING_LEVEL": f"{WORD}-level",
    "PYTHONPATH": f"/{WORD}/python",
    "HF_TOKEN": f"hf_{WORD}",
    "OPENAI_API_KEY": f"sk-{WORD}",
    "TTCTL_OWNER": f"{WORD}-owner",
    "COMPOSE_PROFILES": f"{WORD}-profile",
    "BUILDX_BUILDER": f"{WORD}-builder",
    "http_proxy": f"http://me:{WORD}@127.0.0.1:9",
    "HTTPS_PROXY": f"http://me:{WORD}@127.0.0.1:9",
}
"""Variables of Tenstorrent's tools, of Python, of engines, of docker; keys; and the place's."""

OF_DOCKER = {
    "proxies": {
        "default": {
            "httpProxy": f"http://me:{WORD}@127.0.0.1:9",
            "httpsProxy": f"http://me:{WORD}@127.0.0.1:9",
            "noProxy": f"{WORD}.example.org",
        }
    }
}
"""Settings of the docker client, which it hands to every container that says nothing else."""
