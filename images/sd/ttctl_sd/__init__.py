# SPDX-License-Identifier: Apache-2.0
"""A small server that draws images from words, on the processor or on a Tenstorrent card."""
