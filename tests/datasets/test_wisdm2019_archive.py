from collections import Counter

import numpy as np
import pytest

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers.wisdm2019 import SUBJECTS, WISDM2019
from mmkd_plugin.datasets.readers.wisdm2019_rows import read_rows


@pytest.fixture
def archive(recordings_of):
    return recordings_of('WISDM2019')


def test_rows_of_the_archive(archive):
    counts, parts = {sensor: Counter() for sensor in ('accel', 'gyro')}, Counter()
    for sensor, result in counts.items():
        for subject in map(str, SUBJECTS):
            path = archive / 'raw' / 'phone' / sensor / f'data_{subject}_{sensor}_phone.txt'
            rows, _ = read_rows(path, subject)
            result.update(rows['activity'].tolist())
            parts[subject] += len(rows)
    # The archive's own table of them.
    assert counts['accel'] == {b'A': 279_817, b'B': 268_409, b'C': 255_645, b'M': 278_766}
    assert counts['gyro'] == {b'A': 203_919, b'B': 200_252, b'C': 197_857, b'M': 202_625}
    reader = WISDM2019(archive)
    assert parts == {subject: known['rows'] for subject, known in reader.known.items()}
    assert reader.rows('1600') == parts['1600']
    assert not WISDM2019(archive, device='watch').known


def by_hand(archive, subject, code):
    """When both sensors have begun and the first ends, in nanoseconds, and times and x of each sensor."""
    readings = []
    for sensor in ('accel', 'gyro'):
        path = archive / 'raw' / 'phone' / sensor / f'data_{subject}_{sensor}_phone.txt'
        rows = [line.split(',') for line in path.read_text().splitlines()]
        known = {int(row[2]): float(row[3]) for row in rows if row[1] == code}
        readings.append((np.array(sorted(known)), np.array([known[time] for time in sorted(known)])))
    begins, ends = max(times[0] for times, _ in readings), min(times[-1] for times, _ in readings)
    return begins, ends, readings


def test_the_archive_itself(archive, store_dir):
    options = dict(
        reader=dict(type='WISDM2019', root=str(archive), activities=['A', 'B', 'C', 'M']),
        subjects=dict(type='LeaveOneSubjectOut', fold=0, val=5),
        window=100,
        step=22,
        store=str(store_dir),
    )
    datasets = {split: WindowDataset(split=split, **options) for split in ('train', 'val', 'test')}
    data = datasets['train'].data
    assert len({r.subject for r in data.recordings}) == 51
    assert len(data.recordings) == 4 * 51 - 3
    # Three minutes of every activity, whatever the rate of the file was, without a gap: of phones at 20, 25 and 50 Hz by hand.
    assert {len(r.signal) // 20 for r in data.recordings} == {179, 180}
    for subject in ('1600', '1601', '1629', '1650'):
        begins, ends, readings = by_hand(archive, subject, 'C')
        (signal,) = (r.signal for r in data.recordings if r.name == f'{subject}:C:0')
        assert len(signal) == (ends - begins) // 50_000_000 + 1
        for channel, (times, values) in zip((0, 3), readings):
            sparse = np.interp(begins + 50_000_000 * np.arange(len(signal)), times, values)
            assert np.corrcoef(sparse, signal[:, channel])[0, 1] > 0.97
            if np.median(np.diff(times)) > 45e6:
                np.testing.assert_allclose(signal[:, channel], sparse, atol=1e-4)
    assert {name: len(dataset) for name, dataset in datasets.items()} == dict(train=28_190, val=3_192, test=636)
    notes = [note.split('/')[-1] for note in data.notes]
    absent = [
        f'data_{s}_{sensor}_phone.txt has no row of activity ' for s in (1609, 1616, 1642) for sensor in ('accel', 'gyro')
    ]
    assert [note for note in notes if 'no row' in note] == [
        *(f'{message}B (jogging)' for message in absent[:4]),
        *(f'{message}C (stairs)' for message in absent[4:]),
    ]
    twice = [note for note in notes if 'repeat' in note]
    assert twice == [
        'data_1629_accel_phone.txt:3574: 14,290 row(s) repeat a timestamp, 0 with other values; the mean is kept',
        'data_1629_gyro_phone.txt:3570: 14,277 row(s) repeat a timestamp, 0 with other values; the mean is kept',
    ]
    assert len(notes) == 6 + 2 * len(twice)
