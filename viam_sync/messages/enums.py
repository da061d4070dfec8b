"""The enums of the schema, as objects with a name for each value."""

from typing import TYPE_CHECKING, Any, Generic, List, Tuple, TypeVar, cast

from google.protobuf.descriptor import EnumDescriptor

from viam_sync.checks import wrong_type
from viam_sync.checks.near_names import near_first
from viam_sync.checks.numbers import plain_number

V = TypeVar("V", bound=int)


class EnumTypeWrapper(Generic[V]):
    """An enum of the schema: ``Name``, ``Value``, ``items``, and each value as an attribute.

    It does what the class of this name in ``google.protobuf.internal`` does, which is not public.

    Args:
        descriptor: Describes the enum.
        module: The module that the enum is found in.
        qualname: Its name there.

    Attributes:
        DESCRIPTOR: Describes the enum.
        ValueType: The type of its values.

    Example:
        >>> from viam_sync.proto.app.data import Order
        >>> Order.Name(1), Order.Value("ORDER_ASCENDING"), Order.ORDER_ASCENDING
        ('ORDER_DESCENDING', 2, 2)
    """

    def __init__(self, descriptor: EnumDescriptor, module: str, qualname: str) -> None:
        self.DESCRIPTOR = descriptor
        self.__module__, self.__qualname__ = module, qualname
        vars(self).update(self.items())

    def Name(self, number: V) -> str:
        """Return the name of a value.

        Raises:
            TypeError: If ``number`` is no int.
            ValueError: If the enum has no such value.
        """
        plain = plain_number(number)
        if not isinstance(plain, int):
            raise wrong_type("number", "an int", number)
        found = self.DESCRIPTOR.values_by_number.get(plain)
        if found is None:
            raise ValueError(f"{self.__qualname__} has no value {number}")
        return found.name

    def Value(self, name: str) -> V:
        """Return the value of a name.

        Raises:
            ValueError: If the enum has no such name.
        """
        found = self.DESCRIPTOR.values_by_name.get(name)
        if found is None:
            raise ValueError(self._missing(name))
        return cast(V, found.number)

    def keys(self) -> List[str]:
        """Return the names of the values, in the order of the schema."""
        return [value.name for value in self.DESCRIPTOR.values]

    def values(self) -> List[V]:
        """Return the values, in the order of the schema."""
        return [cast(V, value.number) for value in self.DESCRIPTOR.values]

    def items(self) -> List[Tuple[str, V]]:
        """Return the names and values, in the order of the schema."""
        return list(zip(self.keys(), self.values()))

    if not TYPE_CHECKING:  # the stubs give each enum its own ValueType, and the names of its values
        ValueType = int

        def __getattr__(self, name: str) -> Any:
            raise AttributeError(self._missing(name))

    def _missing(self, name: object) -> str:
        names = near_first(name, self.keys()) if isinstance(name, str) else self.keys()
        return f"{self.__qualname__} has no value {name!r}; it has {', '.join(names)}"

    def __reduce__(self) -> str:
        return self.__qualname__

    def __repr__(self) -> str:
        return f"<enum {self.DESCRIPTOR.full_name}: {', '.join(f'{name} = {number}' for name, number in self.items())}>"
