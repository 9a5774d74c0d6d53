"""Damaged files of every kind are read, or refused by a sentence that names the file; ``tools/dev/fuzz.py`` tries many more."""

import os
import signal

import fuzz
import pytest
from fuzz_kinds import KINDS, Kind, digest

TRIES = 12


@pytest.mark.parametrize('kind', KINDS)
def test_damaged_files_are_read_or_refused_by_name(kind, tmp_path, request):
    run = request.getfixturevalue('entropy_run') if KINDS[kind].of_run else None
    template = fuzz.prepare(kind, tmp_path / 'whole', run)
    for number in range(TRIES):
        outcome = fuzz.attempt(template, number, 0, tmp_path / 'copy')
        assert outcome.result in ('read', 'other', 'refused'), (number, outcome)


def write(folder):
    folder.mkdir()
    (folder / 'a.txt').write_text('1,2\n')


def loop(folder):
    while True:
        pass


def fail(folder):
    raise TypeError('not on purpose')


def refuse(folder):
    raise ValueError('that is no file')


PLANTED = {
    'a crash': (lambda folder: os.kill(os.getpid(), signal.SIGKILL), 'fault', 'the process has ended with status -9'),
    'a loop': (loop, 'fault', 'more than 20 s of the processor'),
    'memory': (lambda folder: bytes(2**34), 'fault', 'MemoryError'),
    'an error that nobody expects': (fail, 'fault', 'TypeError: not on purpose'),
    'a sentence about no file': (refuse, 'unnamed', 'ValueError: that is no file'),
    'another result': (lambda folder: (folder / 'a.txt').read_bytes(), 'other', ''),
    'the same result': (lambda folder: None, 'read', ''),
}


@pytest.mark.parametrize('name', PLANTED)
def test_what_comes_of_a_try_is_told_apart(name, tmp_path, monkeypatch):
    read, result, reason = PLANTED[name]
    monkeypatch.setattr(fuzz, 'SECONDS', 1)
    monkeypatch.setitem(KINDS, 'planted', Kind('readers', write, read))
    write(tmp_path / 'whole')
    template = fuzz.Template('planted', tmp_path / 'whole', digest(None, tmp_path / 'whole'))
    number = list(KINDS).index('planted')
    ((_, outcome),) = fuzz.tries({'planted': template}, [number, number + 1], 0, tmp_path / 'copy')
    assert outcome.result == result
    assert outcome.reason.startswith(reason)


def test_a_number_and_a_seed_decide_a_try(tmp_path):
    template = fuzz.prepare('tables', tmp_path / 'whole')

    def content(number, seed):
        fuzz.attempt(template, number, seed, tmp_path / 'copy')
        return {path.name: path.read_bytes() for path in (tmp_path / 'copy').iterdir()}

    assert content(3, 0) == content(3, 0)
    assert len({str(content(number, seed)) for number in range(4) for seed in range(2)}) > 6
