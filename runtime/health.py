"""Whether this process lives and can do its work, told by the parts that know."""

from collections.abc import Callable

Check = Callable[[], str | None]
"""Says what is wrong, or None."""


class Health:
    """A process is live while its checks of life pass, and ready while those of work pass too."""

    def __init__(self) -> None:
        self._life: list[Check] = []
        self._work: list[Check] = []
        self._care: list[Check] = []

    def live_while(self, check: Check) -> None:
        """Count `check` among those whose failure means: restart me."""
        self._life.append(check)

    def ready_while(self, check: Check) -> None:
        """Count `check` among those whose failure means: send me nothing."""
        self._work.append(check)

    def warn_while(self, check: Check) -> None:
        """Count `check` among those whose failure means: look at me, but go on sending."""
        self._care.append(check)

    def warnings(self) -> list[str]:
        """Return the problems that do not keep this process from its work now and would in other circumstances."""
        return [problem for check in self._care if (problem := check())]

    def problems_of_life(self) -> list[str]:
        """Why this process should be restarted; empty when it should not."""
        return [problem for check in self._life if (problem := check())]

    def problems(self) -> list[str]:
        """Why this process cannot work now; empty when it can."""
        return [problem for check in (*self._life, *self._work) if (problem := check())]
