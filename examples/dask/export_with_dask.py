"""A week of readings as a dataset with a file for each day, fetched by all processors of this computer, with Dask.

Run it every day, and the new readings are added. It takes pip install "dask[dataframe,distributed]" pyarrow fsspec.
Without an account it exports from a sandbox on this computer. With VIAM_API_KEY and VIAM_API_KEY_ID set
(and VIAM_APP_URL, if it is not app.viam.com), it exports from the real cloud.
"""

# What is imported from Dask has no complete types.
# pyright: basic, reportMissingImports=false

import os
from datetime import datetime, time, timedelta, timezone

# Before Python 3.11, Dask starts a worker by a fork of this process, in which what gRPC does for forks may hang.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

import dask.dataframe
import distributed

from viam_sync import ViamClient
from viam_sync.dask import export_tabular_data
from viam_sync.sandbox import Sandbox
from viam_sync.utils import create_filter


def export_week(client: ViamClient) -> None:
    today = datetime.combine(datetime.now(timezone.utc).date(), time())
    week = create_filter(component_name="air", start_time=today - timedelta(7), end_time=today + timedelta(1))
    with distributed.Client():  # or a cluster: distributed.Client("tcp://10.0.0.1:8786")
        rows = export_tabular_data(client, week, "readings", partition_by="day")
        print(f"{rows} readings are in the folder readings")
        print(dask.dataframe.read_parquet("readings").groupby("day")["data.readings.co2"].mean().compute())


def main() -> None:
    if "VIAM_API_KEY" in os.environ:
        with ViamClient.create_from_env_vars() as client:
            export_week(client)
    else:
        print("VIAM_API_KEY is not set, so this is the sandbox:")
        with Sandbox() as sandbox, ViamClient.create_from_dial_options(sandbox.dial_options(), sandbox.url) as client:
            export_week(client)


if __name__ == "__main__":
    main()
