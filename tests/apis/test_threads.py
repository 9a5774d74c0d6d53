import torch
from helpers import tiny_config

from mmkd_plugin.apis import threads, train
from mmkd_plugin.apis.rows import count_macs
from mmkd_plugin.apis.threads import choose_threads, count_operations
from mmkd_plugin.experiments.launch import cores, free_cores, usable_cores
from mmkd_plugin.registry import MODELS


def test_small_networks_have_one_thread_and_large_ones_as_many_as_there_are_cores():
    assert [choose_threads(operations, 8) for operations in (0.2e9, 1.9e9, 2.1e9, 1e12)] == [1, 1, 2, 8]
    assert [choose_threads(1e12, cores) for cores in (0, 1, 2)] == [1, 1, 2]


def test_a_step_costs_what_learners_and_connectors_cost(tmp_path, teacher_dir):
    def build(leaf):
        cfg = tiny_config(leaf, tmp_path, teacher_dir)
        return MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})

    alone = count_operations(build('supervised/student.py'), 1)
    assert alone == 3 * 2 * count_macs(build('supervised/student.py'), 'student') > 10**7
    assert count_operations(build('supervised/student.py'), 64) == 64 * alone
    assert count_operations(build('kd.py'), 1) == alone  # teachers are left out
    # The connector is a convolution by one sample, from 32 channels to 96, of a stage of 50 samples.
    assert count_operations(build('fitnet.py'), 1) - alone == 3 * 2 * 32 * 96 * 50


def test_free_cores_are_those_whose_clocks_stand_at_idle(monkeypatch, tmp_path):
    assert 1 <= free_cores() <= len(usable_cores())
    file = tmp_path / 'stat'
    file.write_text('cpu  0 0 0 0 0\n' + ''.join(f'cpu{core} 0 0 0 5 0\n' for core in usable_cores()))
    monkeypatch.setattr(cores, 'STATISTICS', file)
    assert free_cores() == 1  # no clock moves: all are in use
    monkeypatch.setattr(cores, 'STATISTICS', tmp_path / 'none')
    assert free_cores() == len(usable_cores())


def test_a_run_says_how_many_threads_it_has_unless_the_environment_says_so(monkeypatch, tmp_path, teacher_dir, capsys):
    train(tiny_config('supervised/student.py', tmp_path / 'set', teacher_dir))
    assert 'thread(s)' not in capsys.readouterr().out
    monkeypatch.setenv('OMP_WAIT_POLICY', 'ACTIVE')
    train(tiny_config('supervised/student.py', tmp_path / 'spinning', teacher_dir))
    assert 'warning: OMP_WAIT_POLICY=ACTIVE keeps a core busy that waits for work' in capsys.readouterr().out
    monkeypatch.delenv('OMP_NUM_THREADS')
    train(tiny_config('supervised/student.py', tmp_path / 'free', teacher_dir))
    assert 'thread(s)' not in capsys.readouterr().out
    (log,) = (tmp_path / 'free').glob('*/*.log')
    assert '1 thread(s) for 0.2 billion operations a step; OMP_NUM_THREADS sets another number' in log.read_text()
    assert torch.get_num_threads() == 1


def test_more_threads_than_free_cores_are_not_silent(monkeypatch, capsys):
    monkeypatch.setattr(threads, 'free_cores', lambda: 1)
    with threads.threads_for(lambda: 0.0):
        assert capsys.readouterr().out == ''
    torch.set_num_threads(3)
    try:
        with threads.threads_for(lambda: 0.0):
            assert 'warning: 3 threads, and 1 of ' in capsys.readouterr().out
    finally:
        torch.set_num_threads(1)
