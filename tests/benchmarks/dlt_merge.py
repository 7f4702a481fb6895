"""The same rows by dlt's merge, run by the Python of a venv of its own: ``dlt_merge.py URL FILE`` prints the seconds.

Here: dlt as its documentation uses it for upserts, nested values kept as JSON, telemetry off. Not timed: imports and
reading the file.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"


def main() -> None:
    import dlt

    url, file = sys.argv[1:]
    rows = [json.loads(line) for line in Path(file).read_text("utf-8").splitlines()]
    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline(
            "bench", destination=dlt.destinations.postgres(url), dataset_name="dlt_bench", pipelines_dir=folder
        )

        @dlt.resource(name="messages", write_disposition="merge", primary_key="id", max_table_nesting=0)
        def messages():
            yield from (rows[at : at + 1_000] for at in range(0, len(rows), 1_000))

        wall, cpu = time.perf_counter(), time.process_time()
        pipeline.run(messages())
        print(json.dumps({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    main()
