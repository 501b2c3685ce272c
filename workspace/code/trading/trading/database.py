"""The orders in PostgreSQL, and the migrations that create their table."""

from decimal import Decimal
from pathlib import Path

from psycopg.rows import dict_row
from psycopg_pool import ConnectionPool

from . import config

MIGRATIONS = Path(__file__).parent.parent / "migrations"
# Any number that no other program locks in this database.
MIGRATION_LOCK = 7_301_442
COLUMNS = "id, user_id, symbol, quantity, price, total, created_at"

pool = ConnectionPool(
    config.DATABASE_URL,
    min_size=1,
    max_size=8,
    timeout=2,
    open=False,
    check=ConnectionPool.check_connection,
    kwargs={"row_factory": dict_row, "connect_timeout": 2},
)


def open_and_migrate() -> None:
    """Connects, and applies each migration that the database has not seen, all in one transaction."""
    pool.open(wait=True, timeout=30)
    with pool.connection() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [MIGRATION_LOCK])
        connection.execute("CREATE TABLE IF NOT EXISTS migrations (name text PRIMARY KEY)")
        applied = {row["name"] for row in connection.execute("SELECT name FROM migrations")}
        for file in sorted(MIGRATIONS.glob("*.sql")):
            if file.name not in applied:
                connection.execute(file.read_bytes())
                connection.execute("INSERT INTO migrations VALUES (%s)", [file.name])


def check() -> None:
    """Raises when the database does not answer or has no orders table."""
    with pool.connection() as connection:
        connection.execute("SELECT 1 FROM orders LIMIT 1")


def insert_order(user_id: int, symbol: str, quantity: int, price: Decimal) -> dict:
    with pool.connection() as connection:
        return connection.execute(
            "INSERT INTO orders (user_id, symbol, quantity, price)"
            f" VALUES (%s, %s, %s, %s) RETURNING {COLUMNS}",
            [user_id, symbol, quantity, price],
        ).fetchone()


def orders() -> list[dict]:
    with pool.connection() as connection:
        return connection.execute(f"SELECT {COLUMNS} FROM orders ORDER BY id").fetchall()


def order(order_id: int) -> dict | None:
    with pool.connection() as connection:
        return connection.execute(
            f"SELECT {COLUMNS} FROM orders WHERE id = %s", [order_id]
        ).fetchone()


def delete_order(order_id: int) -> bool:
    with pool.connection() as connection:
        return connection.execute("DELETE FROM orders WHERE id = %s", [order_id]).rowcount == 1
