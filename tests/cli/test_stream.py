"""`mmkd stream`: a recording replayed, at a speed, on a terminal and elsewhere."""

import _thread
import csv
import signal
import threading
import time

import numpy as np
import pytest
from helpers import write_student

from mmkd_plugin.datasets import BasicMotions
from mmkd_plugin.deploy import Contract


@pytest.fixture(scope='module')
def folder(tmp_path_factory):
    """A student of BasicMotions' sensors, and a table of 25 s with a gap."""
    folder = tmp_path_factory.mktemp('stream')
    signal = np.concatenate([r.signal for r in BasicMotions().read('train').recordings]).astype(np.float64)
    contract = Contract(
        classes=('rest', 'walk'),
        channels=BasicMotions.channels,
        rate=10.0,
        window=20,
        hop=10,
        statistics={name: getattr(signal, name)(0).tolist() for name in ('mean', 'std', 'min', 'max')},
        subjects=('x',),
    )
    write_student(folder / 'student_best.pth', contract)
    times = np.arange(250) / 10
    times[100:] += 60
    table = np.column_stack([times, signal[1000:1250]])
    np.savetxt(folder / 'a.csv', table, delimiter=',', header=f'time,{",".join(contract.channels)}', comments='')
    np.savetxt(folder / 'short.csv', table[:19], delimiter=',', header=f'time,{",".join(contract.channels)}', comments='')
    return folder


def test_a_replay_gives_the_lines_of_the_inferencer(folder, mmkd):
    done = mmkd('stream', folder / 'student_best.pth', folder / 'a.csv', '--speed', 'max')
    assert done.returncode == 0
    assert 'gap(s) from here on' in done.stderr
    asked = mmkd('infer', folder / 'student_best.pth', folder / 'a.csv', '--format', 'csv', '--batch-size', '1')
    expected = [
        f'{row["recording"]}  {float(row["start"]):.2f} s  {float(row["end"]):.2f} s  {row["class"]}  {float(row["probability"]):.1%}'
        for row in csv.DictReader(asked.stdout.splitlines())
    ]
    assert done.stdout.splitlines() == expected
    assert len(expected) == 9 + 14
    words = '--speed', 'max', '--hop', '20', '--vote', 'mean', '--threshold', '1', '--hold', '2', '--minimum', '3'
    held = mmkd('stream', folder / 'student_best.pth', folder / 'a.csv', *words).stdout.splitlines()
    assert len(held) == 5 + 7
    assert len({line.split('  ')[3] for line in held[:5]}) == 1


def test_a_terminal_has_a_live_line(folder, mmkd, monkeypatch):
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('TERM', 'xterm')
    words = '--speed', 'max', '--threshold', '1'
    done = mmkd('stream', folder / 'student_best.pth', folder / 'a.csv', *words)
    assert done.returncode == 0
    assert '\x1b[?25l' in done.stdout  # the cursor is hidden
    assert done.stdout.rindex('\x1b[?25h') > done.stdout.rindex('█')  # and shown again
    assert '█' in done.stdout


def test_speed_is_of_the_recording_and_ctrl_c_ends_it(folder, mmkd):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
    started = time.monotonic()
    assert mmkd('stream', folder / 'student_best.pth', folder / 'a.csv', '--speed', '60').returncode == 0
    assert time.monotonic() - started > 25 / 60
    threading.Timer(0.7, _thread.interrupt_main).start()
    done = mmkd('stream', folder / 'student_best.pth', folder / 'a.csv', '--speed', '5')
    signal.signal(signal.SIGINT, before)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (130, 'stopped')
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ('words', 'code', 'message'),
    [
        (['a.csv', '--speed', '0'], 2, "argument --speed: '0' is neither a number above 0 nor max"),
        (['a.csv', '--speed', 'fast'], 2, "argument --speed: 'fast' is neither a number above 0 nor max"),
        (['a.csv', '--hold', '0'], 1, 'error: hold must be a whole number, at least 1, got 0'),
        (['none.csv'], 1, 'error: none.csv does not exist'),
        (
            ['short.csv', '--speed', 'max'],
            1,
            'error: short.csv has no recording of a window, 20 samples at 10 Hz: the student would decide nothing',
        ),
    ],
)
def test_what_cannot_be_replayed_is_one_sentence(words, code, message, folder, mmkd, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = mmkd('stream', 'student_best.pth', *words)
    assert (done.returncode, done.stdout) == (code, '')
    assert message in done.stderr
