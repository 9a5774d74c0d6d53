"""Writers of the host's visualizer that need a correction."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from mmengine.visualization import MLflowVisBackend as HostMLflow

from mmkd_plugin.failures import reworded
from mmkd_plugin.registry import VISBACKENDS

__all__ = ['MLflowVisBackend']


@VISBACKENDS.register_module()
class MLflowVisBackend(HostMLflow):
    """The host's writer into MLflow, with pictures and a place that MLflow still takes.

    MLflow asks for the name of a file, whose ending says how an image is written; the host gives a bare name, which MLflow
    refuses, and the same one at every step. Without ``tracking_uri`` the host writes folders of files, which new MLflows refuse
    (3.17 does); here it is a data base ``mlflow.db`` beside the run's other logs, with the artefacts in ``mlruns``.
    """

    _tracking_uri: str | None
    _artifact_location: str | None
    _exp_name: str | None

    def _init_env(self) -> None:
        """Open the place that is written to.

        Raises:
            ValueError: MLflow cannot use it.
        """
        if self._tracking_uri is None:
            folder = Path(self._save_dir).absolute()
            self._tracking_uri = f'sqlite:///{folder}/mlflow.db'
            self._artifact_location = self._artifact_location or (folder / 'mlruns').as_uri()
            # The experiment that every data base has keeps its artefacts in the working directory.
            self._exp_name = self._exp_name or 'mmkd_plugin'
        # MLflow has errors of its own, and so have its data bases.
        with reworded(f'MLflow cannot use {self._tracking_uri}', passing=ImportError):
            super()._init_env()

    def add_image(self, name: str, image: np.ndarray, step: int = 0, **kwargs) -> None:
        """Record an image as the artefact ``<name>_<step>.png``.

        Args:
            name (str): Of the picture.
            image (ndarray): ``(H, W, 3)``, red, green and blue.
            step (int): Epoch or iteration.
            **kwargs (Any): Passed on.
        """
        super().add_image(f'{name}_{step}.png', image, step, **kwargs)
