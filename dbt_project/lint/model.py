"""What sqlfluff sees of the model that dbt renders: one that says nothing in its `meta`."""

from types import SimpleNamespace

config = SimpleNamespace(meta={})
