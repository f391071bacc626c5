"""The environment, read once.

Here lives the one table of variables (`variables`), how each is read (`readers`), the fields of policies (`policies`), and the reading
itself with everything that follows from the data folder (`environment`, the only reader of os.environ).
It may know: the core (the fields of a Policy), and nothing else of the house.
It must never: connect, create a file, or stop at the first fault: SettingsError names all of them at once.
"""

from app.settings.environment import SOCKET_LIMIT, SettingsError, embedded_socket, environment, from_env, metrics_folder, some
from app.settings.variables import VARIABLES, Settings, Variable

__all__ = [
    "SOCKET_LIMIT",
    "VARIABLES",
    "Settings",
    "SettingsError",
    "Variable",
    "embedded_socket",
    "environment",
    "from_env",
    "metrics_folder",
    "some",
]
