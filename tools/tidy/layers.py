"""Who may include whom: the one place where the order of the parts is written down.

proto → nothing; libs → the libs below them; a service → libs, protos and itself; standalone →
module.h of each service; clients → libs and protos; bench and tests → anything.
"""

# Each library and those that it may include directly. A new edge is a decision: say why.
LIBRARIES = {
    "base": set(),
    "entity": {"base"},
    "json": {"base"},
    "jwt": {"base", "json"},
    "config": {"base"},
    "log": {"base"},
    "metrics": {"base"},
    "sql": {"base", "log", "metrics", "config"},
    "bus": {"base", "log", "metrics", "config"},
    "queue": {"base", "sql", "log", "metrics"},
    "merge": {"base", "json"},
    "ot": {"base", "json"},
    "script": {"base", "json"},
    # The rule `script`: the merge stays free of Lua, and Lua of merging.
    "rules": {"base", "json", "merge", "script"},
    "rpc": {"base", "log", "metrics", "config"},
    "app": {"base", "json", "config", "log", "metrics", "sql", "bus", "rpc"},
    "testing": {"base", "json", "config", "log", "metrics", "sql", "bus", "rpc", "queue", "app"},
}

# Headers that only adapters may see, and the libraries that exist to wrap them.
DRIVERS = {
    "grpc": ("grpcpp/", "grpc/", "grpc++/"),
    "generated gRPC": (".grpc.pb.h",),
    "PostgreSQL": ("pqxx/", "libpq-fe.h", "postgresql/"),
    "SQLite": ("sqlite3.h",),
    "Redis": ("hiredis/",),
    "Beast": ("boost/beast",),
    "Prometheus": ("prometheus/",),
    "Lua": ("lua.hpp", "lua.h", "lauxlib.h", "lualib.h"),
}
DRIVERS_OF_LIBRARY = {
    "sql": {"PostgreSQL", "SQLite"},
    "bus": {"Redis"},
    "metrics": {"Prometheus"},
    "rpc": {"grpc", "generated gRPC"},
    "app": {"grpc", "generated gRPC", "Beast", "Prometheus"},
    "queue": {"SQLite"},
    "script": {"Lua"},
    "testing": set(DRIVERS),
}

# Files of a service that are not domain code: they translate between it and the world. All others
# are domain and see no driver, neither directly nor through a header of ours.
ADAPTER_STEMS = ("module", "main", "metrics")
ADAPTER_PREFIXES = ("grpc_", "sqlite_", "postgres_", "redis_", "rpc_", "beast_", "http_",
                    "prometheus_")
ADAPTER_SUFFIXES = ("_adapter", "_client", "_grpc", "_service", "_reactor", "_reactors", "_main")
ADAPTER_FOLDERS = ("websocket", "testing", "adapters")

CLIENT_LIBRARIES = {"base", "entity", "json", "jwt", "merge", "ot", "rpc", "rules", "queue",
                    "config", "log", "testing"}

# What the one binary holds beside `bdc-sync serve`: `bench` and, for all else, the command line.
CLIENTS_OF_STANDALONE = {"clients/bench/bench.h", "clients/cli/cli.h"}


def is_adapter(path):
    """Whether `path`, a file of a service, is one of its adapters."""
    *folders, name = path.split("/")
    stem = name.rsplit(".", 1)[0]
    return (stem in ADAPTER_STEMS or stem.startswith(ADAPTER_PREFIXES)
            or stem.endswith(ADAPTER_SUFFIXES) or any(f in ADAPTER_FOLDERS for f in folders))


def driver_of(header):
    """The driver that an included header belongs to, or None."""
    for driver, marks in DRIVERS.items():
        if header.startswith(marks) or header.endswith(marks):
            return driver
    return None
