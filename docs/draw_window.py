"""Draw one window of the default data set as signal, Gramian angular field and persistence image, with the arrows of FAM KD.

Usage: python docs/draw_window.py  (writes docs/figures/window.png)
"""

from pathlib import Path

import matplotlib

matplotlib.use('Agg')

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch
from mmengine.dataset import default_collate
from mmengine.registry import DefaultScope

from mmkd_plugin.apis import load_config
from mmkd_plugin.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[1]
CHANNEL = 4  # angular velocity about the second axis
WINDOW = 5
COLOURS = {'fam': '#c0392b', 'aver': '#2c6fbb'}


def views_of_one_window() -> tuple[dict, list[str]]:
    cfg = load_config(ROOT / 'configs' / 'fam_kd.py')
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        views = MODELS.build(cfg.data_preprocessor)
    return views(default_collate([dataset[WINDOW]]), True)['inputs'], dataset.metainfo['channels']


def arrow(figure, start, end, colour, label='') -> None:
    figure.add_artist(FancyArrowPatch(start, end, color=colour, lw=1.8, arrowstyle='-|>', mutation_scale=14))
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    if label:
        white = dict(boxstyle='square,pad=0.15', facecolor='white', edgecolor='none')
        figure.text(*middle, label, color=colour, ha='center', va='center', fontsize=8, bbox=white)


def draw_view(axes, name: str, view, channel: str) -> None:
    titles = {'sig': f'sig: signal ({channel})', 'gaf': 'gaf: Gramian angular field', 'pi': 'pi: persistence image'}
    if name == 'sig':
        axes.plot(view, lw=0.9, color='black')
        axes.set_xlabel('sample (50 Hz)', fontsize=8)
        axes.set_ylabel('standard deviations', fontsize=8)
    else:
        axes.imshow(view.T if name == 'pi' else view, origin='lower', cmap='viridis')
        axes.set_xlabel('birth (pixel)' if name == 'pi' else 'time (pixel)', fontsize=8)
        axes.set_ylabel('lifetime (pixel)' if name == 'pi' else 'time (pixel)', fontsize=8)
    axes.set_title(titles[name], fontsize=10)
    axes.tick_params(labelsize=7)


def main() -> None:
    views, channels = views_of_one_window()
    figure = plt.figure(figsize=(9, 5.4))
    grey = dict(boxstyle='round', facecolor='#eeeeee', edgecolor='#888888')
    for column, name in enumerate(('sig', 'gaf', 'pi')):
        x = 0.17 + 0.33 * column
        draw_view(figure.add_axes((x - 0.11, 0.55, 0.22, 0.37)), name, views[name][0, CHANNEL].numpy(), channels[CHANNEL])
        arrow(figure, (x, 0.47), (x, 0.4), '#555555')
        figure.text(x, 0.37, f'teacher {name} (frozen)', ha='center', va='center', fontsize=9, bbox=grey)
        end = 0.36 + 0.14 * column
        arrow(figure, (x - 0.05, 0.34), (end - 0.03, 0.12), COLOURS['fam'], f'fam_{name}')
        arrow(figure, (x + 0.05, 0.34), (end + 0.03, 0.12), COLOURS['aver'], 'aver')
    green = dict(boxstyle='round,pad=0.5', facecolor='#dff0d8', edgecolor='#3c763d')
    text = 'student, 61 k parameters: learns from the labels and by the arrows, reads the signal alone'
    figure.text(0.5, 0.07, text, ha='center', va='center', fontsize=9, bbox=green)
    out = ROOT / 'docs' / 'figures' / 'window.png'
    out.parent.mkdir(exist_ok=True)
    figure.savefig(out, dpi=110)


if __name__ == '__main__':
    main()
