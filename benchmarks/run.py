"""Run the benchmarks, or those that are named: ratios measured side by side in one process, medians after a warm-up."""

from __future__ import annotations

import argparse
import importlib
import platform
from importlib.metadata import PackageNotFoundError, version

import torch

NAMES = ('encoders', 'fam', 'growth', 'epochs', 'steps', 'data', 'robustness', 'streaming', 'sweeps', 'threads', 'gpu')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('names', nargs='*', choices=[*NAMES, []], help=f'out of {", ".join(NAMES)}; all by default')
    parser.add_argument('--threads', type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    peers = ('numpy', 'numba', 'pyts', 'gudhi', 'persim', 'ripser', 'PyWavelets')
    print(
        f'{platform.processor() or platform.machine()}, {args.threads} thread(s), Python {platform.python_version()},', end=' '
    )
    print(', '.join(f'{name} {_version(name)}' for name in ('torch', *peers)))
    for name in args.names or NAMES:
        print(f'\n== {name}', flush=True)
        importlib.import_module(name).main([])


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return 'absent'


if __name__ == '__main__':
    main()
