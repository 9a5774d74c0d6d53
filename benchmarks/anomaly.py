"""What a detector could know at best: the simple detectors on the embeddings of a sweep's networks, beside the windows' own."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from statistics import mean, stdev

import torch
from mmengine.config import Config
from mmengine.utils import import_modules_from_strings
from sklearn.metrics import average_precision_score, roc_auc_score

from mmkd_plugin.apis.predict import build_loader, load_deployed
from mmkd_plugin.engine import batches_in_order, evaluating
from mmkd_plugin.experiments import read_records
from mmkd_plugin.models import NearestWindows, PrincipalComponents
from mmkd_plugin.models.distillers import LazyTaps

DETECTORS = dict(nearest=lambda: NearestWindows(k=5), pca=lambda: PrincipalComponents(variance=0.95))


def embeddings(cfg: Config, row: dict, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """The embeddings of a split's windows by a network, as windows of one sample, and whether each is an anomaly."""
    loader, vectors, truth = build_loader(cfg, split), [], []
    name = row['name'] if row['role'] == 'teacher' else None
    model = load_deployed(cfg, row['checkpoint'], loader, name, split)
    with evaluating(model):
        for data in batches_in_order(loader):
            inputs = model.data_preprocessor.encode(data, model.views_of(model.deployed))
            vectors.append(LazyTaps(model, inputs)[model.deployed].embedding.cpu())
            truth += [sample.anomaly for sample in data['data_samples']]
    return torch.cat(vectors)[:, :, None], torch.tensor(truth)


def main() -> None:
    """Print AUROC and AUPRC for the networks of the runs with seed 0: means and standard deviations over folds, in points."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('sweep', help='name of a sweep of detectors that has been made, as anomaly_watch')
    figures = defaultdict(list)
    for record in read_records(Path('work_dirs/sweeps', parser.parse_args().sweep, 'runs.jsonl')):
        if record['seed'] != 0 or record['ended']['state'] != 'finished':
            continue
        cfg = Config(json.loads(record['config']['resolved']))
        import_modules_from_strings(**cfg.get('custom_imports', {'imports': []}))
        for row in (row for row in record['networks'] if row['role'] in ('teacher', 'student')):
            (training, _), (windows, truth) = (embeddings(cfg, row, split) for split in ('train', 'test'))
            for kind, build in DETECTORS.items():
                detector = build()
                detector.fit(training)
                scores = detector.score(windows)
                figures[f'{kind}, embedding of {row["role"]} {row["name"]}'].append(
                    [100 * float(metric(truth, scores)) for metric in (roc_auc_score, average_precision_score)]
                )
    print('| detector | folds | AUROC | SD | AUPRC | SD |\n|---|---:|---:|---:|---:|---:|')
    for name, pairs in figures.items():
        columns = [(f'{mean(values):.2f}', f'{stdev(values):.2f}' if len(values) > 1 else '–') for values in zip(*pairs)]
        cells = [text for column in columns for text in column]
        print(f'| {name} | {len(pairs)} | {" | ".join(cells)} |')


if __name__ == '__main__':
    main()
