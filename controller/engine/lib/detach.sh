#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# detach.sh PID_FILE LOG DAEMON [ARGUMENT...]: become DAEMON, cut off from whoever called.
#
# Called through `setsid --fork`. Inherited descriptors are closed (a pipe of make or a lock
# would stay open as long as the daemon), and of the environment only what it needs remains.
set -euo pipefail

pid_file=$1 log=$2
shift 2
cd /
umask 022
if [[ -s $log ]]; then mv "$log" "$log.1"; fi
exec </dev/null >"$log" 2>&1
for descriptor in /proc/self/fd/*; do
  number=${descriptor##*/}
  # 255 is bash's own: the script that it is reading.
  if ((number > 2 && number != 255)); then eval "exec $number>&-"; fi
done
kept=("PATH=$PATH" HOME=/root)
for name in {HTTP,HTTPS,NO}_PROXY {http,https,no}_proxy SSL_CERT_FILE SSL_CERT_DIR; do
  if [[ -n ${!name:-} ]]; then kept+=("$name=${!name}"); fi
done
echo "$$" >"$pid_file"
exec env -i "${kept[@]}" "$@"
