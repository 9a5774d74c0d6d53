"""Data sets that come inside an installed package."""

from __future__ import annotations

import importlib.util
from pathlib import Path

__all__ = ['package_folder']


def package_folder(package: str, requirement: str) -> Path:
    """Return the folder of an installed package, which is located and not imported.

    Args:
        package (str): Name of the package in Python.
        requirement (str): Requirement that ``pip install`` takes, for the message.

    Raises:
        ImportError: The package is not installed.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ImportError(f"the recordings come with {package}, which is not installed. Run: pip install '{requirement}'")
    return Path(spec.origin).parent
