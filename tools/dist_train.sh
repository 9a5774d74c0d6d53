#!/usr/bin/env bash
# Train with several processes on one machine: bash tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
set -euo pipefail
[ $# -ge 2 ] || { echo "usage: bash tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]" >&2; exit 2; }
config=$1
processes=$2
shift 2
exec torchrun --standalone --nproc-per-node="$processes" "$(dirname "$0")/train.py" "$config" --launcher pytorch "$@"
