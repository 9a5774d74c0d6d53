"""Write the lock files: every package that the README's two lines of installation bring, by version and SHA-256.

    pip install uv && python tools/dev/lock.py

    requirements/lock-torch.txt     torch, torchvision and what they bring for GPUs
    requirements/lock-default.txt   what `pip install -e .` brings beside these
    requirements/lock-test.txt      what `pip install -e ".[test]"` brings beside these

One file serves every supported Python on Linux: lines have markers. tools/dev/matrix.sh --locked installs from them.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path

from requirements import DEFAULT, ROOT, direct, write_whole

__all__ = ['CONTENT', 'HELD', 'lock', 'read_blocks', 'split']

# The pair that the tests have seen: torchvision does not say which torch it was built with.
HELD = ('torch==2.14.1', 'torchvision==0.29.1')
OF_TORCH = re.compile(r'torch|torchvision|triton|nvidia-.*|cuda-.*')
HEAD = """\
# Written by `python tools/dev/lock.py` on {day}, with {uv}: {content}.
# To install: pip install --require-hashes {files} && pip install --no-deps --no-build-isolation -e .
"""
CONTENT = {
    'torch': 'torch, torchvision and what they bring for GPUs',
    'default': 'what the package needs beside lock-torch.txt',
    'test': 'what the tests need beside lock-torch.txt and lock-default.txt',
}


def resolve() -> str:
    """Return what uv makes of setup.py with the extra of the tests.

    Raises:
        FileNotFoundError: uv is not installed.
        subprocess.CalledProcessError: The requirements cannot be resolved; uv has printed why.
    """
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder, 'held.txt')
        held.write_text('\n'.join(HELD))
        options = ['--universal', '--python-version', '3.10', '--generate-hashes', '--no-header', '--quiet', '-c', str(held)]
        command = ['uv', 'pip', 'compile', 'setup.py', '--extra', 'test', *options]
        return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout


def read_blocks(text: str) -> dict[str, list[str]]:
    """Return the blocks of a lock file by the name of their package: the line of a version, with its hashes and comments."""
    blocks: dict[str, list[str]] = {}
    for block in re.split(r'\n(?=[^\s#])', text.strip()):
        if not block.startswith('#'):
            blocks.setdefault(block.partition('==')[0], []).append(block)
    return blocks


def split(blocks: Mapping[str, list[str]], default: set[str]) -> dict[str, list[str]]:
    """Return the blocks of each lock file, without comments.

    Args:
        blocks (Mapping[str, list[str]]): From :func:`read_blocks`; comments say by which packages one is brought.
        default (set[str]): Names of what the package itself asks for.
    """
    brought, count = default & blocks.keys(), 0
    while count != len(brought):
        count = len(brought)
        brought |= {name for name, all_ways in blocks.items() if brought & _ways('\n'.join(all_ways))}
    parts: dict[str, list[str]] = {part: [] for part in CONTENT}
    for name, all_ways in blocks.items():
        part = 'torch' if OF_TORCH.fullmatch(name) else 'default' if name in brought else 'test'
        parts[part] += [re.sub(r'\n\s*#.*', '', block) for block in all_ways]
    return parts


def _ways(comments: str) -> set[str]:
    """Return the packages that bring another one: '# via a', or '# via' and a line for each."""
    return set(re.findall(r'#\s+(?:via )?([a-z0-9][a-z0-9.-]*)$', comments, re.M)) - {'via'}


def lock() -> list[Path]:
    """Write the lock files, and return their paths."""
    version = subprocess.run(['uv', '--version'], stdout=subprocess.PIPE, text=True, check=True).stdout.split()[1]
    default = {each.name for each in direct() if each.extra == DEFAULT}
    paths: list[Path] = []
    for part, blocks in split(read_blocks(resolve()), default).items():
        paths.append(ROOT / 'requirements' / f'lock-{part}.txt')
        files = ' '.join(f'-r {path.relative_to(ROOT)}' for path in paths)
        day = f'{datetime.now(timezone.utc):%Y-%m-%d}'
        head = HEAD.format(day=day, uv=f'uv {version}', content=CONTENT[part], files=files)
        write_whole(paths[-1], head + '\n'.join(blocks) + '\n')
    return paths


if __name__ == '__main__':
    try:
        for path in lock():
            print(path.relative_to(ROOT))
    except FileNotFoundError:
        sys.exit('error: uv is not installed. Run: pip install uv')
    except subprocess.CalledProcessError as error:
        sys.exit(f'error: {" ".join(map(str, error.cmd[:3]))} has failed, see above')
