import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, edit_line, empty, encode_badly, lengthen, separate_by, truncate
from writers.umafall import signal_of, write, write_trial

from mmkd_plugin.datasets import UMAFall
from mmkd_plugin.datasets.inspection import find_reader
from mmkd_plugin.datasets.readers.umafall import SUBJECTS
from mmkd_plugin.datasets.readers.umafall_files import MOVEMENTS

FIRST = 20  # line of the first row of a written file, which is one of the phone


def test_a_trial_is_a_recording(tmp_path):
    reader = UMAFall(write(tmp_path))
    assert reader.parts() == ['1', '2']
    assert (reader.classes, reader.rate, len(reader.files())) == (('no_fall', 'fall'), 20.0, 4)
    assert reader.channels == tuple(f'wrist_{kind}_{axis}' for kind in ('acc', 'gyr', 'mag') for axis in 'xyz')
    assert reader.units == ('g',) * 3 + ('deg/s',) * 3 + ('μT',) * 3
    part = reader.read('2')
    assert [(r.name, r.subject, r.label, r.signal.shape) for r in part.recordings] == [
        ('UMAFall_Subject_02_ADL_Walking_1_2016-06-13_20-27-49:0', '2', 0, (41, 9)),
        ('UMAFall_Subject_02_Fall_forwardFall_1_2016-06-13_20-27-49:0', '2', 1, (41, 9)),
    ]
    expected = np.hstack([signal_of(0.1 + np.arange(41) / 20, 'WRIST', kind, 2) for kind in range(3)])
    np.testing.assert_allclose(part.recordings[0].signal, expected, atol=1e-5)
    assert (part.notes, reader.rows('2')) == ((), 2 * 41 * 3 * 4)
    assert pickle.loads(pickle.dumps(reader)).fingerprint() == reader.fingerprint()
    assert type(find_reader(tmp_path)) is UMAFall


def test_all_movements_are_classes(tmp_path):
    reader = UMAFall(write(tmp_path, [1], MOVEMENTS, seconds=1.0, positions=['WRIST']), task='activity', kinds=['acc'])
    result = reader.read_all()
    assert {reader.classes[r.label]: r.name.split('_1_2016')[0][23:] for r in result.recordings} == {
        new: old if not old.endswith('Fall') else '_' + old for old, new in MOVEMENTS.items()
    }


def test_positions_side_by_side_and_as_streams(tmp_path):
    write_trial(tmp_path, 1, 'Walking')
    write_trial(tmp_path, 1, 'Bending', positions=['WRIST', 'CHEST'])
    write_trial(tmp_path, 1, 'Jogging', positions=['ANKLE'])
    body = UMAFall(tmp_path, sensors=['body'], positions=['wrist', 'ankle'], kinds=['acc'])
    assert body.channels == tuple(f'{where}_acc_{axis}' for where in ('wrist', 'ankle') for axis in 'xyz')
    part = body.read('1')
    assert [r.name.split('_')[4] for r in part.recordings] == ['Walking']
    times = 0.1 + np.arange(41) / 20
    np.testing.assert_allclose(
        part.recordings[0].signal, np.hstack([signal_of(times, where, 0) for where in ('WRIST', 'ANKLE')]), atol=1e-5
    )
    (note,) = part.notes
    assert 'Subject_01_ADL_Bending' in note
    assert note.endswith('body is missing in 2 trial(s) from here on, which are left out')

    reader = UMAFall(tmp_path, sensors=['wrist', 'chest', 'body'], kinds=['acc'])
    assert {name: (len(s.channels), s.rate, s.units[0]) for name, s in reader.streams.items()} == {
        'chest': (3, 20.0, 'g'),
        'body': (12, 20.0, 'g'),
    }
    result = reader.read_all()
    assert [sorted(r.streams) for r in result.recordings] == [['chest'], ['body', 'chest']]
    walking = result.recordings[1]
    np.testing.assert_array_equal(walking.streams['body'].signal[:, :3], walking.signal)
    np.testing.assert_array_equal(walking.streams['body'].signal[:, -3:], walking.streams['chest'].signal)
    assert [note.split('.csv: ')[-1] for note in result.notes[1:]] == [
        'wrist is missing in 1 trial(s) from here on, which are left out',
        'chest is missing in 1 trial(s) from here on, which are without the stream',
        'body is missing in 2 trial(s) from here on, which are without the stream',
    ]


def test_a_trial_begins_and_ends_with_all_of_its_sensors(tmp_path):
    """The sensor at the wrist runs for 2 s, the one at the waist from 0.6 to 1.6 s; another trial has the wrist alone."""
    path = write_trial(tmp_path, 1, positions=['WRIST', 'WAIST'])
    rows = [line.split(';') for line in path.read_text().splitlines(keepends=True)]
    path.write_text(''.join(';'.join(row) for row in rows if len(row) < 7 or row[6] != '2\n' or 600 <= float(row[0]) <= 1600))
    write_trial(tmp_path, 1, 'Bending', positions=['WRIST'])
    sensors = dict(sensors=['wrist', 'body'], positions=['wrist', 'waist'], kinds=['acc'])
    cut, whole = (UMAFall(tmp_path, **sensors, together=together).read_all().recordings for together in (True, False))
    assert [[(len(r.signal), sorted(r.streams)) for r in each] for each in (cut, whole)] == [
        [(41, []), (21, ['body'])],
        [(41, []), (41, ['body'])],
    ]
    np.testing.assert_allclose(cut[1].signal, signal_of(0.6 + np.arange(21) / 20, 'WRIST', 0), atol=1e-5)
    np.testing.assert_allclose(cut[1].streams['body'].signal[:, 3:], signal_of(0.6 + np.arange(21) / 20, 'WAIST', 0), atol=1e-5)
    assert len(whole[1].streams['body'].gaps) == 2
    assert len(cut[1].streams['body'].gaps) == 0


def test_samples_that_come_late_are_where_they_were_taken(tmp_path):
    def late(times):
        """Two seconds of silence, then all at once, as radio does."""
        return np.where((times > 4) & (times < 6), 6 - (6 - times) / 100, times)

    write_trial(tmp_path, 1, positions=['WRIST'], seconds=10.0, stamp=late)
    (recording,) = UMAFall(tmp_path, kinds=['gyr']).read('1').recordings
    np.testing.assert_allclose(recording.signal, signal_of(0.1 + np.arange(201) / 20, 'WRIST', 1), atol=0.01)


def test_samples_that_are_lost_begin_a_new_recording(tmp_path):
    write_trial(tmp_path, 1, positions=['WRIST', 'CHEST'], seconds=10.0, lost=range(100, 120))
    part = UMAFall(tmp_path, sensors=['wrist', 'chest'], kinds=['acc']).read('1')
    assert [(r.name[-2:], len(r.signal), len(r.streams['chest'].signal)) for r in part.recordings] == [
        (':0', 100, 100),
        (':1', 81, 81),
    ]
    assert part.notes[0].endswith(':621: 2 gap(s) of more than 0.5 s')
    assert len(UMAFall(tmp_path, kinds=['acc'], max_gap=2.0).read('1').recordings) == 1


def spreadsheet(path):
    """As the published files of subject 13: separators after every row, and points between thousands."""
    separate_by(path, '\n', ';\n')
    edit_field(path, FIRST + 9, 2, '1.098.388.671.875', ';')


def test_numbers_of_a_spreadsheet_are_refused_or_left_out(tmp_path):
    spreadsheet(write_trial(tmp_path, 13, positions=['WRIST']))
    write_trial(tmp_path, 13, 'Bending', positions=['WRIST'], end=';')  # an end alone does no harm
    message = (
        r"Walking_1_2016-06-13_20-27-49\.csv:29: x is '1\.098\.388\.671\.875', expected a number; a spreadsheet has put points "
        r'between thousands: where the decimal point was is lost; '
    )
    with pytest.raises(ValueError, match=message + r"damaged='leave_out' leaves such files out$"):
        UMAFall(tmp_path).read('13')
    spreadsheet(write_trial(tmp_path, 13, 'Walking', trial=2, positions=['WRIST']))
    part = UMAFall(tmp_path, damaged='leave_out').read('13')
    assert [r.name.split('_')[4] for r in part.recordings] == ['Bending']
    assert len(part.notes) == 1
    name = r'UMAFall_Subject_13_ADL_Walking_%d_2016-06-13_20-27-49\.csv'
    assert_outcome(lambda: UMAFall(tmp_path, damaged='leave_out').read('13'), f'left out are {name % 1}, {name % 2}$', True)


def nan_run(path):
    for line in (FIRST + 12, FIRST + 15, FIRST + 18):
        edit_field(path, line, 3, 'NaN', ';')


# What is done to the files, the first of which has the wrist alone, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (lambda root, file: truncate(file), r'csv:\d+: \d columns, expected 7', False),
    'missing column': (lambda root, file: edit_field(file, 20, 1, None, ';'), r'csv:20: 6 columns, expected 7', False),
    'text in a number': (
        lambda root, file: edit_field(file, 21, 4, '0.5x', ';'),
        r"csv:21: z is '0\.5x', expected a num",
        False,
    ),
    'wrong separator': (
        lambda root, file: separate_by(file, ';', ','),
        r"csv:19: the lines up to here have no position of a sensor; are the columns separated by ';'\?",
        False,
    ),
    'NaN run': (lambda root, file: nan_run(file), r'csv:3\d: \d row\(s\) with NaN are left out', True),
    'duplicate timestamp': (
        lambda root, file: edit_field(file, 21, 0, '150', ';'),
        r'csv:24: 1 row\(s\) have the time of the row before: times are those of even sampling',
        True,
    ),
    'negative time step': (
        lambda root, file: edit_field(file, 24, 0, '90', ';'),
        r'csv:24: 1 row\(s\) come before the one above: rows are sorted by time',
        True,
    ),
    'wrong label': (
        lambda root, file: edit_line(file, 6, lambda line: '% Description of the movement: Bending'),
        r"csv:6: the movement is 'Bending', and 'Walking' in the name of the file",
        False,
    ),
    'empty file': (lambda root, file: empty(file), r'csv:1: the file is empty', False),
    'unreadable encoding': (lambda root, file: encode_badly(file), r'csv:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lambda root, file: lengthen(file), r'csv:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda root, file: file.unlink(),
        rf'there is no file of subject {", ".join(SUBJECTS[:1] + SUBJECTS[2:])}$',
        True,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    file = write_trial(tmp_path, 1, positions=['WRIST'])
    write_trial(tmp_path, 2)
    do(tmp_path, file)
    assert_outcome(UMAFall(tmp_path).read_all, outcome, noted)


@pytest.mark.parametrize(
    ('column', 'text', 'message'),
    [
        (6, '5', r'csv:22: sensor ID 5 of type 1, expected one of 0, 1, 2, 3, 4 and 0 to 2'),
        (5, '3', r'csv:22: sensor ID 3 of type 3, expected one of'),
        (0, 'inf', r'csv:22: time inf and values \[.*\], expected finite numbers'),
    ],
)
def test_fields_that_cannot_be(column, text, message, tmp_path):
    edit_field(write_trial(tmp_path, 1, positions=['WRIST']), 22, column, text, ';')
    with pytest.raises(ValueError, match=message):
        UMAFall(tmp_path).read('1')


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'holds no UMAFall_Subject_01_ADL_Walking_1_….csv, nor another trial: root must'
    ):
        UMAFall(tmp_path).parts()
    write(tmp_path / 'UMAFall_Dataset')
    with pytest.raises(FileNotFoundError, match=r"figshare\.4214283\); it is the folder 'UMAFall_Dataset' inside of it$"):
        UMAFall(tmp_path).parts()
    root = tmp_path / 'UMAFall_Dataset'
    (root / 'UMAFall_Subject_03_ADL_Dancing_1_2016-06-13_20-27-49.csv').touch()
    with pytest.raises(ValueError, match=r"Dancing_1_2016-06-13_20-27-49\.csv: the movement is 'Dancing', expected one of Apl"):
        UMAFall(root).parts()
    (root / 'UMAFall_Info.csv').touch()
    with pytest.raises(ValueError, match=r'UMAFall_Info\.csv: expected a name as UMAFall_Subject_01_ADL_Walking_1_2016'):
        UMAFall(root).parts()
    for options, message in (
        (
            dict(sensors=['pocket']),
            r"sensors: expected one or more of wrist, waist, ankle, chest, body, each once; got \('pocket'",
        ),
        (dict(positions=['body']), r'positions: expected one or more of wrist, waist, ankle, chest, each once'),
        (dict(positions=['wrist']), r"positions are those of the sensor 'body', which is not among sensors=\('wrist',\)"),
        (dict(kinds=['acc', 'acc']), r"kinds: expected one or more of acc, gyr, mag, each once; got \('acc', 'acc'\)"),
        (dict(task='falls'), r"task: expected fall or activity; got 'falls'"),
        (dict(damaged='skip'), r"damaged: expected refuse or leave_out; got 'skip'"),
        (dict(rate=-1), r'rate \(Hz\) and max_gap \(seconds\) must be above 0, got -1 and 0\.5'),
    ):
        with pytest.raises(ValueError, match=message):
            UMAFall(root, **options)


def test_files_of_the_archive(first_files):
    root = first_files('umafall_tags', 20) / 'UMAFall_Dataset'
    reader = UMAFall(root, sensors=['wrist', 'body'], kinds=['acc'], damaged='leave_out')
    result = reader.read_all()
    assert len(result.recordings) == 19  # but for one of subject 13
    assert {len(r.signal) // 10 for r in result.recordings} <= set(range(26, 32))  # 15 s at 20 Hz, a little less in common
    assert sum('13_ADL' in note and 'left out are UMAFall_Subject_13' in note for note in result.notes) == 1
    for recording in result.recordings:
        assert (
            0.8 < np.median(np.linalg.norm(recording.signal[:, :3], axis=1)) < 1.6
        )  # gravity, in g, and more while a person jogs
    assert {len(r.streams['body'].signal) == len(r.signal) for r in result.recordings if r.streams} == {True}


@pytest.mark.soak
def test_the_archive_itself(first_files):
    root = first_files('umafall_tags', 746) / 'UMAFall_Dataset'
    reader = UMAFall(root, sensors=['wrist', 'body'], kinds=['acc'], damaged='leave_out')
    assert {part: reader.rows(part) for part in reader.parts()} == {part: known['rows'] for part, known in reader.known.items()}
    result = reader.read_all()
    trials = {r.name.split(':')[0] for r in result.recordings}
    assert (len(reader.files()), len(trials)) == (746, 726)
    assert len({r.name.split(':')[0] for r in result.recordings if r.streams}) == 513
    assert (reader.notes(), tuple(reader.parts())) == ([], SUBJECTS)
