"""What is so on a GPU. The suite hides it from itself, so these tests are asked for: CUDA_VISIBLE_DEVICES=0 pytest -n 0 FILE."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from helpers import CONFIGS, tiny_config

from mmkd_plugin.apis import find_network, read_predictions, train, verify_caches
from mmkd_plugin.deploy import load_student
from mmkd_plugin.experiments import read_records
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.models import encoders

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(),
    reason='no GPU that torch can use; with one: CUDA_VISIBLE_DEVICES=0 pytest -n 0 tests/test_on_gpu.py',
)
METHODS = sorted(path.name for path in CONFIGS.glob('*.py'))
VIEWS = {
    'GramianAngularField': {},
    'MarkovTransitionField': {},
    'PersistenceImage': dict(image_size=32, birth_range=(-4, 4), persistence_range=(0, 8), sigma=0.25),
    'RecurrencePlot': {},
    'Scalogram': {},
    'Spectrogram': {},
}


@pytest.mark.parametrize('leaf', METHODS)
def test_every_method_trains_and_comes_to_the_same_weights_again(leaf, tmp_path, teacher_dir):
    for name in ('one', 'two'):
        train(tiny_config(leaf, tmp_path / name, teacher_dir))
    one, two = (load_checkpoint(tmp_path / name / 'epoch_1.pth')['state_dict'] for name in ('one', 'two'))
    torch.testing.assert_close(one, two, rtol=0, atol=0, equal_nan=True)


def test_kept_outputs_are_what_the_teachers_say_on_a_cpu(tmp_path, teacher_dir):
    cfg = tiny_config('fam_kd.py', tmp_path, teacher_dir)
    train(cfg)
    checks = verify_caches(tiny_config('fam_kd.py', tmp_path, teacher_dir))
    assert [check.teacher for check in checks if check.good] == ['sig', 'gaf', 'pi']
    assert max(check.error for check in checks) < 1e-5


def test_a_sweep_finds_its_teachers_where_the_gpu_is_not_used(tmp_path):
    words = [
        'sweep',
        'kd',
        '--data',
        'basic_motions',
        '--quick',
        '--gpus',
        'none',
        '--cfg-options',
        f'teacher_dir={tmp_path / "teachers"}',
    ]
    done = subprocess.run(
        [sys.executable, '-m', 'mmkd_plugin', *words], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    records = read_records(next(tmp_path.glob('work_dirs/sweeps/*/runs.jsonl')))
    assert {record['process']['device'] for record in records if record['method'] == 'kd'} == {'cpu'}


def test_a_student_answers_on_a_cpu_as_it_was_tested(tmp_path, teacher_dir):
    result = train(tiny_config('kd.py', tmp_path, teacher_dir))
    student = load_student(find_network(result)['checkpoint'])
    golden = load_checkpoint(find_network(result)['checkpoint'])['golden']
    torch.testing.assert_close(student(golden['signal']), golden['logits'], rtol=1e-4, atol=1e-5)
    assert read_predictions(tmp_path)['labels'].shape == (40,)


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('name', VIEWS)
def test_views_are_those_of_the_processor(name, dtype):
    signal = torch.from_numpy(np.random.default_rng(0).normal(size=(4, 3, 64))).to(dtype)
    view = getattr(encoders, name)(**VIEWS[name])
    tight = 1e-8 if dtype == torch.float64 else 1e-5
    torch.testing.assert_close(view(signal.cuda()).cpu(), view(signal), rtol=tight, atol=tight)
