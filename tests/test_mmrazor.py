"""The config of docs/mmrazor.md, run by MMRazor's own algorithm on real windows."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mmkd_plugin.functional import softened_kl, squared_error
from mmkd_plugin.models import DistanceLoss

ROOT = Path(__file__).parents[1]

SCRIPT = """
import sys
import mmcv
mmcv.__version__ = '2.1.0'
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.optim import OptimWrapper
import mmrazor.models
from mmrazor.registry import MODELS
from mmkd_plugin.registry import DATASETS

torch.manual_seed(0)
cfg, data = (Config.fromfile(path) for path in sys.argv[1:])
dataset = DATASETS.build({**data.train_dataloader.dataset, '_scope_': 'mmkd_plugin'})
model = MODELS.build(cfg.model)
model.train()
before = [p.detach().clone() for p in model.teacher.parameters()]
batch = default_collate([dataset[i] for i in range(0, 32, 3)])
terms = model.loss(**{k: v for k, v in zip(('batch_inputs', 'data_samples'), model.data_preprocessor(batch, True).values())})
print({name: round(value.item(), 4) for name, value in terms.items()})
sum(terms.values()).backward()
learned = {n for n, p in model.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
expected = {n for n, p in model.named_parameters() if n.startswith(('architecture', 'distiller'))}
assert learned == expected, learned ^ expected
model.train_step(batch, OptimWrapper(torch.optim.SGD(model.parameters(), lr=0.01)))
assert all(torch.equal(a, b) for a, b in zip(before, model.teacher.parameters()))
"""


def test_the_documented_config_trains_in_mmrazor(tmp_path):
    if importlib.util.find_spec('mmrazor') is None:
        pytest.skip('MMRazor is not importable: pip install git+https://github.com/open-mmlab/mmrazor')
    (block,) = re.findall(r'```python\n(.*?)```', (ROOT / 'docs' / 'mmrazor.md').read_text(), re.S)
    (tmp_path / 'config.py').write_text(block)
    (tmp_path / 'script.py').write_text(SCRIPT)
    data = ROOT / 'configs' / '_base_' / 'datasets' / 'basic_motions.py'
    command = [sys.executable, str(tmp_path / 'script.py'), str(tmp_path / 'config.py'), str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    assert {'student.loss_student', 'distill.loss_fam', 'distill.loss_kd'} <= set(eval(done.stdout.strip().splitlines()[-1]))


def test_a_distance_is_a_loss_with_named_arguments_and_a_weight():
    torch.manual_seed(0)
    student, teacher = torch.randn(4, 5, requires_grad=True), torch.randn(4, 5, requires_grad=True)
    kd = DistanceLoss('softened_kl', loss_weight=3.0, tau=2.0)
    torch.testing.assert_close(kd(student=student, teacher=teacher), 3 * softened_kl(student, teacher, 2.0).mean())
    kd(student, teacher).backward()
    assert student.grad.abs().sum() > 0
    assert teacher.grad is None
    torch.testing.assert_close(DistanceLoss('squared_error')(student, teacher), squared_error(student, teacher).mean())


def test_an_unknown_distance_is_refused():
    with pytest.raises(ValueError, match="distance must be one of absolute_error, .*, got 'frequency_attention'"):
        DistanceLoss('frequency_attention')
