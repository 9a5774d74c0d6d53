"""A format of the simplest kind, and files in it."""

__all__ = ['FORMAT', 'contents', 'read_log', 'write']

# A format of the simplest kind, in a module of its own, as another process imports it. It says what it reads, and may be slow.
FORMAT = """
import os
import time
from pathlib import Path

import numpy as np

from mmkd_plugin.datasets import Part, Reader, Recording


class Lines(Reader):
    channels, classes, rate = ('x', 'y'), ('u', 'v'), 10.0

    def parts(self):
        found = sorted(path.stem for path in self.root.glob('*.txt'))
        if not found:
            raise FileNotFoundError(f'{self.root} holds no *.txt')
        return found

    def files(self):
        return [self.root / f'{part}.txt' for part in self.parts()]

    def notes(self):
        return ['of the whole']

    def read(self, part):
        with open(self.root / 'read.log', 'a') as log:
            log.write(f'{part} {os.getpid()}\\n')
        time.sleep(float(os.environ.get('SLOW', 0)))
        file = self.root / f'{part}.txt'
        try:
            seed = int(file.read_text())
        except ValueError:
            raise ValueError(f'{file}:1: no number') from None
        if seed < 0:
            return Part((), (f'{part} is left out',))
        random = np.random.default_rng(seed)
        whole = random.normal(size=(40, 2)).astype(np.float32)
        labels = np.repeat([0, -1, 1, 0], 10)
        return Part(
            (Recording(whole[:25], seed % 2, f's{seed}', f'{part}:0'), Recording(whole, labels, f's{seed}', f'{part}:1')),
            (f'{part} is odd',),
        )


class Large(Lines):
    channels = ('x',) * 16

    def read(self, part):
        signal = np.full((500_000, 16), float(part), np.float32)  # 32 MB
        return Part((Recording(signal, int(part), part, part),))
"""


def write(folder, seeds):
    folder.mkdir(exist_ok=True)
    for place, seed in enumerate(seeds):
        (folder / f'part {place}.txt').write_text(str(seed))


def read_log(tmp_path):
    """Parts that have been read, and the processes that did it."""
    lines = (tmp_path / 'data' / 'read.log').read_text().splitlines()
    return [line.rsplit(' ', 1)[0] for line in lines], {int(line.rsplit(' ', 1)[1]) for line in lines}


def contents(store):
    return {path.name: path.read_bytes() for path in store.iterdir()}
