# shellcheck shell=bash disable=SC2034 # names set here are read by the other files
# SPDX-License-Identifier: Apache-2.0
# What is missing, which packages hold it here, and how they come in without touching others.

APT=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 LC_ALL=C apt-get -o DPkg::Lock::Timeout=120)
INSTALL=(install --yes --no-install-recommends --no-remove)
POLICY=/usr/sbin/policy-rc.d

# ROW_*: the line of packages.tsv for this machine; fails when there is none.
read_row() {
  local id version
  while IFS=$'\t' read -r id version ROW_CODENAME ROW_ENGINE ROW_CLIENT ROW_COMPOSE ROW_BUILDX \
    ROW_PLUGINS_FROM ROW_EXTRA ROW_STATUS ROW_HINT; do
    [[ $id != "$MACHINE_ID" || $version != "$MACHINE_VERSION" ]] || return 0
  done <"$HERE/packages.tsv"
  return 1
}

table_status() {
  if read_row; then answer "in the package table: $ROW_STATUS"; else answer "not in the package table"; fi
}

# Can a client be added without bringing a daemon along?
a_client_has_its_own_package() {
  read_machine
  read_row && [[ $ROW_CLIENT != - ]]
}

# MISSING: the packages to install. An engine that answers needs at most the two plugins.
# TOOLS: what makes the base image where no registry answers; nice to have beside an engine.
find_missing_packages() {
  local wanted=()
  MISSING=() TOOLS=() PLUGINS_ARE_MISSING=no
  read_machine
  find_missing_tools
  command -v docker >/dev/null || wanted+=(client)
  [[ $ENGINE != absent ]] || command -v dockerd >/dev/null || wanted+=(engine)
  have_plugin compose || wanted+=(compose)
  have_plugin buildx || wanted+=(buildx)
  ((${#wanted[@]} > 0)) || return 0
  read_row || refuse_unknown_machine "${wanted[*]}"
  name_packages "${wanted[@]}"
}

# The package table says which of them this distribution needs; without a row none is known.
find_missing_tools() {
  local name extras
  read_row || return 0
  read -ra extras <<<"$ROW_EXTRA"
  for name in "${extras[@]}"; do
    case $name in
      debootstrap) command -v debootstrap >/dev/null || TOOLS+=("$name") ;;
      *-archive-keyring) package_is_installed "$name" || TOOLS+=("$name") ;;
    esac
  done
}

name_packages() {
  local part name
  for part in "$@"; do
    case $part in
      engine)
        MISSING+=("$ROW_ENGINE")
        add_extras
        ;;
      client) MISSING+=("${ROW_CLIENT/#-/$ROW_ENGINE}") ;;
      compose)
        MISSING+=("$ROW_COMPOSE")
        PLUGINS_ARE_MISSING=yes
        ;;
      buildx)
        MISSING+=("$ROW_BUILDX")
        PLUGINS_ARE_MISSING=yes
        ;;
    esac
  done
  MISSING+=("${TOOLS[@]}")
  # The client and the engine may be one package: name it once.
  local -A seen=()
  local once=()
  for name in "${MISSING[@]}"; do
    [[ -n ${seen[$name]:-} ]] || once+=("$name")
    seen[$name]=yes
  done
  MISSING=("${once[@]}")
}

add_extras() {
  local name extras
  read -ra extras <<<"$ROW_EXTRA"
  if apparmor_is_on; then extras+=(apparmor); fi
  for name in "${extras[@]}"; do
    package_is_installed "$name" || MISSING+=("$name")
  done
}

package_is_installed() {
  # shellcheck disable=SC2016 # dpkg-query, not the shell, fills in the field
  [[ "$(dpkg-query --admindir="$ROOT/var/lib/dpkg" -W -f '${db:Status-Status}' "$1" 2>/dev/null)" == installed ]]
}

# --- installing -------------------------------------------------------------------------

install_missing() {
  ((${#MISSING[@]} > 0)) || return 0
  say "Missing on $MACHINE_NAME ($(table_status)): ${MISSING[*]}."
  APT_LOG=$STATE/apt.log
  trap undo_written EXIT
  [[ $LOOK_ONLY == yes ]] || : >"$APT_LOG"
  [[ $PLUGINS_ARE_MISSING == no || $ROW_PLUGINS_FROM == own ]] || add_plugin_suite "$ROW_PLUGINS_FROM"
  hold_services
  apt_step "Read the package lists." "${APT[@]}" update ||
    say "apt-get update complained, going on: $(tail_of "$APT_LOG" 1)"
  refuse_side_effects
  apt_step "Install ${MISSING[*]}." "${APT[@]}" "${INSTALL[@]}" "${MISSING[@]}" || refuse_apt
  release_services
  WRITTEN=()
}

# Bring the tools beside an engine that needs nothing else. A registry may answer, so that it
# fails is told in one line and ends nothing.
install_tools() {
  local code=0
  ((${#TOOLS[@]} > 0 && ${#MISSING[@]} == 0)) || return 0
  find_privilege
  if [[ $PRIVILEGE == none ]]; then
    say "Not installed, and you may not install it: ${TOOLS[*]} (needed only where no registry answers)."
    return
  fi
  MISSING=("${TOOLS[@]}")
  if [[ $LOOK_ONLY == yes ]]; then
    install_missing
    return
  fi
  say "Installing ${TOOLS[*]}, which makes the base image where no registry answers."
  set +e # behind || or if, a subshell would go on after a step that failed
  (
    set -e
    install_missing
  ) 2>"$STATE/tools.log"
  code=$?
  set -e
  if ((code == 0)); then
    answer "Installed: ${TOOLS[*]}."
  else
    say "Not installed: ${TOOLS[*]} (needed only where no registry answers); $STATE/tools.log says why."
  fi
}

apt_step() {
  if [[ $LOOK_ONLY == yes ]]; then
    root_step "$@"
  else
    say "$1"
    "${AS_ROOT[@]}" "${@:2}" </dev/null >>"$APT_LOG" 2>&1
  fi
}

undo_written() {
  ((${#WRITTEN[@]} == 0)) || "${AS_ROOT[@]}" rm -f "${WRITTEN[@]}"
}

# A package must not start a daemon by itself: `up` does, so that `stop` knows what is ours.
hold_services() {
  HOLDING=no
  [[ ! -e $ROOT$POLICY ]] || grep -qs 'ttctl engine.sh' "$ROOT$POLICY" || return 0
  HOLDING=yes
  root_file "$POLICY" "Let no package start a daemon by itself during this installation." <<'END'
#!/bin/sh
# Written by ttctl engine.sh for the time of one installation; may be deleted.
case $1 in docker* | containerd*) exit 101 ;; esac
exit 0
END
  root_step "Make that file count." chmod 755 "$POLICY"
}

release_services() {
  [[ $HOLDING == no ]] || root_step "Let packages start daemons again." rm -f "$POLICY"
}

# Add the suite that holds the plugins, pinned: two packages may come from it, nothing else.
add_plugin_suite() {
  local suite=$1 uri keyring
  if [[ -z "$(source_of "$suite")" ]]; then
    IFS=$'\t' read -r uri _ keyring <<<"$(source_of "$ROW_CODENAME")"
    [[ -n $uri ]] || refuse_no_source
    # The pins go first: without them the whole machine would see the suite.
    root_file "/etc/apt/preferences.d/ttctl-$suite" \
      "Take the two plugins from $suite, and nothing else." < <(pins "$suite" all)
    root_file "/etc/apt/sources.list.d/ttctl-$suite.sources" \
      "$MACHINE_NAME has no such plugins: name suite $suite on this machine's own mirror." \
      < <(source_stanza "$suite" "$uri" "$keyring")
  elif [[ ! -e $ROOT/etc/apt/sources.list.d/ttctl-$suite.sources ]]; then
    root_file "/etc/apt/preferences.d/ttctl-$suite" \
      "Suite $suite is a source here already: prefer it for the two plugins only." < <(pins "$suite" two)
  fi
}

source_stanza() {
  printf '# Written by ttctl engine.sh: for %s and %s only, see preferences.d.\n' "$ROW_COMPOSE" "$ROW_BUILDX"
  printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$2" "$1"
  [[ $3 == - ]] || printf 'Signed-By: %s\n' "$3"
}

pins() {
  [[ $2 == two ]] || printf 'Package: *\nPin: release n=%s\nPin-Priority: -10\n\n' "$1"
  printf 'Package: %s %s\nPin: release n=%s\nPin-Priority: 600\n' "$ROW_COMPOSE" "$ROW_BUILDX" "$1"
}

# The first source of a suite: URI, suite, keyring. Suites may go by their role's name.
source_of() {
  local file roles=''
  [[ $1 != "$ROW_CODENAME" ]] || roles='stable oldstable'
  for file in "$ROOT"/etc/apt/sources.list "$ROOT"/etc/apt/sources.list.d/*.{list,sources}; do
    [[ ! -r $file ]] || awk -f "$HERE/sources.awk" "$file"
  done | awk -F '\t' -v suites=" $1 $roles " 'index(suites, " " $2 " ") && !found++'
}

# --- refusals ---------------------------------------------------------------------------

# Rehearse first: nothing that is installed may be upgraded or removed.
refuse_side_effects() {
  local rehearsal=("${APT[@]}" --simulate "${INSTALL[@]}" "${MISSING[@]}") plan touched
  if [[ $LOOK_ONLY == yes ]]; then
    step "Rehearse: go on only if nothing installed would be upgraded or removed." "${rehearsal[@]}"
    return
  fi
  plan=$("${rehearsal[@]}" 2>&1) || {
    printf '%s\n' "$plan" >>"$APT_LOG"
    refuse_apt
  }
  touched=$(awk -v asked=" ${MISSING[*]} " \
    '$1 == "Remv" || ($1 == "Inst" && $3 ~ /^\[/ && !index(asked, " " $2 " "))' <<<"$plan")
  [[ -z $touched ]] || refuse 4 \
    "Nothing was installed: packages that are here would be upgraded or removed." \
    "engine.sh adds what is missing and changes nothing else on $MACHINE_NAME." \
    "$touched" \
    "sudo apt-get install ${MISSING[*]}"
  touched=$(awk -v compose="$ROW_COMPOSE" '$1 == "Inst" && $2 == compose && /\(1\./' <<<"$plan")
  [[ -z $touched ]] || refuse 4 \
    "Nothing was installed: apt would take compose v1." \
    "A setting of this machine (APT::Default-Release or a pin) outweighs the pin for $ROW_COMPOSE." \
    "$touched" \
    "apt-cache policy $ROW_COMPOSE"
}

refuse_apt() {
  local next="sudo apt-get update && sudo apt-get install ${MISSING[*]}"
  [[ $ROW_HINT == - ]] || next=$ROW_HINT
  refuse 4 \
    "The packages could not be installed: ${MISSING[*]}." \
    "apt-get failed; the whole log is $APT_LOG." \
    "$(tail_of "$APT_LOG" 10)" \
    "$next"
}

refuse_no_source() {
  refuse 4 \
    "No package source of $ROW_CODENAME was found." \
    "The plugins come from suite $ROW_PLUGINS_FROM of the same mirror, which is read from apt's sources." \
    "$(cd "$ROOT/" && ls -d etc/apt/sources.list etc/apt/sources.list.d/* 2>&1)" \
    "apt-get indextargets | grep -i repo-uri"
}

refuse_unknown_machine() {
  refuse 4 \
    "Missing: $1; and no packages are known for '$MACHINE_NAME'." \
    "The package table holds $(awk -F '\t' '!/^#/ && $1 != "id" { printf "%s%s %s", s, $1, $2; s = ", " }' "$HERE/packages.tsv")." \
    "$(head -n 3 "$ROOT/etc/os-release" 2>/dev/null || echo 'no /etc/os-release')" \
    "install Docker Engine 20.10 or newer with its client, the compose v2 and the buildx plugin, start it, then: $HERE/engine.sh status"
}
