import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import init_default_scope
from mmpretrain.evaluation import SingleLabelMetric as HostMetric
from mmpretrain.structures import DataSample
from sklearn.metrics import f1_score, precision_score, recall_score

from mmkd_plugin.evaluation import SingleLabelMetric


def evaluate(kind, truth, predicted, classes=3):
    init_default_scope('mmkd_plugin')
    evaluator = Evaluator([kind] if isinstance(kind, dict) else [kind()])
    samples = []
    for label, guess in zip(truth, predicted):
        scores = torch.nn.functional.one_hot(torch.tensor(guess), classes).float()
        samples.append(DataSample().set_gt_label(label).set_pred_score(scores).set_pred_label(guess))
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_perfect_predictions_are_perfect_where_a_class_is_absent():
    """Of three classes, two are in the split; a config names the metric as it names the host's."""
    metrics = evaluate(dict(type='SingleLabelMetric'), [0, 1, 1], [0, 1, 1])
    assert metrics == {f'single-label/{name}': 100.0 for name in ('precision', 'recall', 'f1-score')}
    host = evaluate(dict(type='mmpretrain.SingleLabelMetric'), [0, 1, 1], [0, 1, 1])
    assert host['single-label/f1-score'] == pytest.approx(200 / 3)


def test_macro_averages_are_those_of_the_classes_that_the_split_has():
    truth, predicted = [0, 0, 1, 1, 1, 0], [0, 2, 1, 0, 1, 0]  # class 2 is predicted and never true
    metrics = evaluate(SingleLabelMetric, truth, predicted)
    for name, peer in (('precision', precision_score), ('recall', recall_score), ('f1-score', f1_score)):
        expected = 100 * peer(truth, predicted, labels=[0, 1], average='macro')
        assert metrics[f'single-label/{name}'] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize('average', ['macro', 'micro', None])
def test_with_every_class_present_it_is_the_host_metric_to_the_last_bit(average):
    generator = torch.Generator().manual_seed(0)
    truth, predicted = (torch.randint(4, (50,), generator=generator).tolist() for _ in range(2))
    assert set(truth) == set(range(4))
    items = ('precision', 'recall', 'f1-score', 'support')
    ours = evaluate(lambda: SingleLabelMetric(items=items, average=average), truth, predicted, 4)
    assert ours == evaluate(lambda: HostMetric(items=items, average=average), truth, predicted, 4)
