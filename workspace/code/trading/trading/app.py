"""The HTTP side of the service."""

from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated

import psycopg
import psycopg_pool
from fastapi import FastAPI, HTTPException, Path, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from . import clients, config, database

INTEGER_MAX = 2**31 - 1
OrderId = Annotated[int, Path(ge=1, le=INTEGER_MAX)]


class NewOrder(BaseModel):
    user_id: int = Field(ge=1, le=INTEGER_MAX)
    symbol: str = Field(pattern=r"^[A-Za-z0-9.-]{1,12}$")
    quantity: int = Field(ge=1, le=config.MAX_ORDER_QUANTITY)


class Order(BaseModel):
    id: int
    user_id: int
    symbol: str
    quantity: int
    price: float
    total: float
    created_at: datetime


@asynccontextmanager
async def lifespan(_: FastAPI):
    database.open_and_migrate()
    yield
    database.pool.close()


app = FastAPI(title="trading", lifespan=lifespan)


@app.exception_handler(clients.Unreachable)
def unreachable(_: Request, error: clients.Unreachable) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, status_code=502)


@app.get("/health")
def health() -> JSONResponse:
    try:
        database.check()
    except (psycopg.Error, psycopg_pool.PoolTimeout) as error:
        return JSONResponse({"status": "unavailable", "error": str(error)}, status_code=503)
    return JSONResponse({"status": "ok"})


@app.post("/orders", status_code=201)
def create_order(new: NewOrder, response: Response) -> Order:
    symbol = new.symbol.upper()
    if not clients.user_exists(new.user_id):
        raise HTTPException(422, f"unknown user {new.user_id}")
    price = clients.price(symbol)
    if price is None:
        raise HTTPException(422, f"no price for {symbol}")
    order = Order(**database.insert_order(new.user_id, symbol, new.quantity, price))
    response.headers["Location"] = f"/orders/{order.id}"
    return order


@app.get("/orders")
def list_orders() -> list[Order]:
    return [Order(**row) for row in database.orders()]


@app.get("/orders/{order_id}")
def show_order(order_id: OrderId) -> Order:
    row = database.order(order_id)
    if row is None:
        raise HTTPException(404, f"no order {order_id}")
    return Order(**row)


@app.delete("/orders/{order_id}", status_code=204)
def delete_order(order_id: OrderId) -> None:
    if not database.delete_order(order_id):
        raise HTTPException(404, f"no order {order_id}")
