"""Lesson 12: a nightly job with cron.

Linux and macOS have cron, which runs a script at set times, say every night; Windows has its Task Scheduler. This
script writes a file for each of the last seven days, and skips those that are there: so a night that failed is made
up for by the next one, and running it twice does no harm. A file gets its name once all readings are in it, so there
is never half of one.

Write the variables into a file that only you can read (chmod 600 viam.env), with a line such as

    export VIAM_API_KEY=… VIAM_API_KEY_ID=…

and add this line for cron with `crontab -e`: at 15 minutes past midnight, it goes to the folder of the script and
runs it, and what that prints is added to a log.

    15 0 * * * cd ~/readings && . ./viam.env && python3 12_nightly_job.py >> nightly.log 2>&1
"""

import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

from viam_sync import ViamError
from viam_sync.lessons import exercise, lesson_client
from viam_sync.utils import create_filter

midnight = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
days = [midnight - timedelta(days=ago) for ago in range(7, 0, -1)]
tables = [Path(f"air-{day:%Y-%m-%d}.csv") for day in days]

with lesson_client() as client:
    data = client.data_client
    try:
        for day, table in zip(days, tables):
            if not table.exists():
                readings = create_filter("air", start_time=day, end_time=day + timedelta(days=1))
                print(f"{table} has {data.export_tabular_data_to(readings, table)} readings")
    except ViamError as error:
        # It goes to the log. The exit status 1 tells cron, and whoever watches it, that something is wrong.
        sys.exit(f"{datetime.now(timezone.utc):%Y-%m-%d %H:%M} {error}")

    # Exercise: write JSON lines for the same days, too, into files such as air-2024-01-31.jsonl. The end of the name
    # says what to write. Then: python 12_nightly_job.py --check
    with exercise(12, client, tables):
        pass  # your lines go here
