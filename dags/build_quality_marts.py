"""### Airflow DAG: the quality marts

Runs when every configured source has promoted something new, and in the morning with what has arrived by then
(stale sources are named in an alert). **plan** fixes loads and touched days, **transform** runs dbt into
`candidate`, **gate** judges the touched days, **publish** replaces exactly those days in `marts`.

*Held or failed*: nothing is published and nothing is lost; the next build takes the same loads.
*Repair*: trigger with param `days`; everything from raw again: `full`.
"""

from datetime import timedelta

from service_quality.pipeline import build

dag = build(
    description="Operator, branch and topic quality, for every day that changed",
    doc_md=__doc__,
    at="0 6 * * *",
    late_after=timedelta(hours=1),
    owner="quality-data",
    tags=["marts"],
)
