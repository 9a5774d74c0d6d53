"""Pack the networks of finished runs as a model zoo.

    python tools/dev/release.py OUT RUN... [--url URL] [--format onnx]

OUT gets, for the student of every run and once for every teacher, named <data>_<config>_<network>-<hash>:

    .pth                    the exported network, with contract, figures and golden windows
    .onnx, .json, *.npz     its artefact, compared with the network on 1,000 windows, with contract, costs and golden vectors
    release.json            all networks with their figures and the SHA-256 of their files
    SHA256SUMS              the same for `sha256sum -c`
    zoo.yml                 entries for mim, which reads them from configs/
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from mmkd_plugin.apis import export_checkpoint
from mmkd_plugin.deploy import load_student
from mmkd_plugin.deploy.export import UNTRACED
from mmkd_plugin.deploy.formats import FORMATS
from mmkd_plugin.fileio import file_hash, read_result, write_atomically
from mmkd_plugin.version import __version__

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
INDEX = yaml.safe_load((CONFIGS / 'metafile.yml').read_text(encoding='utf-8'))
COLLECTIONS = {model['Config']: model['In Collection'] for model in INDEX['Models']}


def release(out: Path, runs: Sequence[Path], url: str = '', kind: str = 'onnx') -> dict[str, Any]:
    """Pack the networks of runs into a new folder, which is whole or absent.

    Args:
        out (Path): The folder.
        runs (Sequence[Path]): Work directories of finished runs.
        url (str): Where the files will lie; with a slash at its end or not.
        kind (str): Format of the artefacts, one of :data:`mmkd_plugin.deploy.formats.FORMATS`.

    Returns:
        dict[str, Any]: What ``release.json`` holds.

    Raises:
        FileNotFoundError: A run has not ended, or a checkpoint of it is gone.
        ValueError: The folder exists, a run was a first look, a file is another than the run has written, two networks have one
            name, or an artefact is not the equal of its network.
    """
    if out.exists():
        raise ValueError(f'{out} exists already')
    part = out.with_name(f'{out.name}.part')
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    try:
        result = {'version': __version__, 'url': url, 'models': _pack_all(part, runs, kind)}
        write_atomically(json.dumps(result, indent=1).encode(), part / 'release.json')
        write_atomically(to_index(result).encode(), part / 'zoo.yml')
        sums = [f'{file_hash(path)}  {path.name}\n' for path in sorted(part.iterdir())]
        write_atomically(''.join(sums).encode(), part / 'SHA256SUMS')
        part.rename(out)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return result


def _pack_all(folder: Path, runs: Sequence[Path], kind: str) -> list[dict[str, Any]]:
    """Pack every network of the runs once."""
    networks = {facts['sha256']: (facts, checkpoint, cfg) for run in runs for facts, checkpoint, cfg in _networks(run)}
    names = [facts['name'] for facts, _, _ in networks.values()]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'several networks are called {", ".join(twice)}: release runs of one seed and fold')
    return [{**facts, **_pack(folder, facts, checkpoint, cfg, kind)} for facts, checkpoint, cfg in networks.values()]


def _networks(run: Path) -> Iterator[tuple[dict[str, Any], str, Config]]:
    """Yield what an index says of a run's student and teachers, their checkpoints, and the run's config."""
    result = read_result(run)
    if result['quick']:
        raise ValueError(f'{run} is a first look (--quick), and no result')
    origin = result['run']
    cfg = Config(json.loads(origin['resolved']))
    for row in result['networks']:
        if row['role'] not in ('student', 'teacher') or row['checkpoint'] is None:
            continue
        if file_hash(row['checkpoint']) != row['sha256']:
            raise ValueError(f'{row["checkpoint"]} is not the checkpoint of {row["name"]} that {run} has written')
        teacher = row['role'] == 'teacher'
        config = (cfg.model.teachers[row['name']].get('config') or origin['config']) if teacher else origin['config']
        method = origin['method'].replace('/', '_').removesuffix(f'_{row["name"]}')  # supervised/student
        title = f'teacher_{row["name"]}' if teacher else f'{method}_{row["name"]}'
        facts = {
            'name': f'{origin["data"]}_{title}',
            'role': row['role'],
            'view': row['view'],
            'config': _shipped(str(config)),
            'data': origin['data'],
            'seed': origin['seed'],
            'params': row['params'],
            'macs': row['macs'],
            'val': row['val'],
            'test': row['test']['best'],
            'sha256': row['sha256'],
        }
        yield facts, row['checkpoint'], cfg


def _shipped(config: str) -> str:
    """Return the path of a config from ``configs`` on."""
    parts = Path(config).parts
    return '/'.join(parts[len(parts) - 1 - parts[::-1].index('configs') :]) if 'configs' in parts else parts[-1]


def _pack(folder: Path, facts: Mapping, checkpoint: str, cfg: Config, kind: str) -> dict[str, Any]:
    """Copy a network, export it, load both again; return files with their hashes, and why there is no artefact."""
    path = folder / f'{facts["name"]}-{facts["sha256"][:8]}.pth'
    shutil.copyfile(checkpoint, path)
    student, reason = load_student(path), None
    try:
        export_checkpoint(path, folder, kind, cfg)
    except ValueError as error:
        if (student.contract.view or {}).get('type') not in UNTRACED:
            raise
        reason = str(error).replace(f'{path} ', '', 1)
    files = {file.name: file_hash(file) for file in sorted(folder.glob(f'{path.stem}*'))}
    return {'weights': path.name, 'files': files, 'no_artifact': reason}


def to_index(result: Mapping) -> str:
    """Return the text of the entries for mim.

    Args:
        result (Mapping): From :func:`release`.
    """
    url = f'{result["url"].rstrip("/")}/' if result['url'] else ''
    entries = []
    for model in result['models']:
        collection = COLLECTIONS.get(model['config'])
        metrics = {'Accuracy': round(100 * model['test']['accuracy'], 2), 'Macro F1': round(100 * model['test']['macro_f1'], 2)}
        entries.append(
            {
                'Name': model['name'],
                **({'In Collection': collection} if collection else {}),
                'Metadata': {'Parameters': model['params'], 'FLOPs': model['macs'], 'Training Data': model['data']},
                'Results': [{'Task': 'Time Series Classification', 'Dataset': model['data'], 'Metrics': metrics}],
                'Weights': f'{url}{model["weights"]}',
                'Config': model['config'],
            }
        )
    text = yaml.safe_dump({'Models': entries}, sort_keys=False, allow_unicode=True, width=120)
    return f'# Written by tools/dev/release.py; FLOPs are multiplications with an addition each.\n{text}'


def main() -> None:
    """Pack, and say what there is."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0], allow_abbrev=False)
    parser.add_argument('out', type=Path, help='new folder')
    parser.add_argument('runs', type=Path, nargs='+', help='work directories of finished runs')
    parser.add_argument('--url', default='', help='where the files will lie')
    parser.add_argument('--format', choices=sorted(FORMATS), default='onnx', help='of the artefacts')
    args = parser.parse_args()
    try:
        result = release(args.out, args.runs, args.url, args.format)
    except (ImportError, OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    for model in result['models']:
        print(f'{model["weights"]}: {100 * model["test"]["accuracy"]:.2f} % of test windows, {model["params"]:,} parameters')
    print(f'{args.out}: {len(result["models"])} network(s); copy {args.out}/zoo.yml to configs/ once the files lie at --url')


if __name__ == '__main__':
    main()
