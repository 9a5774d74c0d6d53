import gzip

import numpy as np
import pytest
from writers.tables import write

from mmkd_plugin.datasets.readers.tables import Tables

PLAIN = """
channels: [acc_x]
rate: 50
label: activity
subject: person
"""


def test_words_for_no_label_are_no_class(tmp_path):
    rows = [[float(i), word, 'ann'] for i, word in enumerate(('walk', 'NaN', 'None', 'null', '', 'nan', 'NA', 'rest', 'none'))]
    write(tmp_path, rows, header='acc_x,activity,person', layout=PLAIN)
    result = Tables(tmp_path).read_all()
    assert result.classes == ('rest', 'walk')
    np.testing.assert_array_equal(result.recordings[0].label, [1, -1, -1, -1, -1, -1, -1, 0, -1])
    sentence = (
        "a.csv:3: 6 row(s) from here on have 'NA', 'NaN', 'None', 'nan', 'none', 'null' for activity, which means no label"
    )
    assert len(result.notes) == 1
    assert sentence in result.notes[0]
    write(tmp_path, rows, header='acc_x,activity,person', layout=PLAIN + 'classes: [none, walk, rest]\n')
    result = Tables(tmp_path).read_all()  # a class that the user lists is one
    np.testing.assert_array_equal(result.recordings[0].label, [1, -1, -1, -1, -1, -1, -1, 2, 0])
    write(tmp_path, [[0.0, 'walk', 'NaN']], header='acc_x,activity,person', layout=PLAIN)
    with pytest.raises(ValueError, match=r'a\.csv:2: person is NaN, expected a subject'):
        Tables(tmp_path).read_all()
    rows = [[i, word, 'ann'] for i, word in enumerate(('walk', '#N/A', '-nan', '\\N', '?', 'rest'))]
    write(tmp_path, rows, header='acc_x,activity,person', layout=PLAIN)  # of Excel, C, databases and ARFF
    np.testing.assert_array_equal(Tables(tmp_path).read_all().recordings[0].label, [1, -1, -1, -1, -1, 0])


def test_quotes_are_no_part_of_a_name(tmp_path):
    rows = [[0.1, ' "walk"', ' "ann"'], [0.2, 'walk', 'ann'], [0.3, "'walk'", " 'ann'"], [' "0.4"', '"walk" ', '"ann" ']]
    write(tmp_path, rows, header='acc_x, "activity" , \'person\'', layout=PLAIN)
    result = Tables(tmp_path).read_all()
    assert (result.classes, [r.subject for r in result.recordings]) == (('walk',), ['ann'])
    np.testing.assert_array_equal(result.recordings[0].signal[:, 0], np.array([0.1, 0.2, 0.3, 0.4], dtype=np.float32))


def test_hidden_files_are_left_out_and_endings_may_be_capitals(tmp_path):
    for name in ('a.csv', 'B.CSV', 'sub/c.Csv', '.ipynb_checkpoints/a-checkpoint.csv', 'sub/.hidden.csv'):
        write(tmp_path, [[0.1, 'walk', 'ann']], name, 'acc_x,activity,person', PLAIN + "files: '**/*.csv'\n")
    (tmp_path / '._a.csv').write_bytes(b'\0\5\x16\7Mac OS X')
    reader = Tables(tmp_path)
    assert reader.parts() == ['B.CSV', 'a.csv', 'sub/c.Csv']
    left_out = '._a.csv, .ipynb_checkpoints/a-checkpoint.csv, sub/.hidden.csv'
    assert reader.read_all().notes == (f'{tmp_path}: 3 hidden file(s), whose name begins with a dot, are left out: {left_out}',)
    (tmp_path / 'recordings.yml').write_text(PLAIN + "files: '.ipynb_checkpoints/*.csv'\n")  # asked for by name
    assert reader.parts() == ['.ipynb_checkpoints/a-checkpoint.csv']
    (tmp_path / 'recordings.yml').write_text(PLAIN + "files: '._*.csv'\n")
    assert reader.parts() == ['._a.csv']
    (tmp_path / 'recordings.yml').write_text(PLAIN + "files: 'sub/*h*.csv'\n")
    with pytest.raises(
        ValueError, match=r"holds no file 'sub/\*h\*\.csv', which .*; left out are hidden files: sub/\.hidden\.csv"
    ):
        reader.parts()


def test_both_endings_of_a_compressed_file_may_be_capitals(tmp_path):
    write(tmp_path, [[0.1, 'walk', 'ann']], header='acc_x,activity,person', layout=PLAIN + "files: '*.csv.gz'\n")
    (tmp_path / 'B.CSV.GZ').write_bytes(gzip.compress((tmp_path / 'a.csv').read_bytes()))
    assert Tables(tmp_path).parts() == ['B.CSV.GZ']


def test_a_key_that_stands_twice_is_refused(tmp_path):
    for more, message in (
        ('rate: 100\n', r"recordings\.yml:6: no YAML: the key 'rate' stands twice"),
        ('time: {column: t, gap: 0, unit: s, gap: 5}\n', r"recordings\.yml:6: no YAML: the key 'gap' stands twice"),
    ):
        write(tmp_path, [[0.1, 'walk', 'ann']], header='acc_x,activity,person', layout=PLAIN + more)
        with pytest.raises(ValueError, match=message):
            Tables(tmp_path).read_all()
