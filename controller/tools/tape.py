# SPDX-License-Identifier: Apache-2.0
"""What is typed in docs/first-ten-minutes.md, in which situation, and what varies in the answers.

A line is a template: `{own}`, `{name}` and `{port}` become a stack of this run's own when it is
run, and what a newcomer would type when it is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Situation = Literal["plain", "fresh clone", "no engine", "port taken", "disk full", "no network"]

SHOWN = {"own": "", "name": "llama", "port": "8000"}
QUESTION = "What is Tenstorrent?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A few lines that are typed one after another, in one situation."""

    name: str
    typed: tuple[str, ...]
    situation: Situation = "plain"
    engine: bool = False
    """Whether docker must be installed, and an engine answer where none is left out."""
    of_the_place: bool = False
    """Whether what is printed is this machine's and place's own, which no test can know."""
    screen: bool = False
    """Whether it is shown in colour, as docs/screens/NAME.svg, too."""


TAPE = (
    Scene(
        name="install",
        situation="fresh clone",
        typed=("make setup", ". .venv/bin/activate", "ttctl --version"),
    ),
    Scene(name="help", typed=("ttctl --help",), screen=True),
    Scene(name="verb-help", typed=("ttctl chat --help",)),
    Scene(name="models", typed=("ttctl models ls --device cpu",), screen=True),
    Scene(name="catalog-ls", typed=("ttctl models ls --device n150 --type llm",)),
    Scene(name="catalog-plan", typed=("ttctl plan llama --device n150",)),
    Scene(name="catalog-none", typed=("ttctl plan stable-diffusion-3.5-large --device n150",)),
    Scene(
        name="catalog-delta",
        typed=("ttctl models show Qwen2.5-72B-Instruct --device t3k --delta | tail -n 4",),
    ),
    Scene(name="doctor", typed=("ttctl doctor",), engine=True, of_the_place=True, screen=True),
    Scene(name="settings", typed=("ttctl config show",), of_the_place=True),
    Scene(name="wrong-verb", typed=("ttctl stauts",)),
    Scene(name="wrong-model", typed=("ttctl up lama",), screen=True),
    Scene(name="wrong-flag", typed=("ttctl up llama --prot 8001",)),
    Scene(
        name="no-engine",
        situation="no engine",
        typed=("DOCKER_HOST=unix:///var/run/no-engine.sock ttctl up llama",),
        engine=True,
    ),
    Scene(
        name="port-taken",
        situation="port taken",
        typed=("ttctl up llama --port {port}",),
        engine=True,
    ),
    Scene(name="disk-full", situation="disk full", typed=("ttctl up llama",), engine=True),
    Scene(name="no-network", situation="no network", typed=("ttctl up qwen",), engine=True),
    Scene(name="plan", typed=("ttctl plan llama{own}",), engine=True, screen=True),
    Scene(name="up", typed=("ttctl up llama{own}",), engine=True),
    Scene(name="plan-again", typed=("ttctl plan llama{own}",), engine=True),
    Scene(name="chat", typed=(f'ttctl chat "{QUESTION}"',), engine=True, screen=True),
    Scene(name="connect", typed=("ttctl connect",), engine=True),
    Scene(name="status", typed=("ttctl status",), engine=True, screen=True),
    Scene(
        name="status-live",
        typed=("ttctl status --live --count 1",),
        engine=True,
        of_the_place=True,
    ),
    Scene(name="down", typed=("ttctl down {name}",), engine=True),
    Scene(name="status-after", typed=("ttctl status",), engine=True),
)

VARIES = (
    (re.compile(r"\b\d+\.\d+ s\b"), "N s"),
    (re.compile(r"\(\d+ tokens, .*tokens/s\)"), "(N tokens)"),
    (re.compile(r"\b[0-9a-f]{16}\b"), "FINGERPRINT"),
    (re.compile(r"\bpid \d+ \([^)]*\)"), "pid N (PROGRAM)"),
    (re.compile(r"\b\d+\.\d+\s(GB|GiB|MB)\b"), r"N \1"),
    (re.compile(r"\b\d+(,\d{3})+\b"), "N"),
    (re.compile(r"Free: \d+"), "Free: PORT"),
    (re.compile(r"--port \d+"), "--port PORT"),
    (re.compile(r"model\s+hub\s+at\s+\S+"), "model hub at HUB"),
    (re.compile(r"^  \+ (Build|Bootstrap|Pull) .*\n", re.MULTILINE), ""),
    (re.compile(r"^ +(no registry answers for|demo-llama is a small) .*\n", re.MULTILINE), ""),
    (re.compile(r"^    .*; [\d:]+ of at most .*\n", re.MULTILINE), ""),
    (re.compile(r"^evidence: .*(no-engine\.sock).*$", re.MULTILINE), r"evidence: \1"),
    (re.compile(r"\S*/ttctl (chat|down)"), r"ttctl \1"),
)
"""What no two runs have in common: seconds, speeds, fingerprints, process ids, room, free ports,
the hub of a place, what had to be built first, what a slow start says, docker's own words,
where the program lies."""


def comparable(text: str) -> str:
    """Return a text without what varies."""
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return text
