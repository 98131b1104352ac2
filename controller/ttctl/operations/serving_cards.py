# SPDX-License-Identifier: Apache-2.0
"""Which images and containers serve an entry on a card's boards. Not yet run on a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ttctl.model.contract import WHOLE, LaunchHost
from ttctl.model.service import node_variable
from ttctl.operations.card_images import Wish, card_images
from ttctl.operations.serving import GATEWAY, Serving, recipes_of
from ttctl.rules.cache_name import cache_name
from ttctl.rules.device_sizes import SIZES
from ttctl.rules.device_stack import device_stack, host_stacks, refuse
from ttctl.rules.gateway_values import gateway_values
from ttctl.rules.hugepages import needs_mount
from ttctl.rules.images import specs_for
from ttctl.rules.launch import launch_files
from ttctl.rules.launch_mounts import HUGEPAGES, cache_folders
from ttctl.rules.launch_values import needs_key

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.health import NodeVitals
    from ttctl.model.image import ImageSpec
    from ttctl.model.pins import Pins
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.choice import Choice
    from ttctl.operations.serving import Terms

MULTIHOST, OWN = "multihost", "own"
EVERYBODY = 0o006
GROUP = 0o060


def on_cards(world: World, spec: ModelSpec, pins: Pins, choice: Choice, terms: Terms) -> Serving:
    """Return what serves an entry with pins.

    Raises:
        NothingFitsError: ttctl does not start this entry; it may be rendered all the same.
        OfflineError: Nobody could be asked for the image or its commits.
        EngineError: The image is nowhere, and cannot be built.
    """
    contract = world.contracts[pins.contract]
    spans = terms.rendering and pins.contract == MULTIHOST
    if not spans:
        refuse(spec, contract)
    found = terms.found or card_images(
        world, pins, choice.base, name=spec.engine, wish=_wish(world, spec, terms)
    )
    contract = world.contracts[OWN] if found.obtain.own else contract
    doors = specs_for(
        recipes_of(world, GATEWAY), (GATEWAY,), base=choice.base, render=world.recipes.render
    )
    values = gateway_values(spec, contract, gateway=world.recipes.defaults(GATEWAY))
    config = world.recipes.template("gateway/haproxy.cfg.j2", values)
    parts = {
        "image": found.images[-1].reference,
        "weights": choice.weights,
        "gateway_image": doors[-1],
        "gateway": world.recipes.defaults(GATEWAY),
        "gateway_config": config,
    }
    stacks = _stacks(world, spec, contract, terms, parts)
    name = cache_name(spec, contract)
    return Serving(
        images=_once((*doors, *found.images)),
        stack=stacks[0],
        gateway_config=config,
        further=stacks[1:],
        files=launch_files(spec, contract, weights=choice.weights),
        found=found,
        commits=found.pins,
        place=_place(world, terms, name),
        cache=name,
        cache_folders=cache_folders(spec, contract),
        wants_key=needs_key(spec, contract),
    )


def _wish(world: World, spec: ModelSpec, terms: Terms) -> Wish:
    return Wish(
        how=terms.how,
        sources=world.commits.checkouts(terms.sources) if terms.sources else (),
        locked=dict(terms.locked).get(spec.engine, ""),
        unlocked=terms.unlocked,
    )


def _stacks(
    world: World,
    spec: ModelSpec,
    contract: LaunchContract,
    terms: Terms,
    parts: dict[str, Any],
) -> tuple[Stack, ...]:
    if contract.name == MULTIHOST:
        return host_stacks(spec, contract, name=terms.name, port=terms.port, **parts)
    boards = terms.leased.boards if terms.leased else ()
    host = launch_host(world, spec, contract, terms)
    one = device_stack(
        spec, contract, name=terms.name, port=terms.port, boards=boards, host=host, **parts
    )
    return (one,)


def launch_host(
    world: World, spec: ModelSpec, contract: LaunchContract, terms: Terms
) -> LaunchHost:
    """Return what of this machine changes the launch; nothing while no board is chosen."""
    if terms.leased is None:
        return WHOLE
    system, cards = world.host.system(), world.vitals.cards()
    nodes = set(terms.leased.nodes)
    families = {board.family for board in system.boards if nodes.intersection(board.nodes)}
    whole = not families or families == {SIZES[spec.device].board}
    tt_metal = spec.pins.tt_metal if spec.pins else ""
    kinds = [kind for _, kind in cards.iommu]
    return LaunchHost(
        nodes=len(terms.leased.nodes),
        groups=_groups([one for one in cards.nodes if one.node in nodes]),
        hugepages=not kinds
        or any(
            needs_mount(contract, tt_metal=tt_metal, iommu=kind, driver=system.driver)
            for kind in kinds
        ),
        part_of="" if whole else min(families),
    )


def _groups(nodes: list[NodeVitals]) -> tuple[str, ...]:
    """Return the groups whose members may open nodes that not everybody may."""
    closed = [one for one in nodes if one.mode & EVERYBODY != EVERYBODY]
    return tuple(sorted({str(one.gid) for one in closed if one.mode & GROUP == GROUP}))


def _place(world: World, terms: Terms, cache: str) -> dict[str, str]:
    leased = terms.leased
    values = leased.values if leased else ()
    return {
        "TTCTL_HUGEPAGES": f"{leased.root if leased else ''}{HUGEPAGES}",
        "TTCTL_CACHE": str(world.engine_files.cache(cache)),
        "TTCTL_ENGINE_SECRETS": str(world.engine_files.secrets(terms.name)),
        **{node_variable(index): value for index, value in enumerate(values)},
    }


def _once(images: tuple[ImageSpec, ...]) -> tuple[ImageSpec, ...]:
    return tuple({image.reference: image for image in images}.values())
