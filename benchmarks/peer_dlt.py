"""dlt's part of `benchmarks.peers`, run by the Python of its own environment: PARQUET append|merge|rows HOME.

A line that comes in loads the rows once.
"""

from __future__ import annotations

import sys

import dlt
import pyarrow.parquet as pq


def main() -> None:
    """Read the rows, say "ready"; for each line that comes load them into a new dataset and say "done"."""
    path, mode, home = sys.argv[1:4]
    table = pq.read_table(path)
    rows = table.to_pylist() if mode == "rows" else table
    key = ["server_id", "file_id", "line_no"]
    given = {"write_disposition": "merge", "primary_key": key} if mode == "merge" else {"write_disposition": "append"}
    file_format = {} if mode == "rows" else {"loader_file_format": "parquet"}
    print("ready", flush=True)
    for number, _ in enumerate(sys.stdin):
        name = f"peer_{mode}_{number}"
        pipeline = dlt.pipeline(name, destination="postgres", dataset_name=name, pipelines_dir=home)
        done = pipeline.run(rows, table_name="rows", **given, **file_format)
        done.raise_on_failed_jobs()
        print("done", flush=True)


if __name__ == "__main__":
    main()
