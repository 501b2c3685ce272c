"""What the service asks of others: users of accounts, prices of market and of an outside provider."""

import json
import logging
from decimal import Decimal

import httpx

from . import config

log = logging.getLogger(__name__)
_http = httpx.Client(timeout=3)


class Unreachable(Exception):
    """A service that the order needs does not answer as it should."""


def _get(service: str, url: str, headers: dict[str, str] | None = None) -> dict | None:
    """The JSON object at `url`, its numbers exact; None for 404."""
    try:
        response = _http.get(url, headers=headers)
        if response.status_code == httpx.codes.NOT_FOUND:
            return None
        response.raise_for_status()
        return json.loads(response.text, parse_float=Decimal, parse_int=Decimal)
    except (httpx.HTTPError, ValueError) as error:
        raise Unreachable(f"{service} does not answer: {error}") from error


def user_exists(user_id: int) -> bool:
    return _get("accounts", f"{config.ACCOUNTS_URL}/users/{user_id}") is not None


def price(symbol: str) -> Decimal | None:
    """The price of market, else of the provider; None when neither has one."""
    quote = _get("market", f"{config.MARKET_URL}/prices/{symbol}")
    if quote is None:
        quote = _provider_quote(symbol)
    return quote and quote["price"]


def _provider_quote(symbol: str) -> dict | None:
    if not (config.MARKET_DATA_URL and config.MARKET_DATA_API_KEY):
        return None
    headers = {"Authorization": f"Bearer {config.MARKET_DATA_API_KEY}"}
    try:
        return _get("the market data provider", f"{config.MARKET_DATA_URL}/quotes/{symbol}", headers)
    except Unreachable as error:
        # An order is refused for its symbol, not for the provider.
        log.warning("%s", error)
        return None
