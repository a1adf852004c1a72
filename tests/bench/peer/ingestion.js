// POST /event: validated by Joi, added to BullMQ as one job, answered once Redis has it.
'use strict';

const express = require('express');
const Joi = require('joi');
const { Queue } = require('bullmq');
const { queueName, redis, setting } = require('./settings');
const { jobOptions } = require('./job');

const queue = new Queue(queueName, { connection: redis(), defaultJobOptions: jobOptions });
const rules = Joi.object({
  site_id: Joi.string().required(),
  event_type: Joi.string().required(),
  path: Joi.string().required(),
  user_id: Joi.string().allow(null, ''),
  timestamp: Joi.string().isoDate().required(),
});

const app = express();
app.use(express.json());
app.post('/event', async (request, response) => {
  const { error, value } = rules.validate(request.body);
  if (error) {
    response.status(400).json({ error: error.details[0].message });
    return;
  }
  await queue.add('ingest', value);
  response.json({ status: 'ok' });
});
app.get('/readyz', async (request, response) => {
  await queue.waitUntilReady();
  response.json({ status: 'ready' });
});
app.listen(Number(setting('PORT')), '127.0.0.1');
