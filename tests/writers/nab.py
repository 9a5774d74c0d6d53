"""Series of the Numenta anomaly benchmark."""

import csv
import json
from datetime import datetime, timedelta

__all__ = ['write']


def write(root, values, windows=(), name='a', header=('timestamp', 'value')):
    """A benchmark of one category, in the layout of the original."""
    folder = root / 'data' / 'kind'
    folder.mkdir(parents=True, exist_ok=True)
    start = datetime(2014, 7, 1)
    with open(folder / f'{name}.csv', 'w', newline='') as file:
        rows = csv.writer(file)
        rows.writerow(header)
        rows.writerows([str(start + timedelta(minutes=5 * i)), value] for i, value in enumerate(values))
    (root / 'labels').mkdir(exist_ok=True)
    path = root / 'labels' / 'combined_windows.json'
    known = json.loads(path.read_text()) if path.is_file() else {}
    stamps = [[f'{start + timedelta(minutes=5 * i)}.000000' for i in window] for window in windows]
    path.write_text(json.dumps({**known, f'kind/{name}.csv': stamps}))
    return str(root)
