"""Tables of a user, and the file that explains them."""

import numpy as np

__all__ = ['LAYOUT', 'rows_of', 'write']

LAYOUT = """
channels: [acc_x, acc_y]
rate: 50
label: activity
subject: person
time: {column: t, unit: ms}
"""


def write(root, rows, name='a.csv', header='t,acc_x,acc_y,activity,person', layout=LAYOUT, separator=','):
    """A table as a spreadsheet or pandas writes it, and the file that explains it."""
    file = root / name
    file.parent.mkdir(parents=True, exist_ok=True)
    if layout is not None:
        (root / 'recordings.yml').write_text(layout)
    file.write_text('\n'.join([header, *(separator.join(map(str, row)) for row in rows)]) + '\n')
    return file


def rows_of(person, count=60, start=0, activity=None, seed=0):
    """Rows at 50 Hz: time in ms, two channels, half of them walking and half at rest."""
    values = np.round(np.random.default_rng(seed).normal(size=(count, 2)), 3)
    return [
        [start + 20 * i, *values[i], activity if activity is not None else 'walk' if i < count // 2 else 'rest', person]
        for i in range(count)
    ]
