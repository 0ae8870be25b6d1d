# Shared by the image scripts beside it; sourced, never run.
# An image is current when its label holds the hash of the files it was made from.

readonly build_label=workflow-store.build

# content_hash PATH... - the sha256 of every file under the paths, by name and content.
content_hash() {
    find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -d ' ' -f 1
}

# is_current IMAGE HASH - succeeds when Docker holds IMAGE, made from the files of HASH.
is_current() {
    [ "$(docker image inspect --format "{{ index .Config.Labels \"$build_label\" }}" "$1" 2>/dev/null)" = "$2" ]
}

# registry_holds IMAGE - succeeds when a registry answers for IMAGE within five seconds.
registry_holds() {
    timeout 5 docker manifest inspect "$1" >/dev/null 2>&1
}

# image_id IMAGE - nothing when Docker does not hold it.
image_id() {
    docker image inspect --format '{{.Id}}' "$1" 2>/dev/null || true
}

# drop_superseded IMAGE ID - removes the image that IMAGE named before, unless something still stands on it.
drop_superseded() {
    [ -z "$2" ] || [ "$2" = "$(image_id "$1")" ] || docker image rm "$2" >/dev/null 2>&1 || true
}

# build_image IMAGE HASH FOLDER [OPTION...] - docker build, labelled. FOLDER may be "-": a Dockerfile on stdin.
# The proxies of the environment reach the build as Docker's predefined arguments, which leave no trace in the image;
# the host's network lets a proxy or a mirror on the loopback address be reached.
build_image() {
    local image=$1 hash=$2 folder=$3 name log former
    local options=("${@:4}" --network host --label "$build_label=$hash" --tag "$image")
    for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [ -z "${!name:-}" ] || options+=(--build-arg "$name")
    done
    former=$(image_id "$image")
    if ! log=$(docker build "${options[@]}" "$folder" 2>&1); then
        tail -n 40 <<<"$log" >&2
        return 1
    fi
    drop_superseded "$image" "$former"
}

say() {
    echo "images: $*" >&2
}
