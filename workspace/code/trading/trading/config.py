"""The service's settings, read once from the environment."""

import os
import sys


def _required(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        sys.exit(f"trading: {name} is not set")
    return value


PORT = int(os.environ.get("PORT") or 3000)
DATABASE_URL = _required("DATABASE_URL")
ACCOUNTS_URL = _required("ACCOUNTS_URL")
MARKET_URL = _required("MARKET_URL")
MAX_ORDER_QUANTITY = int(os.environ.get("MAX_ORDER_QUANTITY") or 1000)
LOG_LEVEL = os.environ.get("LOG_LEVEL") or "info"
MARKET_DATA_URL = os.environ.get("MARKET_DATA_URL")
MARKET_DATA_API_KEY = os.environ.get("MARKET_DATA_API_KEY")
