"""What is counted, and where Prometheus asks for it.

Here live the catalogue of metrics, the meter (a slot of mapped files for each process), the watched ports that feed it, and the port of /metrics.
It may know: the core (its entities and ports) and the library prometheus_client, which nobody else imports.
It must never: fail or delay what it counts, use a client's words as a label, or be reachable from where clients are.
"""

from app.metrics.catalogue import FAMILIES
from app.metrics.door import serve
from app.metrics.events import told
from app.metrics.ledger import Ledger, ledger_in
from app.metrics.state import Look, State
from app.metrics.watched import watched

__all__ = ["FAMILIES", "Ledger", "Look", "State", "ledger_in", "serve", "told", "watched"]
