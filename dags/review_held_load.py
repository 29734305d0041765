"""### Airflow DAG: decide about a held load

Started by an ingest run whose gate held its load. **decide** waits for a person (Airflow: *Required actions*),
taking no worker slot; **settle** releases or rejects the load; after a release **build** follows.

A load that was loaded again in the meantime needs no answer. Without an answer the run fails after a week.
"""

from datetime import timedelta

from service_quality.pipeline import review

dag = review(
    description="A person releases or rejects a load that the gate holds",
    doc_md=__doc__,
    answer_within=timedelta(days=7),
    owner="quality-data",
    tags=["gate"],
)
