"""What happens before dbt is called."""

from __future__ import annotations

import pytest
from service_quality import ops, transform


@pytest.mark.postgres
def test_a_table_that_was_just_filled_is_known_to_the_planner(database_url):
    with ops.connect(database_url) as conn:
        ops.prepare(conn)
        conn.execute(
            "insert into raw.operators (operator_id, _row_hash) select n, 0 from generate_series(1, 500) as n"
        )
        conn.commit()
        transform.refresh_statistics(conn)
        known = conn.execute("select reltuples as rows from pg_class where oid = 'raw.operators'::regclass").fetchone()
        assert known == {"rows": 500}
