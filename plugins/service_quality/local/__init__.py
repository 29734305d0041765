"""What a single machine needs to run everything: embedded Postgres and Airflow components."""
