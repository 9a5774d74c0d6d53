"""The contract that every shipped config keeps."""

import json

import pytest
import torch
from helpers import CONFIGS, term_faults, tiny_config
from mmengine.dataset import default_collate
from mmengine.logging import MessageHub
from mmengine.registry import DefaultScope

from mmkd_plugin.apis import evaluate_checkpoint, find_network, load_config, train
from mmkd_plugin.models.distillers import AnomalyDetector
from mmkd_plugin.registry import DATASETS, MODELS

LEAVES = sorted(p for p in CONFIGS.rglob('*.py') if not {'_base_', 'searches', 'sweeps'} & set(p.parts))
# All on BasicMotions; the last two folders' are about sensors that those recordings do not have.
TRAINED = [leaf for leaf in LEAVES if not {'teachers', 'basic_motions', 'skeleton', 'umafall'} & set(leaf.parts)]
# Methods and the data, beside their own, whose task they are about too.
TASKS = [*((leaf, None) for leaf in LEAVES), (CONFIGS / 'hidden_kd_anomaly.py', 'nab')]
TASKS += [(CONFIGS / 'fam_kd.py', data) for data in ('geneactiv', 'hapt', 'pamap2', 'uci_har', 'wisdm2019')]


def each(leaves):
    return pytest.mark.parametrize('leaf', leaves, ids=lambda p: str(p.relative_to(CONFIGS)))


each_task = pytest.mark.parametrize(
    ('leaf', 'data'), TASKS, ids=[f'{leaf.relative_to(CONFIGS)}{f"-{data}" if data else ""}' for leaf, data in TASKS]
)


@pytest.fixture(autouse=True)
def halfway_through_a_run(outside_a_run):
    """Every transfer of the shipped configs is switched on in the middle of a run."""
    hub = MessageHub.get_current_instance()  # the one that outside_a_run has made for this test
    hub.update_info('iter', 50)
    hub.update_info('max_iters', 100)
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        yield


@pytest.fixture
def read(recordings_of, store_dir):
    """Loads a leaf and tells it where its recordings are."""

    def load(leaf, data=None):
        cfg = load_config(leaf, data=data)
        for split in ('train', 'val', 'test'):
            dataset = cfg[f'{split}_dataloader'].dataset
            if 'root' in dataset.reader:
                dataset.reader.root = str(recordings_of(dataset.reader.type))
            dataset.store = str(store_dir)
        return cfg

    return load


BUILT = {}


def build_dataset(cfg, split='train'):
    """Most leaves are about the same data, which are built once."""
    dataset = cfg[f'{split}_dataloader'].dataset
    key = json.dumps(dataset)
    if key not in BUILT:
        BUILT[key] = DATASETS.build(dataset)
    return BUILT[key]


def build(cfg, seed=0):
    torch.manual_seed(seed)
    model = MODELS.build({'data_preprocessor': cfg.data_preprocessor, **cfg.model})
    model.remember(lambda: torch.from_numpy(build_dataset(cfg).data_list.label))
    return model


def batch(cfg, split='train', n=8):
    dataset = build_dataset(cfg, split)
    return default_collate([dataset[i * len(dataset) // n] for i in range(n)])


def losses(model, data):
    return model(**model.data_preprocessor(data, True), mode='loss')


def test_a_config_is_found_by_its_file_name_alone():
    """As the host's package manager looks for it, below all folders."""
    names = [path.name for path in CONFIGS.rglob('*.py') if path.parent.name != 'basic_motions']  # which a wheel leaves out
    assert sorted(names) == sorted(set(names))


def test_there_are_leaves():
    assert {'fam_kd.py', 'fam_review_kd.py', 'kd.py', 'student.py'} <= {p.name for p in LEAVES}


@each_task
def test_contract(leaf, data, read):
    cfg = read(leaf, data)
    model, data = build(cfg, seed=3).train(), batch(cfg)

    first, again = losses(model, data), losses(build(cfg, seed=3), batch(cfg))
    assert all(torch.equal(first[name], again[name]) for name in first), 'one seed gives one result'
    for phase in model.phases.phases or [None]:
        model.enter_phase(phase)
        terms = losses(model, data)
        assert all(torch.isfinite(value) for value in terms.values())
        sum(terms.values()).backward()
    model.enter_phase(None)
    learns = {name: p for name, p in model.named_parameters() if p.requires_grad}
    still = [name for name, p in learns.items() if p.grad is None or not p.grad.abs().sum() > 0]
    assert still == [], 'a learner or a connector gets no gradient'
    if not model.classifiers:
        assert len(learns) == len(list(model.parameters()))

    for teacher in model.teachers.values():
        assert not any(m.training for m in teacher.modules())
        assert all(p.grad is None for p in teacher.parameters())
    export = model.learners[model.deployed].state_dict()
    assert {key.split('.')[0] for key in export} <= {'backbone', 'projector', 'neck', 'head'}
    assert not any(key.startswith('teachers') for key in model.state_dict())

    model.eval()
    ready = model.data_preprocessor(batch(cfg, 'test'), False)
    predictions = model(**ready, mode='predict')
    assert len(predictions) == 8
    assert all(p.pred_score.shape == (cfg.data_preprocessor.num_classes,) for p in predictions)
    own = model.views[model.deployed]
    alone = model.learners[model.deployed](ready['inputs'][own]).logits.softmax(1)
    torch.testing.assert_close(torch.stack([p.pred_score for p in predictions]), alone)
    if isinstance(model, AnomalyDetector):  # a score compares the student with its teachers, so their views are made too
        assert all(p.anomaly_score > 0 for p in predictions)
    else:
        assert set(ready['inputs']) == {own}


def test_the_deployed_student_is_small_and_has_the_published_size():
    model = build(load_config(CONFIGS / 'fam_kd.py'))
    # A wide residual network 16-1 over time with 6 channels and 7 classes: the 3-channel, 14-class one has 61,374.
    expected = 61374 + 3 * 16 * 3 - 7 * 65
    assert sum(p.numel() for p in model.learners['student'].parameters()) == expected


@each(TRAINED)
def test_every_leaf_trains_through_the_runner(leaf, teacher_dir, tmp_path):
    cfg = tiny_config(leaf, tmp_path / 'run', teacher_dir)
    normal = cfg.train_dataloader.dataset.get('normal')
    result = train(cfg)
    assert term_faults(result) == []
    if normal:
        detectors = {row['name']: row['test']['best'] for row in result['networks'] if row['role'] == 'detector'}
        assert list(detectors) == ['detector', *cfg.model.baselines]
        # Every recording of these data is of one class, so that there is no subject to have a figure of its own.
        assert all(set(metrics) == {'auroc', 'auprc', 'f1', 'prevalence'} for metrics in detectors.values())
    learners = {row['name'] for row in result['networks'] if row['role'] in ('student', 'learner')}
    assert learners == set(cfg.model.learners)
    row = find_network(result)
    student = torch.load(row['checkpoint'], weights_only=True)
    assert student['meta']['view'] == 'sig'
    assert not any(name.startswith(('teachers', 'transfers')) for name in student['state_dict'])
    assert evaluate_checkpoint(cfg, row['checkpoint']) == row['test']['best']
