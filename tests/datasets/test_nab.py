import json
from pathlib import Path

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, edit_line, empty, encode_badly, lengthen, separate_by, truncate
from writers.nab import write

from mmkd_plugin.datasets import NAB, WindowDataset

SUBJECTS = dict(train=['early'], val=['middle'], test=['late'])


def test_series_are_cut_in_time_and_where_anomalies_begin_and_end(tmp_path):
    values = np.sin(np.arange(100.0))
    root = write(tmp_path, values, windows=[(10, 14), (70, 74)])
    result = NAB(root, 'kind').read_all()
    spans = [(r.subject, r.label, len(r.signal)) for r in result.recordings]
    assert spans == [
        ('early', 0, 10),
        ('early', 1, 5),  # both ends of a labelled window belong to it
        ('early', 0, 25),
        ('middle', 0, 20),
        ('late', 0, 10),
        ('late', 1, 5),
        ('late', 0, 25),
    ]
    assert result.classes == ('a', 'anomaly')
    normal = np.r_[values[:10], values[15:40]]
    expected = (values - normal.mean()) / normal.std()
    np.testing.assert_allclose(np.concatenate([r.signal[:, 0] for r in result.recordings]), expected, rtol=1e-5, atol=1e-6)


def test_training_and_validation_see_no_anomaly(tmp_path):
    rng = np.random.default_rng(0)
    root = write(tmp_path, rng.normal(size=200), windows=[(10, 29), (90, 99), (150, 169)])
    write(tmp_path, rng.normal(size=200), windows=[(130, 149)], name='b')
    options = dict(reader=dict(type='NAB', root=root, category='kind'), subjects=SUBJECTS, window=8, step=4, normal=['a', 'b'])
    counts = {}
    for split in ('train', 'val', 'test'):
        dataset = WindowDataset(split=split, anomalies=split == 'test', store=str(tmp_path / 'stores'), **options)
        counts[split] = sum(info['anomaly'] for info in dataset.data_list)
        assert dataset.metainfo['classes'] == ['a', 'b']
    assert counts['train'] == counts['val'] == 0
    assert counts['test'] == 8


def damage_labels(root, window):
    path = root / 'labels' / 'combined_windows.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), 'kind/a.csv': [window]}))


def forget(root):
    path = root / 'labels' / 'combined_windows.json'
    path.write_text(json.dumps({**json.loads(path.read_text()), 'kind/gone.csv': []}))


def nan_run(file):
    for line in (20, 21, 22):
        edit_field(file, line, 1, 'nan', ',')


# What is done to the benchmark, its series a, what is then said, and whether it is repaired.
DAMAGE = {
    # Where the cut leaves a number, only the missing line end tells.
    'truncated file': (
        lambda root, a: truncate(a),
        r'a\.csv:37: the last line has no end: the file may be cut off',
        True,
    ),
    'missing column': (lambda root, a: edit_field(a, 7, 1, None, ','), r'a\.csv:7: 1 columns, expected timestamp,value', False),
    'text in a number': (
        lambda root, a: edit_field(a, 5, 1, 'x', ','),
        r"a\.csv:5: .*,x', expected a timestamp and a number",
        False,
    ),
    'wrong separator': (lambda root, a: separate_by(a, ',', ';'), r"a\.csv:1: the header is 'timestamp;value'", False),
    'NaN run': (lambda root, a: nan_run(a), r'a\.csv:20: 3 missing value\(s\) filled', True),
    'duplicate timestamp': (
        lambda root, a: edit_field(a, 11, 0, '2014-07-01 00:40:00', ','),
        r'a\.csv:11: the timestamp repeats \(1 time',
        True,
    ),
    'negative time step': (
        lambda root, a: edit_field(a, 11, 0, '2014-06-01 00:00:00', ','),
        r'a\.csv:11: the timestamp goes back \(1 time',
        True,
    ),
    # A label is a window of time here.
    'wrong label': (
        lambda root, a: damage_labels(root, ['2020-01-01', '2020-01-02']),
        r'in which the series has no sample',
        False,
    ),
    'empty file': (lambda root, a: empty(a), r'a\.csv:1: the file is empty', False),
    'unreadable encoding': (lambda root, a: encode_badly(a), r'a\.csv:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, a: lengthen(a), r'a\.csv:3: a line of [\d,]+ characters', False),
    # There are no subjects; a series that is labelled and not there comes nearest.
    'absent subject': (lambda root, a: forget(root), r'names series that are absent: kind/gone\.csv', True),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path, np.round(np.random.default_rng(0).normal(size=60), 6))
    do(tmp_path, tmp_path / 'data' / 'kind' / 'a.csv')
    assert_outcome(NAB(tmp_path, 'kind').read_all, outcome, noted)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'root must be a copy of github\.com/numenta/NAB'):
        NAB(tmp_path / 'none').read_all()
    write(tmp_path, [1.0] * 10)
    with pytest.raises(ValueError, match='no normal samples that vary'):
        NAB(tmp_path, 'kind').read_all()
    write(tmp_path, [1.0] + [float('nan')] * 13 + [2.0, 3.0, 1.0])
    with pytest.raises(ValueError, match=r'a\.csv:3: 13 values are missing in a row, expected at most 12'):
        NAB(tmp_path, 'kind').read_all()
    with pytest.raises(ValueError, match=r'leave a rest; got 0\.9 and 0\.2'):
        NAB(tmp_path, 'kind', 0.9, 0.2)
    write(tmp_path, [1.0, 2.0, 3.0])
    edit_line(tmp_path / 'labels' / 'combined_windows.json', 1, lambda line: line[:-3])
    with pytest.raises(ValueError, match=r'combined_windows\.json:1: no JSON'):
        NAB(tmp_path, 'kind').read_all()


def test_the_benchmark_itself(recordings_of):
    root = recordings_of('NAB')
    result = NAB(root).read_all()
    rows = [len(path.read_text().splitlines()) - 1 for path in (root / 'data' / 'realKnownCause').glob('*.csv')]
    assert (len(rows), sum(rows)) == (7, sum(len(r.signal) for r in result.recordings))
    labelled = json.loads((root / 'labels' / 'combined_windows.json').read_text())
    windows = sum(len(w) for name, w in labelled.items() if name.startswith('realKnownCause/'))
    assert sum(r.label == 7 for r in result.recordings) >= windows  # a window across a border is cut in two


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{"a": ' + 5_000 * '1' + '}', r'combined_windows\.json:1: no JSON that can be read: Exceeds the limit'),
        ('{"a": ' + 20_000 * '[', r'combined_windows\.json:1: no JSON that can be read: nested too deeply'),
        ('[1]', r'combined_windows\.json: expected a list of windows for every series, by its name'),
        ('{"a": 5}', r'combined_windows\.json: expected a list of windows for every series, by its name'),
    ],
)
def test_labels_of_another_form_are_one_error(text, message, tmp_path):
    root = Path(write(tmp_path, np.arange(10.0)))
    (root / 'labels' / 'combined_windows.json').write_text(text)
    with pytest.raises(ValueError, match=message):
        NAB(root, 'kind').read_all()
