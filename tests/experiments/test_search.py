"""The course of a search, with an engine that ends runs as the test says; nothing is trained."""

import errno
import functools
import json
import random
import sys
from pathlib import Path

import pytest
import torch
from helpers import call
from writers.records import record, row

from mmkd_plugin.cli import worker
from mmkd_plugin.experiments import Plan, Run, Search, SearchPlan, StudyPlan, Teacher, append_record, parse_space, read_records
from mmkd_plugin.experiments.budget import budget_table
from mmkd_plugin.experiments.launch import Event
from mmkd_plugin.experiments.runs import STOP
from mmkd_plugin.experiments.sweep import finished_keys, run_sweep
from mmkd_plugin.experiments.watch import Display
from mmkd_plugin.fileio import ConfigError, LockedError, locked

SPACE = {'a.weight': dict(low=0.01, high=1, log=True), 'a.tau': dict(low=1, high=8, step=1), 'a.kind': ['sum', 'mean']}
EPOCHS = 4


def accuracy(settings, seed=0):
    """The figure on validation that follows from a trial's settings."""
    return round(0.5 + settings['a.weight'] / 4 - settings['a.tau'] / 50 + 0.01 * seed, 4)


@functools.cache
def whole_record():
    return record('kd', {'1': 10})


class Lines(Display):
    def __init__(self):
        super().__init__()
        self.lines = []

    def say(self, line):
        self.lines.append(line)


class Machine:
    """Makes runs of four epochs, whose turns come in an order of its own; a Ctrl-C may come between two of them."""

    description = 'a machine'

    def __init__(self, slots=3, order=0, stop_after=10**6, fate=lambda task: None, figure=accuracy):
        self.slots, self.order, self.left, self.fate, self.figure = slots, random.Random(order), stop_after, fate, figure
        self.now, self.begun, self.epochs = [], [], {}

    @property
    def free(self):
        return self.slots - len(self.now)

    def submit(self, task):
        self.begun.append(task)
        self.now.append(task)

    def poll(self, seconds):
        assert self.now, 'the scheduler waits for nothing'
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt
        task = self.order.choice(self.now)
        event = self.fail(task, self.fate(task)) if self.fate(task) else self.advance(task)
        if event.kind in ('finished', 'failed'):
            self.now.remove(task)
        return [event]

    def fail(self, task, reason, again=False):
        return Event(task.key, 'failed', {'reason': reason, 'again': again, 'outside': reason.startswith('OSError')})

    def advance(self, task):
        folder, value = Path(task.arguments['work_dir']), self.figure(task.settings, task.arguments['seed'])
        epoch = self.epochs[task.key] = self.epochs.get(task.key, 0) + 1
        if epoch <= EPOCHS:
            file = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
            file.parent.mkdir(parents=True, exist_ok=True)
            rows = [dict(epoch=epoch, step=epoch, loss=1.0), {'accuracy/top1': 100 * value * epoch / EPOCHS, 'step': epoch}]
            file.write_text((file.read_text() if epoch > 1 else '') + ''.join(f'{json.dumps(row)}\n' for row in rows))
            return self.fail(task, 'it was told to end', True) if (folder / STOP).exists() else Event(task.key, 'validated')
        network = row('student', 'student', None)
        own = dict(key=task.key, seed=task.arguments['seed'], settings=task.settings, trial=dict(task.trial))
        append_record({**whole_record(), **own, 'networks': [{**network, 'val': {'accuracy': value}}]}, task.records)
        return Event(task.key, 'finished', {'seconds': 1.0, 'val': {'accuracy': value}})

    def close(self):
        pass


def plan_of(folder, methods=('kd',), seeds=1, trials=6, space=SPACE, refuse=lambda values: None, teachers=(), **options):
    """A search whose runs are known by their settings."""
    space = parse_space(dict(axes=dict(method=list(methods)), space=space, trials=trials, **options), 'space.py')

    def make(study, values):
        if refuse(values):
            raise ConfigError(refuse(values))
        runs = []
        for seed in range(seeds):
            key = f'{study.title} {values} {seed}'
            arguments = {'work_dir': str(folder / 'runs' / key.replace(' ', '_')), 'seed': seed}
            runs.append(Run(key, study.title[:2], 'watch', None, seed, dict(values), arguments, tuple(teachers)))
        return runs, [Teacher(path, f'teacher {Path(path).name}', 'sig', {}) for path in teachers]

    def study_of(method):
        runs = [Run(f'{method} {s}', method, 'watch', None, s, {}, {'work_dir': ''}) for s in range(seeds)]
        return StudyPlan(f'{method} on watch 0123', f'{method} on watch', {'method': method}, space.domains, trials, runs)

    return SearchPlan(space, [study_of(method) for method in methods], [], make)


def search(folder, plan, machine=None, retries=0):
    """Run a search, and give what it has come to: trials of every study as plain values, winners, lines, failures."""
    lines = Lines()
    course = Search(plan, folder, lines.say)
    failures = run_sweep(Plan([], []), folder, machine or Machine(), lines, retries, course)
    return course, lines.lines, failures


def trials_of(course):
    return [
        [(t.number, t.state.name, t.params, t.value, t.intermediate_values) for t in each.study.trials]
        for each in course.courses
    ]


def test_neither_workers_nor_kills_change_what_is_tried_and_what_wins(tmp_path):
    def plan(folder):
        pruner = dict(type='MedianPruner', n_startup_trials=2, n_warmup_steps=2)
        return plan_of(folder, ('kd', 'at'), seeds=2, trials=9, parallel=3, pruner=pruner)

    whole, *_ = search(tmp_path / 'whole', plan(tmp_path / 'whole'), Machine(slots=1))
    assert {state for study in trials_of(whole) for _, state, *_ in study} == {'COMPLETE', 'PRUNED'}
    broken = tmp_path / 'broken'
    for order in range(50):
        try:
            course, *_ = search(broken, plan(broken), Machine(slots=5, order=order, stop_after=17))
            break
        except KeyboardInterrupt:
            with open(broken / 'journal.log', 'ab') as journal:  # what a kill may leave, too
                journal.write(b'{"op_code":4,"wor')
            for ending in ('lock', 'lock1234.rename'):
                (broken / f'journal.log.{ending}').symlink_to(broken / 'journal.log')
    assert order > 5
    assert not list(broken.glob('journal.log.*'))
    assert trials_of(course) == trials_of(whole)
    assert [each.best for each in course.courses] == [each.best for each in whole.courses]
    assert budget_table(course) == budget_table(whole)
    tried = [params for _, _, params, *_ in trials_of(whole)[0]]
    assert len({json.dumps(params) for params in tried}) == 9
    assert tried == [params for _, _, params, *_ in trials_of(whole)[1]][:4] + tried[4:]  # the same draws for every method


def test_more_trials_go_on_from_those_that_are_there(tmp_path):
    course, *_ = search(tmp_path, plan_of(tmp_path, trials=3))
    first = trials_of(course)[0]
    machine = Machine()
    more, *_ = search(tmp_path, plan_of(tmp_path, trials=7), machine)
    at_once, *_ = search(tmp_path / 'other', plan_of(tmp_path / 'other', trials=7))
    assert len(machine.begun) == 4
    assert trials_of(more)[0][:3] == first
    assert trials_of(more) == trials_of(at_once)


def test_a_trial_has_the_mean_over_its_runs_and_the_first_of_equals_wins(tmp_path):
    course, lines, failures = search(
        tmp_path, plan_of(tmp_path, seeds=2, trials=4, space={**SPACE, 'a.weight': [0.4], 'a.tau': [2]})
    )
    (each,) = course.courses
    assert [trial.value for trial in each.study.trials] == [0.565] * 4  # 0.56 and 0.57
    assert each.best == (0, 0.565)
    assert failures == []
    last = 'kd on watch, trial 3: 56.50 accuracy on validation, mean of 2 runs; a.weight=0.4, a.tau=2, a.kind='
    assert [line for line in lines if line.startswith(last)]
    assert course.best == '56.50 accuracy (kd on watch, trial 0)'
    assert len(read_records(tmp_path / 'runs.jsonl')) == 4  # two kinds and two seeds: the same settings are run once


def test_low_curves_end_a_trial_and_its_runs(tmp_path):
    pruner = dict(type='ThresholdPruner', lower=0.45, n_warmup_steps=EPOCHS)
    space = {'a.weight': [0.04], 'a.tau': [2, 8]}
    course, lines, failures = search(
        tmp_path, plan_of(tmp_path, seeds=3, trials=8, space=space, pruner=pruner), Machine(slots=1)
    )
    (each,) = course.courses
    states = {t.params['a.tau']: t.state.name for t in each.study.trials}
    assert (states, failures) == ({2: 'COMPLETE', 8: 'PRUNED'}, [])
    pruned = [r for r in read_records(tmp_path / 'runs.jsonl') if r['ended']['state'] == 'pruned']
    assert {r['settings']['a.tau'] for r in pruned} <= {8}
    (line,) = {line.split(': ', 1)[1] for line in lines if 'pruned' in line}
    assert line == 'pruned at 35.00 accuracy on validation, epoch 4; a.weight=0.04, a.tau=8'
    low = {r['seed'] for r in read_records(tmp_path / 'runs.jsonl') if r['settings']['a.tau'] == 8}
    assert low == {0}  # its other runs were not begun


def test_a_trial_that_was_ended_early_never_wins_even_where_its_first_run_is_the_easy_one(tmp_path):
    def figure(settings, seed):
        return accuracy(settings) + (-0.5 if seed else 0.5)

    pruner = dict(type='MedianPruner', n_startup_trials=2, n_warmup_steps=3)
    course, *_ = search(tmp_path, plan_of(tmp_path, seeds=2, trials=9, pruner=pruner), Machine(figure=figure))
    trials = course.courses[0].study.trials
    values = {state: [t.value for t in trials if t.state.name == state] for state in ('COMPLETE', 'PRUNED')}
    assert max(values['PRUNED']) > max(values['COMPLETE'])  # as optuna has it
    number, value = course.courses[0].best
    assert trials[number].state.name == 'COMPLETE'
    assert value == max(values['COMPLETE'])
    (row,) = budget_table(course).rows
    assert row[7:10] == (100 * value, ', '.join(f'{100 * figure(trials[number].params, seed):.2f}' for seed in (0, 1)), number)
    assert course.best.startswith(f'{100 * value:.2f} accuracy')


def test_a_run_that_diverges_is_worse_than_all_and_one_that_dies_tells_nothing(tmp_path):
    reasons = {8: 'FloatingPointError: the run has diverged', 7: 'killed by SIGKILL'}
    plan = plan_of(tmp_path, trials=30, space={'a.weight': [0.4], 'a.tau': [2, 7, 8]})
    course, lines, failures = search(tmp_path, plan, Machine(fate=lambda task: reasons.get(task.settings['a.tau'])))
    states = {t.params['a.tau']: t.state.name for t in course.courses[0].study.trials}
    assert states == {2: 'COMPLETE', 7: 'FAIL', 8: 'PRUNED'}
    assert {failure.reason for failure in failures} == set(reasons.values())
    assert any(line.endswith('FAILED: killed by SIGKILL; a.weight=0.4, a.tau=7') for line in lines)


def test_on_a_full_disk_the_trials_wait_until_the_search_goes_on(tmp_path):
    whole, *_ = search(tmp_path / 'whole', plan_of(tmp_path / 'whole'))
    machine = Machine(fate=lambda task: 'OSError: No space left on device' if len(machine.begun) > 3 else None)
    broken, _, failures = search(tmp_path / 'broken', plan_of(tmp_path / 'broken'), machine)
    assert {failure.reason for failure in failures} == {'OSError: No space left on device'}
    assert 'FAIL' not in {state for study in trials_of(broken) for _, state, *_ in study}
    course, *_ = search(tmp_path / 'broken', plan_of(tmp_path / 'broken'))
    assert trials_of(course) == trials_of(whole)


@pytest.mark.parametrize(
    ('error', 'expected'),
    [
        (OSError(errno.ENOSPC, 'No space left on device'), True),
        (MemoryError(), True),
        (RuntimeError('could not create a primitive'), True),  # as oneDNN says that memory is short
        (torch.cuda.OutOfMemoryError('CUDA out of memory. Tried to allocate 2.00 GiB'), False),  # smaller batches may fit
        (RuntimeError('mat1 and mat2 shapes cannot be multiplied'), False),
        (FloatingPointError('the run has diverged'), False),
    ],
)
def test_what_is_of_the_machine_is_no_failure_of_the_settings(error, expected):
    assert worker._would_meet_others(error) == expected


def test_a_trial_whose_config_is_refused_is_said_and_the_others_go_on(tmp_path):
    plan = plan_of(tmp_path, trials=8, refuse=lambda values: 'tau is even' if values['a.tau'] % 2 == 0 else None)
    course, lines, _ = search(tmp_path, plan)
    states = {t.params['a.tau'] % 2: t.state.name for t in course.courses[0].study.trials}
    assert states == {0: 'FAIL', 1: 'COMPLETE'}
    assert any(line.endswith('FAILED: tau is even') for line in lines)


def test_without_a_teacher_the_trials_wait_until_the_search_goes_on(tmp_path):
    sig = tmp_path / 'sig'
    plan = plan_of(tmp_path, trials=4, teachers=[str(sig)], parallel=2)
    course, _, failures = search(tmp_path, plan, Machine(fate=lambda task: task.teacher and 'NaN'))
    assert [failure.reason for failure in failures] == ['NaN', *['teacher sig has failed: NaN'] * 2]
    assert [t.state.name for t in course.courses[0].study.trials] == ['RUNNING', 'RUNNING']
    sig.mkdir()
    (sig / 'result.json').touch()
    course, *_ = search(tmp_path, plan)
    other, *_ = search(tmp_path / 'other', plan_of(tmp_path / 'other', trials=4, parallel=2))
    assert trials_of(course) == trials_of(other)


def test_a_sweep_does_not_take_the_trials_of_a_search_for_its_runs(tmp_path):
    search(tmp_path, plan_of(tmp_path, trials=1))
    (one,) = read_records(tmp_path / 'runs.jsonl')
    assert one['trial'] == {'study': 'kd on watch 0123', 'number': 0}
    assert finished_keys(tmp_path) == set()
    append_record({**one, 'trial': None}, tmp_path / 'runs.jsonl')
    assert finished_keys(tmp_path) == {one['key']}


def test_the_table_says_what_every_method_was_given(tmp_path):
    course, *_ = search(tmp_path, plan_of(tmp_path, ('kd', 'at'), trials=5, fair=True))
    table = budget_table(course)
    best = max(accuracy(t.params) for t in course.courses[0].study.trials)
    assert [row[:7] for row in table.rows] == [('watch', name, 1, 5, 5, 0, 0) for name in ('kd', 'at')]
    assert {row[7] for row in table.rows} == {100 * best}
    assert {row[8] for row in table.rows} == {None}  # one run
    assert table.notes == ()
    assert not any('test' in str(part) for part in (table.title, table.columns, table.rows))


@pytest.mark.parametrize('pruner', [None, dict(type='MedianPruner', n_startup_trials=2)])
def test_the_table_says_what_each_run_of_the_best_trial_has_reached(tmp_path, pruner):
    course, *_ = search(tmp_path, plan_of(tmp_path, seeds=3, trials=5, pruner=pruner))
    (row,) = budget_table(course).rows
    number, value = course.courses[0].best
    each = [accuracy(course.courses[0].study.trials[number].params, seed) for seed in range(3)]
    assert len(set(each)) > 1
    assert row[8] == ', '.join(f'{100 * figure:.2f}' for figure in each)
    assert row[7] == 100 * value == pytest.approx(100 * sum(each) / 3)


def test_a_second_search_in_a_folder_is_refused(tmp_path):
    with locked(tmp_path / '.lock', 'the folder', print), pytest.raises(LockedError, match='is in use by process'):
        search(tmp_path, plan_of(tmp_path))
    assert not (tmp_path / 'journal.log').exists()


def test_without_optuna_the_command_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'optuna', None)
    done = call('search', 'kd_weights', folder=tmp_path)
    message = "error: a search needs optuna, which is not installed. Run: pip install 'mmkd_plugin[optuna]'\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, '', message)
    assert list(tmp_path.iterdir()) == []
