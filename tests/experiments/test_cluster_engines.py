"""Runs on a Ray instance and as jobs of submitit's local executor: stopped, killed, and the same records as of one process."""

import logging
import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from helpers import command_of, descendants

from mmkd_plugin.apis import load_config, plan_sweep, train
from mmkd_plugin.experiments import Task, parse_sweep, read_records, record_of, run_sweep
from mmkd_plugin.experiments.launch import LocalEngine, Place, RayEngine, SlurmEngine
from mmkd_plugin.experiments.launch.ray import Host
from mmkd_plugin.experiments.watch import Display

EPOCHS = 12  # a run of about two seconds: long enough to be stopped in its midst


class Lines(Display):
    """Keeps what is said, and looks at every state."""

    def __init__(self, look=lambda state: None):
        super().__init__()
        self.lines, self.look = [], look

    def say(self, line):
        self.lines.append(line)

    def show(self, state):
        self.look(state)


def plan():
    """A sweep of one run, in the folder that this process is in."""
    base = {'data': 'basic_motions', 'train_cfg.max_epochs': EPOCHS}
    return plan_sweep(parse_sweep({'base': base, 'axes': {'method': ['supervised/student'], 'seed': [0]}}, 'sweep.py'), 'sweep')


def records():
    return [{**record, 'process': None} for record in read_records('sweep/runs.jsonl')]


@pytest.fixture(scope='module')
def alone(tmp_path_factory):
    """The record of the run, made in this process."""
    here = Path.cwd()
    os.chdir(tmp_path_factory.mktemp('alone'))
    try:
        (run,) = plan().runs
        train(load_config(**run.arguments, resume=True))  # as a worker does
        return {**record_of(run.work_dir, run.key, run.settings), 'process': None}
    finally:
        os.chdir(here)


@pytest.fixture
def hopeless(tmp_path):
    """A task that fails as soon as it is begun, since it has no folder."""
    return Task('hopeless', 'hopeless', {}, log=str(tmp_path / 'log.txt'))


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return value


def events_until(engine, kind, seconds=60):
    events = []
    deadline = time.monotonic() + seconds
    while not any(event.kind == kind for event in events):
        assert time.monotonic() < deadline, events
        events += engine.poll(0.2)
    return events


def alive(process):
    try:
        return Path(f'/proc/{process}/stat').read_text().rsplit(')', 1)[1].split()[0] != 'Z'
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.fixture(scope='module')
def ray():
    """A Ray instance of two CPUs and, as it believes, a GPU."""
    module = pytest.importorskip('ray', reason="Ray is not installed: pip install 'mmkd_plugin[ray]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv('CUDA_VISIBLE_DEVICES', raising=False)  # a GPU that is hidden cannot be promised
        module.init('local', num_cpus=2, num_gpus=1, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    yield module
    module.shutdown()


def hosts():
    return {child for child in descendants(os.getpid()) if command_of(child).startswith(b'ray::Host')}


@pytest.fixture
def submitit():
    return pytest.importorskip('submitit', reason="submitit is not installed: pip install 'mmkd_plugin[slurm]'")


def test_a_sweep_on_ray_is_stopped_and_goes_on_to_the_same_record(ray, alone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def stop(state):
        if any(words for _, words in state.running.values()):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_sweep(plan(), 'sweep', RayEngine('sweep/workers.txt', cpu=True), Lines(stop))
    (run,) = plan().runs
    assert Path(run.work_dir, 'last_checkpoint').is_file()
    assert records() == []
    display = Lines()
    assert run_sweep(plan(), 'sweep', RayEngine('sweep/workers.txt', cpu=True), display) == []
    assert 'going on from' in Path(run.work_dir, 'log.txt').read_text()
    assert [line.partition(':')[0] for line in display.lines] == ['[1/1] basic_motions']
    assert records() == [alone]
    again = RayEngine('sweep/workers.txt', cpu=True)
    assert run_sweep(plan(), 'sweep', again, Lines()) == []  # there is nothing left to be made


def test_what_waits_for_a_busy_cluster_is_made_by_a_worker_that_is_idle_and_a_lost_worker_costs_a_try(ray, hopeless, tmp_path):
    other = ray.remote(num_cpus=1)(Host).remote(str(tmp_path), 1, '', 'log.txt')
    ray.get(other.close.remote())  # it is there, with one of the two CPUs
    before = hosts()
    engine = RayEngine(tmp_path / 'workers.txt', workers=2, cpu=True)
    try:
        engine.submit(hopeless)
        engine.submit(hopeless)
        assert engine.free == 0
        failed = events_until(engine, 'failed')
        while len(failed) < 2:
            failed += events_until(engine, 'failed')
        assert engine.free == 2
        assert [event.facts['reason'] for event in failed] == 2 * ['KeyError: work_dir']
        (host,) = hosts() - before
        os.kill(host, signal.SIGKILL)
        engine.submit(hopeless)
        (event,) = events_until(engine, 'failed')
        assert event.facts['again']
        assert event.facts['reason'].startswith('its worker on the Ray cluster was lost: ')
        assert engine.free == 2
    finally:
        engine.close()
        ray.kill(other)


RESERVED = [
    ({}, 1, '1 CPU and a share of 1/1 of a GPU'),
    ({'per_gpu': 2}, 2, '1 CPU and a share of 1/2 of a GPU'),
    ({'per_gpu': 8}, 2, '1 CPU and a share of 1/8 of a GPU'),  # there are no more CPUs
    ({'cpu': True}, 2, '1 CPU'),
    ({'cpu': True, 'threads': 2}, 1, '2 CPUs'),
    ({'cpu': True, 'workers': 5}, 5, '1 CPU'),  # a cluster may grow
]
REFUSED = [
    ({'threads': 3, 'cpu': True}, '^no machine of the Ray cluster has 3 CPUs for a run$'),
    ({'per_gpu': 2, 'cpu': True}, '^--runs-per-gpu 2: no GPU is used; the Ray cluster has none, or --gpus none was given$'),
]


def test_a_run_reserves_a_cpu_for_each_thread_and_its_share_of_a_gpu(ray):
    for options, slots, each in RESERVED:
        engine = RayEngine('workers.txt', **options)
        assert (engine.slots, engine.free) == (slots, slots)
        assert engine.description.endswith(f' on 1 machine of a Ray cluster, each with {each}')
        engine.close()
    for options, message in REFUSED:
        with pytest.raises(ValueError, match=message):
            RayEngine('workers.txt', **options)


def test_a_machine_of_a_cluster_has_to_see_the_folder(tmp_path):
    with pytest.raises(
        FileNotFoundError, match=r': there is no .*nowhere; the folder in which a sweep is started must be seen by'
    ):
        Host(str(tmp_path / 'nowhere'), 1, '', 'log.txt').poll(None)


def task_of_the_run():
    (run,) = plan().runs
    return Task(run.key, run.title, run.arguments, False, run.settings, 'sweep/runs.jsonl', f'{run.work_dir}/log.txt')


def jobs_of(folder):
    return [int(path.read_text()) for path in Path(folder, 'jobs').glob('*.job')]


def test_jobs_outlive_their_command_and_one_that_is_killed_is_made_again(submitit, alone, tmp_path, monkeypatch):
    """A command is killed while its job runs; the job of the next one waits for its turn, and is killed there."""
    monkeypatch.chdir(tmp_path)
    options = {'cluster': 'local', 'timeout_min': 10}
    task = task_of_the_run()
    SlurmEngine('sweep', options).submit(task)  # and nobody asks for it any more
    (first,) = jobs_of('sweep')
    killed = []

    def kill(state):
        others = [job for job in jobs_of('sweep') if job != first]
        if others and not killed:
            (process, *_) = wait_for(lambda: descendants(others[0]))
            os.kill(process, signal.SIGKILL)
            killed.append(others[0])

    display = Lines(kill)
    assert run_sweep(plan(), 'sweep', SlurmEngine('sweep', options), display, retries=1) == []
    state = f'its job {killed[0]} ended without a word, in state FINISHED; see '
    assert display.lines[0].startswith(f'{task.title}: {state}')
    assert display.lines[0].endswith('_log.err; try 2 of 2 follows')
    assert display.lines[1].startswith('[1/1] basic_motions: supervised/student, seed 0: accuracy ')
    assert records() == [alone]  # one line, though two jobs have come to the end of the run
    wait_for(lambda: not alive(first))


@pytest.mark.soak
@pytest.mark.skipif(shutil.which('sbatch') is None, reason='needs Slurm, and --basetemp on storage that its machines share')
def test_jobs_of_slurm_that_a_killed_command_has_left_are_found_again(submitit, alone, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    SlurmEngine('sweep', {'timeout_min': 10}).submit(task_of_the_run())
    assert run_sweep(plan(), 'sweep', SlurmEngine('sweep', {'timeout_min': 10}), Lines()) == []
    assert len(jobs_of('sweep')) == 1
    assert records() == [alone]


def test_jobs_are_cancelled_with_their_command(submitit, hopeless, tmp_path):
    engine = SlurmEngine(tmp_path, {'cluster': 'local', 'timeout_min': 10}, jobs=3)
    assert engine.description == '3 jobs at once of 1 thread, by submitit on local'
    engine.submit(hopeless)
    assert engine.free == 2
    (job,) = jobs_of(tmp_path)
    wait_for(lambda: descendants(job))
    engine.close()
    assert not alive(job)
    assert engine.free == 3


def test_a_worker_sees_its_gpu_alone_and_none_on_the_cpu(tmp_path, hopeless):
    for gpu in ('3', ''):
        engine = LocalEngine([Place((min(os.sched_getaffinity(0)),), gpu)], tmp_path / 'workers.txt')
        engine.submit(hopeless)
        (worker,) = wait_for(lambda: [child for child in descendants(os.getpid()) if b'cli.worker' in command_of(child)])
        assert f'CUDA_VISIBLE_DEVICES={gpu}'.encode() in Path(f'/proc/{worker}/environ').read_bytes().split(b'\0')
        engine.close()
