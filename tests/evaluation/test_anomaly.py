import pytest
import torch
from mmpretrain.structures import DataSample

from mmkd_plugin.evaluation import AnomalyMetric


def evaluate(scores, truth, threshold=0.5, origins=None, **options):
    metric = AnomalyMetric(**options)
    samples = []
    for score, anomaly, origin in zip(scores, truth, origins or [{}] * len(scores)):
        sample = DataSample(metainfo=dict(anomaly=anomaly, **origin))
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


def test_means_are_over_the_groups_that_have_windows_of_both_kinds():
    scores, truth = [0.1, 0.2, 0.8, 0.9, 0.7], [0, 1, 1, 0, 0]
    origins = [dict(subject=subject, recording=f'{series}:late:3') for subject, series in zip('aabbc', 'xyxyx')]
    result = evaluate(scores, truth, origins=origins)
    assert result['anomaly/prevalence'] == pytest.approx(2 / 5)
    # Subject a is ranked rightly, subject b wrongly, with its anomaly in the second place; c has no anomaly.
    assert result['anomaly/mean_auroc'] == pytest.approx((1 + 0) / 2)
    assert result['anomaly/mean_auprc'] == pytest.approx((1 + 1 / 2) / 2)
    result = evaluate(scores, truth, origins=origins, by='series')
    assert result['anomaly/mean_auroc'] == pytest.approx((1 + 0) / 2)  # x: .1, .7 | .8; y: .9 | .2
    apart = [dict(subject=str(number)) for number in range(5)]
    assert 'anomaly/mean_auroc' not in evaluate(scores, truth, origins=apart)
    with pytest.raises(ValueError, match="by must be 'subject' or 'series', got 'part'"):
        AnomalyMetric(by='part')


def test_normal_windows_alone_give_their_mean_score():
    assert evaluate([0.25, 0.5], [0, 0]) == {'anomaly/score': pytest.approx(0.375)}


def test_anomalies_alone_cannot_be_told_apart():
    with pytest.raises(ValueError, match='all 2 windows are anomalies'):
        evaluate([0.1, 0.2], [1, 1])
