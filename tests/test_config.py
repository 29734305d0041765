"""Configuration: stated defaults hold, and every error names the file and the key."""

from __future__ import annotations

from pathlib import Path

import pytest
from service_quality import config
from service_quality.config import ConfigError

MINIMAL = """
telephony:
  servers:
    - time_zone: Europe/Moscow
      queue_log: {form: file, spool: /var/spool/pbx}
"""


def _write(folder: Path, text: str) -> Path:
    (folder / "sources.yml").write_text(text, encoding="utf-8")
    return folder


def test_a_minimal_file_has_stated_defaults(tmp_path):
    settings = config.load(_write(tmp_path, MINIMAL))
    assert [s.value for s in settings.sources] == ["telephony"]
    assert settings.provider.thresholds.service_level_seconds == 20
    assert settings.provider.phone.country_code == "7"
    assert settings.telephony.servers[0].queue_log.pattern == "queue_log*"


def test_the_form_of_a_queue_log_is_file_unless_said(tmp_path):
    settings = config.load(_write(tmp_path, MINIMAL.replace("form: file, ", "")))
    assert settings.telephony.servers[0].queue_log.form == "file"


def test_the_shipped_configuration_is_sound():
    settings = config.load(config.REPO / "config")
    assert len(settings.sources) == 4


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (MINIMAL.replace("Moscow", "Moskow"), "telephony.servers.0.time_zone"),
        (MINIMAL.replace("spool:", "spol:"), "telephony.servers.0.queue_log.spool: Field required"),
        ("telephony: {servers: []}", "telephony.servers"),
        ("provider: {colour: blue}", "provider.colour"),
        ("conduct: {complaint_days: 0}", "conduct.complaint_days"),
        ("provider: {business_hours: {opens: '18:00', closes: '09:00'}}", "opens must be before closes"),
        ("crm: {tables: [branchs]}", "'branchs' is no canonical table"),
        ("survey: {surveys: [{survey_id: '1', kind: repair, questions: {mood: Q1}}]}", "unknown mood"),
        ("ivr: {drops: [{spool: /x, time_zone: UTC, columns: {time: t}}]}", "digit, question must be named"),
        ("callbacks: {due_hours: {past_target: 49}, expires_days: 2}", "due_hours.past_target: 49 hours are more than"),
        ("callbacks: {expires_days: 29}", "callbacks.expires_days"),
        ("callbacks: {due_hours: {birthday: 24}}", "callbacks.due_hours.birthday"),
        ("agents: {patterns: [{match: '(', name: x}]}", "agents.patterns.0.match"),
        ("listening: {long_talk_seconds: [300, 120]}", "long_talk_seconds: two limits in order"),
        ("listening: {seed: \"it's\"}", "listening.seed"),
        ("listening: {floor_days: 0}", "listening.floor_days"),
        ("a: [", "not readable as YAML"),
        ("- a", "must be a mapping"),
        ("provider: {name: '${NOT_SET_ANYWHERE}'}", "provider.name: the environment variable NOT_SET_ANYWHERE"),
        (MINIMAL + "    - time_zone: UTC\n      queue_log: {form: file, spool: /y}\n", "server_id must differ"),
    ],
)
def test_errors_name_the_file_and_the_key(tmp_path, text, told):
    with pytest.raises(ConfigError) as error:
        config.load(_write(tmp_path, text))
    assert told in str(error.value)
    assert "sources.yml" in str(error.value)


def test_a_missing_folder_says_which_variable_names_it(tmp_path):
    with pytest.raises(ConfigError, match="QUALITY_CONFIG_DIR"):
        config.load(tmp_path / "nowhere")


def test_variables_are_taken_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("PBX_SPOOL", "/data/pbx")
    text = MINIMAL.replace("/var/spool/pbx", "'${PBX_SPOOL}'").replace("Europe/Moscow", "${NO_ZONE:-UTC}")
    server = config.load(_write(tmp_path, text)).telephony.servers[0]
    assert (server.queue_log.spool, server.time_zone) == ("/data/pbx", "UTC")


def test_a_connection_that_is_not_set_names_its_variable(monkeypatch):
    monkeypatch.delenv("AIRFLOW_CONN_CRM", raising=False)
    with pytest.raises(ConfigError, match="AIRFLOW_CONN_CRM"):
        config.connection_from_environment("crm")
