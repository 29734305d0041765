"""dlt's part of `benchmarks.peers`, run by the Python of its own environment: PARQUET append|merge|rows HOME."""

from __future__ import annotations

import sys

import dlt
import pyarrow.parquet as pq


def main() -> None:
    """Read the rows, say "ready", wait for a line, load them."""
    path, mode, home = sys.argv[1:4]
    table = pq.read_table(path)
    rows = table.to_pylist() if mode == "rows" else table
    pipeline = dlt.pipeline("peer", destination="postgres", dataset_name=f"peer_{mode}", pipelines_dir=home)
    key = ["server_id", "file_id", "line_no"]
    given = {"write_disposition": "merge", "primary_key": key} if mode == "merge" else {"write_disposition": "append"}
    file_format = {} if mode == "rows" else {"loader_file_format": "parquet"}
    print("ready", flush=True)
    sys.stdin.readline()
    done = pipeline.run(rows, table_name="rows", **given, **file_format)
    done.raise_on_failed_jobs()


if __name__ == "__main__":
    main()
