# SPDX-License-Identifier: Apache-2.0
"""Give a user a service of ours to edit: its source, its Dockerfile and its compose file."""

from __future__ import annotations

import json
import shlex
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl import __version__
from ttctl.errors import TtctlError, UsageError
from ttctl.model.ejected import SERVICE_FILE, SOURCES
from ttctl.model.service import node_variables
from ttctl.operations.beside import engines_of
from ttctl.operations.desire import desire
from ttctl.operations.render_folder import dotenv_values, is_unresolved
from ttctl.rules.dotenv import dotenv_text
from ttctl.rules.eject import (
    PACKAGES,
    alone,
    is_python,
    owned_by,
    sources_hash,
    variables_in,
    words_for,
)
from ttctl.rules.stack import BIND
from ttctl.rules.typed_request import words_of

if TYPE_CHECKING:
    from pathlib import Path

    from ttctl.model.image import ImageSpec
    from ttctl.model.protocols import World
    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import Request
    from ttctl.operations.desire import Desired
    from ttctl.rules.eject import Owned

    Files = dict[str, tuple[str, bool]]

ALONE_PORT = 8100
"""The first port for a service by itself, above those that stacks get."""
PORTS_TRIED = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Ejection:
    """A folder that is the user's now."""

    service: str
    folder: Path
    files: tuple[str, ...]
    """Paths inside of it."""
    image: str
    """The product's image, over which the folder is laid."""
    command: str
    """What to type to run it in its stack."""
    before: Path | None = None
    """Where an earlier one of this name was moved; None where there was none."""


def eject(
    world: World,
    request: Request,
    *,
    service: str,
    output: Path,
    force: bool = False,
    dry_run: bool = False,
) -> Ejection:
    """Write the folder of a service of the stack that `request` would bring up.

    `dry_run` only says which files it would hold. A hub is asked only where no lock says which
    weights the service has, and it does without one that does not answer.

    Raises:
        UsageError: `output` is not empty, or the service is not one whose image ttctl builds.
    """
    world.ejections.check(output, force=force)
    desired = _desired(world, replace(request, ejected=()))
    spec, image = _found(desired, service)
    line = shlex.join(_words(request))
    files = _files(world, desired, spec, image, line=line, output=output)
    before = None if dry_run else world.ejections.write(output, files)
    return Ejection(
        service=service,
        folder=output,
        files=tuple(sorted(files)),
        image=image.reference,
        command=f"ttctl up {line} --from {shlex.quote(str(output))}",
        before=before,
    )


def _desired(world: World, request: Request) -> Desired:
    named = desire(world, request, rendering=True, hub=False)
    if named.spec.pins is not None or not is_unresolved(named.lock.weights):
        return named
    with suppress(TtctlError):
        return desire(world, request, rendering=True)
    return named


def _words(request: Request) -> tuple[str, ...]:
    return words_of(request, name=request.name, device=request.device)


def _found(desired: Desired, service: str) -> tuple[ServiceSpec, ImageSpec]:
    services = {one.name: one for one in desired.stack.services}
    if service not in services:
        raise UsageError(
            f"The stack of {desired.spec.model!r} has no service {service!r}.",
            why="A service is ejected as a stack has it.",
            evidence=f"It has: {', '.join(services)}.",
            next_step="ttctl eject --help",
        )
    spec = services[service]
    image = next(one for one in desired.images if one.reference == spec.image)
    if image.prebuilt:
        raise UsageError(
            f"The service {service!r} runs an image that ttctl does not build.",
            why="Nothing of it is ours to hand out.",
            evidence=image.reference,
            next_step="ttctl eject gateway -o DIR",
        )
    return spec, image


def _files(
    world: World,
    desired: Desired,
    spec: ServiceSpec,
    image: ImageSpec,
    *,
    line: str,
    output: Path,
) -> Files:
    service, text = spec.name, world.recipes.template
    owned = owned_by(service, image, plugin=text("eject/ttctl_yours.py.j2", {}))
    dockerfile = text("eject/Dockerfile.j2", _dockerfile_values(service, image, owned))
    compose = world.recipes.yaml(alone(spec, port=_port(world, desired, spec, image)))
    page = text("eject/README.md.j2", _page_values(desired, spec, image, line=line, output=output))
    return {
        "Dockerfile": (dockerfile, False),
        ".dockerignore": (f"*\n!{SOURCES}\n**/__pycache__\n", False),
        "compose.yaml": (compose, False),
        ".env": (_dotenv(world, desired, compose), False),
        "README.md": (page, False),
        SERVICE_FILE: (_service_text(service, image), False),
        **{f"{SOURCES}/{one.name}": (one.text, one.executable) for one in owned},
        **_mounted(desired, spec),
    }


def _dockerfile_values(
    service: str, image: ImageSpec, owned: tuple[Owned, ...]
) -> dict[str, object]:
    return {
        "service": service,
        "parent": image.reference,
        "packages": PACKAGES if is_python(service) else "",
        "copied": [(one.name, one.target) for one in owned],
    }


def _page_values(
    desired: Desired, spec: ServiceSpec, image: ImageSpec, *, line: str, output: Path
) -> dict[str, object]:
    words = words_for(spec.name, image, boards=bool(spec.nodes))
    return {
        "service": spec.name,
        "version": __version__,
        "parent": image.reference,
        "folder": shlex.quote(str(output)),
        "line": line,
        "what": words.what,
        "alone": words.alone,
        "missing": words.missing,
        "weights": _weights_word(desired, spec),
    }


def _weights_word(desired: Desired, spec: ServiceSpec) -> str:
    """Return the model whose weights a service mounts; empty for one that has none."""
    found = (shlex.quote(one.model) for name, one in engines_of(desired) if name == spec.name)
    return next(found, "")


def _port(world: World, desired: Desired, spec: ServiceSpec, image: ImageSpec) -> int:
    """Return the port that a service listens on in its container."""
    if spec.publish is not None:
        return spec.publish
    if spec.nodes:
        return world.contracts[desired.stack.card_of(spec).contract].port
    return world.recipes.defaults(image.name).port


def _dotenv(world: World, desired: Desired, compose: str) -> str:
    """Return what the compose file asks for; which boards are free, only a lease says."""
    values = dotenv_values(world, desired.lock, desired.stack, desired.serving)
    nodes = {name for one in desired.stack.services for name in node_variables(one)}
    asked = variables_in(compose) - nodes
    values["TTCTL_PORT"] = str(_free_port(world))
    return dotenv_text({name: value for name, value in values.items() if name in asked})


def _free_port(world: World) -> int:
    """Return a port of its own: the stack that it was taken from may be up."""
    ports = range(ALONE_PORT, ALONE_PORT + PORTS_TRIED)
    return next((port for port in ports if world.host.port_holder(BIND, port) is None), ALONE_PORT)


def _mounted(desired: Desired, spec: ServiceSpec) -> Files:
    """Return what the service mounts of the rendered folder."""
    folders = [
        f"{one.source.removeprefix('./')}/" for one in spec.mounts if one.source.startswith("./")
    ]
    return {
        path: found
        for path, found in desired.files.items()
        if any(path.startswith(folder) for folder in folders)
    }


def _service_text(service: str, image: ImageSpec) -> str:
    values = {
        "service": service,
        "ttctl": __version__,
        "image": image.reference,
        "fingerprint": image.fingerprint,
        "sources_sha256": sources_hash(image.files),
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join(["# Which service of ttctl's this folder is.", "schema = 1", *lines, ""])
