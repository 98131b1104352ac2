# SPDX-License-Identifier: Apache-2.0
"""How a match, the checks of the machine and a packing read on the screen."""

from __future__ import annotations

from ttctl.cli.palette import Palette, Role
from ttctl.model.match import Finding, Match, Packing
from ttctl.model.pins import Pins
from ttctl.model.spec import ModelSpec
from ttctl.rules.concurrency import requests_text

NEAR = 12
"""Near misses that `--verbose` shows; `--why` shows all."""
MARKS: dict[str, Role] = {"ok": "good", "warning": "warn", "blocked": "bad", "unknown": "dim"}


def match_lines(found: Match, palette: Palette) -> list[str]:
    """Return what was chosen, by which rule, and what to mind."""
    spec = found.spec
    lines = [f"{spec.model} on {spec.device}: {spec.status}{_mark(spec)}"]
    if spec.pins is not None:
        lines += _pins(spec.pins)
        lines.append(f"limits    {_limits(spec)}")
    lines += [f"yours     {text}" for text in found.yours]
    score = f", score {found.score:.0f} of 100" if found.how == "likeness" else ""
    lines.append(f"chosen    by {found.how}{score}; {found.deciding}")
    lines += [f"{palette.paint('mind', 'warn')}      {text}" for text in found.warnings]
    return lines


def why_lines(found: Match) -> list[str]:
    """Return every reason, who came next and by which rule, and every near miss."""
    lines = [f"why       {text}" for text in found.reasons]
    lines += [
        f"behind    {one.model} on {one.device}, {one.status}: by the rule: {one.rule}"
        for one in found.runners_up
    ]
    return [*lines, *near_lines(found, limit=len(found.near_misses))]


def near_lines(found: Match, *, limit: int = NEAR) -> list[str]:
    """Return the near misses, each with its reason, and what may be had in place."""
    shown = found.near_misses[:limit]
    lines = [f"not       {one.model} on {one.device}: {one.kind}, {one.reason}" for one in shown]
    if len(found.near_misses) > limit:
        lines.append(f"not       {len(found.near_misses) - limit} more, see --why")
    return lines + [f"instead   {one.command}   # {one.reason}" for one in found.offers]


def fitness_lines(findings: tuple[Finding, ...], palette: Palette) -> list[str]:
    """Return the checks, one a line, with what to type where something is to be done."""
    lines = []
    for one in findings:
        mark = palette.paint(f"{one.verdict:<8}", MARKS[one.verdict])
        lines.append(f"  {mark}  {one.subject:<9}  {one.summary}")
        if one.next_step:
            lines.append(f"{'':<23}next: {one.next_step}")
    return lines


def packing_lines(found: Packing) -> list[str]:
    """Return which model gets which boards, or what is in the way."""
    lines = ["They fit." if found.fits else "They do not fit."]
    for one in found.placed:
        boards = ", ".join(one.boards) or "no board"
        lines.append(f"  {one.model}  {boards}  {one.memory_mib} MiB  {one.reason}")
    if found.placed:
        here = f" of {found.machine_mib}" if found.machine_mib else ""
        lines.append(f"memory    {found.memory_mib} MiB{here}")
        free = f" of {found.free_disk_mib}" if found.free_disk_mib else ""
        lines.append(f"disk      {found.disk_mib} MiB{free}")
    if found.left:
        lines.append(f"left      {', '.join(found.left)}")
    lines += [f"obstacle  {text}" for text in found.obstacles]
    lines += [f"warning   {text}" for text in found.warnings]
    return lines + [f"unknown   {text}" for text in found.unknown]


def _mark(spec: ModelSpec) -> str:
    if spec.derived_from:
        return f" with another server, and {spec.engine} is derived from it"
    return f" (experimental: {spec.experimental})" if spec.experimental else ""


def _pins(pins: Pins) -> list[str]:
    def said(name: str, value: str) -> str:
        return f"{value} (inferred)" if name in pins.inferred else value

    lines = [
        f"tt-metal  {pins.tt_metal}",
        *([f"vLLM      {pins.vllm}"] if pins.vllm else []),
        f"image     {_image(pins)}",
        f"contract  {said('contract', pins.contract)}",
        f"recipe    {said('recipe', pins.recipe)}",
    ]
    if pins.flag:
        lines.append(f"flag      {said('flag', pins.flag)}")
    if pins.reason:
        lines.append(f"because   {pins.reason}")
    return lines


def _image(pins: Pins) -> str:
    return f"built here, on the tt-metal of {pins.image}" if pins.is_derived else pins.image


def _limits(spec: ModelSpec) -> str:
    return f"{spec.limits.max_model_len} tokens, {requests_text(spec, 'requests at a time')}"
