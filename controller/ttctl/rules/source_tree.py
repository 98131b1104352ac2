# SPDX-License-Identifier: Apache-2.0
"""How is an image made by a source tree's own Dockerfile? Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ttctl.model.container import FINGERPRINT_LABEL, UNVALIDATED_LABEL, YOURS_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ttctl.model.image import ImageSpec

BAKE_FILE = "dockerfile/docker-bake.hcl"
_PROXIES = ("http_proxy", "https_proxy", "no_proxy")
"""Without a value on the command line: the builder takes it from the environment, unseen."""

SOURCE_README = (
    "source/README",
    """A checkout of your own lies here as `tree` where the build takes one in place of the pinned
commit; otherwise the build fetches the commit by git.
""",
    False,
)
"""What a context holds for a build that takes a source tree."""


def labels_of(image: ImageSpec) -> tuple[str, ...]:
    """Return what a build writes on an image besides what its Dockerfile says, `NAME=VALUE`."""
    marks = " ".join(image.unvalidated)
    return (
        f"{FINGERPRINT_LABEL}={image.fingerprint}",
        *([f"{UNVALIDATED_LABEL}={marks}"] if marks else []),
        *([f"{YOURS_LABEL}={image.yours.partition('=')[0]}"] if image.yours else []),
    )


def layout_command(*, context: str, given: Sequence[str], tree: str) -> tuple[str, ...]:
    """Return the command that lays a source tree out in the folder `tree`.

    Args:
        context: The folder of the Dockerfile.
        given: Words that hand the secrets of the place to a build.
        tree: A folder; it is made.
    """
    return (
        "docker", "buildx", "build", "--builder=default", "--progress=plain", *given,
        f"--output=type=local,dest={tree}", context,
    )  # fmt: skip


def tree_command(image: ImageSpec, *, tree: str, bake: bool) -> tuple[str, ...]:
    """Return the command that builds the stage `ci-build` of a tree that was laid out.

    Args:
        bake: Whether the tree has a bake file; its plain Dockerfile lacks its tools then.

    Source: tenstorrent/tt-inference-server:scripts/build_docker_images.py at v0.16.0 and v0.17.0.
    """
    values = tuple(f"{name}={value}" for name, value in tree_arguments(image.dockerfile))
    labels = labels_of(image)
    if bake:
        # The values come as variables, which the bake file hands on.
        return (
            "env", f"--chdir={tree}", *values,
            "docker", "buildx", "bake", "--builder=default", "--load", "--progress=plain",
            f"--file={BAKE_FILE}", *(f"--set=*.args.{name}" for name in _PROXIES),
            *(f"--set=ci-build.labels.{label}" for label in labels),
            f"--set=ci-build.tags={image.reference}", "ci-build",
        )  # fmt: skip
    arguments = (f"--build-arg={word}" for word in (*_PROXIES, *values))
    return (
        "docker", "buildx", "build", "--builder=default", "--load", "--progress=plain",
        "--platform=linux/amd64", "--target=ci-build", *arguments,
        *(f"--label={label}" for label in labels),
        f"--tag={image.reference}", f"--file={tree}/dockerfile/Dockerfile", tree,
    )  # fmt: skip


def tree_arguments(dockerfile: str) -> tuple[tuple[str, str], ...]:
    """Return the (name, value) that the last stage of a tree's layout hands on."""
    last = re.split(r"^FROM ", dockerfile, flags=re.MULTILINE)[-1]
    found = re.findall(r"^ARG ([A-Z_]+)=(\S+)$", last, flags=re.MULTILINE)
    return tuple((name, value) for name, value in found)
