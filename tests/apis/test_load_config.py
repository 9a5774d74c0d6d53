"""Arguments of the command line in the config: data, folders, lengths, teachers' own options."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.registry import PARAM_SCHEDULERS

from mmkd_plugin.apis import load_config
from mmkd_plugin.apis.check import config_faults
from mmkd_plugin.apis.teachers import FORMAT, teacher_run_config
from mmkd_plugin.engine.hooks.cache_hook import random_transforms
from mmkd_plugin.fileio import ConfigError, read_config
from mmkd_plugin.registry import DATASETS

CONFIGS = Path(__file__).parents[2] / 'configs'
LEAF = CONFIGS / 'basic_motions' / 'fam_kd.py'
PARTS = ('train_dataloader', 'val_dataloader', 'test_dataloader', 'data_preprocessor')


@pytest.mark.parametrize(
    ('name', 'arguments', 'folder'),
    [
        ('fam_kd', {}, 'watch/fam_kd'),
        ('supervised/student', {}, 'watch/supervised/student'),
        ('hidden_kd_anomaly', {}, 'watch_anomaly/hidden_kd_anomaly'),
        ('teachers/gaf_mobilenet_v2', {}, 'watch/teachers/gaf_mobilenet_v2'),
        ('fam_kd', dict(data='hapt'), 'hapt/fam_kd'),
        ('fam_kd', dict(data='hapt', fold=3), 'hapt/fam_kd/fold3'),
        ('fam_kd', dict(data='hapt', fold=0, quick=True), 'hapt/fam_kd-quick/fold0'),
    ],
)
def test_a_run_s_folder_is_named_after_its_data_and_its_config(name, arguments, folder):
    cfg = load_config(name, **arguments)
    assert cfg.work_dir == f'work_dirs/{folder}'
    assert cfg.data == folder.partition('/')[0]


def test_a_leaf_of_a_data_set_has_the_folder_of_the_data():
    for leaf in CONFIGS.glob('*/fam_kd.py'):
        assert load_config(leaf).work_dir == f'work_dirs/{leaf.parent.name}/fam_kd'


def test_a_given_folder_stays(tmp_path):
    cfg = load_config('fam_kd', work_dir=str(tmp_path), quick=True)
    assert cfg.work_dir == str(tmp_path)
    assert load_config('fam_kd', cfg_options={'work_dir': 'here'}).work_dir == 'here'


@pytest.mark.parametrize('data', ['hapt', str(CONFIGS / '_base_' / 'datasets' / 'hapt.py')])
def test_other_data_take_the_place_of_the_config_s(data):
    cfg, hapt = load_config('fam_kd', data=data), read_config('configs/_base_/datasets/hapt.py')
    plain = load_config('fam_kd')
    for part in PARTS:
        own, other = cfg[part].to_dict(), hapt[part].to_dict()
        assert {key: own[key] for key in other} == other
        assert own.keys() - other.keys() <= {'persistent_workers', 'pin_memory', 'non_blocking'}
    assert (cfg.data, cfg.data_root) == ('hapt', hapt.data_root)
    for part in ('model', 'val_evaluator', 'test_evaluator', 'train_cfg', 'optim_wrapper'):
        assert cfg[part] == plain[part], part


def test_options_are_about_the_data_that_are_used():
    options = {'data_root': '/elsewhere/HAPT Data Set', 'train_dataloader.batch_size': 7}
    cfg = load_config('fam_kd', data='hapt', fold=2, cfg_options=options)
    assert cfg.train_dataloader.batch_size == 7
    for split in ('train', 'val', 'test'):
        dataset = cfg[f'{split}_dataloader'].dataset
        assert (dataset.reader.root, dataset.subjects.fold) == ('/elsewhere/HAPT Data Set', 2)


def test_data_that_are_not_there_are_named_with_the_nearest(tmp_path):
    with pytest.raises(ConfigError, match=r"--data hpat: .* did you mean 'hapt'\? known are .*hapt, .*watch"):
        load_config('fam_kd', data='hpat')
    incomplete = tmp_path / 'data.py'
    incomplete.write_text('train_dataloader = dict(batch_size=3)\n')
    with pytest.raises(ConfigError, match='is not the config of a data set, it has no train_dataloader, val_data') as error:
        load_config('fam_kd', data=str(incomplete))
    assert str(error.value).startswith(f'--data {incomplete}: ')


def test_a_user_s_own_data_file(tmp_path):
    file = tmp_path / 'mine.py'
    file.write_text("_base_ = 'mmkd_plugin::configs/_base_/datasets/basic_motions.py'\ntrain_dataloader = dict(batch_size=3)\n")
    cfg = load_config('fam_kd', data=str(file))
    assert (cfg.data, cfg.train_dataloader.batch_size) == ('mine', 3)
    assert cfg.work_dir == 'work_dirs/mine/fam_kd'


def rates(scheduler, epochs, length):
    """Learning rate of every step, as the runner builds the schedule."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.05)
    built = PARAM_SCHEDULERS.build({'end': epochs, **scheduler}, default_args=dict(optimizer=optimizer, epoch_length=length))
    seen = []
    for _ in range(epochs * length):
        seen.append(optimizer.param_groups[0]['lr'])
        optimizer.step()
        built.step()
    return seen


@pytest.mark.parametrize('epochs', [1, 5, 20])
def test_the_rate_falls_along_a_cosine_however_long_the_run_is(epochs):
    cfg = load_config('fam_kd', cfg_options={'train_cfg.max_epochs': epochs})
    steps = 7 * epochs
    expected = [0.025 * (1 + math.cos(math.pi * step / steps)) for step in range(steps)]
    assert rates(cfg.param_scheduler, epochs, 7) == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert rates(cfg.param_scheduler, epochs, 7) == rates({**cfg.param_scheduler, 'T_max': epochs}, epochs, 7)


def teacher(name='sig', leaf=LEAF, **arguments):
    cfg = load_config(leaf, **arguments)
    return teacher_run_config(cfg, name, cfg.model.teachers[name])


def test_a_teacher_s_schedule_is_its_own():
    own = {'train_cfg.max_epochs': 5, 'optim_wrapper.optimizer.lr': 0.01, 'train_dataloader.batch_size': 3}
    cfg = teacher(cfg_options=own)
    assert (cfg.train_cfg.max_epochs, cfg.optim_wrapper.optimizer.lr, cfg.train_dataloader.batch_size) == (20, 0.05, 64)
    assert cfg.work_dir == teacher().work_dir
    cfg = teacher(cfg_options={f'teachers.{key}': value for key, value in own.items()})
    assert (cfg.train_cfg.max_epochs, cfg.optim_wrapper.optimizer.lr, cfg.train_dataloader.batch_size) == (5, 0.01, 3)
    student = load_config(LEAF, cfg_options={'teachers.train_cfg.max_epochs': 5})
    assert student.train_cfg.max_epochs == 20
    assert 'teachers.train_cfg.max_epochs' in student.cfg_options
    assert 'train_cfg' not in student.get('teachers', {})


def test_a_teacher_s_network_is_changed_in_the_student_s_run_too():
    cfg = load_config(
        LEAF,
        cfg_options={
            'model.teachers.gaf': None,
            'model.teachers.pi': None,
            'teachers.model.learners.sig.network.backbone.widen_factor': 2,
        },
    )
    assert cfg.model.teachers.sig.network.backbone.widen_factor == 2


def test_a_config_augments_whatever_data_it_is_trained_on(tmp_path):
    own, plain = tmp_path / 'own.py', ['NormalizeSignal', 'PackWindows']
    kd, turned = str(CONFIGS / 'kd.py'), tmp_path / 'turned.py'
    turned.write_text(f"_base_ = {str(CONFIGS / 'teachers' / 'sig.py')!r}\naugment = [dict(type='RotateAxes', angle=20.0)]\n")

    def kinds(cfg, split='train'):
        dataset = cfg[f'{split}_dataloader'].dataset
        return [each['type'] for each in (*dataset.get('augment', ()), *dataset.pipeline)]

    own.write_text(
        f"_base_ = {kd!r}\naugment = [dict(type='Jitter', sigma=0.1), dict(type='Scale')]\n"
        f'model = dict(teachers=dict(sig=dict(config={str(turned)!r})))\n'
    )
    cfg = load_config(own, data='basic_motions')
    assert (kinds(cfg), kinds(cfg, 'val')) == (['Jitter', 'Scale', *plain], plain)
    assert kinds(teacher_run_config(cfg, 'sig', cfg.model.teachers.sig)) == ['RotateAxes', *plain]
    for options, expected in (({'teachers.augment': []}, plain), ({'augment': []}, ['RotateAxes', *plain])):
        changed = load_config(own, data='basic_motions', cfg_options=options)
        assert kinds(teacher_run_config(changed, 'sig', changed.model.teachers.sig)) == expected
    assert kinds(load_config(kd)) == plain
    cfg.dump(tmp_path / 'dumped.py')  # as a run writes its config: trained again by that file, it is augmented alike
    assert kinds(load_config(tmp_path / 'dumped.py')) == ['Jitter', 'Scale', *plain]
    dataset = DATASETS.build(cfg.train_dataloader.dataset)
    assert [type(each).__name__ for each in dataset.pipeline.transforms] == ['Jitter', 'Scale', *plain]
    assert random_transforms(dataset) == ['Jitter', 'Scale']
    unknown = {'augment': [dict(type='Jiter')]}
    (fault,) = config_faults(load_config(kd, data='basic_motions', cfg_options=unknown))
    assert 'train_dataloader.dataset.augment.0' in fault
    assert "did you mean 'Jitter'" in fault
    with pytest.raises(
        ConfigError, match=r"augment must be a list of transforms, as \[dict\(type='RotateAxes'.*got 'RotateAxes'"
    ):
        load_config(kd, cfg_options={'augment': 'RotateAxes'})


def test_a_teacher_sees_the_run_s_data(recordings_of, tmp_path):
    root = str(recordings_of('HAPT'))
    options = {'data_root': root} | {f'{split}_dataloader.dataset.store': str(tmp_path) for split in ('train', 'val', 'test')}
    cfg = teacher(leaf='fam_kd', data='hapt', fold=1, cfg_options=options)
    assert (cfg.train_dataloader.dataset.reader.root, cfg.train_dataloader.dataset.subjects.fold) == (root, 1)
    assert cfg.data_preprocessor.num_classes == 12
    # Where the same recordings lie does not matter.
    moved = tmp_path / 'moved'
    moved.symlink_to(root)
    assert (
        teacher(leaf='fam_kd', data='hapt', fold=1, cfg_options={**options, 'data_root': str(moved)}).work_dir == cfg.work_dir
    )


def test_a_quick_run_is_short_and_keeps_apart():
    cfg, plain = load_config(LEAF, quick=True), load_config(LEAF)
    assert (cfg.train_cfg.max_epochs, cfg.train_cfg.val_interval, cfg.quick) == (2, 1, True)
    assert (cfg.teacher_dir, plain.teacher_dir) == ('work_dirs/teachers-quick', 'work_dirs/teachers')
    assert 'quick' not in plain
    short = teacher(quick=True)
    assert (short.train_cfg.max_epochs, short.quick) == (2, True)
    assert Path(short.work_dir).parent == Path('work_dirs/teachers-quick')
    assert teacher(quick=True, cfg_options={'teachers.train_cfg.max_epochs': 3}).train_cfg.max_epochs == 3
    assert load_config(LEAF, quick=True, cfg_options={'train_cfg.max_epochs': 3}).train_cfg.max_epochs == 3


def test_a_quick_run_by_iterations(tmp_path):
    leaf = tmp_path / 'leaf.py'
    leaf.write_text(
        f'_base_ = {str(LEAF)!r}\ntrain_cfg = dict(_delete_=True, by_epoch=False, max_iters=5000, val_interval=500)\n'
    )
    cfg = load_config(leaf, quick=True)
    assert (cfg.train_cfg.max_iters, cfg.train_cfg.val_interval) == (100, 100)


def test_the_fingerprint_of_a_teacher_changes_with_what_it_learns_and_nothing_else(monkeypatch):
    def folder(**options):
        return teacher(cfg_options={key.replace('__', '.'): value for key, value in options.items()}).work_dir

    subjects = {f'{split}_dataloader__dataset__subjects__val': ['train_?3'] for split in ('train', 'val', 'test')}
    changed = [
        folder(),
        folder(teachers__train_cfg__max_epochs=3),
        folder(teachers__optim_wrapper__optimizer__lr=0.01),
        folder(data_preprocessor__shape=(6, 90)),
        folder(**subjects),
    ]
    assert len(set(changed)) == len(changed)
    same = {
        folder(),
        folder(model__transfers__aver__weight=3.0),
        folder(train_cfg__max_epochs=3),
        folder(log_level='DEBUG'),
        folder(work_dir='elsewhere'),
        folder(data_preprocessor__views__gaf__image_size=16),
        folder(teachers__train_dataloader__num_workers=1),
    }
    assert len(same) == 1
    monkeypatch.setattr('mmkd_plugin.__version__', '99.0')  # a release trains no teacher again
    assert {folder()} == same
    monkeypatch.setattr('mmkd_plugin.apis.teachers.FORMAT', FORMAT + 1)
    assert folder() not in same


def test_workers_live_on_between_epochs():
    loader = load_config(LEAF, cfg_options={'train_dataloader.num_workers': 2}).train_dataloader
    assert loader.persistent_workers
    assert loader.pin_memory == torch.cuda.is_available()
    assert not load_config(LEAF).train_dataloader.persistent_workers
    given = {'train_dataloader.num_workers': 2, 'train_dataloader.persistent_workers': False}
    assert not load_config(LEAF, cfg_options=given).train_dataloader.persistent_workers
