# SPDX-License-Identifier: Apache-2.0
"""One or two real commands for each verb: the end of its `--help`, its man page, its docs page."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[str, ...]] = {
    "up": ("ttctl up llama", "ttctl up llama --name second --port 8001"),
    "down": ("ttctl down llama", "ttctl down --all"),
    "swap": ("ttctl swap llama qwen", "ttctl swap llama qwen --dry-run"),
    "ps": ("ttctl ps", "ttctl ps -a -q"),
    "status": ("ttctl status llama", "ttctl --json status llama"),
    "wait": ("ttctl wait llama", "ttctl wait llama --timeout 600"),
    "logs": ("ttctl logs llama -f --tail 50", "ttctl logs llama --explain"),
    "exec": ("ttctl exec vllm -- sh", "ttctl exec gateway --stack llama -- haproxy -v"),
    "chat": (
        "ttctl chat 'What is Tenstorrent?'",
        "git diff | ttctl chat --system 'Review this.'",
    ),
    "image": (
        "ttctl image 'a red circle' -o out.png",
        "ttctl image 'a lighthouse at dusk' -n 4 --size 512x512 --seed 1",
    ),
    "connect": ("ttctl connect env", "ttctl connect aider --write"),
    "plan": ("ttctl plan llama --device n150 --why", "ttctl plan --pack llama qwen"),
    "build": ("ttctl build llama", "ttctl build llama --again"),
    "render": ("ttctl render llama -o folder",),
    "eject": ("ttctl eject chat -o my-chat", "ttctl eject api llama -o my-api --dry-run"),
    "lock": ("ttctl lock llama", "ttctl lock llama --upgrade"),
    "models": ("ttctl models ls", "ttctl models show llama"),
    "models ls": ("ttctl models ls --device n150 --task chat", "ttctl models ls --size"),
    "models search": ("ttctl models search chat", "ttctl models search llama --device t3k"),
    "models show": ("ttctl models show llama", "ttctl models show Qwen3-32B --device t3k --delta"),
    "models diff": ("ttctl models diff built-in", "ttctl models diff built-in 0.19.0"),
    "models refresh": ("ttctl models refresh", "ttctl models refresh 0.19.0 --dry-run"),
    "models pull": ("ttctl models pull llama", "ttctl models pull llama --dry-run"),
    "models verify": ("ttctl models verify --quick", "ttctl models verify llama"),
    "models rm": ("ttctl models rm llama --dry-run",),
    "devices": ("ttctl devices",),
    "devices ls": ("ttctl devices ls", "ttctl devices ls --json"),
    "devices info": ("ttctl devices info", "ttctl devices info --tt-smi-snapshot snapshot.json"),
    "devices check": ("ttctl devices check", "ttctl devices check --model llama --board 0"),
    "devices reset": ("ttctl devices reset 0 --dry-run", "ttctl devices reset --all --yes"),
    "devices clear": ("ttctl devices clear 0", "ttctl devices clear --all --dry-run"),
    "config": ("ttctl config", "ttctl config set up.port 8001"),
    "config show": ("ttctl config show", "ttctl config show --all"),
    "config get": ("ttctl config get up.port",),
    "config set": (
        "ttctl config set up.port 8001",
        "ttctl config set up.model llama --project",
    ),
    "config unset": ("ttctl config unset up.port", "ttctl config unset up.model --project"),
    "config edit": ("ttctl config edit", "EDITOR=nano ttctl config edit --project"),
    "config path": ("ttctl config path", "ttctl config path --project"),
    "config site": ("ttctl config site", "ttctl config site --all"),
    "doctor": ("ttctl doctor", "ttctl doctor llama --fix"),
    "report": ("ttctl report", "ttctl report llama --dry-run"),
    "completion": ("ttctl completion zsh --install", 'eval "$(ttctl completion bash)"'),
}
"""The words of a verb to commands that can be typed as they stand; a test parses each."""
