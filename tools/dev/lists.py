"""Write the lists that follow from configs and registries, or check that they are up to date.

    python tools/dev/lists.py            # write them
    python tools/dev/lists.py --check    # name those that are out of date, exit code 1

The lists are configs/metafile.yml, the pages of docs/api, parts of those of docs/methods, and tables: of methods in
docs/methods.md, of mmpretrain's backbones in docs/backbones.md, of costs in docs/performance.md, of figures in docs/results.md,
of components in the README.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import yaml
from api_pages import api_pages
from benchmark_tables import benchmark_table, read_benchmark
from figures import all_methods_table, steps_table, tuning_table
from leaves import CONFIGS, ROOT, Leaf, between, config_of, methods
from method_pages import method_pages, page_of

from mmkd_plugin import registry
from mmkd_plugin.structures import accepted_arguments

# What the README lists: a name for people, the registry, and the module whose registered classes are meant.
COMPONENTS = {
    'transfers': ('MODELS', 'mmkd_plugin.models.transfers'),
    'weights of teachers, per sample': ('MODELS', 'mmkd_plugin.models.weightings'),
    'weights over the run': ('TASK_UTILS', 'mmkd_plugin.engine.schedules'),
    'connectors': ('MODELS', 'mmkd_plugin.models.connectors'),
    'networks': ('MODELS', 'mmkd_plugin.models.backbones'),
    'views': ('MODELS', 'mmkd_plugin.models.encoders'),
    'readers of data': ('TASK_UTILS', 'mmkd_plugin.datasets.readers'),
    'who is tested': ('TASK_UTILS', 'mmkd_plugin.datasets.protocols'),
    'transforms of the signal': ('TRANSFORMS', 'mmkd_plugin.datasets.transforms'),
}
# Head and kinds of that table in README.ko.md.
KOREAN = (
    ('고를 것', '후보'),
    (
        '전달',
        '표본마다의 교사 가중치',
        '실행 중의 가중치',
        '커넥터',
        '네트워크',
        '뷰',
        '데이터 리더',
        '시험 대상',
        '신호 변환',
    ),
)

# What signatures do not tell about mmpretrain's backbones: arguments without which small images are refused or, in PoolFormer,
# the stem is not trained; the images that can be read; and backbones that cannot be used.
NEEDED = {
    **{name: {'pad_small_map': True} for name in ('DaViT', 'SwinTransformer', 'SwinTransformerV2')},
    'PoolFormer': {'frozen_stages': -1},
}
IMAGES = {
    'AlexNet': 'at least 63 pixels',
    'EfficientFormer': '224 pixels',
    'InceptionV3': 'at least 75 pixels',
    'PyramidVig': '224 pixels',
    'Vig': '224 pixels',
}
UNUSABLE = {
    'SparseConvNeXt': 'reads images with a mask, in the pre-training of SparK',
    'SparseResNet': 'reads images with a mask, in the pre-training of SparK',
}


def metafile(leaves: list[Leaf], configs: Path = CONFIGS) -> str:
    """Return the text of configs/metafile.yml, from which mim lists the methods."""
    collections = []
    for leaf in leaves:
        if leaf.title:
            paper = {'Title': f'{leaf.title} ({leaf.source})', **({'URL': leaf.url} if leaf.url else {})}
            collections.append({'Name': leaf.method, 'Paper': paper})
    # Configs in folders are examples; a wheel leaves them out, because mim finds configs by their file name alone.
    shipped = [leaf for leaf in leaves if leaf.path.parent == configs]
    models = [{'Name': leaf.path.stem, 'In Collection': leaf.method, 'Config': f'configs/{leaf.path.name}'} for leaf in shipped]
    text = yaml.safe_dump({'Collections': collections, 'Models': models}, sort_keys=False, allow_unicode=True, width=120)
    return f'# Written by tools/dev/lists.py from the first lines of the configs.\n{text}'


def reads(path: Path) -> list[str]:
    """Return the addresses that a config's transfers read from, in order."""
    sources = set()
    for transfer in (config_of(path).model.transfers or {}).values():
        source = transfer['source']
        sources.update([source] if isinstance(source, str) else source)
    return sorted(sources)


def methods_table(leaves: list[Leaf], configs: Path = CONFIGS) -> str:
    """Return the table of docs/methods.md; configs in folders of one data set are left to docs/data.md."""
    papers = {leaf.method: leaf for leaf in leaves if leaf.title}
    rows = ['| method | source | config | what it does | reads |', '|---|---|---|---|---|']
    for leaf in sorted(leaves, key=lambda leaf: (leaf.method.lower(), leaf.path)):
        if leaf.path.parent == configs:
            paper = papers[leaf.method]
            source = f'[{paper.source}]({paper.url})' if paper.url else paper.source
            addresses = ', '.join(f'`{address}`' for address in reads(leaf.path))
            name = f'[{leaf.method}](methods/{page_of(leaf, leaves)}.md)'
            rows.append(f'| {name} | {source} | `{leaf.path.name}` | {leaf.summary.removesuffix(".")} | {addresses} |')
    return '\n'.join(rows)


def components_table(head: str = 'to choose | out of', kinds: Sequence[str] = tuple(COMPONENTS)) -> str:
    """Return the table of registered components in the words of one README, kinds in the order of :data:`COMPONENTS`."""
    rows = [f'| {head} |', '|---|---|']
    for kind, (name, module) in zip(kinds, COMPONENTS.values(), strict=True):
        import_module(module)
        known = getattr(registry, name).module_dict
        names = sorted(key for key, item in known.items() if f'{item.__module__}.'.startswith(f'{module}.'))
        if not names:
            raise ValueError(f'no component of {module} is registered in {name}')
        rows.append(f'| {kind} | {", ".join(f"`{key}`" for key in names)} |')
    return '\n'.join(rows)


def backbones() -> dict[str, type]:
    """Return mmpretrain's backbones by name."""
    import_module('mmpretrain.models')
    known = registry.MODELS.parent.module_dict
    return {name: known[name] for name in sorted(known) if known[name].__module__.startswith('mmpretrain.models.backbones.')}


def backbones_table() -> str:
    """Return the table of docs/backbones.md: what each of mmpretrain's backbones needs, where it needs anything."""
    rows = ['| backbone | arguments | images | last stage |', '|---|---|---|---|']
    for name, backbone in backbones().items():
        accepted = accepted_arguments(backbone)
        needed = [f'`{argument}`' for argument in accepted.required]
        needed += [f'`{key}={value}`' for key, value in NEEDED.get(name, {}).items()]
        stage = f'cannot be used: {UNUSABLE[name]}' if name in UNUSABLE else ''
        if stage:
            needed = []
        elif 'gap_before_final_norm' in accepted.names:
            stage = 'a vector; a map with `gap_before_final_norm=False`'
        elif 'out_type' in accepted.names and name != 'ViTSAM':
            stage = "a vector; a map with `out_type='featmap'`"
        if needed or stage or name in IMAGES:
            rows.append(f'| `{name}` | {", ".join(needed)} | {IMAGES.get(name, "")} | {stage} |')
    return '\n'.join(rows)


def lists(root: Path = ROOT) -> dict[Path, str]:
    """Return what each file that holds a list should be."""
    leaves, docs = methods(root / 'configs'), root / 'docs'
    texts: dict[Path, str] = {}
    for path, name, text in (
        (docs / 'methods.md', 'methods', methods_table(leaves, root / 'configs')),
        (docs / 'backbones.md', 'backbones', backbones_table()),
        (docs / 'performance.md', 'steps', steps_table(docs)),
        (docs / 'results.md', 'benchmark', benchmark_table(read_benchmark(docs))),
        (docs / 'results.md', 'all methods', all_methods_table(docs)),
        (docs / 'results.md', 'tuning', tuning_table(docs)),
        (root / 'README.md', 'components', components_table()),
        (root / 'README.ko.md', 'components', components_table(' | '.join(KOREAN[0]), KOREAN[1])),
    ):
        texts[path] = between(texts.get(path) or path.read_text(encoding='utf-8'), name, text)
    return {
        root / 'configs' / 'metafile.yml': metafile(leaves, root / 'configs'),
        **texts,
        **method_pages(leaves, docs),
        **api_pages(docs / 'api'),
    }


def outdated(files: dict[Path, str]) -> dict[Path, str]:
    """Return those of the files that do not exist or are otherwise."""
    return {path: text for path, text in files.items() if not path.is_file() or path.read_text(encoding='utf-8') != text}


def main() -> None:
    """Write the lists, or check them."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0], allow_abbrev=False)
    parser.add_argument('--check', action='store_true', help='write nothing; exit with 1 if a list is out of date')
    check = parser.parse_args().check
    try:
        changed = outdated(lists())
    except ValueError as error:
        sys.exit(f'error: {error}')
    for path, text in changed.items():
        if not check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding='utf-8')
        print(f'{"out of date" if check else "written"}: {path.relative_to(ROOT)}')
    if check and changed:
        sys.exit('error: run python tools/dev/lists.py')


if __name__ == '__main__':
    main()
