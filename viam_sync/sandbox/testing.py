"""Sandboxes for the tests of code that uses viam_sync: a decorator, a context, and a case of ``unittest``."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import unittest
import unittest.mock
from typing import Any, ClassVar, ContextManager, Iterator, List, Mapping, Optional

from viam_sync import ViamClient
from viam_sync.sandbox.server import Sandbox

__all__ = ["SandboxMixin", "SandboxTestCase", "viam_sandbox"]


@functools.lru_cache(maxsize=None)
def _sandbox_of(process: int) -> Sandbox:
    return Sandbox(seed=1)


def process_sandbox() -> Sandbox:
    """Return the sandbox that the tests of this process share, running; a forked child has one of its own.

    Its IDs and keys are the same after each reset, and in each process.

    Example:
        >>> from viam_sync.sandbox.testing import process_sandbox
        >>> process_sandbox() is process_sandbox()
        True
    """
    sandbox = _sandbox_of(os.getpid())
    return sandbox if sandbox.running else sandbox.start()


def viam_sandbox(test: Any = None, **options: Any) -> Any:
    """Put a sandbox around a test, or a block; the environment has its address and its key.

    So the code under test connects as it always does, with ``ViamClient.create_from_env_vars()``. Without options, all
    tests of a process share one server, which is reset before each. A block within another one has the same sandbox, as
    it is.

    Args:
        test: A function or a class, where this is a decorator without options. Of a class, each test gets a sandbox;
            ``setUp`` of ``unittest`` has it, too.
        options: Those of :class:`viam_sync.sandbox.Sandbox`; there is a server for this block alone then.

    Returns:
        A context manager that gives the ``Sandbox``, and is a decorator, too; or what was decorated.

    Raises:
        TypeError: If an option is unknown, or it can put nothing around ``test``.

    Example:
        >>> from viam_sync import ViamClient
        >>> from viam_sync.sandbox.testing import viam_sandbox
        >>> with viam_sandbox() as sandbox, ViamClient.create_from_env_vars() as client:
        ...     client.app_client.get_robot(sandbox.robot_id).name
        'rover'
    """
    around = _Around(options)
    return around if test is None else around(test)


class _Around:
    """A context manager that can be entered again and again, and a decorator."""

    def __init__(self, options: Mapping[str, Any]) -> None:
        inspect.signature(Sandbox).bind(**options)
        self._options = options
        self._entered: List[ContextManager[Sandbox]] = []

    def __enter__(self) -> Sandbox:
        block = _sandbox_in_environment(self._options)
        sandbox = block.__enter__()
        self._entered.append(block)
        return sandbox

    def __exit__(self, *error: Any) -> Optional[bool]:
        return self._entered.pop().__exit__(*error)

    def __call__(self, test: Any) -> Any:
        if isinstance(test, type):
            return self._around_class(test)
        if inspect.isgeneratorfunction(test) or inspect.isasyncgenfunction(test) or not callable(test):
            advice = "in a fixture, write `with viam_sandbox():`"
            raise TypeError(f"viam_sandbox decorates a function or a class, got {test!r}; {advice}")
        if inspect.iscoroutinefunction(test):

            @functools.wraps(test)
            async def run_coroutine(*args: Any, **kwargs: Any) -> Any:
                with _sandbox_in_environment(self._options):
                    return await test(*args, **kwargs)

            return run_coroutine

        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> Any:
            with _sandbox_in_environment(self._options):
                return test(*args, **kwargs)

        return run

    def _around_class(self, cls: type) -> type:
        # A case of unittest runs setUp, the test and the cleanups in run().
        names = ["run"] if issubclass(cls, unittest.TestCase) else [name for name in vars(cls) if name[:4] == "test"]
        for name in names:
            if callable(getattr(cls, name)):
                setattr(cls, name, self(getattr(cls, name)))
        return cls


@contextlib.contextmanager
def _sandbox_in_environment(options: Mapping[str, Any]) -> Iterator[Sandbox]:
    with contextlib.ExitStack() as stack:
        if options:
            sandbox = stack.enter_context(Sandbox(**options))
        else:
            sandbox = process_sandbox()
            if os.environ.get("VIAM_APP_URL") != sandbox.url:
                sandbox.reset()
        stack.enter_context(unittest.mock.patch.dict(os.environ, sandbox.env_vars()))
        yield sandbox


class SandboxMixin:
    """What gives each test of a ``unittest.TestCase`` a fresh sandbox; it stands before the case in the bases.

    The environment has the address and the key of a sandbox as long as the tests of the class run, so that
    ``setUpClass`` does not reach the cloud, either; what it puts into the sandbox is gone at the first test.

    Attributes:
        sandbox: The sandbox of the test.
        sandbox_options: Options of a server of its own for each test; without them, a process has one, which is reset.
    """

    sandbox: Sandbox
    sandbox_options: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def sandbox_context(cls) -> ContextManager[Sandbox]:
        """Return a context in which the code under test finds a sandbox."""
        around: ContextManager[Sandbox] = viam_sandbox(**cls.sandbox_options)
        return around

    @classmethod
    def setUpClass(cls) -> None:
        """Keep the class from the cloud."""
        context = cls.sandbox_context()
        context.__enter__()
        cls.addClassCleanup(context.__exit__, None, None, None)  # type: ignore[attr-defined]
        super().setUpClass()  # type: ignore[misc]

    def run(self, result: Any = None) -> Any:
        """Run the test within its sandbox."""
        with self.sandbox_context() as sandbox:
            sandbox.reset()
            # An attribute of the class: a test whose parts fail is pickled where tests run in parallel.
            type(self).sandbox = sandbox
            return super().run(result)  # type: ignore[misc]

    @functools.cached_property
    def viam_client(self) -> ViamClient:
        """A client that is connected to the sandbox; it is closed after the test."""
        client = ViamClient.create_from_dial_options(self.sandbox.dial_options(), self.sandbox.url)
        self.addCleanup(client.close)  # type: ignore[attr-defined]
        return client


class SandboxTestCase(SandboxMixin, unittest.TestCase):
    """A ``unittest.TestCase`` whose tests have a fresh sandbox each; see :class:`SandboxMixin`.

    Example:
        >>> from viam_sync.sandbox.testing import SandboxTestCase
        >>> class MachineTest(SandboxTestCase):
        ...     def test_the_rover_is_there(self):
        ...         machine = self.viam_client.app_client.get_robot(self.sandbox.robot_id)
        ...         self.assertEqual(machine.name, "rover")
    """
