"""Is this part of Airflow alive? Asked of the API server, which knows every part's last heartbeat. Exit 0 means yes.

In: metadatabase, scheduler, dag_processor or triggerer. `python -m airflow jobs check` says the same, but loads all of
Airflow each time.
"""

import json
import os
import sys
import urllib.request

url = os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"].replace("/execution/", "/api/v2/monitor/health")
with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own API server
    part = json.load(answer).get(sys.argv[1]) or {}
sys.exit(part.get("status") != "healthy")
