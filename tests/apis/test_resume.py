"""A run goes on only from a checkpoint of its own, and wherever that lies."""

import shutil
from pathlib import Path

import pytest
import torch
from helpers import TINY, call, tiny_config
from mmengine.hooks import Hook

from mmkd_plugin.apis import find_network, read_result, train
from mmkd_plugin.apis.teachers import run_settings
from mmkd_plugin.deploy import first_difference, learning_settings, settings_fingerprint
from mmkd_plugin.fileio import load_checkpoint
from mmkd_plugin.registry import HOOKS

STUDENT = 'supervised/student.py'


@pytest.fixture(scope='module')
def finished(tmp_path_factory, teacher_dir):
    """A run of two epochs, whose best one is the first."""
    folder = tmp_path_factory.mktemp('finished') / 'run'
    train(tiny_config(STUDENT, folder, teacher_dir, epochs=2))
    return folder


OTHERS = {
    'seed': (dict(seed=7), 'randomness.seed was 0 there and is 7 now; go on with what it was, or train anew in another --work'),
    'rate': (
        dict(cfg_options={'optim_wrapper.optimizer.lr': 0.1}),
        r'optim_wrapper.optimizer.lr was 0.05 there and is 0.1 now',
    ),
    'weight': (
        dict(cfg_options={'model.learners.student.ce_weight': 0.5}),
        r'model.learners.student.ce_weight was not given there and is 0.5 now',
    ),
    'length': (
        dict(epochs=4),
        r'train_cfg.max_epochs was 2 there and is 4 now; rates .* no run can be made longer .*load_from=',
    ),
}


@pytest.mark.parametrize('kind', OTHERS)
def test_another_run_is_refused_before_anything_is_written(kind, finished, teacher_dir):
    changes, sentence = OTHERS[kind]
    before = {path: path.stat().st_mtime_ns for path in finished.rglob('*')}
    cfg = tiny_config(STUDENT, finished, teacher_dir, **{'epochs': 2, 'resume': True, **changes})
    with pytest.raises(ValueError, match=f'epoch_2.pth is a checkpoint of another run: {sentence}'):
        train(cfg)
    assert {path: path.stat().st_mtime_ns for path in finished.rglob('*')} == before


def test_no_run_goes_on_without_optimizer_or_schedules(finished, teacher_dir, tmp_path):
    """The host's best checkpoint has neither, and would begin anew with the momentum."""
    whole = torch.load(finished / 'epoch_1.pth', weights_only=False)
    for missing, message in (
        ('optimizer', 'it has no optimizer'),
        ('param_schedulers', 'it has no param_schedulers, by which the rate goes on'),
    ):
        torch.save({key: value for key, value in whole.items() if key != missing}, tmp_path / 'a.pth')
        cfg = tiny_config(STUDENT, tmp_path / 'run', teacher_dir, epochs=2, resume=str(tmp_path / 'a.pth'))
        with pytest.raises(ValueError, match=rf'no run can go on from \S+a\.pth: {message}'):
            train(cfg)


def test_another_teacher_is_another_run(teacher_dir, tmp_path):
    """Known before the teacher is trained, and by the weights where a checkpoint is given."""

    def settings(**options):
        cfg = tiny_config('kd.py', tmp_path, teacher_dir, cfg_options=options)
        return run_settings(cfg)

    plain = settings()
    key, old, new = first_difference(plain, settings(**{'teachers.optim_wrapper.optimizer.lr': 0.01}))
    assert key == 'model.teachers.sig.weights'
    assert old != new
    assert old.startswith('sig-')
    paths = [tmp_path / name for name in ('a.pth', 'b.pth', 'c.pth')]
    for path, value in zip(paths, (1.0, 1.0, 2.0)):
        torch.save({'state_dict': {'w': torch.full((2,), value)}, 'meta': {'path': str(path)}}, path)
    a, b, c = (settings(**{'model.teachers.sig.checkpoint': str(path)}) for path in paths)
    assert first_difference(a, b) is None
    assert first_difference(a, c)[0] == 'model.teachers.sig.weights'


def test_where_a_run_writes_and_how_fast_it_loads_is_no_difference(teacher_dir, tmp_path):
    options = {
        'train_dataloader.num_workers': 1,
        'default_hooks.logger.interval': 3,
        'default_hooks.checkpoint.max_keep_ckpts': 1,
        'log_level': 'DEBUG',
        'visualizer.vis_backends': [],
        'train_dataloader.pin_memory': True,  # as where there is a GPU
        'data_preprocessor.non_blocking': True,
    }
    plain, other = (
        run_settings(tiny_config(STUDENT, tmp_path / name, teacher_dir, cfg_options=more))
        for name, more in (('a', {}), ('b', options))
    )
    assert first_difference(plain, other) is None
    assert settings_fingerprint(plain) == settings_fingerprint(other)


def test_a_view_that_no_network_reads_is_no_difference():
    networks = dict(learners=dict(student=dict(view='sig'), gone=None), teachers=dict(gaf=dict(view='gaf')))
    views = dict(gaf=dict(type='GramianAngularField'), rp=dict(type='RecurrencePlot'))

    def settings(model=networks, **more):
        return learning_settings(dict(model=model, data_preprocessor=dict(views={**views, **more})), data='')

    assert list(settings()['data_preprocessor']['views']) == ['gaf']
    assert first_difference(settings(), settings(rp=dict(type='RecurrencePlot', threshold=1), mtf={})) is None
    changed = settings(gaf=dict(type='GramianAngularField', image_size=8))
    assert first_difference(settings(), changed) == ('data_preprocessor.views.gaf.image_size', None, 8)
    assert list(settings(dict(type='Mine'))['data_preprocessor']['views']) == ['gaf', 'rp']  # whose networks nobody knows


def test_first_differences_by_hand():
    old = {'a': {'b': [1, {'c': 2}]}, 'd': 0}
    assert first_difference(old, {'a': {'b': [1, {'c': 2}]}, 'd': 0}) is None
    assert first_difference(old, {'a': {'b': [1, {'c': 3}]}, 'd': 1}) == ('a.b.1.c', 2, 3)
    assert first_difference(old, {'a': {'b': [1]}, 'd': 0}) == ('a.b', [1, {'c': 2}], [1])
    assert first_difference(old, {'a': old['a'], 'e': 0}) == ('e', None, 0)


@pytest.mark.parametrize('epoch', [1, 2])
def test_a_run_goes_on_in_another_folder_and_takes_its_best_checkpoint_along(epoch, finished, teacher_dir, tmp_path):
    words = ['train', 'supervised/student', '--data', TINY, '--work-dir', tmp_path / 'new']
    options = ['--cfg-options', 'train_cfg.max_epochs=2', 'teachers.train_cfg.max_epochs=1', f'teacher_dir={teacher_dir}']
    left = tmp_path / 'new' / '.epoch_2.pth.999999999.tmp'
    left.parent.mkdir()
    left.write_bytes(b'half')
    done = call(*words, '--resume', finished / f'epoch_{epoch}.pth', *options, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not left.exists()
    for which in ('best', 'last'):
        states = [load_checkpoint(folder / f'student_{which}.pth')['state_dict'] for folder in (finished, tmp_path / 'new')]
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    ours, theirs = (find_network(read_result(folder)) for folder in (tmp_path / 'new', finished))
    assert (ours['val'], ours['test']) == (theirs['val'], theirs['test'])


@HOOKS.register_module()
class OwnHook(Hook):
    """A user's, who alone knows what it does."""


def test_a_hook_of_one_s_own_does_not_stop_a_run_but_one_of_the_host_s_does(finished, teacher_dir, tmp_path, capsys):
    folder = shutil.copytree(finished, tmp_path / 'run')
    cfg = tiny_config(STUDENT, folder, teacher_dir, epochs=2, resume=True)
    cfg.custom_hooks.append(dict(type='OwnHook'))
    train(cfg)
    assert (
        'epoch_2.pth was written with custom_hooks.OwnHook not given, which is [{}] now; a hook of your own does not stop'
        in (''.join(capsys.readouterr()))
    )
    cfg.custom_hooks.append(dict(type='EMAHook'))
    with pytest.raises(ValueError, match=r'another run: custom_hooks.EMAHook was not given there and is \[{}\] now'):
        train(cfg)


def test_a_checkpoint_of_an_earlier_version_goes_on_with_a_warning(finished, teacher_dir, tmp_path, capsys):
    folder = Path(shutil.copytree(finished, tmp_path / 'run'))
    checkpoint = load_checkpoint(folder / 'epoch_2.pth')
    del checkpoint['meta']['settings'], checkpoint['meta']['contract']
    torch.save(checkpoint, folder / 'epoch_2.pth')
    (folder / 'last_checkpoint').write_text(str(folder / 'epoch_2.pth'))
    train(tiny_config(STUDENT, folder, teacher_dir, epochs=2, resume=True))
    assert 'epoch_2.pth does not say which settings it is of: they are not compared' in ''.join(capsys.readouterr())
