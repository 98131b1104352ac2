# SPDX-License-Identifier: Apache-2.0
"""With what was an image first validated, and what did later releases change? Pure.

Later exports write flags into old entries that the pinned vLLM does not know, so arguments come
from the first release that listed the identical image (lessons/decisions/0024).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ttctl.model.pin_facts import FirstValidated
from ttctl.model.pins import Changed
from ttctl.rules.contract import image_version
from ttctl.rules.tt_options import is_flag, options_of, plain, spelled, value_of, without_home
from ttctl.rules.versions import numbers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ttctl.model.export import Listed
    from ttctl.model.pins import Pins
    from ttctl.model.spec import Limits, ModelSpec

Pairs = tuple[tuple[str, str], ...]
BARE = "true"
"""How a flag without a value is shown where an empty text means: not set."""


def known_first(specs: Iterable[ModelSpec]) -> dict[str, FirstValidated]:
    """Return by entry what a catalog says of the first validation."""
    return {
        spec.id: FirstValidated(
            image=spec.pins.image,
            release=spec.pins.first_release,
            arguments=spec.engine_args,
            environment=spec.environment,
        )
        for spec in specs
        if spec.pins is not None and spec.pins.flag and spec.pins.first_release
    }


def earliest(
    releases: Sequence[tuple[str, Iterable[Listed]]], *, but: Mapping[str, FirstValidated]
) -> dict[str, FirstValidated]:
    """Return for each image of each entry the first of `releases` that lists it.

    Args:
        releases: (release, entries), oldest first.
        but: What is known from elsewhere; it wins where the image is the same.

    Returns:
        By entry's id; of an entry whose image changed, the newest image's first release. An
        image that was left and came back counts from the first time.
    """
    listings: dict[tuple[str, str], FirstValidated] = {}
    newest: dict[str, str] = {}
    for release, listed in releases:
        for one in listed:
            newest[one.spec.id] = one.image
            listings.setdefault(
                (one.spec.id, one.image),
                FirstValidated(
                    image=one.image,
                    release=release,
                    arguments=one.spec.engine_args,
                    environment=one.spec.environment,
                ),
            )
    found = {name: listings[name, image] for name, image in newest.items()}
    same = {name: one for name, one in but.items() if found.get(name, one).image == one.image}
    return found | same


def as_first_validated(spec: ModelSpec, first: FirstValidated | None, *, release: str) -> ModelSpec:
    """Return a spec that holds the newest release's arguments with those of the first one.

    Where the first release is not known, or listed another image, the entry keeps its own in the
    pin's own spelling; `first_release` is then empty, unless the image is as new as `release`.
    Engines without the flag keep theirs as they are.
    """
    pins = spec.pins
    if pins is None or not pins.flag:
        return spec
    if first is None or first.image != pins.image:
        lost = without_home(spec.engine_args, pins.flag)
        own = replace(
            spec,
            engine_args=spelled(spec.engine_args, pins.flag),
            pins=replace(pins, first_release=_first_here(pins, release)),
            suspect=(*spec.suspect, *(f"{pins.flag} has no place for {key!r}" for key in lost)),
        )
        return replace(own, limits=_limits(own))
    changed = replace(
        spec,
        # The first release's own spelling, unless a catalog wrote another flag into an old pin.
        engine_args=first.arguments
        if _fits(first.arguments, pins.flag)
        else spelled(first.arguments, pins.flag),
        environment=first.environment,
        pins=replace(pins, first_release=first.release),
        changed=(
            *_changed_arguments(first.arguments, spec.engine_args),
            *_changed_environment(first.environment, spec.environment),
        ),
    )
    return replace(changed, limits=_limits(changed))


def with_latest(spec: ModelSpec) -> ModelSpec:
    """Return a spec with the newest release's values, in the pin's own spelling."""
    if spec.pins is None or not spec.changed:
        return spec
    options = options_of(spec.engine_args)
    arguments = dict(spec.engine_args)
    environment = dict(spec.environment)
    for one in spec.changed:
        if one.option:
            options.pop(one.name, None)
            if one.latest:
                options[one.name] = value_of(one.latest)
        elif one.kind == "argument":
            _put(arguments, _spelling(arguments, one.name), one.latest, bare=True)
        else:
            _put(environment, one.name, one.latest, bare=False)
    latest = replace(
        spec,
        engine_args=spelled(tuple(arguments.items()), spec.pins.flag, options),
        environment=tuple(sorted(environment.items())),
        changed=(),
    )
    return replace(latest, limits=_limits(latest))


def _first_here(pins: Pins, release: str) -> str:
    """Return `release` where none before it can have listed the image: it was not built then."""
    version, here = image_version(pins.image, pins.version)[0], numbers(release)
    return release if here and version >= here else ""


def _put(values: dict[str, str], name: str, value: str, *, bare: bool) -> None:
    """Set `name`, or take it away where there is no value."""
    if not value:
        values.pop(name, None)
    else:
        values[name] = "" if bare and value == BARE else value


def _spelling(arguments: Mapping[str, str], name: str) -> str:
    """Return the name that an argument has already, with `-` or with `_`."""
    return next((one for one in arguments if _plain_name(one) == _plain_name(name)), name)


def _plain_name(name: str) -> str:
    return name.replace("-", "_")


def _fits(arguments: Pairs, flag: str) -> bool:
    wanted = _plain_name(flag.lstrip("-"))
    return all(_plain_name(name) == wanted for name, _ in arguments if is_flag(name))


def _changed_arguments(first: Pairs, latest: Pairs) -> tuple[Changed, ...]:
    """Compare option by option: two flags that carry the same options say the same."""
    old, new = options_of(first), options_of(latest)
    options = [
        Changed(kind="argument", name=name, first=before, latest=after, option=True)
        for name, before, after in _different(
            {key: plain(value) for key, value in old.items()},
            {key: plain(value) for key, value in new.items()},
        )
    ]
    spelling = {_plain_name(name): name for name, _ in (*first, *latest)}
    rest = [
        Changed(kind="argument", name=spelling[name], first=before, latest=after)
        for name, before, after in _different(_by_plain_name(first), _by_plain_name(latest))
    ]
    return (*rest, *options)


def _by_plain_name(arguments: Pairs) -> dict[str, str]:
    return {_plain_name(name): value or BARE for name, value in arguments if not is_flag(name)}


def _changed_environment(first: Pairs, latest: Pairs) -> tuple[Changed, ...]:
    return tuple(
        Changed(kind="environment", name=name, first=before, latest=after)
        for name, before, after in _different(dict(first), dict(latest))
    )


def _different(first: Mapping[str, str], latest: Mapping[str, str]) -> list[tuple[str, str, str]]:
    names = dict.fromkeys((*first, *latest))
    pairs = ((name, first.get(name, ""), latest.get(name, "")) for name in names)
    return [(name, before, after) for name, before, after in pairs if before != after]


def _limits(spec: ModelSpec) -> Limits:
    """Return the limits that the arguments say, so that the two never differ."""
    said = {_plain_name(name): value for name, value in spec.engine_args}
    names = ("max_model_len", "max_num_seqs", "block_size")
    found = {name: int(said[name]) for name in names if _is_limit(said.get(name, ""))}
    return replace(spec.limits, **found)


def _is_limit(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 9  # noqa: PLR2004 - no engine takes more
