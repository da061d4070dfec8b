"""The solution of lesson 5."""

from datetime import timedelta

from viam_sync.lessons import exercise, lesson_client
from viam_sync.proto.app.data import Order
from viam_sync.utils import create_filter

with lesson_client() as client:
    data = client.data_client
    newest = list(data.iter_tabular_data(create_filter("air"), sort_order=Order.ORDER_DESCENDING, limit=1))
    last = newest[0].time_requested
    day = list(data.iter_tabular_data(create_filter("air", start_time=last - timedelta(days=1), end_time=last)))
    with exercise(5, client, day):
        print("highest:", max(row.data["readings"]["humidity"] for row in day))
