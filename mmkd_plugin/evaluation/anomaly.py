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

    On a split without anomalies the only metric is the mean score.
    """

    default_prefix = 'anomaly'

    def process(self, data_batch: dict, data_samples: Sequence[dict]) -> None:
        """Store score, decision and truth of every window.

        Raises:
            ValueError: The predictions are not those of a detector.
        """
        for sample in data_samples:
            if 'anomaly_score' not in sample:
                raise ValueError('AnomalyMetric is for the predictions of an AnomalyDetector, and these have no anomaly_score')
            self.results.append((float(sample['anomaly_score']), bool(sample['pred_anomaly']), int(sample['anomaly'])))

    def compute_metrics(self, results: list) -> dict[str, float]:
        """Return the metrics, from 0 to 1, or the mean score.

        Raises:
            ValueError: Every window is an anomaly.
        """
        # Imported here: it takes longer to import than all of this package, and most runs have no detector.
        from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

        scores, decisions, truth = (np.array(column) for column in zip(*results))
        if not truth.any():
            return {'score': float(scores.mean())}
        if truth.all():
            raise ValueError(f'all {len(truth)} windows are anomalies: the metrics need a normal one too')
        return {
            'auroc': float(roc_auc_score(truth, scores)),
            'auprc': float(average_precision_score(truth, scores)),
            'f1': float(f1_score(truth, decisions)),
        }
