import csv
import json
import tarfile
from datetime import datetime, timedelta

import numpy as np
import pytest
from conftest import SHARED

from mmkd_plugin.datasets import NumentaAnomaly, read_numenta

SUBJECTS = dict(train=['early'], val=['middle'], test=['late'])


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


def test_series_are_cut_in_time_and_where_anomalies_begin_and_end(tmp_path):
    values = np.sin(np.arange(100.0))
    root = write(tmp_path, values, windows=[(10, 14), (70, 74)])
    found = read_numenta(root, 'kind')
    spans = [(r.subject, r.label, len(r.signal)) for r in found.recordings]
    assert spans == [
        ('early', 0, 10),
        ('early', 1, 5),  # both ends of a labelled window belong to it
        ('early', 0, 25),
        ('middle', 0, 20),
        ('late', 0, 10),
        ('late', 1, 5),
        ('late', 0, 25),
    ]
    assert found.classes == ('a', 'anomaly')
    normal = np.r_[values[:10], values[15:40]]
    expected = (values - normal.mean()) / normal.std()
    np.testing.assert_allclose(np.concatenate([r.signal[:, 0] for r in found.recordings]), expected, rtol=1e-5, atol=1e-6)


def test_training_and_validation_see_no_anomaly(tmp_path):
    rng = np.random.default_rng(0)
    root = write(tmp_path, rng.normal(size=200), windows=[(10, 29), (90, 99), (150, 169)])
    write(tmp_path, rng.normal(size=200), windows=[(130, 149)], name='b')
    options = dict(data_root=root, category='kind', subjects=SUBJECTS, window=8, step=4)
    counts = {}
    for split in ('train', 'val', 'test'):
        dataset = NumentaAnomaly(split=split, anomalies=split == 'test', **options)
        counts[split] = sum(info['anomaly'] for info in dataset.data_list)
        assert dataset.metainfo['classes'] == ['a', 'b']
    assert counts['train'] == counts['val'] == 0
    assert counts['test'] == 8


def test_what_is_missing_or_damaged_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'data_root must be a copy of github\.com/numenta/NAB'):
        read_numenta(str(tmp_path / 'none'), 'kind')
    root = write(tmp_path, [1.0, 2.0, 'x', 4.0])
    with pytest.raises(ValueError, match=r'a\.csv is damaged; expected the columns timestamp and value'):
        read_numenta(root, 'kind')
    write(tmp_path, [1.0] * 10)
    with pytest.raises(ValueError, match='no normal samples that vary'):
        read_numenta(root, 'kind')
    write(tmp_path, range(10), header=('time', 'value'))
    with pytest.raises(ValueError, match=r'a\.csv is damaged'):
        read_numenta(root, 'kind')
    with pytest.raises(ValueError, match=r'leave a rest; got 0\.9 and 0\.2'):
        read_numenta(root, 'kind', 0.9, 0.2)


def test_the_benchmark_itself(tmp_path):
    archive = SHARED / 'data' / 'nab.tar.xz'
    if not archive.is_file():
        pytest.skip(f'the Numenta benchmark {archive} is not here; set MMKD_SHARED to the folder that holds data/')
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter='data')
    root = tmp_path / 'nab' / 'NAB'
    found = read_numenta(str(root), 'realKnownCause')
    rows = [len(path.read_text().splitlines()) - 1 for path in (root / 'data' / 'realKnownCause').glob('*.csv')]
    assert (len(rows), sum(rows)) == (7, sum(len(r.signal) for r in found.recordings))
    labelled = json.loads((root / 'labels' / 'combined_windows.json').read_text())
    windows = sum(len(w) for name, w in labelled.items() if name.startswith('realKnownCause/'))
    assert sum(r.label == 7 for r in found.recordings) >= windows  # a window across a border is cut in two
