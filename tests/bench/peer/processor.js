// The worker: one INSERT a job, CONCURRENCY of them under way.
'use strict';

const { Worker } = require('bullmq');
const { Pool } = require('pg');
const { queueName, redis, setting } = require('./settings');

const concurrency = Number(setting('CONCURRENCY'));
const pool = new Pool({ connectionString: setting('DATABASE_URL') });
const insert = 'INSERT INTO events (site_id, event_type, path, user_id, timestamp) '
  + 'VALUES ($1, $2, $3, $4, $5)';

const store = async ({ data }) => {
  await pool.query(
    insert, [data.site_id, data.event_type, data.path, data.user_id, data.timestamp]);
};

const worker = new Worker(queueName, store, { connection: redis(), concurrency });
worker.on('failed', (job, error) => console.error('job failed', job && job.id, error.message));
worker.on('error', (error) => console.error(error.message));
worker.waitUntilReady().then(() => console.log('ready'));
