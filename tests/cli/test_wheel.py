"""A wheel holds what a checkout does: configs, tools and the command."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def source(tmp_path):
    """A copy of the checkout without what builds leave behind."""
    kept = shutil.ignore_patterns(
        '.*_cache', '.git', 'build', '*.egg-info', 'work_dirs', '__pycache__', 'tests', 'docs', '.venv*'
    )
    return Path(shutil.copytree(ROOT, tmp_path / 'source', symlinks=True, ignore=kept))


def build(source, *words):
    command = [sys.executable, '-m', 'pip', 'wheel', str(source), '--no-deps', '--no-build-isolation', '--no-cache-dir', *words]
    return subprocess.run(command, capture_output=True, text=True)


def test_a_wheel_holds_configs_tools_and_the_command(source, tmp_path):
    done = build(source, '-w', str(tmp_path))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    (wheel,) = tmp_path.glob('*.whl')
    with zipfile.ZipFile(wheel) as file:
        names = set(file.namelist())
        (entries,) = (name for name in names if name.endswith('entry_points.txt'))
        assert 'mmkd = mmkd_plugin.cli:main' in file.read(entries).decode()
        assert file.read('mmkd_plugin/.mim/configs/kd.py') == (ROOT / 'configs' / 'kd.py').read_bytes()
    shipped = [*(ROOT / 'configs').rglob('*.py'), *(ROOT / 'configs').rglob('*.yml'), *(ROOT / 'tools').glob('*.*')]
    shipped = [path for path in shipped if path.parent.name != 'basic_motions']
    assert {f'mmkd_plugin/.mim/{path.relative_to(ROOT)}' for path in shipped} <= names
    configs = [name.rpartition('/')[2] for name in names if '.mim/configs/' in name]
    assert sorted(configs) == sorted(set(configs))  # mim finds a config by its file name alone
    named = re.findall(r'Config: (\S+)', (ROOT / 'configs' / 'metafile.yml').read_text())
    assert len(named) > 20
    assert {f'mmkd_plugin/.mim/{name}' for name in named} <= names
    assert 'mmkd_plugin/.mim/model-index.yml' in names
    assert 'mmkd_plugin/py.typed' in names
    pages = [path for path in (ROOT / 'mmkd_plugin').rglob('page/page.*') if path.suffix != '.pyc']
    assert len(pages) == 6  # of a report and of the demo
    assert {str(path.relative_to(ROOT)) for path in pages} <= names
    assert not [name for name in names if 'tools/dev' in name or '__pycache__' in name]


def test_a_checkout_without_links_is_not_built(source, tmp_path):
    link = source / 'mmkd_plugin' / '.mim' / 'configs'
    link.unlink()
    link.write_text('../../configs')  # what git writes where links are off
    done = build(source, '-w', str(tmp_path))
    assert done.returncode == 1
    assert (
        'mmkd_plugin/.mim/configs is no folder, so a build would lack the shipped configs and tools.'
        in done.stderr + done.stdout
    )
    assert 'git config core.symlinks true && git checkout -- mmkd_plugin/.mim' in done.stderr + done.stdout


def test_a_checkout_without_links_runs(source):
    for link in ('configs', 'tools', 'model-index.yml'):
        path = source / 'mmkd_plugin' / '.mim' / link
        path.unlink()
        path.write_text(f'../../{link}')
    (source / 'mine.py').write_text("_base_ = 'mmkd_plugin::configs/supervised/student.py'")
    command = [sys.executable, 'tools/train.py', 'mine.py', '--data', 'basic_motions', '--quick']
    done = subprocess.run(command, capture_output=True, text=True, cwd=source, env={**os.environ, 'PYTHONPATH': str(source)})
    assert (done.returncode, done.stderr) == (0, '')
    assert re.search(r'^student +60,868 ', done.stdout, re.M), done.stdout
