"""A sweep that is killed and started again comes to the same records and tables as one that nothing has happened to."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, TEACHERS, call, command_of, descendants, tiny_config

from mmkd_plugin.apis import plan_sweep, train
from mmkd_plugin.experiments import parse_sweep, read_records, run_sweep
from mmkd_plugin.experiments.launch import LocalEngine, plan_places
from mmkd_plugin.experiments.watch import Display
from mmkd_plugin.fileio import read_predictions

SWEEP = """
base = {base}
axes = {{'method': ['kd', 'at'], 'seed': [0, 1], 'model.transfers.kd.weight': dict(values=[0.1, 0.5], where=dict(method='kd'))}}
"""


def write_sweep(folder, teacher_dir, epochs):
    folder.mkdir()
    options = {'train_cfg.max_epochs': epochs, 'teacher_dir': str(teacher_dir), **TEACHERS}
    (folder / 'small.py').write_text(SWEEP.format(base={'data': 'basic_motions', **options}))
    return folder


def records_of(folder):
    """Records but for what differs between two processes, in an order of their own."""
    records = read_records(folder / 'work_dirs' / 'sweeps' / 'small' / 'runs.jsonl')
    return sorted(({**record, 'process': None} for record in records), key=lambda record: record['key'])


def tables_of(folder):
    return (folder / 'work_dirs' / 'sweeps' / 'small' / 'table.md').read_bytes()


class Interrupter(Display):
    """Presses Ctrl-C when a run makes steps, or has ended already."""

    def say(self, line):
        pass

    def show(self, state):
        if any(words for _, words in state.running.values()):
            os.kill(os.getpid(), signal.SIGINT)


class Killer(Display):
    """Kills the first run that makes steps, once."""

    def __init__(self):
        super().__init__()
        self.lines, self.killed = [], None

    def say(self, line):
        self.lines.append(line)

    def show(self, state):
        begun = [title for title, (_, words) in state.running.items() if words and 'kd, seed 0' in title]
        if begun and self.killed is None:
            (worker,) = [int(child) for child in descendants(os.getpid()) if b'cli.worker' in command_of(child)][:1]
            os.kill(max(map(int, descendants(worker))), signal.SIGKILL)  # the run before may still be ending
            self.killed = begun[0]


@pytest.fixture(scope='module')
def swept(tmp_path_factory, teacher_dir):
    """A sweep of two methods and two seeds by one worker: interrupted, begun again, a run is killed, and one method diverges."""
    folder = tmp_path_factory.mktemp('sweep')
    diverging = folder / 'diverging.py'
    base = ROOT / 'configs' / 'supervised' / 'student.py'
    diverging.write_text(f'_base_ = {str(base)!r}\noptim_wrapper = dict(optimizer=dict(lr=1e30))\n')
    options = {'train_cfg.max_epochs': 2, 'teacher_dir': str(teacher_dir), **TEACHERS}
    axes = {'method': ['kd', str(diverging)], 'seed': [0, 1]}
    content = {'base': {'data': 'basic_motions', **options}, 'axes': axes, 'where': [{'method': 'kd'}, {'seed': 0}]}
    here = Path.cwd()
    os.chdir(folder)
    try:
        plan = plan_sweep(parse_sweep(content, 'sweep.py', ['teacher_dir']), 'sweep')
        places = plan_places(sorted(os.sched_getaffinity(0)), workers=1)
        before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets its background ignore Ctrl-C
        with pytest.raises(KeyboardInterrupt):
            run_sweep(plan, 'sweep', LocalEngine(places, 'sweep/workers.txt'), Interrupter(), retries=1)
        signal.signal(signal.SIGINT, before)
        left = [process for process in descendants(os.getpid()) if b'cli.worker' in command_of(process)]
        display = Killer()
        failures = run_sweep(plan, 'sweep', LocalEngine(places, 'sweep/workers.txt'), display, retries=1)
    finally:
        os.chdir(here)
    return folder, plan, failures, display, left


def test_ctrl_c_leaves_no_process(swept):
    assert not swept[-1]


def test_a_killed_run_is_made_again_and_the_student_without_teachers_is_made_once_per_seed(swept):
    folder, plan, _, display, _ = swept
    assert [(run.method, run.seed) for run in plan.runs] == [
        ('supervised/student', 0),
        ('kd', 0),
        ('diverging', 0),
        ('supervised/student', 1),
        ('kd', 1),
    ]
    assert display.killed == 'basic_motions: kd, seed 0'
    reason = 'killed by SIGKILL, as the system does when memory is short; try 2 of 2 follows'
    assert f'{display.killed}: {reason}' in display.lines
    finished = [r for r in read_records(folder / 'sweep' / 'runs.jsonl') if r['ended']['state'] == 'finished']
    assert {(r['method'], r['seed']) for r in finished} == {(run.method, run.seed) for run in plan.runs} - {('diverging', 0)}
    assert {r['key'] for r in finished} == {run.key for run in plan.runs if run.method != 'diverging'}


def test_a_run_that_diverges_is_listed_with_its_reason(swept):
    folder, _, failures, _, _ = swept
    (failure,) = failures
    assert failure.title == 'basic_motions: diverging, seed 0'
    assert failure.reason.startswith('FloatingPointError: the run has diverged')
    (failed,) = [r for r in read_records(folder / 'sweep' / 'runs.jsonl') if r['ended']['state'] == 'failed']
    assert (failed['method'], failed['ended']['reason']) == ('diverging', failure.reason)


@pytest.mark.parametrize('seed', [0, 1])
def test_figures_are_those_of_a_process_that_makes_no_other_run(swept, seed, tmp_path, teacher_dir):
    folder, plan, _, _, _ = swept
    (run,) = [run for run in plan.runs if (run.method, run.seed) == ('kd', seed)]
    train(tiny_config('kd.py', tmp_path, teacher_dir, epochs=2, seed=seed))
    alone, within = read_predictions(tmp_path), read_predictions(folder / run.work_dir)
    assert alone.keys() == within.keys()
    assert all(np.array_equal(alone[name], within[name]) for name in alone)


def report_of(folder):
    """All tables of a report but for what the runs have cost."""
    sweep = folder / 'work_dirs' / 'sweeps' / 'small'
    done = call('report', str(sweep), '--baseline', 'at', folder=folder)
    assert done.returncode == 0, done.stderr
    text, _, cost = (sweep / 'report' / 'report.md').read_text().partition('## Cost of the runs')
    assert cost
    tables = [path for path in sorted((sweep / 'report').iterdir()) if path.suffix in ('.csv', '.tex') and path.stem != 'cost']
    return text, {path.name: path.read_bytes() for path in tables}


@pytest.mark.soak
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_five_interruptions_at_random_change_no_record_and_no_byte_of_a_table(seed, tmp_path, teacher_dir):
    whole = write_sweep(tmp_path / 'whole', teacher_dir, 6)
    broken = write_sweep(tmp_path / 'broken', teacher_dir, 6)
    assert call('sweep', 'small.py', folder=whole).returncode == 0
    draw, signals = random.Random(seed), [signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]
    draw.shuffle(signals)
    command = [sys.executable, '-m', 'mmkd_plugin', 'sweep', 'small.py', '--retries', '9']
    ends = []
    while 0 not in ends:
        output = tmp_path / f'output{len(ends)}'
        with open(output, 'wb') as file:
            sweep = subprocess.Popen(
                command,
                cwd=broken,
                stdout=file,
                stderr=file,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # likewise
            )
        sent = None
        while sweep.poll() is None:
            time.sleep(draw.uniform(1, 6))
            if signals and sweep.poll() is None:
                sent = signals.pop()
                # A run or a worker may be killed; a person interrupts the command itself.
                victim = draw.choice([sweep.pid, *descendants(sweep.pid)]) if sent == signal.SIGKILL else sweep.pid
                os.kill(victim, sent)
        ends.append(sweep.returncode)
        # A second signal ends a sweep at once that the first one has stopped.
        assert sweep.returncode in (0, -9, -2, -15, 130, 143), output.read_text()[-3000:]
        if sweep.returncode > 0:
            assert 'sweep small.py --retries 9' in output.read_text().splitlines()[-1]
            assert 'Traceback' not in output.read_text()
    assert not signals
    assert records_of(broken) == records_of(whole)
    assert tables_of(broken) == tables_of(whole)
    assert report_of(broken) == report_of(whole)
