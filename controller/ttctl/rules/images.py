# SPDX-License-Identifier: Apache-2.0
"""Which images a stack needs, in the order in which they are built. Pure."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError
from ttctl.model.image import ImageSpec
from ttctl.rules import fingerprint
from ttctl.rules.source_tree import SOURCE_README, labels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from ttctl.model.image import BaseImage, ImageRecipe, LocalSource
    from ttctl.model.site import Sourced

_OF_EVERY_STEP = ("site.env", "ca.pem", "pip.conf", "apt.conf", "sources.list")
_OF_GIT = "gitconfig"
SITE_SECRETS = (*_OF_EVERY_STEP, _OF_GIT)
"""Secret ids of a build; a place that needs nothing of a kind gives an empty file."""

REPOSITORY = "ttctl"
REFERENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:@-]{0,510}")
"""What an image reference is made of; each character is harmless in every file that holds one."""


def check_reference(one: Sourced) -> None:
    """Refuse a setting that is no image reference.

    Raises:
        BadFileError: It holds something that no reference has.
    """
    if not REFERENCE.fullmatch(one.value):
        raise BadFileError(
            f"{one.value!r} is no image reference.",
            why=f"{one.source} names it as an image to use.",
            evidence="Expected [HOST[:PORT]/]NAME[:TAG][@sha256:DIGEST].",
            next_step="docker image ls",
        )


def site_mounts() -> str:
    """Return the mounts by which a RUN sees what is peculiar to the place."""
    # World-readable inside the build: apt checks certificates as its own user.
    return " ".join(f"--mount=type=secret,id={secret},mode=0444" for secret in _OF_EVERY_STEP)


def git_mount() -> str:
    """Return the mount by which a RUN that clones also sees the place's git mirrors."""
    # Where git reads the machine's own settings: no variable has to lead it there.
    return f"--mount=type=secret,id={_OF_GIT},target=/etc/gitconfig,mode=0444"


def chain(recipes: Mapping[str, ImageRecipe], name: str) -> tuple[str, ...]:
    """Return the recipes from the base image up to `name`.

    Raises:
        BadFileError: A parent is not there, or the parents go round in a circle.
    """
    names: list[str] = []
    current = name
    while current:
        if current in names or current not in recipes:
            raise BadFileError(
                f"The image {name!r} cannot be ordered.",
                why="A parent in image.toml is missing or goes round in a circle.",
                evidence=" <- ".join([*names, current]),
                next_step=f"edit images/{names[-1] if names else name}/image.toml",
            )
        names.append(current)
        current = recipes[current].parent
    return tuple(reversed(names))


def specs_for(
    recipes: Mapping[str, ImageRecipe],
    wanted: Iterable[str],
    *,
    base: BaseImage,
    render: Callable[[ImageRecipe, dict[str, str]], str],
    values: Mapping[str, str] | None = None,
    sources: Sequence[LocalSource] = (),
) -> tuple[ImageSpec, ...]:
    """Return every image that `wanted` needs, parents first, each once.

    Args:
        values: What templates may see by name; each sees those that its image.toml declares.
        sources: Checkouts that are built in place of the pinned commits.
    """
    given, local = dict(values or {}), {one.component: one for one in sources}
    made: dict[str, ImageSpec] = {}
    for target in wanted:
        for name in chain(recipes, target):
            if name not in made:
                recipe = recipes[name]
                spec = _spec(
                    recipe, made.get(recipe.parent), base=base, render=render, values=given
                )
                source = local.get(recipe.component)
                parent = made.get(recipe.parent)
                above = parent.unvalidated if parent else ()
                own = (source.component,) if source else ()
                marks = tuple(dict.fromkeys((*above, *own)))
                made[name] = replace(spec, source=source, unvalidated=marks)
    return tuple(made.values())


def pull_reference(base: BaseImage) -> str:
    """Return what is pulled for a base image: its digest, where one is known."""
    if not base.digest or "@" in base.source:
        return base.source
    host, slash, name = base.source.rpartition("/")
    return f"{host}{slash}{name.partition(':')[0]}@{base.digest}"


def prebuilt(
    name: str, reference: str, *, digest: str = "", reason: str = "", user: str = ""
) -> ImageSpec:
    """Return the spec of an image that is pulled, never built.

    Args:
        digest: `sha256:...` where a registry gave it; the same from every mirror.
        reason: Why it is pulled; the site settings name it, where empty.
        user: Whom it starts as, where that is known.
    """
    return ImageSpec(
        name=name,
        reference=reference,
        fingerprint=digest.removeprefix("sha256:") or fingerprint.sha256_text(reference),
        parent="",
        dockerfile="",
        files=(),
        prebuilt=True,
        reason=reason,
        user=user,
    )


def build_command(image: ImageSpec, *, context: str, secrets: str) -> tuple[str, ...]:
    """Return the command that builds `image` from a staged context and a folder of secrets.

    The engine's own builder is named, since another one does not see the parent's local image.
    """
    return (
        "docker", "buildx", "build", "--builder=default", "--load", "--progress=plain",
        *secret_words(secrets), *(f"--label={label}" for label in labels_of(image)),
        f"--tag={image.reference}", context,
    )  # fmt: skip


def secret_words(secrets: str) -> tuple[str, ...]:
    """Return the words that hand a folder of the place's secrets to a build."""
    return tuple(f"--secret=id={secret},src={secrets}/{secret}" for secret in SITE_SECRETS)


def _spec(
    recipe: ImageRecipe,
    parent: ImageSpec | None,
    *,
    base: BaseImage,
    render: Callable[[ImageRecipe, dict[str, str]], str],
    values: Mapping[str, str],
) -> ImageSpec:
    parent_reference = parent.reference if parent else base.reference
    parent_fingerprint = parent.fingerprint if parent else fingerprint.sha256_text(base.reference)
    mounts = {"site_mounts": site_mounts(), "git_mount": git_mount()}
    # The folder is bound by the build whether or not a checkout lies in it.
    files = (*recipe.files, *([SOURCE_README] if recipe.component else []))
    declared = {name: values[name] for name in recipe.values if name in values}
    dockerfile = render(recipe, {"parent": parent_reference, **mounts, **declared})
    print_ = fingerprint.of_image(
        dockerfile=dockerfile, files=files, parent_fingerprint=parent_fingerprint
    )
    return ImageSpec(
        name=recipe.name,
        reference=f"{REPOSITORY}/{recipe.name}:{print_[: fingerprint.SHORT]}",
        fingerprint=print_,
        parent=parent_reference,
        dockerfile=dockerfile,
        files=files,
        wheelhouse=recipe.wheelhouse,
        index=recipe.index,
        tree=recipe.tree,
        takes_source=bool(recipe.component),
        memory_gb=recipe.memory_gb,
        disk_gb=recipe.disk_gb,
        verify=recipe.verify,
    )
