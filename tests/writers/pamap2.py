"""Files of PAMAP2."""

import numpy as np

__all__ = ['write']


def write(root, activities, subject='101', beats=11, start=8.38, shift=0.0):
    """A subject's file as the archive has it: 54 columns, a heart rate in every so many rows, orientation at the end of each IMU.

    Sample i of channel c, counted from the temperature of the hand, is ``i % 97 + c / 100 + shift``.
    """
    folder = root / 'Protocol'
    folder.mkdir(parents=True, exist_ok=True)
    rows = np.arange(len(activities))
    imus = []
    for where in range(3):
        used = rows[:, None] % 97 + (13 * where + np.arange(13)) / 100 + shift
        imus.append(np.concatenate([used, np.tile([1.0, 0.0, 0.0, 0.0], (len(rows), 1))], 1))
    lines = []
    for i, values in enumerate(np.concatenate(imus, 1)):
        heart = 100 + i // beats if i % beats == 0 else 'NaN'
        lines.append(f'{start + i / 100:.2f} {activities[i]} {heart} ' + ' '.join(f'{value:.6g}' for value in values))
    path = folder / f'subject{subject}.dat'
    path.write_text('\n'.join(lines) + '\n')
    return path
