"""What many runs and a long sweep leave behind in their processes: nothing that grows with their number."""

import os
import shutil

import pytest
from helpers import TEACHERS, TINY, command_of, descendants, tiny_config
from usage import check_flat, usage

from mmkd_plugin.apis import plan_sweep, train
from mmkd_plugin.experiments import parse_sweep, run_sweep
from mmkd_plugin.experiments.launch import LocalEngine, plan_places
from mmkd_plugin.experiments.watch import Display

RUNS = int(os.environ.get('MMKD_RUNS', 200))  # of the long forms


@pytest.mark.parametrize(
    ('runs', 'memory'), [pytest.param(4, 4.0, id='a few'), pytest.param(RUNS, 0.2, id='many', marks=pytest.mark.soak)]
)
def test_runs_of_one_process_leave_nothing(runs, memory, teacher_dir, temporary, tmp_path):
    measures, files = [], []
    for number in range(runs + 2):
        folder = tmp_path / f'run{number}'
        train(tiny_config('kd.py', folder, teacher_dir))
        if number >= 2:  # after those that import, compile and fill what is kept
            files.append(sum(path.is_file() for path in folder.rglob('*')))
            measures.append(usage())
        shutil.rmtree(folder)
    assert len(set(files)) == 1, files
    check_flat(measures, memory, 'runs of one process')


class Watcher(Display):
    """Measures this process and the worker whenever a run has ended."""

    def __init__(self, temporary):
        super().__init__()
        self.temporary, self.scheduler, self.worker = temporary, [], []

    def say(self, line):
        if 'accuracy' in line:
            worker = next(child for child in descendants(os.getpid()) if b'cli.worker' in command_of(child))
            self.worker.append(usage(worker, self.temporary))
            self.scheduler.append(usage())


@pytest.mark.parametrize('runs', [pytest.param(4, id='a few'), pytest.param(RUNS, id='many', marks=pytest.mark.soak)])
def test_a_sweep_leaves_nothing_in_its_worker_and_in_the_process_that_waits(runs, temporary, tmp_path, monkeypatch):
    monkeypatch.setenv('TMPDIR', str(temporary))
    monkeypatch.chdir(tmp_path)
    options = {'train_cfg.max_epochs': 1, 'teacher_dir': str(tmp_path / 'teachers'), **TEACHERS}
    content = {'base': {'data': TINY, **options}, 'axes': {'method': ['supervised/student'], 'seed': list(range(runs))}}
    plan = plan_sweep(parse_sweep(content, 'sweep.py', ['teacher_dir']), 'sweep')
    watcher = Watcher(temporary)
    places = plan_places(sorted(os.sched_getaffinity(0)), workers=1)
    assert run_sweep(plan, 'sweep', LocalEngine(places, 'sweep/workers.txt'), watcher) == []
    assert len(watcher.worker) == runs
    assert not [child for child in descendants(os.getpid()) if b'cli.worker' in command_of(child)]
    few = runs < 10
    check_flat(watcher.worker[2:], 0.5 if few else 0.02, 'runs of a worker')
    # The run that has ended just now is in the table of the sweep.
    scheduler = [{**measure, 'objects': 0} for measure in watcher.scheduler[2:]]
    check_flat(scheduler, 0.5 if few else 0.05, 'runs of a sweep')
