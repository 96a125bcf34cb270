#!/usr/bin/env bash
# The core tests, and every shipped model's predictions, under the other two runtimes: run.sh [tflite-runtime] [tensorflow]
#
# Each gets an environment of its own in RUNTIMES_DIR (build/runtimes), without ai-edge-litert. The last tflite-runtime ends
# at CPython 3.11 and NumPy 1, so that its environment needs a python3.11.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=${RUNTIMES_DIR:-$repository/build/runtimes}
# How far a logit may be off: the runtimes round int8 in their own ways, so that a picture beside the threshold may change
# sides.
LOGITS=0.5

main() {
    for runtime in "${@:-tflite-runtime tensorflow}"; do
        # Unquoted: without arguments it is two words.
        for name in $runtime; do test_under "$name"; done
    done
}

test_under() {
    local name=$1 venv=$folder/$1 expected=$folder/expected
    [ -e "$venv/ready" ] && [ "$venv/ready" -nt "$repository/tests/runtimes/$name.txt" ] || set_up "$name" "$venv"
    export MEDSDK_RUNTIME=$name
    cd "$repository"
    if "${PYTHON:-python3}" -c "import ai_edge_litert" 2> /dev/null; then
        MEDSDK_RUNTIME=ai-edge-litert "${PYTHON:-python3}" tests/arm64/expected.py "$expected"
        "$venv/bin/python" tests/arm64/compare.py "$expected" "$LOGITS"
    else
        echo "Predictions are not compared: ${PYTHON:-python3} has no ai-edge-litert."
    fi
    echo "The core tests under $name:"
    # Two thousand predictions on eight threads show races, which are the same everywhere, and take long where int8 is slow.
    "$venv/bin/python" -m pytest -p no:cacheprovider -q -m "not slow and not data" -k "not eight_threads" tests/core
}

set_up() {
    local name=$1 venv=$2
    "$(python_for "$name")" -m venv --clear "$venv"
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet -r "$repository/tests/runtimes/$name.txt"
    local editable=(-e "$repository")
    for plugin in "$repository"/plugins/*/; do editable+=(-e "$plugin"); done
    # Without their dependencies: those would bring ai-edge-litert.
    "$venv/bin/python" -m pip install --disable-pip-version-check --quiet --no-deps "${editable[@]}"
    touch "$venv/ready"
}

python_for() {
    local wanted=python3
    [ "$1" = tflite-runtime ] && wanted=${PYTHON311:-python3.11}
    if ! command -v "$wanted" > /dev/null; then
        echo "$1 needs $wanted, which is not there. Install it, or name one: PYTHON311=…" >&2
        exit 2
    fi
    echo "$wanted"
}

main "$@"
