# SPDX-License-Identifier: Apache-2.0
"""A container that runs out of memory, ends at once, or again and again, is told of at once."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from tests.faults.own_engine import until
from tests.faults.refused import WHOLE, refused, running
from tests.faults.stage import EVERYTHING, become, real_vllm
from tests.standins.product_images import product_images
from tests.standins.server_images import processor_image

from ttctl.model.container import FINGERPRINT_LABEL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.driver import Stack
    from tests.faults.conftest import Figure
    from tests.faults.own_engine import OwnEngine

pytestmark = pytest.mark.docker

LAST = "canary: the last line of a program"
BAD_GATEWAY = """\
FROM {image}
USER root
RUN mv /usr/sbin/haproxy /usr/sbin/haproxy-whole && printf '#!/bin/sh\\necho "{last}"\\nexit 1\\n' \
> /usr/sbin/haproxy && chmod 755 /usr/sbin/haproxy
USER 1000:1000
"""
PROGRAM = """\
FROM {image}
USER root
RUN printf '#!/usr/bin/python3\\nprint("{last}", flush=True)\\n{lines}\\n' > /usr/local/bin/vllm
USER 1000:1000
LABEL {label}={fingerprint}
"""


@pytest.fixture
def mended(engine: OwnEngine) -> Iterator[OwnEngine]:
    """Yield the engine; whatever was put in an image's place is put right in the end."""
    gateway = product_images()["gateway"]
    engine.docker("tag", gateway, "gateway:whole")
    yield engine
    engine.clear()
    become(engine)
    engine.docker("tag", "gateway:whole", gateway)


EATS = 'held = []\\nwhile True: held.append(b"x" * (1 << 24))'


def runs_instead(engine: OwnEngine, lines: str) -> None:
    """Put a program that says a line and does this where vLLM is looked for."""
    reference, fingerprint = real_vllm()
    text = PROGRAM.format(
        image=processor_image(), last=LAST, lines=lines, label=FINGERPRINT_LABEL,
        fingerprint=fingerprint,
    )  # fmt: skip
    engine.docker("build", "--quiet", "--tag", reference, "-", input=text.encode())


def comes_back(stack: Stack, engine: OwnEngine) -> None:
    """Put the images right; one `up` has to be enough."""
    become(engine)
    engine.docker("tag", "gateway:whole", product_images()["gateway"])
    stack.up()
    assert stack.serves()
    assert running(stack) == WHOLE
    assert "nothing was changed" in stack.up().out


def test_an_engine_that_runs_out_of_memory_is_told_with_its_limit(
    mended: OwnEngine, stack: Stack, figure: Figure
) -> None:
    runs_instead(mended, EATS)
    begun = time.monotonic()
    told = refused(stack, exits=5)
    figure("R15", "out of memory, told after", f"{time.monotonic() - begun:.1f} s")
    (known,) = (one for name, one in stack.inspect().items() if name == "vllm")
    assert known["State"]["OOMKilled"] is True
    limit_mib = known["HostConfig"]["Memory"] >> 20
    text = " ".join(told.values())
    assert "memory" in text
    assert f"{limit_mib}" in text or f"{limit_mib / 1024:.1f} GiB" in text, text
    assert known["RestartCount"] == 0
    comes_back(stack, mended)


@pytest.mark.parametrize("code", [0, 3] if EVERYTHING else [3])
def test_an_engine_that_ends_at_once_is_told_with_its_last_line(
    mended: OwnEngine, stack: Stack, figure: Figure, code: int
) -> None:
    runs_instead(mended, f"raise SystemExit({code})")
    begun = time.monotonic()
    told = refused(stack, exits=5)
    took = f"{time.monotonic() - begun:.1f} s"
    figure("R15", f"an engine that ends with {code}, told after", took)
    assert "vllm" in told["why"]
    assert LAST in " ".join(told.values())
    assert stack.inspect()["vllm"]["RestartCount"] == 0
    status = stack.ttctl.run("status", stack.name, "--json").data
    assert status["state"] not in {"ready", "starting"}
    comes_back(stack, mended)


def test_an_engine_that_dies_later_is_told_and_never_restarted_by_itself(
    mended: OwnEngine, stack: Stack
) -> None:
    become(mended, faults={"STANDIN_CRASH": "killed", "STANDIN_CRASH_AFTER_S": "1"})
    stack.ttctl.run("up", *stack.words, "--no-wait", limit_s=300)
    # Until then it may have answered, and the wait was right to end well.
    until(lambda: stack.inspect()["vllm"]["State"]["Status"] == "exited")
    said = stack.ttctl.run("wait", stack.name, "--json", exits=5, limit_s=300)
    assert "vllm" in said.envelope["error"]["what"]
    known = stack.inspect()["vllm"]
    assert (known["State"]["Status"], known["RestartCount"]) == ("exited", 0)
    comes_back(stack, mended)


def test_a_gateway_that_ends_again_and_again_is_told_with_its_last_line(
    mended: OwnEngine, stack: Stack, figure: Figure
) -> None:
    gateway = product_images()["gateway"]
    text = BAD_GATEWAY.format(image="gateway:whole", last=LAST)
    mended.docker("build", "--quiet", "--tag", gateway, "-", input=text.encode())
    begun = time.monotonic()
    told = refused(stack, exits=5)
    figure("R15", "a gateway in a crash loop, told after", f"{time.monotonic() - begun:.1f} s")
    assert "gateway" in told["why"]
    assert LAST in " ".join(told.values())
    # The engine waits twice as long before each, from 0.1 s on: ten are 100 seconds.
    assert 0 < stack.inspect()["gateway"]["RestartCount"] < 10
    comes_back(stack, mended)
