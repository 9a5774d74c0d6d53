"""Tables without a header, separated by blanks, compressed, in folders; and files that are no tables in UTF-8."""

import bz2
import gzip
import lzma
import re
import time

import numpy as np
import pytest
from writers.tables import LAYOUT, rows_of, write

from mmkd_plugin.datasets.readers.path_fields import match_path
from mmkd_plugin.datasets.readers.tables import Tables

PLAIN = """
channels: [acc_x, acc_y]
rate: 50
label: activity
subject: person
"""
COLUMNS = 'columns: [t, acc_x, acc_y, activity, person]\n'


def signals(root):
    data = Tables(root).read_all()
    return [(r.name, r.subject, np.asarray(r.label).tolist(), r.signal.tolist()) for r in data.recordings]


@pytest.fixture
def expected(tmp_path):
    """What a plain table gives, with its lines counted from the second."""
    write(tmp_path / 'plain', rows_of('ann'), layout=PLAIN)
    return signals(tmp_path / 'plain')


def test_a_table_without_a_header(tmp_path, expected):
    (tmp_path / 'recordings.yml').write_text(PLAIN + COLUMNS)
    (tmp_path / 'a.csv').write_text('\n'.join(','.join(map(str, row)) for row in rows_of('ann')) + '\n')
    assert signals(tmp_path) == [('a.csv:1', *fields) for _, *fields in expected]
    (tmp_path / 'a.csv').write_text('0,1,2,walk\n')
    with pytest.raises(ValueError, match=r'a\.csv:1: 4 columns, expected 5 as columns names'):
        Tables(tmp_path).read_all()
    (tmp_path / 'recordings.yml').write_text(PLAIN + COLUMNS + "files: '*.parquet'\n")
    (tmp_path / 'a.parquet').write_bytes(b'PAR1')
    with pytest.raises(ValueError, match=r'a\.parquet: a Parquet file names its columns itself; leave columns out'):
        Tables(tmp_path).read_all()


def test_columns_that_blanks_separate(tmp_path, expected):
    lines = ['t acc_x\tacc_y  activity person', *('  '.join(map(str, row)) + ' ' for row in rows_of('ann')), ' ']
    (tmp_path / 'recordings.yml').write_text(PLAIN + 'separator: blanks\n')
    (tmp_path / 'a.csv').write_text('\n'.join(lines) + '\n')
    assert signals(tmp_path) == expected
    (tmp_path / 'a.csv').write_text('t acc_x acc_y activity person\n0 1 2 "up stairs" ann\n')
    assert Tables(tmp_path).read_all().classes == ('up stairs',)


def test_a_compressed_table_and_names_of_folders(tmp_path, expected):
    layout = PLAIN.replace('activity', '{from: file name}').replace('person', '{from: file name}')
    (tmp_path / 'recordings.yml').write_text(layout + "file_name: '{label}/{subject}/*'\nfiles: '**/*.csv.gz'\n")
    for label in ('walk', 'rest'):
        (tmp_path / label / 'ann').mkdir(parents=True)
        text = 'acc_x,acc_y\n' + ''.join(f'{x},{y}\n' for _, x, y, each, _ in rows_of('ann') if each == label)
        (tmp_path / label / 'ann' / 'day.1.csv.gz').write_bytes(gzip.compress(text.encode()))
    data = Tables(tmp_path).read_all()
    assert [(r.name, r.subject, data.classes[r.label]) for r in data.recordings] == [
        (f'{label}/ann/day.1.csv.gz:2', 'ann', label) for label in ('rest', 'walk')
    ]
    (plain,) = expected
    assert data.recordings[1].signal.tolist() + data.recordings[0].signal.tolist() == plain[3]


NO_TEXT = {
    'a.csv': (gzip.compress(b'x'), "compressed by gzip: end the file's name in .gz, or unpack it"),
    'b.csv': (b'PK\x03\x04....xl/workbook.xml', 'an Excel workbook: save its sheet as CSV UTF-8'),
    'c.xlsx': (b'PK\x03\x04', 'an Excel workbook: save its sheet as CSV UTF-8'),
    'd.csv': (b'PK\x03\x04', 'a zip archive: unpack it'),
    'e.xls': (b'\xd0\xcf\x11\xe0', 'an Excel workbook of the old format: save its sheet as CSV UTF-8'),
    'f.csv': ('x,y\n1,2\n'.encode('utf-16'), 'text in UTF-16: save the file as UTF-8'),
    'g.csv': ('x,y\n1,2\n'.encode('utf-16-le'), 'zero bytes: a binary file, or text in UTF-16; expected text in UTF-8'),
    'h.csv': (b'x,y\r1,2\r', 'lines that end in CR alone, as those of old Macs: save the file with LF or CRLF'),
    'i.csv': (b'PAR1', "Parquet: end the file's name in .parquet"),
    'j.csv.gz': (b'\x1f\x8b\x08\x00', 'no gzip that can be read: '),
    'l.csv': (bz2.compress(b'x'), 'compressed by bzip2: unpack it'),
    'm.csv': (lzma.compress(b'x'), 'compressed by xz: unpack it'),
    'n.csv': (b'\x89HDF\r\n\x1a\n\0\0', 'HDF5: bring its arrays with save_recordings'),
    'o.csv': ('x,y\n1,2\n'.encode('utf-32'), 'text in UTF-32: save the file as UTF-8'),
    'p.csv': (b'x,y\r1,2\r3,4\n', 'lines that end in CR alone, as those of old Macs: save the file with LF or CRLF'),
    'q.csv': (
        b'version https://git-lfs.github.com/spec/v1\n',
        "a pointer of Git LFS: fetch the file itself with 'git lfs pull'",
    ),
    'k.csv.gz': (b'x,y\n1,2\n', "no gzip that can be read: Not a gzipped file (b'x,')"),
}


@pytest.mark.parametrize('name', NO_TEXT)
def test_a_file_that_is_no_text_in_utf_8_is_named_as_what_it_is(name, tmp_path):
    content, message = NO_TEXT[name]
    (tmp_path / 'recordings.yml').write_text(PLAIN + f"files: '{name}'\n")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=re.escape(f'{name}:1: {message}')):
        Tables(tmp_path).read_all()


def test_decimal_commas_are_named(tmp_path):
    write(
        tmp_path,
        [['0', '1,5', '2', 'walk', 'ann']],
        header='t;acc_x;acc_y;activity;person',
        layout=PLAIN + "separator: ';'",
        separator=';',
    )
    message = r"a\.csv:2: acc_x is '1,5', expected a number; decimals are written with a point, not with a comma"
    with pytest.raises(ValueError, match=message):
        Tables(tmp_path).read_all()


def test_a_file_that_unpacks_to_far_more_than_its_size_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr('mmkd_plugin.fileio.arrays.ROOM', 10_000)  # 256 MiB otherwise
    (tmp_path / 'recordings.yml').write_text(LAYOUT + "files: '*.gz'\n")
    (tmp_path / 'a.csv.gz').write_bytes(gzip.compress(bytes(10**6)))
    with pytest.raises(ValueError, match=r'a\.csv\.gz:1: [\d,]+ bytes that unpack to more than [\d,]+, which no table does'):
        Tables(tmp_path).read_all()


@pytest.mark.parametrize(
    ('pattern', 'path', 'fields'),
    [
        ('{subject}_{label}_*', 'ann_walk_1_2', dict(subject='ann', label='walk')),
        ('{label}/{subject}/*', 'walk/ann/x', dict(subject='ann', label='walk')),
        ('{label}/*', 'walk/ann/x', None),
        ('*_{subject}', 'a_b_c', dict(subject='c')),
        ('{subject}{label}', 'abc', dict(subject='a', label='bc')),
        ('{subject}', '', None),
        ('*', '', {}),
        ('a*b*c', 'axbxbxc', {}),
        ('a*b', 'a/b', None),
        ('[{subject}]', '[ann]', dict(subject='ann')),
        ('{subject}.x', 'annx', None),
    ],
)
def test_a_path_is_matched_as_a_regular_expression_would(pattern, path, fields):
    assert match_path(pattern, path) == fields
    parts = re.split(r'(\{subject\}|\{label\}|\*)', pattern)
    regex = ''.join('[^/]*' if p == '*' else f'(?P<{p[1:-1]}>[^/]+?)' if p[:1] == '{' else re.escape(p) for p in parts)
    match = re.fullmatch(regex, path)
    assert fields == (match.groupdict() if match else None)


def test_a_pattern_of_many_stars_takes_no_time():
    started = time.monotonic()
    assert match_path('*a' * 60 + '{subject}b', 'a' * 250) is None
    assert match_path('*a' * 60 + '{subject}', 'a' * 250) == dict(subject='a')
    assert time.monotonic() - started < 1  # a regular expression would not end
