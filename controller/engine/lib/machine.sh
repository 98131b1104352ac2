# shellcheck shell=bash disable=SC2034 # names set here are read by the other files
# SPDX-License-Identifier: Apache-2.0
# What this machine is, and what we may do on it.

# PRIVILEGE is root, sudo or none; AS_ROOT goes before what needs root. Asked only when there is
# work: a vain `sudo -n` leaves a line in the administrator's log. Without a privilege the same
# steps are printed, not run.
find_privilege() {
  if [[ "$(id -u)" == 0 ]]; then
    PRIVILEGE=root AS_ROOT=()
  elif sudo -n true 2>/dev/null; then
    PRIVILEGE=sudo AS_ROOT=(sudo -n)
  else
    PRIVILEGE=none AS_ROOT=(sudo) LOOK_ONLY=yes
  fi
}

# MACHINE_ID, MACHINE_VERSION, MACHINE_CODENAME, MACHINE_NAME, from os-release.
read_machine() {
  local file=$ROOT/etc/os-release
  [[ -r $file ]] || file=$ROOT/usr/lib/os-release
  MACHINE_ID=$(os_release_field "$file" ID)
  MACHINE_VERSION=$(os_release_field "$file" VERSION_ID)
  MACHINE_CODENAME=$(os_release_field "$file" VERSION_CODENAME)
  MACHINE_NAME="${MACHINE_ID:-unknown} ${MACHINE_VERSION:-without a version}"
}

os_release_field() {
  local line
  line=$(grep -m1 "^$2=" "$1" 2>/dev/null) || return 0
  line=${line#*=}
  line=${line#[\"\']}
  printf '%s' "${line%[\"\']}"
}

systemd_runs() { [[ -d $ROOT/run/systemd/system ]]; }

# Without its parser a kernel with AppArmor refuses every container.
apparmor_is_on() { [[ "$(cat "$ROOT/sys/module/apparmor/parameters/enabled" 2>/dev/null)" == Y ]]; }

# read_process PID: PROCESS_COMM and PROCESS_START (ticks since boot); fails when it has ended.
read_process() {
  local line state rest
  line=$(cat "$ROOT/proc/$1/stat" 2>/dev/null) || return 1
  PROCESS_COMM=${line#*\(}
  PROCESS_COMM=${PROCESS_COMM%)*}
  # After the name, which may hold anything: state is field 3 of proc(5), start time field 22.
  read -r state rest <<<"${line##*) }"
  [[ $state != Z && $state != X ]] || return 1
  PROCESS_START=$(cut -d ' ' -f 19 <<<"$rest") # field 22, counted from field 4
}

boot_id() { cat "$ROOT/proc/sys/kernel/random/boot_id" 2>/dev/null || true; }
