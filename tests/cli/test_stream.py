"""`mmkd stream`: a recording replayed, at a speed, on a terminal and elsewhere."""

import _thread
import csv
import signal
import threading
import time

import pytest


def test_a_replay_gives_the_lines_of_the_inferencer(replayed, mmkd):
    done = mmkd('stream', replayed / 'student_best.pth', replayed / 'a.csv', '--speed', 'max')
    assert done.returncode == 0
    assert 'gap(s) from here on' in done.stderr
    asked = mmkd('infer', replayed / 'student_best.pth', replayed / 'a.csv', '--format', 'csv', '--batch-size', '1')
    expected = [
        f'{row["recording"]}  {float(row["start"]):.2f} s  {float(row["end"]):.2f} s  {row["class"]}  {float(row["probability"]):.1%}'
        for row in csv.DictReader(asked.stdout.splitlines())
    ]
    assert done.stdout.splitlines() == expected
    assert len(expected) == 9 + 14
    words = '--speed', 'max', '--hop', '20', '--vote', 'mean', '--threshold', '1', '--hold', '2', '--minimum', '3'
    held = mmkd('stream', replayed / 'student_best.pth', replayed / 'a.csv', *words).stdout.splitlines()
    assert len(held) == 5 + 7
    assert len({line.split('  ')[3] for line in held[:5]}) == 1


def test_a_terminal_has_a_live_line(replayed, mmkd, monkeypatch):
    monkeypatch.setenv('FORCE_COLOR', '1')
    monkeypatch.setenv('TERM', 'xterm')
    words = '--speed', 'max', '--threshold', '1'
    done = mmkd('stream', replayed / 'student_best.pth', replayed / 'a.csv', *words)
    assert done.returncode == 0
    assert '\x1b[?25l' in done.stdout  # the cursor is hidden
    assert done.stdout.rindex('\x1b[?25h') > done.stdout.rindex('█')  # and shown again
    assert '█' in done.stdout


def test_speed_is_of_the_recording_and_ctrl_c_ends_it(replayed, mmkd):
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # where the tests run in the background, it is ignored
    started = time.monotonic()
    assert mmkd('stream', replayed / 'student_best.pth', replayed / 'a.csv', '--speed', '60').returncode == 0
    assert time.monotonic() - started > 25 / 60
    threading.Timer(0.7, _thread.interrupt_main).start()
    done = mmkd('stream', replayed / 'student_best.pth', replayed / 'a.csv', '--speed', '5')
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
def test_what_cannot_be_replayed_is_one_sentence(words, code, message, replayed, mmkd, tmp_path):
    for path in replayed.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    done = mmkd('stream', 'student_best.pth', *words)
    assert (done.returncode, done.stdout) == (code, '')
    assert message in done.stderr
