"""Every file in configs/_base_/datasets can take the place of a config's data."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DefaultScope

from mmkd_plugin.apis import check_config, load_config
from mmkd_plugin.registry import DATASETS, MODELS

CONFIGS = Path(__file__).parents[2] / 'configs'
PARTS = ('loaders', 'zscore_views')  # of the files
FILES = sorted(file for file in (CONFIGS / '_base_' / 'datasets').glob('*.py') if file.stem not in PARTS)
SPLITS = ('train', 'val', 'test')
KEYS = (*(f'{split}_dataloader' for split in SPLITS), 'data_preprocessor')
FOLDS = {'hapt': 3, 'wisdm2019': 3, 'pamap2': 4, 'geneactiv': 4}  # one of each protocol; others name their subjects or have one


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_a_file_has_all_that_a_run_needs_of_its_data(file):
    data = Config.fromfile(file)
    for split in SPLITS:
        loader = data[f'{split}_dataloader']
        assert set(loader) == {'batch_size', 'num_workers', 'sampler', 'collate_fn', 'dataset'}
        assert loader.sampler == dict(type='DefaultSampler', shuffle=split == 'train')
        assert loader.collate_fn == dict(type='default_collate')
        assert (loader.dataset.type, loader.dataset.split) == ('WindowDataset', split)
        assert 'type' in loader.dataset.reader
    assert data.data_preprocessor.type == 'ViewPreprocessor'
    streams = data.data_preprocessor.get('streams', {})  # each a view as it is
    views = data.data_preprocessor.views
    images = {f'{name}_{view}' for name in streams for view in ('gaf', 'pi')} & set(views)  # a stream's own, where there are
    assert set(views) == {'gaf', 'pi', 'mtf', 'rp', 'stft', 'cwt', *streams, *images}
    for name in images:
        stream, _, view = name.rpartition('_')
        assert views[name] == dict(stream=stream, **views[view])
    assert all(data.data_preprocessor.views[name] == dict(stream=name) for name in streams)
    # And names that the files themselves use.
    names = {'data_root', 'dataset', 'normal', 'window'} | {'normalized', 'trained', 'turned', 'varied', 'subjects'}
    assert set(data) - set(KEYS) <= names


@pytest.mark.parametrize('file', FILES, ids=lambda file: file.stem)
def test_a_file_takes_the_place_of_a_config_s_data(file, recordings_of, store_dir):
    """The splits pass the audit, views are finite and vary, and FAM has a loss on them."""
    cfg, data = load_config(CONFIGS / 'fam_kd.py'), Config.fromfile(file)
    for key in KEYS:
        cfg[key] = data[key]
    for split in SPLITS:
        dataset = cfg[f'{split}_dataloader'].dataset
        dataset.store = str(store_dir)
        if 'root' in dataset.reader:
            dataset.reader.root = str(recordings_of(dataset.reader.type))
        if file.stem in FOLDS:
            dataset.subjects.fold = FOLDS[file.stem]
    manifest = check_config(cfg)
    subjects = {split: set(manifest.columns['subject'][manifest.columns['split'] == split]) for split in SPLITS}
    assert all(subjects.values())
    assert not subjects['train'] & (subjects['val'] | subjects['test'])

    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})
    batch = default_collate([dataset[i * len(dataset) // 4] for i in range(4)])
    ready = model.data_preprocessor(batch, True)
    assert set(ready['inputs']) == {'sig', 'gaf', 'pi'}
    for name, view in ready['inputs'].items():
        assert view.isfinite().all()
        if name != 'pi' or file.stem not in ('geneactiv', 'uci_har'):  # whose written windows are ramps, without a minimum
            assert view.flatten(1).std(1).min() > 0
    others = model.data_preprocessor.encode(batch, set(model.data_preprocessor.names) - set(ready['inputs']))
    assert all(view.isfinite().all() for view in others.values())
    assert all(value.isfinite() for value in model(**ready, mode='loss').values())
