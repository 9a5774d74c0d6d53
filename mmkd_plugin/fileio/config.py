"""Find config files: as given, or among those that the package ships."""

from __future__ import annotations

from pathlib import Path

__all__ = ['resolve_config']

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
