"""Run the commands of a page in their order, as a reader would who starts with a checkout, and time each of them.

    python tools/dev/tutorial.py                       # docs/tutorial.md in a copy of the checkout, in a fresh environment
    python tools/dev/tutorial.py --folder try --keep   # in that folder, which stays
    python tools/dev/tutorial.py --list                # only print them

Blocks in bash are run in one shell, one line after another; blocks with a `save as` comment are written to that file first. The
first command that fails ends the program with its exit code.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from snippets import Block, blocks_of, commands_of

ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = shutil.ignore_patterns('.git', '.venv*', '.*_cache', '*.egg-info', 'build', 'site', 'work_dirs', '__pycache__')
# Both clocks are of bash: no process is started between two commands.
TIMED = """
begin=$EPOCHREALTIME
echo {title}
{{ {command}; }} || exit $?
awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN {{ printf "%8.1f s\\n", b - a }}' | tee -a "$TIMES"
"""


def script_of(blocks: list[Block]) -> str:
    """Return the commands and files of a page as one program for bash."""
    parts = ['set -euo pipefail']
    for block in blocks:
        if block.file:
            parts.append(f'mkdir -p "$(dirname {block.file})"\ncat > {block.file} <<\'END_OF_FILE\'\n{block.text}END_OF_FILE')
        elif block.language == 'bash' and not block.reason:
            parts += [TIMED.format(title=shlex.quote(f'== {command}'), command=command) for command in commands_of(block)]
    return '\n'.join(parts) + '\n'


def main() -> int:
    """Run the page, or list its commands."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0], allow_abbrev=False)
    parser.add_argument('page', nargs='?', type=Path, default=ROOT / 'docs' / 'tutorial.md')
    parser.add_argument('--folder', type=Path, help='where the copy of the checkout is made; a temporary one by default')
    parser.add_argument('--keep', action='store_true', help='leave the folder')
    parser.add_argument('--list', action='store_true', help='print the program, and run nothing')
    args = parser.parse_args()
    script = script_of(list(blocks_of(args.page)))
    if args.list:
        print(script)
        return 0
    folder = args.folder or Path(tempfile.mkdtemp(prefix='tutorial-'))
    try:
        shutil.copytree(ROOT, folder, symlinks=True, ignore=LEFT_OUT, dirs_exist_ok=True)
        times = folder.resolve() / 'tutorial_times.txt'
        times.unlink(missing_ok=True)
        environment = 'unset PYTHONPATH VIRTUAL_ENV\n' + f'TIMES={times}\n'
        code = subprocess.run(['bash', '-c', environment + script], cwd=folder).returncode
        seconds = [float(line.split()[0]) for line in times.read_text().splitlines()] if times.exists() else []
        print(f'== {len(seconds)} commands, {sum(seconds) / 60:.1f} minutes')
        if code:
            print(f'== the next command ended with exit code {code}')
    finally:
        if not args.keep:
            shutil.rmtree(folder, ignore_errors=True)
    return code


if __name__ == '__main__':
    sys.exit(main())
