"""Metrics of an anomaly detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric

from mmkd_plugin.registry import METRICS

__all__ = ['AnomalyMetric']


@METRICS.register_module()
class AnomalyMetric(BaseMetric):
    """AUROC, AUPRC (average precision) and F1 at the detector's threshold, window by window, without point adjustment.

    Beside them ``prevalence``, the share of anomalies, which is the AUPRC of chance, and ``mean_auroc`` and ``mean_auprc``,
    means over the subjects, or the series, that have windows of both kinds: there a detector need not rank windows of one
    above those of another. On a split without anomalies the only metric is the mean score.

    Args:
        by (str): What the means are over: 'subject', or 'series', which the name of a recording begins with, up to the first
            colon.
        **metric: See mmengine's BaseMetric.

    Raises:
        ValueError: ``by`` is neither.
    """

    default_prefix = 'anomaly'

    def __init__(self, by: str = 'subject', **metric) -> None:
        super().__init__(**metric)
        if by not in ('subject', 'series'):
            raise ValueError(f"by must be 'subject' or 'series', got {by!r}")
        self.by = by

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Store score, decision, truth and group of every window.

        Raises:
            ValueError: The predictions are not those of a detector.
        """
        for sample in data_samples:
            if 'anomaly_score' not in sample:
                raise ValueError('AnomalyMetric is for the predictions of an AnomalyDetector, and these have no anomaly_score')
            group = sample.get('subject', '') if self.by == 'subject' else sample.get('recording', '').partition(':')[0]
            self.results.append(
                (float(sample['anomaly_score']), bool(sample['pred_anomaly']), int(sample['anomaly']), str(group))
            )

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the metrics, from 0 to 1, or the mean score.

        Raises:
            ValueError: Every window is an anomaly.
        """
        # Imported here: it takes longer to import than all of this package, and most runs have no detector.
        from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

        scores, decisions, truth, groups = (np.array(column) for column in zip(*results))
        if not truth.any():
            return {'score': float(scores.mean())}
        if truth.all():
            raise ValueError(f'all {len(truth)} windows are anomalies: the metrics need a normal one too')
        metrics = {
            'auroc': float(roc_auc_score(truth, scores)),
            'auprc': float(average_precision_score(truth, scores)),
            'f1': float(f1_score(truth, decisions)),
            'prevalence': float(truth.mean()),
        }
        both = [own for name in np.unique(groups) for own in [groups == name] if 0 < truth[own].mean() < 1]
        if both:
            metrics['mean_auroc'] = float(np.mean([roc_auc_score(truth[own], scores[own]) for own in both]))
            metrics['mean_auprc'] = float(np.mean([average_precision_score(truth[own], scores[own]) for own in both]))
        return metrics
