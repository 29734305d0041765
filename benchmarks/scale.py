"""How large the benchmark's data are: the full run (about an hour) and the quick one (about five minutes)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Sizes. Rows for loading; contacts per day and days of history for building; contacts of the full rebuild."""

    name: str
    rounds: int
    load_rows: tuple[int, ...]
    memory_rows: tuple[int, int]  # few and many, of the loads whose memory is compared
    peer_rows: int
    contacts_per_day: int
    history_days: tuple[int, ...]
    night_contacts: int  # of the night that is loaded again
    rebuild_contacts: int
    history_rounds: int  # nights
    rebuild_seconds: float  # all rebuilds with their preparation: fewer contacts where the machine needs more
    again_blocks: tuple[int, int] | None = None  # of BLOCK_DAYS in a short history and its multiple; None: not measured
    again_rounds: int = 5
    late_row: bool = True  # a night with one is measured beside those without
    rebuild_by_both: bool = False  # engines; else by the chosen one only
    rebuild_histories: bool = False  # the longest history of the nights is rebuilt, instead of a provider of its own
    many_contacts: int = 0  # of one night on which they come all at once; 0: no such night
    rebuild_rounds: int = 1  # a rebuild of millions takes minutes: its noise is small beside them
    nights: int = 1  # through Airflow
    nights_after: int = 20  # days of history
    nights_contacts_per_day: int = 150
    warm_up: bool = True  # a first round of the peers that is not counted; medians of rounds leave it out too
    marts_days: int = 120  # that dashboards read
    publications: int = 2  # under readers
    read_seconds: float = 2.0  # a round of reading
    weigh_nights: bool = False  # storage of the provider whose nights Airflow ran, instead of one of its own
    storage_stages: tuple[int, ...] = (8,)  # days after which storage is weighed
    storage_contacts_per_day: int = 200

    @property
    def storage_days(self) -> int:
        """Days of the provider that is stored."""
        return self.storage_stages[-1]


FULL = Scale("full", 5, (1_000_000, 5_000_000), (1_000_000, 5_000_000), 20_000,
             150, (30, 365, 1461), 15_000, 5_000_000,
             history_rounds=5, again_blocks=(24, 96), many_contacts=15_000,
             rebuild_seconds=240,
             nights=3, marts_days=1461, read_seconds=5.0,
             storage_stages=(20,), storage_contacts_per_day=3_000)  # fmt: skip
QUICK = Scale("quick", 5, (100_000,), (40_000, 120_000), 1_500, 30, (30, 91), 1_000, 3_000,
              history_rounds=1, late_row=False, rebuild_seconds=45, warm_up=False,
              rebuild_histories=True, nights_after=8, nights_contacts_per_day=40,
              marts_days=30, publications=1, read_seconds=0.3, weigh_nights=True)  # fmt: skip
