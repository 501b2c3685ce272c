// The accounts service: users and their session tokens over HTTP.
// It has no handler for SIGTERM, like many small services: as PID 1 it needs an init to stop quickly.
import express from 'express';
import { port } from './config.js';
import { hashPassword, issueToken, readToken } from './secrets.js';
import * as users from './users.js';

const MAX_ID = 2 ** 31 - 1;
const app = express();
app.use(express.json());

app.param('id', (req, res, next, id) => {
  if (/^\d+$/.test(id) && Number(id) <= MAX_ID) next();
  else notFound(res, id);
});

app.get('/health', async (req, res) => {
  try {
    await users.check();
    res.json({ status: 'ok' });
  } catch (error) {
    res.status(503).json({ status: 'unavailable', error: error.message });
  }
});

app.post('/users', async (req, res) => {
  const problem = problemWith(req.body, ['email', 'name', 'password']);
  if (problem) return res.status(400).json({ error: problem });
  const { email, name, password } = req.body;
  const user = await users.create(email, name, await hashPassword(password));
  res.status(201).location(`/users/${user.id}`).json({ ...user, token: issueToken(user.id) });
});

app.get('/users', async (req, res) => {
  res.json(await users.list());
});

app.get('/users/:id', async (req, res) => {
  const user = await users.find(req.params.id);
  if (user) res.json(user);
  else notFound(res, req.params.id);
});

app.put('/users/:id', (req, res) => change(req, res, ['email', 'name']));
app.patch('/users/:id', (req, res) => change(req, res, []));

app.delete('/users/:id', async (req, res) => {
  if (await users.remove(req.params.id)) res.status(204).end();
  else notFound(res, req.params.id);
});

app.get('/session', (req, res) => {
  const [, token] = /^Bearer (\S+)$/.exec(req.get('authorization') ?? '') ?? [];
  const session = token && readToken(token);
  if (session) res.json(session);
  else res.status(401).json({ error: 'no valid session token' });
});

app.use((req, res) => res.status(404).json({ error: 'no such path' }));

app.use((error, req, res, next) => {
  if (res.headersSent) return next(error);
  if (users.isDuplicate(error)) return res.status(409).json({ error: 'email is already registered' });
  const status = error.status ?? 500;
  if (status >= 500) console.error(error);
  res.status(status).json({ error: status < 500 ? error.message : 'internal error' });
});

async function change(req, res, required) {
  const problem = problemWith(req.body, required);
  if (problem) return res.status(400).json({ error: problem });
  const { email, name, password } = req.body;
  const passwordHash = password && (await hashPassword(password));
  const user = await users.update(req.params.id, { email, name, passwordHash });
  if (user) res.json(user);
  else notFound(res, req.params.id);
}

/** The first thing wrong with a user in a request, or undefined. */
function problemWith(body, required) {
  if (typeof body !== 'object' || body === null) return 'a JSON object is expected';
  for (const field of ['email', 'name', 'password']) {
    const value = body[field];
    if (value === undefined && !required.includes(field)) continue;
    if (typeof value !== 'string' || value.trim() === '') return `${field} must be a non-empty string`;
    if (field === 'email' && !/^[^@\s]+@[^@\s]+$/.test(value)) return 'email must be an e-mail address';
  }
}

function notFound(res, id) {
  res.status(404).json({ error: `no user ${id}` });
}

app.listen(port, '0.0.0.0', (error) => {
  if (error) throw error;
  console.log(`accounts: listening on port ${port}`);
});
