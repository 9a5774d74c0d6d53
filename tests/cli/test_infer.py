"""`mmkd infer`: decisions on standard output or in a file, everything else on standard error."""

import csv
import json

import numpy as np
import pytest
from helpers import write_student

from mmkd_plugin.datasets import BasicMotions
from mmkd_plugin.deploy import Contract


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A student of BasicMotions' sensors, and two tables."""
    folder = tmp_path_factory.mktemp('infer')
    signal = np.concatenate([r.signal for r in BasicMotions().read('train').recordings]).astype(np.float64)
    contract = Contract(
        classes=('rest', 'walk'),
        channels=BasicMotions.channels,
        rate=10.0,
        window=100,
        hop=50,
        statistics={name: getattr(signal, name)(0).tolist() for name in ('mean', 'std', 'min', 'max')},
        subjects=('x',),
    )
    write_student(folder / 'student_best.pth', contract)
    for name, part in (('a', signal[1000:1250]), ('b', signal[3000:3200])):
        np.savetxt(folder / f'{name}.csv', part, delimiter=',', header=','.join(contract.channels), comments='')
    return folder


def test_decisions_are_alone_on_the_standard_output(folder, mmkd):
    done = mmkd('infer', folder / 'student_best.pth', folder / 'a.csv', folder / 'b.csv', '--format', 'csv')
    assert (done.returncode, done.stderr) == (0, '')
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row['source'].rpartition('/')[2], row['start'], row['end']) for row in rows] == [
        *(('a.csv', str(float(start)), str(float(start + 10))) for start in (0, 5, 10, 15)),
        *(('b.csv', str(float(start)), str(float(start + 10))) for start in (0, 5, 10)),
    ]
    assert all(float(row['p(rest)']) + float(row['p(walk)']) == pytest.approx(1, abs=2e-6) for row in rows)


def test_options_reach_the_student(folder, mmkd):
    words = ['infer', folder / 'student_best.pth', folder / 'a.csv', '--device', 'cpu', '--batch-size', '2']
    done = mmkd(*words, '--rate', '20', '--hop', '10', '--vote', 'mean', '--format', 'json')
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    assert [(row['start'], row['end']) for row in rows] == [(0, 1), (1, 2), (2, 10), (10, 11), (11, 12)]
    assert f'warning: resampled from 20 Hz to the 10 Hz of the student: {folder}/a.csv\n' in done.stderr
    assert 'warning: samples after the last window are left out, at most 5 (0.50 s)' in done.stderr


def test_a_table_for_people_is_the_default_and_a_file_is_written_whole(folder, mmkd, tmp_path):
    done = mmkd('infer', folder / 'student_best.pth', folder / 'b.csv')
    assert done.stdout.splitlines()[0].split() == ['source', 'start', 'end', 'class', 'probability']
    for name, first in (('b.json', '['), ('b.csv', 'source,'), ('b.txt', 'source ')):
        done = mmkd('infer', folder / 'student_best.pth', folder / 'b.csv', '--out', tmp_path / 'new' / name)
        assert done.stdout == f'3 decisions on 1 file(s): {tmp_path}/new/{name}\n'
        assert (tmp_path / 'new' / name).read_text().startswith(first)
    assert sorted(path.name for path in (tmp_path / 'new').iterdir()) == ['b.csv', 'b.json', 'b.txt']


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['a.csv', 'none.csv'], 'none.csv does not exist'),
        (['a.csv', 'a.csv', '--out', 'a.csv'], '--out a.csv is one of the files that are read'),
        (['a.csv', '--out', '.'], '--out . is a folder, expected a file'),
        (['short.csv'], 'short.csv has 99 samples at 10 Hz, expected 100 or more: the student reads windows of 10 s'),
        (['other.csv'], "other.csv has no channel gyr_z; the student reads acc_x, acc_y, acc_z, gyr_x, gyr_y, gyr_z, and there is"),
        (['a.csv', '--device', 'quantum'], "device must be one that torch has here, such as 'cpu'; got 'quantum'"),
        (['fast.csv', '--strict'], 'fast.csv: acc_x, acc_y, acc_z: the acceleration has a size of '),
        (['a.csv', '--hop', '0'], 'hop must be a whole number, at least 1, got 0'),
    ],
)  # fmt: skip
def test_what_cannot_be_classified_is_one_sentence_and_nothing_is_written(words, message, folder, mmkd, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    lines = (folder / 'a.csv').read_text().splitlines()
    (tmp_path / 'short.csv').write_text('\n'.join(lines[:100]) + '\n')
    (tmp_path / 'other.csv').write_text('\n'.join([lines[0].replace('gyr_z', 'gyro_z'), *lines[1:]]) + '\n')
    values = np.loadtxt(folder / 'a.csv', delimiter=',', skiprows=1) * [30, 30, 30, 1, 1, 1]
    np.savetxt(tmp_path / 'fast.csv', values, delimiter=',', header=lines[0], comments='')
    before = sorted(path.name for path in tmp_path.iterdir())
    out = [] if '--out' in words else ['--out', 'new.csv']
    done = mmkd('infer', 'student_best.pth', *words, *out)
    assert done.returncode == 1
    assert done.stderr.startswith(f'error: {message}')
    assert done.stdout == ''
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_file_that_is_no_student_and_a_wrong_command_line(folder, mmkd):
    done = mmkd('infer', folder / 'a.csv', folder / 'a.csv')
    assert (done.returncode, done.stdout) == (1, '')
    assert done.stderr.startswith(f'error: {folder}/a.csv')
    done = mmkd('infer', folder / 'student_best.pth')
    assert done.returncode == 2
    assert 'the following arguments are required: FILE' in done.stderr
    assert mmkd('infer', folder / 'student_best.pth', folder / 'a.csv', '--vote', 'max').returncode == 2
