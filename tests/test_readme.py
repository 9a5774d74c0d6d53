"""What the README shows is what works."""

import re
from pathlib import Path

import numpy as np
import pytest

from mmkd_plugin.apis import check_config, load_config
from mmkd_plugin.registry import MODELS

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)
CHILDREN = [block for block in BLOCKS if "_base_ = 'mmkd_plugin::configs/fam_kd.py'" in block]


def built(block, tmp_path):
    path = tmp_path / 'child.py'
    path.write_text(block)
    cfg = load_config(path)
    check_config(cfg)
    return MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})


def test_there_are_three_inheritance_experiments():
    assert len(CHILDREN) == 3


@pytest.mark.parametrize('index', range(3))
def test_an_inheritance_experiment_is_a_config(index, tmp_path):
    model = built(CHILDREN[index], tmp_path)
    assert set(model.transfers) == ({'aver', 'fam_sig', 'fam_gaf'} if index == 2 else {'aver', 'fam_sig', 'fam_gaf', 'fam_pi'})
    if index == 0:
        assert type(model.teachers['gaf'].backbone).__name__ == 'MobileNetV2'
    if index == 1:
        assert model.transfers['fam_gaf'].schedule(0.05) == pytest.approx(0.5)
    if index == 2:
        assert set(model.teachers) == {'sig', 'gaf'}


def test_tables_described_as_shown_are_read_by_the_data_file_shown(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = Path('data', 'mine')
    folder.mkdir(parents=True)
    (description,) = re.findall(r'```yaml\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)
    (folder / 'recordings.yml').write_text(description)
    rng = np.random.default_rng(0)
    for person in ('ann', 'bob', 'cid', 'dan'):
        rows = [
            f'{20 * t},{x:.4f},{y:.4f},{z:.4f},{("rest", "walk")[t // 200]}'
            for t, (x, y, z) in enumerate(rng.normal(size=(400, 3)))
        ]
        (folder / f'{person}_monday.csv').write_text('\n'.join(['t,acc_x,acc_y,acc_z,activity', *rows, '']))
    (block,) = [block for block in BLOCKS if "type='Tables'" in block]
    Path('mine.py').write_text(block)
    manifest = check_config(load_config('fam_kd', data='mine.py'))
    people = set(zip(manifest.columns['split'].tolist(), manifest.columns['subject'].tolist()))
    assert people == {('train', 'dan'), ('val', 'bob'), ('val', 'cid'), ('test', 'ann')}


def test_the_set_up_lines_stand_first():
    lines = re.findall(r'^ +(pip install -e [^#]*?) +#', (ROOT / 'README.md').read_text(), re.MULTILINE)
    assert lines == ['pip install -e . && python tools/train.py configs/fam_kd.py', 'pip install -e ".[test]" && pytest']
