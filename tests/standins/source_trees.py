# SPDX-License-Identifier: Apache-2.0
"""Small repositories with the entry points and the layout of tt-metal and vLLM at each time.

They hold what the recipes under images/ touch, and nothing of the real ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.standins import generator_api
from tests.standins.git_server import git

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

OWNER = "tenstorrent"
PUBLIC = "https://github.com/"

PYPROJECT = '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
BUILD_METAL = """\
#!/bin/bash
set -e
for option in "$@"; do [[ $option == --enable-ccache ]] || { echo "unknown $option"; exit 1; }; done
echo "compiling tt-metal: $(cat tt_metal/third_party/umd/README)"
mkdir -p build_Release/lib
ln -nsf build_Release build
echo compiled >build/lib/made
"""
CREATE_VENV = """\
#!/bin/bash
set -e
[[ -z $(ls -A "$PYTHON_ENV_DIR" 2>/dev/null) ]] || { echo "not empty, use --force"; exit 1; }
[[ -d .git ]] || { echo "no repository to install hooks in"; exit 1; }
uv venv --python python3 "$PYTHON_ENV_DIR"
printf '#!/bin/bash\\necho use uv pip; exit 1\\n' >"$PYTHON_ENV_DIR/bin/pip"
chmod +x "$PYTHON_ENV_DIR/bin/pip"
source "$PYTHON_ENV_DIR/bin/activate"
uv pip install setuptools
uv pip install --no-build-isolation -e .
git rev-parse HEAD
"""
BAKE = """\
variable "UBUNTU_VERSION" { default = "0" }
target "ci-build" {
  context    = "."
  dockerfile = "dockerfile/Dockerfile.baked"
  target     = "ci-build"
  args       = { UBUNTU_VERSION = UBUNTU_VERSION }
  tags       = ["ttctl-test/never:used"]
}
"""
METAL_SETUP = 'from setuptools import setup\nsetup(name="ttnn", packages=["ttnn"])\n'

VLLM_SETUP = """\
import os
from pathlib import Path
from setuptools import find_packages, setup
target = os.environ.get("VLLM_TARGET_DEVICE", "cuda")
if target not in TARGETS:
    raise SystemExit(f"cannot be built for {target}")
Path("vllm/target").write_text(target)
setup(name="vllm", version="0.1", packages=find_packages(include=["vllm*"]))
"""
REGISTRY = """\
class ModelRegistry:
    known = {"LlamaForCausalLM": "vllm"}
    @classmethod
    def get_supported_archs(cls):
        return cls.known.keys()
    @classmethod
    def register_model(cls, name, path):
        cls.known[name] = path
"""
REGISTER = """\
def register_tt_models(register_test_models=False):
    from vllm.model_executor.models.registry import ModelRegistry
    ModelRegistry.register_model("TTLlamaForCausalLM", "models.tt:Llama")
"""
PLATFORM = """

def platform_plugin():
    try:
        import ttnn
    except ImportError:
        return None
    return "vllm_tt_plugin.platform.TTPlatform"
"""
PLATFORMS = """\
import os
from importlib.metadata import entry_points
class Platform:
    def __init__(self, device_name):
        self.device_name = device_name
def __getattr__(name):
    if name != "current_platform":
        raise AttributeError(name)
    plugged = [one for one in entry_points(group="vllm.platform_plugins") if one.load()()]
    return Platform("tt" if plugged or os.environ.get("VLLM_TARGET_DEVICE") == "tt" else "")
"""
PLUGINS = """\
from importlib.metadata import entry_points
def load_general_plugins():
    for one in entry_points(group="vllm.general_plugins"):
        one.load()()
"""
SERVER = """\
import os, sys
from vllm.model_executor.models.registry import ModelRegistry
print("serving", *sys.argv[1:])
print("models", *sorted(ModelRegistry.get_supported_archs()))
print("key", len(os.environ.get("VLLM_API_KEY", "")))
"""
PLUGIN_PROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "vllm-tt-plugin"
version = "0.0.0"
EXTRA
[project.entry-points."vllm.general_plugins"]
tt_model_registry = "vllm_tt_plugin.entrypoints:register_tt_models"
[project.entry-points."vllm.platform_plugins"]
tt = "vllm_tt_plugin.entrypoints:platform_plugin"
[tool.setuptools.packages.find]
where = ["src"]
"""
EXTRA = "[project.optional-dependencies]\nruntime = []\n"
INSTALL = """\
VLLM_TARGET_DEVICE=empty uv pip install ./bundled-vllm
uv pip install -e .
"""


def metal(tools: str, *, bake: bool) -> dict[str, str]:
    """Return the files of tt-metal, whose image `tools` holds what its own would install."""
    stage = (
        f"ARG UBUNTU_VERSION=0\nFROM {tools} AS base\nFROM base AS ci-build\nARG UBUNTU_VERSION\n"
    )
    files = {
        "build_metal.sh": BUILD_METAL,
        "create_venv.sh": CREATE_VENV,
        "install_dependencies.sh": "#!/bin/bash\n",
        "pyproject.toml": PYPROJECT,
        "setup.py": METAL_SETUP,
        "ttnn/__init__.py": "",
        "dockerfile/Dockerfile": f'{stage}RUN echo "plain $UBUNTU_VERSION" >/made-by\n',
    }
    if bake:
        files["dockerfile/Dockerfile"] = "FROM scratch AS ci-build\nCOPY nothing-here /\n"
        files["dockerfile/Dockerfile.baked"] = f'{stage}RUN echo "bake $UBUNTU_VERSION" >/made-by\n'
        files["dockerfile/docker-bake.hcl"] = BAKE
    return files


def vllm(*targets: str) -> dict[str, str]:
    """Return the files of a vLLM that can be built for some targets."""
    empty = ("", "platforms/", "plugins/", "model_executor/", "model_executor/models/")
    servers = ("entrypoints/", "entrypoints/openai/")
    return {
        **{f"vllm/{folder}__init__.py": "" for folder in (*empty, *servers)},
        "pyproject.toml": PYPROJECT,
        "setup.py": VLLM_SETUP.replace("TARGETS", repr(targets)),
        "vllm/platforms/__init__.py": PLATFORMS,
        "vllm/plugins/__init__.py": PLUGINS,
        "vllm/model_executor/models/registry.py": REGISTRY,
        "vllm/entrypoints/openai/api_server.py": SERVER,
    }


def plugin(folder: str, *, extra: str) -> dict[str, str]:
    """Return the files of the plugin in a folder."""
    return {
        f"{folder}pyproject.toml": PLUGIN_PROJECT.replace("EXTRA", extra),
        f"{folder}src/vllm_tt_plugin/__init__.py": "",
        f"{folder}src/vllm_tt_plugin/entrypoints.py": REGISTER + PLATFORM,
    }


def with_generator(files: Mapping[str, str], naming: str) -> dict[str, str]:
    """Return tt-metal's files with its Generator API, and its environment with what that needs.

    `torch` and `transformers` are empty: the recipe looks whether they are there, and loads none.
    """
    packages = ["ttnn", "torch", "transformers"]
    setup = f'from setuptools import setup\nsetup(name="ttnn", packages={packages!r})\n'
    empty = {"torch/__init__.py": "", "transformers/__init__.py": "", "setup.py": setup}
    return {**files, **empty, **generator_api.files(naming)}


IN_TREE = "plugins/vllm-tt-plugin/"
TREES: dict[str, dict[str, str]] = {
    "vllm-fork": {
        **vllm("tt"),
        "requirements/tt.txt": "",
        "vllm/platforms/tt.py": REGISTER,
    },
    # The first pins had the registration among their examples.
    "vllm-first-fork": {
        **vllm("tt"),
        "requirements/tt.txt": "",
        "examples/offline_inference_tt.py": REGISTER,
    },
    "vllm-fork-plugin": {
        **vllm("tt", "empty"),
        "requirements/tt.txt": "",
        **plugin(IN_TREE, extra=""),
    },
    "vllm-empty-plugin": {**vllm("empty"), **plugin(IN_TREE, extra=EXTRA)},
    "vllm-standalone-plugin": {
        **plugin("", extra=""),
        **{f"bundled-vllm/{name}": text for name, text in vllm("empty").items()},
        "docs/install-vllm-tt.sh": INSTALL,
    },
}


@dataclass(frozen=True, kw_only=True)
class Repository:
    """A repository on the mirror: its public address, and its commits by name."""

    address: str
    commits: dict[str, str]


def publish_trees(
    folder: Path,
    name: str,
    trees: Mapping[str, Mapping[str, str]],
    *,
    submodules: Mapping[str, tuple[str, str]] | None = None,
) -> Repository:
    """Make the bare repository OWNER/NAME.git with one commit, and one tag, a tree.

    Args:
        submodules: Path to (address, commit).
    """
    work = folder / f"{name}.work"
    work.mkdir(parents=True)
    git("init", "--quiet", "--initial-branch=main", at=work)
    commits = {}
    for tag, files in trees.items():
        git("rm", "-r", "--quiet", "--cached", "--ignore-unmatch", ".", at=work)
        modules = ""
        for path, text in files.items():
            target = work / tag / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            target.chmod(0o755 if text.startswith("#!") else 0o644)
        for path, (address, commit) in (submodules or {}).items():
            modules += f'[submodule "{path}"]\n\tpath = {path}\n\turl = {address}\n'
            (work / tag / ".gitmodules").write_text(modules, encoding="utf-8")
            git("update-index", "--add", "--cacheinfo", f"160000,{commit},{path}", at=work)
        index = ("--git-dir", str(work / ".git"), "--work-tree", str(work / tag))
        git(*index, "add", "--ignore-removal", ".", at=work / tag)
        git(*index, "commit", "--quiet", f"--message={tag}", at=work / tag)
        git("tag", tag, at=work)
        commits[tag] = git("rev-parse", "HEAD", at=work)
    (folder / OWNER).mkdir(exist_ok=True)
    git("clone", "--quiet", "--bare", str(work), str(folder / OWNER / f"{name}.git"), at=folder)
    return Repository(address=f"{PUBLIC}{OWNER}/{name}.git", commits=commits)
