# SPDX-License-Identifier: Apache-2.0
"""Which images and containers serve what was chosen: on the processor, or on a card's boards."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ttctl.errors import UsageError
from ttctl.model.plan import AS_NEEDED
from ttctl.model.tls import Wish
from ttctl.rules.images import check_reference, prebuilt, specs_for
from ttctl.rules.recipe import DEFAULT_UID
from ttctl.rules.services import stack_of
from ttctl.rules.stack import BIND, service_name
from ttctl.rules.tls import door_values

if TYPE_CHECKING:
    from ttctl.model.contract import LaunchHost
    from ttctl.model.ejected import Ejected
    from ttctl.model.image import ImageRecipe, ImageSpec
    from ttctl.model.lease import Leased
    from ttctl.model.lock import LockedEngine, LockedImage
    from ttctl.model.plan import How
    from ttctl.model.protocols import World
    from ttctl.model.service import ServiceDefaults, Stack
    from ttctl.model.site import Site
    from ttctl.model.spec import ModelSpec
    from ttctl.operations.card_images import CardImages
    from ttctl.operations.choice import Choice

GATEWAY = "gateway"
NO_TLS = Wish()


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms a choice is served."""

    name: str
    """The stack's."""
    port: int
    bind: str = BIND
    """Address of this host on which the gateway listens."""
    tls: Wish = NO_TLS
    """What is wanted of the gateway's certificate."""
    any_port: bool = False
    """Whether the port is neither asked for nor locked, so that another does as well."""
    how: How = AS_NEEDED
    unlocked: bool = False
    """Whether nobody is asked for what only a registry or a repository knows."""
    rendering: bool = False
    """Whether it is only written down, so that what `up` refuses is written too."""
    sources: tuple[str, ...] = ()
    """Checkouts in place of pinned commits, `COMPONENT=PATH`."""
    uid: int = DEFAULT_UID
    """User id in an image that ttctl builds for a card."""
    checkouts: tuple[str, ...] = ()
    """Those that the locked image of ours was built from, where none are named now."""
    leased: Leased | None = None
    """The boards and their nodes; None while they are not chosen."""
    host: LaunchHost | None = None
    """The machine as it was at a start, where a folder is compared; None to look at it."""
    ejected: tuple[Ejected, ...] = ()
    """Services that the user edited, as their folders were when they were read."""
    found: tuple[tuple[str, CardImages], ...] = ()
    """`Serving.all_found`, where they were found before: nobody is asked twice."""
    locked: tuple[LockedImage, ...] = ()
    """The images that a lock names by their digests."""
    built: tuple[tuple[str, str], ...] = ()
    """(component, commit) of the image of ours that a lock names; empty where it names none."""
    beside: tuple[LockedEngine, ...] = ()
    """What a lock keeps of the engines beside the stack's own."""
    service: str = ""
    """The engine beside the stack's own that these are for; empty for its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What serves a choice."""

    images: tuple[ImageSpec, ...]
    stack: Stack
    gateway_config: str
    further: tuple[Stack, ...] = ()
    """What runs on the other hosts of an entry that spans several."""
    files: dict[str, str] = field(default_factory=dict)
    """Path to text of what the engine's container reads besides."""
    found: CardImages | None = None
    """The images of a card's entry, and how the engine's is had."""
    commits: tuple[tuple[str, str], ...] = ()
    """Component and commit of what is built from source."""
    place: dict[str, str] = field(default_factory=dict)
    """Variables of the .env file that only this kind of stack has."""
    cache: str = ""
    """Name of the cache that the engine keeps between starts; empty for none."""
    cache_folders: tuple[str, ...] = ()
    writer: int | None = None
    """Whose files the server can write; None where it joins the cache's group."""
    wants_key: bool = False
    """Whether the engine refuses requests without a key of its own."""
    beside: tuple[tuple[str, Serving], ...] = ()
    """(service, what serves it) of the engines beside it that run on boards."""

    @property
    def each(self) -> tuple[Serving, ...]:
        """Itself, and those beside it that run on boards."""
        return self, *(one for _, one in self.beside)

    @property
    def engine_image(self) -> ImageSpec:
        """The image of the stack's own engine."""
        wanted = self.stack.engine.image
        return next(one for one in self.images if one.reference == wanted)

    @property
    def all_found(self) -> tuple[tuple[str, CardImages], ...]:
        """(service, images) of each engine that runs on boards; the stack's own has no name."""
        named = (("", self), *self.beside)
        return tuple((name, one.found) for name, one in named if one.found is not None)


def check_site(site: Site) -> None:
    """Refuse a site's image that is no reference.

    Raises:
        BadFileError: One is none.
    """
    for one in (site.base_image, site.engine_image):
        if one is not None:
            check_reference(one)


def on_processor(world: World, spec: ModelSpec, choice: Choice, terms: Terms) -> Serving:
    """Return what serves an entry of the target `cpu`.

    Raises:
        UsageError: A checkout was named, and nothing is built from source here.
    """
    if terms.sources:
        raise UsageError(
            f"{spec.model!r} on {spec.device!r} is not built from a checkout.",
            why="--source stands in for a pinned commit of tt-metal or vllm, and there is none.",
            evidence=f"--source {terms.sources[0]}",
            next_step=f"ttctl models show {spec.model}",
        )
    images = _images(world, spec, choice)
    gateway = world.recipes.defaults(GATEWAY)
    engine = world.recipes.defaults(spec.image)
    config = _gateway_config(world, spec, terms, engine=engine, gateway=gateway)
    stack = stack_of(
        spec,
        name=terms.name,
        port=terms.port,
        images={image.name: image for image in images},
        engine=engine,
        gateway=gateway,
        weights=choice.weights,
        gateway_config=config,
    )
    return Serving(images=images, stack=stack, gateway_config=config)


def recipes_of(world: World, name: str) -> dict[str, ImageRecipe]:
    """Return a recipe with its parents."""
    recipes: dict[str, ImageRecipe] = {}
    while name and name not in recipes:
        recipes[name] = world.recipes.recipe(name)
        name = recipes[name].parent
    return recipes


def _images(world: World, spec: ModelSpec, choice: Choice) -> tuple[ImageSpec, ...]:
    recipes = recipes_of(world, spec.image) | recipes_of(world, GATEWAY)
    render, base = world.recipes.render, choice.base
    if world.site.engine_image is not None and spec.engine == "vllm":
        own = specs_for(recipes, (GATEWAY,), base=base, render=render)
        return (*own, prebuilt(spec.image, world.site.engine_image.value))
    return specs_for(recipes, (spec.image, GATEWAY), base=base, render=render)


def _gateway_config(
    world: World,
    spec: ModelSpec,
    terms: Terms,
    *,
    engine: ServiceDefaults,
    gateway: ServiceDefaults,
) -> str:
    return world.recipes.template(
        "gateway/haproxy.cfg.j2",
        {
            "engine": service_name(spec.engine),
            "engine_port": engine.port,
            "paths": list(engine.paths or gateway.paths),
            "max_body_bytes": engine.max_body_bytes or gateway.max_body_bytes,
            "retry_after_s": gateway.retry_after_s,
            **door_values(terms.tls),
        },
    )
