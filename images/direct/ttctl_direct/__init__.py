# SPDX-License-Identifier: Apache-2.0
"""Keep one language model in memory and answer `POST /chat`: no batching, no server beneath it.

It runs inside the image `direct`, on CPython 3.10 or newer, and never imports the controller.
"""
