# SPDX-License-Identifier: Apache-2.0
"""Which engines serve beside a stack's own?"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError, UsageError
from ttctl.model.pins import DERIVED
from ttctl.model.spec import Request
from ttctl.operations.choice import Beside, Choice
from ttctl.operations.choose import choose
from ttctl.rules.beside import CHAT_SERVICE, ENGINES, unknown_word, wishes_of
from ttctl.rules.board_sets import Want, fit_together, too_few
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.locked_entry import locked_entry
from ttctl.rules.one_chip import why_whole
from ttctl.rules.stack import service_name, stack_name
from ttctl.rules.swap import swap_line
from ttctl.rules.typed_request import typed

MULTIHOST = "multihost"

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ttctl.model.device import System
    from ttctl.model.image import BaseImage
    from ttctl.model.lock import Lock, LockedEngine
    from ttctl.model.protocols import World
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.desire import Desired
    from ttctl.rules.beside import Wish


def with_beside(
    world: World,
    choice: Choice,
    request: Request,
    previous: Lock | None,
    *,
    anew: Callable[..., Choice],
) -> Choice:
    """Return a choice with the engines that are wanted beside it; what is locked stays.

    Args:
        world: Everything outside.
        choice: What serves the request itself.
        request: What is asked for.
        previous: The stack's lock, where it answers the request.
        anew: Chooses what is not locked, as `new_choice` does.

    Raises:
        NothingFitsError: One of them was not validated here.
        UsageError: A service is named twice.
    """
    words = _words(request, previous)
    wishes = wishes_of(words, model=request.model, own=service_name(choice.spec.engine))

    def chosen(wish: Wish) -> Choice:
        kept = _kept(world, wish, previous, base=choice.base)
        with _as_a_word(wish):
            return kept or anew(_asked(world, request, wish, choice.spec), base=choice.base)

    beside = tuple(
        Beside(service=one.service, requested=one.model, choice=chosen(one)) for one in wishes
    )
    for one in (choice, *(each.choice for each in beside)):
        if beside and one.spec.pins is not None and one.spec.pins.contract == MULTIHOST:
            raise _several_hosts(request, one.spec)
    return replace(choice, services=words, beside=beside)


def _several_hosts(request: Request, spec: ModelSpec) -> NothingFitsError:
    return NothingFitsError(
        f"{spec.model!r} on {spec.device!r} shares a stack with no other engine.",
        why="It spans several hosts, and the engines of a stack are on one.",
        evidence=f"Entry {spec.id}.",
        next_step=typed("plan", replace(request, services=())),
    )


def refuse_unfit(
    world: World, request: Request, previous: Lock | None, kept: ModelSpec | None
) -> None:
    """Refuse engines for which the boards of this machine do not do together, whoever has them.

    Nobody but this machine and the catalog is asked.

    Args:
        world: Everything outside.
        request: What is asked for.
        previous: The stack's lock, where it answers the request.
        kept: The entry that it names.

    Raises:
        NothingFitsError: Each would fit alone; the evidence names what each needs, and the boards.
        TtctlError: One of them serves nobody here.
    """
    words, system = _words(request, previous), world.host.system()
    if not set(words) - {CHAT_SERVICE} or not system.boards:
        return
    own = kept or choose(world, request).spec
    wishes = wishes_of(words, model=request.model, own=service_name(own.engine))
    if own.pins is None:
        return
    specs = []
    for one in wishes:
        with _as_a_word(one):
            locked = _locked_spec(world, one, previous)
            specs.append(locked or choose(world, _asked(world, request, one, own)).spec)
    wants = wants_of([(service_name(own.engine), own)])
    if not fit_together(wants, system):
        # For another machine, which is said of one engine, too.
        return
    for wish, spec in zip(wishes, specs, strict=True):
        wants += wants_of([(wish.service, spec)])
        if not fit_together(wants, system):
            raise _too_few(wants, system, request, wish)


def wants_of(engines: Iterable[tuple[str, ModelSpec]]) -> tuple[Want, ...]:
    """Return what each engine needs of the boards, by the name of its container."""
    return tuple(
        Want(service=service, device=spec.device, whole=why_whole(spec))
        for service, spec in engines
        if spec.device in SIZES
    )


def engines_of(desired: Desired) -> tuple[tuple[str, ModelSpec], ...]:
    """Return every engine of a stack by the name of its container, the stack's own first."""
    own = (desired.stack.engine.name, desired.spec)
    return own, *((one.service, one.choice.spec) for one in desired.choice.beside)


def _too_few(
    wants: Sequence[Want], system: System, request: Request, wish: Wish
) -> NothingFitsError:
    engine = wish.engine if wish.engine in DERIVED else None
    own = stack_name(request)
    alone = Request(model=wish.model, engine=engine, name=f"{own}-{wish.service}"[:48])
    step = f"{typed('up', alone)}   # while {own!r} is up: {swap_line(own, alone)}"
    return too_few(wants, system, next_step=step)


@contextmanager
def _as_a_word(wish: Wish) -> Iterator[None]:
    """Say of a word that no model is called that a service may be meant."""
    try:
        yield
    except UsageError as exc:
        if exc.mistyped != wish.model or wish.service in ENGINES:
            raise
        raise unknown_word(wish.model, exc) from exc


def _words(request: Request, previous: Lock | None) -> tuple[str, ...]:
    remembered = previous.services if previous is not None else ()
    return remembered if request.services is None else request.services


def _asked(world: World, request: Request, wish: Wish, own: ModelSpec) -> Request:
    """Return what is asked for beside a stack's own engine: the same device, else what serves it.

    Another device of the machine is taken where nothing of the model was validated on that one.
    """
    asked = Request(
        model=wish.model,
        name=request.name,
        device=own.device,
        engine=wish.engine,
        experimental=request.experimental if own.pins else False,
        unattended=request.unattended,
        guesses=request.guesses,
    )
    if own.pins is None:
        return asked
    try:
        choose(world, asked)
    except NothingFitsError:
        return replace(asked, device=None)
    return asked


def _kept(world: World, wish: Wish, previous: Lock | None, *, base: BaseImage) -> Choice | None:
    """Return what a lock names while it answers the wish and the catalog still has it."""
    locked, spec = _locked(wish, previous), _locked_spec(world, wish, previous)
    if locked is None or spec is None:
        return None
    return Choice(spec=spec, weights=locked.weights, base=base, reason=locked.reason)


def _locked_spec(world: World, wish: Wish, previous: Lock | None) -> ModelSpec | None:
    locked = _locked(wish, previous)
    return None if locked is None else locked_entry(world.catalog.specs(), locked)


def _locked(wish: Wish, previous: Lock | None) -> LockedEngine | None:
    """Return what a lock keeps of an engine, where that is what is wanted."""
    beside = previous.beside if previous is not None else ()
    wanted = (wish.service, wish.model, wish.engine)
    return next((one for one in beside if (one.service, one.requested, one.engine) == wanted), None)
