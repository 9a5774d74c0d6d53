"""Where the runs of a sweep are made: what does not fit is one sentence, before anything is trained."""

import importlib.util
import re

import pytest
from helpers import call

from mmkd_plugin.cli.engines import chosen_gpus

NO_GPU = 'torch sees no GPU on this machine; without this option, runs are made on the CPU'
NAMES = ['0', '3', 'GPU-5f2a']  # as CUDA_VISIBLE_DEVICES has them


@pytest.mark.parametrize(
    ('text', 'chosen'), [(None, NAMES), ('none', []), ('0', ['0']), ('2,1', ['GPU-5f2a', '3'])], ids=lambda value: str(value)
)
def test_gpus_are_counted_among_those_that_the_process_may_use(text, chosen):
    assert chosen_gpus(text, NAMES) == chosen


@pytest.mark.parametrize(
    ('text', 'names', 'message'),
    [
        ('0,3', NAMES, r'^--gpus 0,3: this machine has 3 GPU\(s\); expected numbers below that, as 0,1, or none$'),
        ('all', NAMES, '^--gpus all: this machine has 3'),
        ('', NAMES, '^--gpus : this machine has 3'),
        ('0', [], f'^--gpus 0: {NO_GPU}$'),
        ('1,01', NAMES, '^--gpus 1,01 names a GPU twice; --runs-per-gpu says how many runs share one$'),
    ],
)
def test_gpus_that_are_not_there_are_refused(text, names, message):
    with pytest.raises(ValueError, match=message):
        chosen_gpus(text, names)


def needs(package):
    return pytest.mark.skipif(importlib.util.find_spec(package) is None, reason=f'{package} is not installed')


def slurm(*options):
    return ['--engine', 'slurm', '--slurm', *options]


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['--gpus', '99'], '--gpus 99: (torch sees no GPU on this machine|this machine has)'),
        (['--gpus', 'none', '--runs-per-gpu', '8'], '--runs-per-gpu 8: --gpus none was given'),
        (['--slurm', 'timeout_min=5'], '--slurm timeout_min=5 is for --engine slurm'),
        (
            ['--engine', 'ray', '--gpus', '0,1'],
            '--gpus 0,1 are of one machine; Ray deals out those of its cluster, all or none',
        ),
        (['--engine', 'ray', '--workers', '0'], '--workers must be at least 1, got 0'),
        (['--engine', 'slurm', '--threads', '0'], '--threads must be at least 1, got 0'),
        ([*slurm('timeout_min=5'), '--gpus', 'none'], '--gpus none is not for --engine slurm; a job asks for a GPU by --slurm'),
        ([*slurm('timeout_min=5'), '--runs-per-gpu', '2'], '--runs-per-gpu 2 is not for --engine slurm'),
        pytest.param(
            slurm('cluster=local'), '--slurm needs timeout_min=MINUTES, the time limit of a job', marks=needs('submitit')
        ),
        pytest.param(slurm('timeout_min=5', 'nodes=2'), '--slurm nodes=2: a run is one process', marks=needs('submitit')),
        pytest.param(
            slurm('cluster=local', 'timeout_min=5', 'partitoin=gpu'),
            "--slurm: Parameter 'partitoin' need",
            marks=needs('submitit'),
        ),
        pytest.param(
            slurm('cluster=local', 'timeout_min=5', 'slurm_partitoin=gpu'),
            "--slurm: Unknown argument 'partitoin' for executor 'slurm' .* Valid arguments: ",
            marks=needs('submitit'),
        ),
        pytest.param(slurm('cluster=slrum', 'timeout_min=5'), '--slurm: .* any executor named slrum', marks=needs('submitit')),
        pytest.param(
            slurm('cluster=local', 'timeout_min=soon'),
            '--slurm: Parameter "timeout_min" expected type',
            marks=needs('submitit'),
        ),
    ],
)
def test_what_does_not_fit_an_engine_is_one_sentence(words, message, tmp_path):
    result = call('sweep', 'kd', *words, folder=tmp_path)
    assert result.returncode == 1
    assert re.match(f'error: {message}', result.stderr), result.stderr
    assert not list(tmp_path.rglob('runs.jsonl'))


@pytest.mark.parametrize(('engine', 'package'), [('ray', 'ray'), ('slurm', 'submitit')])
def test_an_engine_whose_package_is_absent_says_what_to_install(engine, package, tmp_path):
    if importlib.util.find_spec(package) is not None:
        pytest.skip(f'{package} is installed')
    result = call('sweep', 'kd', '--engine', engine, folder=tmp_path)
    assert result.returncode == 1
    sentence = f"the engine '{engine}' needs {package}, which is not installed. Run: pip install 'mmkd_plugin[{engine}]'"
    assert result.stderr == f'error: {sentence}\n'
    assert list(tmp_path.iterdir()) == []
