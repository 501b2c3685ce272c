// Password hashes (scrypt) and session tokens (AES-128-GCM); nothing here knows of HTTP or the database.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto';
import { promisify } from 'node:util';
import { sessionKey, sessionTtlMs } from './config.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** `salt:hash`, both in hex. */
export async function hashPassword(password) {
  const salt = randomBytes(16);
  const hash = await promisify(scrypt)(password, salt, 32);
  return `${salt.toString('hex')}:${hash.toString('hex')}`;
}

/** A token that only this service can read: iv, tag and the encrypted user and expiry, in base64url. */
export function issueToken(userId) {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-128-gcm', sessionKey, iv);
  const session = JSON.stringify({ user_id: userId, expires_at: new Date(Date.now() + sessionTtlMs) });
  const body = Buffer.concat([cipher.update(session), cipher.final()]);
  return Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
}

/** The session of a token, or null for one that is forged, damaged or expired. */
export function readToken(token) {
  const bytes = Buffer.from(token, 'base64url');
  try {
    const decipher = createDecipheriv('aes-128-gcm', sessionKey, bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAuthTag(bytes.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
    const body = [decipher.update(bytes.subarray(IV_BYTES + TAG_BYTES)), decipher.final()];
    const session = JSON.parse(Buffer.concat(body));
    return new Date(session.expires_at) > new Date() ? session : null;
  } catch {
    return null;
  }
}
