"""Teachers' outputs on disk: the same run, never a stale read, never a half-written one."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform

from mmkd_plugin.apis import load_config, train, verify_caches
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.registry import TRANSFORMS

ROOT = Path(__file__).parents[2]
LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'


@pytest.fixture(scope='module')
def teacher_dir(tmp_path_factory):
    return tmp_path_factory.mktemp('teachers')


def config(tmp_path, teacher_dir, name='run', mode='auto', options=None, **cache):
    options = {'train_cfg.max_epochs': 2, 'teacher_dir': str(teacher_dir), **(options or {})}
    cfg = load_config(LEAF, work_dir=str(tmp_path / name), cfg_options=options)
    (hook,) = (hook for hook in cfg.custom_hooks if hook.type == 'TeacherCacheHook')
    hook.update(mode=mode, folder=str(tmp_path / 'cache'), **cache)
    return cfg


def caches(tmp_path):
    return {path.name.split('-')[0]: path for path in (tmp_path / 'cache').iterdir() if path.is_dir()}


def last_terms(tmp_path, name):
    (log,) = (tmp_path / name).glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines() if '"loss"' in line][-1]


def test_a_run_that_reads_its_teachers_is_the_run_that_asks_them(tmp_path, teacher_dir):
    train(config(tmp_path, teacher_dir, 'off', mode='off'))
    assert not (tmp_path / 'cache').exists()
    train(config(tmp_path, teacher_dir, 'on', mode='on'))
    assert set(caches(tmp_path)) == {'sig', 'gaf', 'pi'}
    off, on = (load_checkpoint(tmp_path / name / 'epoch_2.pth')['state_dict'] for name in ('off', 'on'))
    for key in off:
        torch.testing.assert_close(on[key], off[key], atol=2e-4, rtol=2e-3)
    a, b = last_terms(tmp_path, 'off'), last_terms(tmp_path, 'on')
    assert {k for k in a if k.startswith('loss')} == {k for k in b if k.startswith('loss')}
    assert all(a[k] == pytest.approx(b[k], rel=1e-3) for k in a if k.startswith('loss'))


def test_only_what_transfers_read_is_kept_and_a_second_run_finds_it(tmp_path, teacher_dir):
    train(config(tmp_path, teacher_dir, 'first'))
    kept = {name: sorted(p.stem for p in path.glob('*.npy')) for name, path in caches(tmp_path).items()}
    assert kept == {
        'sig': ['logits', 'stages.2'],
        'gaf': ['logits', 'stages.0', 'stages.1', 'stages.2'],
        'pi': ['logits', 'stages.2'],
    }
    stamps = {p: p.stat().st_mtime_ns for p in (tmp_path / 'cache').rglob('*.npy')}
    first = load_checkpoint(tmp_path / 'first' / 'epoch_2.pth')['state_dict']
    train(config(tmp_path, teacher_dir, 'second'))
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / 'cache').rglob('*.npy')} == stamps
    second = load_checkpoint(tmp_path / 'second' / 'epoch_2.pth')['state_dict']
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_another_view_another_pipeline_or_another_teacher_is_another_cache(tmp_path, teacher_dir):
    one_epoch = {'train_cfg.max_epochs': 1}
    train(config(tmp_path, teacher_dir, 'a', options=one_epoch))
    before = set((tmp_path / 'cache').glob('*-*/manifest.json'))
    train(config(tmp_path, teacher_dir, 'b', options={**one_epoch, 'data_preprocessor.views.pi.sigma': 0.3}))
    after = set((tmp_path / 'cache').glob('*-*/manifest.json'))
    assert before < after
    pipeline = [dict(type='NormalizeSignal', method='minmax'), dict(type='PackWindows')]
    options = {f'{split}_dataloader.dataset.pipeline': pipeline for split in ('train', 'val', 'test')}
    train(config(tmp_path, teacher_dir, 'c', options={**one_epoch, **options}))
    assert after < set((tmp_path / 'cache').glob('*-*/manifest.json'))


def test_half_precision_takes_half_the_room(tmp_path, teacher_dir):
    train(config(tmp_path, teacher_dir, 'half', dtype='float16'))
    (logits,) = (np.load(p, mmap_mode='r') for p in caches(tmp_path)['sig'].glob('logits.npy'))
    assert logits.dtype == np.float16
    assert all(check.good for check in verify_caches(config(tmp_path, teacher_dir, dtype='float16')))


@pytest.mark.parametrize('damage', ['no manifest', 'short file', 'no file'])
def test_a_half_written_cache_is_made_again(damage, tmp_path, teacher_dir):
    train(config(tmp_path, teacher_dir, 'first'))
    folder = caches(tmp_path)['gaf']
    if damage == 'no manifest':
        (folder / 'manifest.json').unlink()
    elif damage == 'short file':
        (folder / 'stages.1.npy').write_bytes((folder / 'stages.1.npy').read_bytes()[:-100])
    else:
        (folder / 'logits.npy').unlink()
    train(config(tmp_path, teacher_dir, 'second'))
    assert all(check.good for check in verify_caches(config(tmp_path, teacher_dir)))


def test_verify_finds_what_is_not_what_the_teacher_says(tmp_path, teacher_dir):
    cfg = config(tmp_path, teacher_dir)
    assert [check.found for check in verify_caches(cfg)] == [False] * 3
    train(cfg)
    assert all(check.good and check.error < 1e-5 for check in verify_caches(cfg, samples=32))
    array = np.load(caches(tmp_path)['pi'] / 'logits.npy', mmap_mode='r+')
    array[:] += 1.0
    array.flush()
    assert {check.teacher: check.good for check in verify_caches(cfg, samples=4)} == {'sig': True, 'gaf': True, 'pi': False}


class Shaken(BaseTransform):
    """A window that is another each time."""

    random = True

    def transform(self, results):
        return {
            **results,
            'signal': results['signal'] + np.random.default_rng().normal(size=results['signal'].shape).astype('f4'),
        }


def test_random_augmentation_and_kept_outputs_exclude_each_other(tmp_path, teacher_dir):
    if 'Shaken' not in TRANSFORMS:
        TRANSFORMS.register_module(module=Shaken)
    pipeline = [dict(type='Shaken'), dict(type='NormalizeSignal'), dict(type='PackWindows')]
    cfg = config(tmp_path, teacher_dir, mode='on')
    cfg.train_dataloader.dataset.pipeline = pipeline
    with pytest.raises(
        ValueError, match=r'Shaken changes every window from step to step. Set mode of TeacherCacheHook to off, or'
    ):
        train(cfg)
    cfg = config(tmp_path, teacher_dir, 'auto')
    cfg.train_dataloader.dataset.pipeline = pipeline
    train(cfg)
    assert not (tmp_path / 'cache').exists()


def test_what_does_not_fit_is_not_kept(tmp_path, teacher_dir):
    train(config(tmp_path, teacher_dir, limit=1e-6))
    assert not (tmp_path / 'cache').exists()


FULL = """
import resource, sys
from mmengine.config import Config
from mmkd_plugin.apis import train
import mmkd_plugin.models.distillers.teacher_cache as tc
cfg = Config.fromfile(sys.argv[1])
build = tc.TeacherCache.build
def on_a_full_disk(self, *args):
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    try:
        return build(self, *args)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
tc.TeacherCache.build = on_a_full_disk
result = train(cfg)
print('trained', result['n_test'])
"""


def test_a_run_goes_on_where_outputs_cannot_be_written(tmp_path, teacher_dir):
    """The operating system refuses files of more than 20 kB, as it does on a full disk, while outputs are written."""
    (tmp_path / 'script.py').write_text(FULL)
    cfg = config(tmp_path, teacher_dir)
    cfg.dump(tmp_path / 'config.py')
    done = subprocess.run(
        [sys.executable, str(tmp_path / 'script.py'), str(tmp_path / 'config.py')], capture_output=True, text=True
    )
    assert 'trained 40' in done.stdout, done.stderr[-2000:]
    assert 'cannot be written, teachers run in every step' in done.stdout + done.stderr
    assert not list((tmp_path / 'cache').glob('*.part'))
    assert not any(path.is_dir() for path in (tmp_path / 'cache').glob('gaf-*'))


def test_the_tool_says_what_it_found(tmp_path, teacher_dir):
    options = {'train_cfg.max_epochs': 2, 'teacher_dir': str(teacher_dir)}
    train(load_config(LEAF, work_dir=str(tmp_path / 'run'), cfg_options=options))
    assert len(list((teacher_dir / 'cache').glob('*/manifest.json'))) == 3  # beside the teachers, unless a folder is given
    command = [sys.executable, str(ROOT / 'tools' / 'cache.py'), 'verify', str(LEAF), '--cfg-options']
    command += [f'{key}={value}' for key, value in options.items()]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count('largest relative difference') == 3
    (logits,) = (teacher_dir / 'cache').glob('pi-*/logits.npy')
    array = np.load(logits, mmap_mode='r+')
    array[:] += 1.0
    array.flush()
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert (
        done.stderr.strip().splitlines()[-1]
        == 'error: the outputs kept of pi are not what the teachers say; delete their folders'
    )
