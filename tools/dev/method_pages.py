"""Parts of the pages of docs/methods that follow from configs and printed tables: source, config and figures.

A page is named as the config of its method that has the line of the paper.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmark_tables import BASELINE, benchmark_part, read_benchmark
from figures import ABSENT, figures_table, read_costs, read_figures, read_tuning, tuning_part
from leaves import Leaf, between, config_of

__all__ = ['method_pages', 'page_of']

ADDRESSES = {'type', 'source', 'target', 'weight', 'connector', 'weighting'}  # with a column of their own


def page_of(leaf: Leaf, leaves: Sequence[Leaf]) -> str:
    """Return the name of the page of a config's method, without its ending."""
    return next(other.path.stem for other in leaves if other.method == leaf.method and other.title)


def method_pages(leaves: Sequence[Leaf], docs: Path) -> dict[Path, str]:
    """Return what each page of a method should be.

    Args:
        leaves (Sequence[Leaf]): Configs of all methods; those in folders are examples and stand on no page.
        docs (Path): The folder docs.

    Raises:
        ValueError: A method has no page, or a page lacks a marker.
    """
    costs, figures, tuning, benchmark = read_costs(docs), read_figures(docs), read_tuning(docs), read_benchmark(docs)
    pages = {}
    for paper in (leaf for leaf in leaves if leaf.title):
        page = docs / 'methods' / f'{paper.path.stem}.md'
        if not page.is_file():
            raise ValueError(f'{page} is missing: {paper.method} needs a page, as {docs / "methods" / "rkd.md"} is one')
        own = [leaf for leaf in leaves if leaf.method == paper.method and leaf.path.parent == paper.path.parent]
        own.sort(key=lambda leaf: (leaf is not paper, leaf.path))
        source = f'[{paper.source}]({paper.url})' if paper.url else paper.source
        text = between(page.read_text(encoding='utf-8'), 'source', f'Source: *{paper.title}*, {source}.')
        text = between(text, 'config', '\n\n'.join(config_part(leaf) for leaf in own))
        names = [leaf.path.stem for leaf in own]
        parts = [figures_part(names, costs, figures), benchmark_part(names, benchmark, '../results.md')]
        parts.append(tuning_part(names, tuning))
        pages[page] = between(text, 'figures', '\n\n'.join(part for part in parts if part))
    return pages


def config_part(leaf: Leaf) -> str:
    """Return the command that trains a config, its transfers, its rate and what else is particular to its model."""
    cfg = config_of(leaf.path)
    model = cfg.model
    rows = ['| transfer | weight | from | to | distance | connectors |', '|---|---:|---|---|---|---|']
    for name, transfer in (model.transfers or {}).items():
        sources = [transfer['source']] if isinstance(transfer['source'], str) else transfer['source']
        chain = transfer.get('connector') or []
        cells = [
            f'`{name}`',
            _call(transfer['weight']),
            ', '.join(f'`{address}`' for address in sources),
            f'`{transfer["target"]}`',
            _call({'type': transfer['type'], **{key: value for key, value in transfer.items() if key not in ADDRESSES}})
            + (f', weighted by {_call(transfer["weighting"])}' if 'weighting' in transfer else ''),
            ', '.join(_call(part) for part in ([chain] if isinstance(chain, Mapping) else chain)),
        ]
        rows.append(f'| {" | ".join(cells)} |')
    rate = '' if model.get('phases') else f' Learning rate: {cfg.optim_wrapper.optimizer.lr:g}.'
    label = ', '.join(f'{entry.get("ce_weight", 1.0):g} of `{name}`' for name, entry in model.learners.items())
    parts = [
        f'`{leaf.path.stem}`: {leaf.summary.rstrip(".")}.',
        f'    mmkd train {leaf.path.stem}',
        '\n'.join(rows),
        f'Weight of the label loss: {label}.{rate}',
    ]
    if model.get('phases'):
        phases = ['| phase | epochs | rate | terms | frozen |', '|---|---|---:|---|---|']
        for name, phase in model.phases.items():
            terms, frozen = (', '.join(f'`{item}`' for item in phase.get(key, [])) for key in ('terms', 'frozen'))
            begin, end = phase['epochs']
            phases.append(f'| `{name}` | {begin} to {end} | {phase["lr"]} | {terms} | {frozen} |')
        parts.append('\n'.join(phases))
    return '\n\n'.join(parts)


def _call(value: Any) -> str:
    """Return a component as Python would show its call, anything else as it is."""
    if not isinstance(value, Mapping):
        return str(value)
    arguments = ', '.join(f'{key}={item!r}' for key, item in value.items() if key != 'type')
    return f'`{value["type"]}({arguments})`' if arguments else f'`{value["type"]}`'


def figures_part(names: Sequence[str], costs: Mapping[str, str], figures: Mapping[str, list[str]]) -> str:
    """Return what a step of some configs costs, and their rows of the table of all methods."""
    page = '../performance.md#kept-outputs-of-the-teachers'
    cost = f'A training step, in units of one of `kd` ([how it is measured]({page})): '
    cost += ', '.join(f'{costs[name]} for `{name}`' for name in names if name in costs) or 'not measured'
    known = [name for name in names if name in figures]
    return f'{cost}.\n\n{figures_table([*known, BASELINE], figures, "../experiments.md") if known else ABSENT}'
