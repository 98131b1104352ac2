#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the image's command, as the real one is: the shell stays the server's parent.
set -eo pipefail
uvicorn
