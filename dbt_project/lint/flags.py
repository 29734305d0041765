"""What sqlfluff sees of dbt's flags: a full rebuild, the shortest form of every model."""

FULL_REFRESH = True
