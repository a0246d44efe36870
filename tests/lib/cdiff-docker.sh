# shellcheck shell=bash
# cdiff beside one docker. Sourced after cdiff.sh; test_engine docker is called.
#
#   cdiff_docker PREREQ VARIANT SETTING=VALUE...   brought up, with $CHURN_COUNT containers: half run, half have ended
#                                                  CHURN_KIND: of churn_image
#   cdiff_docker_end                               taken down

cdiff_docker_churn()
{
    local seed options
    options=$(churn_options "${CHURN_KIND:-mixed}")
    for seed in $(churn_seeds); do
        # shellcheck disable=SC2086 # words
        if [ $((seed % 2)) = 0 ]; then
            dk run --name "$churn-$seed" --network none "$CHURN_IMAGE" churn-tree $options "$seed" 1000 /
        else
            # not with exec: in a chroot that is not in the container's root
            dk run -d -i --name "$churn-$seed" --network none "$CHURN_IMAGE" \
                sh -c "churn-tree $options $seed 1000 /; echo churned; read x" >/dev/null &&
                test_wait "dk logs $churn-$seed | grep churned" 60
        fi || return 1
    done
}

cdiff_docker_same_one()
{
    dk diff "$churn-$1" >theirs && churn_lines "docker:$churn-$1" --docker-root "$DOCKER_DATA" && churn_many && churn_explained docker
}

cdiff_docker_same() { churn_each cdiff_docker_same_one; }

# shellcheck disable=SC2154 # the names
cdiff_docker()
{
    local need=$1 variant=$2
    shift 2
    docker_set "$@"
    test_expect "$need" "$variant: setup: $CHURN_COUNT containers with 1,000 random changes each" '
        docker_up && docker_load "$CHURN_IMAGE" "$(churn_image "${CHURN_KIND:-mixed}")" && cdiff_docker_churn
    '
    test_expect "$need" "$variant: cdiff has the lines of docker diff, for each of them" cdiff_docker_same
    test_expect "$need" "$variant: a container that has done nothing has no changes" '
        dk run -d --name $still --network none "$IMAGE" >/dev/null && dk diff $still >theirs && test_empty theirs &&
        cdiff --docker-root "$DOCKER_DATA" docker:$still >actual && test_empty actual
    '
    [ "$variant" = vfs ] || test_expect "$need" "$variant: --layers has the layers of docker image inspect" '
        dk image inspect "$CHURN_IMAGE" | jq ".[0].RootFS.Layers" >inspected &&
        layers_true --docker-root "$DOCKER_DATA" "docker:$churn-$(churn_seeds | head -n 1)"
    '
    [ "$variant" = vfs ] || test_expect "$need" "$variant: beside the image by its name and its id there are the changes as beside the container'\''s image" '
        id=$(dk image inspect -f "{{.Id}}" "$CHURN_IMAGE") && seed=$(churn_seeds | tail -n 1) &&
        cdiff -z --docker-root "$DOCKER_DATA" "docker:$churn-$seed" "image:docker:$churn-$seed" >expect && [ -s expect ] &&
        for name in "$CHURN_IMAGE" "docker:$CHURN_IMAGE" "$id" "$(echo "${id#sha256:}" | cut -c1-12)"; do
            cdiff -z --docker-root "$DOCKER_DATA" "docker:$churn-$seed" "image:$name" >actual && cmp expect actual || return 1
        done
    '
    test_expect "$need" "$variant: without a daemon it says the same" '
        seed=$(churn_seeds | tail -n 1) && dk diff "$churn-$seed" >theirs && docker_kill &&
        churn_lines "docker:$churn-$seed" --docker-root "$DOCKER_DATA" && churn_explained docker
    '
}

cdiff_docker_end() { docker_down; }
