# SPDX-License-Identifier: Apache-2.0
"""Print what importing each runtime dependency costs, over a Python that does nothing.

`python -m tools.imports`; the figures of docs/dependencies.md are from it. Processor time, the
least of several turns, each in a process of its own; what the product needs of it is imported.
"""

from __future__ import annotations

import resource
import subprocess
import sys

TURNS = 7
NEEDED = {
    "click": "click",
    "docker": "docker",
    "httpx2": "httpx2",
    "huggingface_hub": "huggingface_hub.hf_api",
    "jinja2": "jinja2",
    "pydantic": "pydantic",
    "pyyaml": "yaml",
    "rapidfuzz": "rapidfuzz.process",
    "rich": "rich.progress",
    "tomlkit": "tomlkit",
    "typer": "typer",
}


def cost_s(code: str) -> float:
    """Return the processor time of a Python that runs `code`, in seconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Measure in turns, so that a noisy machine is noisy for all."""
    codes = {"": "pass"}
    for name, module in NEEDED.items():
        done = subprocess.run(
            [sys.executable, "-c", f"import {module}"], capture_output=True, check=False, timeout=60
        )
        if not done.returncode:
            codes[name] = f"import {module}"
    least = dict.fromkeys(codes, float("inf"))
    for _ in range(TURNS):
        for name, code in codes.items():
            least[name] = min(least[name], cost_s(code))
    for name in list(codes)[1:]:
        print(f"{name:<16} {least[name] / least['']:.1f}")


if __name__ == "__main__":
    main()
