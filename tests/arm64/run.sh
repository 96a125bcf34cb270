#!/usr/bin/env bash
# The core tests, and every shipped model's predictions, on an emulated Raspberry Pi 4.
#
# A Debian arm64 file tree (debootstrap, first stage only), the aarch64 wheels from the package index, qemu's user-mode
# emulation under proot: no root, no binfmt and no container needed once the three programs are there. Speed under
# emulation means nothing; answers and memory do. Everything lands in ARM64_DIR (build/arm64) and is kept there.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${ARM64_DIR:-$repository/build/arm64}
python=${PYTHON:-python3}
root=$folder/root site=$folder/site
mkdir -p "$folder"

main() {
    need_programs
    [ -e "$root/ready" ] || unpack_debian
    [ -e "$site/.ready-web" ] || install_wheels
    install_medsdk
    pretend_pi4 > "$folder/cpuinfo"
    "$python" "$repository/tests/arm64/expected.py" "$folder/expected"
    echo "Predictions on arm64 against this machine's:"
    emulated /repository/tests/arm64/compare.py /expected
    echo "The web platform on arm64:"
    emulated /repository/tests/arm64/served.py /expected
    echo "The core tests on arm64:"
    # Two thousand predictions on eight threads show races, which are the same on every machine, and take hours here.
    emulated -m pytest -p no:cacheprovider -q --durations=3 -m "not slow and not data" -k "not eight_threads" "${@:-tests/core}"
}

need_programs() {
    local missing=()
    for program in qemu-aarch64-static proot debootstrap; do
        # debootstrap stands in /usr/sbin, which is not on every user's path.
        PATH=$PATH:/usr/sbin command -v "$program" > /dev/null || missing+=("$program")
    done
    [ ${#missing[@]} -eq 0 ] && return
    if [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null; then
        apt-get update -qq
        apt-get install -y -qq qemu-user-static proot debootstrap
    else
        echo "Missing: ${missing[*]}. Install them: sudo apt-get install qemu-user-static proot debootstrap" >&2
        exit 2
    fi
}

unpack_debian() {
    rm -rf "$root"
    # Bookworm is what Raspberry Pi OS (64-bit) is made from; its Python is 3.11. DEBIAN_MIRROR names another mirror.
    # Only root may run debootstrap's chroot and mknod, which this stage does not need: fakeroot does where there is one.
    PATH=$PATH:/usr/sbin debootstrap --foreign --arch=arm64 --variant=minbase \
        --include=python3,libgomp1,libstdc++6 bookworm "$root" ${DEBIAN_MIRROR:+"$DEBIAN_MIRROR"} > "$folder/debootstrap.log"
    for package in "$root"/var/cache/apt/archives/*.deb; do
        dpkg -x "$package" "$root"
    done
    touch "$root/ready"
}

install_wheels() {
    rm -rf "$site"
    "$python" -m pip install --disable-pip-version-check --quiet --target "$site" --only-binary=:all: \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux2014_aarch64 \
        --platform linux_aarch64 --implementation cp --python-version 3.11 \
        numpy opencv-python-headless ai-edge-litert click imagesize msgspec pluggy pytest pillow \
        anyio fastapi httptools jinja2 prometheus-client python-multipart uvicorn uvloop
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

emulated() {
    QEMU_CPU=cortex-a72 PYTHONPATH=/medsdk:/site PYTHONDONTWRITEBYTECODE=1 HOME=/tmp \
        proot -q qemu-aarch64-static -r "$root" -b /dev -b /proc -b /sys -b "$folder/cpuinfo:/proc/cpuinfo" \
        -b "$repository:/repository" -b "$folder/medsdk:/medsdk" -b "$site:/site" -b "$folder/expected:/expected" \
        -w /repository /usr/bin/python3 "$@"
}

main "$@"
