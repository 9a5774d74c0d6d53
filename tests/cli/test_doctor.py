import re
from pathlib import Path

import pytest
import torch

from mmkd_plugin.apis import format_table, load_config, train

ROOT = Path(__file__).parents[2]
LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'


@pytest.fixture
def doctor(mmkd):
    return lambda *options: mmkd('doctor', LEAF, '--batches', '1', '--cfg-options', *options)


def test_teachers_at_chance_level_are_a_fault_and_trained_ones_are_none(doctor, tmp_path):
    # With eight validation windows only a good teacher is beyond doubt: the signal's.
    dropped = [
        f'model.{key}=None'
        for key in ('teachers.pi', 'teachers.gaf', 'transfers.fam_pi', 'transfers.fam_gaf', 'transfers.aver')
    ]
    raw = doctor('teachers.train_cfg.max_epochs=1', 'teachers.optim_wrapper.optimizer.lr=0.0', *dropped)
    assert raw.returncode == 1
    assert "fault: teacher 'sig' is at chance level:" in raw.stderr

    trained = doctor(*dropped)
    assert trained.returncode == 0, trained.stderr[-2000:]
    assert 'no fault found' in trained.stdout
    assert 'connector fam_sig from sig: Resize -> FrequencyAttention -> NormReLU' in trained.stdout
    assert all(name in trained.stdout for name in ('student ', 'fam_sig ', 'teacher sig: '))
    (line,) = (line for line in trained.stdout.splitlines() if re.match(r'teacher sig: [\d.]+ %', line))
    measured, message = re.findall(r'([\d.]+) %', line)
    assert measured == message  # on these validation windows, and what the checkpoint has kept of them

    # A checkpoint from elsewhere that says what its weights do not reach.
    checkpoints = (tmp_path / 'work_dirs' / 'teachers').glob('sig-*/sig_best.pth')
    path = max(checkpoints, key=lambda p: p.stat().st_mtime)
    checkpoint = torch.load(path, weights_only=True)
    if checkpoint['meta']['validation']['value'] > 60:
        checkpoint['meta']['validation']['value'] -= 50.0
    else:
        checkpoint['meta']['validation']['value'] += 40.0
    torch.save(checkpoint, tmp_path / 'other.pth')
    other = doctor(*dropped, f'model.teachers.sig.checkpoint={tmp_path / "other.pth"}')
    assert other.returncode == 1
    assert re.search(r"fault: teacher 'sig' reaches [\d.]+ % on validation, its checkpoint says [\d.]+ %", other.stderr)


DEAD = """
from mmkd_plugin.models import FeatureTransfer
from mmkd_plugin.registry import MODELS

@MODELS.register_module()
class DetachedTransfer(FeatureTransfer):
    def distance(self, target, source, labels):
        return super().distance(target.detach(), source, labels)
"""


def test_every_run_says_which_transfer_is_dead(tmp_path, monkeypatch):
    (tmp_path / 'dead.py').write_text(DEAD)
    monkeypatch.syspath_prepend(tmp_path)
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(
        f'_base_ = {str(LEAF)!r}\n'
        "custom_imports = dict(imports=['dead'])\n"
        'model = dict(teachers=dict(gaf=None, pi=None), transfers=dict(fam_gaf=None, fam_pi=None, fam_sig=None, '
        "aver=dict(source=['sig.logits']), hint=dict(type='DetachedTransfer', source='sig.stages.2', target='student.stages.2', "
        "connector=dict(type='ConvConnector'))))\n"
    )
    options = {'train_cfg.max_epochs': 1, 'teachers.train_cfg.max_epochs': 1, 'teacher_dir': str(tmp_path / 'teachers')}
    options['teachers.optim_wrapper.optimizer.lr'] = 0.0
    result = train(load_config(leaf, work_dir=str(tmp_path / 'run'), cfg_options=options))
    teacher, fault = result['faults']  # every run asks its teachers, too
    assert teacher.startswith("teacher 'sig' is at chance level: ")
    assert fault.startswith("'hint' is dead: its value is")
    assert f'the doctor found: {fault}' in format_table(result)


def test_a_wrong_config_is_one_error(doctor, tmp_path):
    done = doctor('model.transfers.fam_gaf.source=gfa.stages')
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("error: transfer 'fam_gaf'")
    assert [path.name for path in tmp_path.glob('*/*')] == ['stores']  # data, ready to be read; no teacher and no run
