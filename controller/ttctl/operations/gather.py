# SPDX-License-Identifier: Apache-2.0
"""Get all that a stack needs, at once where it takes long: downloads beside builds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ttctl.operations.get import get_images, get_weights, make, tag_of, wanted_weights
from ttctl.operations.together import Task, do_together
from ttctl.rules.schedule import Job

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from ttctl.model.image import ImageSpec
    from ttctl.model.lock import LockedWeights
    from ttctl.model.plan import Plan, Step
    from ttctl.model.protocols import Reporter, World
    from ttctl.operations.desire import Desired

GB = 1_000_000_000
LITTLE_GB = 2
"""What a build takes that names nothing: a package manager, or a compiler of little."""


def gather(world: World, desired: Desired, plan: Plan) -> None:
    """Do the image steps of `plan` and fetch the weights.

    On the processor one after the other, as each is small. For a card the images are built or
    pulled side by side as far as the memory goes, and the weights come meanwhile.

    Raises:
        BuildError: An image could not be made.
        TtctlError: The weights could not be fetched; what was going on beside it is ended.
    """
    tasks = _tasks(world, desired, plan)
    if desired.spec.device == "cpu" or len(tasks) <= 1:
        get_images(world, desired, plan)
        for weights in wanted_weights(desired, plan):
            get_weights(world, weights)
        return
    memory_gb = world.host.system().memory_bytes // GB
    with world.reporter.step("; ".join(task.title for task in tasks)):
        do_together(tasks, memory_gb=memory_gb, reporter=world.reporter, clock=world.clock)


def _tasks(world: World, desired: Desired, plan: Plan) -> Sequence[Task]:
    images = {image.reference: image for image in desired.images}
    by_name = {image.name: image for image in desired.images}
    tasks: list[Task] = []
    for step in plan.steps:
        if step.verb in {"bootstrap", "pull"}:
            tasks.append(_pulled(world, desired, step))
        elif step.verb == "build":
            image = by_name[step.subject]
            parent = images.get(image.parent)
            after = (desired.base.reference, *((parent.name,) if parent else ()))
            tasks.append(_built(world, image, after))
    tasks += [_fetched(world, one) for one in wanted_weights(desired, plan)]
    return tasks


def _fetched(world: World, weights: LockedWeights) -> Task:
    name = f"weights {weights.repository}"

    def act(reporter: Reporter, _: threading.Event) -> None:
        world.weights.fetch(weights, world.site, reporter)

    return Task(title=f"Fetch {name}", job=Job(name=name), act=act)


def _pulled(world: World, desired: Desired, step: Step) -> Task:
    base = step.subject == desired.base.reference

    def act(reporter: Reporter, _: threading.Event) -> None:
        if base:
            world.builder.obtain_base(desired.base, world.site, reporter)
        else:
            world.builder.pull(step.subject, reporter, name=tag_of(desired, step))

    title = f"{step.verb.capitalize()} {'the base image' if base else step.subject}"
    return Task(title=title, job=Job(name=step.subject), act=act)


def _built(world: World, image: ImageSpec, after: tuple[str, ...]) -> Task:
    def act(reporter: Reporter, stop: threading.Event) -> None:
        make(world, image, reporter, cancel=stop)

    job = Job(name=image.name, after=after, memory_gb=image.memory_gb or LITTLE_GB)
    return Task(title=f"Build {image.name}", job=job, act=act)
