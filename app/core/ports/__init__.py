"""The contracts that the other rooms keep. Prose and types; nothing is implemented here.

Sizes and offsets are bytes, times are seconds since the epoch by the records' clock, keys are those of `core.keys`.
Every call may raise the Fault of its room (RecordsDown, StoreDown, BrokerDown); what else it raises is said beside it.
"""

from app.core.ports.fetching import Fetcher
from app.core.ports.imaging import Gauge, Header, Renderer
from app.core.ports.jobs import Jobs
from app.core.ports.meter import Meter
from app.core.ports.quota import Allowance, Quota, Spent, Window
from app.core.ports.records import NOTHING, Change, Entity, Locks, Pulse, Records, Signals, Tallies, Waiter
from app.core.ports.replies import Kept, Replies, Reply, Turn
from app.core.ports.stores import Body, Fetched, Landed, Store, Tick, Written

__all__ = [
    "NOTHING",
    "Allowance",
    "Body",
    "Change",
    "Entity",
    "Fetched",
    "Fetcher",
    "Gauge",
    "Header",
    "Jobs",
    "Kept",
    "Landed",
    "Locks",
    "Meter",
    "Pulse",
    "Quota",
    "Records",
    "Renderer",
    "Replies",
    "Reply",
    "Signals",
    "Spent",
    "Store",
    "Tallies",
    "Tick",
    "Turn",
    "Waiter",
    "Window",
    "Written",
]
