# SPDX-License-Identifier: Apache-2.0
"""Which line of an engine's log means that it will not come up. Pure.

Source: vLLM 0.32.0's start-up messages as seen when each was provoked on the CPU; the TT_ ones
and the trace region's are in the issue reports of tt-metal and tt-inference-server (#4005), and
were not yet seen on a card.
"""

from __future__ import annotations

import re

NOT_RUN = "OCI runtime exec failed"
"""How Docker begins what it says, on stdout, of a command that a container cannot start."""
CAUSES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), cause)
    for pattern, cause in (
        (r"error: (unrecognized arguments|argument )", "the engine refused one of its flags"),
        (
            r"max_model_len .* is greater than the derived",
            "the model has a shorter context than --max-model-len asks for",
        ),
        (r"To serve at least one request .* KV cache", "the KV cache is too small for one request"),
        (r"Free memory .* is less than desired", "the memory limit is too small for the engine"),
        (r"(MemoryError|OutOfMemoryError|Cannot allocate memory)", "the engine ran out of memory"),
        (r"No space left on device", "a file system is full"),
        (r"PermissionError: \[Errno 13\]", "the container's user may not read a file"),
        (r"SafetensorError|Error while deserializing header", "a weights file is damaged"),
        (
            r"(is not a local folder|does not appear to have a file named|No such file.*/models/)",
            "a file of the model is missing",
        ),
        (r"Address already in use", "the engine's port is taken inside its container"),
        (
            r"Creating trace buffers of size (\d+)B .*but only (\d+)B is allocated",
            (
                "the trace region is too small: trace_region_size has to be {0} or more, and "
                "is {1}; `ttctl plan MODEL --values latest` shows what a later release sets"
            ),
        ),
        (
            r"Timed out while waiting for active ethernet core",
            "the card's links were left in disorder: it needs a reset",
        ),
        (r"TT_(THROW|FATAL)", "the Tenstorrent device did not start"),
        (r"Engine core initialization failed", "the engine's core did not start"),
        (r"^(ModuleNotFoundError|ImportError):", "the image lacks a Python module"),
    )
)


OF_THE_CARD = re.compile(
    r"TT_(THROW|FATAL)|Creating trace buffers|active ethernet core|Engine core initialization"
)
"""What a fatal line has in it where the engine had opened its cards before."""
HARMLESS = re.compile(r"\b(WARNING|INFO|DEBUG)\b|^\[W\d|\b\w*Warning:")
"""Python's levels, PyTorch's (`[W1121 08:36:10...`), and the warnings module's."""


def cause_of(line: str) -> str | None:
    """Return what a log line means, None for a line that is not fatal."""
    if HARMLESS.search(line):
        return None
    found = ((pattern.search(line), cause) for pattern, cause in CAUSES)
    return next((cause.format(*match.groups()) for match, cause in found if match), None)


def card_cause_of(line: str) -> str | None:
    """Return what a line means that leaves a card in disorder, None for any other line."""
    return cause_of(line) if OF_THE_CARD.search(line) else None
