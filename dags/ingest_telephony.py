"""### Airflow DAG: last night's telephony

Queue log and call records of every Asterisk PBX in `config/sources.yml`. **land** reads the window's lines (and
late files), **gate** judges them, **promote** takes them in; phone numbers become keyed hashes there.

*Held by the gate*: the marts stay as they were; `review_held_load` asks for a decision.
*First load or repair*: trigger with params `from` and `to`.
"""

from service_quality.pipeline import ingest

dag = ingest(
    "telephony",
    description="Telephony: queue events and call records of the night",
    doc_md=__doc__,
    at="20 1 * * *",
    owner="telephony-data",
    tags=["telephony"],
)
