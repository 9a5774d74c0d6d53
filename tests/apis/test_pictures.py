"""Pictures of a run in what the host's visualizer writes, read back by the readers of TensorBoard, MLflow and W&B."""

import random
import re
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.visualization import Visualizer

from mmkd_plugin.apis import PictureHook, load_config
from mmkd_plugin.apis.check import config_faults
from mmkd_plugin.engine import same_random_state
from mmkd_plugin.registry import VISBACKENDS
from mmkd_plugin.visualization import figure_pixels, new_figure, save_figure

pytest.importorskip('matplotlib', reason="matplotlib is not installed: pip install 'mmkd_plugin[plot]'")

PICTURE = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3) * 4


def test_a_run_gives_its_pictures_to_files_and_tensorboard(trained):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    (logs,) = Path(trained[1]['checkpoint']).parent.glob('*/vis_data')
    assert sorted(path.name for path in (logs / 'vis_image').iterdir()) == ['cam_1.png', 'confusion_1.png']
    events = EventAccumulator(str(logs), size_guidance={'images': 0})
    events.Reload()
    for name in ('confusion', 'cam'):
        (event,) = events.Images(name)  # once: the end of the run is at the last validation
        assert event.step == 1
        image = cv2.imdecode(np.frombuffer(event.encoded_image_string, np.uint8), cv2.IMREAD_COLOR)
        np.testing.assert_array_equal(image, cv2.imread(str(logs / 'vis_image' / f'{name}_1.png')))
    assert 'accuracy/top1' in events.Tags()['scalars']
    log = next(logs.parent.glob('*.log')).read_text()
    assert re.search(r"picture 'filters' is left out: .*step_1\.pth holds no transfers", log)
    assert 'pictures: confusion, cam in ' in log
    assert not any(handler.stream.closed for handler in MMLogger.get_current_instance().handlers)  # MLflow's writer asks


def test_pictures_draw_no_random_number_of_the_run():
    def draw():
        return torch.rand(3).tolist(), np.random.rand(3).tolist(), random.random()

    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    expected = draw(), draw()
    torch.manual_seed(1)
    np.random.seed(1)
    random.seed(1)
    first = draw()
    with same_random_state():
        draw()
    assert (first, draw()) == expected


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(pictures=['eror']), "there is no picture 'eror'; did you mean 'errors'"),
        (dict(pictures='errors'), "pictures must be a list of names among views, .*, got 'errors'"),
        (dict(pictures=[]), r'pictures must be a list of names among views, .*, got \[\]'),
        (dict(interval=0), 'interval must be at least 1, got 0'),
    ],
)
def test_a_hook_that_could_draw_nothing_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        PictureHook(**options)


def test_pictures_that_cannot_be_drawn_are_found_before_anything_is_trained(trained, monkeypatch):
    leaf, _ = trained
    options = {'default_hooks.pictures.pictures': ['filters']}
    sentence = "default_hooks.pictures: no transfer has a FrequencyAttention, whose filters the picture 'filters' shows"
    assert config_faults(load_config(leaf, cfg_options=options)) == [sentence]
    monkeypatch.setitem(sys.modules, 'matplotlib.figure', None)
    sentence = "default_hooks.pictures: a plot needs matplotlib, which is not installed. Run: pip install 'mmkd_plugin[plot]'"
    assert config_faults(load_config(leaf)) == [sentence]


def test_a_figure_s_pixels_are_those_of_its_file(tmp_path):
    def figure():
        figure = new_figure(figsize=(2, 1), layout='constrained')
        figure.subplots().plot([1, 2], [3, 5], color='red')
        return figure

    save_figure(figure(), tmp_path / 'a.png')
    np.testing.assert_array_equal(figure_pixels(figure()), cv2.imread(str(tmp_path / 'a.png'))[..., ::-1])


def test_mlflow_keeps_a_picture_of_each_step(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mlflow = pytest.importorskip('mlflow', reason='mlflow is not installed: pip install mlflow')
    pytest.importorskip('sqlalchemy', reason="MLflow's data base needs sqlalchemy, which comes with mlflow")
    visualizer = Visualizer(vis_backends=[dict(type='mmkd_plugin.MLflowVisBackend')], save_dir=str(tmp_path))
    visualizer.add_config(Config(dict(work_dir=str(tmp_path))))
    for step in (1, 2):
        visualizer.add_image('errors', PICTURE, step)
    run = mlflow.active_run().info.run_id
    visualizer.close()
    client = mlflow.MlflowClient(f'sqlite:///{tmp_path}/vis_data/mlflow.db')
    names = {file.path for file in client.list_artifacts(run)}
    assert [path.name for path in tmp_path.iterdir()] == ['vis_data']
    assert {'errors_1.png', 'errors_2.png', 'config.py'} <= names
    image = cv2.imread(client.download_artifacts(run, 'errors_2.png', str(tmp_path)))
    np.testing.assert_array_equal(image[..., ::-1], PICTURE)
    backend = VISBACKENDS.build(dict(type='MLflowVisBackend', save_dir=str(tmp_path), tracking_uri='nowhere://x'))
    with pytest.raises(ValueError, match='MLflow cannot use nowhere://x: '):
        backend.add_image('errors', PICTURE)


def test_w_and_b_keeps_a_picture_without_a_network(tmp_path):
    pytest.importorskip('wandb', reason='wandb is not installed: pip install wandb')
    options = dict(mode='offline', project='mmkd', dir=str(tmp_path))
    visualizer = Visualizer(vis_backends=[dict(type='WandbVisBackend', init_kwargs=options)], save_dir=str(tmp_path))
    visualizer.add_image('errors', PICTURE, 1)
    visualizer.close()
    (path,) = tmp_path.glob('wandb/offline-run-*/files/media/images/errors_*.png')
    np.testing.assert_array_equal(cv2.imread(str(path))[..., ::-1], PICTURE)
