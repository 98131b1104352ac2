#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Bring podman's generator of units for the tests: from a podman that is here, else out of the
# distribution's package, which is unpacked into a folder and not installed. Debian 12's podman has
# none that knows these keys; Debian 13's does, and is taken from this machine's own mirror.
set -euo pipefail

to=${1:?usage: quadlet.sh FOLDER}
here=/usr/lib/systemd/system-generators/podman-system-generator
oldest=5.2 # NetworkAlias
suite=trixie
# shellcheck source=/dev/null
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

[[ ! -x $to/quadlet ]] || exit 0
mkdir -p "$to"

is_new_enough() {
  [[ -n $1 ]] && dpkg --compare-versions "$1" ge "$oldest"
}

if [[ -x $here ]] && is_new_enough "$("$here" -version 2>/dev/null)"; then
  ln -sf "$here" "$to/quadlet"
  exit 0
fi

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
chmod 755 "$work"
apt=(apt-get -qq)
version() { apt-cache "${apt[@]:1}" madison podman | awk -F ' *[|] *' '{ print $2; exit }'; }

if ! is_new_enough "$(version)"; then
  # shellcheck disable=SC2016 # apt, not the shell, fills in the field
  uri=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' "Codename: $codename" |
    head -n 1)
  mkdir -p "$work/lists/partial"
  echo "deb ${uri:?no mirror of Debian is among apt\'s sources} $suite main" >"$work/sources.list"
  apt+=(-o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::Etc::preferencesparts=/dev/null" -o "Dir::State::lists=$work/lists"
    -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache=)
  "${apt[@]}" update
fi

echo "unpacking podman's unit generator into $to"
(cd "$work" && "${apt[@]}" download "podman=$(version)" 2>/dev/null)
dpkg-deb --extract "$work"/podman_*.deb "$work/podman"
install -m 755 "$work/podman/usr/libexec/podman/quadlet" "$to/quadlet"
