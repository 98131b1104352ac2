# SPDX-License-Identifier: Apache-2.0
"""Is a source tree built as it was at its time: by its Dockerfile, or by its bake file?"""

from __future__ import annotations

from ttctl.model.image import ImageSpec
from ttctl.rules.source_tree import layout_command, tree_arguments, tree_command

DOCKERFILE = (
    "FROM a AS tree\nARG OTHER=1\nRUN x\nFROM scratch\nARG UBUNTU_VERSION=22.04\n"
    "ARG PYTHON_VERSION=3.10\nCOPY --from=tree /tree /\n"
)
IMAGE = ImageSpec(
    name="tt-metal-base",
    reference="ttctl/tt-metal-base:1",
    fingerprint="f" * 64,
    parent="a",
    dockerfile=DOCKERFILE,
    files=(),
    tree=True,
)


def test_only_the_last_stage_hands_values_on() -> None:
    assert tree_arguments(DOCKERFILE) == (("UBUNTU_VERSION", "22.04"), ("PYTHON_VERSION", "3.10"))


def test_a_tree_without_a_bake_file_is_built_by_its_dockerfile() -> None:
    command = tree_command(IMAGE, tree="/t", bake=False)
    assert "--target=ci-build" in command
    assert "--build-arg=UBUNTU_VERSION=22.04" in command
    assert "--file=/t/dockerfile/Dockerfile" in command
    assert "--tag=ttctl/tt-metal-base:1" in command
    assert command[-1] == "/t"


def test_a_tree_with_a_bake_file_is_built_by_it() -> None:
    command = tree_command(IMAGE, tree="/t", bake=True)
    assert command[:4] == ("env", "--chdir=/t", "UBUNTU_VERSION=22.04", "PYTHON_VERSION=3.10")
    assert "--set=ci-build.tags=ttctl/tt-metal-base:1" in command
    assert f"--set=ci-build.labels.dev.ttctl.fingerprint={'f' * 64}" in command
    assert command[-1] == "ci-build"


def test_no_value_of_a_proxy_stands_among_the_words() -> None:
    for bake in (False, True):
        words = tree_command(IMAGE, tree="/t", bake=bake)
        assert all(word.count("=") == 1 for word in words if word.endswith("_proxy"))


def test_the_tree_is_laid_out_with_the_secrets_of_the_place() -> None:
    command = layout_command(context="/c", given=("--secret=id=gitconfig,src=s",), tree="/t")
    assert "--secret=id=gitconfig,src=s" in command
    assert "--output=type=local,dest=/t" in command
