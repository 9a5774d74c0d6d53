"""Config files: where they are, and what a distiller's config says with its teachers' own."""

from __future__ import annotations

from pathlib import Path

from mmengine.config import Config

__all__ = ['complete_teachers', 'deployed_learner', 'resolve_config']

SHIPPED = Path(__file__).resolve().parents[1] / '.mim'


def resolve_config(path: str | Path) -> Path:
    """Find a config file: as given, else among those that the package ships.

    Raises:
        FileNotFoundError: It is in neither place.
    """
    for candidate in (Path(path), SHIPPED / path):
        if candidate.is_file():
            return candidate
    raise FileNotFoundError(f'there is no config {path}, neither from {Path.cwd()} nor among the shipped ones')


def deployed_learner(model: dict) -> tuple[str, dict]:
    """Name and config of the learner that a distiller's config deploys; with one learner, that one.

    Raises:
        ValueError: The config is of no distiller, or it does not say which of its learners is deployed.
    """
    learners = {name: cfg for name, cfg in (model.get('learners') or {}).items() if cfg is not None}
    name = model.get('deployed') or (next(iter(learners)) if len(learners) == 1 else None)
    if name not in learners:
        raise ValueError(f'deployed={name!r} must be one of the learners: {", ".join(learners) or "none given"}')
    return name, learners[name]


def complete_teachers(model: dict) -> None:
    """Write ``view`` and ``network`` of every teacher that has a ``config`` into a distiller's config.

    A model is built from what its config says, without a look at other files; this is the look before.

    Args:
        model (dict): Config of a distiller, changed in place. What a teacher's entry says itself stays.

    Raises:
        FileNotFoundError: There is no such config.
        ValueError: A teacher's config is of no distiller.
    """
    for name, teacher in (model.get('teachers') or {}).items():
        if teacher is None or 'config' not in teacher or {'view', 'network'} <= teacher.keys():
            continue
        try:
            _, learner = deployed_learner(Config.fromfile(resolve_config(teacher['config'])).get('model', {}))
        except (ValueError, FileNotFoundError) as error:
            raise type(error)(f"teacher '{name}': {error}") from error
        for key in ('view', 'network'):
            teacher.setdefault(key, learner[key])
