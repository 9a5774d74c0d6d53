import pickle
from collections import Counter

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, edit_line, empty, encode_badly, lengthen, separate_by, truncate
from writers.smartfallmm import frames, motion, write, write_archive, write_frames, write_trial

from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.readers.smartfallmm import UNREADABLE, SmartFallMM

ALL = ('watch', 'phone', 'skeleton')
TIMES = np.arange(193) / 32  # 6 s


def one(tmp_path, stamps=None, seconds=TIMES, trial='young/S29A01T01', device='watch'):
    """A trial of motion that was recorded at some times, and its file."""
    return write_trial(tmp_path, trial, seconds, motion(seconds), device, stamps)


def notes_of(part, root):
    return [note.removeprefix(f'{root}/young/accelerometer/') for note in part.notes]


def test_what_is_on_the_grid_stays_as_it_is(tmp_path):
    reader = SmartFallMM(write(tmp_path), ALL)
    assert reader.parts() == ['young/S29', 'old/S05']
    assert (reader.rate, reader.units, reader.channels) == (32.0, ('m/s²',) * 3, ('watch_acc_x', 'watch_acc_y', 'watch_acc_z'))
    assert {name: (sensor.rate, len(sensor.channels)) for name, sensor in reader.streams.items()} == {
        'phone': (32.0, 3),
        'skeleton': (30.0, 96),
    }
    assert (len(reader.classes), reader.classes[0], reader.classes[13]) == (14, 'drinking', 'rotating fall')
    part = reader.read_checked('old/S05')
    assert [(r.name, r.subject, r.label, r.signal.shape) for r in part.recordings] == [
        ('old/S05A01T01:0', 'old/S05', 0, (193, 3)),
        ('old/S05A02T01:0', 'old/S05', 1, (193, 3)),
    ]
    recording = part.recordings[1]
    np.testing.assert_allclose(recording.signal, motion(TIMES) + 1 + 2 / 16, atol=1e-5)
    phone, skeleton = recording.streams['phone'], recording.streams['skeleton']
    assert (phone.signal.shape, skeleton.signal.shape, skeleton.offset) == ((161, 3), (181, 96), 0.0)
    assert phone.offset == pytest.approx(0.5)
    # Readings at 50 Hz become means over 1/32 s: off by (2π · 1 Hz / 32)² / 24 of the height 9.8, and less for the lines.
    np.testing.assert_allclose(phone.signal[1:-1], (motion(0.5 + np.arange(161) / 32) + 1 + 2 / 16)[1:-1], atol=0.03)
    np.testing.assert_array_equal(skeleton.signal, frames(181) + 10)
    assert part.notes == ()
    assert len(reader.files()) == 12
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert isinstance(find_reader(tmp_path), SmartFallMM)
    assert [r.name for r in SmartFallMM(tmp_path, groups=['old']).read_all().recordings] == [r.name for r in part.recordings]


def test_the_skeleton_may_be_the_signal(tmp_path):
    reader = SmartFallMM(write(tmp_path, seconds=4.0), ['skeleton', 'watch'])
    recording = reader.read_checked('young/S29').recordings[0]
    assert (reader.rate, reader.units[0], recording.signal.shape, reader.measured_rate('young/S29')) == (
        30.0,
        'mm',
        (121, 96),
        None,
    )
    np.testing.assert_array_equal(recording.signal, frames(121))
    np.testing.assert_allclose(recording.streams['watch'].signal, motion(TIMES[:129]) + 1 / 16, atol=1e-5)


def test_stamps_of_arrival_are_evened_out(tmp_path):
    taken = np.arange(400) / 34  # a watch of 34 Hz, whose readings arrive in bursts of four, some bursts late
    stamps = taken[np.arange(400) // 4 * 4 + 3] + np.repeat(np.random.default_rng(0).choice([0, 0, 0.06], 100), 4) * (
        taken < 11
    )
    one(tmp_path, np.sort(stamps), taken)
    reader = SmartFallMM(tmp_path)
    part = reader.read_checked('young/S29')
    (recording,) = part.recordings
    assert reader.measured_rate('young/S29') == pytest.approx(34, rel=0.01)
    # All but the delay that every reading has in common.
    np.testing.assert_allclose(recording.signal[3:-3], motion(np.arange(len(recording.signal)) / 32)[3:-3], atol=0.8)
    at_stamps = np.interp(np.arange(376) / 32, np.unique(stamps), motion(taken)[np.unique(stamps, return_index=True)[1], 2])
    assert np.abs(at_stamps - motion(np.arange(376) / 32)[:, 2]).max() > 4  # where they are taken for times of the readings
    assert ['stamp(s) repeat the one before: readings are evened out' in note for note in part.notes] == [True]


def test_gaps_begin_a_recording_and_are_missing_in_a_stream(tmp_path):
    kept = (TIMES < 2) | (TIMES > 3)
    one(tmp_path, seconds=TIMES[kept])
    one(tmp_path, device='phone')
    write_frames(tmp_path, 'young/S29A01T01', frames(181))
    part = SmartFallMM(tmp_path, ALL).read_checked('young/S29')
    assert [(r.name, len(r.signal)) for r in part.recordings] == [('young/S29A01T01:0', 64), ('young/S29A01T01:1', 96)]
    second = part.recordings[1]
    np.testing.assert_allclose(second.signal, motion(TIMES[97:]), atol=1e-5)
    np.testing.assert_allclose(second.streams['phone'].signal, motion(TIMES[97:]), atol=1e-5)
    assert second.streams['skeleton'].signal[0, 0] == pytest.approx(frames(1)[0, 0] + TIMES[97] * 30, abs=1e-3)
    assert notes_of(part, tmp_path) == ['watch/S29A01T01.csv:1: 1 gap(s) of watch of more than 0.25 s']
    assert len(SmartFallMM(tmp_path, max_gap=1.5).read('young/S29').recordings) == 1

    one(tmp_path)
    one(tmp_path, seconds=TIMES[kept], device='phone')
    (recording,) = SmartFallMM(tmp_path, ALL).read_checked('young/S29').recordings
    assert recording.streams['phone'].gaps.tolist() == [[64, 97]]


def test_stamps_without_common_time_begin_together(tmp_path):
    one(tmp_path)
    one(tmp_path, stamps=TIMES + 12 * 3600, device='phone')  # its clock is half a day off
    part = SmartFallMM(tmp_path, ALL).read_checked('young/S29')
    (recording,) = part.recordings
    assert (recording.streams['phone'].offset, list(recording.streams)) == (0.0, ['phone'])
    assert notes_of(part, tmp_path) == [
        'phone/S29A01T01.csv:1: 1 trial(s) whose stamps of watch and phone have no time in common are taken to begin together',
        'watch/S29A01T01.csv:1: 1 trial(s) have no skeleton',
    ]


def test_rows_twice_out_of_order_and_astray(tmp_path):
    path = one(tmp_path)
    rows = path.read_text().splitlines()
    path.write_text(
        '\n'.join([rows[90].replace('2023-', '2022-'), *rows[:60], rows[59], *rows[100:], *rows[60:90], *rows[91:100]])
    )
    part = SmartFallMM(tmp_path).read_checked('young/S29')
    (recording,) = part.recordings
    expected = motion(TIMES)
    expected[90] = (expected[89] + expected[91]) / 2
    np.testing.assert_allclose(recording.signal, expected, atol=1e-5)
    assert notes_of(part, tmp_path) == [
        'watch/S29A01T01.csv:62: 1 row(s) that occur twice, time and all, are left out',
        'watch/S29A01T01.csv:156: 1 row(s) come before the one above: rows are sorted by time',
        'watch/S29A01T01.csv:1: 1 reading(s) of watch are left out, which last less than 0.5 s between gaps',
        'watch/S29A01T01.csv:1: 1 gap(s) of watch of more than 0.25 s',
    ]


def test_stamps_without_a_date(tmp_path):
    path = one(tmp_path)
    expected = SmartFallMM(tmp_path).read('young/S29').recordings[0].signal
    text = path.read_text()
    for other in (text.replace('2023-05-10 ', ''), text.replace('2023-05-10 13:', '13.'), '\n' + text.replace(',', ' , ')):
        path.write_text(other)
        np.testing.assert_allclose(SmartFallMM(tmp_path).read('young/S29').recordings[0].signal, expected, atol=1e-5)


def test_skeletons_in_one_file(tmp_path):
    one(tmp_path)
    joints = frames(181)
    joints[20:23, 5] = np.nan  # 0.1 s are filled, 0.5 s are not
    joints[90:105] = np.nan
    write_archive(tmp_path / 'skeleton_mm_30fps.npz', {'young/S29A01T01': joints})
    reader = SmartFallMM(tmp_path, ['watch', 'skeleton'])
    part = reader.read_checked('young/S29')
    stream = part.recordings[0].streams['skeleton']
    assert stream.gaps.tolist() == [[90, 105]]
    whole = np.r_[:90, 105:181]
    np.testing.assert_allclose(stream.signal[whole], frames(181)[whole], atol=1e-3)
    note = 'skeleton_mm_30fps.npz:21: 18 frame(s) lack a joint; short gaps are filled along a straight line'
    assert part.notes[0] == f'{tmp_path}/{note}'
    moved = (tmp_path / 'skeleton_mm_30fps.npz').rename(tmp_path / 'other.npz')
    named = SmartFallMM(tmp_path, ['watch', 'skeleton'], skeleton=moved.name)
    np.testing.assert_array_equal(named.read('young/S29').recordings[0].streams['skeleton'].signal, stream.signal)
    assert named.files() == [tmp_path / 'young/accelerometer/watch/S29A01T01.csv', moved]
    with pytest.raises(
        FileNotFoundError, match='missing.npz does not exist: skeleton must be an .npz with arrays like young/S29A01T01'
    ):
        SmartFallMM(tmp_path, ['skeleton'], skeleton='missing.npz').parts()
    for array, message in (
        (np.zeros((5, 95), np.int16), r'young/S29A01T01 is int16 of shape \(5, 95\), expected frames \(n, 96\) of numbers'),
        (np.full((5, 96), np.inf), 'young/S29A01T01 has an infinite number in frame 0'),
    ):
        np.savez(moved, **{'young/S29A01T01': array})
        with pytest.raises(ValueError, match=message):
            named.read('young/S29')
    moved.write_bytes(b'PK\x03\x04 cut off')
    with pytest.raises(ValueError, match='other.npz: no .npz file, or cut off'):
        named.read('young/S29')


def nan_run(watch):
    for line in (20, 21, 22):
        edit_field(watch, line, 2, 'NaN', ',')


# What is done to the archive, its file young/accelerometer/watch/S29A01T01.csv, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (lambda root, w: truncate(w), r'S29A01T01\.csv:\d+: 3 columns in .*, expected time,x,y,z', False),
    'missing column': (
        lambda root, w: edit_field(w, 7, 3, None, ','),
        r"S29A01T01\.csv:7: 3 columns in '2023-05-10 .*, expected time,x,y,z",
        False,
    ),
    'text in a number': (
        lambda root, w: edit_field(w, 5, 1, '1.098.388', ','),
        r"S29A01T01\.csv:5: x is '1\.098\.388', expected a number",
        False,
    ),
    'wrong separator': (lambda root, w: separate_by(w, ',', ';'), r'S29A01T01\.csv:1: 1 columns in ', False),
    # Three rows are 0.1 s, which the straight line between their neighbours may fill.
    'NaN run': (lambda root, w: nan_run(w), r'S29A01T01\.csv:20: 3 row\(s\) with NaN are left out', True),
    'duplicate timestamp': (
        lambda root, w: edit_field(w, 11, 0, w.read_text().split('\n')[9].split(',')[0], ','),
        r'S29A01T01\.csv:11: 1 stamp\(s\) repeat the one before: readings are evened out',
        True,
    ),
    'negative time step': (
        lambda root, w: edit_field(w, 11, 0, w.read_text().split('\n')[8].split(',')[0], ','),
        r'S29A01T01\.csv:11: 1 row\(s\) come before the one above: rows are sorted by time',
        True,
    ),
    'wrong label': (
        lambda root, w: w.rename(w.with_name('S29A15T01.csv')),
        r"the trial is named 'S29A15T01', expected for example S29A01T01, with an activity A01 to A14",
        False,
    ),
    'empty file': (lambda root, w: empty(w), r'S29A01T01\.csv:1: the file is empty', False),
    'unreadable encoding': (lambda root, w: encode_badly(w), r'S29A01T01\.csv:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, w: lengthen(w), r'S29A01T01\.csv:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda root, w: [path.unlink() for path in root.glob('old/*/watch/S05*')],
        r'there is no trial of old/S01, .*, old/S05, ',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path, sensors=['watch'])
    do(tmp_path, tmp_path / 'young' / 'accelerometer' / 'watch' / 'S29A01T01.csv')
    assert_outcome(SmartFallMM(tmp_path).read_all, outcome, noted)


@pytest.mark.parametrize(
    ('column', 'text', 'message'),
    [
        (0, 'noon', r"T01\.csv:4: time is 'noon', expected for example 2023-05-10 13:34:42\.097"),
        (0, '2023-05-10 13:64:42', r"T01\.csv:4: time is '2023-05-10 13:64:42', which no clock shows"),
        (2, 'inf', r"T01\.csv:4: y is 'inf', expected a finite number"),
        (3, '0,5', r"T01\.csv:4: 5 columns in '2023"),
    ],
)
def test_fields_that_cannot_be(column, text, message, tmp_path):
    edit_field(one(tmp_path), 4, column, text, ',')
    with pytest.raises(ValueError, match=message):
        SmartFallMM(tmp_path).read('young/S29')


def test_joints_that_cannot_be(tmp_path):
    one(tmp_path)
    path = write_frames(tmp_path, 'young/S29A01T01', frames(20))
    edit_line(path, 3, lambda line: line.rpartition(',')[0])
    with pytest.raises(ValueError, match=r'skeleton/S29A01T01\.csv:3: 95 columns, expected 96'):
        SmartFallMM(tmp_path, ALL).read('young/S29')
    edit_line(path, 3, lambda line: f'{line},inf')
    with pytest.raises(ValueError, match=r'skeleton/S29A01T01\.csv:3: ear_right is infinite, expected a finite number'):
        SmartFallMM(tmp_path, ALL).read('young/S29')


def test_published_files_that_cannot_be_read_are_left_out_by_name(tmp_path):
    assert Counter({folder: len(names.split()) for folder, names in UNREADABLE.items()}) == {
        'young/accelerometer/phone': 1,
        'old/accelerometer/watch': 5,
        'young/gyroscope/watch': 31,
    }
    one(tmp_path, trial='old/S23A06T01')
    path = one(tmp_path, trial='old/S23A07T01')
    path.write_text(path.read_text().replace('2023-05-10 13:', '-9.57,13.'))
    result = SmartFallMM(tmp_path).read_all()
    assert [r.name for r in result.recordings] == ['old/S23A06T01:0']
    note = 'old/accelerometer/watch: 1 published file(s), which cannot be read, are left out: S23A07T01'
    assert result.notes[1].endswith(note)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r"holds no young/accelerometer/watch/S28A01T01\.csv, .* 'young' and 'old' in it"
    ):
        SmartFallMM(tmp_path).read_all()
    for options, message in (
        (dict(sensors=['camera']), r"sensors: expected one or more of watch, watch_gyr, phone, .*; got \('camera',\)"),
        (dict(sensors=['watch', 'watch']), r"each once; got \('watch', 'watch'\)"),
        (dict(sensors=[]), r'each once; got \(\)'),
        (dict(groups=['middle']), r"groups: expected one or more of young, old, each once; got \('middle',\)"),
        (dict(max_gap=0), r'max_gap \(seconds\) must be above 0, got 0'),
    ):
        with pytest.raises(ValueError, match=message):
            SmartFallMM(tmp_path, **options)
