# shellcheck shell=bash
# The test image: four thin layers of static busybox, made without an engine, a registry or python.
#
#   image_make DIR    makes DIR/rootfs (the flat tree) and DIR/image.tar (docker save format)
#   image_dir         prints where the one of this test run lies, made on first use; $SONDE_TEST_IMAGE: is there already
#   image_many N      prints the archive of $IMAGE_MANY: that image with thin layers on top, N in all
#
# What is in it that tests rely on: /etc/passwd with root, app (1000) and nobody; an absolute link
# /var/run -> /run; /etc/motd; files deleted (/data/gone) and a directory replaced (/data/opaque) by
# the second layer; label org.sonde.image=yes, APP=yes in the environment, working directory /srv.

IMAGE=sonde-test:1
IMAGE_MANY=sonde-many:1

image_dir()
{
    local dir
    dir=${SONDE_TEST_IMAGE:-$(dirname "$SONDE_TEST_DIR")/image}
    [ -d "$dir" ] || image_make "$dir" >&2 || return 1
    echo "$dir"
}

# image_base DIR: the lowest layer's tree
image_base()
{
    local busybox applet
    busybox=$(command -v busybox) || return 1
    mkdir -p "$1"/{bin,dev,etc,proc,sys,root,run,usr/bin,sbin,srv,home/app,mnt,tmp} \
        "$1"/var/{lib,log,tmp} "$1"/data/{opaque,kept}
    chmod 1777 "$1/tmp" "$1/var/tmp"
    cp -L "$busybox" "$1/bin/busybox"
    for applet in $("$busybox" --list); do
        [ "$applet" = busybox ] || ln -s busybox "$1/bin/$applet"
    done
    ln -s /run "$1/var/run"
    printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'app:x:1000:1000:App User:/home/app:/bin/sh' \
        'nobody:x:65534:65534:nobody:/:/bin/false' >"$1/etc/passwd"
    printf '%s\n' 'root:x:0:' 'app:x:1000:' 'nobody:x:65534:' >"$1/etc/group"
    printf '%s\n' 'ID=sonde-test' 'PRETTY_NAME="sonde test image"' >"$1/etc/os-release"
    echo '127.0.0.1 localhost' >"$1/etc/hosts"
    : >"$1/etc/resolv.conf"
    echo 'key=old' >"$1/etc/app.conf"
    echo gone >"$1/data/gone"
    echo old >"$1/data/opaque/old"
    echo kept >"$1/data/kept/file"
    chown 1000:1000 "$1/home/app"
}

# image_layers DIR: the layers' trees in DIR/1 ... DIR/4; whiteouts as OCI writes them
image_layers()
{
    image_base "$1/1" || return 1
    mkdir -p "$1/2/data/opaque" "$1/3/etc" "$1/4/usr/lib"
    : >"$1/2/data/.wh.gone"
    : >"$1/2/data/opaque/.wh..wh..opq"
    echo fresh >"$1/2/data/opaque/fresh"
    echo 'welcome to the test image' >"$1/3/etc/motd"
    echo 'top layer' >"$1/4/usr/lib/top"
}

# image_tar DIR FILE: the same bytes every time
image_tar()
{
    tar --sort=name --mtime=@1700000000 --numeric-owner --format=gnu -C "$1" -cf "$2" .
}

image_config()
{
    printf '%s\n' "$@" | jq -cR '"sha256:" + .' | jq -cs '{
        architecture: $arch, os: "linux", created: "2023-11-14T22:13:20Z",
        config: { Env: ["PATH=/usr/local/bin:/usr/bin:/bin:/sbin", "APP=yes"],
                  Cmd: ["sleep", "1000000"], WorkingDir: "/srv",
                  Labels: { "org.sonde.image": "yes" } },
        rootfs: { type: "layers", diff_ids: . },
        history: map({ created: "2023-11-14T22:13:20Z", created_by: "tests/engines/image.sh" }) }' \
        --arg arch "$(image_arch)"
}

image_arch() { case $(uname -m) in x86_64) echo amd64 ;; aarch64) echo arm64 ;; *) uname -m ;; esac; }

# image_archive LAYERS OUT TAG [COUNT]: LAYERS/N trees to a docker archive, four of them
image_archive()
{
    local n sum sums=() paths=() config
    for n in $(seq "${4:-4}"); do
        image_tar "$1/$n" "$2/layer.tar" || return 1
        sum=$(sha256sum <"$2/layer.tar") && sum=${sum%% *}
        mkdir -p "$2/$sum" && mv "$2/layer.tar" "$2/$sum/layer.tar" || return 1
        sums+=("$sum")
        paths+=("$sum/layer.tar")
    done
    image_config "${sums[@]}" >"$2/config.json" || return 1
    config=$(sha256sum <"$2/config.json") && config=${config%% *}.json
    mv "$2/config.json" "$2/$config"
    printf '%s\n' "${paths[@]}" | jq -R . | jq -cs '[{ Config: $config, RepoTags: [$tag], Layers: . }]' \
        --arg config "$config" --arg tag "$3" >"$2/manifest.json" || return 1
    tar -C "$2" -cf "$2.tar" "$config" manifest.json "${sums[@]}"
}

# image_flatten LAYERS ROOTFS: what an engine would show of the four layers
image_flatten()
{
    cp -a "$1/1" "$2" && rm "$2/data/gone" "$2/data/opaque/old" &&
        cp -a "$1/2/data/opaque/fresh" "$2/data/opaque/" &&
        cp -a "$1/3/." "$2/" && cp -a "$1/4/." "$2/"
}

image_make()
{
    local work
    work=$(mktemp -d "$(dirname "$1")/image.XXXX") && mkdir "$work/layers" "$work/image" || return 1
    image_layers "$work/layers" && image_archive "$work/layers" "$work/image" "$IMAGE" &&
        image_flatten "$work/layers" "$work/rootfs" || return 1
    rm -rf "$work/layers" "$work/image"
    chmod 755 "$work" "$work/rootfs"
    # another test may have been faster
    mv -T "$work" "$1" 2>/dev/null || { rm -rf "$work"; [ -d "$1" ]; }
}

# Mount options of so many layers do not fit on a page: engines then mount with relative paths.
image_many()
{
    local work=$SONDE_TEST_DIR/image-many n
    [ -e "$work/image.tar" ] || {
        mkdir -p "$work/layers" "$work/image" && image_layers "$work/layers" || return 1
        for n in $(seq 5 "$1"); do
            mkdir -p "$work/layers/$n/l" && echo "$n" >"$work/layers/$n/l/$n" || return 1
        done
        image_archive "$work/layers" "$work/image" "$IMAGE_MANY" "$1" && rm -rf "$work/layers" "$work/image" || return 1
    }
    echo "$work/image.tar"
}
