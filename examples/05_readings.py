"""Lesson 5: readings.

A reading is what a sensor said at one moment. `iter_tabular_data` goes through all that a filter describes, and
fetches more as the loop goes on. A row has the time, `time_requested`, and the values, `data`. Times are in UTC.

The sandbox has a sensor called "air". In the real cloud, put the names of a sensor of yours and of its values here.
"""

import sys
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import Dict, List

from viam_sync.lessons import exercise, lesson_client
from viam_sync.proto.app.data import Order
from viam_sync.utils import create_filter

SENSOR, VALUE = "air", "temperature"

with lesson_client() as client:
    data = client.data_client
    newest = list(data.iter_tabular_data(create_filter(SENSOR), sort_order=Order.ORDER_DESCENDING, limit=1))
    if not newest:
        sys.exit(f"There is no reading of {SENSOR} here; change SENSOR and VALUE, or unset VIAM_API_KEY.")
    last = newest[0].time_requested
    today = datetime.now(timezone.utc).date()
    print(f"the newest is of {last:%d %b %H:%M}, {'today' if last.date() == today else 'so today has none'}")

    # All readings of the last day that has some.
    day = list(data.iter_tabular_data(create_filter(SENSOR, start_time=last - timedelta(days=1), end_time=last)))
    hours: Dict[int, List[float]] = defaultdict(list)
    for row in day:
        hours[row.time_requested.hour].append(row.data["readings"][VALUE])
    means = {hour: sum(values) / len(values) for hour, values in sorted(hours.items())}
    for hour, mean in means.items():
        print(f"{hour:02}:00 {mean:6.1f} {'#' * round(mean)}")

    try:
        import matplotlib.pyplot as plt
    except ImportError:
        print("pip install matplotlib, and this lesson draws temperature.png, too")
    else:
        plt.bar(list(means), list(means.values()))
        plt.title(f"{SENSOR}, the 24 hours until {last:%d %b %H:%M}")
        plt.xlabel("hour of the day, UTC")
        plt.ylabel(VALUE)
        plt.savefig("temperature.png")

    # Exercise: print the highest "humidity" of the rows in the list `day`, in a line such as "highest: 71.3".
    # Then: python 05_readings.py --check
    with exercise(5, client, day):
        pass  # your lines go here
