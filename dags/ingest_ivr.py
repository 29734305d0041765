"""### Airflow DAG: last night's ratings

Answers of the quality line: criterion and digit per question asked, time-outs and invalid digits included.
**land** reads the rating files, **gate** judges them, **promote** takes them in.

*Held by the gate*: the marts stay as they were; `review_held_load` asks for a decision.
*First load or repair*: trigger with params `from` and `to`.
"""

from service_quality.pipeline import ingest

dag = ingest(
    "ivr",
    description="IVR: ratings that subscribers gave by digit after the call",
    doc_md=__doc__,
    at="25 1 * * *",
    owner="telephony-data",
    tags=["ivr"],
)
