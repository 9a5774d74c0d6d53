"""Searches by real runs: what is chosen depends on nothing of the test split, and on nothing that happens meanwhile."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import pyts
from helpers import call

from mmkd_plugin.apis import load_config, plan_search
from mmkd_plugin.apis.teachers import run_settings
from mmkd_plugin.cli.worker import make_task
from mmkd_plugin.experiments import Plan, Search, Task, parse_space, read_records, run_sweep
from mmkd_plugin.experiments.launch import Event
from mmkd_plugin.experiments.runs import STOP
from mmkd_plugin.experiments.watch import Display
from mmkd_plugin.fileio import read_curves, read_result

LR, BATCH = 'optim_wrapper.optimizer.lr', 'train_dataloader.batch_size'
SPACE = {LR: dict(low=0.001, high=0.1, log=True), BATCH: [8, 16]}
AXES = dict(method=['supervised/student'], seed=[0])


def base_of(epochs=2, **more):
    return {'data': 'basic_motions', 'train_cfg.max_epochs': epochs, **more}


class Quiet(Display):
    def say(self, line):
        pass


class Here:
    """Makes tasks in this process, one at a time; a Ctrl-C may come after some validations."""

    description, slots = 'this process', 1

    def __init__(self, stop_after=10**6):
        self.now, self.left, self.events = [], stop_after, []

    @property
    def free(self):
        return self.slots - len(self.now)

    def submit(self, task):
        self.now.append(task)

    def poll(self, seconds):
        task = self.now.pop()
        self.events = []
        make_task(task, lambda kind, **facts: self.take(task, kind, facts))
        if not self.events:
            raise KeyboardInterrupt
        return self.events

    def take(self, task, kind, facts):
        self.left -= kind == 'validated'
        if self.left < 0:
            raise KeyboardInterrupt
        if kind in ('finished', 'failed'):
            self.events.append(Event(task.key, kind, {'seconds': 1.0, **facts}))

    def close(self):
        pass


def plan_here(folder, **more):
    content = dict(base=base_of(**more), axes=AXES, space=SPACE, trials=2)
    return plan_search(parse_space(content, 'space.py', ['data_root']), folder)


def search_here(folder, engine, plan):
    search = Search(plan, folder)
    assert run_sweep(Plan([], plan.teachers), folder, engine, Quiet(), 0, search) == []
    return search


def trials_of(folder):
    """Settings and figures of the trials in a journal, by the public interface of optuna."""
    import optuna

    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(folder / 'journal.log')))
    (summary,) = optuna.get_all_study_summaries(storage)
    trials = optuna.load_study(study_name=summary.study_name, storage=storage).trials
    return [(trial.params, trial.value, trial.intermediate_values) for trial in trials]


def other_labels(folder):
    """The data, with other labels of the test subjects."""
    own = Path(pyts.__file__).parent / 'datasets' / 'cached_datasets' / 'UEA' / 'BasicMotions'
    folder.mkdir()
    (folder / 'BasicMotions_TRAIN.arff').write_bytes((own / 'BasicMotions_TRAIN.arff').read_bytes())
    text = (own / 'BasicMotions_TEST.arff').read_text()
    for old, new in (('Running', 'R'), ('Walking', 'Running'), ('R', 'Walking')):
        text = text.replace(f"',{old}\n", f"',{new}\n")
    (folder / 'BasicMotions_TEST.arff').write_text(text)
    return folder


@pytest.fixture(scope='module')
def searched(tmp_path_factory):
    """The command, with a worker."""
    folder = tmp_path_factory.mktemp('search')
    (folder / 'small.py').write_text(f'base = {base_of()!r}\naxes = {AXES!r}\nspace = {SPACE!r}\n')
    done = call('search', 'small.py', '--trials', '2', '--workers', '1', folder=folder)
    assert done.returncode == 0, done.stderr
    return folder, folder / 'work_dirs' / 'searches' / 'small', done.stdout


def test_an_interrupted_search_with_other_test_labels_comes_to_the_same_trials_and_winner(searched, tmp_path):
    _, whole, text = searched
    plan = plan_here(tmp_path / 'search', data_root=str(other_labels(tmp_path / 'data')))
    with pytest.raises(KeyboardInterrupt):
        search_here(tmp_path / 'search', Here(stop_after=2), plan)  # in the first epoch of the second trial
    assert [value is None for _, value, _ in trials_of(tmp_path / 'search')] == [False, True]
    (course,) = search_here(tmp_path / 'search', Here(), plan).courses
    assert trials_of(tmp_path / 'search') == trials_of(whole)
    assert len({json.dumps(params) for params, _, _ in trials_of(whole)}) == 2
    number, value = course.best
    assert f'| {100 * value:.2f} | – | {number} | {course.settings(number)} |' in text
    keys = [(r['trial']['number'], r['settings'], r['networks'][0]['val']) for r in read_records(whole / 'runs.jsonl')]
    others = read_records(tmp_path / 'search' / 'runs.jsonl')
    assert keys == [(r['trial']['number'], r['settings'], r['networks'][0]['val']) for r in others]
    tests = [
        [read_result(folder / r['work_dir'])['networks'][0]['test'] for r in records]
        for folder, records in ((whole.parents[2], read_records(whole / 'runs.jsonl')), (Path(), others))
    ]
    assert tests[0] != tests[1]  # the labels do count


def test_nothing_of_the_test_split_is_recorded_or_printed(searched):
    folder, whole, text = searched
    records = read_records(whole / 'runs.jsonl')
    assert [row['test'] for record in records for row in record['networks']] == [{'best': None, 'last': None}] * 2
    assert all(record['complementarity'] == {'best': [], 'last': []} for record in records)
    assert 'test' not in text.lower().replace('tested', '')
    assert 'test' not in (whole / 'budget.md').read_text().lower()
    done = call('report', whole, folder=folder)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        '2 records of trials are left out: they have no figure of the test split',
        f'error: {whole}/runs.jsonl: there is no record of a run to report on; train the winner of the search, or sweep over it',
    ]


def test_the_winner_is_a_config_that_learns_what_its_trial_did(searched):
    folder, whole, text = searched
    (line,) = [line for line in text.splitlines() if line.startswith('winner: ')]
    path = whole / 'winner_supervised_student_on_basic_motions.py'
    command = line.partition('  next: ')[2]
    assert line.startswith(f'winner: {path.relative_to(folder)}  next: ')
    assert path.read_text().splitlines()[1] == f'# To train: {command}'
    best = max(read_records(whole / 'runs.jsonl'), key=lambda r: (r['networks'][0]['val']['accuracy'], -r['trial']['number']))
    batch = best['settings'][BATCH]
    assert command.endswith(f' train {path.relative_to(folder)} --data basic_motions --cfg-options {BATCH}={batch}')
    winner = load_config(path, data='basic_motions', cfg_options={BATCH: batch})
    options = {'train_cfg.max_epochs': 2, **best['settings']}
    trial = load_config('supervised/student', data='basic_motions', cfg_options=options)
    assert run_settings(winner) == run_settings(trial)
    assert best['trial']['study'].startswith('supervised/student on basic_motions ')


def test_a_run_that_is_told_to_end_leaves_a_checkpoint_and_can_go_on(tmp_path):
    plan, engine, sent = plan_here(tmp_path), Here(), []
    search = Search(plan, tmp_path)
    search.begin()
    run, *_ = search.advance({})[0]
    assert run.trial == {'study': plan.studies[0].name, 'number': 0}
    task = Task(run.key, run.title, run.arguments, False, run.settings, str(tmp_path / 'runs.jsonl'), '', run.trial)
    Path(run.work_dir).mkdir(parents=True)
    Path(run.work_dir, STOP).touch()
    make_task(task, lambda kind, **facts: sent.append((kind, facts)))
    assert sent[-2:] == [('validated', {}), ('failed', {'reason': 'it was told to end', 'again': True})]
    assert read_curves(run.work_dir)['epoch'] == [1]
    assert not (tmp_path / 'runs.jsonl').exists()
    Path(run.work_dir, STOP).unlink()
    engine.submit(task)
    (event,) = engine.poll(0)
    assert (event.kind, read_curves(run.work_dir)['epoch']) == ('finished', [1, 2])


@pytest.mark.soak
@pytest.mark.parametrize('seed', [0, 1])
def test_five_interruptions_at_random_change_no_trial_and_no_byte_of_the_winner(seed, tmp_path):
    content = (
        f"base = {base_of(4)!r}\naxes = {AXES!r}\nspace = {SPACE!r}\npruner = dict(type='MedianPruner', n_startup_trials=2)\n"
    )
    for name in ('whole', 'broken'):
        (tmp_path / name).mkdir()
        (tmp_path / name / 'small.py').write_text(content + 'trials = 8\n')
    assert call('search', 'small.py', folder=tmp_path / 'whole').returncode == 0
    draw, signals = random.Random(seed), [signal.SIGKILL, signal.SIGINT, signal.SIGKILL, signal.SIGTERM, signal.SIGKILL]
    command, code, output = [sys.executable, '-m', 'mmkd_plugin', 'search', 'small.py'], None, tmp_path / 'output'
    while code != 0:
        with open(output, 'wb') as file:
            process = subprocess.Popen(command, cwd=tmp_path / 'broken', stdout=file, stderr=file)
        if signals:
            time.sleep(draw.uniform(6, 16))
            if process.poll() is None:
                os.kill(process.pid, signals.pop())
        code = process.wait()
        assert code in (0, -signal.SIGKILL, 128 + signal.SIGINT, 128 + signal.SIGTERM), output.read_text()[-3000:]
    whole, broken = (tmp_path / name / 'work_dirs' / 'searches' / 'small' for name in ('whole', 'broken'))
    assert trials_of(broken) == trials_of(whole)
    for name in ('budget.md', 'winner_supervised_student_on_basic_motions.py'):
        assert (broken / name).read_bytes() == (whole / name).read_bytes()
