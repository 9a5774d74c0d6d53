"""What a run would come to only later is refused at its start: hooks that do nothing, weights that do not fit, odd names."""

import pytest
import torch
from helpers import CONFIGS, TINY, tiny_config

from mmkd_plugin.apis import check_config, load_config
from mmkd_plugin.fileio import ConfigError, parse_value


def faults_of(tmp_path, teacher_dir, text='', options=None):
    """The faults of a small run with these options, or with this text below its config; nothing may have been written."""
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(f"_base_ = ['{CONFIGS / 'supervised/student.py'}']\n{text}")
    cfg = tiny_config(leaf, tmp_path / 'run', teacher_dir, epochs=20, cfg_options=options or {})
    with pytest.raises(ConfigError) as error:
        check_config(cfg)
    assert not (tmp_path / 'run').exists()
    return error.value


OPTIONS = {
    'env_cfg.mp_cfg.opencv_num_threads=x': 'opencv_num_threads must be a whole number of at least 0, got',
    'train_dataloader.worker_init_fn.type=nope': "train_dataloader.worker_init_fn: there is no function of type 'nope'",
    'val_dataloader.num_batch_per_epoch=1': 'val_dataloader.num_batch_per_epoch must be left out: all windows are measured',
    'default_hooks.checkpoint.backend_args.backend=petrel': "backend_args.backend must be 'atomic' or 'local', got 'petrel'",
    'default_hooks.param_scheduler=None': 'param_scheduler is given, and default_hooks.param_scheduler=None: no rate would ever',
    'train_dataloader.sampler.type=InfiniteSampler': 'train_dataloader.sampler: InfiniteSampler has no end, and an epoch needs',
    'test_dataloader.sampler.type=InfiniteSampler': 'test_dataloader.sampler: InfiniteSampler has no end, and an epoch needs',
    'visualizer.vis_backends.1.type=ClearMLVisBackend': 'ClearMLVisBackend needs clearml, which is not installed. Run: pip',
}


@pytest.mark.parametrize('option', OPTIONS)
def test_an_option_that_would_fail_later_is_refused(option, tmp_path, teacher_dir):
    key, _, value = option.partition('=')
    error = faults_of(tmp_path, teacher_dir, options={key: parse_value(value)})
    assert OPTIONS[option] in str(error)
    assert len(error.faults) == 1, error


HOOKS = {
    "custom_hooks=[dict(type='EarlyStoppingHook', monitor='accuracy/top')]": (
        "custom_hooks.0.monitor: val_evaluator gives no 'accuracy/top'; did you mean 'accuracy/top1'?"
    ),
    "param_scheduler=[dict(type='ReduceOnPlateauLR', monitor='loss')]": "param_scheduler.0.monitor: val_evaluator gives no 'loss'",
    "custom_hooks=[dict(type='EMAHook', begin_epoch=21)]": 'custom_hooks.0.begin_epoch is 21, beyond the run: train_cfg.max_epochs',
    "custom_hooks=[dict(type='EMAHook', momentum=2)]": 'custom_hooks.0: AssertionError: momentum must be in range (0.0, 1.0)',
    "custom_hooks=[dict(type='EMAHook', ema_type='Mean')]": 'custom_hooks.0: Mean is not in the ',
}


@pytest.mark.parametrize('text', HOOKS)
def test_hooks_that_would_never_do_anything_are_refused(text, tmp_path, teacher_dir):
    assert HOOKS[text] in str(faults_of(tmp_path, teacher_dir, text + '\n'))


@pytest.mark.parametrize('name', ['ep_{}_{}.pth', 'epoch_{:03d}.pth', 'best_{}.pth', 'last.pth'])
def test_names_of_checkpoints_that_cannot_be_are_refused(name, tmp_path, teacher_dir):
    error = faults_of(tmp_path, teacher_dir, options={'default_hooks.checkpoint.filename_tmpl': name})
    expected = "default_hooks.checkpoint.filename_tmpl must be a name with {} once, such as 'epoch_{}.pth', got "
    assert error.faults == (expected + repr(name),)


WEIGHTS = {
    'load_from': [
        ({}, 'load_from=w.pth does not fit the network: backbone.stem.weight: missing; '),
        (
            {'learners.sig.backbone.stem.weight': 1},
            "w.pth holds the learner(s) sig, and the run deploys 'student'; init_from= of",
        ),
        ({'learners.student.backbone.stem.weight': 1}, 'learners.student.backbone.stem.weight: (1,), expected (16, 6, 3); '),
    ],
    'model.learners.student.init_from': [
        ({'backbone.stem.weight': 1}, "learner 'student', init_from: checkpoint w.pth does not fit the network: backbone.stem"),
    ],
}


def test_weights_that_do_not_fit_are_refused(tmp_path, teacher_dir):
    for key, cases in WEIGHTS.items():
        for state, message in cases:
            torch.save({name: torch.zeros(size) for name, size in state.items()}, tmp_path / 'w.pth')
            error = faults_of(tmp_path, teacher_dir, options={key: str(tmp_path / 'w.pth')})
            assert message in str(error).replace(f'{tmp_path}/', '')
            assert len(error.faults) == 1, error


def test_a_detector_needs_anomalies_and_its_metric_a_detector(tmp_path, teacher_dir):
    options = {'teacher_dir': str(teacher_dir)}
    cfg = load_config(CONFIGS / 'hidden_kd_anomaly.py', str(tmp_path / 'run'), data=TINY, cfg_options=options)
    with pytest.raises(
        ConfigError, match=r'^an AnomalyDetector needs data with anomalies: normal=\[\.\.\.\], the classes that are'
    ):
        check_config(cfg)
    error = faults_of(tmp_path, teacher_dir, "val_evaluator = dict(_delete_=True, type='AnomalyMetric')\n")
    assert 'val_evaluator: AnomalyMetric is for the predictions of an AnomalyDetector, and these have no anomaly' in str(error)
