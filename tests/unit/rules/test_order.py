# SPDX-License-Identifier: Apache-2.0
"""How images are had, and what `down` does."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.fakes import Scene, container

from ttctl.model.image import LocalSource
from ttctl.model.plan import AS_NEEDED
from ttctl.model.spec import Request
from ttctl.operations.desire import desire
from ttctl.rules.compose import config_hash
from ttctl.rules.images import prebuilt
from ttctl.rules.order import image_steps

WANTED = desire(Scene().world, Request(model="llama"))
HASHES = {one.name: config_hash(WANTED.stack, one) for one in WANTED.stack.services}
RUNNING = tuple(container(name, config_hash=HASHES[name]) for name in HASHES)


def test_an_image_of_a_checkout_says_in_the_plan_that_nobody_validated_it() -> None:
    local = LocalSource(component="vllm", path="/src/vllm", digest="a" * 64)
    last = replace(WANTED.images[-1], source=local, reason="a checkout")
    (step,) = image_steps(
        (last,), base=WANTED.base, present=frozenset({WANTED.base.reference}), how=AS_NEEDED
    )
    assert step.verb == "build"
    assert step.reason.endswith("; unvalidated: from /src/vllm")


def test_an_image_that_is_pulled_says_why() -> None:
    one = prebuilt("vllm", "r.example.org/x@sha256:1", reason="it is in the registry")
    (step,) = image_steps((one,), base=WANTED.base, present=frozenset(), how=AS_NEEDED)
    assert (step.verb, step.reason) == ("pull", "it is in the registry")
