"""``mmkd show``: pictures of windows, of what networks make of them, and of the networks themselves."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import add_config_arguments, add_seen_argument, config_of

if TYPE_CHECKING:
    from mmengine.config import Config

    from mmkd_plugin.experiments import Table
    from mmkd_plugin.visualization import Graph

__all__ = ['add_arguments', 'run']

SPLITS = ('train', 'val', 'test')


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the command."""
    actions = parser.add_subparsers(dest='action', required=True)
    views = actions.add_parser('views', help='a window with the images that are made of it', allow_abbrev=False)
    errors = actions.add_parser('errors', help='the windows that are confused most, with their subjects', allow_abbrev=False)
    cam = actions.add_parser('cam', help='class activation maps of the student and its teachers', allow_abbrev=False)
    graph = actions.add_parser('graph', help='networks and transfers, with shapes and weights', allow_abbrev=False)
    filters = actions.add_parser('filters', help='filters of frequency attention before and after training', allow_abbrev=False)
    embeddings = actions.add_parser('embeddings', help='windows as student and teachers embed them', allow_abbrev=False)
    for action in (views, errors, cam, graph, filters, embeddings):
        add_config_arguments(action)
        action.add_argument('--work-dir', help='of the run; work_dirs/<data>/<config> by default')
        action.add_argument(
            '--out',
            metavar='FILE',
            help='the picture, .png or .svg; by default in <work_dir>/show, named after what is shown',
        )
    for action in (views, errors, cam, embeddings):
        action.add_argument('--split', choices=SPLITS, default='test', help='out of which windows are taken; test by default')
    for action in (errors, cam, embeddings):
        action.add_argument('checkpoint', help='<work_dir>/student_best.pth, or a checkpoint of the run')
        add_seen_argument(action)
    filters.add_argument('checkpoint', help='checkpoint of the run, epoch_<n>.pth, which has its transfers')
    for action in (views, cam):
        action.add_argument('--window', metavar='ID', help='index or ID of the window; the first of the split by default')
    for action, most in ((errors, 12), (embeddings, 300)):
        action.add_argument('--most', type=int, default=most, metavar='N', help=f'windows that are shown; {most} by default')
    cam.add_argument('--class', dest='label', metavar='NAME', help="class that the maps are of; the window's by default")


def run(args: argparse.Namespace) -> None:
    """Compute, print and draw."""
    from mmkd_plugin.visualization import check_picture

    check_picture(args.out or 'picture.png')
    from .console import reporting

    cfg = config_of(args, work_dir=args.work_dir, allow_seen_subjects=getattr(args, 'allow_seen_subjects', False))
    actions: dict[str, Callable] = dict(views=_views, errors=_errors, cam=_cam, graph=_graph, filters=_filters)
    actions['embeddings'] = _embeddings
    with reporting():
        actions[args.action](args, cfg)


def _save(args: argparse.Namespace, cfg: Config, figure: Any, ending: str = 'png') -> None:
    from mmkd_plugin.visualization import save_figure

    print(f'picture: {save_figure(figure, args.out or Path(cfg.work_dir, "show", f"{args.action}.{ending}"))}')


def _views(args: argparse.Namespace, cfg: Config) -> None:
    from mmkd_plugin.apis import window_views
    from mmkd_plugin.visualization import draw_views

    window, views = window_views(cfg, args.split, args.window)
    print(window.title())
    _save(args, cfg, draw_views(window, views))


def _errors(args: argparse.Namespace, cfg: Config) -> None:
    from mmkd_plugin.apis import confused_windows
    from mmkd_plugin.experiments import Column, Table
    from mmkd_plugin.experiments.report import to_text
    from mmkd_plugin.visualization import draw_errors

    worst, wrong, windows = confused_windows(cfg, args.checkpoint, args.split, args.most)
    title = f'{wrong:,} of {windows:,} {args.split} windows are taken for another class'
    if not worst:
        print(f'{title}: there is nothing to draw')
        return
    columns = [Column('window'), Column('subject'), Column('true class'), Column('predicted')]
    columns += [Column('probability', 3), Column('of the true class', 3)]
    rows = [
        (window.window_id, window.subject, window.label, each.predicted, each.probability, each.true_probability)
        for each in worst
        for window in [each.window]
    ]
    title += '' if wrong == len(worst) else f'; the {len(worst)} most sure'
    print(to_text(Table('errors', title, tuple(columns), tuple(rows))))
    _save(args, cfg, draw_errors(worst, title))


def _cam(args: argparse.Namespace, cfg: Config) -> None:
    from mmkd_plugin.apis import activation_maps
    from mmkd_plugin.experiments import Column, Table
    from mmkd_plugin.experiments.report import to_text
    from mmkd_plugin.visualization import draw_maps

    window, label, maps = activation_maps(cfg, args.checkpoint, args.split, args.window, args.label)
    columns = (Column('network'), Column('role'), Column('predicts'), Column(f'probability of {label}', 3))
    rows = tuple((each.name, each.role, each.predicted, each.probability) for each in maps)
    print(to_text(Table('cam', window.title(), columns, rows)))
    _save(args, cfg, draw_maps(window, label, maps))


def _graph(args: argparse.Namespace, cfg: Config) -> None:
    from mmkd_plugin.apis import config_graph
    from mmkd_plugin.experiments.report import to_text
    from mmkd_plugin.visualization import draw_graph

    graph = config_graph(cfg)
    print(to_text(_network_table(graph)))
    if graph.transfers:
        print(f'\n{to_text(_transfer_table(graph))}')
    _save(args, cfg, draw_graph(graph, f'{Path(args.config).stem}: networks and transfers'), 'svg')


def _filters(args: argparse.Namespace, cfg: Config) -> None:
    from mmkd_plugin.apis import frequency_filters
    from mmkd_plugin.experiments import Column, Table
    from mmkd_plugin.experiments.report import to_text
    from mmkd_plugin.visualization import draw_filters

    filters = frequency_filters(cfg, args.checkpoint)
    columns = [Column('filter'), Column('channels'), Column('gain before'), Column('after')]
    columns += [Column('above half of Nyquist before %', 1), Column('after %', 1)]
    rows: list[tuple[str | float, ...]] = []
    for each in filters:
        means = [f'{gain.mean():.3g}' for gain in (each.before, each.after)]
        upper = [100 * each.upper(gain) for gain in (each.before, each.after)]
        rows.append((each.name, f'{each.channels[0]} to {each.channels[1]}', *means, *upper))
    print(to_text(Table('filters', 'mean gain over pairs of channels and frequencies', tuple(columns), tuple(rows))))
    _save(args, cfg, draw_filters(filters, f'{Path(args.config).stem}, {Path(args.checkpoint).name}'))


def _embeddings(args: argparse.Namespace, cfg: Config) -> None:
    from mmkd_plugin.apis import network_embeddings, place_embeddings
    from mmkd_plugin.experiments.embeddings import separation_table
    from mmkd_plugin.experiments.report import to_text
    from mmkd_plugin.visualization import draw_embeddings

    embeddings = network_embeddings(cfg, args.checkpoint, args.split, args.most)
    table = separation_table(embeddings)
    print(to_text(table))
    _save(args, cfg, draw_embeddings(place_embeddings(embeddings), f'{Path(args.config).stem}: {table.title}'))


def _network_table(graph: Graph) -> Table:
    from mmkd_plugin.experiments import Column, Table
    from mmkd_plugin.visualization import spell

    columns = [Column('network'), Column('role'), Column('reads'), Column('backbone'), Column('parameters', 0)]
    columns += [Column('loss on labels', 2), Column('taps')]
    rows = tuple(
        (each.name, each.role, each.reads, each.backbone, each.params, each.label_weight, ', '.join(taps))
        for each in graph.networks
        for taps in [[f'{name} {spell(shape)}' for name, shape in each.taps]]
    )
    return Table('networks', 'networks', tuple(columns), rows)


def _transfer_table(graph: Graph) -> Table:
    """Return a row for every source of every transfer."""
    from mmkd_plugin.experiments import Column, Table

    names = ('transfer', 'kind', 'weight', 'from', 'to', 'connector')
    rows = tuple(
        (each.name, each.kind, each.weight, ' '.join(source), ' '.join(each.target), chain or 'none')
        for each in graph.transfers
        for source, chain in zip(each.sources, each.connectors)
    )
    notes = tuple(f'{each.name} weighs its sources by {each.weighting}' for each in graph.transfers if each.weighting)
    return Table('transfers', 'transfers', tuple(map(Column, names)), rows, notes)
