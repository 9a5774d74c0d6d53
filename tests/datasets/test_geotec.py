import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, empty, encode_badly, lengthen, separate_by, truncate
from writers.geotec import START, signal_of, write, write_device

from mmkd_plugin.datasets import GeoTec
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.readers.columns import read_columns
from mmkd_plugin.datasets.readers.even_clock import sampling_times
from mmkd_plugin.datasets.readers.geotec import NUMBERS, SUBJECTS

TIMES = np.arange(500) / 100


def test_an_execution_is_a_recording(tmp_path):
    reader = GeoTec(write(tmp_path))
    assert reader.parts() == ['s01', 's02']
    assert (reader.classes[0], reader.rate, len(reader.files())) == ('seated', 100.0, 2)
    assert reader.channels == tuple(f'watch_{kind}_{axis}' for kind in ('acc', 'gyr') for axis in 'xyz')
    part = reader.read('s02')
    assert [(r.name, r.subject, r.signal.shape) for r in part.recordings] == [('s02_01:0', 's02', (500, 6))]
    np.testing.assert_allclose(part.recordings[0].signal, signal_of(TIMES, 'sw', 2), atol=1e-4)
    np.testing.assert_array_equal(part.recordings[0].label, np.repeat(range(5), 100))
    assert (part.notes, reader.rows('s02')) == ((), 1000)
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert GeoTec(tmp_path, ['phone']).fingerprint() != reader.fingerprint()
    assert type(find_reader(tmp_path)) is GeoTec


def test_the_phone_lies_on_the_grid_of_the_watch(tmp_path):
    write(tmp_path, [1, 2], ['sw'])
    late = 0.52 + np.arange(400) / 102.5  # the phone began later, ended earlier, and has another rate
    write_device(tmp_path, 1, 'sp', late)
    reader = GeoTec(tmp_path, ['watch', 'phone'])
    assert {name: (s.channels[0], s.rate, s.units[3]) for name, s in reader.streams.items()} == {
        'phone': ('phone_acc_x', 100.0, 'rad/s')
    }
    result = reader.read_all()
    one, two = result.recordings
    assert (list(one.streams), list(two.streams)) == (['phone'], [])
    phone = one.streams['phone'].signal
    covered = (late[0] - 1e-9 <= TIMES) & (late[-1] >= TIMES)
    assert np.isnan(phone[~covered]).all()
    np.testing.assert_allclose(phone[covered], signal_of(TIMES[covered], 'sp'), atol=0.03)  # stamps are whole milliseconds
    assert result.notes[-1].endswith('s02_01_sp.csv does not exist, nor do 0 more of the phone: they are without the stream')
    left_out = GeoTec(tmp_path, ['phone', 'watch']).read_all()
    assert [r.name for r in left_out.recordings] == ['s01_01:0']
    assert left_out.notes[-1].endswith('nor do 0 more of the phone: they are left out')


def test_a_clock_that_jitters(tmp_path):
    """As Android's: late by up to 0.1 s, and several samples in one millisecond."""
    rng = np.random.default_rng(0)
    times = np.arange(1000) / 102.46
    stamps = times + rng.exponential(0.005, 1000) + np.where(np.arange(1000) % 37 == 5, 0.1, 0)
    stamps = np.maximum.accumulate(stamps)
    write_device(tmp_path, 1, 'sw', times, stamps=stamps, each=2.0)
    part = GeoTec(tmp_path).read('s01')
    (recording,) = part.recordings
    assert (len(recording.signal) - 1) / 100 == pytest.approx(times[-1], abs=0.01)
    off = recording.signal - signal_of(np.arange(len(recording.signal)) / 100, 'sw')
    assert np.abs(off).max() < 0.03
    assert 'row(s) have the time of the row before: times are those of even sampling, not of delivery' in part.notes[0]


def nan_run(path):
    for line in (20, 21, 22):
        edit_field(path, line, 1, '', ',')


# What is done to the copy, its file s01_01_sw.csv, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (lambda root, file: truncate(file), r'sw\.csv:\d+: \d columns, expected 8 as in the first line', False),
    'missing column': (lambda root, file: edit_field(file, 7, 3, None, ','), r'sw\.csv:7: 7 columns, expected 8', False),
    'text in a number': (
        lambda root, file: edit_field(file, 5, 1, '1.098.388.671.875', ','),
        r"sw\.csv:5: y_acc is '1\.098\.388\.671\.875', expected a number; a spreadsheet has put points between thousands",
        False,
    ),
    'wrong separator': (
        lambda root, file: separate_by(file, ',', ';'),
        r"sw\.csv:1: there is no column 'timestamp'; there is .*; are the columns separated by ','\?",
        False,
    ),
    'NaN run': (lambda root, file: nan_run(file), r'sw\.csv:20: 3 row\(s\) with NaN are left out', True),
    'duplicate timestamp': (
        lambda root, file: edit_field(file, 12, 6, str(START + 110), ','),
        r'sw\.csv:13: 1 row\(s\) have the time of the row before: times are those of even sampling, not of delivery',
        True,
    ),
    'negative time step': (
        lambda root, file: edit_field(file, 12, 6, str(START + 85), ','),
        r'sw\.csv:12: 1 row\(s\) come before the one above: rows are sorted by time',
        True,
    ),
    'wrong label': (
        lambda root, file: edit_field(file, 9, 7, 'RUNNING', ','),
        r"sw\.csv:9: label 'RUNNING', expected one of SEATED, STANDING_UP, WALKING, TURNING, SITTING_DOWN",
        False,
    ),
    'empty file': (lambda root, file: empty(file), r'sw\.csv:1: the file is empty', False),
    'unreadable encoding': (lambda root, file: encode_badly(file), r'sw\.csv:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, file: lengthen(file), r'sw\.csv:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda root, file: file.unlink(),
        rf'DATA: there is no execution of subject {", ".join(SUBJECTS[:1] + SUBJECTS[2:])}$',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path, devices=['sw'])
    do(tmp_path, tmp_path / 'DATA' / 's01' / 's01_01_sw.csv')
    assert_outcome(GeoTec(tmp_path).read_all, outcome, noted)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'DATA holds no s01/s01_01_sw\.csv, nor another execution: root must be a copy of'
    ):
        GeoTec(tmp_path).parts()
    root = write(tmp_path / 'sp-sw-har-dataset')
    with pytest.raises(FileNotFoundError, match=r"sp-sw-har-dataset; it is the folder 'sp-sw-har-dataset' inside of it$"):
        GeoTec(tmp_path).parts()
    edit_field(root / 'DATA' / 's01' / 's01_01_sw.csv', 9, 6, '', ',')
    with pytest.raises(ValueError, match=r's01_01_sw\.csv:9: timestamp is missing, expected milliseconds'):
        GeoTec(root).read('s01')
    for options, message in (
        (dict(sensors=['glasses']), r"sensors: expected one or more of watch, phone, each once; got \('glasses',\)"),
        (dict(rate=0), r'rate \(Hz\) and max_gap \(seconds\) must be above 0, got 0 and 0\.25'),
    ):
        with pytest.raises(ValueError, match=message):
            GeoTec(root, **options)


def test_files_of_the_archive(first_files):
    reader = GeoTec(first_files('geotec_spsw', 8), ['watch', 'phone'])  # the first subject of the archive
    result = reader.read_all()
    assert (reader.parts(), len(result.recordings) >= 3) == (['s11'], True)
    for recording in result.recordings:
        assert 9 < np.median(np.linalg.norm(recording.signal[:, :3], axis=1)) < 12  # gravity, in m/s²
        assert set(np.unique(recording.label)) == set(range(5))
        if recording.streams:  # both began and ended within a second of each other
            assert np.isnan(recording.streams['phone'].signal[:, 0]).sum() < 100
    # By the times in the file, the phone's acceleration is twice as rough.
    columns = read_columns(next(reader.root.glob('DATA/s11/*_sp.csv')), NUMBERS, [])
    stamps, acceleration = (columns.numbers[:, 0] - columns.numbers[0, 0]) / 1000, columns.numbers[:, 1:4]
    rough = []
    for times in (stamps, sampling_times(stamps)):
        grid = np.arange(times[0], times[-1], 0.01)
        values = np.column_stack([np.interp(grid, times, axis) for axis in acceleration.T])
        rough.append((np.diff(values, 2, axis=0) ** 2).mean())
    assert rough[1] < 0.75 * rough[0]


@pytest.mark.soak
def test_the_archive_itself(first_files):
    reader = GeoTec(first_files('geotec_spsw', 1000), ['watch', 'phone'])
    assert {part: reader.rows(part) for part in reader.parts()} == {part: known['rows'] for part, known in reader.known.items()}
    assert sum(known['rows'] for known in reader.known.values()) == 262_553 + 259_213
    result = reader.read_all()
    assert (len(result.recordings), sum('phone' in r.streams for r in result.recordings)) == (223, 223)
    assert any('s01_01_sw.csv:90: ' in note for note in result.notes)  # where a millisecond first repeats
