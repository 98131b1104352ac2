# SPDX-License-Identifier: Apache-2.0
"""Put what serves beside a stack's own engine behind the same door."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ttctl.errors import NothingFitsError
from ttctl.model.pins import DERIVED
from ttctl.model.service import node_variables
from ttctl.model.spec import Request
from ttctl.operations.render_folder import is_unresolved
from ttctl.operations.serving import GATEWAY, on_processor, recipes_of
from ttctl.operations.serving_cards import on_cards
from ttctl.operations.terms import terms_beside
from ttctl.rules.beside import CHAT_SERVICE, wants_page
from ttctl.rules.chat_page import page_behind, page_files
from ttctl.rules.gateway_routes import MEMORY_MIB, Behind, several_values
from ttctl.rules.gateway_values import behind_card
from ttctl.rules.images import specs_for
from ttctl.rules.services import with_config
from ttctl.rules.services_chat import chat_service
from ttctl.rules.several import (
    CACHE,
    beside_service,
    cache_variable,
    launch_path,
    together,
    weights_variable,
)
from ttctl.rules.stack import service_name
from ttctl.rules.talk import speaks
from ttctl.rules.tls import door_values
from ttctl.rules.typed_request import typed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ttctl.model.image import ImageSpec
    from ttctl.model.protocols import World
    from ttctl.model.service import Network, ServiceSpec
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.choice import Beside, Choice
    from ttctl.operations.serving import Serving, Terms

PAGE_FOLDER = "chat"
"""Of the rendered folder, for what the page reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """What stands beside the own engine, and what the gateway has to know of it."""

    images: tuple[ImageSpec, ...]
    service: ServiceSpec
    behind: Behind
    speaks: str = ""
    """How it is talked to; empty for what holds no conversation."""
    files: dict[str, str] = field(default_factory=dict)
    """Path to text below the rendered folder."""
    networks: tuple[Network, ...] = ()
    """Of an engine on boards, as the next ones."""
    place: dict[str, str] = field(default_factory=dict)
    """Variables of the .env file."""
    max_body_bytes: int = 0
    serving: Serving | None = None


def behind_one_door(
    world: World, spec: ModelSpec, choice: Choice, terms: Terms, own: Serving
) -> Serving:
    """Return what serves a choice with all that stands beside it; itself where nothing does."""
    if not choice.services:
        return own
    main = _own(world, spec, own)
    parts: list[_Part] = []
    first_node = own.stack.nodes
    for one in choice.beside:
        parts.append(_engine(world, terms, one, first_node=first_node))
        first_node += parts[-1].service.nodes
    if wants_page(choice.services):
        talked = [
            (main.name, speaks(spec.engine)),
            *((one.behind.name, one.speaks) for one in parts),
        ]
        parts.append(_page(world, choice, talked))
    gateway = world.recipes.defaults(GATEWAY)
    values = several_values(
        [main, *(one.behind for one in parts)],
        gateway=gateway,
        max_body_bytes=max(
            gateway.max_body_bytes,
            _largest_body(world, spec, own),
            *(one.max_body_bytes for one in parts),
        ),
    )
    values |= door_values(terms.tls)
    config = world.recipes.template("gateway/haproxy.cfg.j2", values)
    door = replace(with_config(own.stack.services[-1], config), memory_mib=MEMORY_MIB)
    images = {one.reference: one for one in (*own.images, *_images_of(parts))}
    _refuse_namesakes(images.values(), choice, terms)
    networks = [network for one in parts for network in one.networks]
    services = [one.service for one in parts]
    return replace(
        own,
        images=tuple(images.values()),
        stack=together(own.stack, services, door=door, networks=networks),
        gateway_config=config,
        files={**own.files, **{path: text for one in parts for path, text in one.files.items()}},
        place={
            **own.place,
            **_places(world, choice),
            **{name: value for one in parts for name, value in one.place.items()},
        },
        beside=tuple((one.service.name, one.serving) for one in parts if one.serving is not None),
    )


def _images_of(parts: Sequence[_Part]) -> list[ImageSpec]:
    return [image for one in parts for image in one.images]


def _refuse_namesakes(images: Iterable[ImageSpec], choice: Choice, terms: Terms) -> None:
    """Refuse engines whose images would be built in one folder from two recipes.

    Raises:
        NothingFitsError: There are two such.
    """
    built = Counter(one.name for one in images if not one.prebuilt)
    twice = [name for name, count in built.items() if count > 1]
    if twice:
        last = choice.beside[-1]
        engine = last.choice.spec.engine
        alone = Request(
            model=last.requested,
            engine=engine if engine in DERIVED else None,
            name=f"{terms.name}-{last.service}",
        )
        raise NothingFitsError(
            f"The engines of {terms.name!r} need two images named {twice[0]!r}.",
            why="They stand on different commits, and a stack builds an image of a name once.",
            evidence="; ".join(f"{one.service}: {one.choice.spec.model}" for one in choice.beside),
            next_step=typed("up", alone),
        )


def _engine(world: World, terms: Terms, one: Beside, *, first_node: int) -> _Part:
    spec = one.choice.spec
    if spec.pins is not None:
        own = terms_beside(terms, one.service)
        serving = on_cards(world, spec, spec.pins, one.choice, own)
        return _on_cards(world, own, one, serving, first_node=first_node)
    serving = on_processor(world, spec, one.choice, terms)
    return _Part(
        images=serving.images,
        service=beside_service(serving.stack.engine, name=one.service),
        behind=_on_processor(world, spec, one.service),
        speaks=speaks(spec.engine),
    )


def _on_cards(
    world: World, terms: Terms, one: Beside, serving: Serving, *, first_node: int
) -> _Part:
    spec = one.choice.spec
    stack, contract = serving.stack, world.contracts[serving.stack.contract]
    service = beside_service(
        stack.engine, name=one.service, first_node=first_node, card=stack.card_of(stack.engine)
    )
    leased = terms.leased.values if terms.leased else ()
    return _Part(
        images=serving.images,
        service=service,
        behind=replace(behind_card(spec, contract), name=one.service),
        speaks=speaks(spec.engine),
        files={launch_path(path, one.service): text for path, text in serving.files.items()},
        networks=stack.networks,
        place={
            cache_variable(one.service): serving.place[CACHE],
            **dict(zip(node_variables(service), leased, strict=False)),
        },
        max_body_bytes=contract.max_body_bytes,
        serving=serving,
    )


def _page(world: World, choice: Choice, engines: Sequence[tuple[str, str]]) -> _Part:
    defaults, roles = world.recipes.defaults(CHAT_SERVICE), world.shelf.roles()
    recipes, render = recipes_of(world, CHAT_SERVICE), world.recipes.render
    images = specs_for(recipes, (CHAT_SERVICE,), base=choice.base, render=render)
    files = page_files(engines, roles)
    return _Part(
        images=images,
        service=chat_service(image=images[-1], defaults=defaults, files=files),
        behind=page_behind(roles, defaults=defaults),
        files={f"{PAGE_FOLDER}/{path}": text for path, text in files.items()},
    )


def _own(world: World, spec: ModelSpec, own: Serving) -> Behind:
    if spec.pins is None:
        return _on_processor(world, spec, service_name(spec.engine))
    return behind_card(spec, world.contracts[own.stack.contract])


def _on_processor(world: World, spec: ModelSpec, service: str) -> Behind:
    gateway, engine = world.recipes.defaults(GATEWAY), world.recipes.defaults(spec.image)
    return Behind(
        name=service,
        port=engine.port,
        paths=engine.paths or gateway.paths,
        # Its requests name no model: there is one, and its path is no other engine's.
        models=() if spec.engine == "direct" else (spec.model,),
        serves=spec.model,
    )


def _largest_body(world: World, spec: ModelSpec, own: Serving) -> int:
    return world.contracts[own.stack.contract].max_body_bytes if spec.pins else 0


def _places(world: World, choice: Choice) -> dict[str, str]:
    found = ((one.service, one.choice.weights) for one in choice.beside)
    return {
        weights_variable(service): "" if is_unresolved(one) else str(world.weights.path(one))
        for service, one in found
    }
