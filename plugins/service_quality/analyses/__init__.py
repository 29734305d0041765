"""What SQL cannot compute: each module reads what dbt has built and gives rows of one calculated table."""
