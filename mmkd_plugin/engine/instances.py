"""The host's lists of loggers, message hubs, visualizers and scopes, in which every run would stay as long as the process."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope
from mmengine.utils import ManagerMixin

from mmkd_plugin.fileio import write_fault

__all__ = ['forgetting_runs', 'listing_classes']


def listing_classes(kind: type = ManagerMixin) -> Iterator[type]:
    """Yield the classes of the host that list their instances by name."""
    yield kind
    subclasses: list[type] = kind.__subclasses__()
    for each in subclasses:
        yield from listing_classes(each)


@contextlib.contextmanager
def forgetting_runs() -> Iterator[None]:
    """Take what a block has entered into the host's lists out of them, and close its log files.

    The host enters logger, message hub, visualizer and scope of every run and takes none out, so that a process would keep an
    open file and every logged value of each of its runs. The scope of the block stays the current one.

    Raises:
        OSError: A log file cannot be written to its end; the message says which, and how much room is left.
    """
    before = {kind: set(kind._instance_dict) for kind in listing_classes()}  # type: ignore[attr-defined]
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # the error on its way came first
            _forget(before)
        raise
    _forget(before)


def _forget(before: dict[type, set[str]]) -> None:
    """Take out what is listed and was not before; a logger is closed when all are out."""
    scope, new = DefaultScope.get_current_instance(), []
    for kind in listing_classes():
        listed = kind._instance_dict  # type: ignore[attr-defined]
        new += [listed.pop(name) for name in list(listed) if name not in before.get(kind, ())]
    if scope is not None:
        DefaultScope._instance_dict.pop(scope.scope_name, None)
        DefaultScope.get_instance(scope.scope_name, scope_name=scope.scope_name)
    for logger in new:
        if isinstance(logger, MMLogger):
            _close(logger)


def _close(logger: MMLogger) -> None:
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        try:
            handler.close()
        except OSError as error:
            raise write_fault(error, getattr(handler, 'baseFilename', 'the log')) from error
