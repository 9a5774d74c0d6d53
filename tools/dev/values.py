"""Record what functions, views, connectors, weightings and methods compute on fixed inputs, or check that it is still so.

    python tools/dev/values.py            # name the values that have moved, and what of the stack is another; exit code 1
    python tools/dev/values.py --write    # record those that have moved or are new: after a change that is meant to move them

They lie in tests/recorded/values.json, whose head names the stack that wrote the file. Losses are those of fifty steps of every
method, of which tests check the first ones; --methods chooses some, or none, and the others stay as they are.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault('OMP_NUM_THREADS', '1')  # as tests have it, before torch is loaded
os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / 'tests'))

from recorded.methods import STEPS, method_names
from recorded.record import FILE, collect, compare, read, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Record the values, or compare them; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--write', action='store_true', help='record the values')
    parser.add_argument('--steps', type=int, default=STEPS, help='steps of every method that are compared')
    parser.add_argument('--methods', nargs='*', choices=method_names(), metavar='METHOD', help='by default all')
    options = parser.parse_args(arguments)
    if options.write and options.steps != STEPS:
        parser.error('--write records all steps')
    partly = options.methods is not None
    values = collect(options.methods if partly else method_names(), options.steps)
    if options.write:
        write(values, partly)
        print(f'values are recorded in {FILE}')
        return 0
    faults = compare(values, read(), partly)
    print('\n'.join(faults) or f'{len(values)} values are as recorded')
    return int(bool(faults))


if __name__ == '__main__':
    sys.exit(main())
