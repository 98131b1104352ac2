# SPDX-License-Identifier: Apache-2.0
"""What of a service does its user get to edit, and how does it come into an image again? Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ttctl.rules import fingerprint
from ttctl.rules.beside import CHAT_SERVICE, USUAL
from ttctl.rules.compose import body_of
from ttctl.rules.stack import API_SERVICE, GATEWAY_SERVICE, service_name

if TYPE_CHECKING:
    from ttctl.model.image import ImageSpec
    from ttctl.model.service import ServiceSpec
    from ttctl.model.spec import EngineName

SERVICES = ("vllm", API_SERVICE, "sd", CHAT_SERVICE, GATEWAY_SERVICE)
"""What can be ejected, by the names of the containers."""
PACKAGES = "/opt/yours"
"""Where a user's Python packages lie in an image."""
NETWORK = "front"
_PACKAGE = re.compile(r"/(ttctl_[a-z]+/.+)$")
_OF_PYTHON = frozenset({"vllm", API_SERVICE, "sd"})
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)[:}-]")
PLUGIN = "ttctl_yours-0.dist-info"
"""How Python finds the entry point of the plugin that vLLM loads."""
METADATA = "Metadata-Version: 2.1\nName: ttctl-yours\nVersion: 0\n"
ENTRY_POINTS = "[vllm.general_plugins]\nyours = ttctl_yours:register\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """A file of a service, where it lies under `src` and in an image."""

    name: str
    target: str
    """Path in the image."""
    text: str
    executable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What the page of an ejected service says of it."""

    what: str
    alone: str
    missing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Of which stack a service is taken."""

    model: str
    engine: EngineName | None
    services: tuple[str, ...] | None


def asked_of(service: str, model: str | None) -> Asked:
    """Return the stack that a service is ejected from.

    Args:
        service: Name of its container.
        model: What was named; None for the usual one.
    """
    return Asked(
        model=model or USUAL.get(service, "llama"),
        engine="direct" if service == API_SERVICE else None,
        services=(CHAT_SERVICE,) if service == CHAT_SERVICE else None,
    )


def service_of(word: str) -> str:
    """Return the service that a word names: `direct` is the engine of `api`."""
    return service_name(word)


def owned_by(service: str, image: ImageSpec, *, plugin: str) -> tuple[Owned, ...]:
    """Return what a user may edit of a service, what is edited most last.

    Args:
        service: Name of its container.
        image: The product's, whose Dockerfile says where each file goes.
        plugin: Text of the plugin with which a user's part of vLLM begins.
    """
    if service == "vllm":
        named = {
            f"{PLUGIN}/METADATA": METADATA,
            f"{PLUGIN}/entry_points.txt": ENTRY_POINTS,
            "ttctl_yours.py": plugin,
        }
        return tuple(
            Owned(name=name, target=f"{PACKAGES}/{name}", text=text, executable=False)
            for name, text in named.items()
        )
    targets = _targets(image)
    found = (
        Owned(name=_name(service, name, path), target=path, text=text, executable=executable)
        for name, text, executable in image.files
        if (path := targets.get(name)) and _name(service, name, path)
    )
    return tuple(sorted(found, key=_least_edited))


def is_python(service: str) -> bool:
    """Return whether a service is made of Python packages."""
    return service in _OF_PYTHON


def sources_hash(files: tuple[tuple[str, str, bool], ...]) -> str:
    """Return the hash of an image's own files, to say whether ttctl's have changed since."""
    return fingerprint.of_files({name: text for name, text, _ in files})


def alone(service: ServiceSpec, *, port: int) -> dict[str, object]:
    """Return the compose file of a service by itself, held in as in its stack.

    It has no label of ttctl's, which looks after containers of its own only.

    Args:
        service: As the stack has it.
        port: On which it listens in its container; published on this machine only.
    """
    published = None if service.confinement.host_network else port
    name = f"ttctl-{service.name}-yours"
    one = replace(service, image=f"{name}:local", networks=(NETWORK,), publish=published)
    body = {key: value for key, value in body_of(one).items() if key != "pull_policy"}
    return {
        "name": name,
        "services": {service.name: {"build": {"context": "."}, **body}},
        "networks": {NETWORK: {"internal": False}},
    }


def variables_in(text: str) -> frozenset[str]:
    """Return the variables that a compose file asks its .env file for."""
    return frozenset(_VARIABLE.findall(text))


def words_for(service: str, image: ImageSpec, *, boards: bool) -> Words:
    """Return what is said of a service to whoever ejected it.

    Args:
        service: Name of its container.
        image: The product's.
        boards: Whether it opens a card.
    """
    what = {
        "vllm": "A plugin of vLLM's, which does nothing yet, and what you put beside it.",
        CHAT_SERVICE: "The page, how its server starts and is set, and its health check.",
        GATEWAY_SERVICE: "The health check.",
    }
    missing = {
        "vllm": "vLLM itself: it is in the image, as its own project released it.",
        CHAT_SERVICE: "`chat/` is a copy: `up` renders the list of engines anew, and copies your"
        " roles from their own folder.",
        GATEWAY_SERVICE: "`gateway/haproxy.cfg` is a copy for running it alone: in a stack it is"
        " rendered at each `up` from what stands behind it, and an edit of it is not taken.",
    }
    usual = "Python's own libraries and the model: they are in the image below and in the mount."
    ask = "The gateway asks for keys in a stack; alone, the service asks for none."
    return Words(
        what=what.get(service, f"Its Python packages, as in ttctl's image `{image.name}`."),
        alone="It opens a card, and `.env` names no node: only `ttctl up` leases boards."
        if boards
        else ask
        if service != GATEWAY_SERVICE
        else "Nothing answers behind it there; its keys are those of the stack.",
        missing=missing.get(service, usual),
    )


def _targets(image: ImageSpec) -> dict[str, str]:
    """Return path in the context to path in the image of what the last stage copies."""
    last = re.split(r"^FROM ", image.dockerfile, flags=re.MULTILINE)[-1]
    found: dict[str, str] = {}
    for line in re.findall(r"^COPY (?!--)(.+)$", last, flags=re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            for name, _, _ in image.files:
                if name == source:
                    folder = target.endswith("/")
                    found[name] = f"{target}{name.rpartition('/')[2]}" if folder else target
                elif name.startswith(f"{source}/"):
                    found[name] = f"{target.rstrip('/')}{name.removeprefix(source)}"
    return found


def _name(service: str, name: str, target: str) -> str:
    """Return where a file lies under `src`; empty for what only a build needs."""
    if service not in _OF_PYTHON:
        return name
    found = _PACKAGE.search(target)
    return found.group(1) if found else ""


def _least_edited(one: Owned) -> tuple[bool, bool, str]:
    return (not one.executable, not one.name.endswith(".conf"), one.name)
