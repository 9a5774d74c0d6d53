import pickle

import numpy as np
import pytest
from writers.damage import KINDS, assert_outcome, edit_field, empty, encode_badly, lengthen, separate_by, truncate
from writers.tables import LAYOUT, rows_of, write

from mmkd_plugin.datasets import WindowDataset
from mmkd_plugin.datasets.readers.tables import Tables

FROM_FILE = """
channels: [acc_x]
rate: 50
label: {from: file name}
subject: {from: file name}
file_name: '{subject}_{label}_*'
"""
EXAMPLE = r'a complete file is for example \{channels: \[acc_x, acc_y, acc_z\], rate: 50, label: activity, subject: person\}'


def test_a_table_with_columns_of_labels_and_subjects(tmp_path):
    rows = rows_of('ann') + rows_of('bob', activity='rest')
    write(tmp_path, rows)
    write(tmp_path, rows_of('ann', 30, activity=''), name='b.csv')
    result = Tables(tmp_path).read_all()
    assert (result.channels, result.classes, result.rate, result.notes) == (('acc_x', 'acc_y'), ('rest', 'walk'), 50.0, ())
    assert [(r.name, r.subject, len(r.signal)) for r in result.recordings] == [
        ('a.csv:2', 'ann', 60),
        ('a.csv:62', 'bob', 60),
        ('b.csv:2', 'ann', 30),
    ]
    np.testing.assert_array_equal(result.recordings[0].label, [1] * 30 + [0] * 30)
    np.testing.assert_array_equal(result.recordings[2].label, [-1] * 30)  # nothing in the column is no label
    expected = np.array([row[1:3] for row in rows], dtype=np.float32)
    np.testing.assert_array_equal(np.concatenate([r.signal for r in result.recordings[:2]]), expected)


def test_names_of_files_tell_label_and_subject(tmp_path):
    for name in ('ann_walk_1', 'ann_rest_1', 'bob_walk_1', 'bob_walk_10'):
        write(tmp_path, [[0.1], [0.2], [0.3]], f'{name}.csv', 'acc_x', FROM_FILE)
    result = Tables(tmp_path).read_all()
    assert result.classes == ('rest', 'walk')
    assert [(r.name, r.subject, result.classes[r.label]) for r in result.recordings] == [
        ('ann_rest_1.csv:2', 'ann', 'rest'),
        ('ann_walk_1.csv:2', 'ann', 'walk'),
        ('bob_walk_1.csv:2', 'bob', 'walk'),
        ('bob_walk_10.csv:2', 'bob', 'walk'),
    ]
    write(tmp_path, [[0.1]], 'odd.csv', 'acc_x', FROM_FILE)
    message = r"odd\.csv: the name of the file is not of the form '\{subject\}_\{label\}_\*' that recordings\.yml gives"
    with pytest.raises(ValueError, match=message):
        Tables(tmp_path).read_all()
    write(tmp_path, [[0.1]], 'odd.csv', 'acc_x', FROM_FILE + 'classes: [walk]\nfiles: ann_rest*\n')
    with pytest.raises(ValueError, match=r"ann_rest_1\.csv: the label in the file name is 'rest', expected one of walk"):
        Tables(tmp_path).read_all()


def test_folders_quotes_and_other_separators(tmp_path):
    layout = """
        channels: [acc x, '2']
        rate: 20.5
        label: what
        subject: {from: file name}
        file_name: '{subject}/*'
        files: '**/*.txt'
        separator: tab
        classes: ["walk, fast", rest]
    """
    rows = [['"walk, fast"', 1, 2], ['', '3.5', '4e-1'], [' rest ', 5, 6]]
    write(tmp_path, rows, 's1/day 1.txt', '\ufeffwhat\tacc x\t2', layout, '\t')
    result = Tables(tmp_path).read_all()
    assert (result.rate, result.classes, result.recordings[0].subject) == (20.5, ('walk, fast', 'rest'), 's1')
    np.testing.assert_array_equal(result.recordings[0].label, [0, -1, 1])
    np.testing.assert_array_equal(result.recordings[0].signal, np.array([[1, 2], [3.5, 0.4], [5, 6]], dtype=np.float32))
    assert Tables(tmp_path).parts() == ['s1/day 1.txt']


def test_a_config_reads_windows_through_the_store(tmp_path):
    for place, person in enumerate(('ann', 'bob', 'cem')):
        write(tmp_path, rows_of(person, seed=place), f'{person}.csv')
    reader = dict(type='Tables', root=str(tmp_path))
    subjects = dict(train=['ann'], val=['bob'], test=['cem'])
    options = dict(reader=reader, subjects=subjects, window=10, step=10, store=str(tmp_path / 'stores'))
    dataset = WindowDataset(split='test', **options)
    assert [info['gt_label'] for info in dataset.data_list] == [1, 1, 1, 0, 0, 0]
    assert dataset.metainfo['classes'] == ['rest', 'walk']


def test_a_reader_can_be_pickled_and_knows_when_files_change(tmp_path):
    file = write(tmp_path, rows_of('ann'))
    reader = pickle.loads(pickle.dumps(Tables(tmp_path)))
    assert reader.classes == ('rest', 'walk')
    assert [f.name for f in reader.files()] == ['a.csv', 'recordings.yml']
    first = reader.fingerprint()
    assert first == Tables(tmp_path).fingerprint()
    write(tmp_path, [*rows_of('ann'), [1200, 0, 0, 'swimming', 'ann']])
    second = reader.fingerprint()
    assert second != first
    assert reader.classes == ('rest', 'swimming', 'walk')
    (tmp_path / 'recordings.yml').write_text(LAYOUT + 'classes: [swimming, walk, rest]\n')
    assert reader.fingerprint() != second
    assert reader.classes == ('swimming', 'walk', 'rest')
    assert file.is_file()


def test_classes_are_the_same_in_every_part(tmp_path):
    write(tmp_path, rows_of('ann', activity='10'))
    write(tmp_path, rows_of('bob', activity='9'), 'b.csv')
    reader = Tables(tmp_path)
    assert reader.classes == ('9', '10')  # natural order
    assert [set(reader.read(part).recordings[0].label) for part in reader.parts()] == [{1}, {0}]


def nan_run(file):
    for line in (20, 21, 22):
        edit_field(file, line, 1, 'nan', ',')


def repeat(file):
    lines = file.read_text().split('\n')
    file.write_text('\n'.join([*lines[:11], lines[10], *lines[11:]]))


# What is done to the table a.csv, what is then said, and whether it is repaired.
DAMAGE = {
    'truncated file': (truncate, r'a\.csv:37: 4 columns, expected 5 as in the first line', False),
    'missing column': (
        lambda file: edit_field(file, 1, 2, 'acc', ','),
        r"a\.csv:1: there is no column 'acc_y'; there is t, acc_x, acc, activity, person",
        False,
    ),
    'text in a number': (
        lambda file: edit_field(file, 5, 1, '0.1g', ','),
        r"a\.csv:5: acc_x is '0\.1g', expected a number",
        False,
    ),
    'wrong separator': (
        lambda file: separate_by(file, ',', ';'),
        r"a\.csv:1: there is no column '.*'; there is t;acc_x;.*; are the columns separated by ','\?",
        False,
    ),
    'NaN run': (
        nan_run,
        r"a\.csv:20: acc_x is missing, 3 missing value\(s\) in 3 row\(s\) from here on; 'missing: interpolate' or 'missing: cut'",
        False,
    ),
    'duplicate timestamp': (
        repeat,
        r'a\.csv:12: 1 row\(s\) from here on repeat the row before, time and all, and are left',
        True,
    ),
    'negative time step': (
        lambda file: edit_field(file, 11, 0, '0', ','),
        r'a\.csv:11: t goes back by 0\.16 s, expected 0\.02 s more in every row; sort the rows, or give every session a file',
        False,
    ),
    'wrong label': (
        lambda file: edit_field(file, 7, 3, 'wlak', ','),
        r"a\.csv:7: activity is 'wlak', expected one of walk, rest, or nothing for none",
        False,
    ),
    'empty file': (empty, r'a\.csv:1: the file is empty', False),
    'unreadable encoding': (encode_badly, r'a\.csv:3: no text in UTF-8: byte 0xff', False),
    'huge line': (lengthen, r'a\.csv:3: a line of [\d,]+ characters', False),
    'absent subject': (
        lambda file: edit_field(file, 9, 4, '', ','),
        r'a\.csv:9: person is empty, expected a subject',
        False,
    ),
}


@pytest.mark.parametrize('kind', KINDS)
def test_damage_is_one_error_or_a_listed_repair(kind, tmp_path):
    do, outcome, noted = DAMAGE[kind]
    do(write(tmp_path, rows_of('ann'), layout=LAYOUT + 'classes: [walk, rest]\n'))
    assert_outcome(Tables(tmp_path).read_all, outcome, noted)


def test_a_file_that_may_be_cut_off_is_noted(tmp_path):
    file = write(tmp_path, rows_of('ann'))
    file.write_bytes(file.read_bytes()[:-2])  # the subject of the last row becomes another
    result = Tables(tmp_path).read_all()
    assert [r.subject for r in result.recordings] == ['ann', 'an']
    assert 'a.csv:61: the last line has no end: the file may be cut off there' in result.notes[0]


def test_damage_that_only_tables_have(tmp_path):
    for header, rows, message in (
        ('t,acc_x,acc_x,activity,person', [], r"a\.csv:1: there is 2 columns 'acc_x'"),
        ('t,acc_x,acc_y,activity,person', [], r'a\.csv:2: the file has no row'),
        (
            't,acc_x,acc_y,activity,person',
            [[0, 1, 2, '"walk', 'ann']],
            r'a\.csv:2: the quotes are wrong: unexpected end of data',
        ),
        ('t,acc_x,acc_y,activity,person', [[0, 'inf', 2, 'walk', 'ann']], r'a\.csv:2: acc_x is infinite, expected a number'),
        ('t,acc_x,acc_y,activity,person', [[0, 1, 2, '', 'ann']], r"no row of any file has a label in 'activity'"),
    ):
        write(tmp_path, rows, header=header)
        with pytest.raises(ValueError, match=message):
            Tables(tmp_path).read_all()
    write(tmp_path, [['1,5', '2', '', 'ann']], header='acc_x;acc_y;activity;person', separator=';')
    (tmp_path / 'recordings.yml').write_text(LAYOUT.replace('time: {column: t, unit: ms}', "separator: ';'\nclasses: [a]"))
    with pytest.raises(ValueError, match=r"a\.csv:2: acc_x is '1,5', expected a number"):
        Tables(tmp_path).read_all()


@pytest.mark.parametrize(
    ('layout', 'message'),
    [
        ('channels: [a\nrate: 50', r'recordings\.yml:2: no YAML: .*expected'),
        ('- a', r'the file is .*, expected keys and values: channels, rate, label, subject, file_name, time, '),
        (LAYOUT + 'chanels: [a]', r"the file has the unknown key 'chanels', expected some of channels, rate, "),
        ('channels: [a]\nrate: 50', r'the file has no label, subject;'),
        (LAYOUT.replace('[acc_x, acc_y]', 'acc_x'), r"channels is 'acc_x', expected a list of names"),
        (LAYOUT.replace('acc_y', 'acc_x'), r'channels names one twice: acc_x, acc_x'),
        (LAYOUT.replace('acc_y', 'activity'), r'activity is a channel and label, subject or time as well'),
        (LAYOUT.replace('50', 'fast'), r"rate is 'fast', expected samples per second, above 0"),
        (LAYOUT.replace('50', '-1'), r'rate is -1, expected samples per second, above 0'),
        (
            LAYOUT.replace('activity', '{from: column}'),
            r"label is \{'from': 'column'\}, expected a column or \{from: file name",
        ),
        (LAYOUT + 'columns: [t, acc_x, activity, person]', r'columns has no acc_y; it has t, acc_x, activity, person'),
        (
            LAYOUT + "files: '*a*b*c*d*e'",
            r"files is '\*a\*b\*c\*d\*e', expected at most 4 \* in a part of the path, and \*\* once",
        ),
        (LAYOUT + "files: '**/**/*.csv'", r'expected at most 4 \* in a part of the path, and \*\* once'),
        (LAYOUT + 'classes: &a [walk]\nmissing: *a', r'recordings\.yml:\d+: no YAML: aliases \(\*name\) are not read'),
        (LAYOUT + 'classes: !!python/object/apply:os.abort []', r'recordings\.yml:\d+: no YAML: could not determine a const'),
        ('a: ' + 2000 * '[', r'recordings\.yml:1: no YAML that can be read: nested too deeply'),
        (LAYOUT.replace('50', '9' * 5000), r'recordings\.yml:1: no YAML that can be read: Exceeds the limit'),
        (LAYOUT.replace('50', '9' * 400), r'rate is 9{59}…, expected samples per second, above 0'),
        (LAYOUT.replace('activity', '2020-13-45'), r'recordings\.yml:1: no YAML that can be read: month must be'),
        (LAYOUT.replace('{column: t, unit: ms}', 't'), r"time is 't', expected keys and values: column, unit, gap"),
        (LAYOUT.replace(', unit: ms', ''), r'time has no unit'),
        (LAYOUT.replace('unit: ms', 'unit: minutes'), r"time: unit is 'minutes', expected one of s ms ns iso"),
        (LAYOUT.replace('unit: ms', 'unit: ms, gap: -1'), r'time: gap is -1, expected a number of samples, from 0'),
        (LAYOUT + 'classes: [yes, no]', r'classes has True, expected a text; put it in quotes'),
        (LAYOUT + 'missing: drop', r"missing is 'drop', expected one of refuse interpolate cut"),
        (LAYOUT + 'separator: [a]', r"separator is \['a'\], expected one of , ; tab"),
        (LAYOUT + 'files: ../*.csv', r"files is '\.\./\*\.csv', expected a pattern of paths below"),
        (FROM_FILE.replace('_{label}', ''), r"file_name is '\{subject\}_\*', but label and subject comes from the file name"),
        (LAYOUT + "file_name: '{subject}'", r"file_name is '\{subject\}', but nothing comes from the file name; expected for"),
    ],
)
def test_every_wrong_entry_is_one_clear_error(layout, message, tmp_path):
    write(tmp_path, rows_of('ann'), layout=layout)
    with pytest.raises(ValueError, match=message) as caught:
        Tables(tmp_path).read_all()
    assert '\n' not in str(caught.value)
    assert 'recordings.yml' in str(caught.value)
    if 'no YAML' not in message:
        caught.match(EXAMPLE)


def test_what_is_absent_is_said(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r'recordings\.yml does not exist: root must .*, for example \{channels: \[acc_x'
    ):
        Tables(tmp_path).read_all()
    (tmp_path / 'recordings.yml').write_text(LAYOUT)
    with pytest.raises(ValueError, match=r"holds no file '\*\.csv', which recordings\.yml there asks for"):
        Tables(tmp_path).read_all()
