# SPDX-License-Identifier: Apache-2.0
"""The texts of which `prepare.sh` is made: each for one kind of thing that a stack mounts. Pure."""

from __future__ import annotations

from ttctl.rules.launch_values import ENGINE_KEY, ENGINE_MAP

HEAD = """\
#!/bin/sh
# Make what the containers of the stack {stack} mount, and look whether the rest is there.
# Made by ttctl; it works without it. Typed again it changes nothing, and no key is written over.
set -eu
cd "$(dirname "$0")"
# shellcheck disable=SC1091
. ./.env

code=0
problem() {{
    echo "prepare.sh: $2" >&2
    [ "$code" != 0 ] || code=$1
}}
"""

FOLDER = """
# MODE FOLDER, where it is missing: what docker makes in its place would be root's.
folder() {
    [ -d "$2" ] || mkdir -p "$(dirname "$2")" || :
    (umask 0 && [ -d "$2" ] || mkdir -m "$1" "$2" 2>/dev/null || [ -d "$2" ]) || {
        echo "prepare.sh: $2 cannot be made; .env says where it lies" >&2
        exit 6
    }
}
"""

CACHE = """
# The engine writes as a user of its own, so everybody may write here; the folder above lets nobody
# else of this host in.
above=$(dirname "${TTCTL_CACHE:?the folder that holds the caches}")
folder 0700 "$above"
if [ -n "$(find -H "$above" -prune -perm -0001)" ]; then
    echo "prepare.sh: everybody of this host can write $TTCTL_CACHE: chmod 700 '$above'" >&2
fi
"""

OWNER = """\
foreign=$(cd "$TTCTL_CACHE" && find . -path './*/*/*/*' -prune -o \\
    -type d ! -user {user} ! -perm -0002 -print 2>/dev/null || :)
if [ -n "$foreign" ]; then
    problem 6 "the engine runs as user {user}, who cannot write in $TTCTL_CACHE: $foreign"
    echo "    sudo chmod -R o+rwX '$TTCTL_CACHE'" >&2
fi
"""

KEYS = """
# FILE MODE TEXT, beside it first, so that nobody reads half of it.
put() {
    (umask 077 && printf '%s\\n' "$3" >"$1.$$")
    chmod "$2" "$1.$$"
    mv -f "$1.$$" "$1"
}

# FILE MODE: a key, where none is there.
new_key() {
    [ -s "$1" ] && return
    put "$1.new.$$" "$2" "$(od -An -N32 -v -tx1 /dev/urandom | tr -d ' \\n')"
    # A link fails where another start was faster, whose key then stays.
    ln "$1.new.$$" "$1" 2>/dev/null || [ -s "$1" ] || mv -f "$1.new.$$" "$1"
    rm -f "$1.new.$$"
}
"""

GATEWAY = """
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
"""

CERTIFICATE = """
# The gateway shows a certificate, and its key lies in the same file; none is made here.
if ! [ -s "$TTCTL_SECRETS/tls.pem" ]; then
    problem 9 "there is no $TTCTL_SECRETS/tls.pem: the certificate and its key, in PEM form"
    echo "    cat certificate.pem key.pem >'$TTCTL_SECRETS/tls.pem'   # and: chmod 444" >&2
fi
"""

ENGINE = f"""
# The key that the gateway sends to an engine which refuses requests without one.
folder 0700 "$(dirname "${{TTCTL_ENGINE_SECRETS:?the folder that holds the key of the engine}}")"
folder 0755 "$TTCTL_ENGINE_SECRETS"
new_key "$TTCTL_ENGINE_SECRETS/{ENGINE_KEY}" 0444
key=$(cat "$TTCTL_ENGINE_SECRETS/{ENGINE_KEY}")
if [ "$(cat "$TTCTL_SECRETS/{ENGINE_MAP}" 2>/dev/null || :)" != "engine $key" ]; then
    put "$TTCTL_SECRETS/{ENGINE_MAP}" 0444 "engine $key"
fi
"""

WEIGHTS = """
: "${TTCTL_WEIGHTS:=}"
missing=
"""

FILES = """\
# PATH BYTES: a file of the weights. A link would lead nowhere inside of the container.
has() {
    [ -n "$(find "$TTCTL_WEIGHTS/$1" -type f -size "${2}c" 2>/dev/null)" ] || missing="$missing $1"
}
"""

ANY = """\
[ -n "$(ls "$TTCTL_WEIGHTS" 2>/dev/null)" ] || missing=" nothing is there"
"""

FETCH = """\
if [ -n "$missing" ]; then
    problem 8 "the weights of {repository} are not whole in TTCTL_WEIGHTS='$TTCTL_WEIGHTS':$missing"
    printf '    %s --local-dir %s\\n' {fetch} "${{TTCTL_WEIGHTS:-FOLDER}}" >&2
elif [ -n "$(find -H "$TTCTL_WEIGHTS" ! -perm -0004 2>/dev/null)" ]; then
    problem 6 "the engine's own user cannot read all of $TTCTL_WEIGHTS"
    echo "    chmod -R o+rX '$TTCTL_WEIGHTS'" >&2
fi
"""

NODES = """
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
"""

PAGES = """
if ! [ -d "${TTCTL_HUGEPAGES:-}" ]; then
    problem 3 "there is no folder of hugepages TTCTL_HUGEPAGES='${TTCTL_HUGEPAGES:-}':"
    printf '    %s\\n' "sudo systemctl restart 'dev-hugepages\\x2d1G.mount'" >&2
fi
"""
