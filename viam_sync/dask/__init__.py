"""Reading and exporting with Dask, on the processors of one computer or on those of many.

It takes ``pip install "dask[dataframe,distributed]" pyarrow fsspec``. What Dask sends to its scheduler and its workers
holds the client, and with it the API key; no name, ``repr`` or log line shows it.
"""

from viam_sync.dask.binary_export import export_binary_data
from viam_sync.dask.lazy_frame import read_tabular_data
from viam_sync.dask.tabular_export import export_tabular_data

__all__ = ["export_binary_data", "export_tabular_data", "read_tabular_data"]
