"""Draw one window of the default data set as signal, Gramian angular field and persistence image, with the arrows of FAM KD.

Usage: python docs/draw_window.py  (writes docs/figures/window.png)
"""

from pathlib import Path

import matplotlib

matplotlib.use('Agg')

import matplotlib.pyplot as plt
from matplotlib.patches import FancyArrowPatch
from mmengine.config import Config
from mmengine.dataset import default_collate
from mmengine.registry import DefaultScope

from mmkd_plugin.registry import DATASETS, MODELS

ROOT = Path(__file__).parents[1]
CHANNEL = 4  # angular velocity about the second axis
WINDOW = 5
COLOURS = {'fam': '#c0392b', 'aver': '#2c6fbb'}


def views_of_one_window() -> tuple[dict, list[str]]:
    cfg = Config.fromfile(ROOT / 'configs' / 'fam_kd.py')
    with DefaultScope.overwrite_default_scope('mmkd_plugin'):
        dataset = DATASETS.build(cfg.train_dataloader.dataset)
        views = MODELS.build(cfg.data_preprocessor)
    return views(default_collate([dataset[WINDOW]]), True)['inputs'], dataset.metainfo['channels']


def arrow(figure, start, end, colour, label, at, bend=0.0):
    style = f'arc3,rad={bend}'
    figure.add_artist(
        FancyArrowPatch(start, end, color=colour, lw=1.8, arrowstyle='-|>', mutation_scale=14, connectionstyle=style)
    )
    figure.text(*at, label, color=colour, ha='center', va='center', fontsize=9)


def main() -> None:
    views, channels = views_of_one_window()
    figure = plt.figure(figsize=(9, 5.2))
    titles = {'sig': f'signal ({channels[CHANNEL]})', 'gaf': 'Gramian angular field', 'pi': 'persistence image'}
    for column, (name, title) in enumerate(titles.items()):
        axes = figure.add_axes((0.06 + 0.33 * column, 0.52, 0.22, 0.38))
        view = views[name][0, CHANNEL].numpy()
        if name == 'sig':
            axes.plot(view, lw=0.9, color='black')
            axes.set_xlabel('sample (50 Hz)')
        else:
            axes.imshow(view.T if name == 'pi' else view, origin='lower', cmap='viridis')
            axes.set_xlabel('birth' if name == 'pi' else 'time')
        axes.set_title(title, fontsize=10)
        axes.tick_params(labelsize=7)
        x = 0.17 + 0.33 * column
        box = dict(boxstyle='round', facecolor='#eeeeee', edgecolor='#888888')
        figure.text(x, 0.36, f'teacher {name} (frozen)', ha='center', va='center', fontsize=9, bbox=box)
        end = 0.42 + 0.08 * column
        arrow(figure, (x - 0.03, 0.33), (end - 0.015, 0.15), COLOURS['fam'], f'fam_{name}', (x - 0.085 + 0.02 * column, 0.27))
        arrow(figure, (x + 0.03, 0.33), (end + 0.015, 0.15), COLOURS['aver'], 'aver', (x + 0.055 - 0.005 * column, 0.27))
    box = dict(boxstyle='round', facecolor='#dff0d8', edgecolor='#3c763d')
    figure.text(0.5, 0.1, 'student, 61 k parameters: reads the signal alone', ha='center', va='center', fontsize=10, bbox=box)
    out = ROOT / 'docs' / 'figures' / 'window.png'
    out.parent.mkdir(exist_ok=True)
    figure.savefig(out, dpi=110)


if __name__ == '__main__':
    main()
