# SPDX-License-Identifier: Apache-2.0
"""One or two real commands for each verb: the end of its `--help`, its man page, its docs page."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "up": ("ttctl up llama", "ttctl up llama --name second --port 8001"),
    "down": ("ttctl down llama", "ttctl down --all"),
    "ps": ("ttctl ps", "ttctl ps -a -q"),
    "status": ("ttctl status llama", "ttctl --json status llama"),
    "logs": ("ttctl logs llama -f --tail 50", "ttctl logs llama --service vllm --since 10m"),
    "exec": ("ttctl exec vllm -- sh", "ttctl exec gateway --stack llama -- haproxy -v"),
    "chat": (
        "ttctl chat 'What is Tenstorrent?'",
        "git diff | ttctl chat --system 'Review this.'",
    ),
    "plan": ("ttctl plan llama", "ttctl plan llama --device cpu"),
    "render": ("ttctl render llama -o folder",),
    "lock": ("ttctl lock llama", "ttctl lock llama --upgrade"),
    "models": ("ttctl models ls", "ttctl models show llama"),
    "models ls": ("ttctl models ls", "ttctl models ls --device cpu"),
    "models show": ("ttctl models show llama",),
    "devices": ("ttctl devices",),
    "devices ls": ("ttctl devices ls",),
    "config": ("ttctl config site",),
    "config site": ("ttctl config site", "ttctl --json config site"),
    "completion": ("ttctl completion zsh --install", 'eval "$(ttctl completion bash)"'),
}
"""The words of a verb to commands that can be typed as they stand; a test parses each."""
