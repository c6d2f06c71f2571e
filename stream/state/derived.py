"""Values derived from frozen state, computed once."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Generic, Self, TypeVar, overload

S = TypeVar("S")
T = TypeVar("T")


def computed_once(compute: Callable[[S], T]) -> Callable[[S], T]:
    """Decorate a function of a frozen state, so that its value is computed once and stored in the state's `__dict__`.

    `derived` does the same for a method.
    """
    name = compute.__qualname__

    @wraps(compute)
    def computed(state: S) -> T:
        known = state.__dict__
        if name not in known:
            known[name] = compute(state)
        value: T = known[name]
        return value

    return computed


class derived(Generic[T]):  # noqa: N801 - a decorator, like `functools.cached_property`
    """A property whose value is computed at its first use and then stored in the instance's `__dict__`.

    Up to Python 3.11 `functools.cached_property` takes a lock for it, which cost a tenth of the payment's fold.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self._name = compute.__name__
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: object | None, owner: type) -> Self | T:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
