#!/usr/bin/env bash
# Install the package as the README says and run its tests, each time in a fresh virtual environment.
set -uo pipefail

usage() {
    cat <<'END'
usage: tools/dev/matrix.sh [ENVIRONMENT...] [--locked] [--logs DIR] [--keep] [-- PYTEST_ARGUMENT...]

ENVIRONMENT is a version of Python (3.12), for the default stack, or `second` or `second-3.10` for the
second stack of requirements/second-stack.txt. Default: 3.10 3.11 3.12 3.13 second.
Interpreters are those of pyenv, or python3.X on PATH. Environments are made one after another, since each
takes about 6 GB, in $TMPDIR, and are removed when their tests end.

  --locked    install the versions and hashes of requirements/lock-*.txt; they are of the default stack alone
  --logs DIR  where the log file of each environment goes (default: work_dirs/matrix)
  --keep      keep the environments, and say where they are
  --          what follows is given to pytest, for example: -- tests/functional -x

The table at the end is Markdown, ready for docs/developing.md. The exit code is 1 if an environment failed.
END
}

SECOND_PYTHON=3.11
root=$(cd "$(dirname "$0")/../.." && pwd)
logs="$root/work_dirs/matrix"
keep=no
locked=no
environments=()
while [ $# -gt 0 ]; do
    case "$1" in
        -h | --help) usage; exit 0 ;;
        --logs) [ $# -gt 1 ] || { echo 'matrix.sh: --logs needs a folder' >&2; exit 2; }; logs=$2; shift 2 ;;
        --keep) keep=yes; shift ;;
        --locked) locked=yes; shift ;;
        --) shift; break ;;
        second) environments+=("second-$SECOND_PYTHON"); shift ;;
        3.[0-9]* | second-3.[0-9]*) environments+=("$1"); shift ;;
        *) echo "matrix.sh: unknown argument '$1'; expected 3.X, second, second-3.X, --locked, --logs, --keep or --" >&2; exit 2 ;;
    esac
done
if [ ${#environments[@]} = 0 ]; then
    environments=(3.10 3.11 3.12 3.13)
    [ "$locked" = yes ] || environments+=("second-$SECOND_PYTHON")
fi
if [ "$locked" = yes ] && [[ " ${environments[*]}" = *' second-'* ]]; then
    echo 'matrix.sh: the second stack has no lock files; --locked is for the default one' >&2
    exit 2
fi

scratch=$(mktemp -d "${TMPDIR:-/tmp}/mmkd-matrix.XXXXXX")
[ "$keep" = yes ] || trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
mkdir -p "$logs"
logs=$(cd "$logs" && pwd)

# An environment sees nothing of the one that the script was started from.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export MMKD_SHARED="${MMKD_SHARED:-$(dirname "$root")/shared}" # as tests/conftest.py looks for it
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}" OMP_WAIT_POLICY="${OMP_WAIT_POLICY:-PASSIVE}"

# Print the interpreter of a version such as 3.12.
interpreter() {
    local path
    path=$(compgen -G "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1*/bin/python" | sort -V | tail -n 1)
    [ -n "$path" ] || path=$(command -v "python$1")
    [ -n "$path" ] && "$path" -c 'import venv' 2> /dev/null && echo "$path"
}

# Copy the working tree without ignored files, so that no environment finds what another has built there.
copy_tree() {
    mkdir -p "$1" && (cd "$root" && git ls-files -coz --exclude-standard | while IFS= read -r -d '' file; do
        [ ! -e "$file" ] && [ ! -L "$file" ] || printf '%s\0' "$file"
    done | tar --null -T - -c) | tar -x -C "$1"
}

# Install into the active environment, from the current folder.
install() {
    if [ "$locked" = yes ]; then
        pip install --require-hashes -r requirements/lock-torch.txt -r requirements/lock-default.txt \
            -r requirements/lock-test.txt && pip install --no-deps --no-build-isolation -e . && pip check
    elif [ "$1" = second ]; then
        pip install -r requirements/second-stack.txt && pip install --no-deps -e .
    else
        pip install -e '.[test]' # the README's line
    fi
}

# Print one row of the table from what was installed and the report of pytest.
row() {
    python - "$@" <<'END'
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from xml.etree import ElementTree

stack, installed, report = sys.argv[1:]


def first(*names):
    for name in names:
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return '-'


passed = failed = skipped = '-'
if Path(report).is_file():
    suite = ElementTree.parse(report).getroot().find('testsuite')
    total, skipped = int(suite.get('tests')), int(suite.get('skipped'))
    failed = int(suite.get('failures')) + int(suite.get('errors'))
    passed = total - failed - skipped
packages = [first('torch'), first('onedl-mmengine', 'mmengine'), first('onedl-mmcv', 'mmcv-lite')]
packages += [first('onedl-mmpretrain', 'mmpretrain'), first('numpy'), first('numba'), first('scikit-learn')]
print('|', ' | '.join(map(str, [platform.python_version(), stack, installed, passed, failed, skipped, *packages])), '|')
END
}

rows=()
status=0
for environment in "${environments[@]}"; do
    stack=default
    [ "$environment" = "${environment#second-}" ] || stack=second
    version=${environment#second-}
    log="$logs/$environment.log"
    place="$scratch/$environment"
    echo "== $environment ($log)"
    : > "$log"
    if ! python=$(interpreter "$version"); then
        echo "Python $version was found neither in pyenv nor on PATH" | tee -a "$log" >&2
        rows+=("| $version | $stack | no Python | - | - | - | - | - | - | - | - | - | - |")
        status=1
        continue
    fi
    installed=no
    result=1
    report="$place/report.xml"
    if copy_tree "$place/source" && "$python" -m venv "$place/venv" >> "$log" 2>&1; then
        # shellcheck disable=SC1091
        . "$place/venv/bin/activate"
        cd "$place/source" || exit 1
        if install "$stack" >> "$log" 2>&1; then
            installed=yes
            pip freeze --exclude-editable >> "$log" 2>&1
            pytest --junitxml="$report" "$@" >> "$log" 2>&1
            result=$?
        fi
        tail -n 5 "$log"
        [ "$locked" = no ] || stack=locked
        rows+=("$(row "$stack" "$installed" "$report")")
        deactivate
        cd "$root" || exit 1
    fi
    [ "$result" = 0 ] || status=1
    if [ "$keep" = yes ]; then echo "kept: $place"; else rm -rf "$place"; fi
done

echo
command="tools/dev/matrix.sh ${environments[*]}"
[ "$locked" = no ] || command="$command --locked"
[ $# = 0 ] || command="$command -- ${*@Q}"
echo "seen on $(date +%Y-%m-%d), by \`$command\`:"
echo
echo '| Python | stack | installed | passed | failed | skipped | torch | mmengine | mmcv | mmpretrain | numpy | numba | scikit-learn |'
echo '|---|---|---|---|---|---|---|---|---|---|---|---|---|'
printf '%s\n' "${rows[@]}"
exit "$status"
