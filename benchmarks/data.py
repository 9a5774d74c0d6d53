"""A million windows: what it takes to open and to audit them; and what importing the package costs beside its host."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np

from mmkd_plugin.datasets import WindowDataset, audit, save_recordings

SUBJECTS, SAMPLES, CHANNELS = 40, 500_080, 3  # a step of 20 gives 25,000 windows of 100 samples for each subject
HOST = 'import mmpretrain.models, mmpretrain.datasets, mmpretrain.evaluation, mmpretrain.engine, mmpretrain.visualization'
ROOMS = 'apis models datasets evaluation engine experiments'


def seconds(run) -> tuple[float, object]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def windows(folder: Path) -> None:
    rng, names = np.random.default_rng(0), [f'{i:02}' for i in range(SUBJECTS)]
    signals = [rng.standard_normal((SAMPLES, CHANNELS), dtype=np.float32) for _ in names]
    save_recordings(folder / 'million.npz', signals, [0, 1] * (SUBJECTS // 2), names, ('x', 'y', 'z'), ('a', 'b'), 50.0)
    del signals
    options = dict(
        reader=dict(type='mmkd_plugin.ArrayRecordings', root=str(folder / 'million.npz')),
        store=str(folder / 'stores'),
        subjects=dict(train=names[:30], val=names[30:35], test=names[35:]),
        window=100,
        step=20,
    )

    def build():
        return {split: WindowDataset(split=split, **options) for split in ('train', 'val', 'test')}

    converted, _ = seconds(build)
    opened, splits = seconds(build)
    first, _ = seconds(lambda: audit(splits))
    again, _ = seconds(lambda: audit(splits))
    print(f'{sum(map(len, splits.values())):,} windows of 100 x {CHANNELS}: converted in {converted:.1f} s,', end=' ')
    print(f'three splits opened in {opened:.2f} s, audited in {again:.2f} s ({first:.2f} s the first time in a process)')


def imports() -> None:
    """Medians of seven processes each, after one to warm up."""
    whole = f'{HOST}; import ' + ', '.join(f'mmkd_plugin.{room}' for room in ROOMS.split())
    times = {HOST: [], whole: []}
    for _ in range(8):
        for code, passed in times.items():
            command = [sys.executable, '-W', 'ignore', '-c', code]
            passed.append(seconds(lambda c=command: subprocess.run(c, check=True, capture_output=True))[0])
    host, both = (median(passed[1:]) for passed in times.values())
    print(f'importing mmpretrain takes {host:.2f} s, every room of the package beside it {both - host:.2f} s more')


def main(arguments: list[str] | None = None) -> None:
    imports()
    with tempfile.TemporaryDirectory() as folder:
        windows(Path(folder))


if __name__ == '__main__':
    main()
