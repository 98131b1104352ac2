# shellcheck shell=bash disable=SC2034 # names set here are read by the other files
# SPDX-License-Identifier: Apache-2.0
# Does an engine answer, which one is it, and does the client find its plugins?

DEFAULT_SOCKET=/var/run/docker.sock
PROBE_SECONDS=10
PLUGIN_FOLDER=/usr/libexec/docker/cli-plugins # where the packages of all our distributions put them

# ENGINE: answers, absent, denied, hangs, odd or no-client; ENGINE_VERSION or ENGINE_EVIDENCE.
probe_engine() {
  local output code=0
  ENGINE_VERSION='' ENGINE_EVIDENCE=''
  find_endpoint
  if ! command -v docker >/dev/null; then
    ENGINE=absent
    [[ ! -S $ROOT$DEFAULT_SOCKET && -z ${DOCKER_HOST:-} ]] || ENGINE=no-client
    return
  fi
  output=$(timeout "$PROBE_SECONDS" docker version --format '{{.Server.Version}}' 2>&1) || code=$?
  ENGINE_EVIDENCE=${output#$'\n'} # the empty answer of a client whose engine is silent
  case "$code $output" in
    '0 '*) ENGINE=answers ENGINE_VERSION=${output##*$'\n'} ;;
    '124 '*) ENGINE=hangs ;;
    *'ermission denied'*) ENGINE=denied ;;
    *[Cc]'annot connect'* | *'failed to connect'* | *'error during connect'*) ENGINE=absent ;;
    *'connection refused'* | *'no such host'* | *'i/o timeout'*) ENGINE=absent ;;
    *) ENGINE=odd ;;
  esac
}

# ENDPOINT: where the client of this user looks (DOCKER_HOST, else the context, else the default).
find_endpoint() {
  ENDPOINT=${DOCKER_HOST:-}
  [[ -n $ENDPOINT ]] || ENDPOINT=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null) || true
  ENDPOINT=${ENDPOINT:-unix://$DEFAULT_SOCKET}
}

# Which dockerd lives in our network namespace? RUNNING_PID is empty when none does.
# A second one would rewrite the packet filter rules of the first.
find_running_dockerd() {
  local comm pid mine theirs
  RUNNING_PID='' RUNNING_HAS_DEFAULT_PID_FILE=no
  mine=$(readlink "$ROOT/proc/self/ns/net" 2>/dev/null) || mine=''
  for comm in "$ROOT"/proc/[0-9]*/comm; do
    [[ "$(cat "$comm" 2>/dev/null)" == dockerd ]] || continue
    pid=$(basename "$(dirname "$comm")")
    theirs=$(readlink "$ROOT/proc/$pid/ns/net" 2>/dev/null) || theirs=$mine
    if [[ $theirs != "$mine" ]] || ! read_process "$pid"; then continue; fi
    RUNNING_PID=$pid
    if [[ "$(cat "$ROOT/run/docker.pid" 2>/dev/null)" == "$pid" ]]; then
      RUNNING_HAS_DEFAULT_PID_FILE=yes
      return
    fi
  done
}

# Inside a container that shares the host's network the host's dockerd is not to be seen, only its
# bridge; an engine started there would rewrite the host's packet filter rules.
network_is_another_engines() {
  local first_pid_namespace='pid:[4026531836]' # PROC_PID_INIT_INO of the kernel's proc_ns.h
  grep -qs '^ *docker0:' "$ROOT/proc/net/dev" || return 1 # /sys may show another namespace's
  [[ "$(readlink "$ROOT/proc/self/ns/pid" 2>/dev/null)" != "$first_pid_namespace" ]] || return 1
  [[ "$(cat "$STATE/network" 2>/dev/null)" != "$(this_network)" ]]
}

this_network() { printf '%s %s\n' "$(readlink "$ROOT/proc/self/ns/net" 2>/dev/null)" "$(boot_id)"; }

# wait_until_it_answers PID: fails when the process ends or the time is over.
wait_until_it_answers() {
  local deadline=$((SECONDS + WAIT_SECONDS))
  while ((SECONDS < deadline)); do
    probe_engine
    [[ $ENGINE == absent || $ENGINE == hangs ]] || return 0
    read_process "$1" || return 1
    sleep 0.5
  done
  return 1
}

# --- plugins ----------------------------------------------------------------------------

have_plugin() {
  if command -v docker >/dev/null; then
    docker "$1" version >/dev/null 2>&1
  else
    [[ -x $ROOT$PLUGIN_FOLDER/docker-$1 ]]
  fi
}

plugin_version() {
  local line
  line=$(docker "$1" version 2>/dev/null | head -n 1) && [[ -n $line ]] || line=missing
  printf '%s' "$line"
}

# A client of another origin may not look where the packages put plugins: link them for this user.
check_plugins() {
  local plugin mine=${DOCKER_CONFIG:-${HOME:-/root}/.docker}/cli-plugins
  for plugin in compose buildx; do
    have_plugin "$plugin" && continue
    if [[ -x $PLUGIN_FOLDER/docker-$plugin && ! -e $mine/docker-$plugin ]]; then
      mkdir -p "$mine"
      step "Show $(command -v docker) the $plugin plugin, which it does not find by itself." \
        ln -s "$PLUGIN_FOLDER/docker-$plugin" "$mine/docker-$plugin"
    fi
    have_plugin "$plugin" || refuse 4 \
      "'docker $plugin version' fails although its package is installed." \
      "The client $(command -v docker) does not find the plugin, or the plugin does not run." \
      "$(docker "$plugin" version 2>&1 | tail -n 3)" \
      "ls -l $PLUGIN_FOLDER $mine"
  done
}

# --- refusals ---------------------------------------------------------------------------

refuse_when_the_engine_is_elsewhere() {
  [[ -n ${DOCKER_HOST:-} || ! $ENDPOINT =~ ^unix://(/var)?/run/docker\.sock$ ]] || return 0
  local chosen="your docker context" undo="docker context use default"
  [[ -z ${DOCKER_HOST:-} ]] || chosen=DOCKER_HOST undo="unset DOCKER_HOST"
  refuse 5 \
    "The engine at $ENDPOINT does not answer." \
    "$chosen names that engine, so no other one is started." \
    "$ENGINE_EVIDENCE" \
    "start that engine, or: $undo"
}

refuse_second_engine() {
  refuse 5 \
    "A dockerd is running (pid $RUNNING_PID), but nothing answers at $ENDPOINT." \
    "It listens elsewhere, hangs or still starts; a second one beside it would disturb it." \
    "$(tr '\0' ' ' <"$ROOT/proc/$RUNNING_PID/cmdline" 2>/dev/null)- $ENGINE_EVIDENCE" \
    "export DOCKER_HOST=unix://ITS_SOCKET, or if engine.sh started it: $HERE/engine.sh stop"
}

refuse_when_the_network_is_another_engines() {
  network_is_another_engines || return 0
  refuse 5 \
    "No engine answers, but the bridge docker0 is here and was not made by engine.sh." \
    "In a container on another machine's network its engine is not visible; a second one would harm it." \
    "/proc/net/dev names docker0, and no dockerd is among the processes of this container." \
    "give the container the engine's socket, or its own network; if no engine runs: sudo ip link delete docker0"
}

refuse_engine() {
  local group
  case $ENGINE in
    denied)
      group=$(stat -c %G "$ROOT$DEFAULT_SOCKET" 2>/dev/null) || group=docker
      refuse 6 \
        "An engine listens at $ENDPOINT, but $(id -un) may not reach it." \
        "Its socket is for root and the group '$group' (who is in it may become root on this machine)." \
        "$ENGINE_EVIDENCE" \
        "sudo usermod -aG $group $(id -un) && newgrp $group"
      ;;
    hangs)
      refuse 5 \
        "The engine at $ENDPOINT took the connection and did not answer." \
        "It hangs, or the machine is overloaded; an engine that we did not start is left alone." \
        "'docker version' was given $PROBE_SECONDS s." \
        "docker version"
      ;;
    no-client)
      refuse 4 \
        "An engine seems to listen at $ENDPOINT, but there is no docker client." \
        "Here the client comes in one package with a daemon, which must not be put beside that engine." \
        "'docker' is not on PATH." \
        "install the client of that engine's vendor; if nothing listens there: rm $DEFAULT_SOCKET"
      ;;
    *)
      refuse 5 \
        "The engine at $ENDPOINT answers in a way that we do not know." \
        "The client and the engine may not fit each other; neither was touched." \
        "$ENGINE_EVIDENCE" \
        "docker version"
      ;;
  esac
}
