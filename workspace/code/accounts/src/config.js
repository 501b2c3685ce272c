// The service's settings, read once from the environment; a bad one ends the process with its name.

function fail(message) {
  console.error(`accounts: ${message}`);
  process.exit(1);
}

function required(name) {
  return process.env[name] || fail(`${name} is not set`);
}

export const port = Number(process.env.PORT || 3001);
export const databaseUrl = required('DATABASE_URL');
export const sessionTtlMs = Number(process.env.SESSION_TTL_HOURS || 24) * 3_600_000;

// AES-128 takes a key of 128 bits: 16 characters of one byte each.
export const sessionKey = Buffer.from(required('SESSION_KEY'));
if (sessionKey.length !== 16) {
  fail(`SESSION_KEY must be exactly 16 characters, it has ${sessionKey.length}`);
}
