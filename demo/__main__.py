"""Command line of the simulated provider."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from demo import provider, survey_server

app = typer.Typer(
    add_completion=False, pretty_exceptions_enable=False, help="A simulated telecom provider with known truth."
)
Home = Annotated[Path, typer.Option(help="Folder that holds everything of the provider.")]
DAY = ["%Y-%m-%d"]


@app.command()
def create(
    home: Home,
    seed: Annotated[int, typer.Option(help="The same seed gives the same provider.")] = 7,
    days: Annotated[int, typer.Option(min=1)] = 93,
    contacts_per_day: Annotated[int, typer.Option(min=1)] = 600,
    first_day: Annotated[datetime, typer.Option(formats=DAY)] = datetime(2026, 8, 8),
) -> None:
    """Generate everything that happens, and the truth about it."""
    world = provider.create(home, seed, days, contacts_per_day, first_day.date())
    typer.echo(f"{home}: {world.days} days from {world.first_day} to {world.last_day}")


@app.command()
def play(
    home: Home,
    until: Annotated[datetime, typer.Option(formats=DAY, help="Last day that is shown.")],
    broken: Annotated[str | None, typer.Option("--break", help="telephony: its last day is cut off.")] = None,
) -> None:
    """Show the provider as it is at the end of a day; DEMO_CRM_URL names the CRM's database."""
    try:
        counts = provider.play(home, until.date(), broken)
    except (provider.DemoError, ValueError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo("  ".join(f"{door}: {count}" for door, count in counts.items()))


@app.command()
def serve_survey(
    home: Home,
    port: Annotated[int, typer.Option(help="Port on loopback; 0 takes a free one.")],
    key_seconds: Annotated[float, typer.Option(help="Life of a session key.")] = 7200.0,
    calls_per_key: Annotated[int, typer.Option(help="A key expires after so many calls; 0: by time only.")] = 0,
    fail_every: Annotated[int, typer.Option(help="Each n-th request fails with HTTP 500; 0: none.")] = 0,
) -> None:
    """Serve the surveys in the foreground; DEMO_SURVEY_USER and DEMO_SURVEY_PASSWORD are the account."""
    options = survey_server.Options(
        user=os.environ.get("DEMO_SURVEY_USER", "quality"),
        password=os.environ.get("DEMO_SURVEY_PASSWORD", "quality"),
        key_seconds=key_seconds, calls_per_key=calls_per_key, fail_every=fail_every,
    )  # fmt: skip
    server = survey_server.server(home, port, options)
    typer.echo(f"survey server on http://127.0.0.1:{server.server_address[1]}")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        typer.echo("stopped")
    finally:
        server.server_close()


if __name__ == "__main__":
    app()
