"""The solution of lesson 6."""

from viam_sync.lessons import exercise, lesson_client

with lesson_client() as client:
    organization = client.app_client.list_organizations()[0]
    with exercise(6, client):
        sql = "SELECT COUNT(*) AS warm FROM readings WHERE data.readings.temperature > 25"
        rows = client.data_client.tabular_data_by_sql(organization.id, sql)
        print("warm:", rows[0]["warm"])
