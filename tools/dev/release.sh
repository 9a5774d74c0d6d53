#!/usr/bin/env bash
# Make the model zoo of a release: train configs on the default data, and pack their students and teachers.
set -euo pipefail

usage() {
    cat <<'END'
usage: tools/dev/release.sh OUT [--data NAME] [--url URL] [CONFIG...]

Trains every CONFIG that has no result in work_dirs/<data>/<config> (default: supervised/student kd aver_kd fam_kd), teachers on
first use, and packs the networks of all of them into the new folder OUT, see tools/dev/release.py, with the bill of materials of
this environment, sbom.json, see tools/dev/sbom.py.

  --data NAME  data of all configs (default: watch)
  --url URL    where the files of OUT will lie; entries of the index name files alone without one
END
}

data=watch
url=()
words=()
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit 0 ;;
        --data | --url) [ $# -gt 1 ] || { echo "release.sh: $1 needs a value" >&2; exit 2; } ;;&
        --data) data=$2; shift 2 ;;
        --url) url=(--url "$2"); shift 2 ;;
        -*) echo "release.sh: there is no option $1" >&2; usage >&2; exit 2 ;;
        *) words+=("$1"); shift ;;
    esac
done
[ ${#words[@]} -gt 0 ] || { echo 'release.sh: OUT is missing' >&2; usage >&2; exit 2; }
out=${words[0]}
# Before hours of training: the bill of materials needs a package that only releases need.
python -c 'import cyclonedx_py' || { echo 'release.sh: cyclonedx-bom is not installed. Run: pip install cyclonedx-bom' >&2; exit 1; }
[ ! -e "$out" ] || { echo "release.sh: $out exists already" >&2; exit 1; }
configs=("${words[@]:1}")
[ ${#configs[@]} -gt 0 ] || configs=(supervised/student kd aver_kd fam_kd)
runs=()
for config in "${configs[@]}"; do
    run="work_dirs/$data/$config"
    [ -f "$run/result.json" ] || mmkd train "$config" --data "$data" --work-dir "$run"
    runs+=("$run")
done
python "$(dirname "$0")/release.py" "$out" "${runs[@]}" "${url[@]}"
python "$(dirname "$0")/sbom.py" "$out/sbom.json" --extra export
(cd "$out" && sha256sum sbom.json >> SHA256SUMS)
