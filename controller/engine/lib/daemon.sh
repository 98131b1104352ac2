# shellcheck shell=bash disable=SC2034 # names set here are read by the other files
# SPDX-License-Identifier: Apache-2.0
# Start an engine, remember that we did with a proof of identity, end that one and no other.

UNIT=docker.service
UNIT_SOCKET=docker.socket

start_engine() {
  if systemd_runs; then start_unit; else start_directly; fi
}

# --- directly ---------------------------------------------------------------------------

start_directly() {
  local log=$STATE/dockerd.log pid_file=$STATE/dockerd.pid pid
  if [[ $LOOK_ONLY == no ]]; then
    probe_engine
    [[ $ENGINE != answers ]] || return 0 # the package's own script has started it meanwhile
    rm -f "$pid_file"
  fi
  root_step "systemd does not run here: start dockerd by itself; it logs to $log." \
    setsid --fork bash "$HERE/lib/detach.sh" "$pid_file" "$log" "$(command -v dockerd || echo dockerd)"
  [[ $LOOK_ONLY == no ]] || return 0
  pid=$(wait_for_pid "$pid_file") || refuse_not_started "$log"
  read_process "$pid" || refuse_not_started "$log"
  write_record "how direct" "pid $pid" "start $PROCESS_START" "boot $(boot_id)" "log $log"
  this_network >"$STATE/network"
  wait_until_it_answers "$pid" || refuse_not_started "$log"
  STARTED=yes
}

wait_for_pid() {
  local tries
  for tries in {1..50}; do
    if [[ -s $1 ]]; then
      cat "$1"
      return
    fi
    sleep 0.1
  done
  say "No pid in $1 after $((tries / 10)) s."
  return 1
}

refuse_not_started() {
  local log=$1 why next
  if record_is_alive; then
    refuse 124 \
      "dockerd runs (pid $RECORD_PID) but does not answer after $WAIT_SECONDS s." \
      "It may still be starting on a slow disk; it was left running." \
      "$(tail_of "$log")" \
      "$HERE/engine.sh up --wait 300, or to end it: $HERE/engine.sh stop"
  fi
  rm -f "$STATE/engine"
  read_log_for_the_cause "$log"
  refuse 5 "dockerd ended instead of starting." "$why" "$(without_stacks "$log")" "$next"
}

# The last lines of dockerd's log, less the stack of a panic.
without_stacks() {
  local lines
  lines=$(grep -E '^(time=|panic:|failed |fatal|[Ee]rror|Usage|unable )' "$1" 2>/dev/null | tail -n 15) || lines=''
  printf '%s' "${lines:-$(tail_of "$1")}"
}

# Sets why and next of the caller: what people meet most often, else dockerd's own last word.
read_log_for_the_cause() {
  local last
  last=$(grep -E '^panic:|level=fatal|failed to start daemon|level=error' "$1" 2>/dev/null | tail -n 1) || last=''
  next="less $1"
  case $last in
    *cgroup*)
      why="The kernel's control groups are not mounted here."
      next="sudo apt-get install cgroupfs-mount && sudo cgroupfs-mount"
      ;;
    *iptables* | *nft* | *'NAT chain'*)
      why="dockerd could not write its packet filter rules (no permission, or nftables is missing)."
      next="sudo update-alternatives --set iptables /usr/sbin/iptables-legacy"
      ;;
    *overlay* | *graphdriver* | *'storage driver'*)
      why="The file system of dockerd's data folder does not carry its storage driver."
      next="df -T /var/lib/docker"
      ;;
    *'no space left'*) why="The disk is full." next="df -h /var/lib/docker" ;;
    *'not permitted'* | *'ermission denied'*) why="This machine does not permit it; inside a container, dockerd needs --privileged." ;;
    *) why="${last:-It left no reason in its log.}" ;;
  esac
}

# --- by systemd -------------------------------------------------------------------------

start_unit() {
  local units=$UNIT
  if ! systemctl is-active --quiet "$UNIT_SOCKET" 2>/dev/null; then units="$UNIT_SOCKET $UNIT"; fi
  root_step "systemd runs here: start its unit." systemctl start "$UNIT" || refuse_unit
  [[ $LOOK_ONLY == no ]] || return 0
  write_record "how systemd" "units $units" "invocation $(unit_invocation)"
  wait_until_it_answers 1 || refuse_unit
  STARTED=yes
}

unit_invocation() { systemctl show --property InvocationID --value "$UNIT"; }

refuse_unit() {
  refuse 5 \
    "systemd did not bring up $UNIT." \
    "Its journal says why." \
    "$(journalctl --unit "$UNIT" --lines 15 --no-pager --output cat 2>&1)" \
    "systemctl status $UNIT"
}

# --- the record -------------------------------------------------------------------------

write_record() {
  printf '%s\n' "$@" >"$STATE/engine.new"
  mv "$STATE/engine.new" "$STATE/engine"
}

# RECORD_*: what was started; fails when nothing was.
read_record() {
  local key value
  RECORD_HOW='' RECORD_PID='' RECORD_START='' RECORD_BOOT='' RECORD_LOG='' RECORD_UNITS='' RECORD_INVOCATION=''
  [[ -r $STATE/engine ]] || return 1
  while read -r key value; do
    case $key in
      how) RECORD_HOW=$value ;;
      pid) RECORD_PID=$value ;;
      start) RECORD_START=$value ;;
      boot) RECORD_BOOT=$value ;;
      log) RECORD_LOG=$value ;;
      units) RECORD_UNITS=$value ;;
      invocation) RECORD_INVOCATION=$value ;;
    esac
  done <"$STATE/engine"
}

# Is what we started still the same process (or the same run of the unit)?
record_is_alive() {
  read_record || return 1
  case $RECORD_HOW in
    direct)
      read_process "$RECORD_PID" && [[ "$PROCESS_COMM $PROCESS_START" == "dockerd $RECORD_START" ]] &&
        [[ "$(boot_id)" == "$RECORD_BOOT" ]]
      ;;
    systemd) systemctl is-active --quiet "$UNIT" && [[ "$(unit_invocation)" == "$RECORD_INVOCATION" ]] ;;
    *) return 1 ;;
  esac
}

who_started_it() {
  if ! record_is_alive; then
    answer "not by engine.sh"
  elif [[ $RECORD_HOW == direct ]]; then
    answer "engine.sh: pid $RECORD_PID, log $RECORD_LOG"
  else
    answer "engine.sh: $UNIT"
  fi
}

# --- ending -----------------------------------------------------------------------------

stop_engine() {
  if ! read_record; then
    answer "Nothing to stop: no engine was started here."
    return
  fi
  if ! record_is_alive; then
    [[ $LOOK_ONLY == yes ]] || rm -f "$STATE/engine" "$STATE/dockerd.pid"
    answer "Nothing to stop: the engine that was started here has ended before."
    return
  fi
  find_privilege
  if [[ $RECORD_HOW == direct ]]; then stop_process; else stop_unit; fi
  if [[ $LOOK_ONLY == yes ]]; then
    refuse_without_privilege
    return
  fi
  rm -f "$STATE/engine" "$STATE/dockerd.pid"
  answer "Stopped the engine that was started here."
}

stop_process() {
  local began=$SECONDS waited told=0
  root_step "End dockerd (pid $RECORD_PID), which was started here; it ends its containers first." \
    kill -TERM "$RECORD_PID"
  [[ $LOOK_ONLY == no ]] || return 0
  while record_is_alive; do
    waited=$((SECONDS - began))
    ((waited < WAIT_SECONDS)) || refuse 124 \
      "dockerd (pid $RECORD_PID) has not ended after $WAIT_SECONDS s." \
      "It waits for its containers to end; killing it would leave them behind, so it was not killed." \
      "$(tail_of "$RECORD_LOG" 5)" \
      "$HERE/engine.sh stop --wait 300"
    if ((waited >= told + 5)); then
      told=$waited
      say "Waiting for dockerd to end its containers ($waited of $WAIT_SECONDS s): $(tail_of "$RECORD_LOG" 1)"
    fi
    sleep 0.2
  done
}

stop_unit() {
  local units
  read -ra units <<<"$RECORD_UNITS"
  root_step "Stop the units that were started here." timeout "$WAIT_SECONDS" systemctl stop "${units[@]}" ||
    refuse 124 \
      "systemd did not stop ${units[*]} within $WAIT_SECONDS s." \
      "dockerd waits for its containers to end." \
      "$(journalctl --unit "$UNIT" --lines 5 --no-pager --output cat 2>&1)" \
      "$HERE/engine.sh stop --wait 300"
}
