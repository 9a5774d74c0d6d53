import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, empty, encode_badly, lengthen, separate_by, truncate
from writers.wedafall import signal_of, write, write_sensor

from mmkd_plugin.datasets import WEDAFall, WindowDataset
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.readers.wedafall import MOVEMENTS, SUBJECTS

TIMES = np.arange(201) / 50


def test_a_trial_is_a_recording_and_a_fall_its_labelled_samples(tmp_path):
    reader = WEDAFall(write(tmp_path))
    assert reader.parts() == ['1', '2']
    assert (reader.classes, reader.rate, len(reader.files())) == (('no_fall', 'fall'), 50.0, 13)
    assert reader.channels == (
        *(f'wrist_{kind}_{axis}' for kind in ('acc', 'gyr') for axis in 'xyz'),
        *(f'wrist_ori_{axis}' for axis in 'sijk'),
    )
    assert reader.units == (*['m/s²'] * 3, *['rad/s'] * 3, *['1'] * 4)
    part = reader.read('2')
    assert [(r.name, r.subject, r.signal.shape) for r in part.recordings] == [
        ('D01_U02_R01:0', '2', (201, 10)),
        ('F01_U02_R01:0', '2', (201, 10)),
    ]
    expected = np.hstack([signal_of(TIMES, sensor, 2) for sensor in ('accel', 'gyro')])
    np.testing.assert_allclose(part.recordings[0].signal[:, :6], expected, atol=1e-5)
    assert part.recordings[0].label == 0
    # From 0.5 s to 3.5 s, both ends included.
    np.testing.assert_array_equal(part.recordings[1].label, np.r_[np.full(25, -1), np.ones(151), np.full(25, -1)])
    assert (part.notes, reader.rows('2')) == ((), 2 * 3 * 201)
    whole = WEDAFall(tmp_path, falls='trial', task='activity').read('1').recordings
    assert [list(MOVEMENTS.values())[r.label] for r in whole] == ['walking', 'slipping_forward']
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert type(find_reader(tmp_path)) is WEDAFall


def test_windows_of_a_fall_lie_within_it(tmp_path):
    options = dict(subjects=dict(train=['1'], val=['2'], test=['3']), window=100, step=25, store=str(tmp_path / 'store'))
    reader = dict(type='WEDAFall', root=str(write(tmp_path / 'data', [1, 2, 3])), kinds=['acc'])
    windows = WindowDataset(split='train', reader=reader, **options).data_list
    assert [w['window_id'] for w in windows if w['gt_label']] == [f'F01_U01_R01:0:{start}' for start in (25, 50, 75)]
    assert sum(not w['gt_label'] for w in windows) == 5


def test_samples_come_in_bursts_out_of_order_on_clocks_of_their_own(tmp_path):
    taken = 0.1 + np.arange(400) / 40  # two fifths of the published trials are at 40 Hz
    delivered = taken[np.arange(400) // 4 * 4 + 3] - taken[3] + np.arange(400) % 4 / 500
    order = np.r_[:200, 204:208, 200:204, 208:400]  # a packet that was overtaken
    write(tmp_path, [1], ['D01'], sensors=['gyro', 'orientation'])
    path = write_sensor(tmp_path, 'D01', 1, 'accel', delivered[order], values=signal_of(taken, 'accel')[order])
    part = WEDAFall(tmp_path, kinds=['acc']).read('1')
    (recording,) = part.recordings
    assert (
        len(recording.signal) == 499
    )  # of 9.975 s; lines between samples that are 25 ms apart are off by (2π f 25 ms)² / 8 at most
    np.testing.assert_allclose(recording.signal, signal_of(0.1 + np.arange(499) / 50, 'accel'), atol=0.015)
    assert part.notes == (f'{path}:206: 1 row(s) come before the one above: rows are sorted by time',)
    # With the gyroscope, over the 4 s that both cover.
    assert [len(r.signal) for r in WEDAFall(tmp_path, kinds=['acc', 'gyr']).read('1').recordings] == [201]


def test_the_sign_of_an_orientation_is_kept(tmp_path):
    write(tmp_path, [1], ['D01'])
    whole = np.column_stack([np.cos(TIMES), np.sin(TIMES), 0 * TIMES, 0 * TIMES])
    sign = np.where((TIMES > 1) & (TIMES < 2.5), -1, 1)[:, None]
    write_sensor(tmp_path, 'D01', 1, 'orientation', TIMES, values=whole * sign)
    np.testing.assert_allclose(WEDAFall(tmp_path, kinds=['ori']).read('1').recordings[0].signal, whole, atol=1e-5)


def nan_run(path):
    for line in (20, 21, 22):
        edit_field(path, line, 2, 'NaN', ',')


def fall(root, column, text):
    edit_field(root / 'dataset' / 'fall_timestamps.csv', 2, column, text, ',')


# What is done to the copy, its file D01/U01_R01_accel.csv, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (
        lambda root, file: truncate(file),
        r'accel\.csv:\d+: 1 last line\(s\) without an end: the file may be cut off there',
        True,
    ),
    'missing column': (lambda root, file: edit_field(file, 7, 3, None, ','), r'accel\.csv:7: 3 columns, expected 4', False),
    'text in a number': (
        lambda root, file: edit_field(file, 5, 1, '1.098.388.671.875', ','),
        r"accel\.csv:5: accel_x_list is '1\.098\.388\.671\.875', expected a number; a spreadsheet has put points between thousands",
        False,
    ),
    'wrong separator': (
        lambda root, file: separate_by(file, ',', ';'),
        r"accel\.csv:1: the columns are 'accel_time_list;accel_x_list;accel_y_list;accel_z_list', expected accel_time_list,accel_x",
        False,
    ),
    'NaN run': (lambda root, file: nan_run(file), r'accel\.csv:20: 3 row\(s\) with NaN are left out', True),
    'duplicate timestamp': (
        lambda root, file: edit_field(file, 12, 0, '0.22', ','),
        r'accel\.csv:13: 1 row\(s\) have the time of the row before: times are those of even sampling, not of delivery',
        True,
    ),
    'negative time step': (
        lambda root, file: edit_field(file, 12, 0, '0.17', ','),
        r'accel\.csv:12: 1 row\(s\) come before the one above: rows are sorted by time',
        True,
    ),
    'wrong label': (
        lambda root, file: file.parent.rename(file.parent.with_name('D12')),
        r'50Hz/D12/U01_R01_accel\.csv: expected one of the folders D01, .*F08, and a name as U01_R01_accel\.csv',
        False,
    ),
    'empty file': (lambda root, file: empty(file), r'accel\.csv:1: the file is empty', False),
    'unreadable encoding': (lambda root, file: encode_badly(file), r'accel\.csv:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, file: lengthen(file), r'accel\.csv:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda root, file: [path.unlink() for path in root.glob('dataset/50Hz/*/U01*')],
        rf'dataset: there is no trial of subject {", ".join(SUBJECTS[:1] + SUBJECTS[2:])}$',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path)
    do(tmp_path, tmp_path / 'dataset' / '50Hz' / 'D01' / 'U01_R01_accel.csv')
    assert_outcome(WEDAFall(tmp_path).read_all, outcome, noted)


@pytest.mark.parametrize(
    ('column', 'text', 'message'),
    [
        (0, 'F02/U01_R01', r"fall_timestamps\.csv: there is no row of F01/U01_R01; falls='trial' reads without it"),
        (2, '0.5', r'fall_timestamps\.csv:2: a fall from 0\.5 to 0\.5 s, expected an end after the start'),
        (1, '', r'fall_timestamps\.csv:2: a fall from nan to 3\.5 s'),
        (1, 'soon', r"fall_timestamps\.csv:2: start_time is 'soon', expected a number"),
    ],
)
def test_times_of_falls_that_cannot_be(column, text, message, tmp_path):
    fall(write(tmp_path), column, text)
    with pytest.raises(ValueError, match=message):
        WEDAFall(tmp_path).read('1')
    assert len(WEDAFall(tmp_path, falls='trial').read('1').recordings) == 2


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'50Hz holds no D01/U01_R01_accel\.csv, nor another trial: root must be a copy of'
    ):
        WEDAFall(tmp_path).parts()
    root = write(tmp_path / 'WEDA-FALL')
    with pytest.raises(FileNotFoundError, match=r"WEDA-FALL; it is the folder 'WEDA-FALL' inside of it$"):
        WEDAFall(tmp_path).parts()
    (root / 'dataset' / '50Hz' / 'D01' / 'U01_R01_gyro.csv').unlink()
    part = WEDAFall(root).read('1')
    assert [r.name for r in part.recordings] == ['F01_U01_R01:0']
    assert part.notes[0].endswith('D01/U01_R01_gyro.csv does not exist: 1 trial(s) of subject 1 are left out')
    (root / 'dataset' / 'fall_timestamps.csv').unlink()
    with pytest.raises(FileNotFoundError, match=r'fall_timestamps\.csv does not exist'):
        WEDAFall(root).read('1')
    for options, message in (
        (dict(kinds=['mag']), r"kinds: expected one or more of acc, gyr, ori, each once; got \('mag',\)"),
        (dict(task='falls'), r"task: expected fall or activity; got 'falls'"),
        (dict(falls='stamps'), r"falls: expected time or trial; got 'stamps'"),
        (dict(max_gap=0), r'rate \(Hz\) and max_gap \(seconds\) must be above 0, got 50\.0 and 0'),
    ):
        with pytest.raises(ValueError, match=message):
            WEDAFall(root, **options)


def test_files_of_the_archive(first_files):
    root = first_files('wedafall', 60)
    result = WEDAFall(root, kinds=['acc'], falls='trial').read_all()
    assert len(result.recordings) >= 10
    for recording in result.recordings:
        assert 8 < np.median(np.linalg.norm(recording.signal, axis=1)) < 12  # gravity, in m/s²
        assert 3 < len(recording.signal) / 50 < 41  # seconds, as the archive's longest and shortest trial


@pytest.mark.soak
def test_the_archive_itself(first_files):
    reader = WEDAFall(first_files('wedafall', 10_000))
    assert {part: reader.rows(part) for part in reader.parts()} == {part: known['rows'] for part, known in reader.known.items()}
    result = reader.read_all()
    assert [len(result.recordings), sum(not np.isscalar(r.label) for r in result.recordings)] == [969, 350]
    assert {tuple(np.unique(r.label)) for r in result.recordings} == {(0,), (-1, 1)}
    assert (reader.notes(), tuple(reader.parts())) == ([], SUBJECTS)
