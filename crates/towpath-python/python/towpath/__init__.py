"""Keep CloudTrail events for years and answer Trino SQL over them.

    lake = towpath.Lake("/var/lib/towpath", create=True)
    store = lake.create_store("org-trail", retention_days=2557)
    store.ingest("/mnt/trail/AWSLogs")
    lake.query("SELECT eventTime, userIdentity.arn FROM org-trail").to_pandas()
"""

from ._towpath import (
    EvaluationError,
    InvalidStatement,
    Lake,
    LimitExceeded,
    Rows,
    Store,
    StoreNotFound,
    TowpathError,
    __version__,
)

__all__ = [
    "EvaluationError",
    "InvalidStatement",
    "Lake",
    "LimitExceeded",
    "Rows",
    "Store",
    "StoreNotFound",
    "TowpathError",
    "__version__",
]
