import pickle
from collections import Counter

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, empty, encode_badly, lengthen, separate_by, truncate
from writers.wisdm2019 import START, wave, write, write_file

from mmkd_plugin.datasets.readers.resampling import resample
from mmkd_plugin.datasets.readers.wisdm2019 import SUBJECTS, WISDM2019
from mmkd_plugin.datasets.readers.wisdm2019_rows import read_rows


def test_what_is_on_the_grid_stays_as_it_is(tmp_path):
    reader = WISDM2019(write(tmp_path), activities=['B', 'A'])
    assert reader.parts() == ['1600', '1601']
    assert reader.classes == ('jogging', 'walking')
    assert reader.channels == ('accel_x', 'accel_y', 'accel_z', 'gyro_x', 'gyro_y', 'gyro_z')
    part = reader.read('1601')
    assert [(r.name, r.subject, r.label, r.signal.shape) for r in part.recordings] == [
        ('1601:B:0', '1601', 0, (121, 6)),
        ('1601:A:0', '1601', 1, (121, 6)),
    ]
    assert {r.signal.dtype for r in part.recordings} == {np.dtype(np.float32)}
    expected = wave(np.arange(121) / 20)
    for recording in part.recordings:
        np.testing.assert_allclose(recording.signal, np.hstack([expected, 2 * expected]), atol=1e-6)
    assert part.notes == ()
    assert len(reader.files()) == 4
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert WISDM2019(tmp_path, activities=['B', 'A'], rate=10).fingerprint() != reader.fingerprint()


def test_all_eighteen_activities_in_their_order(tmp_path):
    codes = 'ABCDEFGHIJKLMOPQRS'
    write(tmp_path, [1600], codes, device='watch', end=' ;')  # a blank before the end, as in some files
    result = WISDM2019(tmp_path, device='watch').read_all()
    assert [r.name for r in result.recordings] == [f'1600:{code}:0' for code in codes]
    assert [r.label for r in result.recordings] == list(range(18))
    assert [result.classes[i] for i in (0, 6, 12, 13, 17)] == ['walking', 'teeth', 'kicking', 'catch', 'folding']


@pytest.mark.parametrize(
    ('step', 'jitter', 'averaged'), [(0.0504, 0.0, False), (0.0504, 0.005, False), (0.0399, 0.002, True), (0.0201, 0.005, True)]
)
def test_a_sine_at_any_rate_comes_out_at_20_hz(step, jitter, averaged, tmp_path):
    rng = np.random.default_rng(0)
    seconds = {}
    for sensor, offset in (('accel', 0.0), ('gyro', 0.73)):
        seconds[sensor] = offset + np.arange(round(60 / step)) * step
        seconds[sensor][1:-1] += rng.uniform(-jitter, jitter, len(seconds[sensor]) - 2)
        write_file(tmp_path, sensor, 1600, [('A', seconds[sensor], wave(seconds[sensor]))])
    (recording,) = WISDM2019(tmp_path, activities=['A']).read('1600').recordings
    stop = min(times[-1] for times in seconds.values())
    grid = np.arange(0.73, stop + 1e-9, 0.05)  # from where both sensors have begun until one has ended
    assert recording.signal.shape == (len(grid), 6)
    # A straight line over d seconds is off by at most (2π f d)² / 8 of the height, 0.05 for 2 Hz and 50.4 ms; a mean over d
    # seconds by at most (2π f d)² / 24.
    for channel, frequency in enumerate([0.5, 1.0, 2.0] * 2):
        bound = (2 * np.pi * frequency * (step + 2 * jitter)) ** 2 / 8
        bound += (2 * np.pi * frequency * 0.05) ** 2 / 24 * averaged
        off = np.abs(recording.signal[:, channel] - wave(grid)[:, channel % 3])
        assert off[1:-1].max() < bound  # at the ends a mean is over half a step


def test_a_mean_over_the_step_does_not_fold_as_picking_does():
    seconds = np.arange(3000) / 50
    grid = np.arange(1, 58, 0.05)
    fast = np.sin(2 * np.pi * 13.7 * seconds)[:, None]  # above 10 Hz, half of the new rate
    picked = fast[np.rint(grid * 50).astype(int), 0]
    assert picked.std() > 0.6  # all of it is there, as if it were 6.3 Hz
    # By hand, sinc(13.7 · 0.05) of the mean is 0.39 of the height, and sinc(13.7 · 0.02)² of the straight lines 0.77 of that.
    assert resample(seconds, fast, grid, 20.0).std() < 0.31 / np.sqrt(2)
    line = 3 * seconds[:, None] - 1
    np.testing.assert_allclose(resample(seconds, line, grid, 20.0), 3 * grid[:, None] - 1, rtol=1e-6)
    # Two readings a step, 0 and 1 in turn, hand-worked: the broken line has mean 1/2 over a whole step.
    teeth = resample(np.arange(9) / 4, np.arange(9)[:, None] % 2.0, np.array([0, 0.5, 1.0, 2.0]), 2.0)
    np.testing.assert_allclose(teeth[:, 0], 0.5)


def test_a_gap_begins_a_new_recording(tmp_path):
    times = np.r_[np.arange(0, 3, 0.05), np.arange(3.2, 5, 0.05), np.arange(5.4, 8, 0.05)]
    for sensor in ('accel', 'gyro'):
        write_file(tmp_path, sensor, 1600, [('A', times, wave(times))])
    part = WISDM2019(tmp_path, activities=['A']).read('1600')
    assert [(r.name, len(r.signal)) for r in part.recordings] == [('1600:A:0', 100), ('1600:A:1', 52)]
    assert len(part.notes) == 2
    assert part.notes[0].endswith(
        'data_1600_accel_phone.txt:97: 1 gap(s) of more than 0.25 s, up to 0.450 s; a new recording begins after each'
    )
    assert len(WISDM2019(tmp_path, activities=['A'], max_gap=0.5).read('1600').recordings) == 1


def test_sensors_that_cover_other_times(tmp_path):
    early, late = np.arange(0, 6, 0.05), np.arange(4, 10, 0.05)
    write_file(tmp_path, 'accel', 1600, [('A', early, wave(early)), ('B', 100 + early, wave(early))])
    write_file(tmp_path, 'gyro', 1600, [('A', late, wave(late)), ('B', 300 + late, wave(late))])
    part = WISDM2019(tmp_path, activities='AB').read('1600')
    assert [(r.name, len(r.signal)) for r in part.recordings] == [('1600:A:0', 40)]
    np.testing.assert_allclose(part.recordings[0].signal, np.tile(wave(np.arange(4, 5.99, 0.05)), 2), atol=1e-5)
    assert part.notes == (
        'subject 1600, activity A (walking): all sensors together cover 1.9 s of 6.0 s; the rest is left out',
        'subject 1600, activity B (jogging): all sensors together cover 0.0 s of 6.0 s; the rest is left out',
    )
    alone = WISDM2019(tmp_path, sensors=['gyro'], activities='AB').read('1600')
    assert ([len(r.signal) for r in alone.recordings], alone.notes) == ([120, 120], ())


def test_rows_that_stand_twice_are_one_row(tmp_path):
    times = np.arange(121) / 20
    values = wave(times)
    double = [('A', times, values), ('A', times, values)]  # as subject 1629 has them
    write_file(tmp_path, 'accel', 1600, double)
    other = values.copy()
    other[7] += [0, 0, 2]
    write_file(tmp_path, 'gyro', 1600, [('A', times, values), ('A', times, other)])
    part = WISDM2019(tmp_path, activities=['A']).read('1600')
    expected = np.tile(values, 2)
    expected[7, 5] += 1  # the mean of two readings
    np.testing.assert_allclose(part.recordings[0].signal, expected, atol=1e-6)
    assert [note.split('/')[-1] for note in part.notes] == [
        'data_1600_accel_phone.txt:122: the timestamp goes back (1 time(s)); rows of an activity are sorted by time',
        'data_1600_accel_phone.txt:122: 121 row(s) repeat a timestamp, 0 with other values; the mean is kept',
        'data_1600_gyro_phone.txt:122: the timestamp goes back (1 time(s)); rows of an activity are sorted by time',
        'data_1600_gyro_phone.txt:122: 121 row(s) repeat a timestamp, 1 with other values; the mean is kept',
    ]


def test_an_activity_in_two_pieces_of_the_file_is_one_recording_where_no_time_is_missing(tmp_path):
    times = np.arange(121) / 20
    stretches = [('A', times[60:], wave(times[60:])), ('B', 100 + times, wave(times)), ('A', times[:60], wave(times[:60]))]
    for sensor in ('accel', 'gyro'):
        write_file(tmp_path, sensor, 1600, stretches)
    part = WISDM2019(tmp_path, activities='AB').read('1600')
    assert [len(r.signal) for r in part.recordings] == [121, 121]
    np.testing.assert_allclose(part.recordings[0].signal[:, :3], wave(times), atol=1e-6)
    assert all('goes back (1 time(s))' in note for note in part.notes)


def test_what_is_absent_is_listed(tmp_path):
    write(tmp_path)
    folder = tmp_path / 'raw' / 'phone'
    (folder / 'gyro' / 'data_1601_gyro_phone.txt').unlink()
    result = WISDM2019(tmp_path, activities='ABC').read_all()
    assert Counter(r.subject for r in result.recordings) == {'1600': 2}
    assert result.notes[0].endswith(f'there is no file of subject {", ".join(map(str, SUBJECTS[2:]))}')
    assert [note.split('/')[-1] for note in result.notes[1:]] == [
        'data_1600_accel_phone.txt has no row of activity C (stairs)',
        'data_1600_gyro_phone.txt has no row of activity C (stairs)',
        'data_1601_gyro_phone.txt does not exist: subject 1601 is left out',
    ]


def test_the_fast_and_the_slow_way_agree(tmp_path):
    write(tmp_path)
    path = tmp_path / 'raw' / 'phone' / 'accel' / 'data_1600_accel_phone.txt'
    rows, lines = read_rows(path, '1600')
    path.write_text('\n' + path.read_text().replace(',A,', ', A , ').replace('\n', '\r\n'))  # unusual, not wrong
    again, numbers = read_rows(path, '1600')
    np.testing.assert_array_equal(again, rows)
    np.testing.assert_array_equal(numbers, lines + 1)
    assert (lines[0], lines[-1], rows['time'][0]) == (1, 242, START)


def edit(accel, line, column, text):
    edit_field(accel, line, column, text, ',')


def nan_run(accel):
    for line in (20, 21, 22):
        edit(accel, line, 4, 'NaN')


# What is done to the archive, its file data_1600_accel_phone.txt, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (
        lambda root, a: truncate(a),
        r"phone\.txt:146: the line must end with ';', got '852522924734,0\.95105'",
        False,
    ),
    'missing column': (
        lambda root, a: edit(a, 7, 3, None),
        r'phone\.txt:7: 5 columns in .1600,A,\d+,.*, expected subject,activity,timestamp,x,y,z;',
        False,
    ),
    'text in a number': (lambda root, a: edit(a, 5, 3, '0.1.2'), r"phone\.txt:5: x is '0\.1\.2', expected a number", False),
    'wrong separator': (lambda root, a: separate_by(a, ',', '\t'), r'phone\.txt:1: 1 columns in .1600', False),
    # Three rows are 0.2 s, which the straight line between their neighbours may fill.
    'NaN run': (lambda root, a: nan_run(a), r'phone\.txt:20: 3 row\(s\) with NaN are left out', True),
    'duplicate timestamp': (
        lambda root, a: edit(a, 11, 2, str(START + 450_000_000)),
        r'phone\.txt:11: 1 row\(s\) repeat a timestamp, 1 with other values; the mean is kept',
        True,
    ),
    'negative time step': (
        lambda root, a: edit(a, 11, 2, str(START + 410_000_000)),
        r'phone\.txt:11: the timestamp goes back \(1 time\(s\)\); rows of an activity are sorted by time',
        True,
    ),
    'wrong label': (lambda root, a: edit(a, 9, 1, 'N'), r"phone\.txt:9: activity 'N', expected one of A, B, C, D", False),
    'empty file': (lambda root, a: empty(a), r'phone\.txt:1: the file is empty', False),
    'unreadable encoding': (lambda root, a: encode_badly(a), r'phone\.txt:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, a: lengthen(a), r'phone\.txt:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda root, a: [path.unlink() for path in root.glob('raw/phone/*/*1601*')],
        r'there is no file of subject 1601, 1602, ',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path)
    do(tmp_path, tmp_path / 'raw' / 'phone' / 'accel' / 'data_1600_accel_phone.txt')
    assert_outcome(WISDM2019(tmp_path, activities='AB').read_all, outcome, noted)


@pytest.mark.parametrize(
    ('column', 'text', 'message'),
    [
        (0, '1601', r"phone\.txt:4: subject '1601', expected 1600 as in the name of the file"),
        (1, 'AB', r"phone\.txt:4: activity 'AB', expected one of A"),
        (2, 'noon', r"phone\.txt:4: timestamp is 'noon', expected whole nanoseconds"),
        (2, '9' * 30, r"phone\.txt:4: timestamp is '9{30}', expected whole nanoseconds"),
        (4, 'inf', r"phone\.txt:4: y is 'inf', expected a finite number"),
    ],
)
def test_fields_that_cannot_be(column, text, message, tmp_path):
    write(tmp_path)
    edit(tmp_path / 'raw' / 'phone' / 'gyro' / 'data_1600_gyro_phone.txt', 4, column, text)
    with pytest.raises(ValueError, match=message):
        WISDM2019(tmp_path, activities='AB').read('1600')


def test_a_row_whose_time_is_far_off_is_left_out(tmp_path):
    write(tmp_path)
    edit(tmp_path / 'raw' / 'phone' / 'accel' / 'data_1600_accel_phone.txt', 11, 2, '17')
    part = WISDM2019(tmp_path, activities='AB').read('1600')
    assert [len(r.signal) for r in part.recordings] == [121, 121]
    assert part.notes[-1].endswith('phone.txt:11: 1 row(s) that stand alone between gaps are left out')


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"accel holds no data_1600_accel_phone\.txt.* folder 'wisdm-dataset' of the UCI"
    ):
        WISDM2019(tmp_path).read_all()
    write(tmp_path / 'wisdm-dataset')
    with pytest.raises(FileNotFoundError, match=r"dataset/507\); it is the folder 'wisdm-dataset' inside of it$"):
        WISDM2019(tmp_path).read_all()
    with pytest.raises(FileNotFoundError, match=r'watch/accel holds no data_1600_accel_watch\.txt'):
        WISDM2019(tmp_path / 'wisdm-dataset', device='watch').read_all()
    for options, message in (
        (dict(device='car'), r"device: expected one or more of phone, watch, each once; got \('car',\)"),
        (dict(sensors=[]), r'sensors: expected one or more of accel, gyro, each once; got \(\)'),
        (dict(activities=['A', 'N']), r"activities: .*; got \('A', 'N'\)"),
        (dict(activities=['A', 'A']), r"activities: .*; got \('A', 'A'\)"),
        (dict(rate=0), r'rate \(Hz\) and max_gap \(seconds\) must be above 0, got 0 and 0\.25'),
    ):
        with pytest.raises(ValueError, match=message):
            WISDM2019(tmp_path, **options)
