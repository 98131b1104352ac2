#!/bin/sh
# Make what the containers of the stack host-ipc mount, and look whether the rest is there.
# Made by ttctl; it works without it. Typed again it changes nothing, and no key is written over.
set -eu
cd "$(dirname "$0")"
# shellcheck disable=SC1091
. ./.env

code=0
problem() {
    echo "prepare.sh: $2" >&2
    [ "$code" != 0 ] || code=$1
}

# MODE FOLDER, where it is missing: what docker makes in its place would be root's.
folder() {
    [ -d "$2" ] || mkdir -p "$(dirname "$2")" || :
    (umask 0 && [ -d "$2" ] || mkdir -m "$1" "$2" 2>/dev/null || [ -d "$2" ]) || {
        echo "prepare.sh: $2 cannot be made; .env says where it lies" >&2
        exit 6
    }
}

# The engine writes as a user of its own, so everybody may write here; the folder above lets nobody
# else of this host in.
above=$(dirname "${TTCTL_CACHE:?the folder that holds the caches}")
folder 0700 "$above"
if [ -n "$(find -H "$above" -prune -perm -0001)" ]; then
    echo "prepare.sh: everybody of this host can write $TTCTL_CACHE: chmod 700 '$above'" >&2
fi
folder 0777 "$TTCTL_CACHE"
folder 0777 "$TTCTL_CACHE"/kernels
foreign=$(cd "$TTCTL_CACHE" && find . -path './*/*/*/*' -prune -o \
    -type d ! -user 1000 ! -perm -0002 -print 2>/dev/null || :)
if [ -n "$foreign" ]; then
    problem 6 "the engine runs as user 1000, who cannot write in $TTCTL_CACHE: $foreign"
    echo "    sudo chmod -R o+rwX '$TTCTL_CACHE'" >&2
fi

# FILE MODE TEXT, beside it first, so that nobody reads half of it.
put() {
    (umask 077 && printf '%s\n' "$3" >"$1.$$")
    chmod "$2" "$1.$$"
    mv -f "$1.$$" "$1"
}

# FILE MODE: a key, where none is there.
new_key() {
    [ -s "$1" ] && return
    put "$1.new.$$" "$2" "$(od -An -N32 -v -tx1 /dev/urandom | tr -d ' \n')"
    # A link fails where another start was faster, whose key then stays.
    ln "$1.new.$$" "$1" 2>/dev/null || [ -s "$1" ] || mv -f "$1.new.$$" "$1"
    rm -f "$1.new.$$"
}

# The gateway reads hashes of keys; the key itself is for whoever asks it.
above=$(dirname "${TTCTL_SECRETS:?the folder that holds keys.map}")
folder 0700 "$above"
folder 0755 "$TTCTL_SECRETS"
if ! [ -s "$TTCTL_SECRETS/keys.map" ]; then
    new_key "$above/api-key" 0600
    key=$(cat "$above/api-key")
    hash=$(printf %s "$key" | sha256sum | cut -d' ' -f1)
    put "$TTCTL_SECRETS/keys.map" 0444 "$hash default@0@$(date +%s)"
    echo "the key of this stack is in $above/api-key"
fi

# A node's number can change with a reset: .env says which nodes are opened at this start.
seen=:
gone=
node() {
    path=${2%%:*}
    if [ -z "$path" ]; then
        problem 3 "$1 is empty in .env: a node of /dev/tenstorrent, as SOURCE:TARGET"
    elif ! [ -d "$(dirname "$path")" ]; then
        [ "$gone" = "$(dirname "$path")" ] ||
            problem 3 "the folder $(dirname "$path") is not there: is the driver loaded?"
        gone=$(dirname "$path")
    elif ! [ -c "$path" ]; then
        problem 3 "$1: there is no device node $path; here are: $(ls -m "$(dirname "$path")" 2>&1)"
    elif [ -n "$(find -H "$path" ! -perm -0006)" ]; then
        echo "prepare.sh: $path is not open to everybody: give the engine its group" >&2
    fi
    case $seen in
    *:"$path":*) problem 9 "$1: $path is named twice in .env" ;;
    esac
    seen=$seen$path:
}
node TTCTL_NODE_0 "${TTCTL_NODE_0:-}"
node TTCTL_NODE_1 "${TTCTL_NODE_1:-}"

beside() {
    [ -e "$1" ] || problem 9 "there is no $1, which a container mounts"
}
beside ./gateway
beside ./wrapper
beside /dev/hugepages-1G

exit "$code"
