# SPDX-License-Identifier: Apache-2.0
"""ttctl: run a model on Tenstorrent cards, or on the CPU, with one command."""

__version__ = "0.1.0"
