# SPDX-License-Identifier: Apache-2.0
"""How a plan reads: its steps, the values it starts with, what is in its way."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ttctl.cli.match_text import fitness_lines, match_lines, near_lines, why_lines
from ttctl.rules.parsers import told_arguments
from ttctl.rules.refusals import NOTHING_HERE

if TYPE_CHECKING:
    from ttctl.cli.palette import Palette, Role
    from ttctl.model.match import Finding
    from ttctl.model.override import Override
    from ttctl.model.plan import Plan, Step
    from ttctl.model.service import Stack
    from ttctl.operations.choice import Choice

LONGEST_SUBJECT = 44
"""Characters of a step's subject that are laid out in a column."""


def plan_text(plan: Plan, palette: Palette) -> str:
    """Lay the steps out, one a line, each with its reason; what changes something is coloured.

    Below a subject that is longer than most, the reason has a line of its own.
    """
    verb = max((len(step.verb) for step in plan.steps), default=0)
    lengths = (len(step.subject) for step in plan.steps)
    subject = max((length for length in lengths if length <= LONGEST_SUBJECT), default=0)
    lines = []
    for step in plan.steps:
        begin = f"  {palette.paint(f'{step.verb:<{verb}}', _role(step))}  "
        end = palette.paint(step.reason, "dim")
        if len(step.subject) <= subject:
            lines.append(f"{begin}{step.subject:<{subject}}  {end}")
        else:
            lines += [f"{begin}{step.subject}", f"{' ' * (verb + subject + 6)}{end}"]
    return "\n".join(lines)


def override_lines(override: Override | None) -> list[str]:
    """Say what the user laid over the stack, and what that opens."""
    if override is None:
        return []
    names = ", ".join(name for name, _ in override.services) or "nothing"
    return [
        f"yours     {override.path} is laid over {names}",
        *(f"          {one}" for one in carried_lines(override)),
        *(f"mind      {one}" for one in override.warnings),
    ]


def carried_lines(override: Override | None) -> list[str]:
    """Say what of the user's file neither a `docker run` line nor a unit has."""
    if override is None:
        return []
    # What a stack without such a file does not need.
    from ttctl.rules.override import not_carried  # noqa: PLC0415

    said = not_carried(override)
    return [f"read by docker compose alone; run.sh and units do without {said}"] if said else []


def command_lines(plan: Plan) -> list[str]:
    """Return commands as a shell reads them; what is not to be typed stands behind a `#`."""
    return [
        *(f"# open: {one}" for one in plan.unresolved),
        *(f"# not here: compose.override.yaml is {one}" for one in carried_lines(plan.override)),
        *(shlex.join(words) for words in plan.commands),
        *(
            f"# {line}"
            for one in plan.serve
            for line in (f"{one.what}:", *f"    {shlex.join(one.words)}".split("\n"))
        ),
    ]


def beside_lines(choice: Choice) -> list[str]:
    """Say what stands beside a stack's own engine, why, and whether it needs boards."""
    engines = [
        f"beside    {one.service}: {one.choice.spec.model} on {one.choice.spec.device}, "
        f"{'boards of its own' if one.choice.spec.pins else 'no board'}; {one.choice.reason}"
        for one in choice.beside
    ]
    # What a stack with one engine does without.
    from ttctl.rules.beside import wants_page  # noqa: PLC0415

    page = ["beside    chat: a page for a browser, no board"] if wants_page(choice.services) else []
    return [*engines, *page]


def exemption_lines(stack: Stack) -> list[str]:
    """Say what a stack's containers may do beyond the house's rule, and why."""
    return [
        f"may       {one.what}{f' {one.value}' if one.value else ''}: {one.reason}"
        for service in stack.services
        for one in service.confinement.exemptions
    ]


def entry_lines(
    found: Plan, palette: Palette, *, why: bool = False, verbose: bool = False, latest: bool = False
) -> list[str]:
    """Return what is known of a model that a prebuilt image serves."""
    chosen = match_lines(found.match, palette) if found.match else []
    return [
        *chosen,
        *_value_lines(found, whole=why or verbose, latest=latest),
        *reason_lines(found, why=why, verbose=verbose),
        *fitness_lines(found.fitness, palette),
    ]


def _value_lines(found: Plan, *, whole: bool, latest: bool) -> list[str]:
    """Say which values the engine is given, and which of them later releases changed."""
    if found.match is None:
        return []
    spec = found.match.spec
    lines: list[str] = []
    if latest:
        lines += [
            f"latest    {one.name} {one.first or 'not set'} -> {one.latest or 'not set'}"
            for one in spec.changed
        ] or ["latest    no value was changed since it was first validated"]
    if whole:
        words = (f"--{name} {value}".rstrip() for name, value in told_arguments(spec))
        lines.append(f"arguments  {' '.join(words)}".rstrip())
        words = (f"{name}={value}" for name, value in spec.environment)
        lines.append(f"environment  {' '.join(words)}".rstrip())
    return lines


def reason_lines(found: Plan, *, why: bool, verbose: bool) -> list[str]:
    """Say why this model was taken, or which others were near."""
    if found.match is None:
        return ["why       an earlier command locked it"] if why else []
    if why:
        return why_lines(found.match)
    return near_lines(found.match) if verbose else []


def ways_out(found: Plan, blocked: list[Finding]) -> list[str]:
    """Say what mends it, and what would start without that."""
    steps = [one.next_step for one in blocked if one.next_step]
    lines = [f"next: {step}" for step in dict.fromkeys(steps)]
    if found.match and found.match.offers:
        return [*lines, f"in its place: {found.match.offers[0].command}"]
    return lines or [f"next: {NOTHING_HERE}"]


def _role(step: Step) -> Role:
    return "dim" if step.verb in {"skip", "wait"} else "accent"
