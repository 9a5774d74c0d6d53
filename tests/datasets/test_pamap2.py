import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, empty, encode_badly, lengthen, separate_by, truncate
from writers.pamap2 import write

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers.pamap2 import PAMAP2

PIPELINE = [dict(type='mmkd_plugin.NormalizeSignal', method='minmax'), dict(type='mmkd_plugin.PackWindows')]


def windows(root, test, gaps='join'):
    """Windows of a subject who is tested."""
    return WindowDataset(
        split='test',
        subjects=dict(type='LeaveOneSubjectOut', fold=PAMAP2(root).parts().index(test)),
        window=100,
        step=22,
        reader=dict(type='PAMAP2', root=str(root), gaps=gaps),
        store=str(root / 'stores'),
        pipeline=PIPELINE,
    )


def test_rows_are_joined_held_zeroed_and_thinned_as_published(tmp_path):
    activities = [0] * 15 + [24] * 90 + [0] * 20 + [1] * 105 + [18] * 5
    file = write(tmp_path, activities)
    for column in range(20, 37):  # the chest is silent in two rows that stay: 13 channels each, and orientation
        edit_field(file, 90, column, 'NaN')
        edit_field(file, 91, column, 'NaN')
    part = PAMAP2(tmp_path).read('101')
    (recording,) = part.recordings
    assert (recording.name, recording.subject) == ('101', '101')
    stay = [*range(15, 105), *range(125, 230)]
    sampled = stay[::3][22:]
    assert recording.signal.shape == (65 - 22, 40)
    assert recording.signal.dtype == np.float32
    np.testing.assert_allclose(recording.signal[:, 1], [i % 97 for i in sampled])
    chest = [0 if i in (89, 90) else i % 97 + 0.13 for i in sampled]
    np.testing.assert_allclose(recording.signal[:, PAMAP2.channels.index('chest_temperature')], chest, rtol=1e-6)
    # A beat comes in every 11th row; the last one before a row that stays, among those that stay.
    beats = {i: 100 + i // 11 for i in stay if i % 11 == 0}
    held = [beats[max(j for j in beats if j <= i)] for i in sampled]
    assert recording.signal[:, 0].tolist() == held
    names = [PAMAP2.classes[label] for label in recording.label]
    assert names == ['rope_jumping' if i < 105 else 'lying' for i in sampled]
    # The rows from the 16th to the 22nd line have no beat before them.
    assert part.notes == (f'{file}:16: 33 missing value(s) from here on set to 0, as published (heart_rate 7, chest 26)',)


def test_a_silent_heart_monitor_is_noted(tmp_path):
    file = write(tmp_path, [4] * 320, beats=160)
    part = PAMAP2(tmp_path).read('101')
    assert part.notes == (f'{file}:102: the last heart rate is held for more than 1 s (118 row(s))',)
    assert part.recordings[0].signal[:, 0].tolist() == [100] * (54 - 22) + [101] * 53


def test_channels_are_the_columns_of_the_format_without_orientation():
    assert len(PAMAP2.channels) == 40
    assert PAMAP2.channels[:5] == ('heart_rate', 'hand_temperature', 'hand_acc16_x', 'hand_acc16_y', 'hand_acc16_z')
    assert PAMAP2.channels[11:15] == ('hand_mag_x', 'hand_mag_y', 'hand_mag_z', 'chest_temperature')
    assert PAMAP2.channels[-4:] == ('ankle_gyro_z', 'ankle_mag_x', 'ankle_mag_y', 'ankle_mag_z')
    assert (len(PAMAP2.classes), PAMAP2.rate) == (12, 100 / 3)


def test_cut_begins_a_recording_where_rows_were_dropped_or_are_missing(tmp_path):
    file = write(tmp_path, [1] * 100 + [0] * 7 + [2] * 50 + [3] * 10 + [0] * 8 + [9] * 5)
    lines = file.read_text().split('\n')
    file.write_text('\n'.join(lines[:40] + lines[50:]))  # ten rows are not there
    reader = PAMAP2(tmp_path, gaps='cut')
    part = reader.read('101')
    assert [(r.name, len(r.signal)) for r in part.recordings] == [('101:1', 14), ('101:41', 17), ('101:98', 20)]
    assert part.recordings[2].label.tolist() == [1] * 17 + [2] * 3
    assert part.recordings[1].signal[0, 1] == 50
    assert part.notes[0] == f'{file}:41: the time jumps by 0.11 s, expected 0.01 s: rows are missing (1 time(s))'


@pytest.mark.parametrize(('gaps', 'beat'), [('join', 109), ('cut', 110)])
def test_a_beat_in_rows_that_are_dropped_counts_where_they_are_cut(tmp_path, gaps, beat):
    write(tmp_path, [1] * 105 + [0] * 10 + [1] * 90)
    recordings = PAMAP2(tmp_path, gaps=gaps).read('101').recordings
    row = recordings[-1].signal[105 // 3 - 22 if gaps == 'join' else 0]
    assert (row[1], row[0]) == (115 % 97, beat)


def test_the_published_counts_of_one_class_and_at_a_change(tmp_path):
    assert sum(known['windows'] for known in PAMAP2.known.values()) == 28_949
    assert sum(known['rows'] for known in PAMAP2.known.values()) == 2_872_533
    rows = 3 * (100 + 10 * 22 + 22)
    write(tmp_path, [4] * rows, '101')
    write(tmp_path, [4] * rows + [0] * 40 + [5] * rows, '102')
    write(tmp_path, [0] * 1_000 + [24] * 6_391 + [0] * 1_086, '109')  # 8,477 rows, as in the archive
    whole = windows(tmp_path, '109')
    assert len(whole) == PAMAP2.known['109']['windows'] == 92
    # One stream of 684 samples from the 23rd on: starts 22, 44, … that end before 684; the change is at 342.
    starts = [s for s in range(22, 684 - 100, 22) if (s < 342) == (s + 99 < 342)]
    assert len(windows(tmp_path, '102')) == len(starts)
    assert len(windows(tmp_path, '102', gaps='cut')) == 2 * 12
    sample = whole[0]
    assert tuple(sample['inputs'].shape) == (40, 100)
    assert sample['data_samples'].get('window_id') == '109:0'
    assert PAMAP2.classes[whole.get_data_info(0)['gt_label']] == 'rope_jumping'


def test_absent_subjects_are_noted_and_some_can_be_chosen(tmp_path):
    for subject in ('101', '104', '109'):
        write(tmp_path, [1] * 70, subject)
    reader = PAMAP2(tmp_path)
    assert reader.parts() == ['101', '104', '109']
    absent = ', '.join(f'subject{s}.dat' for s in (102, 103, 105, 106, 107, 108))
    assert reader.read_all().notes[0] == f'{tmp_path / "Protocol"}: absent are {absent}'
    some = PAMAP2(tmp_path, subjects=[104, 101])
    assert (some.parts(), some.notes()) == (['104', '101'], [])
    assert [path.name for path in some.files()] == ['subject104.dat', 'subject101.dat']
    again = pickle.loads(pickle.dumps(some))
    assert again.fingerprint() == some.fingerprint() != reader.fingerprint() != PAMAP2(tmp_path, gaps='cut').fingerprint()


# What is done to the file of subject 101, what is then said, and whether it is repaired.
DAMAGE = {
    # A cut at the end of a line leaves a whole file: only `known` tells.
    'truncated file': (truncate, r'subject101\.dat:\d+: \d+ columns, expected 54', False),
    'missing column': (lambda a: edit_field(a, 7, 30, None), r'subject101\.dat:7: 53 columns, expected 54', False),
    'text in a number': (
        lambda a: edit_field(a, 5, 4, '2.3x'),
        r"subject101\.dat:5: hand_acc16_x is '2\.3x', expected a number",
        False,
    ),
    'wrong separator': (
        lambda a: separate_by(a, ' ', ','),
        r'subject101\.dat:1: 1 columns, expected 54; are the columns separated by .white space.\?',
        False,
    ),
    'NaN run': (
        lambda a: [edit_field(a, line, 3, 'NaN') for line in (20, 21, 22)],
        r'subject101\.dat:20: 3 missing value\(s\) from here on set to 0, as published \(hand 3\)',
        True,
    ),
    'duplicate timestamp': (
        lambda a: edit_field(a, 11, 0, '8.47'),
        r'subject101\.dat:11: the timestamp repeats 8\.47 s, expected 0\.01 s more in every line',
        False,
    ),
    'negative time step': (
        lambda a: edit_field(a, 11, 0, '2.00'),
        r'subject101\.dat:11: the timestamp goes back from 8\.47 to 2\.00 s, expected 0\.01 s more',
        False,
    ),
    'wrong label': (
        lambda a: edit_field(a, 9, 1, '14'),
        r'subject101\.dat:9: activityID is 14, expected one of \[0, 1, 2, .*, 24\]',
        False,
    ),
    'empty file': (empty, r'subject101\.dat:1: the file is empty', False),
    'unreadable encoding': (encode_badly, r'subject101\.dat:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lengthen, r'subject101\.dat:3: a line of [\d,]+ characters', False),
    'absent subject': (lambda a: (a.parent / 'subject102.dat').unlink(), r'absent are subject102\.dat, subject103', True),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    write(tmp_path, [1] * 90, '102')
    do(write(tmp_path, [1] * 90))
    assert_outcome(PAMAP2(tmp_path).read_all, outcome, noted)


def test_what_cannot_be_used_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'holds no Protocol/subject101\.dat, nor another subject: root must be the folder'
    ):
        PAMAP2(tmp_path / 'none').parts()
    with pytest.raises(ValueError, match=r'subjects are some of 101, .*, 109; got 1, 110'):
        PAMAP2(tmp_path, subjects=[1, '101', 110])
    with pytest.raises(ValueError, match=r'subjects are some of 101, .*; got none'):
        PAMAP2(tmp_path, subjects=[])
    with pytest.raises(ValueError, match="gaps must be 'join' or 'cut', got 'drop'"):
        PAMAP2(tmp_path, gaps='drop')
    file = write(tmp_path, [1] * 90)
    edit_field(file, 4, 6, 'inf')
    with pytest.raises(ValueError, match=r'subject101\.dat:4: hand_acc16_z is inf, expected a finite number'):
        PAMAP2(tmp_path).read('101')
    edit_field(file, 4, 6, '0')
    edit_field(file, 3, 1, 'NaN')
    with pytest.raises(ValueError, match=r'subject101\.dat:3: activityID is nan, expected a finite number'):
        PAMAP2(tmp_path).read('101')


@pytest.mark.parametrize('gaps', ['join', 'cut'])
def test_a_file_without_an_activity_gives_nothing_and_says_so(tmp_path, gaps):
    file = write(tmp_path, [0] * 40 + [18] * 40)
    assert PAMAP2(tmp_path, gaps=gaps).read('101').recordings == ()
    assert PAMAP2(tmp_path, gaps=gaps).read('101').notes == (f'{file}: 0 rows of the 12 activities, too few for a recording',)
    write(tmp_path, [1] * 66)
    assert len(PAMAP2(tmp_path, gaps=gaps).read('101').recordings) == (gaps == 'cut')
