"""Liveness and readiness of this process, from checks that its parts register."""

from collections.abc import Callable

Check = Callable[[], str | None]
"""Returns a sentence about a problem, which is a failure of the check; None if there is none."""


class Health:
    """The checks of this process: live while its liveness checks pass, ready while its readiness checks pass too."""

    def __init__(self) -> None:
        self._liveness: list[Check] = []
        self._readiness: list[Check] = []
        self._warnings: list[Check] = []

    def live_while(self, check: Check) -> None:
        """Add a liveness check: while it fails, this process should be restarted."""
        self._liveness.append(check)

    def ready_while(self, check: Check) -> None:
        """Add a readiness check: while it fails, this process should get no requests."""
        self._readiness.append(check)

    def warn_while(self, check: Check) -> None:
        """Add a check whose failure an operator should see, but which affects neither liveness nor readiness."""
        self._warnings.append(check)

    def warnings(self) -> list[str]:
        """Return the failures of the checks added by `warn_while`; they affect neither liveness nor readiness."""
        return [problem for check in self._warnings if (problem := check())]

    def liveness_problems(self) -> list[str]:
        """Return the failures of liveness checks; empty if the process is live."""
        return [problem for check in self._liveness if (problem := check())]

    def problems(self) -> list[str]:
        """Return the failures of liveness and readiness checks; empty if the process is ready."""
        return [problem for check in (*self._liveness, *self._readiness) if (problem := check())]
