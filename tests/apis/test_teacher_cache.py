"""Teachers' outputs on disk: the same run, never a stale read, never a half-written one."""

import copy
import json
import re
import shutil

import numpy as np
import pytest
import torch
from helpers import ROOT, TEACHERS, bare_weights, call, full_disk
from mmcv.transforms import BaseTransform
from writers.bytes import flip_byte

from mmkd_plugin.apis import load_config, train, verify_caches
from mmkd_plugin.fileio import file_hash, load_checkpoint, seal, unseal
from mmkd_plugin.models.distillers.teacher_cache import TeacherCache
from mmkd_plugin.registry import TRANSFORMS
from mmkd_plugin.structures import Taps

LEAF = ROOT / 'configs' / 'basic_motions' / 'fam_kd.py'


def config(tmp_path, teacher_dir, name='run', mode='auto', options=None, **cache):
    options = {'train_cfg.max_epochs': 1, **TEACHERS, 'teacher_dir': str(teacher_dir), **(options or {})}
    cfg = load_config(LEAF, work_dir=str(tmp_path / name), cfg_options=options)
    (hook,) = (hook for hook in cfg.custom_hooks if hook.type == 'TeacherCacheHook')
    hook.update(mode=mode, folder=str(tmp_path / 'cache'), **cache)
    return cfg


def caches(tmp_path):
    return {path.name.split('-')[0]: path for path in (tmp_path / 'cache').iterdir() if path.is_dir()}


def last_terms(tmp_path, name):
    (log,) = (tmp_path / name).glob('*/vis_data/scalars.json')
    return [json.loads(line) for line in log.read_text().splitlines() if '"loss"' in line][-1]


@pytest.fixture(scope='module')
def first(tmp_path_factory, teacher_dir):
    """A folder with the run ``on`` and the cache that it has made; and its teachers' checkpoints, for runs on other data."""
    folder = tmp_path_factory.mktemp('first')
    result = train(config(folder, teacher_dir, 'on', mode='on'))
    teachers = {row['name']: row['checkpoint'] for row in result['networks'] if row['role'] == 'teacher'}
    return folder, {f'model.teachers.{name}.checkpoint': path for name, path in teachers.items()}


@pytest.fixture
def copied(first, tmp_path):
    shutil.copytree(first[0] / 'cache', tmp_path / 'cache')
    return tmp_path


def test_a_run_that_reads_its_teachers_is_the_run_that_asks_them(first, tmp_path, teacher_dir):
    folder, _ = first
    assert set(caches(folder)) == {'sig', 'gaf', 'pi'}
    train(config(tmp_path, teacher_dir, 'off', mode='off'))
    assert not (tmp_path / 'cache').exists()
    on, off = (load_checkpoint(path / 'epoch_1.pth')['state_dict'] for path in (folder / 'on', tmp_path / 'off'))
    for key in off:
        torch.testing.assert_close(on[key], off[key], atol=2e-4, rtol=2e-3)
    a, b = last_terms(tmp_path, 'off'), last_terms(folder, 'on')
    assert {k for k in a if k.startswith('loss')} == {k for k in b if k.startswith('loss')}
    assert all(a[k] == pytest.approx(b[k], rel=1e-3) for k in a if k.startswith('loss'))


def test_only_what_transfers_read_is_kept_and_a_second_run_finds_it(first, copied, teacher_dir):
    kept = {name: sorted(p.stem for p in path.glob('*.npy')) for name, path in caches(copied).items()}
    assert kept == {
        'sig': ['logits', 'stages.2'],
        'gaf': ['logits', 'stages.0', 'stages.1', 'stages.2'],
        'pi': ['logits', 'stages.2'],
    }
    stamps = {p: p.stat().st_mtime_ns for p in (copied / 'cache').rglob('*.npy')}
    train(config(copied, teacher_dir, 'second'))
    assert {p: p.stat().st_mtime_ns for p in (copied / 'cache').rglob('*.npy')} == stamps
    one, two = (load_checkpoint(path / 'epoch_1.pth')['state_dict'] for path in (first[0] / 'on', copied / 'second'))
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_another_view_another_pipeline_or_another_teacher_is_another_cache(first, copied, teacher_dir):
    teachers = {key: bare_weights(path, copied) for key, path in first[1].items()}  # whatever they have learned from
    before = set((copied / 'cache').glob('*-*/manifest.json'))
    train(config(copied, teacher_dir, 'b', options={**teachers, 'data_preprocessor.views.pi.sigma': 0.3}))
    after = set((copied / 'cache').glob('*-*/manifest.json'))
    assert before < after
    pipeline = [dict(type='NormalizeSignal', method='minmax'), dict(type='PackWindows')]
    options = {f'{split}_dataloader.dataset.pipeline': pipeline for split in ('train', 'val', 'test')}
    train(config(copied, teacher_dir, 'c', options={**teachers, **options}))
    third = set((copied / 'cache').glob('*-*/manifest.json'))
    assert after < third
    state = torch.load(teachers['model.teachers.sig.checkpoint'], weights_only=True)
    state = {key: value + 1e-3 * value.is_floating_point() for key, value in state.items()}
    torch.save(state, copied / 'other.pth')
    train(config(copied, teacher_dir, 'd', options={**teachers, 'model.teachers.sig.checkpoint': str(copied / 'other.pth')}))
    (new,) = set((copied / 'cache').glob('*-*/manifest.json')) - third
    assert new.parent.name.startswith('sig-')


def test_a_version_of_the_package_is_no_other_cache_but_another_format_is(first, teacher_dir, monkeypatch):
    folder, _ = first
    cfg = config(folder, teacher_dir, mode='on')
    monkeypatch.setattr('mmkd_plugin.__version__', '99.0')
    monkeypatch.setattr('mmkd_plugin.version.__version__', '99.0')
    assert [check.complete for check in verify_caches(cfg)] == [True] * 3
    monkeypatch.setattr('mmkd_plugin.models.distillers.teacher_cache.FORMAT', 99)
    assert [check.complete for check in verify_caches(cfg)] == [False] * 3


def test_half_precision_takes_half_the_room(tmp_path, teacher_dir):
    cfg = config(tmp_path, teacher_dir, 'half', dtype='float16')
    train(copy.deepcopy(cfg))
    (logits,) = (np.load(p, mmap_mode='r') for p in caches(tmp_path)['sig'].glob('logits.npy'))
    assert logits.dtype == np.float16
    assert all(check.good for check in verify_caches(cfg))


def cut_rows(path):
    np.save(path, np.load(path)[:-4])


def blank(path):
    """Zeros behind the head of the file."""
    data = path.read_bytes()
    path.write_bytes(data[:128] + bytes(len(data) - 128))


def test_a_damaged_cache_is_made_again_and_the_run_is_the_same(first, copied, teacher_dir, capsys):
    damages = {('sig', 'stages.2.npy'): flip_byte, ('gaf', 'logits.npy'): cut_rows, ('pi', 'stages.2.npy'): blank}
    for (name, file), damage in damages.items():
        damage(caches(copied)[name] / file)
    cfg = config(copied, teacher_dir, 'second')
    assert [len(check.faults) for check in verify_caches(cfg)] == [1] * 3
    train(copy.deepcopy(cfg))
    text = ''.join(capsys.readouterr())
    for name, file in damages:
        where = caches(copied)[name] / file
        expected = (
            f"the cache of teacher '{name}' is made again: {where} is damaged: its content has changed since it was written"
        )
        assert expected in text
    assert [check.good for check in verify_caches(cfg)] == [True] * 3
    one, two = (load_checkpoint(path / 'epoch_1.pth')['state_dict'] for path in (first[0] / 'on', copied / 'second'))
    assert all(torch.equal(one[key], two[key]) for key in one)


def test_what_is_missing_or_of_another_cache_is_named(first, copied, teacher_dir):
    folders = caches(copied)
    (folders['sig'] / 'manifest.json').unlink()
    (folders['gaf'] / 'stages.1.npy').unlink()
    shutil.copytree(folders['gaf'], folders['pi'], dirs_exist_ok=True)
    checks = verify_caches(config(copied, teacher_dir))
    assert [(check.complete, check.good) for check in checks] == [(False, False)] * 3
    assert [check.faults for check in checks] == [
        (f'{folders["sig"]}/manifest.json is missing',),
        (f'{folders["gaf"]}/stages.1.npy is missing',),
        (f'{folders["pi"]} holds other outputs than its name says',),
    ]


def test_a_manifest_that_somebody_else_has_sealed_is_named(tmp_path):
    cache, manifest = TeacherCache(tmp_path / 'sig-1', ['logits'], 1), tmp_path / 'sig-1' / 'manifest.json'
    cache.build(outputs([[0.0], [1.0]]), 2)
    facts = unseal(manifest)
    assert cache.faults(2) == []
    for change, fault in {'hashes': 'hashes is 0.5', 'windows': 'windows is missing'}.items():
        changed = {**facts, 'hashes': 0.5} if change == 'hashes' else {key: facts[key] for key in facts if key != change}
        manifest.write_bytes(seal(changed))
        assert cache.faults(2) == [f'{manifest} is damaged: {fault}']


def outputs(values):
    logits = torch.tensor(values)  # (N, K)
    return iter([Taps(stages=(), embedding=None, logits=logits)])


@pytest.mark.parametrize(
    ('values', 'dtype', 'error', 'message'),
    [
        (
            [[0.0], [float('nan')]],
            'float32',
            FloatingPointError,
            'logits of the teacher in sig-1 is NaN or infinite on a training',
        ),
        (
            [[0.0], [7e4]],
            'float16',
            FloatingPointError,
            "sig-1 is out of range for float16: set dtype='float32' of TeacherCacheHook",
        ),
        ([[0.0]], 'float32', ValueError, '1 windows came to be kept in .*sig-1, expected 2'),
        ([[0.0]] * 3, 'float32', ValueError, '3 windows came to be kept in .*sig-1, expected 2'),
    ],
)
def test_outputs_that_nobody_could_learn_from_are_not_kept(values, dtype, error, message, tmp_path):
    cache = TeacherCache(tmp_path / 'sig-1', ['logits'], 1, dtype)
    with pytest.raises(error, match=message):
        cache.build(outputs(values), 2)
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_has_left_of_a_cache_goes_when_it_is_made_again(tmp_path):
    for name in ('sig-1.1.part', 'sig-2.1.part'):
        (tmp_path / name).mkdir()
    TeacherCache(tmp_path / 'sig-1', ['logits'], 1).build(outputs([[0.0], [1.0]]), 2)
    assert {path.name for path in tmp_path.iterdir()} == {'sig-1', 'sig-2.1.part'}


def test_verify_finds_what_is_not_what_the_teacher_says(copied, teacher_dir):
    """Outputs that lie there as they were written, and are others: those of a teacher whose weights this one has now."""
    cfg = config(copied, teacher_dir)
    assert all(check.good and check.error < 1e-5 for check in verify_caches(cfg, samples=32))
    pi = caches(copied)['pi']
    manifest = unseal(pi / 'manifest.json')
    np.save(pi / 'logits.npy', np.load(pi / 'logits.npy') + 1)
    manifest['hashes']['logits.npy'] = file_hash(pi / 'logits.npy')
    (pi / 'manifest.json').write_bytes(seal(manifest))
    assert {check.teacher: check.good for check in verify_caches(cfg, samples=4)} == {'sig': True, 'gaf': True, 'pi': False}


class Shaken(BaseTransform):
    """A window that is another each time."""

    random = True

    def transform(self, results):
        return {
            **results,
            'signal': results['signal'] + np.random.default_rng().normal(size=results['signal'].shape).astype('f4'),
        }


def test_random_augmentation_and_kept_outputs_exclude_each_other(first, tmp_path, teacher_dir):
    if 'Shaken' not in TRANSFORMS:
        TRANSFORMS.register_module(module=Shaken)
    pipeline = [dict(type='Shaken'), dict(type='NormalizeSignal'), dict(type='PackWindows')]
    cfg = config(tmp_path, teacher_dir, 'on', mode='on', options=first[1])
    cfg.train_dataloader.dataset.pipeline = pipeline
    with pytest.raises(
        ValueError, match=r'Shaken changes every window from step to step. Set mode of TeacherCacheHook to off, or'
    ):
        train(cfg)
    cfg = config(tmp_path, teacher_dir, 'auto', options=first[1])
    cfg.train_dataloader.dataset.pipeline = pipeline
    train(cfg)
    assert not (tmp_path / 'cache').exists()


def test_what_does_not_fit_is_not_kept(tmp_path, teacher_dir):
    train(config(tmp_path, teacher_dir, limit=1e-6))
    assert not (tmp_path / 'cache').exists()


def test_a_run_goes_on_where_outputs_cannot_be_written(tmp_path, teacher_dir, monkeypatch):
    build = TeacherCache.build

    def on_a_full_disk(self, *args):
        with full_disk(20_000):
            return build(self, *args)

    monkeypatch.setattr(TeacherCache, 'build', on_a_full_disk)
    assert train(config(tmp_path, teacher_dir))['n_test'] == 40
    (log,) = (tmp_path / 'run').glob('*/*.log')
    assert re.search(r'gaf-\w+ cannot be written: .* MiB are free in .*; teachers run in every step', log.read_text())
    assert not list((tmp_path / 'cache').glob('*.part'))
    assert not any(path.is_dir() for path in (tmp_path / 'cache').glob('gaf-*'))


def test_the_command_prints_what_it_compared(first, tmp_path, teacher_dir):
    own = tmp_path / 'teachers'
    shutil.copytree(teacher_dir, own, ignore=shutil.ignore_patterns('cache', 'epoch_*'))
    options = {'train_cfg.max_epochs': 1, **TEACHERS, 'teacher_dir': str(own)}
    train(load_config(LEAF, work_dir=str(tmp_path / 'run'), cfg_options=options))
    assert len(list((own / 'cache').glob('*/manifest.json'))) == 3  # beside the teachers, unless a folder is given
    command = ['cache', 'verify', LEAF, '--cfg-options', *(f'{key}={value}' for key, value in options.items())]
    done = call(*command, folder=tmp_path)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count('largest relative difference') == 3
    (logits,) = (own / 'cache').glob('pi-*/logits.npy')
    flip_byte(logits)
    done = call(*command, folder=tmp_path)
    assert done.returncode == 1
    assert done.stdout.count('largest relative difference') == 2
    assert done.stderr.strip().splitlines()[-1] == f'error: {logits} is damaged: its content has changed since it was written'
