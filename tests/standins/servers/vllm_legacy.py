# SPDX-License-Identifier: Apache-2.0
"""Reads what a vLLM image below 0.11.0 reads: all of it by file and variable, no argument.

Source: tenstorrent/tt-inference-server:vllm-tt-metal-llama3/src/run_vllm_api_server.py@v0.10.1.
"""

from __future__ import annotations

from pathlib import Path

from tests.standins.servers.refusals import needed, say
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


def read(words: list[str], environ: Environ) -> Serving:
    """Return what is served.

    Raises:
        RefusedError: The real server would end too.
    """
    spec = loaded(Path(needed(environ, "TT_MODEL_SPEC_JSON_PATH")))
    take_over(environ, value(spec, "env_vars"))
    say(f"model spec {value(spec, 'model_id')}")
    told: Spec = spec.get("cli_args") or {}
    places = laid_out(spec, environ, "MODEL_WEIGHTS_PATH")
    engine = words_of(value(spec, "device_model_spec", "vllm_args"))
    tt_option = environ.get("STANDIN_TT_OPTION", "override_tt_config")
    arguments = engine_arguments([*words, *engine], tt_option=tt_option)
    return Serving(
        contract="vllm-legacy",
        model=arguments.get("served_model_name") or arguments["model"],
        port=int(arguments.get("port") or 8000),
        key=key_of(environ, no_auth=bool(told.get("no_auth"))),
        places=places,
        arguments=arguments,
    )
