# SPDX-License-Identifier: Apache-2.0
"""Try a model on this machine's cards, and write one signed result that names nobody.

`make device MODEL=...`, or `python -m tools.acceptance MODEL`. The stack stays up. Exit code 0: it
passed, or is slower than its highest tier; 1: it failed, or something was left out; 3: no card.
Not yet run on a card.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.adapters import places
from ttctl.adapters.acceptance_place import LocalKit
from ttctl.adapters.hardware import FOLDER
from ttctl.cli.console import Console
from ttctl.cli.wiring import wire
from ttctl.cli.wiring_files import wire_settings
from ttctl.errors import TtctlError
from ttctl.model.spec import Request
from ttctl.operations.acceptance import accept
from ttctl.rules.acceptance import CLAIMS, marked
from ttctl.rules.device_names import device_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ttctl.model.acceptance_kit import Accepted

ROOT = Path(__file__).parents[2]


def lines(accepted: Accepted) -> Iterator[str]:
    """Yield what the person at the machine is told."""
    ran = accepted.ran
    passed = sum(one.outcome == "passed" for one in ran.checks)
    yield f"{ran.model} on {ran.device}: {marked(ran.verdict, modified=ran.build.modified)}"
    yield f"checks    {passed} of {len(ran.checks)} passed"
    for name, detail in accepted.details:
        yield f"  {name}: {detail}"
    for tier in ran.tiers:
        for one in tier.figures:
            told = "not measured" if one.measured is None else f"{one.measured:.3f}"
            speed = " ".join(filter(None, (tier.task, tier.shape, f"x {tier.concurrency}")))
            against = f"{tier.tier} {one.target:g}: {one.verdict}"
            yield f"speed     {speed} {one.name} {told}, {against}"
        if ran.verdict in CLAIMS:
            yield f"tier      {tier.reached or 'none'} reached"
    yield f"result    {accepted.file}"
    yield "next      make docs   # puts it into docs/hardware.md"


def asked(words: Sequence[str]) -> argparse.Namespace:
    """Return what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", help="as `ttctl up` takes it")
    parser.add_argument("--device", type=_device, help="one that the cards make up [default: all]")
    parser.add_argument("--board", action="append", default=[], help="a board to take; repeatable")
    parser.add_argument("--name", help="the stack's name")
    parser.add_argument("--port", type=int, help="the gateway's port")
    parser.add_argument("--sign-key", type=Path, help="an SSH key [default: one of ttctl's own]")
    parser.add_argument("--out", type=Path, default=places.catalog() / FOLDER, help="folder")
    parser.add_argument("--quick", action="store_true", help="measure no speeds: incomplete")
    return parser.parse_args(words)


def requested(wanted: argparse.Namespace) -> Request:
    """Return what `up` is asked for."""
    return Request(
        model=wanted.model,
        name=wanted.name,
        device=wanted.device,
        port=wanted.port,
        boards=tuple(wanted.board),
        unattended=True,
    )


def _device(word: str) -> str:
    if found := device_named(word):
        return found
    message = f"there is no device {word!r}; `ttctl devices` shows them"
    raise argparse.ArgumentTypeError(message)


def main(words: Sequence[str]) -> int:
    """Run it, and say what was found."""
    wanted = asked(words)
    settings = wire_settings(None)
    environ = dict(os.environ)
    world = wire(Console(), settings=settings)
    try:
        kit = LocalKit(
            environ,
            checkout=ROOT,
            state=places.state(environ),
            results=wanted.out,
            device_root=str(settings.find("device.root").value),
            key=wanted.sign_key,
        )
        request = requested(wanted)
        accepted = accept(world, kit, request, measure=not wanted.quick)
    except TtctlError as error:
        for name in ("message", "why", "evidence", "next_step"):
            title = {"message": "error", "next_step": "next"}.get(name, name)
            if said := getattr(error, name):
                print(f"{title + ':':<9} {said}", file=sys.stderr)
        return error.exit_code
    print("\n".join(lines(accepted)))
    return 0 if accepted.ran.verdict in CLAIMS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
