"""Lesson 6: SQL and MQL.

A query lets the cloud count and average, and only the result comes back. That is much faster than fetching all
readings. There are two languages: SQL, that of most databases, and MQL, that of MongoDB, which is a list of stages.
The readings are the table `readings`; what a sensor said is in `data.readings`. The rows of the result are dicts.

The sandbox needs three packages for it: pip install duckdb mongomock pytz
"""

import viam_sync
from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    data = client.data_client
    organization = client.app_client.list_organizations()[0]

    sql = """
        SELECT component_name, COUNT(*) AS readings, AVG(data.readings.temperature) AS mean
        FROM readings
        GROUP BY component_name
    """
    rows = data.tabular_data_by_sql(organization.id, sql)
    viam_sync.show(rows)

    # The same in MQL.
    stages = [
        {
            "$group": {
                "_id": "$component_name",
                "readings": {"$sum": 1},
                "mean": {"$avg": "$data.readings.temperature"},
            }
        }
    ]
    viam_sync.show(data.tabular_data_by_mql(organization.id, query=stages))

    # Exercise: let the cloud count the readings whose temperature is above 25, and print how many these are, in a line
    # such as "warm: 12". Then: python 06_queries.py --check
    with exercise(6, client):
        pass  # your lines go here
