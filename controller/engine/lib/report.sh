# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# How engine.sh speaks: answers on stdout, progress on stderr, refusals in four lines.

answer() { printf '%s\n' "$*"; }

say() { printf '%s\n' "$*" >&2; }

# refuse CODE WHAT WHY EVIDENCE NEXT: say so in four labelled lines and leave.
refuse() {
  printf 'error: %s\nwhy: %s\nevidence: %s\nnext: %s\n' "$2" "$3" "${4//$'\n'/$'\n'  }" "$5" >&2
  exit "$1"
}

# step REASON COMMAND...: run it, or only print it where this is a look.
step() {
  local reason=$1
  shift
  if [[ $LOOK_ONLY == yes ]]; then
    answer "# $reason"
    answer "$(quoted "$@")"
  else
    say "$reason"
    "$@"
  fi
}

# root_step REASON COMMAND...: the same, as root.
root_step() {
  local reason=$1
  shift
  step "$reason" "${AS_ROOT[@]}" "$@"
}

# root_file PATH REASON < content: write a file of the system, unless it is so already.
root_file() {
  local path=$1 reason=$2 content
  content=$(cat)
  [[ "$(cat "$ROOT$path" 2>/dev/null)" != "$content" ]] || return 0
  if [[ $LOOK_ONLY == yes ]]; then
    printf '# %s\n%s >/dev/null <<"END"\n%s\nEND\n' \
      "$reason" "$(quoted "${AS_ROOT[@]}" tee "$path")" "$content"
  else
    say "$reason"
    WRITTEN+=("$path") # undone when the installation fails
    printf '%s\n' "$content" | "${AS_ROOT[@]}" tee "$path" >/dev/null
  fi
}

quoted() {
  local words
  printf -v words '%q ' "$@"
  printf '%s' "${words% }"
}

# The end of a log, for the evidence line.
tail_of() {
  local lines
  lines=$(tail -n "${2:-15}" "$1" 2>/dev/null) || lines=''
  printf '%s' "${lines:-(nothing in $1)}"
}
