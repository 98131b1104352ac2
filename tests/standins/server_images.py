# SPDX-License-Identifier: Apache-2.0
"""Images that stand in for the prebuilt servers, one for each contract, built by our own builder.

They read the same files, variables and arguments as the real ones, take the same steps with
privileges, and refuse what those refuse. They compute nothing.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import docker
import jinja2
from tests.standins.place import real_place
from tests.standins.product_images import product_images

from ttctl.model.image import ImageSpec
from ttctl.rules import fingerprint
from ttctl.rules.images import site_mounts

if TYPE_CHECKING:
    from collections.abc import Mapping

SERVERS = Path(__file__).parent / "servers"
REPOSITORY = "ttctl-standin"
CONTRACTS = ("vllm-legacy", "vllm-current", "media", "media-cpp", "forge", "own")
RELEASES = {"vllm-legacy": "0.10.1", "own": ""}
"""What an image stands for where a test says nothing; the others are of 0.20.0."""
ROOT_SINCE = (0, 9)
"""Media images from here on start as root.

Source: tenstorrent/tt-inference-server:tt-media-server/Dockerfile at the tags.
"""
SCRIPT = "#!/usr/bin/python3\nfrom tests.standins.servers.start import main\n\nmain({!r})\n"
Files = tuple[tuple[str, str, bool], ...]


def standin_image(
    contract: str, *, release: str = "", faults: Mapping[str, str] | None = None
) -> str:
    """Return the reference of a contract's stand-in, built where it is not here yet.

    Args:
        contract: One of `CONTRACTS`.
        release: The release of tt-inference-server that the image stands for.
        faults: Variables of `servers/faults.py` that the image has of its own, so that what
            launches it need not know of them.
    """
    ends = "".join(f"ENV {name}={value}\n" for name, value in sorted((faults or {}).items()))
    return _built(contract, release or RELEASES.get(contract, "0.20.0"), ends)


def processor_image() -> str:
    """Return the reference of the stand-in for vLLM on the processor."""
    values = {"parent": _common(), "faults": ""}
    files = (*_package(), *_of_folder("processor"))
    return _build("processor", _rendered("processor", values), files)


def served_from(registry: str, image: str, repository: str, tag: str) -> str:
    """Push an image to a registry under another name, and forget that name here.

    Args:
        registry: `HOST:PORT` of tests/standins/registry.py.
        image: Reference of a stand-in.
        repository: Path that it gets in the registry.
        tag: Its tag there.
    """
    client = docker.from_env()
    name = f"{registry}/{repository}"
    client.images.get(image).tag(name, tag)
    said = client.images.push(name, tag)
    assert '"error"' not in said, said
    client.images.remove(f"{name}:{tag}")
    return f"{name}:{tag}"


def tt_option(release: str) -> str:
    """Return the spelling of the Tenstorrent options that the vLLM of a release knows.

    Source: tenstorrent/tt-inference-server:workflows/model_spec.py at the tags.
    """
    number = tuple(int(part) for part in release.split(".")) if release else (99,)
    if number < (0, 15):
        return "override_tt_config"
    return "plugin_config" if number < (0, 16) else "additional_config"


@cache
def _built(contract: str, release: str, faults: str) -> str:
    values = {
        "parent": _common(),
        "release": release,
        "tt_option": tt_option(release),
        "early": contract.startswith("media") and _numbers(release) < ROOT_SINCE,
        "faults": faults,
    }
    folder = "media" if contract == "media-cpp" else contract
    files = (*_package(), *_of_folder(folder), ("server.py", SCRIPT.format(contract), True))
    if folder == "media":
        files = (*files, ("server-cpp.py", SCRIPT.format("media-cpp"), True))
    return _build(contract, _rendered(folder, values), files)


@cache
def _common() -> str:
    base = product_images()["base"]
    return _build("common", _rendered("common", {"parent": base, "site_mounts": site_mounts()}), ())


def _build(name: str, dockerfile: str, files: Files) -> str:
    print_of = fingerprint.of_json([dockerfile, files])
    reference = f"{REPOSITORY}/{name}:{print_of[:16]}"
    if not docker.from_env().images.list(name=reference):
        image = ImageSpec(
            name=name,
            reference=reference,
            fingerprint=print_of,
            parent="",
            dockerfile=dockerfile,
            files=files,
        )
        world = real_place()
        world.builder.build(image, world.reporter)
    return reference


def _rendered(folder: str, values: dict[str, object]) -> str:
    text = (SERVERS / folder / "Dockerfile").read_text(encoding="utf-8")
    return jinja2.Template(text, undefined=jinja2.StrictUndefined, trim_blocks=True).render(values)


def _package() -> Files:
    return tuple(
        (f"package/{path.name}", path.read_text(encoding="utf-8"), False)
        for path in sorted(SERVERS.glob("*.py"))
    )


def _of_folder(folder: str) -> Files:
    return tuple(
        (path.name, path.read_text(encoding="utf-8"), path.suffix == ".sh")
        for path in sorted((SERVERS / folder).iterdir())
        if path.name != "Dockerfile"
    )


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in release.split(".")) if release else (99,)
