"""Wrong configs and options are refused before anything is trained or written, all faults of one config in one message."""

from pathlib import Path

import pytest
import torch

from mmkd_plugin.apis import check_config, load_config
from mmkd_plugin.apis.checks import value_faults
from mmkd_plugin.fileio import ConfigError, parse_value

ROOT = Path(__file__).parents[2]
DATA = str(ROOT / 'configs' / '_base_' / 'datasets' / 'basic_motions.py')
# One teacher, one transfer: what a check reads and builds is little.
LEAF = f"""
_base_ = [
    {DATA!r},
    {str(ROOT / 'configs/_base_/networks/wrn16_1_student.py')!r},
    {str(ROOT / 'configs/_base_/schedules/sgd.py')!r},
    {str(ROOT / 'configs/_base_/default_runtime.py')!r},
]
fam = dict(
    type='FeatureTransfer',
    source='gaf.stages.2',
    target='student.stages.2',
    connector=[dict(type='Lift', mode='outer'), dict(type='FrequencyAttention', cutoff=0.1), dict(type='NormReLU')],
)
model = dict(teachers=dict(gaf=dict(config='configs/teachers/gaf.py')), transfers=dict(fam=fam))
"""


def faults_of(tmp_path, text='', options=None, **arguments):
    """The faults of the leaf with these options, or with this text below it; nothing may have been written."""
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(LEAF + text)
    options = {'teacher_dir': str(tmp_path / 'teachers'), **(options or {})}
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(ConfigError) as error:
        check_config(load_config(leaf, **{'work_dir': str(tmp_path / 'run'), **arguments}, cfg_options=options))
    assert sorted(tmp_path.rglob('*')) == before
    return error.value


def test_the_leaf_itself_is_good(tmp_path):
    (tmp_path / 'leaf.py').write_text(LEAF)
    manifest = check_config(load_config(tmp_path / 'leaf.py', work_dir=str(tmp_path / 'run')))
    assert manifest.counts() == {'test': 40, 'train': 32, 'val': 8}
    assert [path.name for path in tmp_path.iterdir()] == ['leaf.py']


OPTIONS = {
    # Keys that the config has not and that nothing accepts.
    'train_cfg.max_epoch=2': "train_cfg: EpochBasedTrainLoop takes no 'max_epoch'; did you mean 'max_epochs'?",
    'model.transfers.fam.wieght=1': "transfer 'fam': FeatureTransfer takes no 'wieght'; did you mean 'weight'?",
    'model.transfers.fan.weight=1': "--cfg-options model.transfers.fan.weight: model.transfers has no 'fan'; did you mean 'fam'?",
    'model.learners.student.ce_weigth=1': "did you mean 'ce_weight'?",
    'model.teachers.gaf.checkpont=a.pth': "did you mean 'checkpoint'?",
    'optim_wrapper.optimizer.lrr=1': "optim_wrapper.optimizer: SGD takes no 'lrr'; did you mean 'lr'?",
    'optim_wrapper.clip_grad.max_nrom=1': "optim_wrapper.clip_grad takes no 'max_nrom'; did you mean 'max_norm'?",
    'randomness.sed=1': "randomness takes no 'sed'; did you mean 'seed'?",
    'env_cfg.cudnn_benchmrk=1': "env_cfg takes no 'cudnn_benchmrk'; did you mean 'cudnn_benchmark'?",
    'train_dataloader.batchsize=8': "train_dataloader takes no 'batchsize'; did you mean 'batch_size'?",
    'train_dataloader.dataset.widow=8': "train_dataloader.dataset: WindowDataset takes no 'widow'; did you mean 'window'?",
    'train_dataloader.dataset.pipeline.0.methd=minmax': "pipeline.0: NormalizeSignal takes no 'methd'; did you mean 'method'?",
    'train_dataloader.sampler.shufle=1': "train_dataloader.sampler: DefaultSampler takes no 'shufle'; did you mean 'shuffle'?",
    'data_preprocessor.views.gaf.imagesize=8': "data_preprocessor: view 'gaf': GramianAngularField takes no 'imagesize'; did you mean 'image_size'?",
    'param_scheduler.T_mx=3': "param_scheduler: CosineAnnealingLR takes no 'T_mx'; did you mean 'T_max'?",
    'val_evaluator.0.topkk=1': "val_evaluator.0: Accuracy takes no 'topkk'; did you mean 'topk'?",
    'custom_hooks.5.limt=1': "custom_hooks.5: TeacherCacheHook takes no 'limt'; did you mean 'limit'?",
    'custom_hooks.9.limit=1': '--cfg-options custom_hooks.9.limit: custom_hooks is a list with the indices 0 to 7',
    'default_hooks.chekpoint.interval=2': "default_hooks has no 'chekpoint'; did you mean 'checkpoint'?",
    'default_hooks.checkpoint.save_bst=accuracy/top1': "CheckpointHook takes no 'save_bst'; did you mean 'save_best'?",
    'visualizer.vis_backend=a': "visualizer: UniversalVisualizer takes no 'vis_backend'; did you mean 'vis_backends'?",
    'optim_wrapper.optimizer.lr.decay=1': 'optim_wrapper.optimizer.lr is 0.05 and has no entries',
    'teacher_dr=x': "--cfg-options teacher_dr: there is no setting 'teacher_dr'; did you mean 'teacher_dir'?",
    'foo=1': "--cfg-options foo: there is no setting 'foo'",
    'max_epochs=1': "--cfg-options max_epochs: there is no setting 'max_epochs'; set train_cfg.max_epochs instead",
    'window=50': "'window' is a variable of the config's text, which has been read already; set train_dataloader.dataset.window",
    'teachers.train_cfg.max_epoch=2': "teacher 'gaf' (configs/teachers/gaf.py): train_cfg: EpochBasedTrainLoop takes no",
    'teachers.foo=1': "--cfg-options teachers.foo: there is no setting 'foo'",
    'teachers.train_cfg.val_interval=30': 'train_cfg.val_interval is 30, beyond the run: train_cfg.max_epochs is 20',
    # Types that no registry knows.
    'model.type=Distiler': "model: there is no model of type 'Distiler'; did you mean 'Distiller'?",
    'optim_wrapper.optimizer.type=SDG': "optim_wrapper.optimizer: there is no optimizer of type 'SDG'; did you mean 'SGD'?",
    'custom_hooks.0.type=ResumHook': "custom_hooks.0: there is no hook of type 'ResumHook'; did you mean 'ResumeHook'?",
    'val_evaluator.0.type=Acuracy': "val_evaluator.0: there is no metric of type 'Acuracy'; did you mean 'Accuracy'?",
    'param_scheduler.type=CosineAnealingLR': "did you mean 'CosineAnnealingLR'?",
    # Values.
    'model.transfers.fam.weight=-1': "transfer 'fam': weight must be a number of at least 0, got -1",
    'model.learners.student.ce_weight=much': "learner 'student': ce_weight must be a number of at least 0, got 'much'",
    'optim_wrapper.optimizer.lr=fast': "optim_wrapper.optimizer.lr must be a finite number of at least 0, got 'fast'",
    'optim_wrapper.optimizer.lr=inf': 'optim_wrapper.optimizer.lr must be a finite number of at least 0, got inf',
    'train_cfg.max_epochs=0': 'train_cfg.max_epochs must be a whole number of at least 1, got 0',
    'train_cfg.val_interval=21': 'train_cfg.val_interval is 21, beyond the run: train_cfg.max_epochs is 20',
    'train_cfg.val_begin=30': 'train_cfg.val_begin is 30, beyond the run: train_cfg.max_epochs is 20',
    'train_dataloader.num_workers=many': "train_dataloader.num_workers must be a whole number of at least 0, got 'many'",
    'train_dataloader.batch_size=0': 'train_dataloader.batch_size must be a whole number of at least 1, got 0',
    'default_hooks.checkpoint.save_best=accuracy/top2': "val_evaluator gives no 'accuracy/top2'; did you mean 'accuracy/top1'?",
    'default_hooks.checkpoint.save_best=None': 'default_hooks.checkpoint needs save_best',
    'optim_wrapper.type=AmpOptimWrapper': 'automatic mixed precision needs an accelerator',
    # What would show at the run's end, or never.
    'default_hooks.checkpoint=None': 'default_hooks.checkpoint needs save_best',
    "default_hooks.checkpoint.save_best=['accuracy/top1','single-label/f1-score']": 'save_best must name one metric, by which the',
    'default_hooks.checkpoint.save_best=3': 'checkpoint.save_best must be a text or a list of texts or None, got 3',
    'default_hooks.checkpoint.out_dir=elsewhere': "checkpoint.out_dir must be left out, because checkpoints lie in work_dir, got 'el",
    "default_hooks.checkpoint.published_keys=['meta']": 'checkpoint.published_keys must be left out: student_best.pth and',
    'default_hooks.checkpoint.rule=most': 'default_hooks.checkpoint: rule must be greater, less or None, but got most',
    'default_hooks.checkpoint.interval=often': "default_hooks.checkpoint.interval must be a whole number, got 'often'",
    'default_hooks.logger.interval=0': 'default_hooks.logger: interval must be greater than 0',
    'custom_hooks.5.limit=-1': 'custom_hooks.5: limit must be a number of at least 0, got -1',
    'custom_hooks.5.dtype=float17': "custom_hooks.5: dtype must be 'float32' or 'float16', got 'float17'",
    'custom_hooks.7.interval=often': "custom_hooks.7.interval must be a whole number, got 'often'",
    'param_scheduler.T_max=many': "param_scheduler.T_max must be a whole number or None, got 'many'",
    'param_scheduler.end=-1': 'param_scheduler: end should be larger than begin',
    'param_scheduler.begin=20': 'param_scheduler.begin is 20, beyond the run: train_cfg.max_epochs is 20',
    'optim_wrapper.optimizer.momentum=-1': 'optim_wrapper.optimizer: Invalid momentum value: -1',
    'optim_wrapper.optimizer.nesterov=on': "optim_wrapper.optimizer.nesterov must be True or False, got 'on'",
    'optim_wrapper.clip_grad.max_norm=-1': 'optim_wrapper.clip_grad.max_norm must be a number above 0, got -1',
    'optim_wrapper.accumulative_counts=0': 'optim_wrapper: AssertionError: _accumulative_counts at least',
    'randomness.seed=-1': 'randomness.seed must be a whole number from 0 to 4294967295, got -1',
    'randomness.seed=1.5': 'randomness.seed must be a whole number from 0 to 4294967295, got 1.5',
    'randomness.deterministic=maybe': "randomness.deterministic must be True or False, got 'maybe'",
    'train_cfg.dynamic_intervals=3': 'train_cfg.dynamic_intervals must be a list of lists or None, got 3',
    'train_dataloader.persistent_workers=True': 'train_dataloader: persistent_workers option needs num_workers > 0',
    'train_dataloader.sampler.shuffle=maybe': "train_dataloader.sampler.shuffle must be True or False, got 'maybe'",
    'env_cfg.mp_cfg.mp_start_method=frok': "env_cfg.mp_cfg.mp_start_method must be one of fork, spawn, forkserver, got 'frok'",
    'log_processor.by_epoch=maybe': "log_processor.by_epoch must be True or False, got 'maybe'",
    'log_processor.window_size=0': 'log_processor.window_size must be a whole number of at least 1, got 0',
    'auto_scale_lr.enable=True': 'auto_scale_lr.enable needs auto_scale_lr.base_batch_size',
    'val_evaluator.0.topk=5': 'val_evaluator: Top-5 accuracy is unavailable since the number of categories is 4',
    'model.teachers.gaf.use=bset': "teacher 'gaf': use must be 'best' or 'last', got 'bset'",
    'teachers.randomness.seed=-1': 'randomness.seed must be a whole number from 0',
    # The model.
    'model.transfers.fam.source=gfa.stages': "transfer 'fam': address 'gfa.stages': there is no network 'gfa'",
    'model.transfers.fam.source=gaf.stages.5': 'has 3 stages',
    'model.learners.student.view=fft': "there is no view 'fft'",
    'model.learners.student.init_from=none.pth': 'there is no checkpoint none.pth',
    'model.teachers.gaf.config=configs/teachers/none.py': "teacher 'gaf': there is no config configs/teachers/none.py",
    'model.teachers.gaf.checkpoint=none.pth': 'there is no checkpoint none.pth',
    'model.teachers.gaf.use=frist': "teacher 'gaf': use must be 'best' or 'last', got 'frist'",
    'load_from=none.pth': 'there is no checkpoint none.pth',
    # The data.
    'val_dataloader.dataset.subjects.val=[]': 'the val split is empty: it names no subject',
    'test_dataloader.dataset.subjects.test=[train_00]': 'subject(s) train_00 are in both the train and the test split',
    'test_dataloader=None': 'the config has no test_dataloader',
    'data_preprocessor.num_classes=5': 'data_preprocessor.num_classes is 5, the data have 4',
    'data_preprocessor.shape=(6,90)': 'data_preprocessor.shape is (6, 90), the windows have (6, 100)',
    'data_root=/nowhere': '/nowhere/BasicMotions_TRAIN.arff does not exist',
}


@pytest.mark.parametrize('option', OPTIONS)
def test_a_wrong_option_is_refused(option, tmp_path):
    key, _, value = option.partition('=')
    if option.startswith('optim_wrapper.type') and torch.cuda.is_available():
        pytest.skip('there is an accelerator')
    error = faults_of(tmp_path, options={key: parse_value(value)})
    assert OPTIONS[option] in str(error)
    assert len(error.faults) == 1, error


TEXTS = {
    'train_cgf = dict(max_epochs=2)': "there is no setting 'train_cgf'; did you mean 'train_cfg'? A variable of your own needs",
    'custom_hook = []': "there is no setting 'custom_hook'; did you mean 'custom_hooks'?",
    'default_hooks = dict(chekpoint=dict(interval=2))': "default_hooks.chekpoint must be a dict with type=, got {'interval': 2}; did you mean 'checkpoint'?",
    'custom_hooks = [dict(interval=3)]': 'custom_hooks.0 must be a dict with type=',
    'optim_wrapper = dict(optimizer=dict(_delete_=True, lr=1))': 'optim_wrapper.optimizer must be a dict with type=',
    'model = dict(transfers=dict(fam=dict(source=None)))': 'transfer',
    "val_evaluator = dict(_delete_=True, type='SingleLabelMetric', items=['precision'])": "val_evaluator gives no 'accuracy/top1'",
    'val_evaluator = None': 'the config has no val_evaluator',
    "model['phases'] = dict(one=dict(epochs=[0, 20], lr=1, terms=['fam']))\ncustom_hooks = []": 'the config has no PhaseHook',
    'train_cfg = None': 'the config has no train_cfg',
    'train_dataloader = dict(sampler=None)': 'train_dataloader needs a sampler',
    'train_dataloader = dict(batch_size=64, drop_last=True)': 'train_dataloader: drop_last leaves no batch of 64 in 32 windows',
    'model["phases"] = dict(one=dict(epochs=[0, 20], lr=1, terms=["fam"], frozn=[]))': "phase 'one': there is no field 'frozn'; did you mean 'frozen'?",
}


GOOD = {
    'default_hooks.checkpoint.save_best': ('auto', ['accuracy/top1']),
    'default_hooks.checkpoint.interval': (7, -1),
    'randomness.seed': (0, 2**32 - 1, None),
    'train_cfg.val_begin': (20,),
    'train_cfg.dynamic_intervals': ([(5, 2)],),
    'param_scheduler.eta_min': (0, 1e-3),
    'optim_wrapper.clip_grad': (dict(max_norm=2), dict(type='value', clip_value=0.5)),
    'param_scheduler': ([dict(type='MultiStepLR', milestones=[2, 4]), dict(type='LinearLR', start_factor=0.1, end=2)],),
}


def test_values_that_work_are_accepted(tmp_path):
    (tmp_path / 'leaf.py').write_text(LEAF)
    for key, values in GOOD.items():
        for value in values:
            options = {key: value, 'teacher_dir': str(tmp_path / 'teachers')}
            cfg = load_config(tmp_path / 'leaf.py', work_dir=str(tmp_path / 'run'), cfg_options=options)
            assert value_faults(cfg) == [], key


@pytest.mark.parametrize('text', TEXTS)
def test_a_wrong_text_is_refused(text, tmp_path):
    error = faults_of(tmp_path, text)
    assert TEXTS[text] in str(error)
    assert len(error.faults) == 1, error


def test_all_faults_come_in_one_message(tmp_path):
    options = {
        'train_cfg.max_epoch': 2,
        'foo': 1,
        'model.transfers.fam.source': 'gfa.stages',
        'data_preprocessor.num_classes': 5,
        'default_hooks.checkpoint.save_best': 'accuracy/top2',
        'teachers.optim_wrapper.optimizer.lrr': 1,
    }
    error = faults_of(tmp_path, options=options)
    first, *lines = str(error).splitlines()
    assert first == f'6 faults in {tmp_path / "leaf.py"}:'
    assert lines == [f'  - {fault}' for fault in error.faults]
    for name in ('max_epoch', 'foo', 'gfa', 'num_classes', 'top2', 'lrr'):
        assert sum(name in line for line in lines) == 1, name


def test_every_transfer_with_a_fault_is_named(tmp_path):
    text = "model['transfers'] = dict(a={**fam, 'source': 'gaf.stages.7'}, b={**fam, 'target': 'pupil.cam'}, c=fam)\n"
    faults = faults_of(tmp_path, text).faults
    assert [fault.partition(':')[0] for fault in faults] == ["transfer 'b'", "transfer 'a'"]


@pytest.mark.parametrize(
    'options',
    [
        {'default_hooks.checkpoint.save_last': False},
        {'model.learners.student.ce_weight': 0.5},
        {'train_dataloader.drop_last': True},
        {'optim_wrapper.clip_grad.max_norm': 1},
        {'custom_hooks.5.mode': 'off'},
        {'env_cfg.dist_cfg.timeout': 60},
        {
            'model.transfers.new.type': 'ResponseTransfer',
            'model.transfers.new.source': 'gaf.logits',
            'model.transfers.new.target': 'student.logits',
        },
        {'teachers.train_cfg.max_epochs': 3, 'teachers.optim_wrapper.optimizer.lr': 0.1},
        {
            'model.learners.student.network.backbone.init_cfg.type': 'Kaiming',
            'model.learners.student.network.backbone.init_cfg.layer': 'Conv1d',
        },
    ],
    ids=lambda options: next(iter(options)),
)
def test_an_argument_that_a_class_takes_is_accepted(options, tmp_path):
    (tmp_path / 'leaf.py').write_text(LEAF)
    check_config(load_config(tmp_path / 'leaf.py', work_dir=str(tmp_path / 'run'), cfg_options=options))


def test_folders_that_cannot_be_written_are_refused(tmp_path):
    (tmp_path / 'file').write_text('')
    error = faults_of(tmp_path, work_dir=str(tmp_path / 'file' / 'run'), options={'teacher_dir': str(tmp_path / 'file')})
    assert error.faults == (
        f'work_dir {tmp_path}/file/run cannot be a folder: {tmp_path}/file is a file',
        f'teacher_dir {tmp_path}/file cannot be a folder: {tmp_path}/file is a file',
    )
    assert faults_of(tmp_path, work_dir='/proc/1/run').faults == (
        'work_dir /proc/1/run cannot be written: no permission in /proc/1',
    )
    (tmp_path / 'run' / 'result.json').mkdir(parents=True)
    assert faults_of(tmp_path, work_dir=str(tmp_path / 'run')).faults == (
        f'work_dir {tmp_path}/run: result.json is a folder there, and the run writes a file of that name',
    )


def test_a_fold_needs_a_protocol(tmp_path):
    assert 'the train split of this config names its subjects' in faults_of(tmp_path, fold=1).faults[0]


def test_a_checkpoint_to_go_on_from_must_be_there(tmp_path):
    assert faults_of(tmp_path, resume='none.pth').faults == ('there is no checkpoint none.pth',)


@pytest.mark.parametrize(
    ('option', 'message'),
    [
        ('model=5', 'model must be a dict, got 5'),
        ('model.learners=None', 'model.learners must be a dict, got None'),
        ('model.transfers.fam=x', "model.transfers.fam must be a dict, got 'x'"),
        ('train_dataloader=5', 'train_dataloader must be a dict, got 5'),
        ('optim_wrapper.optimizer=SGD', "optim_wrapper.optimizer must be a dict, got 'SGD'"),
        ('randomness=0', 'randomness must be a dict, got 0'),
        ('launcher=slrum', "launcher must be one of none, pytorch, slurm, mpi, got 'slrum'"),
        ('resume=1', 'resume must be one of True, False, got 1'),
        ('log_level=LOUD', "log_level must be one of CRITICAL, ERROR, WARNING, INFO, DEBUG, got 'LOUD'"),
        ('default_scope=x', "default_scope must be the name of a package with registries (mmkd_plugin, mmpretrain), got 'x'"),
        ('teachers.optim_wrapper=5', "teacher 'gaf' (configs/teachers/gaf.py): optim_wrapper must be a dict, got 5"),
        ('teachers.model=5', "teacher 'gaf': deployed=None must be one of the learners: none given"),
    ],
)
def test_a_value_of_another_kind_is_refused(option, message, tmp_path):
    key, _, value = option.partition('=')
    text = 'launcher = "none"\nresume = False\n'
    assert faults_of(tmp_path, text, options={key: parse_value(value)}).faults == (message,)
