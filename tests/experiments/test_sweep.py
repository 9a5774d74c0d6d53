"""The scheduler, with an engine that does at once what the test says; records and folders of runs."""

import io
import json
import subprocess
import sys

import numpy as np
import pytest
from helpers import ROOT
from writers.records import CLASSES, record, respond, row, windows

from mmkd_plugin.experiments import (
    Plan,
    Run,
    Teacher,
    append_record,
    finished_keys,
    read_records,
    record_of,
    run_sweep,
)
from mmkd_plugin.experiments.launch import Event, plan_places
from mmkd_plugin.experiments.watch import Display, LiveDisplay, State, clock
from mmkd_plugin.fileio import LockedError, locked, read_predictions, write_predictions, write_result


class Lines(Display):
    """Keeps what is said."""

    def __init__(self):
        super().__init__()
        self.lines, self.closed = [], False

    def say(self, line):
        self.lines.append(line)

    def close(self):
        self.closed = True


class Script:
    """Ends tasks in the order in which they came; ``fates`` says how tries of a key end, after which they finish."""

    description, slots = 'a script', 2

    def __init__(self, records, fates=()):
        self.records, self.fates = records, {key: list(ends) for key, ends in dict(fates).items()}
        self.begun, self.now, self.closed = [], [], False

    @property
    def free(self):
        return self.slots - len(self.now)

    def submit(self, task):
        self.begun.append(task.key)
        self.now.append(task)

    def poll(self, seconds):
        assert self.now, 'the scheduler waits for nothing'
        task = self.now.pop(0)
        fate = self.fates.get(task.key) or ['finished']
        end = fate.pop(0)
        if end != 'finished':
            return [Event(task.key, 'failed', {'reason': end, 'again': end != 'for good'})]
        if not task.teacher:
            append_record(record('kd', {'1': 10}, key=task.key), self.records)
        return [Event(task.key, 'finished', {'seconds': 1.0, 'val': {'accuracy': 0.5}})]

    def close(self):
        self.closed = True


def run_of(key, *teachers, seed=0):
    return Run(key, 'kd', 'watch', None, seed, {}, {'work_dir': f'w/{key}'}, teachers)


def teacher_of(folder):
    return Teacher(str(folder), 'teacher sig', 'sig', {})


def sweep(tmp_path, runs, teachers=(), fates=(), retries=2):
    engine, lines = Script(tmp_path / 'runs.jsonl', fates), Lines()
    failures = run_sweep(Plan(list(runs), list(teachers)), tmp_path, engine, lines, retries)
    assert (engine.closed, lines.closed) == (True, True)
    return engine, lines.lines, failures


def test_teachers_are_made_first_and_once_and_what_needs_none_does_not_wait(tmp_path):
    sig = str(tmp_path / 'sig')
    runs = [run_of('a', sig), run_of('b', sig, seed=1), run_of('c')]
    engine, lines, failures = sweep(tmp_path, runs, [teacher_of(sig)])
    assert engine.begun == [sig, 'c', 'a', 'b']
    assert failures == []
    assert lines[0] == '[1/4] teacher sig: trained in 1 s'
    assert lines[-1] == '[4/4] watch: kd, seed 1: accuracy 50.00 on validation, 1 s'


def test_of_runs_that_read_the_same_outputs_of_teachers_one_goes_ahead(tmp_path):
    sig = tmp_path / 'sig'
    sig.mkdir()
    (sig / 'result.json').touch()
    runs = [run_of('a', str(sig)), run_of('b', str(sig), seed=1), run_of('c')]
    engine, _, _ = sweep(tmp_path, runs, [teacher_of(sig)])
    assert engine.begun == ['a', 'c', 'b']  # the trained teacher is not made again


def test_what_has_died_is_tried_again_and_then_listed_with_its_reason(tmp_path):
    runs = [run_of('a'), run_of('b', seed=1), run_of('c', seed=2)]
    fates = {'a': ['killed'], 'b': ['killed', 'out of memory', 'NaN'], 'c': ['for good']}
    engine, lines, failures = sweep(tmp_path, runs, fates=fates)
    assert [engine.begun.count(key) for key in 'abc'] == [2, 3, 1]
    assert [(failure.title, failure.reason) for failure in failures] == [
        ('watch: kd, seed 2', 'for good'),
        ('watch: kd, seed 1', 'NaN'),
    ]
    assert 'watch: kd, seed 0: killed; try 2 of 3 follows' in lines
    assert 'watch: kd, seed 1: FAILED: NaN; see w/b/log.txt' in lines
    failed = {r['key']: r['ended'] for r in read_records(tmp_path / 'runs.jsonl') if r['ended']['state'] == 'failed'}
    assert failed == {
        'b': {'state': 'failed', 'reason': 'NaN'},
        'c': {'state': 'failed', 'reason': 'for good'},
    }
    assert finished_keys(tmp_path) == {'a'}
    engine, _, failures = sweep(tmp_path, runs)
    assert (engine.begun, failures) == (['b', 'c'], [])  # the same command goes on


def test_runs_whose_teacher_fails_are_not_begun(tmp_path):
    sig = str(tmp_path / 'sig')
    engine, _, failures = sweep(tmp_path, [run_of('a', sig), run_of('b')], [teacher_of(sig)], {sig: ['NaN', 'NaN']}, retries=1)
    assert engine.begun == [sig, 'b', sig]
    assert [failure.reason for failure in failures] == ['NaN', 'teacher sig has failed: NaN']


def test_a_torn_record_is_made_again(tmp_path):
    whole = record('kd', {'1': 10}, key='a')
    (tmp_path / 'runs.jsonl').write_text(json.dumps(whole)[:-20])
    engine, lines, _ = sweep(tmp_path, [run_of('a')])
    assert engine.begun == ['a']
    assert lines[0].endswith('runs.jsonl, line 1 is not the whole record of a run and is left out')
    assert read_records(tmp_path / 'runs.jsonl') == [whole]


def test_a_second_sweep_in_a_folder_is_refused(tmp_path):
    with locked(tmp_path / '.lock', 'the folder', print), pytest.raises(LockedError, match='is in use by process'):
        sweep(tmp_path, [run_of('a')])


def test_workers_share_no_core_unless_a_gpu_has_more_runs_than_there_are_cores():
    assert [place.cores for place in plan_places([0, 1, 4, 5])] == [(0,), (1,), (4,), (5,)]
    assert [place.cores for place in plan_places([0, 1, 4, 5, 6], threads=2)] == [(0, 1), (4, 5)]
    assert [place.cores for place in plan_places([0, 1, 4], workers=2)] == [(0,), (1,)]
    assert {place.gpu for place in plan_places([0, 1])} == {''}  # none, also where there is one
    places = plan_places([0, 1, 2], threads=1, gpus=['0', '3'], per_gpu=2)
    assert [(place.gpu, place.cores) for place in places] == [('0', (0,)), ('3', (1,)), ('0', (2,)), ('3', (0,))]
    places = plan_places(range(4), threads=2, gpus=['0', '1'], per_gpu=8)
    assert [place.gpu for place in places] == 8 * ['0', '1']
    assert {(len(place.cores), place.threads) for place in places} == {(1, 1)}  # more runs than cores for two threads each
    assert {place.threads for place in plan_places(range(4), threads=2, gpus=['0', '1'])} == {2}


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(workers=3), r'--workers 3 with 1 thread\(s\) each need 3 cores, this process may use 2; workers that share'),
        (dict(threads=3), r'--threads 3: this process may use 2 core\(s\)'),
        (dict(threads=0), '--threads must be at least 1, got 0'),
        (dict(workers=1, gpus=['0']), '--workers is for runs on the CPU; --runs-per-gpu says how many share a GPU'),
    ],
)
def test_more_than_there_are_cores_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        plan_places([0, 1], **options)


def test_the_display_shows_what_is_done_what_runs_the_rate_and_the_best_on_validation():
    from rich.console import Console

    running = {f'watch: kd, seed {seed}': (0.5, 'epoch 3/6') for seed in range(14)}
    state = State(20, 4, 1, running, 120.0, 450.0, '71.30 accuracy (watch: at, seed 0)')
    console = Console(width=100, record=True, file=io.StringIO(), force_terminal=True)
    display = LiveDisplay(console)
    display.show(state)
    display.close()
    console.print(display.draw(state))
    lines = console.export_text().splitlines()
    assert sum('epoch 3/6 watch: kd' in line for line in lines) >= 12
    assert 'and 2 more' in lines[-2] or 'and 2 more' in ''.join(lines)
    text = ' '.join(line.strip() for line in lines)
    assert '4 of 20 done, 14 running, 1 failed, 120 per hour, 8 min left; best on validation: 71.30 accuracy' in text
    assert [clock(seconds) for seconds in (25, 720, 12600)] == ['25 s', '12 min', '3.5 h']


def write_run(folder, right):
    """The folder of a finished run, as training leaves it, of a student that is right on some of 20 windows."""
    labels, subjects = windows(right)
    test = dict(accuracy=sum(right.values()) / len(labels), macro_f1=0.5)
    origin = dict(config='kd.py', method='kd', data='watch', fold=None, seed=0, fingerprint='f', resolved='{}')
    origin.update(
        class_names=CLASSES, subjects={'test': list(right)}, code={'version': '1'}, stack={}, process={'seconds': 1.0}
    )
    result = dict(classes=2, n_test=len(labels), networks=[row('student', 'student', test)], run=origin, quick=False, faults=[])
    result['windows'] = dict(sha256='w', test=len(labels))
    write_result(result, folder)
    logits = respond(labels, subjects, right)
    arrays = {'window_ids': np.arange(len(labels)).astype(str), 'labels': labels, 'subjects': subjects}
    write_predictions({**arrays, 'student/best': logits, 'student/last': logits}, folder)


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (
            lambda folder: (folder / 'result.json').write_text('{"networks": []}'),
            'is of an older mmkd_plugin: its result does not say',
        ),
        (lambda folder: (folder / 'predictions.npz').write_bytes(b'x'), 'predictions.npz is damaged'),
        (lambda folder: cut_windows(folder), 'result.json is of 40 windows and predictions.npz of 39; they are not of one run'),
    ],
)
def test_a_folder_that_holds_no_whole_run_has_no_record(damage, message, tmp_path):
    write_run(tmp_path, {'1': 10, '2': 10})
    damage(tmp_path)
    with pytest.raises(ValueError, match=message):
        record_of(tmp_path)


def cut_windows(folder):
    write_predictions({name: values[:-1] for name, values in read_predictions(folder).items()}, folder)


def test_importing_the_experiments_does_not_import_torch():
    code = (
        'import sys, importlib.util, pathlib; '
        f'root = pathlib.Path({str(ROOT / "mmkd_plugin" / "experiments")!r}); '
        'spec = importlib.util.spec_from_file_location("experiments", root / "__init__.py"); '
        'module = importlib.util.module_from_spec(spec); sys.modules["experiments"] = module; spec.loader.exec_module(module); '
        'print("torch" in sys.modules)'
    )
    assert subprocess.run([sys.executable, '-c', code], capture_output=True, text=True).stdout.strip() == 'False'
