#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck source-path=SCRIPTDIR
#
# Make a Docker engine answer on this machine, or say what to type.
#
# An engine that answers is used untouched. One that we did not start is never
# stopped, restarted or reconfigured.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=lib/report.sh
source "$HERE/lib/report.sh"
# shellcheck source=lib/machine.sh
source "$HERE/lib/machine.sh"
# shellcheck source=lib/probe.sh
source "$HERE/lib/probe.sh"
# shellcheck source=lib/packages.sh
source "$HERE/lib/packages.sh"
# shellcheck source=lib/daemon.sh
source "$HERE/lib/daemon.sh"

usage() {
  cat <<'TEXT'
usage: engine.sh VERB [--dry-run] [--wait SECONDS] [--root DIR]

  up        make an engine answer: use the one that does, else install and start one
  install   only install what is missing; start nothing
  stop      end the engine that `up` started, and no other
  status    say what answers, who started it, and which plugins are found
  help      print this

  --dry-run       print the commands that would run, each with its reason; run none
  --wait SECONDS  how long to wait for the daemon to start or to end (default 60)
  --root DIR      read the machine (os-release, package sources, /run, /proc) below DIR;
                  a look only: nothing is run. For tests and for planning another machine

exit codes: 0 ok, 2 usage, 4 tool or package missing, 5 the engine does not answer or failed,
            6 needs a privilege, 75 another engine.sh is at work, 124 a time limit passed
TEXT
}

# --- verbs ------------------------------------------------------------------------------

up() {
  take_lock
  probe_engine
  case $ENGINE in
    answers) ;;
    absent) wait_for_an_engine_that_is_starting ;;
    no-client) a_client_has_its_own_package || refuse_engine ;;
    *) refuse_engine ;;
  esac
  find_missing_packages
  if [[ $ENGINE == answers && ${#MISSING[@]} -eq 0 ]]; then
    install_tools
    tell_used_untouched
    return
  fi
  find_privilege
  if ((${#MISSING[@]} > 0)); then install_missing; else install_tools; fi
  [[ $ENGINE != absent ]] || start_engine
  if [[ $LOOK_ONLY == yes ]]; then
    refuse_without_privilege
  else
    tell_result
  fi
}

# Between "nothing answers" and "start one": the cases in which a second engine would be wrong.
wait_for_an_engine_that_is_starting() {
  refuse_when_the_engine_is_elsewhere
  find_running_dockerd
  if [[ -z $RUNNING_PID ]]; then
    refuse_when_the_network_is_another_engines
    return
  fi
  [[ $RUNNING_HAS_DEFAULT_PID_FILE == yes ]] || refuse_second_engine
  say "A dockerd is running (pid $RUNNING_PID) and does not answer yet; waiting up to $WAIT_SECONDS s."
  wait_until_it_answers "$RUNNING_PID" || refuse_second_engine
}

install_only() {
  take_lock
  probe_engine
  [[ $ENGINE != no-client ]] || a_client_has_its_own_package || refuse_engine
  find_missing_packages
  if ((${#MISSING[@]} + ${#TOOLS[@]} == 0)); then
    answer "Nothing to install: the engine, its client, compose and buildx are here."
    return
  fi
  if ((${#MISSING[@]} == 0)); then
    install_tools
    return
  fi
  find_privilege
  install_missing
  if [[ $LOOK_ONLY == yes ]]; then
    refuse_without_privilege
  else
    check_plugins
    answer "Installed: ${MISSING[*]}. Nothing was started."
  fi
}

stop() {
  take_lock
  stop_engine
}

status() {
  probe_engine
  read_machine
  case $ENGINE in
    answers) answer "engine      Docker $ENGINE_VERSION answers at $ENDPOINT" ;;
    *) answer "engine      $ENGINE at $ENDPOINT" ;;
  esac
  answer "started by  $(who_started_it)"
  answer "compose     $(plugin_version compose)"
  answer "buildx      $(plugin_version buildx)"
  answer "machine     $MACHINE_NAME ($(table_status))"
  case $ENGINE in
    answers) have_plugin compose && have_plugin buildx || return 4 ;;
    no-client) return 4 ;;
    denied) return 6 ;;
    *) return 5 ;;
  esac
}

# --- what up says -----------------------------------------------------------------------

tell_used_untouched() {
  if record_is_alive; then
    answer "Docker engine $ENGINE_VERSION answers at $ENDPOINT: started here before, nothing to do."
  else
    answer "Docker engine $ENGINE_VERSION answers at $ENDPOINT: used untouched."
  fi
}

tell_result() {
  check_plugins
  probe_engine
  [[ $ENGINE == answers ]] || refuse_engine
  ((${#MISSING[@]} == 0)) || answer "Installed: ${MISSING[*]}."
  if [[ $STARTED == no ]]; then
    tell_used_untouched
    return
  fi
  answer "Started Docker engine $ENGINE_VERSION at $ENDPOINT ($(who_started_it)); it outlives this command."
  answer "To end it: make engine-stop"
}

refuse_without_privilege() {
  [[ $DRY_RUN == no && $PRIVILEGE == none ]] || return 0
  refuse 6 \
    "Nothing was done: this needs root, and you are $(id -un)." \
    "Installing packages, starting and ending dockerd are an administrator's work." \
    "'sudo -n true' does not work here; the commands are printed above, each with its reason." \
    "sudo $HERE/engine.sh $VERB"
}

# --- the command line -------------------------------------------------------------------

take_lock() {
  [[ $LOOK_ONLY == no ]] || return 0
  mkdir -p "$STATE"
  exec 9>"$STATE/lock"
  flock --nonblock 9 || refuse 75 \
    "Another engine.sh is at work." \
    "Two at once could start two engines." \
    "$STATE/lock is held." \
    "$HERE/engine.sh status"
}

refuse_usage() {
  refuse 2 "$1" "engine.sh takes one verb and a few options." "$2" "$HERE/engine.sh help"
}

main() {
  VERB='' DRY_RUN=no WAIT_SECONDS=60 ROOT=''
  while (($# > 0)); do
    case $1 in
      --dry-run) DRY_RUN=yes ;;
      --wait | --root)
        (($# > 1)) || refuse_usage "$1 has no value." "It was the last word."
        if [[ $1 == --root ]]; then ROOT=$2; else WAIT_SECONDS=$2; fi
        shift
        ;;
      -h | --help) VERB=help ;;
      -*) refuse_usage "Unknown option '$1'." "The words were: $*" ;;
      *)
        [[ -z $VERB ]] || refuse_usage "More than one verb." "'$VERB' and '$1'"
        VERB=$1
        ;;
    esac
    shift
  done
  [[ $WAIT_SECONDS =~ ^[0-9]+$ ]] || refuse_usage "--wait takes whole seconds." "got '$WAIT_SECONDS'"
  [[ -z $ROOT || -d $ROOT ]] || refuse_usage "--root takes a folder." "'$ROOT' is none"
  ROOT=${ROOT%/}
  LOOK_ONLY=$DRY_RUN
  [[ -z $ROOT ]] || LOOK_ONLY=yes
  STATE=${XDG_STATE_HOME:-${HOME:-/root}/.local/state}/ttctl/engine
  # An ordinary user's PATH on Debian lacks the folders of dockerd and iptables.
  PATH=$PATH:$ROOT/usr/local/sbin:$ROOT/usr/sbin:$ROOT/sbin
  STARTED=no
  # shellcheck disable=SC2034 # the files that packages.sh undoes when an installation fails
  WRITTEN=()
  case $VERB in
    up) up ;;
    install) install_only ;;
    stop) stop ;;
    status) status ;;
    help) usage ;;
    '') refuse_usage "No verb." "Nothing was typed after engine.sh." ;;
    *) refuse_usage "Unknown verb '$VERB'." "The verbs are up, install, stop, status and help." ;;
  esac
}

main "$@"
