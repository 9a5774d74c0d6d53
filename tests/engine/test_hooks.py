"""Hooks in a real run on BasicMotions: memory bank, phases, seed and epoch; and the hooks that a model cannot do without."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from mmkd_plugin.engine import (
    CalibrationHook,
    DetectorProtocol,
    DistillerProtocol,
    EpochHook,
    PhaseHook,
    missing_hooks,
    training_labels,
)
from mmkd_plugin.registry import MODELS

BASE = Path(__file__).parents[2] / 'configs' / '_base_'
WRN = dict(backbone=dict(type='WideResNet', dim=1, depth=10))
LEARNERS = dict(student=dict(view='sig', network=WRN), other=dict(view='sig', network=WRN))
CRD = dict(type='ContrastiveTransfer', source='other.embedding', target='student.embedding', dim=8)
PACED = dict(
    type='ResponseTransfer', source='other.logits', target='student.logits', weighting=dict(type='SelfPaced', alpha=0.5)
)
PHASES = dict(
    first=dict(epochs=[0, 1], terms=['other'], lr=0.1, frozen=['student'], decay='constant'),
    second=dict(epochs=[1, 2], terms=['student', 'crd'], lr=0.2, frozen=['other'], decay='constant'),
)
ALL = ('EpochHook', 'MemoryBankHook', 'PhaseHook', 'CalibrationHook')


def distiller(preprocessor=None, **more):
    preprocessor = preprocessor or dict(type='ViewPreprocessor', shape=(6, 100), num_classes=4)
    return dict(type='Distiller', deployed='student', data_preprocessor=preprocessor, learners=LEARNERS, **more)


def runner(folder, hooks=ALL, **model):
    data = Config.fromfile(BASE / 'datasets' / 'basic_motions.py')
    return Runner(
        distiller(data.data_preprocessor, **model),
        str(folder),
        train_dataloader=data.train_dataloader,
        train_cfg=dict(by_epoch=True, max_epochs=2),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.01)),
        custom_hooks=[dict(type=name) for name in hooks],
        default_hooks=dict(checkpoint=None),
        randomness=dict(seed=7),
        default_scope='mmkd_plugin',
        experiment_name=folder.name,
    )


@pytest.fixture(scope='module')
def done(tmp_path_factory):
    """A run of two phases with a memory bank, and the frozen learner as it was at the start."""
    run = runner(tmp_path_factory.mktemp('phases'), transfers=dict(crd=CRD), phases=PHASES)
    run.train()
    return run


def test_a_run_goes_through_its_phases_at_their_rates(done):
    assert done.model.phase == 'second'
    assert done.model.active == {'student', 'crd'}
    assert done.message_hub.get_info('phase') == 'second'
    assert [group['lr'] for group in done.optim_wrapper.param_groups] == [0.2]
    assert not any(p.requires_grad for p in done.model.learners['other'].parameters())
    log = next(Path(done.work_dir).glob('*/*.log')).read_text()
    assert "phase 'first' from iteration 1: terms other" in log
    assert "phase 'second' from iteration 3: terms crd, student" in log


def test_the_memory_bank_has_the_labels_of_the_training_set(done):
    bank = done.model.transfers['crd'].pairs['other']
    dataset = done.train_dataloader.dataset
    assert torch.equal(bank.labels, training_labels(dataset))
    assert bank.target_memory.shape == (len(dataset), 8)
    assert bank.steps == 2  # it is on in the second of two epochs


def test_the_training_set_knows_seed_and_epoch(done):
    assert done.train_dataloader.dataset.seed == 7
    assert done.train_dataloader.dataset.epoch == 1


def test_a_checkpoint_of_another_phase_is_refused(done):
    PhaseHook().before_train(done)
    done.message_hub.update_info('phase', 'first')
    with pytest.raises(ValueError, match="the checkpoint was in phase 'first', this config is in 'second' at iteration 4"):
        PhaseHook().before_train(done)
    done.message_hub.update_info('phase', 'second')


def test_a_memory_bank_without_its_hook_ends_the_run_before_the_first_step(tmp_path):
    run = runner(tmp_path, ['PhaseHook'], transfers=dict(crd=CRD))
    with pytest.raises(RuntimeError, match='the memory bank is empty: MemoryBankHook, or'):
        run.train()
    assert run.iter == 0


def test_weights_that_follow_the_validation_need_one_before_the_first_step(tmp_path):
    run = runner(tmp_path, ['AccuracyHook'], transfers=dict(kd=PACED))
    with pytest.raises(ValueError, match='the weights of kd follow the validation accuracy: the run needs a val_dataloader'):
        run.train()
    assert run.iter == 0


class LeadingHook(PhaseHook):
    """A user's own."""


@pytest.mark.parametrize(
    ('model', 'hooks', 'missing'),
    [
        (dict(), [], []),
        (dict(transfers=dict(crd=CRD)), ['PhaseHook'], ['MemoryBankHook, which allocates the memory bank of crd']),
        (dict(transfers=dict(crd=CRD)), ['mmkd_plugin.MemoryBankHook'], []),
        (dict(transfers=dict(kd=PACED)), [], ['AccuracyHook, which measures the accuracies that the weights of kd follow']),
        (dict(transfers=dict(kd=PACED)), ['AccuracyHook'], []),
        (dict(transfers=dict(crd=CRD), phases=PHASES), ['MemoryBankHook'], ['PhaseHook, which leads the run from phase to phase']),
        (dict(transfers=dict(crd=CRD), phases=PHASES), ['MemoryBankHook', LeadingHook], []),
        (
            dict(transfers=dict(crd=CRD), phases=PHASES),
            ['NoSuchHook'],
            ['MemoryBankHook, which allocates the memory bank of crd', 'PhaseHook, which leads the run from phase to phase'],
        ),
    ],
)  # fmt: skip
def test_hooks_that_a_model_needs(model, hooks, missing):
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        sentences = missing_hooks(MODELS.build(distiller(**model)), [dict(type=hook) for hook in hooks])
    assert [sentence.partition(':')[0].removeprefix('the config has no ') for sentence in sentences] == missing
    for sentence in sentences:
        assert sentence.endswith("Hook') to custom_hooks")


def test_a_detector_needs_its_calibration_and_both_keep_the_protocol():
    score = dict(type='FeatureTransfer', source='other.embedding', target='student.embedding')
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        plain = MODELS.build(distiller())
        detector = MODELS.build({**distiller(transfers=dict(score=score)), 'type': 'AnomalyDetector'})
        assert missing_hooks(detector, [CalibrationHook()]) == []
        (sentence,) = missing_hooks(detector, [EpochHook()])
    assert sentence.startswith("the config has no CalibrationHook, which sets the detector's threshold: add dict(")
    assert [isinstance(m, p) for m in (plain, detector) for p in (DistillerProtocol, DetectorProtocol)] == [
        True,
        False,
        True,
        True,
    ]


class Plain(BaseModel):
    """A model that is no distiller."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(100, 4)

    def forward(self, inputs, data_samples, mode):
        logits = self.layer(inputs.mean(1))
        return dict(loss=torch.nn.functional.cross_entropy(logits, torch.cat([s.gt_label for s in data_samples])))


def test_hooks_leave_other_models_alone(tmp_path):
    run = runner(tmp_path)
    run.model = Plain()
    run.train()
    assert run.iter == 4
    assert 'phase' not in run.message_hub.runtime_info
    assert run.train_dataloader.dataset.epoch == 1
    assert not isinstance(run.model, DistillerProtocol)
    assert missing_hooks(run.model, []) == []
