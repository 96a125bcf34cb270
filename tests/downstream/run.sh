#!/usr/bin/env bash
# The packages of others against this tree: wheels of the core, of the plugins and of every example package, installed into an
# empty environment; then each example's own suite, and `medsdk check --all` on everything that is installed there.
#
#     tests/downstream/run.sh [EXAMPLE...]      by default every folder of examples/ that is a package
#
# PYTHON has hatchling and pip; the environment lies in DOWNSTREAM_DIR (build/downstream) and is made anew each time.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${DOWNSTREAM_DIR:-$repository/build/downstream}
python=${PYTHON:-python3}
# Neither the checkout nor anything that is installed elsewhere may stand in for a wheel.
unset PYTHONPATH
export PYTHONNOUSERSITE=1 PIP_DISABLE_PIP_VERSION_CHECK=1

main() {
    local examples=("$@") failed=() example
    if [ ${#examples[@]} -eq 0 ]; then
        mapfile -t examples < <(cd "$repository/examples" && ls -d */pyproject.toml | cut -d/ -f1)
    fi
    rm -rf "$folder"
    mkdir -p "$folder/wheels" "$folder/empty"
    build_wheels
    "$python" -m venv "$folder/environment"
    "$folder/environment/bin/python" -m pip install --quiet "$folder"/wheels/*.whl "pytest>=8"
    for example in "${examples[@]}"; do
        echo "examples/$example"
        outside -m pytest -q -p no:cacheprovider "$repository/examples/$example" || failed+=("$example")
    done
    outside -m medsdk check --all || failed+=("medsdk check --all")
    if [ ${#failed[@]} -gt 0 ]; then
        echo "FAILED: ${failed[*]}" >&2
        exit 1
    fi
}

build_wheels() {
    local projects=("$repository")
    for project in "$repository"/plugins/*/pyproject.toml "$repository"/examples/*/pyproject.toml; do
        projects+=("$(dirname "$project")")
    done
    "$python" -m pip wheel --quiet --no-deps --no-build-isolation --no-index --wheel-dir "$folder/wheels" "${projects[@]}"
}

outside() {
    (cd "$folder/empty" && "$folder/environment/bin/python" "$@")
}

main "$@"
