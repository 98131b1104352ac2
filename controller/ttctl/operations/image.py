# SPDX-License-Identifier: Apache-2.0
"""Have a running service draw, and keep what it draws."""

from __future__ import annotations

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING

from ttctl.errors import BadFileError, EngineError, UsageError
from ttctl.model.picture import Drawn, Easel, ImageFile, Place, Stroke
from ttctl.operations.doors import running_lock
from ttctl.operations.silent import silent
from ttctl.operations.stacks import known_stacks, pick_stack
from ttctl.operations.tls import at_of
from ttctl.rules.derived import OVER_A_PICTURE
from ttctl.rules.parts import part_named
from ttctl.rules.picture import drawing_parts, request_of, shape_of
from ttctl.rules.picture_names import SUFFIX, check_suffix, names, next_free, slug_of

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from ttctl.model.lock import Lock
    from ttctl.model.picture import ImageRequest, Picture, Wanted
    from ttctl.model.protocols import World


def find_easel(world: World, word: str | None, *, service: str | None = None) -> Easel:
    """Return where images are drawn: in the stack that is meant, or in the only one that draws.

    Args:
        world: The outside.
        word: The stack; None for the only one.
        service: Which of its engines shall draw; None for the first that does.

    Raises:
        EngineError: The stack does not run, or none that draws does.
        UsageError: There is no such stack, it draws nothing, or several do and none is named; or
            it has no such engine that draws.
    """
    word = _only(world).stack if word is None else word
    stack = pick_stack(world, word)
    lock = running_lock(world, stack)
    if easel := _easel(world, lock, service):
        return easel
    raise UsageError(
        f"The stack {stack!r} draws no images.",
        why=f"It serves {lock.model} by the engine {lock.engine}.",
        evidence=f"Stacks that draw: {', '.join(_drawing(world)) or 'none runs'}.",
        next_step="ttctl up sd",
        mistyped=word,
        meant=next(iter(_drawing(world)), ""),
    )


def place_of(
    world: World, output: Path | None, prompt: str, *, force: bool, exact: bool = True
) -> Place:
    """Return where the images of a prompt are written.

    Args:
        world: The outside.
        output: The file or the folder that was named; None for the current folder.
        prompt: What a name is made of where none was given.
        force: Whether what is there is replaced.
        exact: Whether the file's name was meant for this one prompt.

    Raises:
        UsageError: The name is of another format, or of what is no file.
    """
    kind = world.pictures.kind(output) if output else "folder"
    if output is None or kind == "folder":
        folder, stem = output or Path(), slug_of(prompt)
        return Place(folder=folder, stem=stem, suffix=SUFFIX, exact=False)
    check_suffix(output)
    if kind == "other":
        raise UsageError(
            f"{str(output)!r} is no file.",
            why="An image replaces nothing but a file.",
            next_step="ttctl image --help",
        )
    return Place(
        folder=output.parent, stem=output.stem, suffix=output.suffix, exact=exact, force=force
    )


def draw(
    world: World,
    easel: Easel,
    wanted: Wanted,
    place: Place,
    *,
    on_file: Callable[[ImageFile, bytes], None],
) -> Drawn:
    """Draw, and write each image as soon as it is whole; `on_file` gets it then.

    Ctrl-C ends it: what was whole by then is kept, and the service stops.

    Raises:
        UsageError: The service refuses a value, or a file is there already.
        EngineError: The service does not answer, or does not draw.
    """
    request = request_of(wanted, model=easel.model, shape=easel.shape, base=easel.base)
    free = names(place, wanted.images, world.pictures.taken(place.folder))
    started = world.clock.now()
    files: list[ImageFile] = []
    stopped = False
    try:
        with closing(_pictures(world, easel, request)) as pictures:
            for name, picture in zip(free, pictures, strict=False):
                file = _written(world, place, name, picture)
                files.append(file)
                on_file(file, picture.data)
    except KeyboardInterrupt:
        stopped = True
    except EngineError as exc:
        raise silent(world, easel.stack, exc) from exc.__cause__
    return Drawn(
        stack=easel.stack,
        model=easel.model,
        files=tuple(files),
        seconds=round(world.clock.now() - started, 3),
        stopped=stopped,
    )


def _pictures(world: World, easel: Easel, request: ImageRequest) -> Generator[Picture]:
    """Yield each image, with a step of the reporter's for each that is drawn."""
    key = world.keys.key(easel.stack)
    with ExitStack() as step, closing(world.gateway.draw(easel.at, key, request)) as events:
        step.enter_context(world.reporter.step(_title(1, request)))
        for event in events:
            if isinstance(event, Stroke):
                world.reporter.progress(event.done, event.steps, "steps")
                continue
            step.close()
            yield event
            if request.streams and event.image < request.images:
                step.enter_context(world.reporter.step(_title(event.image + 1, request)))


def _title(image: int, request: ImageRequest) -> str:
    if request.images == 1:
        return "Draw an image"
    return f"Draw image {image} of {request.images}" if request.streams else "Draw the images"


def _written(world: World, place: Place, name: str, picture: Picture) -> ImageFile:
    path = place.folder / name
    while not world.pictures.write(path, picture.data, replace=place.exact and place.force):
        # Made by somebody else since: what was computed is not thrown away for that.
        world.reporter.note(f"{path} was made meanwhile, and stays")
        path = place.folder / next_free(place, world.pictures.taken(place.folder))
    return ImageFile(
        path=path,
        seed=picture.seed,
        width=picture.width,
        height=picture.height,
        size_bytes=len(picture.data),
        seconds=picture.seconds,
    )


def _only(world: World) -> Easel:
    found = _drawing(world)
    if len(found) == 1:
        return next(iter(found.values()))
    if found:
        raise UsageError(
            "Which stack shall draw?",
            why="Several do.",
            evidence=f"Stacks: {', '.join(found)}.",
            next_step="ttctl ps",
            added=next(iter(found)),
        )
    raise EngineError(
        "No stack that draws images runs.",
        why="A service of the engine sd does, or a media server with a model for images.",
        evidence=f"Stacks: {', '.join(known_stacks(world)) or 'none'}.",
        next_step="ttctl up sd",
    )


def _drawing(world: World) -> dict[str, Easel]:
    """Return each stack that runs and draws."""
    found = {}
    for stack in known_stacks(world):
        try:
            easel = _easel(world, running_lock(world, stack))
        except (EngineError, BadFileError):
            # It does not run, or nobody can say what runs: `ttctl status` says which.
            continue
        if easel:
            found[stack] = easel
    return found


def _easel(world: World, lock: Lock, service: str | None = None) -> Easel | None:
    """Return where a stack draws, None where it does not.

    Raises:
        UsageError: It draws, but no engine of this name does.
    """
    parts = drawing_parts(lock, draws=lambda model: _draws_from_words(world, model))
    if not parts:
        return None
    named = service is not None
    part = (
        part_named(parts, service, stack=lock.stack, asks="ttctl image", does="draws")
        if service is not None
        else parts[0]
    )
    return Easel(
        stack=lock.stack,
        service=part.service if named else "",
        model=part.model,
        device=part.device,
        at=at_of(world, lock.stack, lock),
        shape=shape_of(part.contract),
        base=part.base if named else "",
    )


def _draws_from_words(world: World, model: str) -> bool:
    over = any(word in model.lower() for word in OVER_A_PICTURE)
    return not over and any(
        spec.type == "IMAGE" for spec in world.catalog.specs() if spec.model == model
    )
