"""A run of one epoch, for the host's tools and for what the host's visualizer writes."""

import pytest
from helpers import CONFIGS

from mmkd_plugin.apis import check_config, find_network, load_config, train

BASES = ['datasets/basic_motions', 'networks/wrn16_1_student', 'schedules/sgd', 'default_runtime']


@pytest.fixture(scope='session')
def trained(tmp_path_factory):
    """A config, and the row of the student that is trained by it, with pictures; the last one cannot be drawn."""
    folder = tmp_path_factory.mktemp('trained')
    leaf = folder / 'leaf.py'
    hook = "default_hooks = dict(pictures=dict(type='PictureHook', pictures=['confusion', 'cam'], interval=1))"
    bases = [str(CONFIGS / '_base_' / f'{base}.py') for base in BASES]
    leaf.write_text(f'_base_ = {bases}\ntrain_cfg = dict(max_epochs=1)\n{hook}\n')
    cfg = load_config(leaf, str(folder / 'run'))
    manifest = check_config(cfg)
    cfg.default_hooks.pictures.pictures.append('filters')  # the check has been
    return leaf, find_network(train(cfg, manifest=manifest))
