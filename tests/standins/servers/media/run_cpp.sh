#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Sourced by the image's command, as the real one is: the shell stays the server's parent.
cd cpp_server
./build/tt_media_server_cpp
