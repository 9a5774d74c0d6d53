"""Windows of UCI-HAR."""

import numpy as np

from mmkd_plugin.datasets import UCIHAR

__all__ = ['TESTED', 'TRAINED', 'number', 'write']

TESTED = [2, 4, 9, 10, 12, 13, 18, 20, 24]
TRAINED = [subject for subject in range(1, 31) if subject not in TESTED]


def number(value):
    """As the archive writes it: 16 characters, three digits in the exponent."""
    mantissa, exponent = f'{value:.7e}'.split('e')
    return f'{mantissa}e{int(exponent):+04d}'.rjust(16)


def write(root, each=1, apart=0.0):
    """All thirty subjects with so many windows each, their labels in turn, in the archive's fixed-width numbers.

    Sample t of line i of channel c is ``i + t / 1000 + c``, in the test part ``apart`` more.
    """
    for part, subjects in (('train', TRAINED), ('test', TESTED)):
        folder = root / part
        (folder / 'Inertial Signals').mkdir(parents=True, exist_ok=True)
        recorded = np.repeat(subjects, each)
        (folder / f'subject_{part}.txt').write_text(''.join(f'{subject}\n' for subject in recorded))
        (folder / f'y_{part}.txt').write_text(''.join(f'{i % 6 + 1}\n' for i in range(len(recorded))))
        for c, name in enumerate(UCIHAR.channels):
            rows = np.arange(len(recorded))[:, None] + np.arange(128) / 1000 + c + apart * (part == 'test')
            lines = [''.join(map(number, row)) + '\n' for row in rows]
            (folder / 'Inertial Signals' / f'{name}_{part}.txt').write_text(''.join(lines))
    return root
