// The users table; every statement of the service is here.
import pg from 'pg';
import { databaseUrl } from './config.js';

const UNIQUE_VIOLATION = '23505';
const COLUMNS = 'id, email, name, created_at';

const pool = new pg.Pool({
  connectionString: databaseUrl,
  connectionTimeoutMillis: 2000,
  query_timeout: 5000,
});
// Without a listener, a database that restarts would end the process.
pool.on('error', (error) => console.error(`accounts: lost a database connection: ${error.message}`));

async function query(text, values) {
  return (await pool.query(text, values)).rows;
}

/** Whether the database answers and has its tables. */
export async function check() {
  await query('SELECT 1 FROM users LIMIT 1');
}

export function isDuplicate(error) {
  return error.code === UNIQUE_VIOLATION;
}

export function list() {
  return query(`SELECT ${COLUMNS} FROM users ORDER BY id`);
}

export async function find(id) {
  return (await query(`SELECT ${COLUMNS} FROM users WHERE id = $1`, [id]))[0];
}

export async function create(email, name, passwordHash) {
  const rows = await query(
    `INSERT INTO users (email, name, password_hash) VALUES ($1, $2, $3) RETURNING ${COLUMNS}`,
    [email, name, passwordHash],
  );
  return rows[0];
}

/** Changes what is given and keeps the rest; undefined when there is no such user. */
export async function update(id, { email, name, passwordHash }) {
  const rows = await query(
    `UPDATE users SET email = coalesce($2, email), name = coalesce($3, name),
       password_hash = coalesce($4, password_hash)
     WHERE id = $1 RETURNING ${COLUMNS}`,
    [id, email, name, passwordHash],
  );
  return rows[0];
}

export async function remove(id) {
  return (await query('DELETE FROM users WHERE id = $1 RETURNING id', [id])).length > 0;
}
