# SPDX-License-Identifier: Apache-2.0
"""Reads what an image that ttctl builds reads: arguments of vLLM, and a key by file."""

from __future__ import annotations

from pathlib import Path

from tests.standins.servers.places import Place
from tests.standins.servers.refusals import RefusedError, existing
from tests.standins.servers.serving import Serving
from tests.standins.servers.vllm_flags import engine_arguments
from tests.standins.servers.vllm_spec import Environ, metal_places


def read(words: list[str], environ: Environ) -> Serving:
    """Return what is served.

    Raises:
        RefusedError: The real server would end too.
    """
    # `vllm serve MODEL` and `--model MODEL` are the same.
    first = ["--model", words[0]] if words and not words[0].startswith("--") else words[:1]
    tt_option = environ.get("STANDIN_TT_OPTION", "additional_config")
    arguments = engine_arguments([*first, *words[1:]], tt_option=tt_option)
    if "model" not in arguments:
        raise RefusedError("no model was named")
    weights = Path(arguments["model"])
    if not weights.exists():
        raise RefusedError(f"the model {weights} does not exist")
    file = existing(environ, "VLLM_API_KEY_FILE") if environ.get("VLLM_API_KEY_FILE") else None
    tensors = environ.get("TT_CACHE_PATH")
    return Serving(
        contract="own",
        model=arguments.get("served_model_name") or str(weights),
        port=int(arguments.get("port") or 8000),
        key=file.read_text(encoding="utf-8").strip() if file else "",
        places=(
            Place(path=weights, want="read", why="weights"),
            Place(path=weights, want="keep", why="weights", vital=False),
            *(
                (Place(path=Path(tensors), want="write", why="converted tensors"),)
                if tensors
                else ()
            ),
            *metal_places(environ),
        ),
        arguments=arguments,
    )
