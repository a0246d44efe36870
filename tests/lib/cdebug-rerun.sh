# shellcheck shell=bash
# What the tests of cdebug --rerun share. Sourced after cdebug-stopped.sh (its stopped_up, stopped).
#
#   rerun_up [JQ] [HOSTCONFIG]   stopped_up, with busybox's programs in the lowest layer, as the record that JQ makes of it says
#   starts WORD...               JQ for rerun_up: what it starts
#   rerun ARGUMENT...            cdebug --rerun on it, without warnings

# shellcheck disable=SC2034 # jq's
BUSYBOX_LINKS=(sh cat id ls env pwd sleep echo grep stat mount kill touch ps mkdir mknod dd head tail readlink uname hostname true false test ln rm umount chroot sed cut tr)

# image_root DIR: a root that busybox makes, with users
image_root()
{
    local name
    mkdir -p "$1"/{bin,etc,tmp,root,srv/app} && cp "$(command -v busybox)" "$1/bin/busybox" || return 1
    for name in "${BUSYBOX_LINKS[@]}"; do ln -sf busybox "$1/bin/$name"; done
    printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1234:99:app:/srv/app:/bin/sh\n' >"$1/etc/passwd" &&
        printf 'root:x:0:\nmen:x:99:\naudio:x:29:app,other\nvideo:x:44:other\n' >"$1/etc/group"
}

starts()
{
    jq -cn --args '$ARGS.positional' -- "$@" | sed 's/.*/.Path = (&[0]) | .Args = (&[1:])/'
}

rerun_up()
{
    [ -d "$TRASH/image-root" ] || image_root "$TRASH/image-root" || return 1
    local record
    stopped_up && cp -a "$TRASH/image-root/." "${layers[0]}" &&
        record=$HOST/var/lib/docker/containers/$(docker_id 1) &&
        jq -c "${1:-.}" "$record/config.v2.json" >record.new && mv record.new "$record/config.v2.json" &&
        printf '%s' "${2:-{\}}" >"$record/hostconfig.json"
}

rerun() { stopped --quiet --rerun "$@"; }
