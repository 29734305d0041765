"""### Airflow DAG: last night's surveys

Responses of the LimeSurvey surveys in `config/sources.yml`; unfinished ones are read again until they are
complete. **land** pages through the responses, **gate** judges them, **promote** takes them in.

*Held by the gate*: the marts stay as they were; `review_held_load` asks for a decision.
*First load or repair*: trigger with params `from` and `to`.
"""

from service_quality.pipeline import ingest

dag = ingest(
    "survey",
    description="Survey: responses after connections, repairs and contacts",
    doc_md=__doc__,
    at="30 1 * * *",
    owner="research-data",
    tags=["survey"],
)
