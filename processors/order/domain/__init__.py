"""The order domain: the state of one order after any set of events from all services.

Pure. The columns do not depend on the order in which events arrive, nor on repetitions.
"""

from processors.order.domain.columns import Columns, columns_of
from processors.order.domain.order import Inputs, Order
from processors.order.domain.transitions import OrderInput, apply, order_of

__all__ = ["Columns", "Inputs", "Order", "OrderInput", "apply", "columns_of", "order_of"]
