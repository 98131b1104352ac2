# SPDX-License-Identifier: Apache-2.0
"""What is said of a stack that answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ttctl.operations.tls import at_of, client_file
from ttctl.rules.acceptance_trials import service_path
from ttctl.rules.beside import CHAT_SERVICE, wants_page
from ttctl.rules.stack import BIND

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.protocols import World
    from ttctl.model.verified import Verified
    from ttctl.operations.desire import Desired


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """A service beside the stack's own engine."""

    name: str
    engine: str
    """Empty for one that computes nothing."""
    model: str
    reason: str
    """Why this model; empty where there is none."""
    demo: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class UpResult:
    """A stack that answers."""

    stack: str
    model: str
    device: str
    demo: bool
    reason: str
    url: str
    key_file: Path
    folder: Path
    command: tuple[str, ...]
    """The engine's exact command line."""
    changed: bool
    answers: bool
    """Whether a completion has come back; False where it was not waited for."""
    seconds: float
    experimental: str = ""
    """Why it runs though nobody validated it on this device; empty where it was validated."""
    engine: str = "vllm"
    """What computes, and so how it is talked to."""
    derived_from: str = ""
    """The entry whose tt-metal a program of ours stands on; empty for a validated pairing."""
    values: str = ""
    """`latest` where the newest release's arguments are taken; empty for those first validated."""
    unvalidated: tuple[str, ...] = ()
    """Components that are built from a checkout in place of the pinned commit."""
    yours: tuple[str, ...] = ()
    """Services that the user edited, `SERVICE=FOLDER`."""
    services: tuple[Further, ...] = ()
    """What stands beside the engine behind the same gateway."""
    bind: str = BIND
    """Address of this host on which the gateway listens; `0.0.0.0` lets other machines in."""
    tls: str = ""
    """`generated` or `own` where the gateway is encrypted; empty where it is not."""
    certificate: str = ""
    """File by which other programs know the gateway; empty where they need none."""
    service_path: str = ""
    """Path of what the model is for, such as `/v1/audio/speech`; empty where it talks."""
    verified: Verified | None = None
    """What `--verify` found; None where nobody asked."""


def result_of(
    world: World, desired: Desired, *, changed: bool, answers: bool, started: float
) -> UpResult:
    """Return what is said of a stack that was brought up, or was up."""
    name, engine = desired.stack.name, desired.stack.services[0]
    return UpResult(
        stack=name,
        model=desired.spec.model,
        device=desired.spec.device,
        demo=desired.spec.demo,
        reason=desired.lock.reason,
        url=at_of(world, name, desired.lock).url,
        key_file=world.keys.key_file(name),
        folder=world.store.folder(name),
        command=(*engine.entrypoint, *engine.command),
        changed=changed,
        answers=answers,
        seconds=world.clock.now() - started,
        experimental=desired.lock.experimental,
        engine=desired.lock.engine,
        derived_from=desired.lock.derived_from,
        values=desired.lock.values,
        unvalidated=desired.serving.engine_image.unvalidated,
        yours=tuple(one.yours for one in desired.images if one.yours),
        services=_further(desired),
        bind=desired.stack.bind,
        tls=desired.lock.tls,
        certificate=client_file(world, name, desired.lock),
        service_path=service_path(desired.spec),
    )


def _further(desired: Desired) -> tuple[Further, ...]:
    beside = tuple(
        Further(
            name=one.service,
            engine=one.choice.spec.engine,
            model=one.choice.spec.model,
            reason=one.choice.reason,
            demo=one.choice.spec.demo,
        )
        for one in desired.choice.beside
    )
    page = Further(name=CHAT_SERVICE, engine="", model="", reason="", demo=False)
    return (*beside, page) if wants_page(desired.choice.services) else beside
