const express = require('express');
const { z } = require('zod');

const env = z
  .object({
    PORT: z.coerce.number().default(3000),
    REDIS_URL: z
      .string()
      .url(),
    ORDERS_URL: z.string().url(),
    SESSION_SECRET: z.string().min(32),
    LOG_LEVEL: z.enum(['info', 'debug']).default('info'),
    NOTE: z.string().optional(),
  })
  .parse(process.env);

const app = express();
app.get('/health', (_, response) => response.send('ok'));
app.listen(env.PORT);
