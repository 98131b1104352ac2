# SPDX-License-Identifier: Apache-2.0
"""Which images and containers serve an entry on a card's boards. Not yet run on a card."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.contract import WHOLE, LaunchHost
from ttctl.model.house import LOCAL
from ttctl.model.image import LocalSource
from ttctl.model.pins import OWN
from ttctl.model.service import node_variable
from ttctl.operations.card_images import Wish, card_images
from ttctl.operations.checked_trees import check_checkouts
from ttctl.operations.render_hosts import place_to_fill_in
from ttctl.operations.serving import GATEWAY, Serving, recipes_of
from ttctl.rules.cache_name import cache_name
from ttctl.rules.confinement import run_as
from ttctl.rules.device_stack import StackParts, device_stack, host_stacks, refuse
from ttctl.rules.gateway_values import gateway_values
from ttctl.rules.hugepages import needs_mount
from ttctl.rules.image_user import server_uid
from ttctl.rules.images import specs_for
from ttctl.rules.launch import launch_files
from ttctl.rules.launch_mounts import HUGEPAGES, cache_folders
from ttctl.rules.launch_values import needs_key
from ttctl.rules.multihost import door_port
from ttctl.rules.node_rights import groups_to_add, opener_of
from ttctl.rules.tls import door_values

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchContract
    from ttctl.model.image import ImageSpec
    from ttctl.model.pins import Pins
    from ttctl.model.protocols import World
    from ttctl.model.service import Stack
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.card_images import CardImages
    from ttctl.operations.choice import Choice
    from ttctl.operations.serving import Terms

MULTIHOST = "multihost"


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
    found = dict(terms.found).get(terms.service) or _found(world, spec, pins, choice, terms)
    spec = _as_built(spec, pins, found)
    contract = contract if pins.is_derived or not found.obtain.own else world.contracts[OWN]
    uid = _uid(contract, found, terms)
    contract = run_as(contract, uid)
    doors = specs_for(
        recipes_of(world, GATEWAY), (GATEWAY,), base=choice.base, render=world.recipes.render
    )
    values = gateway_values(spec, contract, gateway=world.recipes.defaults(GATEWAY))
    values |= door_values(terms.tls)
    config = world.recipes.template("gateway/haproxy.cfg.j2", values)
    parts = StackParts(
        name=terms.name,
        port=door_port(contract) if spans and terms.any_port else terms.port,
        image=found.images[-1].reference,
        weights=choice.weights,
        gateway_image=doors[-1],
        gateway=world.recipes.defaults(GATEWAY),
        gateway_config=config,
    )
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
        place={**_place(world, terms, name), **_of_hosts(len(stacks))},
        cache=name,
        cache_folders=cache_folders(spec, contract),
        writer=None if contract.joins_group else uid,
        wants_key=needs_key(spec, contract),
    )


def _as_built(spec: ModelSpec, pins: Pins, found: CardImages) -> ModelSpec:
    """Return the entry with the trees that stand in place of its commits.

    Neither what a validated start has cached nor what is known of the pinned tt-metal is theirs.
    """
    local = {name: commit for name, commit in found.pins if commit.startswith(LOCAL)}
    tt_metal, vllm = local.get("tt-metal", pins.tt_metal), local.get("vllm", pins.vllm)
    return replace(spec, pins=replace(pins, tt_metal=tt_metal, vllm=vllm))


def _uid(contract: LaunchContract, found: CardImages, terms: Terms) -> int:
    """Return whose files the server writes, for the rendering and for the folders alike."""
    if found.obtain.own:
        return terms.uid
    image = found.images[-1]
    return server_uid(contract, image=image.reference, user=image.user)


def _found(world: World, spec: ModelSpec, pins: Pins, choice: Choice, terms: Terms) -> CardImages:
    wish = _wish(world, spec, terms)
    found = card_images(world, pins, choice.base, name=spec.engine, wish=wish)
    if found.obtain.way != "build":
        return found
    if terms.checkouts:
        # What is gone is built again from the tree as it is now.
        wish = replace(wish, sources=world.commits.checkouts(terms.checkouts))
        found = card_images(world, pins, choice.base, name=spec.engine, wish=wish)
    check_checkouts(world, found.images, wish.sources)
    return found


def _as_locked(terms: Terms) -> tuple[LocalSource, ...]:
    """Return the checkouts of the locked image as they were: nobody looks at the trees."""
    commits = dict(terms.built)
    pairs = (one.partition("=") for one in terms.checkouts)
    return tuple(
        LocalSource(component=name, path=path, digest=commits.get(name, "").removeprefix(LOCAL))
        for name, _, path in pairs
    )


def _wish(world: World, spec: ModelSpec, terms: Terms) -> Wish:
    locked = next((one for one in terms.locked if one.name == spec.engine), None)
    return Wish(
        how=terms.how,
        sources=world.commits.checkouts(terms.sources) if terms.sources else _as_locked(terms),
        uid=terms.uid,
        built=terms.built,
        locked=locked.reference if locked else "",
        locked_user=locked.user if locked else "",
        unlocked=terms.unlocked,
    )


def _stacks(
    world: World,
    spec: ModelSpec,
    contract: LaunchContract,
    terms: Terms,
    parts: StackParts,
) -> tuple[Stack, ...]:
    if contract.name == MULTIHOST:
        return host_stacks(spec, contract, parts)
    boards = terms.leased.boards if terms.leased else ()
    host = launch_host(world, spec, contract, terms)
    return (device_stack(spec, contract, parts, boards=boards, host=host),)


def launch_host(
    world: World, spec: ModelSpec, contract: LaunchContract, terms: Terms
) -> LaunchHost:
    """Return what of this machine changes the launch; what is said while no board is chosen."""
    if terms.leased is None:
        return terms.host or WHOLE
    system, cards = world.host.system(), world.vitals.cards()
    nodes = set(terms.leased.nodes)
    tt_metal = spec.pins.tt_metal if spec.pins else ""
    who = opener_of(contract.name, uid=contract.uid)
    kinds = [kind for _, kind in cards.iommu]
    return LaunchHost(
        nodes=len(terms.leased.nodes),
        groups=groups_to_add([one for one in cards.nodes if one.node in nodes], who),
        hugepages=needs_mount(tt_metal=tt_metal, iommu=kinds, driver=system.driver),
        part_of=terms.leased.part_of,
    )


def _place(world: World, terms: Terms, cache: str) -> dict[str, str]:
    leased = terms.leased
    values = leased.values if leased else ()
    return {
        "TTCTL_HUGEPAGES": f"{leased.root if leased else ''}{HUGEPAGES}",
        "TTCTL_CACHE": str(world.engine_files.cache(cache)),
        "TTCTL_ENGINE_SECRETS": str(world.engine_files.secrets(terms.name)),
        **{node_variable(index): value for index, value in enumerate(values)},
    }


def _of_hosts(hosts: int) -> dict[str, str]:
    return place_to_fill_in(hosts) if hosts > 1 else {}


def _once(images: tuple[ImageSpec, ...]) -> tuple[ImageSpec, ...]:
    return tuple({image.reference: image for image in images}.values())
