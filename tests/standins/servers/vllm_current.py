# SPDX-License-Identifier: Apache-2.0
"""Reads what a vLLM image from 0.11.0 on reads: arguments, and a spec by file or from the image.

Source: tenstorrent/tt-inference-server:vllm-tt-metal/src/run_vllm_api_server.py@v0.20.0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.standins.servers.refusals import RefusedError, existing, made, say
from tests.standins.servers.serving import Serving
from tests.standins.servers.vllm_flags import engine_arguments, words_of
from tests.standins.servers.vllm_spec import (
    Environ,
    Spec,
    key_of,
    laid_out,
    loaded,
    take_over,
    value,
)

BAKED = "/home/container_app_user/model_specs/model_spec.json"


def read(words: list[str], environ: Environ) -> Serving:
    """Return what is served.

    Raises:
        RefusedError: The real server would end too.
    """
    own, passed_on = _parser().parse_known_args(words)
    spec = _spec(own, environ)
    device = str(spec.get("device_type") or own.tt_device).upper()
    _cache_paths(spec, device, environ)
    _weights(spec, environ)
    take_over(environ, {**_inner(spec).get("env_vars", {}), **spec.get("env_vars", {})})
    say(f"model spec {value(spec, 'model_id')}")
    places = laid_out(spec, environ, "MODEL_WEIGHTS_DIR")
    arguments = _arguments(own, passed_on, spec, environ)
    return Serving(
        contract="vllm-current",
        model=arguments.get("served_model_name") or arguments["model"],
        port=int(arguments.get("port") or 8000),
        key=key_of(environ, no_auth=own.no_auth),
        places=places,
        arguments=arguments,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="run_vllm_api_server.py")
    parser.add_argument("--model")
    parser.add_argument("--tt-device", required=True)
    parser.add_argument("--device")
    parser.add_argument("--engine", choices=["vllm", "media", "forge"])
    parser.add_argument("--impl")
    parser.add_argument("--no-auth", action="store_true")
    parser.add_argument("--disable-trace-capture", action="store_true")
    parser.add_argument("--service-port", type=int)
    return parser


def _inner(spec: Spec) -> Spec:
    found = spec.get("device_model_spec", {})
    return found if isinstance(found, dict) else {}


def _spec(own: argparse.Namespace, environ: Environ) -> Spec:
    given = environ.get("RUNTIME_MODEL_SPEC_JSON_PATH")
    if given and Path(given).exists():
        whole = loaded(Path(given))
        inner: Spec = whole.get("runtime_model_spec", whole)
        return inner
    if given:
        say(f"RUNTIME_MODEL_SPEC_JSON_PATH is {given}, which does not exist: the image's own then")
    if not own.model:
        raise RefusedError("neither RUNTIME_MODEL_SPEC_JSON_PATH nor --model says which model")
    return _from_catalog(own, environ)


def _from_catalog(own: argparse.Namespace, environ: Environ) -> Spec:
    whole = loaded(Path(environ.get("MODEL_SPECS_JSON_PATH", BAKED)))
    specs = whole.get("model_specs", whole)
    named = [repo for repo in specs if repo == own.model]
    named += [repo for repo in specs if repo.rpartition("/")[2] == own.model.rpartition("/")[2]]
    if not named:
        raise RefusedError(f"ValueError: the image knows no model {own.model}")
    device = own.tt_device.upper()
    engines = specs[named[0]].get(device)
    if not engines:
        raise RefusedError(f"ValueError: the image knows {named[0]} on no device {device}")
    fitting: list[Spec] = [spec for impls in engines.values() for spec in impls.values()]
    return next((spec for spec in fitting if _inner(spec).get("default_impl")), fitting[0])


def _cache_paths(spec: Spec, device: str, environ: Environ) -> None:
    if environ.get("TT_CACHE_PATH"):
        return
    model = value(spec, "model_name")
    path = Path(environ["CACHE_ROOT"]) / f"tt_metal_cache/cache_{model}" / device
    environ["TT_CACHE_PATH"] = str(made(path))


def _weights(spec: Spec, environ: Environ) -> None:
    """Leave mounted weights alone; else do as if the hub were asked, which nobody can here."""
    if environ.get("MODEL_WEIGHTS_DIR"):
        existing(environ, "MODEL_WEIGHTS_DIR")
        return
    path = made(Path(environ["CACHE_ROOT"]) / "weights" / value(spec, "model_name"))
    if not any(path.iterdir()):
        raise RefusedError("MODEL_WEIGHTS_DIR is not set, and the hub cannot be reached from here")
    environ["MODEL_WEIGHTS_DIR"] = str(path)


def _arguments(
    own: argparse.Namespace, passed_on: list[str], spec: Spec, environ: Environ
) -> dict[str, str]:
    """Return vLLM's arguments: those of the command line win over those of the spec."""
    port = [] if own.service_port is None else ["--port", str(own.service_port)]
    tt_option = environ.get("STANDIN_TT_OPTION", "additional_config")
    first = engine_arguments(
        words_of(value(spec, "device_model_spec", "vllm_args")), tt_option=tt_option
    )
    return {**first, **engine_arguments([*port, *passed_on], tt_option=tt_option)}
