"""`datacontract lint` for every contract in one process: the folder in, findings out, exit 1 where there is one.

Run with the environment of requirements-lint.lock: `make lint`.
"""

import sys
from pathlib import Path

from datacontract.data_contract import DataContract


def main(folder: Path) -> int:
    files = sorted(folder.rglob("*.yaml"))
    failed = [
        f"{file}: {check.reason}"
        for file in files
        for check in DataContract(data_contract_file=str(file), all_errors=True).lint().checks or []
        if check.result != "passed"
    ]
    print("\n".join(failed) or f"datacontract lint passes for {len(files)} contracts.")
    return 1 if failed or not files else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
