#!/usr/bin/env bash
# The core tests, and every shipped model's predictions, on an emulated Raspberry Pi 4.
#
# A Debian arm64 file tree (debootstrap, first stage only), the aarch64 wheels from the package index, qemu's user-mode
# emulation under proot: no root, no binfmt and no container needed once the three programs are there. Speed under
# emulation means nothing; answers and memory do. Everything lands in ARM64_DIR (build/arm64) and is kept there.
#
# ARM64_OPTIONAL=1: where this machine cannot get the programs or packages, cannot emulate, or is too slow, that is said and
# is no failure. ARM64_LIMIT is how many seconds all of it may take, 900.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${ARM64_DIR:-$repository/build/arm64}
python=${PYTHON:-python3}
root=$folder/root site=$folder/site
limit=${ARM64_LIMIT:-900}
mkdir -p "$folder"

main() {
    need_programs
    # A shell in whose condition a function runs does not stop at its first failure: hence && and || in these.
    [ -e "$root/ready" ] || unpack_debian || give_up "Debian's arm64 packages cannot be had; see $folder/debootstrap.log"
    [ -e "$site/.ready-web" ] || install_wheels || give_up "the aarch64 wheels cannot be had"
    install_medsdk
    pretend_pi4 > "$folder/cpuinfo"
    mkdir -p "$folder/expected"
    emulated -c "import cv2" || give_up "qemu and proot cannot run an arm64 program here"
    "$python" "$repository/tests/arm64/expected.py" "$folder/expected"
    echo "Predictions on arm64 against this machine's:"
    emulated /repository/tests/arm64/compare.py /expected
    echo "The web platform on arm64:"
    emulated /repository/tests/arm64/served.py /expected
    echo "The core tests on arm64:"
    # Races on eight threads are the same on every machine, and how many threads are best means nothing here; both take long.
    emulated -m pytest -p no:cacheprovider -q --durations=3 -m "not slow and not data" \
        -k "not eight_threads and not auto_judges" "${@:-tests/core}"
}

give_up() {
    if [ -n "${ARM64_OPTIONAL:-}" ]; then
        echo "What is left of the tests on emulated arm64 is skipped: $1." >&2
        exit 0
    fi
    echo "The tests on emulated arm64 cannot run: $1." >&2
    exit 2
}

need_programs() {
    local missing=()
    for program in qemu-aarch64-static proot debootstrap; do
        # debootstrap stands in /usr/sbin, which is not on every user's path.
        PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq || true
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq qemu-user-static proot debootstrap > /dev/null && return
    fi
    give_up "${missing[*]} missing; sudo apt-get install qemu-user-static proot debootstrap"
}

unpack_debian() {
    rm -rf "$root"
    # Bookworm is what Raspberry Pi OS (64-bit) is made from; its Python is 3.11. DEBIAN_MIRROR names another mirror.
    # Only root may run debootstrap's chroot and mknod, which this stage does not need: fakeroot does where there is one.
    PATH=$PATH:/usr/sbin timeout "$limit" debootstrap --foreign --arch=arm64 --variant=minbase \
        --include=python3,libgomp1,libstdc++6 bookworm "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} \
        > "$folder/debootstrap.log" || return 1
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg -x "$package" "$root" || return 1
    done
    touch "$root/ready"
}

install_wheels() {
    rm -rf "$site"
    timeout "$limit" "$python" -m pip install --disable-pip-version-check --quiet --target "$site" --only-binary=:all: \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux2014_aarch64 \
        --platform linux_aarch64 --implementation cp --python-version 3.11 \
        numpy opencv-python-headless ai-edge-litert click "imagesize<2" msgspec pluggy pytest pillow \
        anyio fastapi httptools jinja2 prometheus-client python-multipart uvicorn uvloop || return 1
    touch "$site/.ready-web"
}

install_medsdk() {
    # Built here, because they are the same on every machine; again each time, because they are what is tested.
    local plugin projects=("$repository")
    for plugin in "$repository"/plugins/*/; do
        # A plugin whose bundle is not there yet has nothing to predict with.
        if [ -n "$(find "$plugin" -name model.tflite -print -quit)" ]; then projects+=("$plugin"); fi
    done
    rm -rf "$folder/medsdk"
    "$python" -m pip install --disable-pip-version-check --quiet --no-deps --target "$folder/medsdk" "${projects[@]}"
}

pretend_pi4() {
    # Without a Pi's own lines the runtime's CPU detection reads the host's and crashes.
    for core in 0 1 2 3; do
        printf 'processor\t: %s\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\n' "$core"
        printf 'CPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n\n'
    done
    printf 'Model\t\t: Raspberry Pi 4 Model B Rev 1.4\n'
}

# Gives up where the time that is left is not enough.
emulated() {
    local status=0
    timed "$((limit - SECONDS))" "$@" || status=$?
    if [ "$status" -eq 124 ] || [ "$status" -eq 137 ]; then give_up "not done within $limit seconds"; fi
    return "$status"
}

timed() {
    local seconds=$1
    shift
    # timeout takes 0 for no limit at all.
    [ "$seconds" -gt 0 ] || return 124
    QEMU_CPU=cortex-a72 PYTHONPATH=/medsdk:/site PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
        timeout -k 10 "$seconds" proot -q qemu-aarch64-static -r "$root" -b /dev -b /proc -b /sys -b "$folder/cpuinfo:/proc/cpuinfo" \
        -b "$repository:/repository" -b "$folder/medsdk:/medsdk" -b "$site:/site" -b "$folder/expected:/expected" \
        -w /repository /usr/bin/python3 "$@"
}

main "$@"
