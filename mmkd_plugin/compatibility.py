"""Packages beside this one: whether they are installed and recent enough, and what they print in vain."""

from __future__ import annotations

import contextlib
import io
import re
import sys
import warnings
from collections.abc import Iterator
from importlib import import_module, metadata, util
from types import ModuleType

from mmkd_plugin.failures import uninterrupted

# import name -> (distributions that provide it, maintained build first, first version that works, first that does not)
HOST = {
    'mmengine': (('onedl-mmengine', 'mmengine', 'mmengine-lite'), '0.10.7', '1.0.0'),
    'mmcv': (('onedl-mmcv', 'mmcv', 'mmcv-lite'), '2.0.0', '3.0.0'),
    'mmpretrain': (('onedl-mmpretrain', 'mmpretrain'), '1.2.0', '2.0.0'),
}
# What the host prints or warns of, and nobody who trains a model can act on.
PRINTED = (
    'Could not import OneDL',  # a data set of the host that needs an account
    'Did not find last_checkpoint to be resumed',  # the next two are in the log too
    'Loads checkpoint by',
)
WARNED = (
    'Fail to import ``MultiScaleDeformableAttention``',  # an operator that mmcv-lite lacks
    'pkg_resources is deprecated',
)


def check_host(host: dict[str, tuple[tuple[str, ...], str, str]] = HOST) -> None:
    """Compare the version of each host package with the range that is known to work, and import none of them.

    Args:
        host (dict): ``{import name: (distributions, lowest version, first version too new)}``.

    Raises:
        ImportError: A package is missing or outside its range; the message holds the pip command that mends it.
    """
    for name, (distributions, lowest, too_new) in host.items():
        command = f"pip install '{distributions[0]}>={lowest},<{too_new}'"
        if util.find_spec(name) is None:
            raise ImportError(f'mmkd_plugin needs {name}, which is not installed. Run: {command}')
        version = _version(name, distributions)
        if not _numbers(lowest) <= _numbers(version) < _numbers(too_new):
            raise ImportError(
                f'mmkd_plugin needs {name}>={lowest},<{too_new}, but version {version} is installed. Run: {command}'
            )


def _version(name: str, distributions: tuple[str, ...]) -> str:
    """Return the version that a package was installed with; one that was not installed by pip is imported and asked."""
    for distribution in distributions:
        with contextlib.suppress(metadata.PackageNotFoundError):
            return metadata.version(distribution)
    return import_module(name).__version__


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r'\d+', version)[:3])


def ignore_warnings() -> None:
    """Ignore the warnings of the host's imports from now on."""
    for message in WARNED:
        warnings.filterwarnings('ignore', message=re.escape(message))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Hide what the host prints in vain inside a ``with`` block; everything else is passed on at its end."""
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield
    finally:
        for line in printed.getvalue().splitlines():
            if not line.startswith(PRINTED):
                sys.stdout.write(f'{line}\n')


def require(name: str, purpose: str, requirement: str, advice: str = '') -> ModuleType:
    """Import a package that not every installation has.

    Args:
        name (str): Of the module.
        purpose (str): What needs it, at the start of the message.
        requirement (str): What brings it: ``mmkd_plugin[plot]``.
        advice (str): At the end.

    Raises:
        ImportError: The package is not installed, or cannot be imported.
    """
    try:
        with uninterrupted():
            return import_module(name)
    except ImportError as error:
        package = name.partition('.')[0]
        absent = isinstance(error, ModuleNotFoundError) and (error.name or '').partition('.')[0] == package
        reason = 'which is not installed' if absent else f'which cannot be imported: {error}'
        command = f"pip install '{requirement}'{advice}"
        raise ImportError(f'{purpose} needs {package.replace("_", "-")}, {reason}. Run: {command}') from error
