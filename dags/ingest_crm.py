"""### Airflow DAG: last night's CRM

Branches, operators, subscribers, topics, tickets and their history, install orders and listened calls, by the
queries in `config/crm/`. **land** reads what changed in the window, **gate** judges it, **promote** takes it in.

*Held by the gate*: the marts stay as they were; `review_held_load` asks for a decision.
*First load or repair*: trigger with params `from` and `to`.
"""

from service_quality.pipeline import ingest

dag = ingest(
    "crm",
    description="CRM: people, topics, tickets, install orders and evaluations of the night",
    doc_md=__doc__,
    at="15 1 * * *",
    owner="crm-data",
    tags=["crm"],
)
