import pytest
import torch
from mmpretrain.structures import DataSample

from mmkd_plugin.evaluation import AnomalyMetric


def evaluate(scores, truth, threshold=0.5):
    metric = AnomalyMetric()
    samples = []
    for score, anomaly in zip(scores, truth):
        sample = DataSample(metainfo=dict(anomaly=anomaly))
        sample.set_field(torch.tensor(score), 'anomaly_score')
        sample.set_field(torch.tensor(score > threshold), 'pred_anomaly')
        samples.append(sample.to_dict())
    metric.process({}, samples)
    return metric.evaluate(len(samples))


def test_figures_by_hand():
    result = evaluate([0.1, 0.6, 0.4, 0.9], [0, 0, 1, 1])
    # Of the four pairs of a normal and an anomalous window, (0.6, 0.4) is the wrong way round.
    assert result['anomaly/auroc'] == pytest.approx(3 / 4)
    # From the highest score down: precision 1 at the first anomaly, 2/3 at the second.
    assert result['anomaly/auprc'] == pytest.approx((1 + 2 / 3) / 2)
    # Above 0.5: one anomaly found, one missed, one false alarm.
    assert result['anomaly/f1'] == pytest.approx(2 * 0.5 * 0.5 / (0.5 + 0.5))


def test_normal_windows_alone_give_their_mean_score():
    assert evaluate([0.25, 0.5], [0, 0]) == {'anomaly/score': pytest.approx(0.375)}


def test_anomalies_alone_cannot_be_told_apart():
    with pytest.raises(ValueError, match='all 2 windows are anomalies'):
        evaluate([0.1, 0.2], [1, 1])
